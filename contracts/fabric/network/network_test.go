package network

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"tbsi.invalid/fabric/internal/cases"
	"tbsi.invalid/fabric/internal/testchain"
)

const root = "../../.."

// blocks are the commands of a guide, in its order.
func blocks(t *testing.T, guide string) []string {
	t.Helper()
	text, err := os.ReadFile(root + "/docs/" + guide)
	if err != nil {
		t.Fatal(err)
	}
	found, inside := []string{}, false
	for line := range strings.Lines(string(text)) {
		switch trimmed := strings.TrimSpace(line); {
		case trimmed == "```sh":
			found, inside = append(found, ""), true
		case trimmed == "```":
			inside = false
		case inside:
			found[len(found)-1] += line
		}
	}
	return found
}

func TestGuidesHaveTheSameCommands(t *testing.T) {
	if !slices.Equal(blocks(t, "fabric.md"), blocks(t, "fabric.zh-TW.md")) {
		t.Error("docs/fabric.md and docs/fabric.zh-TW.md have other commands")
	}
}

// deployed is a network with the chaincode and an open client, made by the commands of the
// documentation, word for word.
type deployed struct {
	*fabric
	t     *testing.T
	chain *testchain.Chain
	log   *testchain.Log
	set   *testchain.Set
	// height is that of the chain an hour ago: the transactions' times are today's.
	height uint64
	// steps are the commands of the documentation.
	steps []string
}

func (d *deployed) proof(name string, height uint64, of *organisation) {
	d.t.Helper()
	at := d.chain.At(height, d.set, d.log)
	text, err := d.chain.Proof(d.log, len(d.log.Leaves)-1, at, d.set)
	if err != nil {
		d.t.Fatal(err)
	}
	d.write(string(text), "of-"+of.msp, name)
}

func (d *deployed) decide(height uint64) []byte {
	return d.chain.Decide(d.chain.At(height, d.set, d.log), d.set, d.set.Quorum(), 0)
}

// The guide's blocks of commands, in its order.
const (
	build = iota
	plain
	secured
	install
	startPlain
	startSecured
	approve
	commit
	open
	update
	prove
	relay
)

// committed is a network with the chaincode on its channel, and no client yet.
func committed(t *testing.T, orderers int) *deployed {
	t.Helper()
	network := startFabric(t, orderers)
	chain, err := testchain.Load(root)
	if err != nil {
		t.Fatal(err)
	}
	d := &deployed{
		fabric: network, t: t, chain: chain, log: &testchain.Log{}, set: testchain.Equal(4),
		height: uint64(time.Now().UnixMilli()-testchain.StartMs)/1000 - 3600,
		steps:  blocks(t, "fabric.md"),
	}
	if len(d.steps) != relay+1 {
		t.Fatalf("docs/fabric.md has %d blocks of commands: this test knows %d", len(d.steps), relay+1)
	}
	one, two := d.organisations[0], d.organisations[1]
	// One organisation's peer reaches its service without TLS, the other's with it.
	for _, it := range []struct {
		*organisation
		connection, start int
	}{{one, plain, startPlain}, {two, secured, startSecured}} {
		d.write("", "of-"+it.msp, "here")
		d.shell(it.organisation, build)
		d.shell(it.organisation, it.connection)
		d.shell(it.organisation, install)
		d.start("chaincode of "+it.msp, d.variables(it.organisation), "listening on",
			"bash", "-euo", "pipefail", "-c", d.steps[it.start])
		d.shell(it.organisation, approve)
	}
	d.shell(one, commit)
	return d
}

// shell runs a block of the guide's commands as an administrator of an organisation.
func (d *deployed) shell(of *organisation, step int) string {
	d.t.Helper()
	return d.command(d.variables(of), "bash", "-euo", "pipefail", "-c", "cd \"$ROOT\"\n"+d.steps[step])
}

func deploy(t *testing.T, orderers int) *deployed {
	t.Helper()
	d := committed(t, orderers)
	one, two := d.organisations[0], d.organisations[1]
	for range 5 {
		d.log.Attest(d.chain, d.height-1)
	}
	d.proof("proof.json", d.height, one)
	if said := d.shell(one, open); !strings.Contains(said, `"status":"active"`) {
		t.Errorf("after InitClient: %s", said)
	}
	d.log.Attest(d.chain, d.height+9)
	d.proof("later.json", d.height+10, two)
	d.shell(two, update)
	if said := d.shell(two, prove); !strings.Contains(said, `"checkpointHeight":`+fmt.Sprint(d.height+10)) {
		t.Errorf("after Anchor: %s", said)
	}
	return d
}

