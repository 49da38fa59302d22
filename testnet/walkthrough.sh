#!/usr/bin/env bash
# Walks through a running network: writes to it with a stock client and a key without funds,
# verifies offline what its validators signed, attests a file and verifies its proof, and has
# openssl verify a time stamp of the same file. `make run` ends with this.
#
# usage: walkthrough.sh TBSI DIR
#   TBSI  the tbsi program
#   DIR   directory of a running network, made by `tbsi testnet up --dir DIR`
set -euo pipefail

if [[ $# -ne 2 ]]; then
    echo "usage: walkthrough.sh TBSI DIR" >&2
    exit 2
fi
tbsi=$(realpath "$1")
dir=$(realpath "$2")
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
clients=$root/tests/clients
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
# Settings that a user has made for cast are not meant for this network.
unset "${!ETH_@}" "${!CAST_@}"

fail() {
    echo "walkthrough: $1" >&2
    exit 1
}

header() {
    printf '\n== %s\n   %s\n' "$1" "$2"
}

# Prints a command as one would type it; the next line of this script runs it.
show() {
    printf '$ %s\n' "$1"
}

rpc_urls() {
    sed -n 's|.*"rpc": *"\([^"]*\)".*|http://\1|p' "$dir/network.json"
}

# The string value of key $1 in the JSON object $2.
field() {
    sed -n "s|.*\"$1\": *\"\([^\"]*\)\".*|\1|p" <<<"$2"
}

[[ -f $dir/network.json ]] || fail "$dir holds no network; \`tbsi testnet up --dir $dir\` makes one"
mapfile -t urls < <(rpc_urls)
first=${urls[0]}
# The first node makes time stamps; whoever verifies them trusts this certificate.
root_certificate=$(compgen -G "$dir/*/tsa/root.pem" | head -n 1)
# The node that shares least with the first: the last one, an observer if there is one.
other=${urls[-1]}

write_with_cast() {
    local key address code receipt contract read_back
    header "A fresh key. It has no funds, and needs none." \
        "產生一把全新的金鑰：沒有餘額，也不需要餘額。"
    show "export ETH_RPC_URL=$first"
    export ETH_RPC_URL=$first
    show "cast wallet new"
    key=$("$cast" wallet new --json)
    address=$(field address "$key")
    key=$(field private_key "$key")
    echo "address $address"
    show "cast balance $address"
    "$cast" balance "$address"

    header "Deploy a contract (tests/clients/Notebook.sol), with no fee options." \
        "部署合約，不需任何手續費參數。"
    code=$(node "$clients/notebook.mjs")
    show "cast send --private-key \$KEY --create \$(node tests/clients/notebook.mjs)"
    receipt=$("$cast" send --json --private-key "$key" --create "$code")
    contract=$(field contractAddress "$receipt")
    summary "$receipt"
    echo "contract $contract"

    header "Write 42 and read it back." "寫入 42，再讀出來。"
    show "cast send --private-key \$KEY $contract 'put(uint256)' 42"
    receipt=$("$cast" send --json --private-key "$key" "$contract" 'put(uint256)' 42)
    summary "$receipt"
    show "cast call $contract 'get()(uint256)'"
    read_back=$("$cast" call "$contract" 'get()(uint256)')
    echo "$read_back"
    [[ $read_back == 42 ]] || fail "42 was written, but $read_back was read"
    height=$(($(field blockNumber "$receipt")))
}

summary() {
    [[ $(field status "$1") == 0x1 ]] || fail "the transaction failed: $1"
    printf 'final in block %d, status %s, effective gas price %d\n' \
        "$(field blockNumber "$1")" "$(field status "$1")" "$(field effectiveGasPrice "$1")"
}

look_without_cast() {
    header "Node.js or the npm packages of tests/clients are missing: no transaction is sent." \
        "未安裝 Node.js 或 tests/clients 的 npm 套件，略過送出交易。"
    echo "To see that part: install Node.js 20 or later, then \`npm ci --prefix tests/clients\`."
    show "tbsi status --rpc $first"
    "$tbsi" status --rpc "$first"
    height=1
}

verify_offline() {
    local file=checkpoint-$height.json
    header "Fetch what the validators signed at height $height from another node." \
        "向另一個節點取得高度 $height 的檢查點與提交憑證。"
    show "tbsi checkpoint get --rpc $other --height $height --out $file"
    # The other node may hear of the block a moment later than the first.
    local tries=40
    until "$tbsi" checkpoint get --rpc "$other" --height "$height" --out "$file" 2>error; do
        tries=$((tries - 1))
        ((tries > 0)) || fail "$(cat error)"
        sleep 0.25
    done

    header "Verify it offline: nothing but this file and the genesis file is needed." \
        "離線驗證：只需要這個檔案與創世檔，不連任何網路。"
    show "tbsi checkpoint verify --file $file --genesis $dir/genesis.json"
    "$tbsi" checkpoint verify --file "$file" --genesis "$dir/genesis.json"

    header "Change one digit of a copy: it is refused." "把副本改掉一個數字：驗證失敗。"
    sed -e '0,/"encoded"/ {' \
        -e 's/\("encoded": "0x.*\)[0-7]"/\18"/; t' \
        -e 's/\("encoded": "0x.*\)[89a-f]"/\10"/' \
        -e '}' "$file" >changed.json
    show "tbsi checkpoint verify --file changed.json --genesis $dir/genesis.json"
    local code=0
    "$tbsi" checkpoint verify --file changed.json --genesis "$dir/genesis.json" || code=$?
    [[ $code == 1 ]] || fail "a changed checkpoint gave exit code $code instead of 1"
}

attest_a_file() {
    local file=LICENSE code=0
    cp "$root/$file" .
    header "Attest a file: its digest is sent, the file stays here." \
        "替檔案存證：只送出摘要，檔案留在本機。"
    show "tbsi attest $file --key $dir/development-key-1 --rpc $first --genesis $dir/genesis.json"
    "$tbsi" attest "$file" --key "$dir/development-key-1" --rpc "$first" \
        --genesis "$dir/genesis.json"

    header "Verify its proof offline: when, by whom, and which associations vouch for it." \
        "離線驗證證明：何時、由誰簽發、哪些公會背書。"
    show "tbsi verify $file.tbsi.json --genesis $dir/genesis.json"
    "$tbsi" verify "$file.tbsi.json" --genesis "$dir/genesis.json"

    header "Change one byte of a copy: it is not the file that was attested." \
        "把副本改掉一個位元組：不是存證的那個檔案。"
    { printf X && tail -c +2 "$file"; } >changed
    [[ $(cmp -l "$file" changed | wc -l) == 1 ]] || fail "the copy was to differ in one byte"
    show "tbsi verify $file.tbsi.json --file changed --genesis $dir/genesis.json --lang zh-TW"
    "$tbsi" verify "$file.tbsi.json" --file changed --genesis "$dir/genesis.json" \
        --lang zh-TW || code=$?
    [[ $code == 1 ]] || fail "a changed file gave exit code $code instead of 1"
}

stamp_a_file() {
    local file=LICENSE serial code=0
    header "Ask for a time stamp of the same file, as any RFC 3161 software does." \
        "以任何支援 RFC 3161 的軟體，為同一個檔案索取時戳。"
    show "openssl ts -query -data $file -sha256 -cert -out query.tsq"
    openssl ts -query -data "$file" -sha256 -cert -out query.tsq 2>/dev/null
    show "curl -H 'content-type: application/timestamp-query' --data-binary @query.tsq \\
    $first/tsa -o reply.tsr"
    curl --fail --silent --show-error -H 'content-type: application/timestamp-query' \
        --data-binary @query.tsq "$first/tsa" -o reply.tsr

    header "openssl verifies the same statement offline, without any of our software." \
        "不用我們的軟體，openssl 也能離線驗證同一項陳述。"
    show "openssl ts -verify -in reply.tsr -data $file -CAfile $root_certificate"
    openssl ts -verify -in reply.tsr -data "$file" -CAfile "$root_certificate" 2>&1 | grep -v '^Using conf'
    [[ ${PIPESTATUS[0]} == 0 ]] || fail "openssl refuses a good time stamp"
    show "openssl ts -verify -in reply.tsr -data changed -CAfile $root_certificate"
    openssl ts -verify -in reply.tsr -data changed -CAfile "$root_certificate" >refusal 2>&1 || code=$?
    [[ $code != 0 ]] || fail "openssl accepts a changed file"
    grep -q 'message imprint mismatch' refusal || fail "openssl: $(cat refusal)"
    grep -v '^Using conf' refusal

    serial=$(openssl ts -reply -in reply.tsr -text 2>/dev/null | sed -n 's/^Serial number: //p')
    header "The time stamp's serial number, $((serial)), names its leaf in the log: here is its proof." \
        "時戳的序號 $((serial)) 就是它在日誌中的位置；以下取得並驗證它的證明。"
    show "tbsi prove --index $((serial)) --rpc $first --out stamp.tbsi.json"
    "$tbsi" prove --index "$((serial))" --rpc "$first" --out stamp.tbsi.json
    show "tbsi verify stamp.tbsi.json --file $file --genesis $dir/genesis.json"
    "$tbsi" verify stamp.tbsi.json --file "$file" --genesis "$dir/genesis.json"
}

height=0
if command -v node >/dev/null && cast=$(node "$clients/foundry.mjs" cast 2>/dev/null); then
    write_with_cast
else
    look_without_cast
fi
verify_offline
attest_a_file
stamp_a_file
"$root/testnet/bridge.sh" "$tbsi" "$dir" LICENSE.tbsi.json

header "The network keeps running. Try it yourself, with any Ethereum client:" \
    "網路仍在執行，可用任何以太坊工具操作："
cat <<END
  RPC           $first  (WebSocket: ws${first#http})
  attest        $tbsi attest FILE --key $dir/development-key-1 --rpc $first
  verify        $tbsi verify FILE.tbsi.json --genesis $dir/genesis.json
  the log       $tbsi log audit --genesis $dir/genesis.json --rpc $first
  status        $tbsi status --rpc $first
  all nodes     $tbsi testnet status --dir $dir
  stop          $tbsi testnet down --dir $dir

Time stamps, with openssl and curl alone / 只用 openssl 與 curl 取得並驗證時戳：
  openssl ts -query -data FILE -sha256 -cert -out query.tsq
  curl -H 'content-type: application/timestamp-query' --data-binary @query.tsq $first/tsa -o reply.tsr
  openssl ts -verify -in reply.tsr -data FILE -CAfile $root_certificate
END
