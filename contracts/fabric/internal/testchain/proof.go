package testchain

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"

	tbsi "tbsi.invalid/sdk"
)

// names of the validator at a position of a set that Equal made.
func names(position int) (zhTW, en string) {
	return fmt.Sprintf("測試協會 %d", position), fmt.Sprintf("Test Association %d", position)
}

// Proof is the JSON form of SPEC §10.3 of a leaf, under a decision of a set that Equal made.
func (c *Chain) Proof(log *Log, index int, at tbsi.Checkpoint, set *Set) ([]byte, error) {
	leaf := log.Leaves[index]
	decoded, err := tbsi.DecodeLeaf(leaf)
	if err != nil {
		return nil, err
	}
	statement := map[string]any{
		"kind": decoded.Kind, "id": decoded.ID.String(), "chainId": decoded.ChainID, "height": decoded.Height,
		"timeMs": decoded.TimeMs, "transactionIndex": decoded.TransactionIndex, "ordinal": decoded.Ordinal,
		"issuer": decoded.Issuer.String(),
	}
	for _, it := range decoded.Fields {
		statement[it.Name] = it.Value
	}
	signed := c.Decide(at, set, set.Quorum(), 0)[192+4+16:]
	validators, signatures := []any{}, []any{}
	for position := range set.Count() {
		member := set.Encoded[2+60*position:]
		address := "0x" + hex.EncodeToString(member[:20])
		zhTW, en := names(position)
		validators = append(validators, map[string]any{
			"address": address, "power": binary.BigEndian.Uint64(member[20:]), "nameZhTw": zhTW, "nameEn": en,
		})
		if len(signed) > 0 {
			signatures = append(signatures, map[string]any{"validator": address, "signature": "0x" + hex.EncodeToString(signed[:65])})
			signed = signed[65:]
		}
	}
	path := []string{}
	for _, it := range log.Path(index) {
		path = append(path, it.String())
	}
	return json.Marshal(map[string]any{
		"format": "tbsi-proof-1", "genesisHash": c.GenesisHash.String(), "statement": statement,
		"leaf": "0x" + hex.EncodeToString(leaf), "leafIndex": index, "inclusionProof": path,
		"checkpoint": map[string]any{
			"chainId": at.ChainID, "height": at.Height, "timeMs": at.TimeMs, "blockHash": at.BlockHash.String(),
			"stateRoot": at.StateRoot.String(), "logSize": at.LogSize, "logRoot": at.LogRoot.String(),
			"validatorSetHash":     at.ValidatorSetHash.String(),
			"nextValidatorSetHash": at.NextValidatorSetHash.String(),
		},
		"certificate": map[string]any{
			"height": at.Height, "round": 0, "checkpointDigest": at.Digest(c.Chain).String(), "signatures": signatures,
		},
		"validators": validators, "handovers": []any{},
	})
}
