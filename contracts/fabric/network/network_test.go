package network

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"tbsi.invalid/fabric/internal/cases"
	"tbsi.invalid/fabric/internal/testchain"
)

const root = "../../.."

// blocks are the commands of docs/fabric.md, in its order.
func blocks(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(root + "/docs/fabric.md")
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

func deploy(t *testing.T) *deployed {
	t.Helper()
	network := startFabric(t)
	chain, err := testchain.Load(root)
	if err != nil {
		t.Fatal(err)
	}
	d := &deployed{
		fabric: network, t: t, chain: chain, log: &testchain.Log{}, set: testchain.Equal(4),
		height: uint64(time.Now().UnixMilli()-testchain.StartMs)/1000 - 3600,
	}
	steps := blocks(t)
	if len(steps) != 8 {
		t.Fatalf("docs/fabric.md has %d blocks of commands: this test knows 8", len(steps))
	}
	one, two := d.organisations[0], d.organisations[1]
	shell := func(of *organisation, step int) string {
		return d.command(d.variables(of), "bash", "-euo", "pipefail", "-c", "cd \"$ROOT\"\n"+steps[step])
	}
	for _, it := range d.organisations {
		d.write("", "of-"+it.msp, "here")
		shell(it, 0)
		shell(it, 1)
		d.start("chaincode of "+it.msp, d.variables(it), "listening on", "bash", "-euo", "pipefail", "-c", steps[2])
		shell(it, 3)
	}
	shell(one, 4)
	for range 5 {
		d.log.Attest(d.chain, d.height-1)
	}
	d.proof("proof.json", d.height, one)
	if said := shell(one, 5); !strings.Contains(said, `"status":"active"`) {
		t.Errorf("after InitClient: %s", said)
	}
	d.log.Attest(d.chain, d.height+9)
	d.proof("later.json", d.height+10, two)
	shell(two, 6)
	if said := shell(two, 7); !strings.Contains(said, `"checkpointHeight":`+fmt.Sprint(d.height+10)) {
		t.Errorf("after Anchor: %s", said)
	}
	return d
}

// variables are those that the documentation names.
func (d *deployed) variables(of *organisation) []string {
	one, two := d.organisations[0], d.organisations[1]
	here, err := os.Getwd()
	if err != nil {
		d.t.Fatal(err)
	}
	return append(d.as(of, "Admin"),
		"ROOT="+here+"/"+root, "DIR="+d.path("of-"+of.msp), "CHANNEL="+channel, "ADDRESS="+of.chaincode,
		"ORDERER="+local(d.ordererPort), "ORDERER_CA="+d.ordererFolder("tls", "ca.crt"),
		"PEER1="+one.address(), "PEER1_CA="+one.peerFolder(d.fabric, "tls", "ca.crt"),
		"PEER2="+two.address(), "PEER2_CA="+two.peerFolder(d.fabric, "tls", "ca.crt"),
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

func TestRealNetwork(t *testing.T) {
	d := deploy(t)
	one, two := d.organisations[0], d.organisations[1]
	relayer, admin := d.client(one, "User1"), d.client(one, "Admin")
	stranger := d.client(two, "User1")
	endorse := func(by *client, function string, of any) *endorsed {
		t.Helper()
		found, err := by.endorse(by.propose(time.Now(), function, argument(t, of)))
		if err != nil {
			t.Fatalf("%s: %s", function, reasons(err))
		}
		return found
	}
	judged := func(by *client, of *endorsed, want peer.TxValidationCode) {
		t.Helper()
		if got := by.committed(of).Result; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	submit := func(by *client, function string, of any) {
		t.Helper()
		found := endorse(by, function, of)
		by.submit(found)
		judged(by, found, peer.TxValidationCode_VALID)
	}
	kept := &recording{fabric: d.fabric}
	refused := func(by *client, when time.Time, function string, of any, says string) {
		t.Helper()
		proposal := by.propose(when, function, argument(t, of))
		for at := range d.organisations {
			found, err := by.ask(at, proposal)
			if err == nil || !strings.Contains(reasons(err), says) {
				t.Errorf("%s: got %s, want %s", function, reasons(err), says)
			}
			if at == 0 && found != nil {
				kept.refuse(by, proposal, found.Response)
			}
		}
	}
	now := time.Now

	// Two that were endorsed on one state: one counts, and the other, endorsed anew, too.
	a := endorse(relayer, "UpdateClient", cases.Update(d.decide(d.height+20)))
	b := endorse(stranger, "UpdateClient", cases.Update(d.decide(d.height+21)))
	relayer.submit(a)
	judged(relayer, a, peer.TxValidationCode_VALID)
	stranger.submit(b)
	judged(stranger, b, peer.TxValidationCode_MVCC_READ_CONFLICT)
	submit(stranger, "UpdateClient", cases.Update(d.decide(d.height+21)))

	refused(stranger, now(), "UpdateClient", cases.Update(d.decide(d.height+15)), "LightClientNotAhead: ")
	few := d.chain.Decide(d.chain.At(d.height+30, d.set, d.log), d.set, []int{0, 1}, 0)
	refused(stranger, now(), "UpdateClient", cases.Update(few), "CertificateNoQuorum: ")
	refused(stranger, now(), "UpdateClient", "{", "ArgumentForm: ")
	pause := map[string]any{"scope": "proofs", "reason": "演練"}
	refused(stranger, now(), "Pause", pause, "IdentityNotAdmin: ")
	refused(relayer, now(), "Pause", pause, "IdentityNotAdmin: ")
	// A peer's own clock bounds what the chaincode is told.
	refused(relayer, now().Add(-20*time.Minute), "UpdateClient", cases.Update(d.decide(d.height+30)), "timewindow")

	// Keys that all anchors share are read and not written, so anchors do not get in each
	// other's way.
	first, second := endorse(relayer, "Anchor", d.prove(1)), endorse(stranger, "Anchor", d.prove(2))
	twin := endorse(stranger, "Anchor", d.prove(1))
	relayer.submit(first)
	stranger.submit(second)
	stranger.submit(twin)
	judged(relayer, second, peer.TxValidationCode_VALID)
	valid := relayer.committed(first).Result == peer.TxValidationCode_VALID
	if again := relayer.committed(twin).Result == peer.TxValidationCode_VALID; again == valid {
		t.Errorf("the first is valid: %v, its twin: %v", valid, again)
	}
	submit(admin, "Pause", pause)
	refused(relayer, now(), "Anchor", d.prove(3), "LightClientPaused: ")
	submit(admin, "Unpause", map[string]any{"scope": "proofs"})
	outbox(t, d, submit, stranger, relayer)
	misbehave(t, d, submit, refused, stranger)
	kept.write()
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
func outbox(t *testing.T, d *deployed, submit func(*client, string, any), sender, reader *client) {
	submit(sender, "SendMessage", map[string]any{
		"sequence": 1, "timeoutSeconds": 2_000_000_000, "receiver": "0x" + strings.Repeat("be", 20),
		"payloadHash": "0x" + strings.Repeat("01", 32),
	})
	entry := argument(t, map[string]any{
		"mspId": "Org2MSP", "sequence": 1, "nonce": "0x" + strings.Repeat("77", 32),
	})
	said := []string{}
	of := reader.propose(time.Now(), "GetOutboxEntry", entry)
	for at := range d.organisations {
		found, err := reader.ask(at, of)
		if err != nil {
			t.Fatal(reasons(err))
		}
		said = append(said, string(found.Response.Payload))
	}
	if said[0] != said[1] || !strings.Contains(said[0], `"channel":"`+channel+`"`) {
		t.Errorf("got %v", said)
	}
}

// misbehave: two decisions of one height freeze the client.
func misbehave(
	t *testing.T, d *deployed, submit func(*client, string, any),
	refused func(*client, time.Time, string, any, string), by *client,
) {
	forged := d.chain.At(d.height+20, d.set, d.log)
	forged.StateRoot[0] ^= 1
	side := func(decision []byte) map[string]any {
		return map[string]any{"setId": 1, "decision": cases.Hex(decision)}
	}
	submit(by, "SubmitMisbehaviour", map[string]any{
		"a": side(d.decide(d.height + 20)), "b": side(d.chain.Decide(forged, d.set, d.set.Quorum(), 1)),
	})
	refused(by, time.Now(), "Anchor", d.prove(3), "LightClientFrozen: ")
	found, err := by.ask(0, by.propose(time.Now(), "GetStatus", "{}"))
	if err != nil || !strings.Contains(string(found.Response.Payload), `"status":"frozen"`) {
		t.Errorf("got %v, %v", found.GetResponse(), err)
	}
}
