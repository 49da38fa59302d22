package network

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tbsi.invalid/fabric/peerdriver"
)

// client is somebody who asks the peers of all organisations.
type client struct {
	t         *testing.T
	creator   []byte
	key       *ecdsa.PrivateKey
	endorsers []peer.EndorserClient
	gateways  []gateway.GatewayClient
}

// client connects to the peers as a user of an organisation.
func (n *fabric) client(of *organisation, user string) *client {
	n.t.Helper()
	folder := of.folder(n, "users", user+"@"+of.domain, "msp")
	certificate := n.only(filepath.Join(folder, "signcerts"))
	block, _ := pem.Decode(n.only(filepath.Join(folder, "keystore")))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		n.t.Fatal(err)
	}
	out := &client{t: n.t, creator: peerdriver.Identity(of.msp, certificate), key: key.(*ecdsa.PrivateKey)}
	for _, it := range n.organisations {
		tls, err := credentials.NewClientTLSFromFile(it.peerFolder(n, "tls", "ca.crt"), "")
		if err != nil {
			n.t.Fatal(err)
		}
		conn, err := grpc.NewClient(it.address(), grpc.WithTransportCredentials(tls))
		if err != nil {
			n.t.Fatal(err)
		}
		n.t.Cleanup(func() { _ = conn.Close() })
		out.endorsers = append(out.endorsers, peer.NewEndorserClient(conn))
		out.gateways = append(out.gateways, gateway.NewGatewayClient(conn))
	}
	return out
}

// only is the one file of a folder.
func (n *fabric) only(folder string) []byte {
	n.t.Helper()
	found, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil || len(found) != 1 {
		n.t.Fatalf("%s: %v, %v", folder, found, err)
	}
	data, err := os.ReadFile(found[0])
	if err != nil {
		n.t.Fatal(err)
	}
	return data
}

// sign is ECDSA over SHA-256 with low s, in DER, as Fabric demands.
func (c *client) sign(message []byte) []byte {
	c.t.Helper()
	digest := sha256.Sum256(message)
	r, s, err := ecdsa.Sign(rand.Reader, c.key, digest[:])
	if err != nil {
		c.t.Fatal(err)
	}
	order := elliptic.P256().Params().N
	if s.Cmp(new(big.Int).Rsh(order, 1)) > 0 {
		s.Sub(order, s)
	}
	signature, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
	if err != nil {
		c.t.Fatal(err)
	}
	return signature
}

func (c *client) encode(message proto.Message) []byte {
	c.t.Helper()
	out, err := proto.Marshal(message)
	if err != nil {
		c.t.Fatal(err)
	}
	return out
}

// proposed is a signed proposal and its transaction's id.
type proposed struct {
	signed *peer.SignedProposal
	id     string
}

func (c *client) propose(when time.Time, args ...string) proposed {
	c.t.Helper()
	return c.proposal("tbsi", when, args)
}

// proposeTo asks one of Fabric's own chaincodes.
func (c *client) proposeTo(chaincode string, args ...string) proposed {
	c.t.Helper()
	return c.proposal(chaincode, time.Now(), args)
}

func (c *client) proposal(name string, when time.Time, args []string) proposed {
	c.t.Helper()
	nonce := make([]byte, 24)
	if _, err := rand.Read(nonce); err != nil {
		c.t.Fatal(err)
	}
	digest := sha256.Sum256(append(append([]byte{}, nonce...), c.creator...))
	id := hex.EncodeToString(digest[:])
	input := &peer.ChaincodeInput{}
	for _, it := range args {
		input.Args = append(input.Args, []byte(it))
	}
	chaincode := &peer.ChaincodeID{Name: name}
	proposal := c.encode(&peer.Proposal{
		Header: c.encode(&common.Header{
			ChannelHeader: c.encode(&common.ChannelHeader{
				Type: int32(common.HeaderType_ENDORSER_TRANSACTION), ChannelId: channel, TxId: id,
				Timestamp: timestamppb.New(when),
				Extension: c.encode(&peer.ChaincodeHeaderExtension{ChaincodeId: chaincode}),
			}),
			SignatureHeader: c.encode(&common.SignatureHeader{Creator: c.creator, Nonce: nonce}),
		}),
		Payload: c.encode(&peer.ChaincodeProposalPayload{
			Input: c.encode(&peer.ChaincodeInvocationSpec{ChaincodeSpec: &peer.ChaincodeSpec{
				Type: peer.ChaincodeSpec_GOLANG, ChaincodeId: chaincode, Input: input,
			}}),
		}),
	})
	return proposed{&peer.SignedProposal{ProposalBytes: proposal, Signature: c.sign(proposal)}, id}
}

