// Command submit is a log that asks a witness for cosignatures, by C2SP tlog-witness, with
// golang.org/x/mod/sumdb/note and tlog:
//
//	go run ./submit key
//	go run ./submit URL SIGNERKEY WITNESSKEY
//
// The first form makes a key and prints its secret and public halves. The second form submits a
// growing log, and whatever a witness has to refuse.
package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"tbsi.example/outside/cosigner"
)

const origin = "go.example/log"

// memory is a log of its own making; its leaves are those of a branch after the tenth.
type memory []tlog.Hash

func (m memory) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var found []tlog.Hash
	for _, index := range indexes {
		found = append(found, m[index])
	}
	return found, nil
}

func grow(branch string, size int64) (memory, error) {
	var stored memory
	for index := range size {
		leaf := fmt.Sprintf("leaf %d", index)
		if index >= 10 {
			leaf += branch
		}
		added, err := tlog.StoredHashes(index, []byte(leaf), stored)
		if err != nil {
			return nil, err
		}
		stored = append(stored, added...)
	}
	return stored, nil
}

type log struct {
	url     string
	signer  note.Signer
	witness *cosigner.Key
}

// request is the body for the log of a branch.
func (l log) request(branch string, old, size int64, change func(string) string) (string, string, error) {
	stored, err := grow(branch, size)
	if err != nil {
		return "", "", err
	}
	root, err := tlog.TreeHash(size, stored)
	if err != nil {
		return "", "", err
	}
	text := change(fmt.Sprintf("%s\n%d\n%s\n", origin, size, root))
	signed, err := note.Sign(&note.Note{Text: text}, l.signer)
	if err != nil {
		return "", "", err
	}
	body := fmt.Sprintf("old %d\n", old)
	if old > 0 && old < size {
		proof, err := tlog.ProveTree(size, old, stored)
		if err != nil {
			return "", "", err
		}
		for _, hash := range proof {
			body += hash.String() + "\n"
		}
	}
	return body + "\n" + string(signed), text, nil
}

func (l log) post(body string) (int, string, string, error) {
	response, err := http.Post(l.url+"/add-checkpoint", "text/plain", strings.NewReader(body))
	if err != nil {
		return 0, "", "", err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 1<<16))
	return response.StatusCode, response.Header.Get("Content-Type"), string(answer), err
}

func same(text string) string { return text }

// extend wants a good cosignature.
func (l log) extend(old, size int64) error {
	body, text, err := l.request("", old, size, same)
	if err != nil {
		return err
	}
	status, _, answer, err := l.post(body)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("%d to %d: %d %s", old, size, status, answer)
	}
	opened, err := note.Open([]byte(text+"\n"+answer), note.VerifierList(l.witness))
	if err != nil {
		return err
	}
	if len(opened.Sigs) != 1 {
		return fmt.Errorf("%d cosignatures", len(opened.Sigs))
	}
	fmt.Printf("cosigned %d\n", size)
	return nil
}

// refused wants a status.
func (l log) refused(what string, status int, body string) error {
	got, kind, answer, err := l.post(body)
	if err != nil {
		return err
	}
	if got != status {
		return fmt.Errorf("%s: %d %s, expected %d", what, got, answer, status)
	}
	if status == http.StatusConflict && (kind != "text/x.tlog.size" || answer != "300\n") {
		return fmt.Errorf("%s: %q of type %s", what, answer, kind)
	}
	fmt.Printf("refused %s\n", what)
	return nil
}

func (l log) check() error {
	for _, step := range [][2]int64{{0, 10}, {10, 10}, {10, 257}, {257, 300}} {
		if err := l.extend(step[0], step[1]); err != nil {
			return err
		}
	}
	type bad struct {
		what     string
		status   int
		branch   string
		old, new int64
		change   func(string) string
	}
	renamed := func(text string) string { return "x" + text }
	for _, b := range []bad{
		{"a forgetful log", 409, "", 0, 310, same},
		{"a log that went back", 409, "", 10, 257, same},
		{"another log of this size", 409, " b", 300, 300, same},
		{"a fork", 422, " b", 300, 310, same},
		{"an unknown origin", 404, "", 300, 310, renamed},
		{"an old size above the new one", 400, "", 310, 300, same},
	} {
		body, _, err := l.request(b.branch, b.old, b.new, b.change)
		if err != nil {
			return err
		}
		if err := l.refused(b.what, b.status, body); err != nil {
			return err
		}
	}
	body, _, err := l.request("", 300, 310, same)
	if err != nil {
		return err
	}
	if err := l.refused("garbage", 400, "old\n"+body); err != nil {
		return err
	}
	skey, _, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		return err
	}
	stranger := l
	if stranger.signer, err = note.NewSigner(skey); err != nil {
		return err
	}
	if body, _, err = stranger.request("", 300, 310, same); err != nil {
		return err
	}
	if err := l.refused("an unknown key", 403, body); err != nil {
		return err
	}
	return l.extend(300, 310)
}

func run(arguments []string) error {
	if len(arguments) == 1 && arguments[0] == "key" {
		skey, vkey, err := note.GenerateKey(rand.Reader, origin)
		fmt.Printf("%s\n%s\n", skey, vkey)
		return err
	}
	if len(arguments) != 3 {
		return errors.New("usage: submit key | submit URL SIGNERKEY WITNESSKEY")
	}
	signer, err := note.NewSigner(arguments[1])
	if err != nil {
		return err
	}
	witness, err := cosigner.Parse(arguments[2])
	if err != nil {
		return err
	}
	return log{arguments[0], signer, witness}.check()
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
