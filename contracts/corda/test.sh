#!/usr/bin/env bash
# Tests the verifier, the contract in Corda's ledger, and the verifier against the one in Go,
# without a network; what that needs is fetched beforehand.
#
# usage: test.sh [fetch]
#
# MUTANTS=n compares n proofs with the Go verifier (10000); up to 100000 is usual.
set -euo pipefail
cd "$(dirname "$0")"
: "${TBSI_SKIP_LOG:=/dev/stderr}" "${MUTANTS:=10000}"
fetched=$HOME/.cache/tbsi/corda-fetched.xml

skip() {
    echo "$1" >> "$TBSI_SKIP_LOG"
    exit 0
}

# What is fetched depends on these alone.
poms() { cat pom.xml verifier/pom.xml cordapp/pom.xml ledger/pom.xml; }

java_version=$( (mvn --version 2>/dev/null || true) | sed -n 's/^Java version: \([0-9]*\).*/\1/p')
if [ "$java_version" != 17 ]; then
    skip "contracts/corda (install Maven 3.8 with JDK 17, then run \`testnet/setup.sh tests\`)"
fi

if [ "${1:-}" = fetch ]; then
    if poms | cmp -s - "$fetched"; then
        exit 0
    fi
    echo "fetching what contracts/corda needs, from Maven Central"
    # A run of a few tests fetches all, which `dependency:go-offline` does not.
    mvn --batch-mode --quiet verify -Dtest='CertificateTest,JarsTest' \
        -Dsurefire.failIfNoSpecifiedTests=false
    mkdir -p "$(dirname "$fetched")"
    # Written last, so that it stands for a whole fetch.
    poms > "$fetched"
    exit 0
fi

if ! poms | cmp -s - "$fetched"; then
    skip "contracts/corda (run \`testnet/setup.sh tests\`, which fetches what it needs)"
fi
go=()
if ! (command -v go && cd ../../sdk/go && GOPROXY=off go list -deps ./...) >/dev/null 2>&1; then
    echo "contracts/corda against Go (install Go 1.26, then run \`go mod download\` in sdk/go)" \
        >> "$TBSI_SKIP_LOG"
    go=(-DexcludedGroups=go)
fi
mvn --batch-mode --quiet --offline verify -Dtbsi.mutants="$MUTANTS" "${go[@]}"
