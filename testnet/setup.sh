#!/usr/bin/env bash
# Installs what building and running need, with `tests` also what only tests need; says what to do
# where it may not.
#
# usage: setup.sh [tests]
set -euo pipefail
cd "$(dirname "$0")/.."

missing_packages() {
    # The C++ compilers and libclang build RocksDB and its bindings.
    local missing=()
    command -v g++ >/dev/null || missing+=(g++)
    command -v clang++ >/dev/null || missing+=(clang)
    command -v make >/dev/null || missing+=(make)
    # Ask for and verify time stamps in tests and in the walk-through.
    command -v openssl >/dev/null || missing+=(openssl)
    command -v curl >/dev/null || missing+=(curl)
    compgen -G '/usr/lib/llvm-*/lib/libclang*.so*' >/dev/null || missing+=(libclang-dev)
    compgen -G '/usr/lib/llvm-*/lib/clang/*/include/stddef.h' >/dev/null || missing+=(libclang-dev)
    printf '%s\n' "${missing[@]}" | sort -u | sed '/^$/d' | tr '\n' ' '
}

packages=$(missing_packages)
if [ -n "$packages" ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "installing Debian packages: $packages"
        apt-get update -qq || true
        # shellcheck disable=SC2086
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null
    else
        echo "missing packages; install them with: sudo apt-get install $packages" >&2
        exit 1
    fi
fi

wanted=$(sed -n 's/^channel = "\(.*\)"/\1/p' rust-toolchain.toml)
if ! command -v cargo >/dev/null; then
    echo "cargo is missing; install Rust $wanted with rustup" >&2
    exit 1
fi
if ! cargo --version >/dev/null 2>&1; then
    echo "Rust $wanted is missing; install it with: rustup toolchain install $wanted" >&2
    exit 1
fi

# Contracts of others for genesis files (SPEC §2.5).
if command -v npm >/dev/null; then
    contracts/predeploys/fetch.sh ||
        echo "fetching packages failed: networks will lack most contracts of others" >&2
fi

# Stock Ethereum clients: for the walk-through and the tests, not for the node.
if command -v npm >/dev/null; then
    if [ ! -d tests/clients/node_modules ] ||
        [ tests/clients/package-lock.json -nt tests/clients/node_modules/.package-lock.json ]; then
        echo "installing npm packages of tests/clients"
        (cd tests/clients && npm ci --no-audit --no-fund --loglevel=error >/dev/null) ||
            echo "npm ci failed: the parts that use stock Ethereum clients will be skipped" >&2
    fi
fi

if [ "${1:-}" != tests ]; then
    exit 0
fi

# The developer kit, and a browser for its tests.
if command -v npm >/dev/null; then
    if [ ! -d sdk/typescript/node_modules ] ||
        [ sdk/typescript/package-lock.json -nt sdk/typescript/node_modules/.package-lock.json ]; then
        echo "installing npm packages of sdk/typescript"
        (cd sdk/typescript && npm ci --no-audit --no-fund --loglevel=error >/dev/null) ||
            echo "npm ci failed: the tests of the TypeScript kit will be skipped" >&2
    fi
fi
if ! command -v chromium >/dev/null && ! command -v google-chrome >/dev/null &&
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing Debian package: chromium"
    { apt-get update -qq || true
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium \
            >/dev/null; } ||
        echo "no Chromium: the tests of the kit in a browser will be skipped" >&2
fi
# Reports for courts: a font with Chinese characters, and a program that reads PDFs.
reading=()
[ -e /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc ] || reading+=(fonts-noto-cjk)
command -v pdftotext >/dev/null || reading+=(poppler-utils)
if [ ${#reading[@]} -gt 0 ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing Debian packages: ${reading[*]}"
    { apt-get update -qq || true
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
            "${reading[@]}" >/dev/null; } ||
        echo "no ${reading[*]}: the tests of reports as PDF will be skipped" >&2
fi
if command -v go >/dev/null; then
    (cd sdk/go && go mod download) ||
        echo "go mod download failed: the tests of the Go kit will be skipped" >&2
    (cd contracts/fabric && go mod download) ||
        echo "go mod download failed: the tests of the chaincode will be skipped" >&2
fi
if command -v mvn >/dev/null; then
    contracts/corda/test.sh fetch ||
        echo "Maven fetched not all: the tests of contracts/corda will be skipped" >&2
fi
kit=$HOME/.cache/tbsi/python-sdk
pins=sdk/python/requirements.txt
if command -v python3 >/dev/null && ! cmp -s "$pins" "$kit/installed.txt"; then
    echo "installing Python packages of $pins"
    { python3 -m venv "$kit" &&
        "$kit/bin/pip" install --quiet --require-hashes --only-binary :all: -r "$pins" &&
        cp "$pins" "$kit/installed.txt"; } ||
        echo "no Python packages (Debian: apt-get install python3-venv): the tests of the Python" \
            "kit will be skipped" >&2
fi

# Other people's verifiers of the log and of time stamps, for the tests.
if command -v go >/dev/null; then
    (cd tests/outside && go mod download) ||
        echo "go mod download failed: the parts that use Go's verifiers will be skipped" >&2
    # A QBFT network that others wrote; what `geth` needs, not what its own tests do.
    (cd tests/quorum && go list -deps github.com/ethereum/go-ethereum/cmd/geth >/dev/null) ||
        echo "no modules of GoQuorum: the facts of a real QBFT network will be skipped" >&2
    (cd tests/geth && go list -deps github.com/ethereum/go-ethereum/cmd/geth >/dev/null) ||
        echo "no modules of go-ethereum: answers will not be compared with geth's" >&2
fi
# Bouncy Castle, for evidence records: fetched by running the program once.
if command -v mvn >/dev/null; then
    scratch=$(mktemp -d)
    (cd tests/outside/records && mvn -q -B compile exec:java "-Drecords.target=$scratch" \
        "-Dexec.args=make $scratch/records.json" >/dev/null) ||
        echo "no Maven packages: the parts that use Bouncy Castle will be skipped" >&2
    rm -rf "$scratch"
fi
# Other people's validator of PDF/A and PDF/UA.
jars=$HOME/.cache/tbsi/verapdf
sums=$PWD/tests/outside/verapdf/jars.sha256
if command -v mvn >/dev/null && ! (cd "$jars" 2>/dev/null && sha256sum --quiet -c "$sums" 2>/dev/null); then
    echo "fetching the jars of tests/outside/verapdf"
    { mvn -q -B -f tests/outside/verapdf/pom.xml \
        org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
        -DoutputDirectory="$jars" && (cd "$jars" && sha256sum --quiet -c "$sums"); } ||
        echo "no veraPDF: reports as PDF will not be validated with it" >&2
fi
python=$HOME/.cache/tbsi/python
pins=tests/outside/requirements.txt
if command -v python3 >/dev/null && ! cmp -s "$pins" "$python/installed.txt"; then
    echo "installing Python packages of $pins"
    # The copy is made last, so that it stands for a whole installation.
    { python3 -m venv "$python" &&
        "$python/bin/pip" install --quiet --require-hashes --only-binary :all: -r "$pins" &&
        cp "$pins" "$python/installed.txt"; } ||
        echo "no Python packages (Debian: apt-get install python3-venv): the parts that use" \
            "rfc3161-client, scitt-cose and ots will be skipped" >&2
fi
