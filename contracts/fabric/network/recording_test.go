package network

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"

	"tbsi.invalid/fabric/internal/cases"
)

// recording is what becomes a vector: the blocks with the chaincode's transactions, as the orderer
// gave them and the peers judged them, and what peers refused in between.
type recording struct {
	*fabric
	refusals []map[string]any
	stated   []map[string]any
}

// state keeps what peers endorsed of an entry of the outbox, which is in no block.
func (r *recording) state(by *client, of proposed, responses []*peer.ProposalResponse) {
	endorsements := []any{}
	for _, it := range responses {
		endorsements = append(endorsements, map[string]any{
			"endorser": cases.Hex(it.Endorsement.Endorser), "signature": cases.Hex(it.Endorsement.Signature),
		})
	}
	r.stated = append(r.stated, map[string]any{
		"afterBlock": r.height(by) - 1, "proposal": cases.Hex(of.signed.ProposalBytes),
		"payload": cases.Hex(responses[0].Payload), "endorsements": endorsements,
	})
}

// refuse keeps a refusal, with the number of the last block before it.
func (r *recording) refuse(by *client, of proposed, response *peer.Response) {
	r.refusals = append(r.refusals, map[string]any{
		"afterBlock": r.height(by) - 1, "proposal": cases.Hex(of.signed.ProposalBytes),
		"status": response.Status, "message": response.Message,
	})
}

// height is the number of blocks that the first peer has.
func (r *recording) height(by *client) uint64 {
	found, err := by.ask(0, by.proposeTo("qscc", "GetChainInfo", channel))
	if err != nil {
		r.t.Fatal(reasons(err))
	}
	info := &common.BlockchainInfo{}
	if err = proto.Unmarshal(found.Response.Payload, info); err != nil {
		r.t.Fatal(err)
	}
	return info.Height
}

// write writes the vector into the folder that TBSI_RECORD names, if it does.
func (r *recording) write(name string) {
	folder := os.Getenv("TBSI_RECORD")
	if folder == "" {
		return
	}
	by := r.client(r.organisations[0], "Admin")
	blocks := []string{}
	for number := range r.height(by) {
		// With the peer's own judgement, which the orderer's copy lacks.
		found, err := by.ask(0, by.proposeTo("qscc", "GetBlockByNumber", channel, strconv.FormatUint(number, 10)))
		if err != nil {
			r.t.Fatal(reasons(err))
		}
		blocks = append(blocks, cases.Hex(found.Response.Payload))
	}
	organisations := []any{}
	for _, it := range r.organisations {
		organisations = append(organisations, map[string]any{
			"mspId": it.msp, "rootCertificate": string(r.only(it.folder(r.fabric, "msp", "cacerts"))),
		})
	}
	text, err := json.MarshalIndent(map[string]any{
		"description": "A channel of a real Fabric network on which the chaincode of SPEC §17 was deployed and used " +
			"(contracts/fabric/network): all blocks as a peer keeps them, from 0, with its judgement of each transaction, " +
			"proposals that it refused after a block, with what it said, and what both peers endorsed of an entry " +
			"of the outbox after a block. Each organisation has one peer; all endorsed each transaction of `tbsi`.",
		"channel": channel, "chaincode": "tbsi", "organisations": organisations, "blocks": blocks,
		"fabric": os.Getenv("TBSI_FABRIC_VERSION"), "refused": r.refusals, "stated": r.stated,
	}, "", " ")
	if err != nil {
		r.t.Fatal(err)
	}
	if err = os.WriteFile(filepath.Join(folder, name+".json"), append(text, '\n'), 0o644); err != nil {
		r.t.Fatal(err)
	}
}
