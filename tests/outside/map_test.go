package outside

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"os"
	"testing"
)

// The map (SPEC §9.11), written from the specification alone.

const (
	depthMax = 256
	valueMax = 75
)

var empty [32]byte

type answer struct {
	depth    int
	bitmap   []byte
	siblings [][32]byte
	end      int
	otherKey [32]byte
	value    []byte
}

func entryHash(key [32]byte, value []byte) [32]byte {
	return sha256.Sum256(bytes.Join([][]byte{{2}, key[:], value}, nil))
}

func branchHash(left, right [32]byte) [32]byte {
	return sha256.Sum256(bytes.Join([][]byte{{3}, left[:], right[:]}, nil))
}

func goesRight(key [32]byte, depth int) bool {
	return key[depth/8]>>(7-depth%8)&1 == 1
}

func (a answer) isBeside(depth int) bool {
	return a.bitmap[depth/8]>>(depth%8)&1 == 1
}

// check says what is wrong with the form: there is one for each answer.
func (a answer) check(key [32]byte) error {
	if a.depth > depthMax || len(a.bitmap) != (a.depth+7)/8 {
		return errors.New("depth or length of the bitmap")
	}
	count := 0
	for bit := range 8 * len(a.bitmap) {
		if !a.isBeside(bit) {
			continue
		}
		if bit >= a.depth {
			return errors.New("a bit below the depth")
		}
		count++
	}
	if count != len(a.siblings) {
		return errors.New("number of siblings")
	}
	for _, sibling := range a.siblings {
		if sibling == empty {
			return errors.New("an empty sibling")
		}
	}
	if a.depth > 0 && !a.isBeside(a.depth-1) {
		return errors.New("too deep")
	}
	if a.end == 2 {
		if a.otherKey == key {
			return errors.New("the other entry is the key's own")
		}
		for bit := range a.depth {
			if goesRight(key, bit) != goesRight(a.otherKey, bit) {
				return errors.New("the other entry is off the path")
			}
		}
	}
	if len(a.value) > valueMax {
		return errors.New("length of the value")
	}
	return nil
}

func (a answer) root(key [32]byte) ([32]byte, error) {
	if err := a.check(key); err != nil {
		return empty, err
	}
	hash := empty
	switch a.end {
	case 1:
		hash = entryHash(key, a.value)
	case 2:
		hash = entryHash(a.otherKey, a.value)
	}
	next := len(a.siblings)
	for depth := a.depth - 1; depth >= 0; depth-- {
		sibling := empty
		if a.isBeside(depth) {
			next--
			sibling = a.siblings[next]
		}
		if goesRight(key, depth) {
			hash = branchHash(sibling, hash)
		} else {
			hash = branchHash(hash, sibling)
		}
	}
	return hash, nil
}

// rootOf is the definition: entries in the order of their keys.
func rootOf(keys [][32]byte, values [][]byte, depth int) [32]byte {
	switch len(keys) {
	case 0:
		return empty
	case 1:
		return entryHash(keys[0], values[0])
	}
	split := 0
	for split < len(keys) && !goesRight(keys[split], depth) {
		split++
	}
	left := rootOf(keys[:split], values[:split], depth+1)
	return branchHash(left, rootOf(keys[split:], values[split:], depth+1))
}

type mapVectors struct {
	Maps []struct {
		Keys, Values []hexBytes
		Root         hexBytes
	}
	Answers []struct {
		Name, Refused string
		Preimage, Key hexBytes
		Depth, End    int
		Bitmap, Value hexBytes
		Siblings      []hexBytes
		OtherKey      hexBytes
		Root          hexBytes
	}
}

func loadMap(t *testing.T) mapVectors {
	t.Helper()
	text, err := os.ReadFile("../vectors/map.json")
	if err != nil {
		t.Fatal(err)
	}
	var loaded mapVectors
	if err := json.Unmarshal(text, &loaded); err != nil {
		t.Fatal(err)
	}
	return loaded
}

func words(list []hexBytes) [][32]byte {
	var result [][32]byte
	for _, word := range list {
		result = append(result, [32]byte(word))
	}
	return result
}

func TestMapRootsFollowFromTheEntries(t *testing.T) {
	maps := loadMap(t).Maps
	for _, it := range maps {
		var values [][]byte
		for _, value := range it.Values {
			values = append(values, value)
		}
		if got := rootOf(words(it.Keys), values, 0); got != [32]byte(it.Root) {
			t.Errorf("root of %d entries is %x, not %x", len(it.Keys), got, it.Root)
		}
	}
	if len(maps) != 6 {
		t.Errorf("%d maps", len(maps))
	}
}

func TestMapAnswersAreAsTheFileSays(t *testing.T) {
	answers := loadMap(t).Answers
	refused := 0
	for _, it := range answers {
		key := [32]byte(it.Key)
		if sha256.Sum256(it.Preimage) != key {
			t.Errorf("%s: another key", it.Name)
		}
		given := answer{it.Depth, it.Bitmap, words(it.Siblings), it.End, [32]byte(it.OtherKey), it.Value}
		root, err := given.root(key)
		good := err == nil && root == [32]byte(it.Root)
		if good != (it.Refused == "") {
			t.Errorf("%s: %v, the file says %q", it.Name, err, it.Refused)
		}
		if (err == nil) != (it.Refused == "" || it.Refused == "leads to root") {
			t.Errorf("%s: %v, the file says %q", it.Name, err, it.Refused)
		}
		if !good {
			refused++
		}
	}
	if len(answers) != 42 || refused != 20 {
		t.Errorf("%d of %d answers are refused", refused, len(answers))
	}
}
