package tbsi

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"golang.org/x/crypto/sha3"
)

// Hash is 32 bytes.
type Hash [32]byte

func (h Hash) String() string { return fmt.Sprintf("0x%x", h[:]) }

// Address is an Ethereum address.
type Address [20]byte

func (a Address) String() string { return fmt.Sprintf("0x%x", a[:]) }

func sha(parts ...[]byte) Hash {
	hasher := sha256.New()
	for _, part := range parts {
		hasher.Write(part)
	}
	return Hash(hasher.Sum(nil))
}

func keccak(parts ...[]byte) Hash {
	hasher := sha3.NewLegacyKeccak256()
	for _, part := range parts {
		hasher.Write(part)
	}
	return Hash(hasher.Sum(nil))
}

func u64(value uint64) []byte { return binary.BigEndian.AppendUint64(nil, value) }
func u32(value uint32) []byte { return binary.BigEndian.AppendUint32(nil, value) }
func u16(value uint16) []byte { return binary.BigEndian.AppendUint16(nil, value) }

// cursor reads bytes from the first to the last. After a failure it gives zeros, and err says
// what failed first.
type cursor struct {
	data []byte
	err  error
}

func (c *cursor) take(field string, count int) []byte {
	if c.err == nil && count > len(c.data) {
		c.fail(unreadable("proof bytes: %s: %d bytes needed, %d left", field, count, len(c.data)))
	}
	if c.err != nil {
		return make([]byte, count)
	}
	taken := c.data[:count:count]
	c.data = c.data[count:]
	return taken
}

func (c *cursor) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

func (c *cursor) hash(field string) Hash { return Hash(c.take(field, 32)) }

// uint is a big-endian integer of at most eight bytes.
func (c *cursor) uint(field string, length int) uint64 {
	value := uint64(0)
	for _, b := range c.take(field, length) {
		value = value<<8 | uint64(b)
	}
	return value
}

// number is an unsigned LEB128 number below 2^63 in its shortest form.
func (c *cursor) number(field string) uint64 {
	value := uint64(0)
	for position := range varintBytesMax {
		b := c.take(field, 1)[0]
		value |= uint64(b&0x7f) << (7 * position)
		if b < 0x80 {
			if b != 0 || position == 0 {
				return value
			}
			break
		}
	}
	c.fail(wrongForm("proof field `%s` is not a number in its shortest form, or out of range", field))
	return 0
}

// count is a number of entries; 0 after a failure, so that loops end.
func (c *cursor) count(field string, most int) int {
	count := c.number(field)
	if count > uint64(most) {
		c.fail(unreadable("proof field `%s` has %d entries, at most %d are allowed", field, count, most))
	}
	if c.err != nil {
		return 0
	}
	return int(count)
}

func (c *cursor) end() {
	if len(c.data) > 0 {
		c.fail(unreadable("proof bytes: %d bytes after the last field", len(c.data)))
	}
}
