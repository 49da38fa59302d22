#!/usr/bin/env bash
# Everything that CI checks, in its order. What a machine lacks is listed as skipped at the
# end; under CI=true a skip is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${TBSI_VECTORS:=$PWD/../shared/vectors}" "${TBSI_SKIP_LOG:=$PWD/skipped.txt}"
export TBSI_VECTORS TBSI_SKIP_LOG
: > "$TBSI_SKIP_LOG" 2>/dev/null || { mkdir -p "$(dirname "$TBSI_SKIP_LOG")"; : > "$TBSI_SKIP_LOG"; }

step() { printf '\n== %s\n' "$1"; }

# Contracts, Go and Java: no crate of ours, so they use what a build leaves idle.
beside() {
    set -e
    step "contracts"
    if command -v npm >/dev/null; then
        contracts/evm/test.sh
    else
        echo "contracts (install Node.js 20 with npm)" >> "$TBSI_SKIP_LOG"
    fi

    step "vectors in Go"
    for module in tests/outside sdk/go contracts/fabric; do
        if command -v go >/dev/null && (cd "$module" && GOPROXY=off go list -deps -test ./... >/dev/null); then
            unformatted=$(gofmt -l "$module")
            if [ -n "$unformatted" ]; then
                printf 'not formatted, run gofmt -w on:\n%s\n' "$unformatted"
                exit 1
            fi
            (cd "$module" && go vet ./... && go test ./...)
        else
            echo "$module (install Go 1.26, then run \`go mod download\` in it)" >> "$TBSI_SKIP_LOG"
        fi
    done

    step "proofs in Java and Corda"
    contracts/corda/test.sh
}

step "formatting"
cargo fmt --all --check

# A group of its own, so that nothing of it is left behind, whatever fails.
told=$(mktemp)
set -m
beside < /dev/null > "$told" 2>&1 &
beside=$!
set +m
trap 'kill -- "-$beside" 2>/dev/null || true; rm -f "$told"' EXIT

step "lints"
cargo clippy --locked --workspace --all-targets -- -D warnings

step "documents"
if command -v python3 >/dev/null; then
    python3 -m unittest discover --quiet --start-directory tests/book --pattern 'test_*.py'
    python3 -m unittest discover --quiet --start-directory tests/security --pattern 'test_*.py'
    python3 tests/book/check.py
    python3 tests/security/checklist.py docs/penetration.md
else
    echo "documents (install Python 3.11)" >> "$TBSI_SKIP_LOG"
fi

step "build"
cargo build --locked --workspace --all-targets
ended=0
wait "$beside" || ended=$?
cat "$told"
[ "$ended" = 0 ] || exit "$ended"

step "tests"
skips=()
if [ ! -d "$TBSI_VECTORS" ]; then
    echo "third-party test vectors (set TBSI_VECTORS to their folder)" >> "$TBSI_SKIP_LOG"
    for name in shapes:: passes_the_vectors passes_ethereums_state_tests \
        passes_the_trie_tests passes_the_plain_trie_tests; do
        skips+=(--skip "$name")
    done
fi
cargo test --locked --workspace -- "${skips[@]}"

# No registry has Fabric's programs, so this is told and is no failure anywhere.
if [ -z "${TBSI_FABRIC_BIN:-}" ]; then
    printf '\nskipped: no Fabric programs in TBSI_FABRIC_BIN\n'
fi
if [ -s "$TBSI_SKIP_LOG" ]; then
    printf '\nskipped:\n'
    sed 's/^/  /' "$TBSI_SKIP_LOG"
    if [ "${CI:-}" = true ]; then
        echo "under CI=true a skip is a failure"
        exit 1
    fi
fi
printf '\nall tests passed\n'
