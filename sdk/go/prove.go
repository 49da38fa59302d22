package tbsi

// LeafHash is the hash of a leaf's bytes (SPEC §9.1).
func LeafHash(leaf []byte) Hash { return leafHash(leaf) }

// ProveLeaf reads a leaf that is in the log of an accepted checkpoint at an index (SPEC §10.4,
// steps 2 and 3), or says with a name of SPEC §14.9 why it is not.
func ProveLeaf(leaf []byte, index uint64, path []Hash, under *Checkpoint) (*Leaf, error) {
	found, err := DecodeLeaf(leaf)
	if err != nil {
		return nil, named(nameOfLeaf(leaf), "%s", err)
	}
	if found.ChainID != under.ChainID {
		const text = "leaf is of chain id %d, the checkpoint of %d"
		return nil, named("LightClientChain", text, found.ChainID, under.ChainID)
	}
	later := found.Height > under.Height || found.TimeMs > under.TimeMs
	if later || (found.Height == under.Height) != (found.TimeMs == under.TimeMs) {
		const text = "leaf is of height %d and time %d ms, which the checkpoint of height %d cannot cover"
		return nil, named("LightClientLeafTime", text, found.Height, found.TimeMs, under.Height)
	}
	if index >= under.LogSize {
		const text = "leaf index %d is outside a log of %d leaves: take a later checkpoint"
		return nil, named("MerkleLogIndex", text, index, under.LogSize)
	}
	root, err := rootOf(leafHash(leaf), index, under.LogSize, path)
	if err != nil {
		return nil, named("MerkleLogPathLength", "%s", err)
	}
	if root != under.LogRoot {
		const text = "leaf, index and path lead to log root %s, the checkpoint has %s"
		return nil, named("LightClientLogRoot", text, root, under.LogRoot)
	}
	return found, nil
}

// nameOfLeaf says what is wrong with bytes that are no leaf.
func nameOfLeaf(leaf []byte) string {
	switch {
	case len(leaf) < 48 || len(leaf) > LeafBytesMax:
		return "LeafLength"
	case leaf[0] != 1:
		return "LeafVersion"
	case leaf[1] != 1 && layoutOf(leaf[1]) == nil:
		return "LeafKind"
	case leaf[1] == 1 && len(leaf) >= 85:
		c := &cursor{data: leaf[80:85]}
		if words := wordsPerDigest(c.uint("algorithm", 4)); c.uint("length", 1) != 32*words {
			return "LeafDigestLength"
		}
	case leaf[1] == 6 && len(leaf) == 114:
		return "LeafFlag"
	}
	return "LeafLength"
}
