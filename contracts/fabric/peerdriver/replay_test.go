package peerdriver_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset/kvrwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"

	"tbsi.invalid/fabric/internal/testchain"
	"tbsi.invalid/fabric/peerdriver"
)

type recordedNetwork struct {
	Channel, Chaincode, Fabric string
	Organisations              []struct{ MSPID, RootCertificate string }
	Blocks                     []string
	Refused                    []struct {
		AfterBlock        uint64
		Proposal, Message string
		Status            int32
	}
	Stated []struct {
		AfterBlock        uint64
		Proposal, Payload string
		Endorsements      []struct{ Endorser, Signature string }
	}
}

// endorsedTransaction is one of the chaincode's transactions, as a block has it.
type endorsedTransaction struct {
	proposal     []byte
	payload      []byte
	action       *peer.ChaincodeAction
	endorsements []*peer.Endorsement
	reads        []string
	writes       []string
	// newest is the highest block that it read from.
	newest uint64
	code   peer.TxValidationCode
}

func decode(t *testing.T, data []byte, into proto.Message) {
	t.Helper()
	if err := proto.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

// transactions of the chaincode in a block; the others are those that made the channel and
// deployed it.
func (n *recordedNetwork) transactions(t *testing.T, block *common.Block) []*endorsedTransaction {
	t.Helper()
	found := []*endorsedTransaction{}
	for at, data := range block.Data.Data {
		envelope, payload, channel := &common.Envelope{}, &common.Payload{}, &common.ChannelHeader{}
		decode(t, data, envelope)
		decode(t, envelope.Payload, payload)
		decode(t, payload.Header.ChannelHeader, channel)
		if channel.Type != int32(common.HeaderType_ENDORSER_TRANSACTION) {
			continue
		}
		transaction, inner := &peer.Transaction{}, &peer.ChaincodeActionPayload{}
		decode(t, payload.Data, transaction)
		decode(t, transaction.Actions[0].Payload, inner)
		response, action := &peer.ProposalResponsePayload{}, &peer.ChaincodeAction{}
		decode(t, inner.Action.ProposalResponsePayload, response)
		decode(t, response.Extension, action)
		if action.ChaincodeId.Name != n.Chaincode {
			continue
		}
		header, err := proto.Marshal(payload.Header)
		if err != nil {
			t.Fatal(err)
		}
		proposal, err := proto.Marshal(&peer.Proposal{Header: header, Payload: inner.ChaincodeProposalPayload})
		if err != nil {
			t.Fatal(err)
		}
		it := &endorsedTransaction{
			proposal: proposal, payload: inner.Action.ProposalResponsePayload, action: action,
			endorsements: inner.Action.Endorsements,
			code:         peer.TxValidationCode(block.Metadata.Metadata[common.BlockMetadataIndex_TRANSACTIONS_FILTER][at]),
		}
		it.readSets(t, n.Chaincode)
		found = append(found, it)
	}
	return found
}

func (e *endorsedTransaction) readSets(t *testing.T, chaincode string) {
	t.Helper()
	all := &rwset.TxReadWriteSet{}
	decode(t, e.action.Results, all)
	for _, it := range all.NsRwset {
		if it.Namespace != chaincode {
			continue
		}
		set := &kvrwset.KVRWSet{}
		decode(t, it.Rwset, set)
		if len(set.RangeQueriesInfo) > 0 || len(set.MetadataWrites) > 0 || len(it.CollectionHashedRwset) > 0 {
			t.Error("a range query, metadata or private data")
		}
		for _, read := range set.Reads {
			at := read.GetVersion()
			e.reads = append(e.reads, peerdriver.Version(read.Key, at.GetBlockNum(), at.GetTxNum()))
			e.newest = max(e.newest, at.GetBlockNum())
		}
		for _, write := range set.Writes {
			e.writes = append(e.writes, fmt.Sprintf("%s=%s", write.Key, write.Value))
		}
	}
}

// requireEndorsed: every organisation's peer signed this payload, and its authority signed for it.
func (n *recordedNetwork) requireEndorsed(t *testing.T, of *endorsedTransaction) {
	t.Helper()
	by := []string{}
	for _, it := range of.endorsements {
		endorser := &msp.SerializedIdentity{}
		decode(t, it.Endorser, endorser)
		block, _ := pem.Decode(endorser.IdBytes)
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		digest := sha256.Sum256(append(slices.Clone(of.payload), it.Endorser...))
		if !ecdsa.VerifyASN1(certificate.PublicKey.(*ecdsa.PublicKey), digest[:], it.Signature) || !lowS(it.Signature) {
			t.Errorf("the signature of %s", certificate.Subject)
		}
		for _, organisation := range n.Organisations {
			root, _ := pem.Decode([]byte(organisation.RootCertificate))
			authority, err := x509.ParseCertificate(root.Bytes)
			if err != nil {
				t.Fatal(err)
			}
			if organisation.MSPID == endorser.Mspid && certificate.CheckSignatureFrom(authority) == nil &&
				slices.Contains(certificate.Subject.OrganizationalUnit, "peer") {
				by = append(by, endorser.Mspid)
			}
		}
	}
	if len(by) != 2 || by[0] == by[1] {
		t.Errorf("endorsed by %v", by)
	}
}

func lowS(signature []byte) bool {
	var found struct{ R, S *big.Int }
	_, err := asn1.Unmarshal(signature, &found)
	return err == nil && found.S.Cmp(new(big.Int).Rsh(elliptic.P256().Params().N, 1)) <= 0
}

// TestRecordedNetworks executes what real networks endorsed again, on a process that the driver
// speaks to: the same reads with the same versions, the same writes, answers and events, the same
// judgement of conflicts, and the same refusals.
func TestRecordedNetworks(t *testing.T) {
	program := binary(t)
	for _, path := range []string{"/tests/vectors/fabric/raft.json", "/tests/vectors/fabric/bft.json"} {
		t.Run(filepath.Base(path), func(t *testing.T) { replay(t, start(t, program), root+path) })
	}
}

func replay(t *testing.T, driver *peerdriver.Driver, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	network := &recordedNetwork{}
	if err = json.Unmarshal(text, network); err != nil {
		t.Fatal(err)
	}
	ledger, states := peerdriver.NewLedger(), []*peerdriver.Ledger{}
	judged := map[peer.TxValidationCode]int{}
	for number, encoded := range network.Blocks {
		data, err := testchain.Bytes(encoded)
		if err != nil {
			t.Fatal(err)
		}
		block, simulations, codes := &common.Block{}, []*peerdriver.Simulation{}, []peer.TxValidationCode{}
		decode(t, data, block)
		for _, it := range network.transactions(t, block) {
			network.requireEndorsed(t, it)
			// Nothing that it read has changed since the newest block that it read from.
			state := peerdriver.NewLedger()
			if len(states) > 0 {
				state = states[it.newest]
			}
			found, err := driver.Replay(state, it.proposal)
			if err != nil {
				t.Fatal(err)
			}
			same(t, found, it)
			simulations, codes = append(simulations, found), append(codes, it.code)
			judged[it.code]++
		}
		ledger.SkipTo(uint64(number))
		got, err := ledger.Commit(simulations...)
		if err != nil || !slices.Equal(got, codes) {
			t.Errorf("block %d: got %v, %v, recorded is %v", number, got, err, codes)
		}
		states = append(states, ledger.Clone())
	}
	for _, it := range network.Refused {
		proposal, err := testchain.Bytes(it.Proposal)
		if err != nil {
			t.Fatal(err)
		}
		found, err := driver.Replay(states[it.AfterBlock], proposal)
		if err != nil || found.Response.Status != it.Status || found.Response.Message != it.Message {
			t.Errorf("got %v, %v, recorded is %d %s", found, err, it.Status, it.Message)
		}
	}
	network.statedAgain(t, driver, states)
	conflicts := judged[peer.TxValidationCode_MVCC_READ_CONFLICT]
	if judged[peer.TxValidationCode_VALID] < 10 || conflicts < 2 || len(network.Refused) < 5 {
		t.Errorf("recorded are %v, %d refusals", judged, len(network.Refused))
	}
}

// statedAgain: what peers endorsed of the outbox is what the chaincode says of that state, and
// nothing is written by it.
func (n *recordedNetwork) statedAgain(t *testing.T, driver *peerdriver.Driver, states []*peerdriver.Ledger) {
	t.Helper()
	read := func(text string) []byte {
		data, err := testchain.Bytes(text)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	for _, it := range n.Stated {
		of := &endorsedTransaction{payload: read(it.Payload), action: &peer.ChaincodeAction{}}
		for _, one := range it.Endorsements {
			of.endorsements = append(of.endorsements, &peer.Endorsement{
				Endorser: read(one.Endorser), Signature: read(one.Signature),
			})
		}
		response := &peer.ProposalResponsePayload{}
		decode(t, of.payload, response)
		decode(t, response.Extension, of.action)
		of.readSets(t, n.Chaincode)
		n.requireEndorsed(t, of)
		found, err := driver.Replay(states[it.AfterBlock], read(it.Proposal))
		if err != nil {
			t.Fatal(err)
		}
		same(t, found, of)
		if len(of.writes) > 0 || found.Response.Status != 200 {
			t.Errorf("got %v, wrote %v", found.Response, of.writes)
		}
	}
	if len(n.Stated) == 0 {
		t.Error("no entry of the outbox is recorded")
	}
}

func same(t *testing.T, found *peerdriver.Simulation, recorded *endorsedTransaction) {
	t.Helper()
	event := &peer.ChaincodeEvent{}
	decode(t, recorded.action.Events, event)
	// A peer adds the chaincode's name and the transaction to the event.
	named := found.Event.GetEventName() == event.EventName && string(found.Event.GetPayload()) == string(event.Payload)
	if !proto.Equal(found.Response, recorded.action.Response) || !named {
		t.Errorf("got %v, %v, recorded is %v, %v", found.Response, found.Event, recorded.action.Response, event)
	}
	if !slices.Equal(found.Versions(), recorded.reads) {
		t.Errorf("read %v, recorded is %v", found.Versions(), recorded.reads)
	}
	if !slices.Equal(found.Writes(), recorded.writes) {
		t.Errorf("wrote %v, recorded is %v", found.Writes(), recorded.writes)
	}
}
