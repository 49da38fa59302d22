#!/usr/bin/env bash
# Everything that CI checks, in its order. What a machine lacks is listed as skipped at the
# end; under CI=true a skip is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."
: > "$TBSI_SKIP_LOG" 2>/dev/null || { mkdir -p "$(dirname "$TBSI_SKIP_LOG")"; : > "$TBSI_SKIP_LOG"; }

step() { printf '\n== %s\n' "$1"; }

step "formatting"
cargo fmt --all --check

step "lints"
cargo clippy --locked --workspace --all-targets -- -D warnings

step "build"
cargo build --locked --workspace --all-targets

step "tests"
cargo test --locked --workspace

if [ -s "$TBSI_SKIP_LOG" ]; then
    printf '\nskipped:\n'
    sed 's/^/  /' "$TBSI_SKIP_LOG"
    if [ "${CI:-}" = true ]; then
        echo "under CI=true a skip is a failure"
        exit 1
    fi
fi
printf '\nall tests passed\n'
