package contract

import tbsi "tbsi.invalid/sdk"

// Accepted is a checkpoint that a transaction brought.
type Accepted struct {
	Digest string `json:"digest"`
	Height uint64 `json:"height"`
	SetID  uint64 `json:"setId"`
}

// Updated is the answer of UpdateClient, and the event CheckpointAccepted. Accepted is empty if
// all of it was accepted before.
type Updated struct {
	Accepted []Accepted `json:"accepted"`
	By       Party      `json:"by"`
	Head     Head       `json:"head"`
}

// InitClient begins with a checkpoint for which the administrators vouch, and the validator set
// that it names as the next. Once; the caller is one of the administrators that it names.
func (tx *transaction) InitClient(in Init) (*Status, error) {
	if err := tx.caller.requireAdmin(in.AdminMSPID, in.AdminUnit); err != nil {
		return nil, err
	}
	if exists, err := tx.get(key(kindConfig), &Config{}); err != nil {
		return nil, err
	} else if exists {
		const text = "this channel's client exists already: commit the chaincode under another name for another client"
		return nil, refuse(StatusState, "LightClientExists", text)
	}
	now, err := tx.nowMs()
	if err != nil {
		return nil, err
	}
	client, err := tbsi.Begin(in.Chain, in.Checkpoint, in.ValidatorSet, now+ClockDriftMaxMs)
	if err != nil {
		return nil, err
	}
	config := &Config{
		AdminMSPID: in.AdminMSPID, AdminUnit: in.AdminUnit, By: tx.caller.Party,
		ChainID: in.Chain.ChainID, GenesisHash: in.Chain.GenesisHash.String(),
		StartHeight: client.Head.Height, Strict: in.Strict, Transaction: tx.stub.GetTxID(),
		TrustPeriodSeconds: in.TrustPeriodSeconds,
	}
	if err = config.requireTrusted(client.Head.TimeMs, now); err != nil {
		return nil, err
	}
	first := &Checkpoint{
		By: tx.caller.Party, Checkpoint: hexOf(in.Checkpoint), Digest: client.Head.Digest.String(),
		SetID: 1, Signers: hexOf(make([]byte, 16)), Transaction: tx.stub.GetTxID(),
	}
	head := headOf(client, 1)
	for _, it := range []struct {
		key    string
		record any
	}{
		{key(kindConfig), config},
		{key(kindSet, number(1)), setOf(client)},
		{key(kindCheckpoint, number(head.Height)), first},
		{key(kindHead), head},
	} {
		if err = tx.put(it.key, it.record); err != nil {
			return nil, err
		}
	}
	if err = tx.emit("ClientOpened", config); err != nil {
		return nil, err
	}
	return tx.GetStatus(struct{}{})
}

// UpdateClient takes handovers in their order, then a decision of the set that is current after
// them: all or none. What was accepted before is no error.
func (tx *transaction) UpdateClient(in Update) (*Updated, error) {
	by, err := tx.named()
	if err != nil {
		return nil, err
	}
	client, setID, err := tx.liveClient()
	if err != nil {
		return nil, err
	}
	out := &Updated{Accepted: []Accepted{}, By: by}
	accept := func(of *tbsi.SignedDecision, setID uint64) error {
		it := Accepted{of.Digest.String(), of.Checkpoint.Height, setID}
		out.Accepted = append(out.Accepted, it)
		return tx.put(key(kindCheckpoint, number(it.Height)), &Checkpoint{
			By: by, Checkpoint: hexOf(of.Checkpoint.Encode()), Digest: it.Digest, SetID: setID,
			Signers: hexOf(of.Signers[:]), Transaction: tx.stub.GetTxID(),
		})
	}
	for _, it := range in.Handovers {
		after, first, err := tx.handover(client, it)
		if err != nil {
			return nil, err
		}
		if first == nil {
			continue
		}
		client, setID = after, setID+1
		if err = tx.put(key(kindSet, number(setID)), setOf(client)); err != nil {
			return nil, err
		}
		if err = accept(first, setID); err != nil {
			return nil, err
		}
	}
	if in.Decision != nil {
		decision, known, err := tx.parse(client.Chain, in.Decision)
		if err != nil {
			return nil, err
		}
		after, fresh, err := client.Update(decision, known)
		if err != nil {
			return nil, err
		}
		client = after
		if fresh {
			if err = accept(decision, setID); err != nil {
				return nil, err
			}
		}
	}
	out.Head = headOf(client, setID)
	if len(out.Accepted) == 0 {
		return out, nil
	}
	if err = tx.put(key(kindHead), &out.Head); err != nil {
		return nil, err
	}
	return out, tx.emit("CheckpointAccepted", out)
}

