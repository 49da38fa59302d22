#!/usr/bin/env bash
# Runs four validators under libfaketime, an hour ahead, and looks whether their blocks are.
# jemalloc asks for the time under its lock, inside which that library looks up symbols and so
# allocates: NODE must be a program without it (docs/faults.md). TBSI makes the network.
#
# usage: [FAKETIME_LIBRARY=FILE] faketime.sh TBSI NODE
set -euo pipefail
tbsi=${1:?usage: faketime.sh TBSI NODE} node=${2:?usage: faketime.sh TBSI NODE}
tools=${CARGO_TARGET_DIR:-$HOME/.cache/tbsi/target}/faketime
ahead_s=3600
patience_s=120

library() {
    local found=${FAKETIME_LIBRARY:-}
    [ -n "$found" ] || found=$(compgen -G "/usr/lib/*/faketime/libfaketimeMT.so.1" || true)
    [ -n "$found" ] || found=$(compgen -G "$tools/usr/lib/*/faketime/libfaketimeMT.so.1" || true)
    printf '%s' "${found%%$'\n'*}"
}

# The package is unpacked and not installed.
if [ -z "$(library)" ] && command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null; then
    mkdir -p "$tools"
    (cd "$tools" && apt-get download -qq libfaketime >/dev/null 2>&1 &&
        dpkg-deb -x libfaketime_*.deb . && rm -f libfaketime_*.deb) || true
fi
preload=$(library)
if [ -z "$preload" ]; then
    echo "no libfaketime: install it (Debian: libfaketime), or name its library in" \
        "FAKETIME_LIBRARY" >&2
    exit 1
fi

dir=$(mktemp -d)
pids=()
end() {
    [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
    wait || true
    rm -rf "$dir"
}
trap end EXIT

"$tbsi" testnet up --validators 4 --dir "$dir/network" --detach >"$dir/said"
"$tbsi" testnet down --dir "$dir/network" >/dev/null
rpc=$(sed -n 's/.*ETH_RPC_URL=\([^ ]*\).*/\1/p' "$dir/said" | head -n 1)
for home in "$dir"/network/validator-*; do
    LD_PRELOAD=$preload FAKETIME=+${ahead_s}s DONT_FAKE_MONOTONIC=1 \
        "$node" node run --home "$home" >"$dir/${home##*/}.log" 2>&1 &
    pids+=($!)
done

asked='{"jsonrpc":"2.0","id":1,"method":"eth_getBlockByNumber","params":["latest",false]}'
ahead=0
for ((second = 0; second < patience_s; second++)); do
    answer=$(curl -s -m 5 -H 'content-type: application/json' -d "$asked" "$rpc" || true)
    seconds=$(printf '%s' "$answer" | sed -n 's/.*"timestamp":"\(0x[0-9a-f]*\)".*/\1/p')
    [ -z "$seconds" ] || ahead=$((seconds - $(date +%s)))
    # The first answers are blocks that were made before.
    [ "$ahead" -lt $((ahead_s / 2)) ] || break
    sleep 1
done
echo "blocks are $ahead s ahead of this machine's clock, under libfaketime with +$ahead_s s"
if [ "$ahead" -lt $((ahead_s - 60)) ] || [ "$ahead" -gt $((ahead_s + 5)) ]; then
    tail -n 3 "$dir"/validator-*.log >&2
    exit 1
fi
