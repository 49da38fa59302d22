package tbsi

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// Words of a state, by the nodes of its Merkle Patricia tries (SPEC §10.11).

// item is one of RLP, whole and without its head.
type item struct {
	raw, payload []byte
	list         bool
}

// splitItem gives the first item in its one form, and what comes after it; nil if there is none.
func splitItem(data []byte) (*item, []byte) {
	if len(data) == 0 {
		return nil, nil
	}
	first := data[0]
	if first < 0x80 {
		return &item{data[:1], data[:1], false}, data[1:]
	}
	base, list := byte(0x80), first >= 0xc0
	if list {
		base = 0xc0
	}
	from, length := 1, int(first-base)
	if length > 55 {
		size := length - 55
		// Nothing here has 2^32 bytes.
		if size > 4 || len(data) < 1+size || data[1] == 0 {
			return nil, nil
		}
		word := make([]byte, 8)
		copy(word[8-size:], data[1:1+size])
		from, length = 1+size, int(binary.BigEndian.Uint64(word))
		if length <= 55 {
			return nil, nil
		}
	}
	if length > len(data)-from {
		return nil, nil
	}
	payload := data[from : from+length]
	if !list && from == 1 && length == 1 && payload[0] < 0x80 {
		return nil, nil
	}
	return &item{data[:from+length], payload, list}, data[from+length:]
}

// wholeItem is an item with nothing after it, or nil.
func wholeItem(data []byte) *item {
	found, rest := splitItem(data)
	if found == nil || len(rest) > 0 {
		return nil
	}
	return found
}

// items are those of a list, at most `most`; nil if it is none.
func (it *item) items(most int) []*item {
	if it == nil || !it.list {
		return nil
	}
	found := []*item{}
	for rest := it.payload; len(rest) > 0; {
		if len(found) == most {
			return nil
		}
		var next *item
		if next, rest = splitItem(rest); next == nil {
			return nil
		}
		found = append(found, next)
	}
	return found
}

// text is a string's bytes.
func (it *item) text() ([]byte, bool) {
	if it == nil || it.list {
		return nil, false
	}
	return it.payload, true
}

const keyNibbles = 64

var (
	emptyTrie    = keccak([]byte{0x80})
	errTrieNode  = errors.New("no node of a trie in canonical form")
	errAccount   = errors.New("the proven account has another form than its own")
	errStateWord = errors.New("the proven value is no word without leading zeros")
)

func nibbleOf(key *Hash, at int) byte { return key[at/2] >> (4 * (1 - at%2)) & 15 }

// step is where a node leads: to a value, to the node of a hash, to one inside of it, or, with
// none of these, to nothing.
type step struct {
	value  []byte
	hash   *Hash
	inside *item
	// Of the key, which the node takes.
	nibbles int
}

func childOf(of *item) (step, bool) {
	if of.list {
		return step{inside: of}, len(of.raw) < 32
	}
	switch len(of.payload) {
	case 0:
		return step{}, true
	case 32:
		hash := Hash(of.payload)
		return step{hash: &hash}, true
	}
	return step{}, false
}

// next is the step from a node of the trie, `depth` nibbles below its root; false if it is no node.
func (it *item) next(key *Hash, depth int) (step, bool) {
	items := it.items(17)
	if len(items) == 2 {
		return shortNode(items[0], items[1], key, depth)
	}
	if len(items) != 17 || depth == keyNibbles {
		return step{}, false
	}
	found, ok := childOf(items[nibbleOf(key, depth)])
	found.nibbles = 1
	return found, ok
}

// shortNode is a leaf or an extension.
func shortNode(path, rest *item, key *Hash, depth int) (step, bool) {
	head, ok := path.text()
	if !ok || len(head) == 0 {
		return step{}, false
	}
	kind := head[0] >> 4
	if kind > 3 || (kind%2 == 0 && head[0]&15 != 0) {
		return step{}, false
	}
	var nibbles []byte
	if kind%2 == 1 {
		nibbles = append(nibbles, head[0]&15)
	}
	for _, it := range head[1:] {
		nibbles = append(nibbles, it>>4, it&15)
	}
	left, leaf := keyNibbles-depth, kind >= 2
	// An extension has a path.
	if len(nibbles) > left || (leaf && len(nibbles) != left) || (!leaf && len(nibbles) == 0) {
		return step{}, false
	}
	for at, it := range nibbles {
		if nibbleOf(key, depth+at) != it {
			return step{}, true
		}
	}
	if leaf {
		value, ok := rest.text()
		if value == nil {
			value = []byte{}
		}
		return step{value: value}, ok
	}
	found, ok := childOf(rest)
	found.nibbles = len(nibbles)
	// An extension leads somewhere.
	return found, ok && (found.hash != nil || found.inside != nil)
}

