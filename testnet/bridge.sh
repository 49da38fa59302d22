#!/usr/bin/env bash
# Carries an attestation and a message of a running network to contracts on another chain: an
# anvil with Ethereum's newest rules or, without npm, a second TBSI network (and then no message:
# nothing is there to send it with). `make run` ends with this.
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
# Messages leave here (SPEC §14.5).
outbox=0x0000000000000000000000000000000000001006
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
    show "tbsi testnet up --validators 1 --chain-id $chain_id --dir target --detach"
    "$tbsi" testnet up --validators 1 --chain-id "$chain_id" --dir target --detach >/dev/null 2>&1
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
    show "tbsi relay inbox --light-client $contract --deploy-to $target --key ..."
    inbox=$("$tbsi" relay inbox --light-client "$contract" --deploy-to "$target" \
        --key "$deployer")
    echo "inbox $inbox"
}

# Sends a message from the network to a contract on the other chain, which counts its calls.
send_message() {
    local key destination
    header "Send a message to a contract on the other chain: its hash goes into the log, the relayer gets its bytes." \
        "送訊息給另一條鏈上的合約：雜湊寫入日誌，內容交給中繼者。"
    key=$("$cast" wallet new --json)
    key=$(field private_key "$key")
    # PUSH8 of the receiver's code (slot 0 += 1), which is then returned as the code.
    receiver=$("$cast" send --json --rpc-url "$target" --private-key "0x$(cat "$deployer")" \
        --create 0x675f546001015f55005f5260086018f3)
    receiver=$(field contractAddress "$receiver")
    destination=$("$cast" keccak "eip155:$chain_id")
    printf 'hello' >message
    show "cast send --rpc-url $source $outbox 'send(bytes32,bytes32,uint64,bytes32)' $destination $receiver ..."
    "$cast" send --rpc-url "$source" --private-key "$key" "$outbox" \
        'send(bytes32,bytes32,uint64,bytes32)' "$destination" \
        "$("$cast" to-uint256 "$receiver")" 4000000000 "0x$(sha256sum message | cut -d' ' -f1)" >/dev/null
    show "tbsi relay payload --home relayer message"
    "$tbsi" relay payload --home relayer message
}

# What contract $1 on the other chain answers to call data $2, in hex.
ask() {
    curl --fail --silent --show-error -H 'content-type: application/json' "$target" --data \
        '{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{"to":"'"$1"'","data":"'"$2"'"},"latest"]}' |
        sed -n 's/.*"result": *"0x\([0-9a-f]*\)".*/\1/p'
}

relay() {
    local names index made account
    header "A relayer, under the legal name of who answers for it." "設定中繼者，並寫明負責的法人名稱。"
    names=$(tr -d '\n' <"$dir/genesis.json")
    names=$(sed -E 's/.*"organisations": *\{ *"[^"]*": *\{([^}]*)\}.*/\1/' <<<"$names")
    made=$("$tbsi" relay init --home relayer --genesis "$dir/genesis.json" --source "$source" \
        --target "$target" --chain-id "$chain_id" --light-client "$contract" --inbox "$inbox" --json \
        "${fees[@]}" \
        --name-en "$(field name_en "$names")" --name-zh-tw "$(field name_zh_tw "$names")")
    account=$(field account "$made")
    show "tbsi relay init --home relayer --light-client $contract --inbox $inbox ..."
    echo "account $account"
    if ! $free; then fund "$account"; fi
    index=$(sed -n 's/.*"leafIndex": *\([0-9]*\).*/\1/p' "$proof")
    show "tbsi relay send --home relayer --index $index"
    "$tbsi" relay send --home relayer --index "$index"
    if ! $free; then send_message; fi
    show "tbsi relay clear --home relayer"
    "$tbsi" relay clear --home relayer 2>log || fail "$(cat log)"
    "$tbsi" relay status --home relayer

    header "The contract on the other chain says that the file's attestation was proven to it." \
        "另一條鏈上的合約：這份檔案的存證已經過證明。"
    show "eth_call $contract isRecorded($index)"
    # The selector of isRecorded(uint64).
    [[ $(ask "$contract" "$(printf '0x2582d807%064x' "$index")") == *1 ]] ||
        fail "leaf $index is not recorded"
    echo true
    if ! $free; then
        header "The receiver got its message, once." "收件合約收到訊息，而且只有一次。"
        show "cast storage $receiver 0"
        [[ $(($("$cast" storage --rpc-url "$target" "$receiver" 0))) == 1 ]] ||
            fail "the message was not delivered once"
        echo 1
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
    # Another network has another id: transactions of one are no transactions of the other.
    chain_id=$(sed -n 's/.*"chain_id": *\([0-9]*\).*/\1/p' "$dir/genesis.json" | head -n 1)
    chain_id=$((chain_id + 1))
    start_network
fi
deploy
relay
