// Package source reads an attestation log from a node or from a directory, as it is or with
// one bit flipped.
package source

import (
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

const bodyMax = 1 << 20

// Source reads each path once.
type Source struct {
	place, flip string
	flipped     bool
	kept        map[string][]byte
}

// Open reads from a URL, such as http://127.0.0.1:8545/log, or from a directory with the same
// paths below it. In what paths that contain flip hold, it flips the lowest bit of the byte in
// the middle; "" flips nothing.
func Open(place, flip string) *Source {
	return &Source{place, flip, false, make(map[string][]byte)}
}

// Flipped says whether a bit was flipped so far.
func (s *Source) Flipped() bool { return s.flipped }

// Get reads one path; fs.ErrNotExist if the log has none such.
func (s *Source) Get(path string) ([]byte, error) {
	if body, found := s.kept[path]; found {
		return body, nil
	}
	body, err := s.read(path)
	if err != nil {
		return nil, err
	}
	if s.flip != "" && strings.Contains(path, s.flip) {
		// A note may carry signatures of keys that are not given: its text is what counts.
		text, _, _ := strings.Cut(string(body), "\n\n")
		body[len(text)/2] ^= 1
		s.flipped = true
	}
	s.kept[path] = body
	return body, nil
}

func (s *Source) read(path string) ([]byte, error) {
	if !strings.HasPrefix(s.place, "http://") {
		return os.ReadFile(filepath.Join(s.place, path))
	}
	response, err := http.Get(s.place + "/" + path)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, bodyMax))
	if err != nil {
		return nil, err
	}
	switch response.StatusCode {
	case http.StatusOK:
		return body, nil
	case http.StatusNotFound:
		return nil, fmt.Errorf("%s: %w: %s", path, fs.ErrNotExist, body)
	default:
		return nil, fmt.Errorf("%s: %s: %s", path, response.Status, body)
	}
}

// FlipEach checks an unchanged log, and then that the check refuses it with one bit flipped in
// a path of each kind, and reads that path at all.
func FlipEach(place string, check func(*Source) error) error {
	if err := check(Open(place, "")); err != nil {
		return err
	}
	for _, flip := range []string{"checkpoint", "tile/0/", "tile/1/", "tile/entries/", "proof/"} {
		changed := Open(place, flip)
		err := check(changed)
		if err == nil || !changed.Flipped() {
			return fmt.Errorf("a flipped bit in %s: read %v, refused %v", flip, changed.Flipped(), err)
		}
		fmt.Printf("refused a flipped bit in %s: %v\n", flip, err)
	}
	return nil
}
