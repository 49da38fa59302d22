#!/usr/bin/env bash
# What takes too long for every change: kills and reorganisations many times over, large backlogs,
# many fuzz runs. Prints a ledger of what was done and what came of it. `make test-long` runs it.
#
# usage: long.sh [deaths] [drill] [relay] [warroom] [contracts] [fuzz] [faults]     all of them by default
set -euo pipefail
cd "$(dirname "$0")/.."
: "${TBSI_VECTORS:=$PWD/../shared/vectors}"
export TBSI_VECTORS LONG=1
logs=$(mktemp -d)
ledger=()
failed=0

# Runs a part with its output on the terminal and in a log; $1 is its name.
part() {
    local name=$1 started=$SECONDS outcome=kept
    shift
    printf '\n== %s\n' "$name"
    "$@" 2>&1 | tee "$logs/$name" || outcome=FAILED
    [[ $outcome == kept ]] || failed=1
    ledger+=("$outcome  $name, $((SECONDS - started)) s")
}

# Adds what a part said of itself.
said() {
    local line
    while read -r line; do ledger+=("        $line"); done < <(
        { grep -h "$2" "$logs/$1" || true; } | sed 's/^.*ledger: //'
    )
}

test_of() { cargo test --locked --workspace --test "$@" -- --nocapture --test-threads=1; }

for names in "${@:-deaths drill relay warroom contracts fuzz faults}"; do
    for name in $names; do
        case $name in
        deaths)
            TBSI_DEATHS=${TBSI_DEATHS:-50} part deaths test_of deaths
            ;;
        drill)
            part drill test_of drill
            ;;
        relay)
            part relay test_of relay
            said relay 'ledger: '
            ;;
        warroom)
            part warroom test_of warroom
            ;;
        contracts)
            if command -v npm >/dev/null; then
                part contracts contracts/evm/test.sh
                runs=$(grep -c '(runs: 100000,' "$logs/contracts" || true)
                ledger+=("        $runs properties of contracts, 100000 cases each, with forge")
                said contracts 'ledger: '
            else
                ledger+=("skipped contracts: install Node.js 20 with npm")
            fi
            ;;
        fuzz)
            part fuzz testnet/fuzz.sh
            said fuzz 'ledger: '
            ;;
        faults)
            part faults testnet/faults.sh
            said faults 'ledger: '
            ;;
        *)
            echo "long.sh: no part is called $name; there are deaths, drill, relay, contracts, fuzz," \
                "faults" >&2
            exit 2
            ;;
        esac
    done
done

printf '\nledger\n'
printf '  %s\n' "${ledger[@]}"
rm -rf "$logs"
exit "$failed"
