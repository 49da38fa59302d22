// Command served checks an attestation log that a node serves, with golang.org/x/mod/sumdb:
//
//	go run ./served PLACE VKEY OLDSIZE OLDROOT
//
// PLACE is the URL of the log, such as http://127.0.0.1:8545/log, or a directory with a copy;
// VKEY its key; OLDSIZE and OLDROOT (hex) an earlier state. It verifies the checkpoint's note, then with hashes from tiles that
// tlog.TileHashReader authenticates: each of up to 300 leaves at both ends, byte for byte as
// the entry bundles have it; that the log extends the earlier state; and that the served
// .tlog-proof of the last leaf verifies. Then it repeats all that with one bit of one tile,
// leaf or note flipped, which must fail.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"tbsi.example/outside/source"
)

const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
	leavesMax  = 300
)

// remote is a log as Go wants it.
type remote struct{ *source.Source }

func (r remote) Height() int { return tileHeight }

// ReadTiles maps Go's paths, tile/8/L/N, to those of tlog-tiles, tile/L/N.
func (r remote) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var read [][]byte
	for _, tile := range tiles {
		body, err := r.Get(strings.Replace(tile.Path(), "tile/8/", "tile/", 1))
		if err != nil {
			return nil, err
		}
		read = append(read, body)
	}
	return read, nil
}

func (r remote) SaveTiles([]tlog.Tile, [][]byte) {}

// leaf reads one entry of a bundle, which is as wide as the log has it.
func (r remote) leaf(index, size int64) ([]byte, error) {
	tile := tlog.Tile{H: tileHeight, L: -1, N: index / tileWidth, W: tileWidth}
	tile.W = int(min(tileWidth, size-tile.N*tileWidth))
	body, err := r.Get(strings.Replace(tile.Path(), "tile/8/data/", "tile/entries/", 1))
	if err != nil {
		return nil, err
	}
	for at := int64(0); ; at++ {
		if len(body) < 2 {
			return nil, fmt.Errorf("bundle %d is too short", tile.N)
		}
		length := int(binary.BigEndian.Uint16(body))
		if len(body) < 2+length {
			return nil, fmt.Errorf("bundle %d is cut", tile.N)
		}
		if at == index%tileWidth {
			return body[2 : 2+length], nil
		}
		body = body[2+length:]
	}
}

func tree(origin, text string) (tlog.Tree, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[0] != origin || lines[3] != "" {
		return tlog.Tree{}, fmt.Errorf("not a checkpoint of %s: %q", origin, text)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return tlog.Tree{}, fmt.Errorf("root %q: %v", lines[2], err)
	}
	return tlog.Tree{N: size, Hash: tlog.Hash(root)}, nil
}

type log struct {
	verifier note.Verifier
	old      tlog.Tree
}

func (l log) open(message []byte) (tlog.Tree, error) {
	opened, err := note.Open(message, note.VerifierList(l.verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	return tree(l.verifier.Name(), opened.Text)
}

func (l log) check(read *source.Source) error {
	from := remote{read}
	message, err := from.Get("checkpoint")
	if err != nil {
		return err
	}
	now, err := l.open(message)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	reader := tlog.TileHashReader(now, from)
	for index := range now.N {
		if index >= leavesMax && index < now.N-leavesMax {
			continue
		}
		if err := l.checkLeaf(from, reader, now, index); err != nil {
			return fmt.Errorf("leaf %d: %w", index, err)
		}
	}
	proof, err := tlog.ProveTree(now.N, l.old.N, reader)
	if err != nil {
		return fmt.Errorf("consistency: %w", err)
	}
	if err := tlog.CheckTree(proof, now.N, now.Hash, l.old.N, l.old.Hash); err != nil {
		return fmt.Errorf("consistency: %w", err)
	}
	if err := l.checkProof(from, now.N); err != nil {
		return err
	}
	fmt.Printf("%d leaves of %s, which extend %d\n", now.N, l.verifier.Name(), l.old.N)
	return nil
}

func (l log) checkLeaf(from remote, reader tlog.HashReader, now tlog.Tree, index int64) error {
	leaf, err := from.leaf(index, now.N)
	if err != nil {
		return err
	}
	proof, err := tlog.ProveRecord(now.N, index, reader)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(proof, now.N, now.Hash, index, tlog.RecordHash(leaf))
}

// checkProof verifies the .tlog-proof of the last leaf, which stands under a note of its own.
func (l log) checkProof(from remote, size int64) error {
	index := size - 1
	text, err := from.Get(fmt.Sprintf("proof/%d.tlog-proof", index))
	if err != nil {
		return err
	}
	head, message, _ := strings.Cut(string(text), "\n\n")
	lines := strings.Split(head, "\n")
	if len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" ||
		lines[1] != fmt.Sprintf("index %d", index) {
		return fmt.Errorf("not a proof of leaf %d: %q", index, head)
	}
	covering, err := l.open([]byte(message))
	if err != nil {
		return fmt.Errorf("proof: %w", err)
	}
	var proof tlog.RecordProof
	for _, line := range lines[2:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return err
		}
		proof = append(proof, hash)
	}
	leaf, err := from.leaf(index, size)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(proof, covering.N, covering.Hash, index, tlog.RecordHash(leaf))
}

func run(arguments []string) error {
	if len(arguments) != 4 {
		return errors.New("usage: served PLACE VKEY OLDSIZE OLDROOT")
	}
	verifier, err := note.NewVerifier(arguments[1])
	if err != nil {
		return err
	}
	size, err := strconv.ParseInt(arguments[2], 10, 64)
	if err != nil {
		return err
	}
	root, err := hex.DecodeString(arguments[3])
	if err != nil || len(root) != tlog.HashSize {
		return fmt.Errorf("OLDROOT %q: %v", arguments[3], err)
	}
	checked := log{verifier, tlog.Tree{N: size, Hash: tlog.Hash(root)}}
	if err := source.FlipEach(arguments[0], checked.check); err != nil {
		return err
	}
	wrong := checked
	wrong.old.Hash[0] ^= 1
	if wrong.check(source.Open(arguments[0], "")) == nil {
		return errors.New("an earlier root that is not this log's was accepted")
	}
	fmt.Println("refused another history")
	return nil
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