// variables are those that the documentation names.
func (d *deployed) variables(of *organisation) []string {
	one, two := d.organisations[0], d.organisations[1]
	// The peer's own certificate, which is for servers and clients, plays all parts.
	tls := func(name string) string { return of.peerFolder(d.fabric, "tls", name) }
	here, err := os.Getwd()
	if err != nil {
		d.t.Fatal(err)
	}
	return append(d.as(of, "Admin"),
		"ROOT="+here+"/"+root, "DIR="+d.path("of-"+of.msp), "CHANNEL="+channel, "ADDRESS="+of.chaincode,
		"ORDERER="+local(d.orderers[0].port), "ORDERER_CA="+d.orderers[0].folder(d.fabric, "tls", "ca.crt"),
		"PEER1="+one.address(), "PEER1_CA="+one.peerFolder(d.fabric, "tls", "ca.crt"),
		"PEER2="+two.address(), "PEER2_CA="+two.peerFolder(d.fabric, "tls", "ca.crt"),
		"SERVICE_CA="+tls("ca.crt"), "SERVICE_CERT="+tls("server.crt"), "SERVICE_KEY="+tls("server.key"),
		"PEER_CA="+tls("ca.crt"), "PEER_CERT="+tls("server.crt"), "PEER_KEY="+tls("server.key"),
		"HEIGHT="+fmt.Sprint(d.height), "PATH="+d.bin+":"+os.Getenv("PATH"))
}

