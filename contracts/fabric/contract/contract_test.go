package contract

import (
	"testing"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tbsi.invalid/fabric/internal/cases"
	"tbsi.invalid/fabric/peerdriver"
)

const root = "../../.."

// stub has what the contract uses; anything else of the interface is nil, and panics.
type stub struct {
	shim.ChaincodeStubInterface
	simulation *peerdriver.Simulation
	proposal   peerdriver.Proposal
}

func (s *stub) GetArgs() [][]byte           { return s.proposal.Args }
func (s *stub) GetCreator() ([]byte, error) { return s.proposal.Creator, nil }
func (s *stub) GetChannelID() string        { return s.proposal.Channel }
func (s *stub) GetTxID() string             { return s.simulation.TransactionID }

func (s *stub) GetTxTimestamp() (*timestamppb.Timestamp, error) {
	return timestamppb.New(s.proposal.Time), nil
}

func (s *stub) GetState(key string) ([]byte, error) { return s.simulation.Read(key), nil }

func (s *stub) PutState(key string, value []byte) error {
	s.simulation.Write(key, value)
	return nil
}

func (s *stub) SetEvent(name string, payload []byte) error {
	s.simulation.Event = &peer.ChaincodeEvent{EventName: name, Payload: payload}
	return nil
}

// execute runs the contract in this process.
func execute(ledger *peerdriver.Ledger, proposal peerdriver.Proposal) (*peerdriver.Simulation, error) {
	_, id := proposal.Signed()
	s := &stub{simulation: ledger.Simulate(id), proposal: proposal}
	s.simulation.Response = Contract{}.Invoke(s)
	return s.simulation, nil
}

func TestContract(t *testing.T) { cases.Run(t, root, execute) }

func TestInitIsNotUsed(t *testing.T) {
	if found := (Contract{}).Init(nil); found.Status != StatusLedger {
		t.Errorf("got %v", found)
	}
}

func TestKeysAreDistinct(t *testing.T) {
	seen := map[string]bool{}
	for _, it := range []string{
		key(kindConfig), key(kindHead), key(kindFrozen), key(kindPause, scopeUpdates),
		key(kindSet, number(1)), key(kindCheckpoint, number(1)), key(kindLeaf, number(1)),
		key(kindLeaf, number(10)), key(kindLeaf, number(numberMax)), key(kindMessage, "Org1MSP", number(1)),
		key(kindMessage, "Org1MSP1", number(1)), key(kindRelayer, "Org1MSP", "00"),
	} {
		if seen[it] {
			t.Errorf("%s twice", it)
		}
		seen[it] = true
	}
	if len(number(numberMax)) != len(number(0)) {
		t.Error("numbers have no fixed width")
	}
}
