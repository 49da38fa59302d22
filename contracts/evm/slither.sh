#!/usr/bin/env bash
# Static analysis of src/ with slither; fails on a finding of medium or high impact. Without
# python3 or PyPI it is listed as skipped. What is suppressed, is suppressed in the source beside
# its reason, but for two detectors:
# - incorrect-equality is about balances that strangers can change; here it takes every comparison
#   of an enum, a number or a hash for one;
# - uninitialized-local takes a struct in memory, which is all zero, for one.
set -euo pipefail
cd "$(dirname "$0")"
versions="$(sha256sum tools/slither.txt | cut -c1-12)"
venv="${HOME}/.cache/tbsi/slither-$versions"

skip() {
    echo "slither on the contracts ($1)" | tee -a "${TBSI_SKIP_LOG:-/dev/null}"
    exit 0
}

if [ ! -f "$venv/done" ]; then
    command -v python3 >/dev/null || skip "install Python 3.10 or newer"
    rm -rf "$venv"
    python3 -m venv "$venv" || skip "install python3-venv"
    "$venv/bin/pip" install --quiet --no-deps --disable-pip-version-check -r tools/slither.txt ||
        skip "no packages from PyPI"
    touch "$venv/done"
fi

forge="$(dirname "$(node -p 'require.resolve(`@foundry-rs/forge-${process.platform}-${process.arch === "x64" ? "amd64" : process.arch}/bin/forge`)')")"
export PATH="$forge:$venv/bin:$PATH"
node tools/forge.mjs build --build-info --skip test --force --out cache/slither/out \
    --cache-path cache/slither/cache >/dev/null
slither . --ignore-compile --compile-force-framework foundry \
    --foundry-out-directory cache/slither/out --filter-paths "node_modules|(^|/)test/" \
    --exclude incorrect-equality,uninitialized-local \
    --exclude-informational --exclude-low --exclude-optimization --fail-medium
