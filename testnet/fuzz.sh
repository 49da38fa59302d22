#!/usr/bin/env bash
# Fuzzes every decoder that a stranger reaches with libFuzzer, for TIME seconds each (60 unless
# said), beginning with the seeds of tests/fuzz and what earlier runs found. Ends with 1 if one
# broke a promise, and says where the input is: pin it in tests/fuzz/findings/TARGET/.
#
# usage: [TIME=60] fuzz.sh [TARGET...]     all of them by default
set -euo pipefail
cd "$(dirname "$0")/.."
: "${TIME:=60}" "${CARGO_TARGET_DIR:=$HOME/.cache/tbsi/target}"
export CARGO_TARGET_DIR
corpus=${TBSI_FUZZ_CORPUS:-$HOME/.cache/tbsi/fuzz}
found=$corpus/found
mkdir -p "$corpus" "$found"

# The wrapper is a part of the name of what is built: ordinary builds stay as they are, and only
# the crates of this workspace are built again, with counters for libFuzzer.
RUSTC_WORKSPACE_WRAPPER=$PWD/testnet/instrumented.sh \
    cargo build --locked --workspace --features tbsi-fuzz/libfuzzer --bin fuzz
cargo build --locked --workspace --bin fuzz-seeds
fuzz=$CARGO_TARGET_DIR/debug/fuzz
mapfile -t known < <("$CARGO_TARGET_DIR/debug/fuzz-seeds" "$corpus")

targets=("$@")
[ $# -gt 0 ] || targets=("${known[@]}")
failed=0
ledger=()
for target in "${targets[@]}"; do
    if ! printf '%s\n' "${known[@]}" | grep -qx -- "$target"; then
        echo "fuzz.sh: no target is called $target; there are ${known[*]}" >&2
        exit 2
    fi
    log=$found/$target.log
    outcome=kept
    # A megabyte of input needs no more than 256 MiB, whatever it says; none takes a second.
    TBSI_FUZZ_TARGET=$target "$fuzz" "$corpus/$target" -max_total_time="$TIME" -timeout=5 \
        -malloc_limit_mb=256 -rss_limit_mb=1024 -artifact_prefix="$found/$target-" \
        -print_final_stats=1 -verbosity=1 >"$log" 2>&1 || outcome=FAILED
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    edges=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
    line="$outcome  $target: ${executions:-0} executions, ${edges:-0} edges"
    if [ "$outcome" = FAILED ]; then
        failed=1
        grep -hE 'panicked|ERROR:|Test unit written|^accepted|^assertion' "$log" || tail -n 20 "$log"
        line+=", see $log"
    fi
    echo "ledger: $line"
    ledger+=("$line")
done
exit "$failed"