func (c *client) timeout() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), commandTimeout)
}

// endorsed is a transaction that peers of all organisations have endorsed, alike.
type endorsed struct {
	proposed
	responses []*peer.ProposalResponse
	envelope  *common.Envelope
}

// ask has a peer execute a proposal.
func (c *client) ask(at int, of proposed) (*peer.ProposalResponse, error) {
	ctx, cancel := c.timeout()
	defer cancel()
	found, err := c.endorsers[at].ProcessProposal(ctx, of.signed)
	if err == nil && found.Response.Status >= 400 {
		err = errors.New(found.Response.Message)
	}
	return found, err
}

// endorse asks all peers, and makes a transaction of what they say.
func (c *client) endorse(of proposed) (*endorsed, error) {
	out := &endorsed{proposed: of}
	action := &peer.ChaincodeEndorsedAction{}
	for at := range c.endorsers {
		found, err := c.ask(at, of)
		if err != nil {
			return nil, err
		}
		if at > 0 && !bytes.Equal(found.Payload, action.ProposalResponsePayload) {
			return nil, fmt.Errorf("peers differ: %x, %x", found.Payload, action.ProposalResponsePayload)
		}
		out.responses = append(out.responses, found)
		action.ProposalResponsePayload = found.Payload
		action.Endorsements = append(action.Endorsements, found.Endorsement)
	}
	proposal, header := &peer.Proposal{}, &common.Header{}
	if err := errors.Join(proto.Unmarshal(of.signed.ProposalBytes, proposal), proto.Unmarshal(proposal.Header, header)); err != nil {
		return nil, err
	}
	out.envelope = &common.Envelope{Payload: c.encode(&common.Payload{
		Header: header,
		Data: c.encode(&peer.Transaction{Actions: []*peer.TransactionAction{{
			Header: header.SignatureHeader,
			Payload: c.encode(&peer.ChaincodeActionPayload{
				ChaincodeProposalPayload: proposal.Payload, Action: action,
			}),
		}}}),
	})}
	return out, nil
}

// submit sends it to the orderer, and does not wait.
func (c *client) submit(of *endorsed) {
	c.t.Helper()
	ctx, cancel := c.timeout()
	defer cancel()
	of.envelope.Signature = c.sign(of.envelope.Payload)
	_, err := c.gateways[0].Submit(ctx, &gateway.SubmitRequest{
		TransactionId: of.id, ChannelId: channel, PreparedTransaction: of.envelope,
	})
	if err != nil {
		c.t.Fatal(reasons(err))
	}
}

// committed waits until all peers have the block, and says what they made of the transaction.
func (c *client) committed(of *endorsed) *gateway.CommitStatusResponse {
	c.t.Helper()
	ctx, cancel := c.timeout()
	defer cancel()
	request := c.encode(&gateway.CommitStatusRequest{
		TransactionId: of.id, ChannelId: channel, Identity: c.creator,
	})
	var out *gateway.CommitStatusResponse
	for _, it := range c.gateways {
		found, err := it.CommitStatus(ctx, &gateway.SignedCommitStatusRequest{
			Request: request, Signature: c.sign(request),
		})
		if err != nil {
			c.t.Fatal(reasons(err))
		}
		if out != nil && !proto.Equal(found, out) {
			c.t.Errorf("peers differ: %v, %v", found, out)
		}
		out = found
	}
	return out
}

// reasons is an error with what each peer said, which the gateway puts into its details.
func reasons(err error) string {
	found := status.Convert(err)
	out := found.Message()
	for _, it := range found.Details() {
		if detail, ok := it.(*gateway.ErrorDetail); ok {
			out += "; " + detail.MspId + ": " + detail.Message
		}
	}
	return out
}
