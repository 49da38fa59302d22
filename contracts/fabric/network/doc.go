// Package network tests the chaincode on a real Fabric network, if TBSI_FABRIC_BIN names a folder
// with its programs (peer, orderer, osnadmin, configtxgen, cryptogen): two organisations with a
// peer each, one Raft orderer or four BFT orderers, all on 127.0.0.1 and on ports that are free.
// Each organisation runs a chaincode of its own, one of them behind TLS. TBSI_FABRIC_VERSION says
// which release it is, if it is one of Fabric 2. TBSI_RECORD names a folder for what was endorsed
// and refused, as tests/vectors/fabric has it. Without the programs nothing is tested here, and
// nothing is claimed.
package network
