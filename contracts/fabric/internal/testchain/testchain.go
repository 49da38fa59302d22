// Package testchain makes, for tests, what a TBSI chain would have signed: checkpoints, decisions,
// a log. Its keys are those of tests/vectors/light_client.json, or made from a number.
package testchain

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	"golang.org/x/crypto/sha3"

	tbsi "tbsi.invalid/sdk"
)

// StartMs is the time of block 0 of the vectors' chain.
const StartMs = 1_700_000_000_000

// Set is a validator set and its secret keys, in address order.
type Set struct {
	Encoded []byte
	Hash    tbsi.Hash
	keys    []*secp256k1.PrivateKey
}

// Chain is a network and some sets by name.
type Chain struct {
	tbsi.Chain
	Sets map[string]*Set
}

// Load reads the vectors; `root` is the way to the repository's root.
func Load(root string) (*Chain, error) {
	data, err := os.ReadFile(root + "/tests/vectors/light_client.json")
	if err != nil {
		return nil, err
	}
	var vectors struct {
		ChainID     uint64
		GenesisHash string
		Sets        []struct {
			Name, Encoded string
			Validators    []struct{ SecretKey string }
		}
	}
	if err = json.Unmarshal(data, &vectors); err != nil {
		return nil, err
	}
	genesis, err := Bytes(vectors.GenesisHash)
	if err != nil {
		return nil, err
	}
	found := &Chain{tbsi.Chain{ChainID: vectors.ChainID, GenesisHash: tbsi.Hash(genesis)}, map[string]*Set{}}
	for _, it := range vectors.Sets {
		encoded, err := Bytes(it.Encoded)
		if err != nil {
			return nil, err
		}
		set := &Set{Encoded: encoded, Hash: tbsi.SetHash(encoded)}
		for _, validator := range it.Validators {
			secret, err := Bytes(validator.SecretKey)
			if err != nil {
				return nil, err
			}
			set.keys = append(set.keys, secp256k1.PrivKeyFromBytes(secret))
		}
		found.Sets[it.Name] = set
	}
	return found, nil
}

// Bytes reads 0x-hex.
func Bytes(text string) ([]byte, error) { return hex.DecodeString(strings.TrimPrefix(text, "0x")) }

// Equal is a set of `count` validators of equal power with keys made from numbers.
func Equal(count int) *Set {
	type member struct {
		address []byte
		key     *secp256k1.PrivateKey
	}
	members := make([]member, 0, count)
	for i := range count {
		secret := sha256.Sum256(fmt.Appendf(nil, "testchain validator %d", i))
		key := secp256k1.PrivKeyFromBytes(secret[:])
		hasher := sha3.NewLegacyKeccak256()
		hasher.Write(key.PubKey().SerializeUncompressed()[1:])
		members = append(members, member{hasher.Sum(nil)[12:], key})
	}
	slices.SortFunc(members, func(a, b member) int { return bytes.Compare(a.address, b.address) })
	set := &Set{Encoded: binary.BigEndian.AppendUint16(nil, uint16(count))}
	for position, it := range members {
		operator := tbsi.OperatorID(names(position))
		set.Encoded = append(set.Encoded, it.address...)
		set.Encoded = binary.BigEndian.AppendUint64(set.Encoded, 1)
		set.Encoded = append(set.Encoded, operator[:]...)
		set.keys = append(set.keys, it.key)
	}
	set.Hash = tbsi.SetHash(set.Encoded)
	return set
}

// Count is the number of validators.
func (s *Set) Count() int { return len(s.keys) }

// First gives positions from 0.
func First(count int) []int {
	positions := make([]int, count)
	for i := range positions {
		positions[i] = i
	}
	return positions
}

// Quorum gives as many positions as a quorum of equal powers needs.
func (s *Set) Quorum() []int { return First(2*s.Count()/3 + 1) }

