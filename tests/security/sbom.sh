#!/usr/bin/env bash
# Bills of materials in CycloneDX: what is in each part, with versions, hashes and licences. They
# are validated with a validator that nobody here wrote. What the machine lacks is told as skipped.
#
# usage: sbom.sh [DIR]     ~/.cache/tbsi/sbom unless said
set -euo pipefail
cd "$(dirname "$0")/../.."
here=tests/security
out=$(realpath -m "${1:-$HOME/.cache/tbsi/sbom}")
# shellcheck source=tests/security/tools.sh
. "$here/tools.sh"
gomod=github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
mkdir -p "$out"
rm -f "$out"/*.cdx.json
skipped=()
skip() { skipped+=("$1"); }

command -v python3 >/dev/null || { echo "python3 is missing; install it with: sudo apt-get install python3 python3-venv" >&2; exit 1; }
python3 "$here/sbom.py" solidity "$out/solidity.cdx.json"
if command -v cargo >/dev/null; then
    python3 "$here/sbom.py" rust "$out/rust.cdx.json"
else
    skip "Rust (install the version of rust-toolchain.toml)"
fi

# What ships, not what only tests use.
for part in sdk/typescript contracts/evm; do
    if command -v npm >/dev/null; then
        (cd "$part" && npm sbom --package-lock-only --sbom-format cyclonedx --sbom-type library) \
            > "$out/npm-${part//\//-}.cdx.json"
    else
        skip "npm, $part (install Node.js 20 with npm)"
    fi
done
for part in sdk/go contracts/fabric; do
    # The tool's own modules are not the part's: it runs from outside of it.
    if command -v go >/dev/null &&
        (cd / && go run "$gomod" mod -json -noserial -std "$OLDPWD/$part") \
            > "$out/go-${part//\//-}.cdx.json" 2> "$out/go.log"; then
        :
    else
        rm -f "$out/go-${part//\//-}.cdx.json"
        skip "Go, $part (install Go 1.26; modules have to be reachable: see $out/go.log)"
    fi
done

if ! python_tools; then
    skip "Python, and validation of all (install python3-venv; PyPI has to be reachable)"
    printf 'skipped  %s\n' "${skipped[@]}"
    echo "bills of materials are in $out, NOT validated"
    exit 1
fi
"$venv/bin/cyclonedx-py" requirements --output-reproducible --of JSON \
    --pyproject sdk/python/pyproject.toml \
    -o "$out/python-sdk.cdx.json" sdk/python/requirements.txt
"$venv/bin/python" "$here/validate.py" "$out"/*.cdx.json
for line in "${skipped[@]}"; do echo "skipped  $line"; done
echo "bills of materials are in $out"
