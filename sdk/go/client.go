package tbsi

// numberEnd bounds heights, times and sizes, as in leaves (SPEC §9.3).
const numberEnd = 1 << 48

// Head is the newest checkpoint that a light client has accepted.
type Head struct {
	Height, TimeMs, LogSize uint64
	Digest                  Hash
	// Closing says that it names another next set: only a handover may follow.
	Closing bool
}

// Client is what a light client stands on (SPEC §14.3): it takes checkpoints one after the other.
// It has no clock; who asks it says which times are too late. Methods change nothing: what they
// give stands on what was accepted.
type Client struct {
	Chain Chain
	Head  Head
	// Set decides until the next handover.
	Set *ValidatorSet
	// LatestMs is the latest time that a checkpoint may have.
	LatestMs uint64
}

// Begin is a client that begins with a checkpoint which is trusted, and the set that it names as
// the next.
func Begin(chain Chain, checkpoint, set []byte, latestMs uint64) (Client, error) {
	none := func(err error) (Client, error) { return Client{}, err }
	trusted, err := chain.ParseCheckpoint(checkpoint)
	if err != nil {
		return none(err)
	}
	if hash := SetHash(set); hash != trusted.NextValidatorSetHash {
		const text = "validator set has hash %s, the checkpoint names %s as the next"
		return none(named("LightClientValidatorSet", text, hash, trusted.NextValidatorSetHash))
	}
	members, err := ParseSet(set)
	if err != nil {
		return none(err)
	}
	client := Client{Chain: chain, Set: members, LatestMs: latestMs}
	if err = client.checkRange(trusted); err != nil {
		return none(err)
	}
	// The next set signs next, so the checkpoint is not closing.
	client.Head = Head{trusted.Height, trusted.TimeMs, trusted.LogSize, trusted.digest(chain), false}
	return client, nil
}

// Update takes a decision of the current set. `known` is the digest that was accepted for its
// height, nil if none was; the same again is no error, and false.
func (c Client) Update(of *SignedDecision, known *Hash) (Client, bool, error) {
	if known != nil && *known == of.Digest {
		return c, false, nil
	}
	if c.Head.Closing {
		return c, false, c.handoverNeeded()
	}
	if _, err := c.Set.Certify(c.Chain, of); err != nil {
		return c, false, err
	}
	if known != nil {
		const text = "height %d was accepted with digest %s, this decision has %s: submit both as misbehaviour"
		return c, false, named("LightClientConflict", text, of.Checkpoint.Height, *known, of.Digest)
	}
	if err := c.checkAhead(&of.Checkpoint); err != nil {
		return c, false, err
	}
	return c.moved(of), true, nil
}

// Handover takes the last decision of the current set, the set that it names, and that set's
// first decision, at the next height. `known` is the digest that was accepted for the height of
// the first one.
func (c Client) Handover(last *SignedDecision, set []byte, first *SignedDecision, known *Hash) (Client, bool, error) {
	fail := func(err error) (Client, bool, error) { return c, false, err }
	if known != nil && *known == first.Digest {
		return c, false, nil
	}
	after, err := c.close(last, SetHash(set))
	if err != nil {
		return fail(err)
	}
	if first.Checkpoint.Height != after.Head.Height+1 {
		const text = "the new set's first decision is of height %d, the old set's last of %d"
		return fail(named("LightClientNotAHandover", text, first.Checkpoint.Height, after.Head.Height))
	}
	if err = after.checkAhead(&first.Checkpoint); err != nil {
		return fail(err)
	}
	if after.Set, err = ParseSet(set); err != nil {
		return fail(err)
	}
	if _, err = after.Set.Certify(c.Chain, first); err != nil {
		return fail(err)
	}
	return after.moved(first), true, nil
}

