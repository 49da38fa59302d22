#!/usr/bin/env bash
# Starts a network with a story, a war room that follows it, and its page; ends with Ctrl-C.
#
# usage: warroom.sh TBSI DIR
#   TBSI  the tbsi program
#   DIR   directory for the network and the index, made anew
set -euo pipefail
cd "$(dirname "$0")/.."

if [[ $# -ne 2 ]]; then
    echo "usage: warroom.sh TBSI DIR" >&2
    exit 2
fi
tbsi=$(realpath "$1")
dir=$2
page=warroom/web
listen=${WARROOM_LISTEN:-127.0.0.1:8600}

if ! command -v npm >/dev/null; then
    echo "npm is missing; install Node.js 20.19 or newer: the page is built with it" >&2
    exit 1
fi
if [[ ! -d $page/node_modules || $page/package-lock.json -nt $page/node_modules/.package-lock.json ]]; then
    npm ci --prefix "$page" --no-audit --no-fund --loglevel=error
fi
npm run --silent --prefix "$page" build

"$tbsi" testnet up --validators 4 --observers 0 --dir "$dir" --detach --fresh
stop() {
    "$tbsi" testnet down --dir "$dir"
}
trap stop EXIT
testnet/war-story.sh "$tbsi" "$dir"
url=http://$(sed -n 's|.*"rpc": *"\([^"]*\)".*|\1|p' "$dir/network.json" | head -n 1)
cat <<END

The page, until Ctrl-C: http://$listen/
  choose this genesis file under Trust / 請於「信任」選擇創世檔: $dir/genesis.json

END
"$tbsi" warroom run --rpc "$url" --genesis "$dir/genesis.json" --data "$dir/warroom" \
    --web "$page/dist" --listen "$listen"
