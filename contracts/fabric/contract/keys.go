package contract

import (
	"fmt"
	"strings"
)

// What is kept, each kind under keys of its own (SPEC §17.3).
const (
	kindConfig     = "config"
	kindHead       = "head"
	kindFrozen     = "frozen"
	kindPause      = "pause"
	kindSet        = "set"
	kindCheckpoint = "checkpoint"
	kindLeaf       = "leaf"
	kindRelayer    = "relayer"
	kindMessage    = "message"
)

// key is the one place that makes keys. No part has a `/`: numbers have fixed width, hashes are
// hex, MSP ids and scopes are checked.
func key(kind string, parts ...string) string {
	return strings.Join(append([]string{"tbsi", kind}, parts...), "/")
}

// number is a part of a key; 15 digits are enough below 2^48.
func number(value uint64) string { return fmt.Sprintf("%015d", value) }