// At is a checkpoint of a height, a second for each: set and next set are the given one, the log
// is `log`.
func (c *Chain) At(height uint64, set *Set, log *Log) tbsi.Checkpoint {
	return tbsi.Checkpoint{
		ChainID: c.ChainID, Height: height, TimeMs: StartMs + 1000*height,
		BlockHash: tbsi.Hash{1}, StateRoot: tbsi.Hash{2}, LogSize: uint64(len(log.Leaves)),
		LogRoot: log.Root(), ValidatorSetHash: set.Hash, NextValidatorSetHash: set.Hash,
	}
}

// Decide is the decision of some of a set's validators, in the form of SPEC §14.2.
func (c *Chain) Decide(at tbsi.Checkpoint, set *Set, positions []int, round uint32) []byte {
	digest := at.Digest(c.Chain)
	vote := append([]byte("TBSI-VOTE-1"), binary.BigEndian.AppendUint64(nil, c.ChainID)...)
	vote = append(append(vote, c.GenesisHash[:]...), 2)
	vote = binary.BigEndian.AppendUint64(vote, at.Height)
	vote = binary.BigEndian.AppendUint32(vote, round)
	vote = append(append(vote, 1), digest[:]...)
	hash := sha256.Sum256(vote)
	var signers [16]byte
	var signatures []byte
	for _, position := range positions {
		signers[15-position/8] |= 1 << (position % 8)
		compact := ecdsa.SignCompact(set.keys[position], hash[:], false)
		signatures = append(append(signatures, compact[1:]...), compact[0])
	}
	out := binary.BigEndian.AppendUint32(at.Encode(), round)
	return append(append(out, signers[:]...), signatures...)
}

// Log is a log of leaves.
type Log struct{ Leaves [][]byte }

// Attest appends an attestation of some digest, at a height of the chain.
func (l *Log) Attest(chain *Chain, height uint64) {
	leaf := []byte{1, 1}
	leaf = binary.BigEndian.AppendUint64(leaf, chain.ChainID)
	number := func(value uint64, length int) {
		leaf = append(leaf, binary.BigEndian.AppendUint64(nil, value)[8-length:]...)
	}
	number(height, 6)
	number(StartMs+1000*height, 6)
	number(0, 3)
	number(uint64(len(l.Leaves)), 3)
	leaf = append(leaf, bytes.Repeat([]byte{0xaa}, 20)...)
	leaf = append(leaf, bytes.Repeat([]byte{0x5c}, 32)...)
	leaf = binary.BigEndian.AppendUint32(leaf, 0x12)
	digest := sha256.Sum256(fmt.Appendf(nil, "document %d", len(l.Leaves)))
	leaf = append(append(leaf, 32), digest[:]...)
	l.Leaves = append(l.Leaves, leaf)
}

// Root is the root of all leaves.
func (l *Log) Root() tbsi.Hash { return rootOf(l.Leaves) }

// Path is the inclusion proof of a leaf, under all leaves.
func (l *Log) Path(index int) []tbsi.Hash { return pathOf(l.Leaves, index) }

func rootOf(leaves [][]byte) tbsi.Hash {
	switch len(leaves) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return tbsi.LeafHash(leaves[0])
	}
	middle := split(len(leaves))
	left, right := rootOf(leaves[:middle]), rootOf(leaves[middle:])
	return sha256.Sum256(append(append([]byte{1}, left[:]...), right[:]...))
}

func pathOf(leaves [][]byte, index int) []tbsi.Hash {
	if len(leaves) <= 1 {
		return nil
	}
	middle := split(len(leaves))
	if index < middle {
		return append(pathOf(leaves[:middle], index), rootOf(leaves[middle:]))
	}
	return append(pathOf(leaves[middle:], index-middle), rootOf(leaves[:middle]))
}

// split is the largest power of two below a size.
func split(size int) int {
	middle := 1
	for 2*middle < size {
		middle *= 2
	}
	return middle
}
