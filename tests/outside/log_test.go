// Package outside checks the vectors of the attestation log with software that is not
// TBSI's: golang.org/x/mod/sumdb, which Go itself verifies its checksum database with.
// Run it with `go test ./...` in this folder.
package outside

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"tbsi.example/outside/cosigner"
)

const tileHeight = 8

type hexBytes []byte

func (b *hexBytes) UnmarshalJSON(text []byte) error {
	var digits string
	if err := json.Unmarshal(text, &digits); err != nil {
		return err
	}
	decoded, err := hex.DecodeString(strings.TrimPrefix(digits, "0x"))
	*b = decoded
	return err
}

type vectors struct {
	Trees []struct {
		Size int64
		Root hexBytes
	}
	Inclusion []struct {
		Index, Size int64
		Root        hexBytes
		Proof       []hexBytes
	}
	Consistency []struct {
		First, Second         int64
		FirstRoot, SecondRoot hexBytes
		Proof                 []hexBytes
	}
	Tiles, EntryBundles []struct {
		Path  string
		Bytes hexBytes
	}
	Paths []struct {
		Level, Width int
		Index        int64
		Path         string
	}
	BadPaths []string
	Keys     struct {
		Log       string
		Cosigners []string
	}
	Notes, TlogProofs []struct {
		Name, Text, Refused string
	}
}

func load(t *testing.T) vectors {
	t.Helper()
	text, err := os.ReadFile("../vectors/log.json")
	if err != nil {
		t.Fatal(err)
	}
	var loaded vectors
	if err := json.Unmarshal(text, &loaded); err != nil {
		t.Fatal(err)
	}
	return loaded
}

func leaf(index int64) []byte {
	return binary.BigEndian.AppendUint64(nil, uint64(index))
}

func hash(t *testing.T, bytes []byte) tlog.Hash {
	t.Helper()
	if len(bytes) != tlog.HashSize {
		t.Fatalf("hash of %d bytes", len(bytes))
	}
	return tlog.Hash(bytes)
}

func hashes(t *testing.T, list []hexBytes) []tlog.Hash {
	t.Helper()
	var result []tlog.Hash
	for _, bytes := range list {
		result = append(result, hash(t, bytes))
	}
	return result
}

// memory is a log of its own making.
type memory []tlog.Hash

func (m memory) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var found []tlog.Hash
	for _, index := range indexes {
		found = append(found, m[index])
	}
	return found, nil
}

func grow(t *testing.T, size int64) memory {
	t.Helper()
	var stored memory
	for index := range size {
		added, err := tlog.StoredHashes(index, leaf(index), stored)
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, added...)
	}
	return stored
}

func TestTreesAndProofs(t *testing.T) {
	loaded := load(t)
	stored := grow(t, 300)
	for _, tree := range loaded.Trees {
		root, err := tlog.TreeHash(tree.Size, stored)
		if err != nil || root != hash(t, tree.Root) {
			t.Errorf("size %d: root %x, %v", tree.Size, root, err)
		}
	}
	for _, c := range loaded.Inclusion {
		proof, root := hashes(t, c.Proof), hash(t, c.Root)
		record := tlog.RecordHash(leaf(c.Index))
		if err := tlog.CheckRecord(proof, c.Size, root, c.Index, record); err != nil {
			t.Errorf("%d of %d: %v", c.Index, c.Size, err)
		}
		record[0] ^= 1
		if tlog.CheckRecord(proof, c.Size, root, c.Index, record) == nil {
			t.Errorf("%d of %d: another leaf is accepted", c.Index, c.Size)
		}
	}
	for _, c := range loaded.Consistency {
		proof, first, second := hashes(t, c.Proof), hash(t, c.FirstRoot), hash(t, c.SecondRoot)
		if err := tlog.CheckTree(proof, c.Second, second, c.First, first); err != nil {
			t.Errorf("%d to %d: %v", c.First, c.Second, err)
		}
		first[0] ^= 1
		if tlog.CheckTree(proof, c.Second, second, c.First, first) == nil {
			t.Errorf("%d to %d: another root is accepted", c.First, c.Second)
		}
	}
}

// folder serves the vectors' tiles.
type folder struct {
	tiles  map[string][]byte
	served int
}

func (f *folder) Height() int { return tileHeight }

func (f *folder) SaveTiles([]tlog.Tile, [][]byte) {}

func (f *folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range tiles {
		bytes, ok := f.tiles[path(tile)]
		if !ok {
			return nil, fmt.Errorf("no %s", path(tile))
		}
		found = append(found, bytes)
		f.served++
	}
	return found, nil
}

// path is Go's without the height, which tlog-tiles fixes.
func path(tile tlog.Tile) string {
	return strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
}

