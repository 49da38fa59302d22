#!/usr/bin/env bash
# Everything that is checked of the contracts: formatting, lints, tests, gas snapshot, vectors,
# artifact, static analysis. `LONG=1 ./test.sh` runs 100,000 cases a fuzz test instead of 256, or
# 10,000 where a test says so, and searches 100,000 sequences for a coalition that gains something.
set -euo pipefail
cd "$(dirname "$0")"
[ "${LONG:-}" = 1 ] && export FOUNDRY_PROFILE=long
# Settings that a user has made for forge are not meant for these tests.
for name in "${!FOUNDRY_@}" "${!DAPP_@}"; do
    [ "$name" = FOUNDRY_PROFILE ] && [ "${LONG:-}" = 1 ] || unset "$name"
done

step() { printf '\n== contracts: %s\n' "$1"; }
forge() { node tools/forge.mjs "$@"; }

if ! command -v npm >/dev/null; then
    echo "npm is missing; install Node.js 20 or newer" >&2
    exit 1
fi
if [ ! -d node_modules ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    step "npm packages"
    npm ci --no-audit --no-fund --loglevel=error
fi

step "formatting"
forge fmt --check

step "build and lints"
forge build

step "tests and gas snapshot"
forge test

if [ "${LONG:-}" = 1 ]; then
    step "coalitions: 100,000 sequences"
    node tools/coalitions.mjs
fi

step "vectors"
node tools/vectors.mjs
node tools/identifiers.mjs
node tools/governance.mjs

step "artifact"
node tools/artifact.mjs

step "bridge: vectors and artifacts"
node tools/bridge-vectors.mjs
node tools/bridge.mjs

step "storage layouts"
node tools/layouts.mjs
node tools/next.mjs

step "bridge: static analysis"
./slither.sh
