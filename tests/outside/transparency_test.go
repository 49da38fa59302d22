package outside

import (
	"errors"
	"testing"

	"github.com/transparency-dev/formats/log"
	formats "github.com/transparency-dev/formats/note"
	tlogproof "github.com/transparency-dev/formats/proof"
	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
)

// The vectors again, with transparency-dev's libraries.

var errMissing = errors.New("a signature is missing")

func bytesOf(list []hexBytes) [][]byte {
	var result [][]byte
	for _, bytes := range list {
		result = append(result, bytes)
	}
	return result
}

func TestTreesAndProofsWithMerkle(t *testing.T) {
	loaded, hasher := load(t), rfc6962.DefaultHasher
	factory := compact.RangeFactory{Hash: hasher.HashChildren}
	for _, tree := range loaded.Trees {
		whole := factory.NewEmptyRange(0)
		for index := range tree.Size {
			if err := whole.Append(hasher.HashLeaf(leaf(index)), nil); err != nil {
				t.Fatal(err)
			}
		}
		root, err := whole.GetRootHash(nil)
		if tree.Size == 0 {
			root = hasher.EmptyRoot()
		}
		if err != nil || string(root) != string(tree.Root) {
			t.Errorf("size %d: root %x, %v", tree.Size, root, err)
		}
	}
	for _, c := range loaded.Inclusion {
		index, size, hash := uint64(c.Index), uint64(c.Size), hasher.HashLeaf(leaf(c.Index))
		err := proof.VerifyInclusion(hasher, index, size, hash, bytesOf(c.Proof), c.Root)
		if err != nil {
			t.Errorf("%d of %d: %v", c.Index, c.Size, err)
		}
		hash[0] ^= 1
		if proof.VerifyInclusion(hasher, index, size, hash, bytesOf(c.Proof), c.Root) == nil {
			t.Errorf("%d of %d: another leaf is accepted", c.Index, c.Size)
		}
	}
	for _, c := range loaded.Consistency {
		verify := func() error {
			first, second, hashes := uint64(c.First), uint64(c.Second), bytesOf(c.Proof)
			return proof.VerifyConsistency(hasher, first, second, hashes, c.FirstRoot, c.SecondRoot)
		}
		if err := verify(); err != nil {
			t.Errorf("%d to %d: %v", c.First, c.Second, err)
		}
		c.FirstRoot[0] ^= 1
		if verify() == nil {
			t.Errorf("%d to %d: another root is accepted", c.First, c.Second)
		}
	}
}

// checkpoint opens a note with all keys, cosigners' included.
func checkpoint(loaded vectors, text string) (*log.Checkpoint, error) {
	key, err := formats.NewVerifier(loaded.Keys.Log)
	if err != nil {
		return nil, err
	}
	var others []note.Verifier
	for _, vkey := range loaded.Keys.Cosigners {
		other, err := formats.NewVerifierForCosignatureV1(vkey)
		if err != nil {
			return nil, err
		}
		others = append(others, other)
	}
	read, _, opened, err := log.ParseCheckpoint([]byte(text), key.Name(), key, others...)
	if err == nil && len(opened.Sigs) != 1+len(others) {
		err = errMissing
	}
	return read, err
}

func TestNotesAndTlogProofsWithFormats(t *testing.T) {
	loaded, hasher := load(t), rfc6962.DefaultHasher
	for _, c := range loaded.Notes {
		read, err := checkpoint(loaded, c.Text)
		if (err == nil) != (c.Refused == "") {
			t.Errorf("%s: %v", c.Name, err)
		}
		last := loaded.Trees[len(loaded.Trees)-1]
		if err == nil && (int64(read.Size) != last.Size || string(read.Hash) != string(last.Root)) {
			t.Errorf("%s: size %d, root %x", c.Name, read.Size, read.Hash)
		}
	}
	verify := func(text string) error {
		var read tlogproof.TLogProof
		if err := read.Unmarshal([]byte(text)); err != nil {
			return err
		}
		under, err := checkpoint(loaded, string(read.Checkpoint))
		if err != nil {
			return err
		}
		var hashes [][]byte
		for _, hash := range read.Hashes {
			hashes = append(hashes, hash[:])
		}
		leaf := hasher.HashLeaf(leaf(137))
		return proof.VerifyInclusion(hasher, read.Index, under.Size, leaf, hashes, under.Hash)
	}
	for _, c := range loaded.TlogProofs {
		if err := verify(c.Text); (err == nil) != (c.Refused == "") {
			t.Errorf("%s: %v", c.Name, err)
		}
	}
}
