#!/usr/bin/env bash
# The five kinds of security testing in one run, with a report: static analysis, dependencies, a
# dynamic scan of the HTTP surfaces of a running network, fuzzing, the penetration checklist. Ends
# with 1 if a check failed. What the machine lacks is SKIPPED in the report, which is not passed.
#
# usage: security.sh TBSI [CHECK...]     all of them by default; the names are those of the report
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD here=$PWD/tests/security
tbsi=$(realpath -m "${1:?usage: security.sh TBSI [CHECK...]}")
shift
out=${TBSI_SECURITY_OUT:-$HOME/.cache/tbsi/security}
: "${TIME:=60}"
# shellcheck source=tests/security/tools.sh
. "$here/tools.sh"
mkdir -p "$out/logs"
rows=() failed=0 skips=0
known=(clippy slither bandit go-vet shellcheck licences cargo-deny npm-audit pip-audit govulncheck
    sbom publiccode dynamic fuzz checklist)
wanted=("$@")
[ $# -gt 0 ] || wanted=("${known[@]}")

# Runs a check, which is a function here: 0 passed, 77 skipped with the reason in its last line.
check() {
    local name=$1 kind=$2 state=0 status note log="$out/logs/$1.log" started=$SECONDS
    [[ " ${wanted[*]} " == *" $name "* ]] || { rows+=("| $kind | $name | not asked for | |"); return; }
    printf '\n== %s: %s\n' "$kind" "$name"
    # In a shell of its own, with -e: a condition would switch that off.
    set +e
    (set -e; "check_${name//-/_}") > "$log" 2>&1
    state=$?
    set -e
    note=$(tail -n 1 "$log" | tr '|\n' '/ ' | cut -c 1-200)
    case $state in
        0) status=passed ;;
        77) status=SKIPPED skips=$((skips + 1)) ;;
        *) status=FAILED failed=1 ;;
    esac
    rows+=("| $kind | $name | $status | $note |")
    printf '%s, %s s: %s\n' "$status" "$((SECONDS - started))" "$note"
}

skip() { echo "$1"; exit 77; }
needs() { command -v "$1" >/dev/null || skip "$1 is missing: $2"; }

check_clippy() {
    needs cargo "install the version of rust-toolchain.toml"
    cargo clippy --locked --workspace --all-targets -- -D warnings
    echo "no warning"
}

check_slither() {
    needs npm "install Node.js 20 with npm"
    [ -d contracts/evm/node_modules ] || (cd contracts/evm && npm ci --no-audit --no-fund)
    local log="$out/logs/slither-skips"
    : > "$log"
    TBSI_SKIP_LOG=$log contracts/evm/slither.sh
    [ ! -s "$log" ] || skip "$(cat "$log")"
    echo "no finding of medium or high impact"
}

check_bandit() {
    python_tools || skip "no Python packages: install python3-venv; PyPI has to be reachable"
    # Not asserts and subprocesses of tests; medium and high, of some confidence.
    "$venv/bin/bandit" --quiet --recursive --severity-level medium --confidence-level medium \
        sdk/python/tbsi docs/book tests/book tests/security
    echo "no finding of medium or high severity"
}

check_go_vet() {
    needs go "install Go 1.26"
    local module
    for module in sdk/go contracts/fabric; do
        (cd "$module" && go vet ./...)
    done
    echo "no finding"
}

check_shellcheck() {
    needs shellcheck "sudo apt-get install shellcheck"
    git ls-files -z '*.sh' | xargs -0 shellcheck --severity=warning
    echo "no warning in $(git ls-files '*.sh' | wc -l) scripts"
}

check_licences() {
    needs cargo "install the version of rust-toolchain.toml"
    python3 tests/security/sbom.py rust "$out/rust.cdx.json"
}

check_cargo_deny() {
    needs cargo-deny "cargo install --locked cargo-deny"
    cargo deny check bans licenses sources
    # Advisories come from a repository that has to be reachable.
    cargo deny check advisories || {
        grep -q 'failed to fetch advisory database' "$out/logs/cargo-deny.log" || return 1
        skip "bans, licences and sources passed; the advisory database is not reachable"
    }
    echo "advisories, bans, licences and sources"
}