// sharedNodes lead to several words: each is stated once, in the order in which they are first
// needed.
type sharedNodes struct {
	root  Hash
	nodes [][]byte
	known map[Hash][]byte
}

func newSharedNodes(root Hash, nodes [][]byte) *sharedNodes {
	return &sharedNodes{root, nodes, map[Hash][]byte{}}
}

// word is the one in a slot of an account; 0 if there is no such account or slot.
func (s *sharedNodes) word(account Address, slot Hash) (Hash, error) {
	found, err := s.value(s.root, keccak(account[:]))
	if found == nil || err != nil {
		return Hash{}, err
	}
	storage, err := storageRoot(found)
	if err != nil {
		return Hash{}, err
	}
	encoded, err := s.value(storage, keccak(slot[:]))
	if encoded == nil || err != nil {
		return Hash{}, err
	}
	return wordOf(encoded)
}

// end: nothing is left over.
func (s *sharedNodes) end() error {
	if used := len(s.known); used != len(s.nodes) {
		return fmt.Errorf("node %d is one too many", used)
	}
	return nil
}

// value is that of a hashed key; nil if there is none.
func (s *sharedNodes) value(root, key Hash) ([]byte, error) {
	if root == emptyTrie {
		return nil, nil
	}
	data, err := s.node(root)
	if err != nil {
		return nil, err
	}
	at := wholeItem(data)
	// Each step takes a nibble at least, or ends.
	for depth := 0; ; {
		next, ok := at.next(&key, depth)
		if !ok {
			return nil, errTrieNode
		}
		depth += next.nibbles
		switch {
		case next.hash != nil:
			if data, err = s.node(*next.hash); err != nil {
				return nil, err
			}
			at = wholeItem(data)
		case next.inside != nil:
			at = next.inside
		default:
			return next.value, nil
		}
	}
}

func (s *sharedNodes) node(hash Hash) ([]byte, error) {
	if known, ok := s.known[hash]; ok {
		return known, nil
	}
	at := len(s.known)
	if at >= len(s.nodes) {
		return nil, fmt.Errorf("node %d is missing", at)
	}
	if keccak(s.nodes[at]) != hash {
		return nil, fmt.Errorf("node %d has another hash than the one above it names", at)
	}
	s.known[hash] = s.nodes[at]
	return s.nodes[at], nil
}

// storageRoot is that of an account: nonce, balance, storage root, code hash.
func storageRoot(account []byte) (Hash, error) {
	fields := wholeItem(account).items(4)
	if len(fields) != 4 {
		return Hash{}, errAccount
	}
	var texts [4][]byte
	for i, it := range fields {
		text, ok := it.text()
		if !ok {
			return Hash{}, errAccount
		}
		texts[i] = text
	}
	for i, most := range [2]int{8, 32} {
		if len(texts[i]) > most || bytes.HasPrefix(texts[i], []byte{0}) {
			return Hash{}, errAccount
		}
	}
	if len(texts[2]) != 32 || len(texts[3]) != 32 {
		return Hash{}, errAccount
	}
	return Hash(texts[2]), nil
}

// wordOf: zero is in no trie.
func wordOf(encoded []byte) (Hash, error) {
	text, ok := wholeItem(encoded).text()
	if !ok || len(text) == 0 || len(text) > 32 || text[0] == 0 {
		return Hash{}, errStateWord
	}
	var word Hash
	copy(word[32-len(text):], text)
	return word, nil
}

// mappingSlot is that of a key in the mapping at `slot` (Solidity's layout).
func mappingSlot(key []byte, slot uint64) Hash {
	var words [64]byte
	copy(words[32-len(key):32], key)
	copy(words[56:], u64(slot))
	return keccak(words[:])
}

// elementSlot is that of a list's element that begins `place` slots after its first.
func elementSlot(list Hash, place uint64) Hash {
	first := keccak(list[:])
	carry := place
	for at := len(first) - 1; at >= 0 && carry > 0; at-- {
		carry += uint64(first[at])
		first[at] = byte(carry)
		carry >>= 8
	}
	return first
}
