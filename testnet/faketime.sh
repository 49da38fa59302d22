#!/usr/bin/env bash
# Runs a network of four validators under libfaketime, an hour ahead, and looks whether its blocks
# are. jemalloc asks for the time under its lock, inside which that library looks up symbols and so
# allocates: the program must be built without it (docs/faults.md).
#
# usage: [FAKETIME_LIBRARY=FILE] faketime.sh TBSI
set -euo pipefail
tbsi=${1:?usage: faketime.sh TBSI}
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
end() {
    timeout "$patience_s" "$tbsi" testnet down --dir "$dir/network" >/dev/null || true
    rm -rf "$dir"
}
trap end EXIT

# One that hangs is ended.
timeout "$patience_s" env "LD_PRELOAD=$preload" "FAKETIME=+${ahead_s}s" DONT_FAKE_MONOTONIC=1 \
    "$tbsi" testnet up --validators 4 --dir "$dir/network" --detach >"$dir/said" || { cat "$dir/said" >&2; echo "the network did not start" >&2; exit 1; }
rpc=$(sed -n 's/.*ETH_RPC_URL=\([^ ]*\).*/\1/p' "$dir/said" | head -n 1)
asked='{"jsonrpc":"2.0","id":1,"method":"eth_getBlockByNumber","params":["latest",false]}'
answer=$(curl -sS -m "$patience_s" -H 'content-type: application/json' -d "$asked" "$rpc")
seconds=$(printf '%s' "$answer" | sed -n 's/.*"timestamp":"\(0x[0-9a-f]*\)".*/\1/p')
[ -n "$seconds" ] || { echo "no block: $answer" >&2; exit 1; }
ahead=$((seconds - $(date +%s)))
echo "blocks are $ahead s ahead of this machine's clock, under libfaketime with +$ahead_s s"
[ "$ahead" -gt $((ahead_s - patience_s)) ] && [ "$ahead" -le $((ahead_s + 5)) ]
