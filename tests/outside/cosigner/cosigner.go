// Package cosigner verifies C2SP cosignatures of Ed25519 keys (type 4), which sumdb/note leaves
// to its callers.
package cosigner

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// Key is a note.Verifier.
type Key struct {
	name string
	id   uint32
	key  ed25519.PublicKey
}

// Parse reads a verifier key, name+id+base64.
func Parse(vkey string) (*Key, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return nil, errors.New("not a verifier key")
	}
	key, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(key) != 1+ed25519.PublicKeySize || key[0] != 4 {
		return nil, errors.New("not a cosigner's key")
	}
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), key...))
	id := binary.BigEndian.Uint32(sum[:])
	if fmt.Sprintf("%08x", id) != parts[1] {
		return nil, errors.New("another key id")
	}
	return &Key{parts[0], id, key[1:]}, nil
}

// Name is the key's.
func (k *Key) Name() string { return k.name }

// KeyHash is the key's id.
func (k *Key) KeyHash() uint32 { return k.id }

// Verify checks a timestamped signature over a checkpoint.
func (k *Key) Verify(text, signature []byte) bool {
	if len(signature) != 8+ed25519.SignatureSize {
		return false
	}
	time := binary.BigEndian.Uint64(signature)
	message := fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", time, text)
	return ed25519.Verify(k.key, message, signature[8:])
}
