#!/usr/bin/env bash
# What goes wrong with networks, disks, clocks and people, injected into real processes; prints
# the table of all 46 rows of the fault matrix (docs/faults.md). Ends with 1 if a promise broke.
#
# usage: [KILLS=50] [SOAK_S=120] [SEED=1] faults.sh [--json FILE] [F1 F17 ...]
set -euo pipefail
cd "$(dirname "$0")/.."
: "${CARGO_TARGET_DIR:=$HOME/.cache/tbsi/target}"
export CARGO_TARGET_DIR
cargo build --locked --workspace --bin tbsi --bin faults
exec "$CARGO_TARGET_DIR/debug/faults" --kills "${KILLS:-50}" --soak-s "${SOAK_S:-120}" \
    --seed "${SEED:-1}" "$@"