func argument(t *testing.T, of any) string {
	t.Helper()
	text, err := json.Marshal(of)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// session is what clients of both organisations do on a deployed network.
type session struct {
	*deployed
	kept                     *recording
	relayer, admin, stranger *client
}

func (s *session) endorse(by *client, function string, of any) *endorsed {
	s.t.Helper()
	found, err := by.endorse(by.propose(time.Now(), function, argument(s.t, of)))
	if err != nil {
		s.t.Fatalf("%s: %s", function, reasons(err))
	}
	return found
}

func (s *session) judged(by *client, of *endorsed, want peer.TxValidationCode) {
	s.t.Helper()
	if got := by.committed(of).Result; got != want {
		s.t.Errorf("got %s, want %s", got, want)
	}
}

func (s *session) submit(by *client, function string, of any) {
	s.t.Helper()
	found := s.endorse(by, function, of)
	by.submit(found)
	s.judged(by, found, peer.TxValidationCode_VALID)
}

// refused: every peer refuses, and says so.
func (s *session) refused(by *client, when time.Time, function string, of any, says string) {
	s.t.Helper()
	proposal := by.propose(when, function, argument(s.t, of))
	for at := range s.organisations {
		found, err := by.ask(at, proposal)
		if err == nil || !strings.Contains(reasons(err), says) {
			s.t.Errorf("%s: got %s, want %s", function, reasons(err), says)
		}
		if at == 0 && found != nil {
			s.kept.refuse(by, proposal, found.Response)
		}
	}
}

// TestRaft is a network whose blocks one orderer signs.
func TestRaft(t *testing.T) { use(t, 1, "raft") }

// TestBFT is a network whose blocks a quorum of four orderers signs.
func TestBFT(t *testing.T) {
	programsFolder(t)
	if !since3() {
		t.Skip("Fabric 2 has no BFT")
	}
	use(t, 4, "bft")
}

func use(t *testing.T, orderers int, name string) {
	t.Helper()
	d := deploy(t, orderers)
	one, two := d.organisations[0], d.organisations[1]
	s := &session{
		deployed: d, kept: &recording{fabric: d.fabric},
		relayer: d.client(one, "User1"), admin: d.client(one, "Admin"), stranger: d.client(two, "User1"),
	}
	s.checkpoints()
	s.anchors()
	s.outbox()
	s.misbehaviour()
	s.kept.write(name)
}

func (s *session) checkpoints() {
	// Two that were endorsed on one state: one counts, and the other, endorsed anew, too.
	a := s.endorse(s.relayer, "UpdateClient", cases.Update(s.decide(s.height+20)))
	b := s.endorse(s.stranger, "UpdateClient", cases.Update(s.decide(s.height+21)))
	s.relayer.submit(a)
	s.judged(s.relayer, a, peer.TxValidationCode_VALID)
	s.stranger.submit(b)
	s.judged(s.stranger, b, peer.TxValidationCode_MVCC_READ_CONFLICT)
	s.submit(s.stranger, "UpdateClient", cases.Update(s.decide(s.height+21)))

	now := time.Now()
	s.refused(s.stranger, now, "UpdateClient", cases.Update(s.decide(s.height+15)), "LightClientNotAhead: ")
	few := s.chain.Decide(s.chain.At(s.height+30, s.set, s.log), s.set, []int{0, 1}, 0)
	s.refused(s.stranger, now, "UpdateClient", cases.Update(few), "CertificateNoQuorum: ")
	s.refused(s.stranger, now, "UpdateClient", "{", "ArgumentForm: ")
	// A peer's own clock bounds what the chaincode is told.
	if since3() {
		s.refused(s.relayer, now.Add(-20*time.Minute), "UpdateClient", cases.Update(s.decide(s.height+30)), "timewindow")
	}
}

// anchors read keys that all share and write none of them, so they do not get in each other's way.
func (s *session) anchors() {
	first, second := s.endorse(s.relayer, "Anchor", s.prove(1)), s.endorse(s.stranger, "Anchor", s.prove(2))
	twin := s.endorse(s.stranger, "Anchor", s.prove(1))
	s.relayer.submit(first)
	s.stranger.submit(second)
	s.stranger.submit(twin)
	s.judged(s.stranger, second, peer.TxValidationCode_VALID)
	s.judged(s.relayer, first, peer.TxValidationCode_VALID)
	s.judged(s.stranger, twin, peer.TxValidationCode_MVCC_READ_CONFLICT)

	pause := map[string]any{"scope": "proofs", "reason": "演練"}
	s.refused(s.stranger, time.Now(), "Pause", pause, "IdentityNotAdmin: ")
	s.refused(s.relayer, time.Now(), "Pause", pause, "IdentityNotAdmin: ")
	s.submit(s.admin, "Pause", pause)
	s.refused(s.relayer, time.Now(), "Anchor", s.prove(3), "LightClientPaused: ")
	s.submit(s.admin, "Unpause", map[string]any{"scope": "proofs"})
}

func (d *deployed) prove(index int) map[string]any {
	path := []string{}
	for _, it := range d.log.Path(index) {
		path = append(path, it.String())
	}
	return map[string]any{
		"leaf": cases.Hex(d.log.Leaves[index]), "index": index, "height": d.height + 10, "path": path,
	}
}

// outbox: peers of both organisations state one and the same entry.
func (s *session) outbox() {
	s.submit(s.stranger, "SendMessage", map[string]any{
		"sequence": 1, "timeoutSeconds": 2_000_000_000, "receiver": "0x" + strings.Repeat("be", 20),
		"payloadHash": "0x" + strings.Repeat("01", 32),
	})
	of := s.relayer.propose(time.Now(), "GetOutboxEntry", argument(s.t, map[string]any{
		"mspId": "Org2MSP", "sequence": 1, "nonce": "0x" + strings.Repeat("77", 32),
	}))
	responses := []*peer.ProposalResponse{}
	for at := range s.organisations {
		found, err := s.relayer.ask(at, of)
		if err != nil {
			s.t.Fatal(reasons(err))
		}
		responses = append(responses, found)
	}
	if !bytes.Equal(responses[0].Payload, responses[1].Payload) ||
		!strings.Contains(string(responses[0].Response.Payload), `"channel":"`+channel+`"`) {
		s.t.Errorf("got %v", responses)
	}
	s.kept.state(s.relayer, of, responses)
}

// misbehaviour: two decisions of one height freeze the client.
func (s *session) misbehaviour() {
	forged := s.chain.At(s.height+20, s.set, s.log)
	forged.StateRoot[0] ^= 1
	side := func(decision []byte) map[string]any {
		return map[string]any{"setId": 1, "decision": cases.Hex(decision)}
	}
	s.submit(s.stranger, "SubmitMisbehaviour", map[string]any{
		"a": side(s.decide(s.height + 20)), "b": side(s.chain.Decide(forged, s.set, s.set.Quorum(), 1)),
	})
	s.refused(s.stranger, time.Now(), "Anchor", s.prove(3), "LightClientFrozen: ")
	found, err := s.stranger.ask(0, s.stranger.propose(time.Now(), "GetStatus", "{}"))
	if err != nil || !strings.Contains(string(found.Response.Payload), `"status":"frozen"`) {
		s.t.Errorf("got %v, %v", found.GetResponse(), err)
	}
}