// close stands on the last decision of the current set, which names the set with this hash.
func (c Client) close(last *SignedDecision, next Hash) (Client, error) {
	if _, err := c.Set.Certify(c.Chain, last); err != nil {
		return c, err
	}
	at := &last.Checkpoint
	if at.NextValidatorSetHash == at.ValidatorSetHash {
		const text = "checkpoint of height %d names no other set: bring the one that does"
		return c, named("LightClientNotAHandover", text, at.Height)
	}
	if at.NextValidatorSetHash != next {
		const text = "checkpoint of height %d names set %s as the next, given is %s"
		return c, named("LightClientValidatorSet", text, at.Height, at.NextValidatorSetHash, next)
	}
	if last.Digest == c.Head.Digest {
		return c, nil
	}
	if c.Head.Closing {
		return c, c.handoverNeeded()
	}
	if err := c.checkAhead(at); err != nil {
		return c, err
	}
	return c.moved(last), nil
}

func (c Client) handoverNeeded() error {
	const text = "the checkpoint of height %d names another next set: bring the handover that begins with it"
	return named("LightClientHandoverNeeded", text, c.Head.Height)
}

func (c Client) moved(to *SignedDecision) Client {
	at := &to.Checkpoint
	closing := at.NextValidatorSetHash != at.ValidatorSetHash
	c.Head = Head{at.Height, at.TimeMs, at.LogSize, to.Digest, closing}
	return c
}

// checkAhead refuses what is not later than the head in height and time, or shortens the log.
func (c Client) checkAhead(at *Checkpoint) error {
	head := c.Head
	if at.Height <= head.Height || at.TimeMs <= head.TimeMs || at.LogSize < head.LogSize {
		const text = "height, time and log size %d, %d ms, %d do not follow %d, %d ms, %d"
		return named("LightClientNotAhead", text, at.Height, at.TimeMs, at.LogSize, head.Height,
			head.TimeMs, head.LogSize)
	}
	return c.checkRange(at)
}

func (c Client) checkRange(at *Checkpoint) error {
	if at.Height >= numberEnd || at.TimeMs >= numberEnd || at.LogSize >= numberEnd {
		const text = "height, time and log size %d, %d ms, %d must be below 2^48"
		return named("LightClientTooLarge", text, at.Height, at.TimeMs, at.LogSize)
	}
	if at.TimeMs > c.LatestMs {
		const text = "checkpoint time is %d ms, the latest allowed is %d ms"
		return named("LightClientFuture", text, at.TimeMs, c.LatestMs)
	}
	return nil
}

// Misbehaviour is two validly signed decisions that contradict each other (SPEC §14.6).
type Misbehaviour struct {
	// In order of height.
	Earlier, Later *SignedDecision
	// Culprits signed both or, if two sets signed, the later one.
	Culprits []Address
}

// Judge finds whether two decisions, each of its set, prove misbehaviour. Heights up to `start`
// do not count: somebody else vouched for them.
func (c Chain) Judge(setA *ValidatorSet, a *SignedDecision, setB *ValidatorSet, b *SignedDecision, start uint64) (*Misbehaviour, error) {
	if _, err := setA.Certify(c, a); err != nil {
		return nil, err
	}
	if _, err := setB.Certify(c, b); err != nil {
		return nil, err
	}
	if a.Checkpoint.Height > b.Checkpoint.Height {
		a, b, setA, setB = b, a, setB, setA
	}
	if a.Checkpoint.Height <= start {
		const text = "a decision is of height %d, the client began with %d"
		return nil, named("LightClientBeforeStart", text, a.Checkpoint.Height, start)
	}
	if !contradict(a, b) {
		return nil, named("LightClientNoConflict", "the two decisions do not contradict each other")
	}
	found := &Misbehaviour{Earlier: a, Later: b}
	for position, it := range setB.members.validators {
		if b.Signers.Has(position) && (setA.Hash() != setB.Hash() || a.Signers.Has(position)) {
			found.Culprits = append(found.Culprits, it.Address)
		}
	}
	return found, nil
}

// contradict: `a` is not the later one.
func contradict(a, b *SignedDecision) bool {
	x, y := &a.Checkpoint, &b.Checkpoint
	if x.Height == y.Height {
		return a.Digest != b.Digest
	}
	return y.TimeMs <= x.TimeMs || y.LogSize < x.LogSize ||
		(y.LogSize == x.LogSize && y.LogRoot != x.LogRoot)
}
