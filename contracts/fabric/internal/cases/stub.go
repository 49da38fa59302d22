package cases

import (
	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tbsi.invalid/fabric/peerdriver"
)

// stub has what the chaincode uses; anything else of the interface is nil, and panics.
type stub struct {
	shim.ChaincodeStubInterface
	simulation *peerdriver.Simulation
	proposal   peerdriver.Proposal
}

func (s *stub) GetArgs() [][]byte           { return s.proposal.Args }
func (s *stub) GetCreator() ([]byte, error) { return s.proposal.Creator, nil }
func (s *stub) GetChannelID() string        { return s.proposal.Channel }
func (s *stub) GetTxID() string             { return s.simulation.TransactionID }

func (s *stub) GetSignedProposal() (*peer.SignedProposal, error) {
	signed, _ := s.proposal.Signed()
	return signed, nil
}

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

// InMemory runs a chaincode in this process.
func InMemory(chaincode shim.Chaincode) Execute {
	return func(ledger *peerdriver.Ledger, proposal peerdriver.Proposal) (*peerdriver.Simulation, error) {
		_, id := proposal.Signed()
		s := &stub{simulation: ledger.Simulate(id), proposal: proposal}
		s.simulation.Response = chaincode.Invoke(s)
		return s.simulation, nil
	}
}
