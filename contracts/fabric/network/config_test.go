package network

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const channel = "channel-1"

// orderer is one of the nodes that order.
type orderer struct {
	id          int
	port, admin int
}

func (o *orderer) name() string { return fmt.Sprintf("orderer%d.test", o.id) }

func (o *orderer) folder(n *fabric, parts ...string) string {
	return n.path(append([]string{"crypto", "ordererOrganizations", "test", "orderers", o.name()}, parts...)...)
}

// organisation is a peer organisation and where its things are.
type organisation struct {
	name, msp, domain string
	port              int
	// chaincode is the address of its chaincode service.
	chaincode string
}

func (o *organisation) address() string { return local(o.port) }

func (o *organisation) folder(n *fabric, parts ...string) string {
	return n.path(append([]string{"crypto", "peerOrganizations", o.domain}, parts...)...)
}

func (o *organisation) peerFolder(n *fabric, parts ...string) string {
	return o.folder(n, append([]string{"peers", "peer0." + o.domain}, parts...)...)
}

func local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// freePort is free now; the programs do not say which one they took, if it is 0.
func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", local(0))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

func (n *fabric) path(parts ...string) string {
	return filepath.Join(append([]string{n.dir}, parts...)...)
}

func (n *fabric) write(text string, parts ...string) {
	n.t.Helper()
	path := n.path(parts...)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		n.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		n.t.Fatal(err)
	}
}

func (n *fabric) cryptoConfig() string {
	text := "OrdererOrgs:\n- Name: Orderer\n  Domain: test\n  EnableNodeOUs: true\n  Specs:\n"
	for _, it := range n.orderers {
		text += fmt.Sprintf("  - {Hostname: orderer%d, SANS: [localhost, 127.0.0.1]}\n", it.id)
	}
	text += "PeerOrgs:\n"
	for _, it := range n.organisations {
		text += fmt.Sprintf("- {Name: %s, Domain: %s, EnableNodeOUs: true, "+
			"Template: {Count: 1, SANS: [localhost, 127.0.0.1]}, Users: {Count: 1}}\n", it.name, it.domain)
	}
	return text
}

func (n *fabric) configtx() string {
	members := ""
	for _, it := range n.organisations {
		members += fmt.Sprintf(`
      - Name: %[1]s
        ID: %[1]s
        MSPDir: %[2]s
        Policies:
          Readers: {Type: Signature, Rule: "OR('%[1]s.member')"}
          Writers: {Type: Signature, Rule: "OR('%[1]s.member')"}
          Admins: {Type: Signature, Rule: "OR('%[1]s.admin')"}
          Endorsement: {Type: Signature, Rule: "OR('%[1]s.peer')"}`, it.msp, it.folder(n, "msp"))
	}
	const implicit = `
        Readers: {Type: ImplicitMeta, Rule: ANY Readers}
        Writers: {Type: ImplicitMeta, Rule: ANY Writers}
        Admins: {Type: ImplicitMeta, Rule: MAJORITY Admins}`
	endpoints := []string{}
	for _, it := range n.orderers {
		endpoints = append(endpoints, fmt.Sprintf("%q", local(it.port)))
	}
	capability, consensus := n.consensus()
	return fmt.Sprintf(`Profiles:
  Two:
    Capabilities: {%[2]s: true}
    Policies:%[1]s
    Orderer:
      BatchTimeout: 500ms
      BatchSize: {MaxMessageCount: 100, AbsoluteMaxBytes: 10 MB, PreferredMaxBytes: 2 MB}%[3]s
      Capabilities: {V2_0: true}
      Policies:%[1]s
        BlockValidation: {Type: ImplicitMeta, Rule: ANY Writers}
      Organizations:
      - Name: OrdererMSP
        ID: OrdererMSP
        MSPDir: %[4]s
        OrdererEndpoints: [%[5]s]
        Policies:
          Readers: {Type: Signature, Rule: "OR('OrdererMSP.member')"}
          Writers: {Type: Signature, Rule: "OR('OrdererMSP.member')"}
          Admins: {Type: Signature, Rule: "OR('OrdererMSP.admin')"}
    Application:
      Capabilities: {V2_5: true}
      Policies:%[1]s
        LifecycleEndorsement: {Type: ImplicitMeta, Rule: MAJORITY Endorsement}
        Endorsement: {Type: ImplicitMeta, Rule: MAJORITY Endorsement}
      Organizations:%[6]s
`, implicit, capability, consensus, n.path("crypto", "ordererOrganizations", "test", "msp"),
		strings.Join(endpoints, ", "), members)
}

// consensus is Raft with one orderer, or BFT with four, and the channel's capability for it.
func (n *fabric) consensus() (capability, settings string) {
	if len(n.orderers) == 1 {
		it := n.orderers[0]
		return "V2_0", fmt.Sprintf(`
      OrdererType: etcdraft
      EtcdRaft:
        Consenters: [{Host: 127.0.0.1, Port: %[1]d, ClientTLSCert: %[2]s, ServerTLSCert: %[2]s}]
        Options: {TickInterval: 100ms, ElectionTick: 10, HeartbeatTick: 1, MaxInflightBlocks: 5, SnapshotIntervalSize: 16 MB}`,
			it.port, it.folder(n, "tls", "server.crt"))
	}
	settings = `
      OrdererType: BFT
      SmartBFT: {RequestBatchMaxInterval: 200ms, RequestForwardTimeout: 5s, RequestComplainTimeout: 20s, RequestAutoRemoveTimeout: 3m0s, ViewChangeResendInterval: 5s, ViewChangeTimeout: 20s, LeaderHeartbeatTimeout: 1m0s, CollectTimeout: 1s, IncomingMessageBufferSize: 200, RequestPoolSize: 1000, LeaderHeartbeatCount: 10}
      ConsenterMapping:`
	for _, it := range n.orderers {
		settings += fmt.Sprintf(`
      - {ID: %[1]d, Host: 127.0.0.1, Port: %[2]d, MSPID: OrdererMSP, Identity: %[3]s, ClientTLSCert: %[4]s, ServerTLSCert: %[4]s}`,
			it.id, it.port, it.folder(n, "msp", "signcerts", it.name()+"-cert.pem"), it.folder(n, "tls", "server.crt"))
	}
	return "V3_0", settings
}

