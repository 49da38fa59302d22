// Command cosigned checks the cosignatures of a log that a node serves, with
// golang.org/x/mod/sumdb/note:
//
//	go run ./cosigned URL NEEDED LOGKEY COSIGNERKEY...
//
// The checkpoint and the .tlog-proof of leaf 0 must carry the log's signature and those of at
// least NEEDED cosigners. Then each bit of each signature and each byte of the checkpoint's text
// is changed, one at a time, which must be refused.
package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"tbsi.example/outside/cosigner"
)

type trusted struct {
	log       note.Verifier
	cosigners []note.Verifier
	needed    int
}

// open counts the cosignatures of a note that the log signed.
func (t trusted) open(message string) (int, error) {
	known := note.VerifierList(append([]note.Verifier{t.log}, t.cosigners...)...)
	opened, err := note.Open([]byte(message), known)
	if err != nil {
		return 0, err
	}
	signed := false
	for _, signature := range opened.Sigs {
		signed = signed || signature.Hash == t.log.KeyHash()
	}
	if !signed || !strings.HasPrefix(opened.Text, t.log.Name()+"\n") {
		return 0, errors.New("not a checkpoint of this log")
	}
	got := len(opened.Sigs) - 1
	if got < t.needed {
		return got, fmt.Errorf("%d cosignatures, %d are needed", got, t.needed)
	}
	return got, nil
}

// mutate returns how many changed copies of a note were refused, all of which must be.
func (t trusted) mutate(message string) (int, error) {
	text, signatures, _ := strings.Cut(message, "\n\n")
	refused := 0
	refuse := func(changed string) error {
		if _, err := t.open(changed); err == nil {
			return fmt.Errorf("accepted: %q", changed)
		}
		refused++
		return nil
	}
	for at := range len(text) {
		changed := []byte(message)
		changed[at] ^= 1
		if err := refuse(string(changed)); err != nil {
			return 0, err
		}
	}
	lines := strings.Split(strings.TrimSuffix(signatures, "\n"), "\n")
	for at, line := range lines {
		space := strings.LastIndex(line, " ")
		bytes, err := base64.StdEncoding.DecodeString(line[space+1:])
		if err != nil {
			return 0, err
		}
		// Behind the key's id, which says whose signature it is meant to be.
		for bit := 8 * 4; bit < 8*len(bytes); bit++ {
			bytes[bit/8] ^= 1 << (bit % 8)
			changed := append([]string(nil), lines...)
			changed[at] = line[:space+1] + base64.StdEncoding.EncodeToString(bytes)
			bytes[bit/8] ^= 1 << (bit % 8)
			note := text + "\n\n" + strings.Join(changed, "\n") + "\n"
			if err := refuse(note); err != nil {
				return 0, err
			}
		}
	}
	return refused, nil
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

func run(arguments []string) error {
	if len(arguments) < 4 {
		return errors.New("usage: cosigned URL NEEDED LOGKEY COSIGNERKEY...")
	}
	needed, err := strconv.Atoi(arguments[1])
	if err != nil {
		return err
	}
	log, err := note.NewVerifier(arguments[2])
	if err != nil {
		return err
	}
	t := trusted{log: log, needed: needed}
	for _, vkey := range arguments[3:] {
		key, err := cosigner.Parse(vkey)
		if err != nil {
			return fmt.Errorf("%s: %w", vkey, err)
		}
		t.cosigners = append(t.cosigners, key)
	}
	message, err := get(arguments[0] + "/checkpoint")
	if err != nil {
		return err
	}
	got, err := t.open(message)
	if err != nil {
		return err
	}
	fmt.Printf("%d cosignatures\n", got)
	proof, err := get(arguments[0] + "/proof/0.tlog-proof")
	if err != nil {
		return err
	}
	_, covering, _ := strings.Cut(proof, "\n\n")
	if got, err = t.open(covering); err != nil {
		return fmt.Errorf("proof: %w", err)
	}
	fmt.Printf("%d cosignatures in the proof\n", got)
	refused, err := t.mutate(message)
	if err != nil {
		return err
	}
	fmt.Printf("%d changed copies refused\n", refused)
	return nil
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