func TestTiles(t *testing.T) {
	loaded := load(t)
	served := &folder{tiles: map[string][]byte{}}
	for _, tile := range loaded.Tiles {
		served.tiles[tile.Path] = tile.Bytes
	}
	stored := grow(t, 300)
	root, err := tlog.TreeHash(300, stored)
	if err != nil {
		t.Fatal(err)
	}
	reader := tlog.TileHashReader(tlog.Tree{N: 300, Hash: root}, served)
	for index := range int64(300) {
		proof, err := tlog.ProveRecord(300, index, reader)
		if err != nil {
			t.Fatal(err)
		}
		record := tlog.RecordHash(leaf(index))
		if err := tlog.CheckRecord(proof, 300, root, index, record); err != nil {
			t.Errorf("leaf %d: %v", index, err)
		}
	}
	if served.served == 0 {
		t.Error("no tile was read")
	}
	first := loaded.Tiles[0].Path
	served.tiles[first] = bytes.Clone(served.tiles[first])
	served.tiles[first][0] ^= 1
	if _, err := tlog.ProveRecord(300, 1, reader); err == nil {
		t.Error("a tile with one bit changed is accepted")
	}
}

func TestPathsAndEntries(t *testing.T) {
	loaded := load(t)
	for _, c := range loaded.Paths {
		tile := tlog.Tile{H: tileHeight, L: c.Level, N: c.Index, W: c.Width}
		if path(tile) != c.Path {
			t.Errorf("%v: %s, expected %s", tile, path(tile), c.Path)
		}
	}
	for _, bad := range loaded.BadPaths {
		tile, err := tlog.ParseTilePath(strings.Replace(bad, "tile/", "tile/8/", 1))
		if err == nil && tile.L < 64 {
			t.Errorf("%s is accepted", bad)
		}
	}
	for _, bundle := range loaded.EntryBundles {
		tilePath := strings.Replace(bundle.Path, "entries", "0", 1)
		var expected []byte
		for rest := bundle.Bytes; len(rest) > 0; {
			length := int(binary.BigEndian.Uint16(rest))
			record := tlog.RecordHash(rest[2 : 2+length])
			expected, rest = append(expected, record[:]...), rest[2+length:]
		}
		found := false
		for _, tile := range loaded.Tiles {
			found = found || tile.Path == tilePath && bytes.Equal(tile.Bytes, expected)
		}
		if !found {
			t.Errorf("%s differs from its tile", bundle.Path)
		}
	}
}

// verify opens a note and returns size and root of its checkpoint.
func verify(loaded vectors, text string) (int64, tlog.Hash, error) {
	log, err := note.NewVerifier(loaded.Keys.Log)
	if err != nil {
		return 0, tlog.Hash{}, err
	}
	known := []note.Verifier{log}
	for _, vkey := range loaded.Keys.Cosigners {
		key, err := cosigner.Parse(vkey)
		if err != nil {
			return 0, tlog.Hash{}, err
		}
		known = append(known, key)
	}
	opened, err := note.Open([]byte(text), note.VerifierList(known...))
	if err != nil {
		return 0, tlog.Hash{}, err
	}
	if len(opened.Sigs) != len(known) {
		return 0, tlog.Hash{}, fmt.Errorf("%d signatures", len(opened.Sigs))
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != log.Name() {
		return 0, tlog.Hash{}, errors.New("another log's checkpoint")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return 0, tlog.Hash{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return size, root, err
}

func TestNotes(t *testing.T) {
	loaded := load(t)
	for _, c := range loaded.Notes {
		size, root, err := verify(loaded, c.Text)
		if (err == nil) != (c.Refused == "") {
			t.Errorf("%s: %v", c.Name, err)
		}
		last := loaded.Trees[len(loaded.Trees)-1]
		if err == nil && (size != last.Size || root != hash(t, last.Root)) {
			t.Errorf("%s: size %d, root %v", c.Name, size, root)
		}
	}
}

func TestTlogProofs(t *testing.T) {
	loaded := load(t)
	for _, c := range loaded.TlogProofs {
		err := verifyProof(loaded, c.Text)
		if (err == nil) != (c.Refused == "") {
			t.Errorf("%s: %v", c.Name, err)
		}
	}
}

// verifyProof reads a proof of leaf 137 as c2sp.org/tlog-proof says.
func verifyProof(loaded vectors, text string) error {
	head, signed, _ := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	if lines[0] != "c2sp.org/tlog-proof@v1" {
		return errors.New("another version")
	}
	lines = lines[1:]
	if strings.HasPrefix(lines[0], "extra ") {
		lines = lines[1:]
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[0], "index "), 10, 64)
	if err != nil {
		return err
	}
	var proof []tlog.Hash
	for _, line := range lines[1:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return err
		}
		proof = append(proof, hash)
	}
	size, root, err := verify(loaded, signed)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(proof, size, root, index, tlog.RecordHash(leaf(137)))
}
