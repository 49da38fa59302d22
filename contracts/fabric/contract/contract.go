// Package contract is the chaincode (SPEC §17): a light client of a TBSI chain on a Fabric channel,
// what was proven with it, and an outbox of messages to that chain.
//
// Each transaction is one exported method with one typed argument. It has no clock, no
// randomness, no network and no range query, writes nothing in the order of a map, and shares no
// memory between transactions: endorsers that read the same write the same. The verifier is the
// package tbsi of `sdk/go`.
package contract

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"
)

// Contract answers a peer.
type Contract struct{}

// Init is refused: a definition that requires it would have a step in which nothing is said.
func (Contract) Init(shim.ChaincodeStubInterface) *peer.Response {
	const text = "commit the definition without --init-required, then call InitClient"
	return failed(refuse(StatusLedger, "InitNotUsed", text))
}

// Invoke runs one transaction: who calls is checked first, then what is given.
func (Contract) Invoke(stub shim.ChaincodeStubInterface) *peer.Response {
	answer, err := invoke(stub)
	if err != nil {
		return failed(err)
	}
	return shim.Success(answer)
}

func invoke(stub shim.ChaincodeStubInterface) ([]byte, error) {
	creator, err := stub.GetCreator()
	if err != nil {
		return nil, err
	}
	by, err := callerOf(creator)
	if err != nil {
		return nil, err
	}
	tx := &transaction{stub: stub, caller: by, written: map[string][]byte{}}
	args := stub.GetArgs()
	if len(args) != 2 {
		const text = "a function and one argument are needed, not %d parts: the argument is one JSON object"
		return nil, refuse(StatusArgument, "ArgumentCount", text, len(args))
	}
	if len(args[1]) > ArgumentBytesMax {
		const text = "the argument has %d bytes, at most %d are allowed"
		return nil, refuse(StatusArgument, "ArgumentLength", text, len(args[1]), ArgumentBytesMax)
	}
	return tx.dispatch(string(args[0]), args[1])
}

// who may call a function.
type who int

const (
	// anybody, and other chaincodes for anybody.
	anybody who = iota
	// senders are anybody in a transaction of its own.
	senders
	relayers
	administrators
)

func (tx *transaction) dispatch(function string, given []byte) ([]byte, error) {
	switch function {
	case "InitClient":
		return call(tx, senders, given, readInit, tx.InitClient)
	case "UpdateClient":
		return call(tx, relayers, given, readUpdate, tx.UpdateClient)
	case "Anchor":
		return call(tx, anybody, given, readProof, tx.Anchor)
	case "VerifyAttestation":
		return call(tx, anybody, given, readProof, tx.VerifyAttestation)
	case "SubmitMisbehaviour":
		return call(tx, senders, given, readEvidence, tx.SubmitMisbehaviour)
	case "SetRelayer":
		return call(tx, administrators, given, readRelayer, tx.SetRelayer)
	case "Pause":
		return call(tx, administrators, given, readPause, tx.Pause)
	case "Unpause":
		return call(tx, administrators, given, readUnpause, tx.Unpause)
	case "SendMessage":
		return call(tx, anybody, given, readMessage, tx.SendMessage)
	case "GetOutboxEntry":
		return call(tx, anybody, given, readEntry, tx.GetOutboxEntry)
	case "GetStatus":
		return call(tx, anybody, given, readNothing, tx.GetStatus)
	case "GetCheckpoint":
		return call(tx, anybody, given, readNumber("height"), tx.GetCheckpoint)
	case "GetAnchor":
		return call(tx, anybody, given, readNumber("index"), tx.GetAnchor)
	case "GetRelayer":
		return call(tx, anybody, given, readIdentity, tx.GetRelayer)
	}
	return nil, refuse(StatusArgument, "FunctionUnknown", "%.64q: SPEC 17.2 lists the functions", function)
}

// call checks who calls, reads the argument, and does what it says.
func call[A, B any](
	tx *transaction, by who, given []byte, read func([]byte) (A, error), do func(A) (B, error),
) ([]byte, error) {
	if err := tx.require(by); err != nil {
		return nil, err
	}
	in, err := read(given)
	if err != nil {
		return nil, err
	}
	out, err := do(in)
	if err != nil {
		return nil, err
	}
	return encode(out)
}

func (tx *transaction) require(by who) error {
	if by == anybody {
		return nil
	}
	if err := tx.requireDirect(); err != nil || by == senders {
		return err
	}
	config, _, err := tx.config()
	if err != nil {
		return err
	}
	if by == administrators {
		return tx.caller.requireAdmin(config.AdminMSPID, config.AdminUnit)
	}
	found, err := tx.named()
	if err != nil || !config.Strict || found.NameEn != "" {
		return err
	}
	const text = "this client takes checkpoints from registered relayers only; %s of %s is none: ask an administrator of %s for SetRelayer"
	return refuse(StatusIdentity, "RelayersReserved", text, found.CertificateSHA256, found.MSPID, config.AdminMSPID)
}

// requireDirect refuses what another chaincode calls. It could call twice in one transaction, and
// the second call would not see what the first one wrote, so that together they could leave a
// newest checkpoint that is not the newest. A call with the very arguments of the client's own
// proposal writes the same however often it is made.
func (tx *transaction) requireDirect() error {
	signed, err := tx.stub.GetSignedProposal()
	if err != nil {
		return fmt.Errorf("load the proposal: %w", err)
	}
	proposal, payload := &peer.Proposal{}, &peer.ChaincodeProposalPayload{}
	spec := &peer.ChaincodeInvocationSpec{}
	if err = proto.Unmarshal(signed.GetProposalBytes(), proposal); err != nil {
		return fmt.Errorf("decode the proposal: %w", err)
	}
	if err = proto.Unmarshal(proposal.Payload, payload); err != nil {
		return fmt.Errorf("decode the proposal's payload: %w", err)
	}
	if err = proto.Unmarshal(payload.Input, spec); err != nil {
		return fmt.Errorf("decode the proposal's input: %w", err)
	}
	if slices.EqualFunc(spec.GetChaincodeSpec().GetInput().GetArgs(), tx.stub.GetArgs(), bytes.Equal) {
		return nil
	}
	const text = "another chaincode calls this function: send it as a transaction of its own"
	return refuse(StatusIdentity, "InvocationNested", text)
}
