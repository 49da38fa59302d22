#!/usr/bin/env bash
# Chaincode and relayer on real Fabric networks: one Raft orderer, and four of BFT. Fabric's
# programs (peer, orderer, osnadmin, configtxgen, cryptogen) are in no package registry:
# TBSI_FABRIC_BIN names the folder with them. TBSI_FABRIC_VERSION=2.5 if they are of Fabric 2.5.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -z "${TBSI_FABRIC_BIN:-}" ]; then
    echo "test-fabric: set TBSI_FABRIC_BIN to the folder with Fabric's programs" >&2
    exit 1
fi
command -v go >/dev/null || { echo "test-fabric: install Go 1.26" >&2; exit 1; }

printf '\n== chaincode\n'
(cd contracts/fabric && go test -count=1 -timeout 60m -run 'TestRaft|TestBFT' ./network)

printf '\n== relayer\n'
cargo build --locked --workspace --bin tbsi
cargo test --locked --workspace --test fabric -- --nocapture --test-threads 1
printf '\nall tests on Fabric passed\n'
