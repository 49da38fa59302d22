package contract

import (
	"crypto/sha256"
	"encoding/binary"

	tbsi "tbsi.invalid/sdk"
)

// Sent is a message to a contract on the TBSI chain. The payload stays with who sends it. Each
// MSP numbers its own messages, from 1 and without a gap, so that nobody else's wait for them.
type Sent struct {
	By             Party  `json:"by"`
	MessageHash    string `json:"messageHash"`
	PayloadHash    string `json:"payloadHash"`
	Receiver       string `json:"receiver"`
	Sequence       uint64 `json:"sequence"`
	TimeoutSeconds uint64 `json:"timeoutSeconds"`
	Transaction    string `json:"transaction"`
}

// SentAnswer says whether the message is new.
type SentAnswer struct {
	Fresh   bool `json:"fresh"`
	Message Sent `json:"message"`
}

// OutboxEntry is what peers endorse of a message that is on the ledger: it binds channel, TBSI
// chain and the reader's nonce. The chaincode's name and version are in what they sign anyway.
type OutboxEntry struct {
	ChainID     uint64 `json:"chainId"`
	Channel     string `json:"channel"`
	GenesisHash string `json:"genesisHash"`
	Message     Sent   `json:"message"`
	Nonce       string `json:"nonce"`
}

// SendMessage puts the next message of the caller's MSP into the outbox. The same again, by
// anybody of the MSP, changes nothing.
func (tx *transaction) SendMessage(in Message) (*SentAnswer, error) {
	by, err := tx.named()
	if err != nil {
		return nil, err
	}
	_, chain, err := tx.config()
	if err != nil {
		return nil, err
	}
	if err = tx.requireOpen(scopeMessages); err != nil {
		return nil, err
	}
	hash := in.hash(chain, tx.stub.GetChannelID(), by.MSPID).String()
	at := func(sequence uint64) string { return key(kindMessage, by.MSPID, number(sequence)) }
	found := &Sent{}
	exists, err := tx.get(at(in.Sequence), found)
	if err != nil {
		return nil, err
	}
	if exists && found.MessageHash == hash {
		return &SentAnswer{Message: *found}, nil
	}
	if exists {
		const text = "%s has sent another message with number %d: take the next number"
		return nil, refuse(StatusState, "OutboxTaken", text, by.MSPID, in.Sequence)
	}
	if in.Sequence > 1 {
		if exists, err = tx.get(at(in.Sequence-1), &Sent{}); err != nil {
			return nil, err
		}
		if !exists {
			const text = "%s has sent no message with number %d: numbers have no gap"
			return nil, refuse(StatusState, "OutboxGap", text, by.MSPID, in.Sequence-1)
		}
	}
	out := &Sent{
		By: by, MessageHash: hash, PayloadHash: in.PayloadHash.String(),
		Receiver: in.Receiver.String(), Sequence: in.Sequence, TimeoutSeconds: in.TimeoutSeconds,
		Transaction: tx.stub.GetTxID(),
	}
	if err = tx.put(at(in.Sequence), out); err != nil {
		return nil, err
	}
	return &SentAnswer{true, *out}, tx.emit("MessageSent", out)
}

// hash is that of SPEC §17.3: what a message says, where it is from and where it goes.
func (m *Message) hash(chain tbsi.Chain, channel, mspID string) tbsi.Hash {
	text := []byte("TBSI-FABRIC-MESSAGE-1")
	text = binary.BigEndian.AppendUint64(text, chain.ChainID)
	text = append(text, chain.GenesisHash[:]...)
	for _, it := range []string{channel, mspID} {
		text = binary.BigEndian.AppendUint16(text, uint16(len(it)))
		text = append(text, it...)
	}
	text = binary.BigEndian.AppendUint64(text, m.Sequence)
	text = append(text, m.Receiver[:]...)
	text = binary.BigEndian.AppendUint64(text, m.TimeoutSeconds)
	text = append(text, m.PayloadHash[:]...)
	return sha256.Sum256(text)
}

// GetOutboxEntry shows a message that is on the ledger under the nonce of who wants it endorsed;
// it writes nothing: evaluate it at peers of as many organisations as the policy asks for.
func (tx *transaction) GetOutboxEntry(in Entry) (*OutboxEntry, error) {
	config, _, err := tx.config()
	if err != nil {
		return nil, err
	}
	if err = tx.requireOpen(scopeMessages); err != nil {
		return nil, err
	}
	found := &Sent{}
	ok, err := tx.get(key(kindMessage, in.MSPID, number(in.Sequence)), found)
	if err != nil {
		return nil, err
	}
	if !ok {
		const text = "%s has sent no message with number %d"
		return nil, refuse(StatusArgument, "OutboxUnknown", text, in.MSPID, in.Sequence)
	}
	return &OutboxEntry{
		ChainID: config.ChainID, Channel: tx.stub.GetChannelID(), GenesisHash: config.GenesisHash,
		Message: *found, Nonce: in.Nonce.String(),
	}, nil
}
