#!/usr/bin/env bash
# What happens on a network before a war room shows it: files are attested, superseded and revoked,
# associations vote, one registers another chain, one authorises another to use its data, which is
# narrowed and used. `make warroom` and the tests of the page in a browser run it.
#
# usage: war-story.sh TBSI DIR
#   TBSI  the tbsi program
#   DIR   directory of a new running network of four validators, from `tbsi testnet up --dir DIR`
set -euo pipefail

if [[ $# -ne 2 ]]; then
    echo "usage: war-story.sh TBSI DIR" >&2
    exit 2
fi
tbsi=$(realpath "$1")
dir=$(realpath "$2")
if [[ ! -f $dir/network.json ]]; then
    echo "war-story: $dir holds no network; \`tbsi testnet up --dir $dir\` makes one" >&2
    exit 1
fi
url=http://$(sed -n 's|.*"rpc": *"\([^"]*\)".*|\1|p' "$dir/network.json" | head -n 1)
export TBSI_RPC_URL=$url
# Of the associations, in the order of their numbers.
mapfile -t keys < <(compgen -G "$dir/*/keys/account.key" | sort -V)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# Does it with the account of association $1, and says it in a line.
by() {
    local key=${keys[$1 - 1]}
    shift
    echo "  tbsi $*"
    "$tbsi" "$@" --key "$key" >said || {
        cat said >&2
        return 1
    }
}

# A file, attested by association $1.
attest() {
    printf '%s\n' "$3" >"$2"
    by "$1" attest "$2" --alone
}

echo "associations act:"
attest 1 register-2026-10.csv "permits, October"
attest 1 register-2026-11.csv "permits, November"
attest 2 minutes.txt "minutes of the meeting"
attest 3 certificate.txt "a certificate that was issued in error"
by 1 supersede register-2026-10.csv.tbsi.json --by register-2026-11.csv.tbsi.json
by 3 revoke certificate.txt.tbsi.json --reason issued-in-error
by 2 org register-chain eip155:1337 --technology besu-26.7

cat >e.toml <<'END'
name_zh_tw = "台灣測試公會戊"
name_en = "Test Association E"
kind = "association"
votes = true
tax_id = "04595257"
jurisdiction = "TW"
agreement_hash = "0x1111111111111111111111111111111111111111111111111111111111111111"
account = "0x5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e"
permissions = ["send", "attest", "administer", "vote"]
END
by 1 motion propose add-organisation e.toml
by 1 motion vote 1 yes
by 2 motion vote 1 yes
by 3 motion vote 1 yes
by 1 motion execute 1
by 2 motion propose set-quota 3 --leaves 100000
by 1 motion vote 2 yes
by 4 motion vote 2 no

printf 'what both signed\n' >agreement.txt
printf 'who asked what\n' >query.log
until=$(date -u -d '+400 days' +%Y-%m-%dT%H:%M:%SZ)
by 1 consent grant --to 2 --data-set "register of permits" --agreement agreement.txt \
    --purpose statistics --purpose audit --until "$until"
by 2 consent accept 1
by 2 consent rely 1 --purpose audit --subject query.log
by 2 consent narrow 1 --purpose audit
by 3 consent grant --to 4 --data-set "register of members" --agreement agreement.txt \
    --purpose statistics --until "$until"
by 4 consent accept 2
by 3 consent revoke 2 --reason agreement-ended
by 4 consent grant --to 1 --data-set "register of ships" --agreement agreement.txt \
    --purpose statistics --until "$until"
