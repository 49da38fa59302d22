// Command witness is a witness of one log, by C2SP tlog-witness, with
// golang.org/x/mod/sumdb/note and tlog:
//
//	go run ./witness key
//	go run ./witness ADDRESS SEED LOGKEY
//
// The first form prints a seed and the verifier key that belongs to it. The second form listens,
// cosigns what continues the log, says on stdout what it did, and ends with its standard input.
package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const name = "go.example/witness"

type witness struct {
	key  ed25519.PrivateKey
	log  note.Verifier
	lock sync.Mutex
	last tlog.Tree
}

// id is that of the key, and public the bytes that a verifier key holds.
func id(key ed25519.PrivateKey) (uint32, []byte) {
	public := append([]byte{4}, key.Public().(ed25519.PublicKey)...)
	sum := sha256.Sum256(append([]byte(name+"\n"), public...))
	return binary.BigEndian.Uint32(sum[:]), public
}

func parse(text string) (tlog.Tree, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		return tlog.Tree{}, errors.New("not three lines")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

// add returns status and body.
func (w *witness) add(request string) (int, string) {
	head, message, _ := strings.Cut(request, "\n\n")
	lines := strings.Split(head, "\n")
	old, err := strconv.ParseInt(strings.TrimPrefix(lines[0], "old "), 10, 64)
	if err != nil {
		return http.StatusBadRequest, err.Error()
	}
	if !strings.HasPrefix(message, w.log.Name()+"\n") {
		return http.StatusNotFound, "another origin"
	}
	opened, err := note.Open([]byte(message), note.VerifierList(w.log))
	if err != nil {
		return http.StatusForbidden, err.Error()
	}
	tree, err := parse(opened.Text)
	if err != nil || old > tree.N {
		return http.StatusBadRequest, fmt.Sprint(err)
	}
	w.lock.Lock()
	defer w.lock.Unlock()
	if old != w.last.N || old == tree.N && old > 0 && tree.Hash != w.last.Hash {
		return http.StatusConflict, fmt.Sprintf("%d\n", w.last.N)
	}
	var proof tlog.TreeProof
	for _, line := range lines[1:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return http.StatusBadRequest, err.Error()
		}
		proof = append(proof, hash)
	}
	if old == 0 && len(proof) > 0 {
		return http.StatusUnprocessableEntity, "a proof from nothing"
	}
	if old > 0 {
		err := tlog.CheckTree(proof, tree.N, tree.Hash, old, w.last.Hash)
		if err != nil {
			return http.StatusUnprocessableEntity, err.Error()
		}
	}
	w.last = tree
	return http.StatusOK, w.cosign(opened.Text)
}

func (w *witness) cosign(text string) string {
	now := uint64(time.Now().Unix())
	signature := ed25519.Sign(w.key, fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", now, text))
	keyID, _ := id(w.key)
	bytes := binary.BigEndian.AppendUint32(nil, keyID)
	bytes = binary.BigEndian.AppendUint64(bytes, now)
	bytes = append(bytes, signature...)
	return fmt.Sprintf("— %s %s\n", name, base64.StdEncoding.EncodeToString(bytes))
}

func (w *witness) ServeHTTP(response http.ResponseWriter, request *http.Request) {
	if request.Method != http.MethodPost || request.URL.Path != "/prefix/add-checkpoint" {
		http.NotFound(response, request)
		return
	}
	body, err := io.ReadAll(io.LimitReader(request.Body, 1<<16))
	if err != nil {
		return
	}
	status, answer := w.add(string(body))
	if status == http.StatusConflict {
		response.Header().Set("Content-Type", "text/x.tlog.size")
	}
	response.WriteHeader(status)
	fmt.Fprint(response, answer)
	fmt.Println(status, strings.SplitN(string(body), "\n", 2)[0])
}

func run(arguments []string) error {
	if len(arguments) == 1 && arguments[0] == "key" {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return err
		}
		keyID, public := id(key)
		vkey := base64.StdEncoding.EncodeToString(public)
		fmt.Printf("%x\n%s+%08x+%s\n", key.Seed(), name, keyID, vkey)
		return nil
	}
	if len(arguments) != 3 {
		return errors.New("usage: witness key | witness ADDRESS SEED LOGKEY")
	}
	seed, err := hex.DecodeString(arguments[1])
	if err != nil || len(seed) != ed25519.SeedSize {
		return errors.New("SEED must be 32 bytes in hex")
	}
	log, err := note.NewVerifier(arguments[2])
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", arguments[0])
	if err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	w := &witness{key: ed25519.NewKeyFromSeed(seed), log: log}
	return http.Serve(listener, w)
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
