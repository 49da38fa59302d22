package peerdriver

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

const (
	// messageBytesMax bounds a message of the chaincode.
	messageBytesMax = 16 * 1024 * 1024
	// messagesMax bounds what the chaincode asks during one transaction.
	messagesMax = 10_000
)

// Driver is connected to a chaincode that runs as a service.
type Driver struct {
	// One transaction at a time.
	lock   sync.Mutex
	conn   *grpc.ClientConn
	stream peer.Chaincode_ConnectClient
	cancel context.CancelFunc
}

// Proposal is what a client asks for.
type Proposal struct {
	Channel string
	Creator []byte
	Args    [][]byte
	Time    time.Time
	// Nonce makes the transaction's id, with the creator.
	Nonce []byte
	// Outer are the arguments that the client sent to another chaincode, which calls with Args;
	// nil if there is no other.
	Outer [][]byte
}

// Identity is a creator: a certificate in PEM under an MSP.
func Identity(mspID string, certificate []byte) []byte {
	return encode(&msp.SerializedIdentity{Mspid: mspID, IdBytes: certificate})
}

func encode(message proto.Message) []byte {
	// Deterministic, so that recorded bytes can be compared.
	out, err := proto.MarshalOptions{Deterministic: true}.Marshal(message)
	if err != nil {
		panic(err) // Only a message that is no protobuf.
	}
	return out
}

// Connect reaches a chaincode without TLS; it must register under the package id.
func Connect(address, packageID string) (*Driver, error) {
	return connect(address, packageID, insecure.NewCredentials())
}

// ConnectTLS reaches a chaincode with TLS.
func ConnectTLS(address, packageID string, config *tls.Config) (*Driver, error) {
	return connect(address, packageID, credentials.NewTLS(config))
}

func connect(address, packageID string, by credentials.TransportCredentials) (*Driver, error) {
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(by),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(messageBytesMax)))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	stream, err := peer.NewChaincodeClient(conn).Connect(ctx)
	driver := &Driver{conn: conn, stream: stream, cancel: cancel}
	if err == nil {
		err = driver.register(packageID)
	}
	if err != nil {
		driver.Close()
		return nil, err
	}
	return driver, nil
}

// register: the chaincode says who it is, the peer answers REGISTERED, then READY.
func (d *Driver) register(packageID string) error {
	message, err := d.stream.Recv()
	if err != nil {
		return err
	}
	id := &peer.ChaincodeID{}
	if message.Type != peer.ChaincodeMessage_REGISTER {
		return fmt.Errorf("the chaincode began with %s", message.Type)
	}
	if err = proto.Unmarshal(message.Payload, id); err != nil {
		return err
	}
	if id.Name != packageID {
		return fmt.Errorf("the chaincode registered as %q, expected is %q", id.Name, packageID)
	}
	for _, answer := range []peer.ChaincodeMessage_Type{
		peer.ChaincodeMessage_REGISTERED, peer.ChaincodeMessage_READY,
	} {
		if err = d.stream.Send(&peer.ChaincodeMessage{Type: answer}); err != nil {
			return err
		}
	}
	return nil
}

// Close ends the connection.
func (d *Driver) Close() {
	d.cancel()
	_ = d.conn.Close()
}

// Signed is the proposal as a peer hands it on, with nothing in place of the signature, and the
// transaction's id.
func (p *Proposal) Signed() (*peer.SignedProposal, string) {
	digest := sha256.Sum256(append(append([]byte{}, p.Nonce...), p.Creator...))
	id := hex.EncodeToString(digest[:])
	header := &common.Header{
		ChannelHeader: encode(&common.ChannelHeader{
			Type: int32(common.HeaderType_ENDORSER_TRANSACTION), ChannelId: p.Channel, TxId: id,
			Timestamp: timestamppb.New(p.Time),
		}),
		SignatureHeader: encode(&common.SignatureHeader{Creator: p.Creator, Nonce: p.Nonce}),
	}
	sent := p.Outer
	if sent == nil {
		sent = p.Args
	}
	payload := &peer.ChaincodeProposalPayload{Input: encode(&peer.ChaincodeInvocationSpec{
		ChaincodeSpec: &peer.ChaincodeSpec{Input: &peer.ChaincodeInput{Args: sent}},
	})}
	proposal := &peer.Proposal{Header: encode(header), Payload: encode(payload)}
	return &peer.SignedProposal{ProposalBytes: encode(proposal)}, id
}