func (n *fabric) ordererYAML(of *orderer) string {
	tls := func(name string) string { return of.folder(n, "tls", name) }
	return fmt.Sprintf(`General:
  ListenAddress: 127.0.0.1
  ListenPort: %[1]d
  TLS: {Enabled: true, PrivateKey: %[2]s, Certificate: %[3]s, RootCAs: [%[4]s]}
  Cluster: {ClientCertificate: %[3]s, ClientPrivateKey: %[2]s}
  BootstrapMethod: none
  LocalMSPDir: %[5]s
  LocalMSPID: OrdererMSP
  BCCSP: {Default: SW, SW: {Hash: SHA2, Security: 256}}
  Authentication: {TimeWindow: 15m}
FileLedger: {Location: %[6]s}
Operations: {ListenAddress: "127.0.0.1:0", TLS: {Enabled: false}}
Metrics: {Provider: disabled}
Admin:
  ListenAddress: %[7]s
  TLS: {Enabled: true, PrivateKey: %[2]s, Certificate: %[3]s, RootCAs: [%[4]s], ClientAuthRequired: true, ClientRootCAs: [%[4]s]}
ChannelParticipation: {Enabled: true, MaxRequestBodySize: 1 MB}
Consensus: {WALDir: %[6]s/wal, SnapDir: %[6]s/snapshots}
`, of.port, tls("server.key"), tls("server.crt"), tls("ca.crt"), of.folder(n, "msp"),
		n.path(of.name(), "data"), local(of.admin))
}

// since3 says that the programs are not of Fabric 2, which has no BFT, and no filter by which peers
// compare a transaction's time with their clocks.
func since3() bool { return !strings.HasPrefix(os.Getenv("TBSI_FABRIC_VERSION"), "2.") }

func (n *fabric) coreYAML(of *organisation) string {
	tls := func(name string) string { return of.peerFolder(n, "tls", name) }
	filter := ", {name: TimeWindowCheck}"
	if !since3() {
		filter = ""
	}
	return fmt.Sprintf(`peer:
  id: peer0.%[1]s
  networkId: test
  listenAddress: %[2]s
  address: %[2]s
  chaincodeListenAddress: %[3]s
  gateway: {enabled: true, endorsementTimeout: 30s, broadcastTimeout: 30s, dialTimeout: 10s}
  gossip:
    bootstrap: %[2]s
    endpoint: %[2]s
    externalEndpoint: %[2]s
    useLeaderElection: false
    orgLeader: true
    aliveTimeInterval: 1s
    pullInterval: 1s
    requestStateInfoInterval: 1s
    publishStateInfoInterval: 1s
    reconnectInterval: 2s
    state: {enabled: false}
  tls:
    enabled: true
    clientAuthRequired: false
    cert: {file: %[4]s}
    key: {file: %[5]s}
    rootcert: {file: %[6]s}
  authentication: {timewindow: 15m}
  fileSystemPath: %[7]s
  BCCSP: {Default: SW, SW: {Hash: SHA2, Security: 256}}
  mspConfigPath: %[8]s
  localMspId: %[9]s
  client: {connTimeout: 10s}
  deliveryclient: {policy: simple, connTimeout: 3s, reConnectBackoffThreshold: 5s, reconnectTotalTimeThreshold: 60s}
  handlers:
    authFilters: [{name: DefaultAuth}, {name: ExpirationCheck}%[11]s]
    decorators: [{name: DefaultDecorator}]
    endorsers: {escc: {name: DefaultEndorsement}}
    validators: {vscc: {name: DefaultValidation}}
  discovery: {enabled: true, authCacheEnabled: true, authCacheMaxSize: 1000, authCachePurgeRetentionRatio: 0.75}
  limits: {concurrency: {endorserService: 100, deliverService: 100, gatewayService: 100}}
vm: {endpoint: ""}
chaincode:
  mode: net
  externalBuilders: [{name: ccaas, path: %[10]s}]
  installTimeout: 60s
  startuptimeout: 60s
  executetimeout: 30s
  system: {_lifecycle: enable, cscc: enable, lscc: enable, qscc: enable}
  runtimeParams: {useWriteBatch: true, maxSizeWriteBatch: 1000, useGetMultipleKeys: true, maxSizeGetMultipleKeys: 1000}
ledger:
  state: {stateDatabase: goleveldb, totalQueryLimit: 1000}
  history: {enableHistoryDatabase: true}
  pvtdataStore: {collElgProcMaxDbBatchSize: 5000, collElgProcDbBatchesInterval: 1000}
  snapshots: {rootDir: %[7]s/snapshots}
operations: {listenAddress: "127.0.0.1:0", tls: {enabled: false}}
metrics: {provider: disabled}
`, of.domain, of.address(), local(freePort(n.t)), tls("server.crt"), tls("server.key"), tls("ca.crt"),
		n.path(of.msp, "data"), of.peerFolder(n, "msp"), of.msp, n.path("builder"), filter)
}
