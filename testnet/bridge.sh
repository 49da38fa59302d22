#!/usr/bin/env bash
# Carries an attestation of a running network to a contract on another chain: an anvil with
# Ethereum's newest rules or, without npm, a second network. `make run` ends with this.
#
# usage: bridge.sh TBSI DIR FILE
#   TBSI  the tbsi program
#   DIR   directory of a running network, made by `tbsi testnet up --dir DIR`
#   FILE  a proof that `tbsi attest` wrote on that network
set -euo pipefail

if [[ $# -ne 3 ]]; then
    echo "usage: bridge.sh TBSI DIR FILE" >&2
    exit 2
fi
tbsi=$(realpath "$1")
dir=$(realpath "$2")
proof=$(realpath "$3")
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
clients=$root/tests/clients
work=$(mktemp -d)
anvil_pid=
free=false
fees=()
finish() {
    if [[ -n $anvil_pid ]]; then kill "$anvil_pid" 2>/dev/null || true; fi
    if [[ -f $work/target/network.json ]]; then "$tbsi" testnet down --dir "$work/target" >/dev/null || true; fi
    rm -rf "$work"
}
trap finish EXIT
cd "$work"
unset "${!ETH_@}" "${!CAST_@}"

fail() {
    echo "bridge: $1" >&2
    exit 1
}

header() {
    printf '\n== %s\n   %s\n' "$1" "$2"
}

# Prints a command as one would type it; the next line of this script runs it.
show() {
    printf '$ %s\n' "$1"
}

# The string value of key $1 in the JSON object $2.
field() {
    sed -n "s|.*\"$1\": *\"\([^\"]*\)\".*|\1|p" <<<"$2" | head -n 1
}

source=$(sed -n 's|.*"rpc": *"\([^"]*\)".*|http://\1|p' "$dir/network.json" | head -n 1)
# Pays for the deployment, and has no rights by it.
deployer=$dir/development-key-1

start_anvil() {
    local port tries=100
    port=$(node -e 's = require("net").createServer().listen(0, "127.0.0.1", () => {
        console.log(s.address().port); s.close() })')
    target=http://127.0.0.1:$port
    header "Another chain: anvil with Osaka rules, and its gas cap on." \
        "另一條鏈：以 Osaka 規則執行的 anvil。"
    show "anvil --port $port --hardfork osaka --enable-tx-gas-limit --block-time 1"
    "$anvil" --host 127.0.0.1 --port "$port" --hardfork osaka --enable-tx-gas-limit \
        --block-time 1 --slots-in-an-epoch 1 --accounts 0 --silent >/dev/null &
    anvil_pid=$!
    until "$cast" chain-id --rpc-url "$target" >/dev/null 2>&1; do
        tries=$((tries - 1))
        ((tries > 0)) || fail "anvil does not answer at $target"
        sleep 0.1
    done
}

fund() {
    "$cast" rpc --rpc-url "$target" anvil_setBalance "$1" 0x56bc75e2d63100000 >/dev/null
}

# Without npm the other chain is a second network of this kind, where nothing costs anything.
start_network() {
    header "anvil and cast are missing (npm ci --prefix tests/clients): another TBSI network takes their place." \
        "未安裝 anvil 與 cast，改以另一個 TBSI 網路作為目標鏈。"
    show "tbsi testnet up --validators 1 --dir target --detach"
    "$tbsi" testnet up --validators 1 --dir target --detach >/dev/null 2>&1
    target=$(sed -n 's|.*"rpc": *"\([^"]*\)".*|http://\1|p' target/network.json | head -n 1)
    free=true
    fees=(--free)
}

deploy() {
    header "Deploy a light client of this network. It has no owner, and trusts the validators' quorum alone." \
        "部署輕客戶端合約：沒有擁有者，只信任超過三分之二的驗證者簽章。"
    if ! $free; then
        # The address of a development key, as the network knows it.
        fund "$("$cast" wallet address --private-key "0x$(cat "$deployer")")"
    fi
    show "tbsi relay contract --genesis $dir/genesis.json --rpc $source --deploy-to $target --key ..."
    contract=$("$tbsi" relay contract --genesis "$dir/genesis.json" --rpc "$source" \
        --deploy-to "$target" --key "$deployer")
    echo "light client $contract"
}

relay() {
    local names index made account
    header "A relayer, under the legal name of who answers for it." "設定中繼者，並寫明負責的法人名稱。"
    names=$(tr -d '\n' <"$dir/genesis.json")
    names=$(sed -E 's/.*"organisations": *\{ *"[^"]*": *\{([^}]*)\}.*/\1/' <<<"$names")
    made=$("$tbsi" relay init --home relayer --genesis "$dir/genesis.json" --source "$source" \
        --target "$target" --chain-id "$chain_id" --light-client "$contract" --json \
        "${fees[@]}" \
        --name-en "$(field name_en "$names")" --name-zh-tw "$(field name_zh_tw "$names")")
    account=$(field account "$made")
    show "tbsi relay init --home relayer --light-client $contract ..."
    echo "account $account"
    if ! $free; then fund "$account"; fi
    index=$(sed -n 's/.*"leafIndex": *\([0-9]*\).*/\1/p' "$proof")
    show "tbsi relay send --home relayer --index $index"
    "$tbsi" relay send --home relayer --index "$index"
    show "tbsi relay clear --home relayer"
    "$tbsi" relay clear --home relayer 2>log || fail "$(cat log)"
    "$tbsi" relay status --home relayer

    if ! $free; then
        header "The contract on the other chain says that the file's attestation was proven to it." \
            "另一條鏈上的合約：這份檔案的存證已經過證明。"
        show "cast call $contract 'isRecorded(uint64)(bool)' $index"
        [[ $("$cast" call --rpc-url "$target" "$contract" 'isRecorded(uint64)(bool)' "$index") == true ]] ||
            fail "leaf $index is not recorded"
        echo true
    fi

    header "The relayer's record, derived again from both chains." \
        "中繼者的稽核紀錄，由兩條鏈重新推導並比對。"
    show "grep final relayer/journal.jsonl"
    grep '"state":"final"' relayer/journal.jsonl | tail -n 1 | cut -c66-
    show "tbsi relay audit --home relayer"
    "$tbsi" relay audit --home relayer
}

if command -v node >/dev/null &&
    anvil=$(node "$clients/foundry.mjs" anvil 2>/dev/null) &&
    cast=$(node "$clients/foundry.mjs" cast 2>/dev/null); then
    chain_id=31337
    start_anvil
else
    chain_id=$(sed -n 's/.*"chain_id": *\([0-9]*\).*/\1/p' "$dir/genesis.json" | head -n 1)
    start_network
fi
deploy
relay
