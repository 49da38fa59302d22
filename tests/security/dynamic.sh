#!/usr/bin/env bash
# Scans the HTTP surfaces of a running network with wapiti, which nobody here wrote: JSON-RPC, log,
# time stamps, health and metrics of a node. The chain has to go on, no log may have a panic, and
# the scanner may find nothing but missing headers for browsers, which these pages are not for.
#
# usage: dynamic.sh TBSI DIR
set -euo pipefail
tbsi=$1 out=$(realpath -m "$2")
rm -rf "$out"
mkdir -p "$out"
network=$out/network
"$tbsi" testnet up --validators 4 --dir "$network" --detach > "$out/up.log"
trap '"$tbsi" testnet down --dir "$network" >/dev/null 2>&1 || true' EXIT

address() { sed -n "s|.*\"$1\": *\"\([0-9.]*:[0-9]*\)\".*|\1|p" "$network/network.json" | head -n 1; }
rpc=http://$(address rpc) health=http://$(address metrics)
height() { "$tbsi" status --rpc "$rpc" --json | sed -n 's/.*"height": *\([0-9]*\).*/\1/p' | head -n 1; }
before=$(height)

# Nothing is asked of machines elsewhere: no module that does is in the list.
modules=backup,blindsql,buster,cookieflags,crlf,csp,exec,file,htaccess,http_headers,methods,permanentxss,redirect,shellshock,sql,xss

# Scans the pages $3... of $2 as $1, and fails if fewer were found.
scan() {
    local name=$1 base=$2 starts=() found
    shift 2
    for page in "$@"; do starts+=(-s "$base$page"); done
    HOME=$out wapiti -u "$base/" "${starts[@]}" --scope domain --flush-session --no-bugreport -v 1 \
        --max-scan-time 120 --max-attack-time 30 -m "$modules" -f json -o "$out/$name.json" \
        > "$out/$name.log" 2>&1
    found=$(sed -n 's/.*Wapiti found \([0-9]*\) URLs.*/\1/p' "$out/$name.log")
    if [ "${found:-0}" -lt $# ]; then
        echo "the scanner reached ${found:-0} of $# pages of $name"
        exit 1
    fi
}
scan rpc "$rpc" / /log/checkpoint /log/key '/log/tile/0/000.p/1?x=1' '/tsa?x=1' '/add-checkpoint?x=1' \
    '/digest?x=1' '/timestamp/00?x=1'
scan health "$health" / /livez '/readyz?maxBlocksBehind=2&minPeers=1' /metrics /version

python3 "$(dirname "$0")/findings.py" "$out/rpc.json" "$out/health.json"
if grep -l 'panicked at' "$network"/*/node.log; then
    echo "a node panicked"
    exit 1
fi
# Blocks come by themselves; how long it takes does not matter.
deadline=$((SECONDS + 60))
until [ "$(height)" -gt "$before" ]; do
    [ "$SECONDS" -lt "$deadline" ] || { echo "no block since height $before"; exit 1; }
done
echo "scanned $rpc and $health: no finding, no panic, blocks go on ($before to $(height))"