check_npm_audit() {
    needs npm "install Node.js 20 with npm"
    local part said
    for part in sdk/typescript contracts/evm; do
        said=$(cd "$part" && npm audit --package-lock-only --omit=dev --audit-level=high 2>&1) || {
            printf '%s\n' "$said"
            grep -qE '^npm (error|ERR!|warn).*(audit endpoint returned|ENOAUDIT|ENOTFOUND|ECONNREFUSED|E40[0-9])' <<<"$said" || return 1
            skip "the registry here answers no audits"
        }
        printf '%s: %s\n' "$part" "$said"
    done
    echo "nothing of high severity in what ships"
}

check_pip_audit() {
    python_tools || skip "no Python packages: install python3-venv; PyPI has to be reachable"
    "$venv/bin/pip-audit" --disable-pip --require-hashes -r sdk/python/requirements.txt || {
        grep -qE 'ConnectionError|ServiceError|HTTPError|Max retries' "$out/logs/pip-audit.log" || return 1
        skip "the service for vulnerabilities is not reachable"
    }
    # Not found is not the same as nothing found.
    ! grep -q 'could not be audited' "$out/logs/pip-audit.log" ||
        skip "the registry here knows nothing of vulnerabilities"
    echo "no known vulnerability in sdk/python"
}

check_govulncheck() {
    needs go "install Go 1.26"
    local module
    for module in sdk/go contracts/fabric; do
        (cd "$module" && go run golang.org/x/vuln/cmd/govulncheck@v1.9.0 ./...) || {
            grep -qE '^(govulncheck|go): .*(fetching vulnerabilities|no such host|connection refused|Forbidden|not found)' \
                "$out/logs/govulncheck.log" || return 1
            skip "the vulnerability database is not reachable"
        }
    done
    echo "no known vulnerability that is reached"
}

check_sbom() { tests/security/sbom.sh "$out/sbom"; }

check_publiccode() {
    python_tools || skip "no Python packages: install python3-venv; PyPI has to be reachable"
    "$venv/bin/python" "$here/publiccode.py" publiccode.yml
    needs go "publiccode.yml keeps our reading of the rules; for the parser of those who keep the standard install Go 1.26"
    # Without a network it looks at no URL.
    (cd / && go run github.com/italia/publiccode-parser-go/v5/publiccode-parser@v5.3.1 \
        -no-network "$root/publiccode.yml") || {
        ! grep -qE '^go: .*(no required module|dial tcp|not found|unknown revision|Forbidden|reading http)' \
            "$out/logs/publiccode.log" ||
            skip "publiccode.yml keeps our reading of the rules; the parser of those who keep the standard is not reachable"
        return 1
    }
    echo "publiccode.yml is valid"
}

check_dynamic() {
    needs wapiti "sudo apt-get install wapiti"
    [ -x "$tbsi" ] || skip "$tbsi is missing: make build"
    "$here/dynamic.sh" "$tbsi" "$out/dynamic"
}

check_fuzz() {
    needs cargo "install the version of rust-toolchain.toml"
    needs clang++ "sudo apt-get install clang"
    TIME=$TIME testnet/fuzz.sh
    echo "every decoder, $TIME s each, and no promise broken"
}

check_checklist() {
    needs python3 "sudo apt-get install python3"
    python3 "$here/checklist.py" docs/penetration.md
}

for name in "${wanted[@]}"; do
    [[ " ${known[*]} " == *" $name "* ]] || { echo "no check is called $name; there are ${known[*]}" >&2; exit 2; }
done
for name in clippy slither bandit go-vet shellcheck; do check "$name" "static analysis"; done
for name in licences cargo-deny npm-audit pip-audit govulncheck sbom publiccode; do check "$name" "dependencies"; done
check dynamic "dynamic scan"
check fuzz "fuzzing"
check checklist "penetration checklist"

{
    echo "# Security report"
    echo
    echo "Commit $(git rev-parse HEAD 2>/dev/null || echo unknown)$([ -z "$(git status --porcelain 2>/dev/null)" ] || echo ', with changes'), $(date -u +%Y-%m-%dT%H:%MZ), $(uname -sm)."
    echo
    echo "SKIPPED and \"not asked for\" are not passed."
    echo
    echo "| kind | check | result | in its own words |"
    echo "| --- | --- | --- | --- |"
    printf '%s\n' "${rows[@]}"
} > "$out/report.md"
printf '\n'
cat "$out/report.md"
printf '\nreport: %s, logs beside it; %s skipped\n' "$out/report.md" "$skips"
exit "$failed"
