package peerdriver_test

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"

	"tbsi.invalid/fabric/internal/cases"
	"tbsi.invalid/fabric/peerdriver"
)

const (
	root      = "../../.."
	packageID = "tbsi_1:0000000000000000000000000000000000000000000000000000000000000000"
)

// binary builds the chaincode.
func binary(t *testing.T) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "tbsi-fabric")
	build := exec.Command("go", "build", "-trimpath", "-o", out, "..")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %s\n%s", err, text)
	}
	return out
}

// start starts the chaincode as a service, and connects as its peer.
func start(t *testing.T, program string) *peerdriver.Driver {
	t.Helper()
	driver, err := peerdriver.Connect(serving(t, program, "CHAINCODE_TLS_DISABLED=true"), packageID)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(driver.Close)
	return driver
}

// serving starts the chaincode as a service, and says where it is.
func serving(t *testing.T, program string, environment ...string) string {
	t.Helper()
	process := exec.Command(program)
	process.Env = append(os.Environ(), "CHAINCODE_ID="+packageID, "CHAINCODE_SERVER_ADDRESS=127.0.0.1:0")
	process.Env = append(process.Env, environment...)
	said, err := process.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err = process.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(said)
	line, err := lines.ReadString('\n')
	_, address, ok := strings.Cut(strings.TrimSpace(line), "listening on ")
	if err != nil || !ok {
		t.Fatalf("the chaincode said %q, %v", line, err)
	}
	t.Cleanup(func() {
		// It ends when asked, without a complaint.
		if err := process.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		rest, _ := lines.ReadString(0)
		if err := process.Wait(); err != nil {
			t.Errorf("the chaincode ended with %s: %s", err, rest)
		}
	})
	return address
}

// TestProcess runs all cases on two processes of the real chaincode. They get the same proposals
// on the same ledger, as two endorsers do, and have to come to the same bytes.
func TestProcess(t *testing.T) {
	program := binary(t)
	one, other := start(t, program), start(t, program)
	cases.Run(t, root, func(ledger *peerdriver.Ledger, proposal peerdriver.Proposal) (*peerdriver.Simulation, error) {
		first, err := one.Execute(ledger, proposal)
		if err != nil {
			return nil, err
		}
		second, err := other.Execute(ledger, proposal)
		if err != nil {
			return nil, err
		}
		if !proto.Equal(first.Response, second.Response) || !proto.Equal(first.Event, second.Event) ||
			!slices.Equal(first.Reads(), second.Reads()) || !slices.Equal(first.Writes(), second.Writes()) {
			t.Errorf("two endorsers differ on %.60s", proposal.Args)
		}
		return first, nil
	})
}

// TestMalformedMessages: bytes of a peer that are no protobuf end the transaction, not the process.
func TestMalformedMessages(t *testing.T) {
	driver := start(t, binary(t))
	ledger := peerdriver.NewLedger()
	w := cases.New(t, root, driver.Execute)
	proposal := peerdriver.Proposal{Channel: "c", Creator: w.Admin, Nonce: []byte{1}, Time: w.Now}
	signed, id := proposal.Signed()
	input, err := proto.Marshal(&peer.ChaincodeInput{Args: [][]byte{[]byte("GetStatus"), []byte("{}")}})
	if err != nil {
		t.Fatal(err)
	}
	begin := func(payload []byte, proposal *peer.SignedProposal) (*peerdriver.Simulation, error) {
		return driver.Run(ledger, &peer.ChaincodeMessage{
			Type: peer.ChaincodeMessage_TRANSACTION, Txid: id, ChannelId: "c", Payload: payload, Proposal: proposal,
		})
	}
	garbage := &peer.SignedProposal{ProposalBytes: []byte("\xff\xff")}
	empty := &peer.SignedProposal{}
	for name, it := range map[string]struct {
		payload  []byte
		proposal *peer.SignedProposal
	}{
		"input":          {[]byte("\xff\xff"), signed},
		"cut input":      {input[:len(input)-1], signed},
		"proposal":       {input, garbage},
		"empty proposal": {input, empty},
	} {
		if found, err := begin(it.payload, it.proposal); err == nil {
			t.Errorf("%s: got %v", name, found.Response)
		}
	}
	// Without a proposal there is no creator.
	found, err := begin(input, nil)
	if err != nil || found.Response.Status != 403 || !strings.HasPrefix(found.Response.Message, "IdentityMspId: ") {
		t.Errorf("got %v, %v", found, err)
	}
	found, err = begin(input, signed)
	if err != nil || found.Response.Status != 409 {
		t.Errorf("got %v, %v", found, err)
	}
}

// TestConfiguration: what the environment lacks is said before anything is opened.
func TestConfiguration(t *testing.T) {
	program := binary(t)
	for _, it := range []struct {
		says        string
		environment []string
	}{
		{"CHAINCODE_ID must have", nil},
		{"CHAINCODE_SERVER_ADDRESS must be HOST:PORT", []string{"CHAINCODE_ID=x"}},
		{"load CHAINCODE_TLS_CERT", []string{"CHAINCODE_ID=x", "CHAINCODE_SERVER_ADDRESS=127.0.0.1:0"}},
		{"must be true or false", []string{"CHAINCODE_ID=x", "CHAINCODE_SERVER_ADDRESS=127.0.0.1:0", "CHAINCODE_TLS_DISABLED=yes"}},
		{"listen on", []string{"CHAINCODE_ID=x", "CHAINCODE_SERVER_ADDRESS=127.0.0.1:99999", "CHAINCODE_TLS_DISABLED=true"}},
	} {
		process := exec.Command(program)
		process.Env = append([]string{}, it.environment...)
		text, err := process.CombinedOutput()
		if err == nil || !bytes.Contains(text, []byte(it.says)) {
			t.Errorf("%v: %s, %v", it.environment, text, err)
		}
	}
}
