// Package peerdriver plays, in tests, the peer's side of the chaincode protocol. It is not a
// Fabric peer: it checks no signature, asks no endorsement policy, orders nothing, and has no
// private data, range queries, history or other chaincodes. It has a world state with versions,
// and the one rule of validation that chaincode has to be written for: what was read must not
// have changed.
package peerdriver

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
)

// version of a value: the block that wrote it, and its place there; zero if there is none.
type version struct{ block, position uint64 }

type versioned struct {
	value   []byte
	version version
}

// Ledger is a world state.
type Ledger struct {
	values map[string]versioned
	blocks uint64
}

// NewLedger is empty.
func NewLedger() *Ledger { return &Ledger{values: map[string]versioned{}} }

// Simulation is what one execution read, wrote and answered; nothing of it is on the ledger.
type Simulation struct {
	TransactionID string
	Response      *peer.Response
	Event         *peer.ChaincodeEvent
	// Refused names messages that this driver does not know.
	Refused []string

	ledger *Ledger
	reads  map[string]version
	writes map[string][]byte
}

// Simulate begins an execution.
func (l *Ledger) Simulate(transactionID string) *Simulation {
	return &Simulation{
		TransactionID: transactionID, ledger: l,
		reads: map[string]version{}, writes: map[string][]byte{},
	}
}

// Read gives what is on the ledger, whatever this execution wrote.
func (s *Simulation) Read(key string) []byte {
	found := s.ledger.values[key]
	s.reads[key] = found.version
	return found.value
}

// Write is not seen by Read.
func (s *Simulation) Write(key string, value []byte) { s.writes[key] = value }

// Reads are the keys that were read, in order.
func (s *Simulation) Reads() []string { return slices.Sorted(maps.Keys(s.reads)) }

// Versions are the keys that were read, with block and place of what was there, in order of the
// keys.
func (s *Simulation) Versions() []string {
	out := []string{}
	for _, key := range s.Reads() {
		out = append(out, Version(key, s.reads[key].block, s.reads[key].position))
	}
	return out
}

// Version is how Versions writes a key.
func Version(key string, block, position uint64) string {
	return fmt.Sprintf("%s@%d.%d", key, block, position)
}

// Writes are keys and values that would be written, in order of the keys.
func (s *Simulation) Writes() []string {
	out := []string{}
	for _, key := range slices.Sorted(maps.Keys(s.writes)) {
		out = append(out, fmt.Sprintf("%s=%s", key, s.writes[key]))
	}
	return out
}

// Commit validates the transactions of a block in their order and writes those that are valid.
// Executions that a peer would not endorse do not get into blocks.
func (l *Ledger) Commit(block ...*Simulation) ([]peer.TxValidationCode, error) {
	l.blocks++
	codes := []peer.TxValidationCode{}
	for position, it := range block {
		if it.Response.GetStatus() >= 400 {
			return nil, fmt.Errorf("no peer endorses status %d: %s", it.Response.GetStatus(), it.Response.GetMessage())
		}
		code := peer.TxValidationCode_VALID
		for key, read := range it.reads {
			if l.values[key].version != read {
				code = peer.TxValidationCode_MVCC_READ_CONFLICT
			}
		}
		if code == peer.TxValidationCode_VALID {
			for key, value := range it.writes {
				l.values[key] = versioned{value, version{l.blocks, uint64(position)}}
			}
		}
		codes = append(codes, code)
	}
	return codes, nil
}

// Value is what is on the ledger under a key.
func (l *Ledger) Value(key string) []byte { return l.values[key].value }

// Clone is a ledger that goes its own way from here.
func (l *Ledger) Clone() *Ledger { return &Ledger{maps.Clone(l.values), l.blocks} }

// SkipTo makes the next block this one: a real channel has blocks of others between.
func (l *Ledger) SkipTo(block uint64) { l.blocks = block - 1 }

// Put writes a value as a block of its own.
func (l *Ledger) Put(key string, value []byte) {
	l.blocks++
	l.values[key] = versioned{value, version{block: l.blocks}}
}

// Keys are all keys, in order.
func (l *Ledger) Keys() []string { return slices.Sorted(maps.Keys(l.values)) }
