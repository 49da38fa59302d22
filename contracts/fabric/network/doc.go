// Package network tests the chaincode on a real Fabric network, if TBSI_FABRIC_BIN names a folder
// with its programs (peer, orderer, osnadmin, configtxgen, cryptogen): two organisations with a
// peer each, one orderer, all on 127.0.0.1 and on ports that are free. Each organisation runs a
// chaincode of its own, one of them behind TLS. Fabric 2.5 has no filter for the time of
// transactions: TBSI_FABRIC_TIME_WINDOW=no leaves it out. TBSI_RECORD names a file for what was
// endorsed and refused, as tests/vectors/fabric/recorded.json has it. Without the programs nothing is tested here, and nothing is claimed.
package network