// Execute runs a transaction on the chaincode against a ledger.
func (d *Driver) Execute(ledger *Ledger, proposal Proposal) (*Simulation, error) {
	signed, id := proposal.Signed()
	return d.Run(ledger, &peer.ChaincodeMessage{
		Type: peer.ChaincodeMessage_TRANSACTION, Txid: id, ChannelId: proposal.Channel,
		Payload: encode(&peer.ChaincodeInput{Args: proposal.Args}), Proposal: signed,
	})
}

// Replay runs a proposal that somebody recorded.
func (d *Driver) Replay(ledger *Ledger, proposalBytes []byte) (*Simulation, error) {
	proposal, header, channel := &peer.Proposal{}, &common.Header{}, &common.ChannelHeader{}
	payload, spec := &peer.ChaincodeProposalPayload{}, &peer.ChaincodeInvocationSpec{}
	for _, it := range []struct {
		data func() []byte
		into proto.Message
	}{
		{func() []byte { return proposalBytes }, proposal},
		{func() []byte { return proposal.Header }, header},
		{func() []byte { return header.ChannelHeader }, channel},
		{func() []byte { return proposal.Payload }, payload},
		{func() []byte { return payload.Input }, spec},
	} {
		if err := proto.Unmarshal(it.data(), it.into); err != nil {
			return nil, err
		}
	}
	return d.Run(ledger, &peer.ChaincodeMessage{
		Type: peer.ChaincodeMessage_TRANSACTION, Txid: channel.TxId, ChannelId: channel.ChannelId,
		Payload:  encode(spec.GetChaincodeSpec().GetInput()),
		Proposal: &peer.SignedProposal{ProposalBytes: proposalBytes},
	})
}

// Run sends a message that begins a transaction, and answers what the chaincode asks until it has
// completed.
func (d *Driver) Run(ledger *Ledger, begin *peer.ChaincodeMessage) (*Simulation, error) {
	d.lock.Lock()
	defer d.lock.Unlock()
	simulation := ledger.Simulate(begin.Txid)
	if err := d.stream.Send(begin); err != nil {
		return nil, err
	}
	for range messagesMax {
		message, err := d.stream.Recv()
		if err != nil {
			return nil, err
		}
		if message.Type == peer.ChaincodeMessage_KEEPALIVE {
			continue
		}
		if message.Txid != begin.Txid || message.ChannelId != begin.ChannelId {
			return nil, fmt.Errorf("a message of another transaction: %s", message.Txid)
		}
		switch message.Type {
		case peer.ChaincodeMessage_COMPLETED:
			simulation.Response, simulation.Event = &peer.Response{}, message.ChaincodeEvent
			return simulation, proto.Unmarshal(message.Payload, simulation.Response)
		case peer.ChaincodeMessage_ERROR:
			return nil, fmt.Errorf("the chaincode failed: %s", message.Payload)
		}
		if err = d.stream.Send(simulation.answer(message)); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("more than %d messages in one transaction", messagesMax)
}

// answer reads and writes; all else is refused.
func (s *Simulation) answer(message *peer.ChaincodeMessage) *peer.ChaincodeMessage {
	refuse := func(why string) *peer.ChaincodeMessage {
		s.Refused = append(s.Refused, why)
		return &peer.ChaincodeMessage{
			Type: peer.ChaincodeMessage_ERROR, Txid: message.Txid, ChannelId: message.ChannelId,
			Payload: []byte("peerdriver refuses " + why),
		}
	}
	response := &peer.ChaincodeMessage{
		Type: peer.ChaincodeMessage_RESPONSE, Txid: message.Txid, ChannelId: message.ChannelId,
	}
	switch message.Type {
	case peer.ChaincodeMessage_GET_STATE:
		asked := &peer.GetState{}
		if err := proto.Unmarshal(message.Payload, asked); err != nil {
			return refuse("GET_STATE that is no protobuf")
		}
		if asked.Collection != "" {
			return refuse("GET_STATE of private data")
		}
		response.Payload = s.Read(asked.Key)
		return response
	case peer.ChaincodeMessage_PUT_STATE:
		asked := &peer.PutState{}
		if err := proto.Unmarshal(message.Payload, asked); err != nil {
			return refuse("PUT_STATE that is no protobuf")
		}
		if asked.Collection != "" {
			return refuse("PUT_STATE of private data")
		}
		s.Write(asked.Key, asked.Value)
		return response
	}
	return refuse(message.Type.String())
}
