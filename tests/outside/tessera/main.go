// Command tessera checks an attestation log with transparency-dev's libraries: formats reads
// notes and proofs, tessera's client makes proofs from tiles, merkle verifies them.
//
//	go run ./tessera PLACE VKEY OLDNOTE
//
// PLACE is the URL of the log, such as http://127.0.0.1:8545/log, or a directory with a copy;
// VKEY its key; OLDNOTE a file with an earlier checkpoint of it. It verifies both notes; that
// the log extends the earlier one, as tessera's tracker does; every leaf against the tiles;
// the root from the leaves alone; and the .tlog-proof of the last leaf. Then it repeats all
// that with one bit of one tile, leaf or note flipped, which must fail.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/transparency-dev/formats/log"
	formats "github.com/transparency-dev/formats/note"
	tlogproof "github.com/transparency-dev/formats/proof"
	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api/layout"
	"github.com/transparency-dev/tessera/client"
	"golang.org/x/mod/sumdb/note"
	"tbsi.example/outside/source"
)

type checker struct {
	key note.Verifier
	old []byte
}

// files is a log as tessera's client wants it.
type files struct{ *source.Source }

func (f files) ReadCheckpoint(context.Context) ([]byte, error) {
	return f.Get(layout.CheckpointPath)
}

func (f files) ReadTile(_ context.Context, level, index uint64, width uint8) ([]byte, error) {
	return f.Get(layout.TilePath(level, index, width))
}

func (f files) ReadEntryBundle(_ context.Context, index uint64, width uint8) ([]byte, error) {
	return f.Get(layout.EntriesPath(index, width))
}

func (c checker) check(read *source.Source) error {
	ctx, f := context.Background(), files{read}
	consensus := client.UnilateralConsensus(f.ReadCheckpoint)
	tracker, err := client.NewLogStateTracker(ctx, f.ReadTile, c.old, c.key, c.key.Name(), consensus)
	if err != nil {
		return fmt.Errorf("earlier checkpoint: %w", err)
	}
	before := tracker.Latest()
	if _, _, _, err := tracker.Update(ctx); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	now := tracker.Latest()
	if now.Size <= before.Size {
		return fmt.Errorf("a log of %d leaves, %d before", now.Size, before.Size)
	}
	leaves, err := readLeaves(ctx, f, now.Size)
	if err != nil {
		return err
	}
	if err := checkLeaves(ctx, f, now, leaves); err != nil {
		return err
	}
	return c.checkProof(f, leaves)
}

func readLeaves(ctx context.Context, f files, size uint64) ([][]byte, error) {
	var leaves [][]byte
	for index := uint64(0); uint64(len(leaves)) < size; index++ {
		bundle, err := client.GetEntryBundle(ctx, f.ReadEntryBundle, index, size)
		if err != nil {
			return nil, err
		}
		if len(bundle.Entries) == 0 {
			return nil, fmt.Errorf("bundle %d is empty", index)
		}
		leaves = append(leaves, bundle.Entries...)
	}
	if uint64(len(leaves)) != size {
		return nil, fmt.Errorf("%d leaves instead of %d", len(leaves), size)
	}
	return leaves, nil
}

// checkLeaves verifies each leaf with a proof from tiles, and all of them without any tile.
func checkLeaves(ctx context.Context, f files, now log.Checkpoint, leaves [][]byte) error {
	hasher := rfc6962.DefaultHasher
	builder, err := client.NewProofBuilder(ctx, now.Size, f.ReadTile)
	if err != nil {
		return err
	}
	whole := (&compact.RangeFactory{Hash: hasher.HashChildren}).NewEmptyRange(0)
	for index, leaf := range leaves {
		hash := hasher.HashLeaf(leaf)
		inclusion, err := builder.InclusionProof(ctx, uint64(index))
		if err != nil {
			return err
		}
		err = proof.VerifyInclusion(hasher, uint64(index), now.Size, hash, inclusion, now.Hash)
		if err != nil {
			return fmt.Errorf("leaf %d: %w", index, err)
		}
		if err := whole.Append(hash, nil); err != nil {
			return err
		}
	}
	root, err := whole.GetRootHash(nil)
	if err != nil {
		return err
	}
	if !bytes.Equal(root, now.Hash) {
		return fmt.Errorf("the leaves lead to root %x, signed is %x", root, now.Hash)
	}
	return nil
}

// checkProof verifies the .tlog-proof of the last leaf, which stands under a note of its own.
func (c checker) checkProof(f files, leaves [][]byte) error {
	index := uint64(len(leaves) - 1)
	text, err := f.Get(fmt.Sprintf("proof/%d.tlog-proof", index))
	if err != nil {
		return err
	}
	var read tlogproof.TLogProof
	if err := read.Unmarshal(text); err != nil {
		return err
	}
	covering, _, _, err := log.ParseCheckpoint(read.Checkpoint, c.key.Name(), c.key)
	if err != nil {
		return fmt.Errorf("proof: %w", err)
	}
	if read.Index != index {
		return fmt.Errorf("proof of leaf %d instead of %d", read.Index, index)
	}
	var hashes [][]byte
	for _, hash := range read.Hashes {
		hashes = append(hashes, hash[:])
	}
	hasher := rfc6962.DefaultHasher
	leaf := hasher.HashLeaf(leaves[index])
	return proof.VerifyInclusion(hasher, index, covering.Size, leaf, hashes, covering.Hash)
}

// checkOther wants the log to extend an earlier state with a root that is not the log's.
func (c checker) checkOther(place string) error {
	ctx, f := context.Background(), files{source.Open(place, "")}
	old, _, _, err := log.ParseCheckpoint(c.old, c.key.Name(), c.key)
	if err != nil {
		return err
	}
	now, _, _, err := client.FetchCheckpoint(ctx, f.ReadCheckpoint, c.key, c.key.Name())
	if err != nil {
		return err
	}
	builder, err := client.NewProofBuilder(ctx, now.Size, f.ReadTile)
	if err != nil {
		return err
	}
	hashes, err := builder.ConsistencyProof(ctx, old.Size, now.Size)
	if err != nil {
		return err
	}
	hasher := rfc6962.DefaultHasher
	verify := func() error {
		return proof.VerifyConsistency(hasher, old.Size, now.Size, hashes, old.Hash, now.Hash)
	}
	if err := verify(); err != nil {
		return err
	}
	old.Hash[0] ^= 1
	if verify() == nil {
		return errors.New("an earlier root that is not this log's was accepted")
	}
	fmt.Printf("%d leaves of %s, which extend %d\n", now.Size, c.key.Name(), old.Size)
	fmt.Println("refused another history")
	return nil
}

func run(arguments []string) error {
	if len(arguments) != 3 {
		return errors.New("usage: tessera PLACE VKEY OLDNOTE")
	}
	key, err := formats.NewVerifier(arguments[1])
	if err != nil {
		return err
	}
	old, err := os.ReadFile(arguments[2])
	if err != nil {
		return err
	}
	checked := checker{key, old}
	if err := source.FlipEach(arguments[0], checked.check); err != nil {
		return err
	}
	return checked.checkOther(arguments[0])
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
