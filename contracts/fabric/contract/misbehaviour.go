package contract

import tbsi "tbsi.invalid/sdk"

// Frozen is why a client is frozen, for ever: two validly signed decisions that contradict each
// other, and who is to blame.
type Frozen struct {
	By          Party    `json:"by"`
	Culprits    []string `json:"culprits"`
	Earlier     Signed   `json:"earlier"`
	Later       Signed   `json:"later"`
	Transaction string   `json:"transaction"`
}

// Signed is a decision in short.
type Signed struct {
	Digest string `json:"digest"`
	Height uint64 `json:"height"`
	Round  uint64 `json:"round"`
}

// SubmitMisbehaviour freezes the client if both decisions are validly signed by sets that still
// count and contradict each other (SPEC §14.6). Anybody may; a pause does not hinder it.
func (tx *transaction) SubmitMisbehaviour(in Evidence) (*Frozen, error) {
	by, err := tx.named()
	if err != nil {
		return nil, err
	}
	config, chain, err := tx.config()
	if err != nil {
		return nil, err
	}
	if err = tx.requireNotFrozen(); err != nil {
		return nil, err
	}
	decision := func(setID uint64, data []byte) (*tbsi.ValidatorSet, *tbsi.SignedDecision, error) {
		set, err := tx.believable(config, setID)
		if err != nil {
			return nil, nil, err
		}
		parsed, err := chain.ParseDecision(data)
		return set, parsed, err
	}
	setA, a, err := decision(in.SetIDA, in.A)
	if err != nil {
		return nil, err
	}
	setB, b, err := decision(in.SetIDB, in.B)
	if err != nil {
		return nil, err
	}
	found, err := chain.Judge(setA, a, setB, b, config.StartHeight)
	if err != nil {
		return nil, err
	}
	out := &Frozen{
		By: by, Culprits: []string{}, Earlier: signedOf(found.Earlier), Later: signedOf(found.Later),
		Transaction: tx.stub.GetTxID(),
	}
	for _, it := range found.Culprits {
		out.Culprits = append(out.Culprits, it.String())
	}
	if err = tx.put(key(kindFrozen), out); err != nil {
		return nil, err
	}
	return out, tx.emit("MisbehaviourProven", out)
}

// believable is a set whose signatures still prove something: the current one while it is
// trusted, an earlier one for the trust period after it was replaced.
func (tx *transaction) believable(config *Config, setID uint64) (*tbsi.ValidatorSet, error) {
	head, err := tx.head()
	if err != nil {
		return nil, err
	}
	set, _, err := tx.set(setID)
	if err != nil {
		return nil, err
	}
	sinceMs := head.TimeMs
	if setID != head.SetID {
		_, next, err := tx.set(setID + 1)
		if err != nil {
			return nil, err
		}
		sinceMs = next.SinceMs
	}
	now, err := tx.nowMs()
	if err != nil {
		return nil, err
	}
	if until := sinceMs + config.TrustPeriodSeconds*1000; now > until {
		const text = "set %d counted until %d ms, the transaction is of %d ms"
		return nil, refuse(StatusState, "LightClientSetTooOld", text, setID, until, now)
	}
	if now+ClockDriftMaxMs < head.TimeMs {
		const text = "the transaction is of %d ms, the newest checkpoint of %d ms: set the client's clock"
		return nil, refuse(StatusArgument, "TransactionTime", text, now, head.TimeMs)
	}
	return set, nil
}

func signedOf(of *tbsi.SignedDecision) Signed {
	return Signed{of.Digest.String(), of.Checkpoint.Height, uint64(of.Round)}
}

func (tx *transaction) requireNotFrozen() error {
	found := &Frozen{}
	ok, err := tx.get(key(kindFrozen), found)
	if err != nil || !ok {
		return err
	}
	const text = "two decisions of heights %d and %d contradict each other, since transaction %s: open a new client"
	return refuse(StatusState, "LightClientFrozen", text, found.Earlier.Height, found.Later.Height, found.Transaction)
}
