// Command postquantum makes and checks post-quantum cosignatures (C2SP tlog-cosignature, type 6)
// with github.com/transparency-dev/formats and filippo.io/mldsa:
//
//	go run ./postquantum make > ../vectors/post_quantum.json
//	go run ./postquantum check URL NEEDED
//
// `check` takes the keys, the checkpoint and the .tlog-proof of leaf 0 that a node serves below
// URL/post-quantum/. Both must carry at least NEEDED cosignatures. Then some bits of each signature
// and each byte of the checkpoint's text are changed, one at a time, which must be refused.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"filippo.io/mldsa"
	formats "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
)

const (
	chainID = 2026
	size    = 300
	time    = 1_700_000_000
)

var genesis = bytes.Repeat([]byte{0x5a}, 32)

func origin() string { return fmt.Sprintf("tbsi/%d/%x", chainID, genesis[:8]) }

// operator commits to legal names (SPEC §3.2).
func operator(zhTW, en string) string {
	data := []byte("TBSI-OPERATOR-1")
	for _, name := range []string{zhTW, en} {
		data = binary.BigEndian.AppendUint32(data, uint32(len(name)))
		data = append(data, name...)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// signer has the key of a seed that repeats one byte.
func signer(name string, seed byte) (*formats.SubtreeSigner, string, error) {
	secret := bytes.Repeat([]byte{seed}, 32)
	key, err := mldsa.NewPrivateKey(mldsa.MLDSA44(), secret)
	if err != nil {
		return nil, "", err
	}
	public := append([]byte{6}, key.PublicKey().Bytes()...)
	sum := sha256.Sum256(append([]byte(name+"\n"), public...))
	id := binary.BigEndian.Uint32(sum[:])
	encode := base64.StdEncoding.EncodeToString
	skey := fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", name, id, encode(append([]byte{6}, secret...)))
	s, err := formats.NewMLDSASigner(skey)
	return s, fmt.Sprintf("%s+%08x+%s", name, id, encode(public)), err
}

type validator struct {
	NameZhTW string `json:"nameZhTw"`
	NameEn   string `json:"nameEn"`
	Seed     byte   `json:"seed"`
	Key      string `json:"key"`
	signer   *formats.SubtreeSigner
}

type noteCase struct {
	Name    string `json:"name"`
	Text    string `json:"text"`
	Power   int    `json:"power"`
	Refused string `json:"refused,omitempty"`
}

type vectors struct {
	Description string      `json:"description"`
	ChainID     int         `json:"chainId"`
	GenesisHash string      `json:"genesisHash"`
	Validators  []validator `json:"validators"`
	Notes       []noteCase  `json:"notes"`
	BadKeys     []string    `json:"badKeys"`
}

func line(s *formats.SubtreeSigner, signature []byte) string {
	raw := binary.BigEndian.AppendUint32(nil, s.KeyHash())
	raw = append(raw, signature...)
	return fmt.Sprintf("— %s %s\n", s.Name(), base64.StdEncoding.EncodeToString(raw))
}

func makeVectors() (*vectors, error) {
	v := &vectors{
		Description: "Post-quantum cosignatures (C2SP tlog-cosignature, type 6) by three of four " +
			"validators of power 1, made with other people's software. `seed` is the byte that the " +
			"secret key repeats. Notes with `refused` must be refused; the others carry `power`.",
		ChainID:     chainID,
		GenesisHash: "0x" + hex.EncodeToString(genesis),
	}
	names := [][2]string{{"甲公會", "Guild A"}, {"乙公會", "Guild B"}, {"", "Guild C"}, {"丁公會", "Guild D"}}
	for at, it := range names {
		name := origin() + "/" + operator(it[0], it[1])
		s, key, err := signer(name, byte(at+1))
		if err != nil {
			return nil, err
		}
		v.Validators = append(v.Validators, validator{it[0], it[1], byte(at + 1), key, s})
	}
	root := sha256.Sum256([]byte("a root"))
	text := func(origin string, size int) string {
		return fmt.Sprintf("%s\n%d\n%s\n", origin, size, base64.StdEncoding.EncodeToString(root[:]))
	}
	good := make([][]byte, len(names))
	for at := range names {
		signature, err := v.Validators[at].signer.SignSubtree(time, origin(), 0, size, root[:])
		if err != nil {
			return nil, err
		}
		good[at] = signature
	}
	subtree, err := v.Validators[0].signer.SignSubtree(0, origin(), 256, size, root[:])
	if err != nil {
		return nil, err
	}
	of := func(at int) string { return line(v.Validators[at].signer, good[at]) }
	changed := func(at, offset int, to func(byte) byte) string {
		signature := bytes.Clone(good[at])
		signature[offset] = to(signature[offset])
		return line(v.Validators[at].signer, signature)
	}
	flip := func(b byte) byte { return b ^ 1 }
	add := func(name, refused string, power int, text string, lines ...string) {
		note := text + "\n" + strings.Join(lines, "")
		v.Notes = append(v.Notes, noteCase{name, note, power, refused})
	}
	log := "— " + origin() + " " + base64.StdEncoding.EncodeToString(make([]byte, 68)) + "\n"
	body := text(origin(), size)
	add("three of four", "", 3, body, of(0), of(1), of(2))
	add("two of four", "", 2, body, of(1), of(3))
	add("beside a line of another kind", "", 1, body, log, of(0))
	add("nobody", "", 0, body, log)
	add("a bit of the signature", "does not verify", 0, body, of(0), changed(1, 8+700, flip))
	add("a bit of the time", "does not verify", 0, body, changed(1, 7, flip))
	add("a time above 2^63 - 1", "is malformed", 0, body, changed(1, 0, func(byte) byte { return 0x80 }))
	add("the signature of another name", "does not verify", 0, body, line(v.Validators[1].signer, good[0]))
	add("a signature cut short", "is malformed", 0, body, line(v.Validators[0].signer, good[0][:2427]))
	add("a signature with a byte more", "is malformed", 0, body, line(v.Validators[0].signer, append(bytes.Clone(good[0]), 0)))
	add("of a part of the tree", "does not verify", 0, body, line(v.Validators[0].signer, subtree))
	add("another size", "does not verify", 0, text(origin(), size-1), of(0))
	add("another log", "is of log", 0, text("tbsi/2026/0000000000000000", size), of(0))
	add("one key twice", "two signatures", 0, body, of(0), of(0))
	key := v.Validators[0].Key
	name, rest, _ := strings.Cut(key, "+")
	v.BadKeys = []string{
		"", name, name + "+" + rest[:8], "other.example+" + rest,
		key[:len(key)-4], key + "AAAA", name + "+00000000" + rest[8:],
		"log.example+b9e4a0b1+BO0D0zPq7WWk+bsGoOwoHhQYRkiuLFiczZmd7wLVSkfI",
	}
	return v, nil
}

func get(url string) (string, error) {
	response, err := http.Get(url)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", url, response.Status, body)
	}
	return string(body), err
}

// known reads keys, one a line, after comments.
func known(text string) ([]note.Verifier, error) {
	var keys []note.Verifier
	for _, line := range strings.Split(text, "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, err := formats.NewVerifierForCosignatureV1(line)
		if err != nil {
			return nil, fmt.Errorf("%.60s: %w", line, err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func open(message string, keys []note.Verifier) (int, error) {
	opened, err := note.Open([]byte(message), note.VerifierList(keys...))
	if err != nil {
		return 0, err
	}
	return len(opened.Sigs), nil
}

// mutate returns how many changed copies of a note were refused, all of which must be.
func mutate(message string, keys []note.Verifier) (int, error) {
	refused := 0
	refuse := func(changed string) error {
		if got, err := open(changed, keys); err == nil {
			return fmt.Errorf("accepted with %d: %.200q", got, changed)
		}
		refused++
		return nil
	}
	text, signatures, _ := strings.Cut(message, "\n\n")
	for at := range len(text) {
		changed := []byte(message)
		changed[at] ^= 1
		// Two bits of the root's last character are padding, which this decoder does not look at.
		if at == len(text)-2 {
			changed[at] ^= 1 ^ 16
		}
		if err := refuse(string(changed)); err != nil {
			return 0, err
		}
	}
	lines := strings.Split(strings.TrimSuffix(signatures, "\n"), "\n")
	for at, line := range lines {
		space := strings.LastIndex(line, " ")
		raw, err := base64.StdEncoding.DecodeString(line[space+1:])
		if err != nil {
			return 0, err
		}
		// The log's own line is Ed25519, which is not looked at here.
		if len(raw) != 4+8+mldsa.MLDSA44SignatureSize {
			continue
		}
		for bit := 8 * 4; bit < 8*len(raw); bit += 61 {
			raw[bit/8] ^= 1 << (bit % 8)
			changed := append([]string(nil), lines...)
			changed[at] = line[:space+1] + base64.StdEncoding.EncodeToString(raw)
			raw[bit/8] ^= 1 << (bit % 8)
			if err := refuse(text + "\n\n" + strings.Join(changed, "\n") + "\n"); err != nil {
				return 0, err
			}
		}
	}
	return refused, nil
}

func check(url, count string) error {
	needed, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	text, err := get(url + "/post-quantum/key")
	if err != nil {
		return err
	}
	keys, err := known(text)
	if err != nil {
		return err
	}
	message, err := get(url + "/post-quantum/checkpoint")
	if err != nil {
		return err
	}
	proof, err := get(url + "/post-quantum/0.tlog-proof")
	if err != nil {
		return err
	}
	_, covering, _ := strings.Cut(proof, "\n\n")
	for what, it := range map[string]string{"checkpoint": message, "proof": covering} {
		got, err := open(it, keys)
		if err == nil && got < needed {
			err = fmt.Errorf("%d cosignatures, %d are needed", got, needed)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	fmt.Printf("%d keys, at least %d cosignatures\n", len(keys), needed)
	refused, err := mutate(message, keys)
	if err != nil {
		return err
	}
	fmt.Printf("%d changed copies refused\n", refused)
	return nil
}

func run(arguments []string) error {
	if len(arguments) == 1 && arguments[0] == "make" {
		v, err := makeVectors()
		if err != nil {
			return err
		}
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		return encoder.Encode(v)
	}
	if len(arguments) == 3 && arguments[0] == "check" {
		return check(arguments[1], arguments[2])
	}
	return errors.New("usage: postquantum make | check URL NEEDED")
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
