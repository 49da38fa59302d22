package tbsi

import (
	"errors"
	"fmt"
)

// Anchor is what a verifier trusts: who decides heights of a network, from a certain one on.
type Anchor struct {
	chain         Chain
	height        uint64
	timeMs        uint64
	digest        *Hash
	setHash, next Hash
}

// AnchorOfSet trusts a validator set until the first handover that a bundle shows. Of a genesis
// file, these are its hash, the hash of its validator set and its time.
func AnchorOfSet(chain Chain, setHash Hash, timeMs uint64) Anchor {
	return Anchor{chain: chain, timeMs: timeMs, setHash: setHash, next: setHash}
}

// AnchorOf trusts a checkpoint above genesis.
func AnchorOf(genesisHash Hash, checkpoint *Checkpoint) Anchor {
	return anchorAfter(Chain{checkpoint.ChainID, genesisHash}, checkpoint)
}

func anchorAfter(chain Chain, at *Checkpoint) Anchor {
	digest := at.digest(chain)
	return Anchor{chain, at.Height, at.TimeMs, &digest, at.ValidatorSetHash, at.NextValidatorSetHash}
}

// Decision is a checkpoint that a quorum of named validators decided.
type Decision struct {
	Checkpoint        Checkpoint
	Digest            Hash
	Signers           []Validator
	Power, TotalPower uint64
}

func (a *Anchor) checkNotForked(at *Checkpoint) error {
	if at.Height != a.height || (a.digest != nil && *a.digest == at.digest(a.chain)) {
		return nil
	}
	return refuse(fork, "checkpoint of height %d is not the one that is trusted for this height", at.Height)
}

// checkPlace: chain, height and time of what comes after the anchor, or is it.
func (a *Anchor) checkPlace(at *Checkpoint) error {
	switch {
	case at.ChainID != a.chain.ChainID:
		return refuse(other, "checkpoint is of chain id %d, trusted is %d", at.ChainID, a.chain.ChainID)
	case at.Height == 0:
		return refuse(other, "checkpoint height is 0, which validators never decide")
	case at.Height < a.height:
		return refuse(before, "checkpoint is of height %d, before the trusted height %d", at.Height, a.height)
	case at.Height == a.height:
		return a.checkNotForked(at)
	case at.TimeMs <= a.timeMs:
		return refuse(other, "checkpoint time is %d ms, it must be after %d ms", at.TimeMs, a.timeMs)
	}
	return nil
}

// extend verifies a decision as following from the anchor; what follows from it in turn.
func (a *Anchor) extend(of *decision, members *set) (Anchor, Decision, error) {
	none := func(err error) (Anchor, Decision, error) { return Anchor{}, Decision{}, err }
	at, cert := &of.checkpoint, &of.certificate
	if err := a.checkPlace(at); err != nil {
		return none(err)
	}
	expected := a.next
	if at.Height == a.height {
		expected = a.setHash
	}
	if at.ValidatorSetHash != expected {
		const text = "checkpoint names validator set %s, trusted is %s; the proof lacks a handover, " +
			"or the set was never handed over to"
		return none(refuse(validatorSet, text, at.ValidatorSetHash, expected))
	}
	if members.hash != expected {
		const text = "validators and names have hash %s, the checkpoint names validator set %s"
		return none(refuse(other, text, members.hash, expected))
	}
	if cert.height != at.Height {
		const text = "checkpoint is of height %d, the certificate of height %d"
		return none(refuse(other, text, at.Height, cert.height))
	}
	digest := at.digest(a.chain)
	if digest != cert.digest {
		return none(refuse(other, "checkpoint has digest %s, the certificate decides %s", digest, cert.digest))
	}
	signers, power, err := countQuorum(a.chain, members, cert)
	if err != nil {
		return none(err)
	}
	return anchorAfter(a.chain, at), Decision{*at, digest, signers, power, members.total}, nil
}

// handoverError says which handover fails, from 1.
type handoverError struct {
	number int
	cause  error
}

func (e *handoverError) Error() string { return fmt.Sprintf("handover %d: %s", e.number, e.cause) }
func (e *handoverError) Unwrap() error { return e.cause }

// follow goes from the anchor through handovers; those that lie before it are passed over.
func (a Anchor) follow(handovers []handover, last *set) (Anchor, [][2]Decision, error) {
	trusted, verified := a, [][2]Decision{}
	for i := range handovers {
		it, next := &handovers[i], last
		if i+1 < len(handovers) {
			next = handovers[i+1].validators
		}
		fail := func(err error) (Anchor, [][2]Decision, error) {
			return Anchor{}, nil, &handoverError{i + 1, err}
		}
		if len(verified) == 0 && it.first.checkpoint.Height <= trusted.height {
			if err := trusted.checkNotForked(&it.first.checkpoint); err != nil {
				return fail(err)
			}
			continue
		}
		if err := it.check(); err != nil {
			return fail(err)
		}
		between, lastDecision, err := a.extend(&it.last, it.validators)
		if err != nil {
			return fail(err)
		}
		after, first, err := between.extend(&it.first, next)
		if err != nil {
			return fail(err)
		}
		a, verified = after, append(verified, [2]Decision{lastDecision, first})
	}
	return a, verified, nil
}

func (h *handover) check() error {
	last, first := &h.last.checkpoint, &h.first.checkpoint
	if last.ValidatorSetHash == last.NextValidatorSetHash {
		return refuse(other, "checkpoint of height %d names the same validator set for the next height", last.Height)
	}
	if first.Height != last.Height+1 {
		const text = "the new validator set's decision is of height %d, the old one's last of %d"
		return refuse(other, text, first.Height, last.Height)
	}
	return nil
}

func problemOf(err error) problem {
	var found *decisionError
	if errors.As(err, &found) {
		return found.problem
	}
	return other
}
