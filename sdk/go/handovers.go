package tbsi

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Changes of the validator set as one stream, from a known set on (SPEC §10.6). Each record stands
// on the one before it, so that one of them is all that is held, however long the stream is.

// Followed is where a stream of handovers leads.
type Followed struct {
	// Anchor is what is trusted then.
	Anchor Anchor
	// Count is how many handovers were verified.
	Count uint64
}

// FollowHandovers verifies a stream, the file of `tbsi log handovers`, from what is trusted up to
// a height. What comes after that is not read; what lies before what is trusted is passed over.
func FollowHandovers(stream io.Reader, trusted Anchor, height uint64) (Followed, error) {
	none := func(err error) (Followed, error) { return Followed{}, err }
	reader, err := openHandovers(stream)
	if err != nil {
		return none(err)
	}
	if reader.chain != trusted.chain {
		const text = "handovers are of the network with genesis hash %s, trusted is %s"
		return none(fmt.Errorf(text, reader.chain.GenesisHash, trusted.chain.GenesisHash))
	}
	found := Followed{Anchor: trusted}
	for {
		it, next, err := reader.record()
		if err != nil {
			return none(err)
		}
		if it == nil || it.first.checkpoint.Height > height {
			return found, nil
		}
		anchor, verified, err := found.Anchor.follow([]handover{*it}, next)
		var refused *handoverError
		if errors.As(err, &refused) {
			return none(&handoverError{int(found.Count) + 1, refused.cause})
		}
		if err != nil {
			return none(err)
		}
		found.Anchor, found.Count = anchor, found.Count+uint64(len(verified))
	}
}

// VerifyAfter is Verify of a proof that begins after changes of the validator set: those are read
// from a stream, up to the proof's height. Its code is Handovers if they lead nowhere.
func VerifyAfter(proof []byte, anchor Anchor, handovers io.Reader) Report {
	found, refused := readProof(proof, anchor)
	if refused != nil {
		return *refused
	}
	followed, err := FollowHandovers(handovers, anchor, found.decision.checkpoint.Height)
	if err != nil {
		return failed(CouldNotTell, Handovers, err.Error())
	}
	report := found.verify(followed.Anchor)
	if report.Decision != nil {
		report.Followed = followed.Count
	}
	return report
}

// handoverReader reads one record at a time, and verifies nothing.
type handoverReader struct {
	source io.Reader
	chain  Chain
	// The set that the last record leads to, or that the stream begins with.
	members *set
	// Records that were read.
	number uint64
}

var errNoHandovers = errors.New("not a file of handovers in a form that is known here; fetch it anew")

func openHandovers(source io.Reader) (*handoverReader, error) {
	var head [44]byte
	if _, err := io.ReadFull(source, head[:]); err != nil {
		return nil, fmt.Errorf("read handovers: %w", err)
	}
	if string(head[:4]) != "TBH1" {
		return nil, errNoHandovers
	}
	chain := Chain{binary.BigEndian.Uint64(head[4:]), Hash(head[12:])}
	reader := &handoverReader{source: source, chain: chain}
	c, err := reader.frame(0)
	if err != nil {
		return nil, err
	}
	if c == nil {
		return nil, errNoHandovers
	}
	reader.members = takeSet(c)
	return reader, endRecord(c, 0)
}

// record gives the next handover, which is of the set before it, and the set that takes over; nil
// at the end.
func (r *handoverReader) record() (*handover, *set, error) {
	number := r.number + 1
	c, err := r.frame(number)
	if c == nil || err != nil {
		return nil, nil, err
	}
	next := takeSet(c)
	found := &handover{validators: r.members}
	found.last = takeDecision(c, r.chain, r.members)
	found.first = takeDecision(c, r.chain, next)
	if err := endRecord(c, number); err != nil {
		return nil, nil, err
	}
	r.number, r.members = number, next
	return found, next, nil
}

// frame gives all of a record; nil at the end of the stream, which may be nowhere else.
func (r *handoverReader) frame(number uint64) (*cursor, error) {
	var length [4]byte
	if _, err := io.ReadFull(r.source, length[:]); err == io.EOF {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("read record %d of handovers: %w", number, err)
	}
	size := binary.BigEndian.Uint32(length[:])
	if size > HandoverRecordBytesMax {
		const text = "record %d of handovers has %d bytes, at most %d are allowed"
		return nil, fmt.Errorf(text, number, size, HandoverRecordBytesMax)
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(r.source, body); err != nil {
		return nil, fmt.Errorf("record %d of handovers is cut short: %w", number, err)
	}
	return &cursor{data: body}, nil
}

func endRecord(c *cursor, number uint64) error {
	if c.end(); c.err != nil {
		return fmt.Errorf("record %d of handovers: %w", number, c.err)
	}
	return nil
}
