#!/usr/bin/env bash
# A RUSTC_WORKSPACE_WRAPPER: the compiler with the counters and comparisons that libFuzzer reads.
# Build scripts run without libFuzzer, whose functions these call.
set -euo pipefail
name=
previous=
for argument in "$@"; do
    [ "$previous" != --crate-name ] || name=$argument
    previous=$argument
done
case $name in
build_script_* | ___) exec "$@" ;;
esac
exec "$@" -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares
