package tbsi

import "unicode/utf8"

type handover struct {
	validators  *set
	last, first decision
}

type bundle struct {
	genesisHash Hash
	leaf        []byte
	leafIndex   uint64
	inclusion   []Hash
	decision    decision
	validators  *set
	handovers   []handover
}

// decodeCompact accepts the one compact form that a bundle has (SPEC §10.2).
func decodeCompact(data []byte) (*bundle, error) {
	if len(data) > BundleBytesMax {
		return nil, unreadable("proof has %d bytes, at most %d are allowed", len(data), BundleBytesMax)
	}
	c := &cursor{data: data}
	if magic := c.take("format", 4); c.err == nil && string(magic) != "TBP1" {
		return nil, unknownForm()
	}
	b := &bundle{genesisHash: c.hash("genesisHash")}
	b.leaf = c.take("leaf", c.count("leaf", LeafBytesMax))
	b.leafIndex = c.number("leafIndex")
	for range c.count("inclusionProof", InclusionHashesMax) {
		b.inclusion = append(b.inclusion, c.hash("inclusionProof"))
	}
	b.validators = takeSet(c)
	if c.err != nil {
		return nil, c.err
	}
	leaf, err := DecodeLeaf(b.leaf)
	if err != nil {
		return nil, err
	}
	chain := Chain{leaf.ChainID, b.genesisHash}
	b.decision.checkpoint = takeFacts(c, chain, b.validators.hash)
	if c.err != nil {
		return nil, c.err
	}
	at := &b.decision.checkpoint
	at.LogRoot, err = rootOf(leafHash(b.leaf), b.leafIndex, at.LogSize, b.inclusion)
	if err != nil {
		return nil, wrongForm("proof field `inclusionProof`: %s", err)
	}
	b.decision.certificate = takeCertificate(c, chain, at, b.validators)
	b.handovers = takeHandovers(c, chain, b.validators)
	c.end()
	return b, c.err
}

func unknownForm() error {
	return otherVersion("not a proof in a form that is known here; use newer software")
}

// takeSet gives a set of one member without names after a failure.
func takeSet(c *cursor) *set {
	var validators []Validator
	for range c.count("validators", ValidatorsMax) {
		it := Validator{Address: Address(c.take("address", 20)), Power: c.number("power")}
		it.NameZhTW, it.NameEn = c.text("nameZhTw", NameBytesMax), c.text("nameEn", NameBytesMax)
		validators = append(validators, it)
	}
	if c.err == nil {
		found, err := newSet(validators)
		if err == nil {
			return found
		}
		c.fail(err)
	}
	return &set{validators: make([]Validator, 1)}
}

func (c *cursor) text(field string, most int) string {
	text := c.take(field, c.count(field, most))
	if !utf8.Valid(text) {
		c.fail(wrongForm("proof field `%s` is not in canonical form", field))
	}
	return string(text)
}

// takeFacts reads a checkpoint without its log root.
func takeFacts(c *cursor, chain Chain, setHash Hash) Checkpoint {
	facts := Checkpoint{
		ChainID: chain.ChainID, Height: c.number("height"), TimeMs: c.number("timeMs"),
		BlockHash: c.hash("blockHash"), StateRoot: c.hash("stateRoot"), LogSize: c.number("logSize"),
		ValidatorSetHash: setHash, NextValidatorSetHash: setHash,
	}
	flag := c.uint("next set flag", 1)
	if flag == 1 {
		facts.NextValidatorSetHash = c.hash("nextValidatorSetHash")
	}
	if flag > 1 || (flag == 1 && c.err == nil && facts.NextValidatorSetHash == setHash) {
		c.fail(wrongForm("proof field `nextValidatorSetHash` is not in canonical form"))
	}
	return facts
}

func takeCertificate(c *cursor, chain Chain, of *Checkpoint, members *set) certificate {
	round := c.number("round")
	if round > 1<<32-1 {
		c.fail(wrongForm("proof field `round` is out of range"))
	}
	found := certificate{height: of.Height, round: uint32(round), digest: of.digest(chain)}
	flags := c.take("signers", (len(members.validators)+7)/8)
	signed := func(at int) bool { return flags[at/8]>>(at%8)&1 == 1 }
	for at := len(members.validators); at < 8*len(flags); at++ {
		if signed(at) {
			c.fail(wrongForm("proof field `signers` is not in canonical form"))
		}
	}
	for at, it := range members.validators {
		if signed(at) {
			found.signatures = append(found.signatures, signature{it.Address, c.take("signature", 65)})
		}
	}
	if c.err == nil {
		if err := found.check(); err != nil {
			c.fail(err)
		}
	}
	return found
}

func takeDecision(c *cursor, chain Chain, members *set) decision {
	found := decision{checkpoint: takeFacts(c, chain, members.hash)}
	found.checkpoint.LogRoot = c.hash("logRoot")
	found.certificate = takeCertificate(c, chain, &found.checkpoint, members)
	return found
}

// takeHandovers reads all old sets, then both decisions of each handover.
func takeHandovers(c *cursor, chain Chain, last *set) []handover {
	var handovers []handover
	for range c.count("handovers", HandoversMax) {
		handovers = append(handovers, handover{validators: takeSet(c)})
	}
	for i := range handovers {
		next := last
		if i+1 < len(handovers) {
			next = handovers[i+1].validators
		}
		if c.err != nil {
			return nil
		}
		handovers[i].last = takeDecision(c, chain, handovers[i].validators)
		handovers[i].first = takeDecision(c, chain, next)
	}
	return handovers
}