// handover gives the client after it and the new set's first decision; nil if that was accepted
// before.
func (tx *transaction) handover(client tbsi.Client, in Handover) (tbsi.Client, *tbsi.SignedDecision, error) {
	first, known, err := tx.parse(client.Chain, in.First)
	if err != nil {
		return client, nil, err
	}
	last, err := client.Chain.ParseDecision(in.Last)
	if err != nil {
		return client, nil, err
	}
	after, fresh, err := client.Handover(last, in.ValidatorSet, first, known)
	if err != nil || !fresh {
		return client, nil, err
	}
	return after, first, nil
}

// parse reads a decision, and the digest that was accepted for its height, if any.
func (tx *transaction) parse(chain tbsi.Chain, data []byte) (*tbsi.SignedDecision, *tbsi.Hash, error) {
	decision, err := chain.ParseDecision(data)
	if err != nil {
		return nil, nil, err
	}
	// Above, no key has the width that it needs; such a height is refused when it is judged.
	if decision.Checkpoint.Height > numberMax {
		return decision, nil, nil
	}
	accepted := &Checkpoint{}
	ok, err := tx.get(key(kindCheckpoint, number(decision.Checkpoint.Height)), accepted)
	if err != nil || !ok {
		return decision, nil, err
	}
	digest, err := hashOf(accepted.Digest)
	return decision, &digest, err
}

// liveClient is the light client, if it takes checkpoints now, and the number of its set.
func (tx *transaction) liveClient() (tbsi.Client, uint64, error) {
	none := func(err error) (tbsi.Client, uint64, error) { return tbsi.Client{}, 0, err }
	config, chain, err := tx.config()
	if err != nil {
		return none(err)
	}
	if err = tx.requireOpen(scopeUpdates); err != nil {
		return none(err)
	}
	head, err := tx.head()
	if err != nil {
		return none(err)
	}
	now, err := tx.nowMs()
	if err != nil {
		return none(err)
	}
	if err = config.requireTrusted(head.TimeMs, now); err != nil {
		return none(err)
	}
	set, _, err := tx.set(head.SetID)
	if err != nil {
		return none(err)
	}
	digest, err := hashOf(head.Digest)
	if err != nil {
		return none(err)
	}
	return tbsi.Client{
		Chain: chain, Set: set, LatestMs: now + ClockDriftMaxMs,
		Head: tbsi.Head{
			Height: head.Height, TimeMs: head.TimeMs, LogSize: head.LogSize, Digest: digest,
			Closing: head.Closing,
		},
	}, head.SetID, nil
}

// requireTrusted refuses a transaction whose time is outside the trust period of a checkpoint. A
// time before the checkpoint's, which a quorum signed, is nobody's present.
func (c *Config) requireTrusted(timeMs, now uint64) error {
	if until := timeMs + c.TrustPeriodSeconds*1000; now > until {
		const text = "the newest checkpoint was trusted until %d ms, the transaction is of %d ms: open a new client"
		return refuse(StatusState, "LightClientExpired", text, until, now)
	}
	if now+ClockDriftMaxMs < timeMs {
		const text = "the transaction is of %d ms, the newest checkpoint of %d ms: set the client's clock"
		return refuse(StatusArgument, "TransactionTime", text, now, timeMs)
	}
	return nil
}

func (tx *transaction) head() (*Head, error) {
	found := &Head{}
	ok, err := tx.get(key(kindHead), found)
	if err == nil && !ok {
		err = refuse(StatusLedger, "LedgerFailure", "a client without its newest checkpoint")
	}
	return found, err
}

// set is a validator set by its number, from 1, and when it began to decide.
func (tx *transaction) set(setID uint64) (*tbsi.ValidatorSet, *Set, error) {
	found := &Set{}
	ok, err := tx.get(key(kindSet, number(setID)), found)
	if err != nil {
		return nil, nil, err
	}
	if !ok {
		const text = "there is no validator set %d here: GetStatus has the number of the newest"
		return nil, nil, refuse(StatusArgument, "LightClientUnknownSet", text, setID)
	}
	encoded, err := bytesOf(found.Encoded)
	if err != nil {
		return nil, nil, err
	}
	set, err := tbsi.ParseSet(encoded)
	if err != nil {
		return nil, nil, damaged(key(kindSet, number(setID)), err)
	}
	return set, found, nil
}

func headOf(client tbsi.Client, setID uint64) Head {
	at := client.Head
	return Head{at.Closing, at.Digest.String(), at.Height, at.LogSize, setID, at.TimeMs}
}

func setOf(client tbsi.Client) *Set {
	return &Set{hexOf(client.Set.Encoded()), client.Head.Height, client.Head.TimeMs}
}
