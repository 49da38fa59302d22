package tbsi

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

type handoverCase struct {
	Name, TrustedCheckpoint, Stream string
	Height                          uint64
	Refused                         *string
	Followed                        *struct {
		Count, Height uint64
		ProofHolds    bool
	}
}

type handoverVectors struct {
	Proof string
	Cases []handoverCase
}

// anchor is what a case has one trust.
func (c *handoverCase) anchor(t testing.TB, genesis Anchor) Anchor {
	if c.TrustedCheckpoint == "" {
		return genesis
	}
	checkpoint, err := DecodeCheckpoint(data(t, c.TrustedCheckpoint))
	if err != nil {
		t.Fatal(err)
	}
	return AnchorOf(genesis.chain.GenesisHash, checkpoint)
}

func TestHandovers(t *testing.T) {
	_, genesis := load(t)
	var vectors handoverVectors
	read(t, "handovers.json", &vectors)
	proof := data(t, vectors.Proof)
	for _, it := range vectors.Cases {
		anchor, stream := it.anchor(t, genesis), data(t, it.Stream)
		// However the bytes arrive.
		got, err := FollowHandovers(iotest.OneByteReader(bytes.NewReader(stream)), anchor, it.Height)
		if it.Refused != nil {
			if err == nil || !strings.Contains(err.Error(), *it.Refused) {
				t.Errorf("%s: %v lacks %q", it.Name, err, *it.Refused)
			}
			continue
		}
		want := it.Followed
		if err != nil || got.Count != want.Count || got.Anchor.height != want.Height {
			t.Errorf("%s: got %+v, %v", it.Name, got, err)
		}
		if holds := Verify(proof, got.Anchor).Verdict == Valid; holds != want.ProofHolds {
			t.Errorf("%s: the proof holds: %t", it.Name, holds)
		}
	}
	if len(vectors.Cases) < 35 {
		t.Errorf("%d cases", len(vectors.Cases))
	}
}

func TestProofsThatBeginLater(t *testing.T) {
	_, genesis := load(t)
	var vectors handoverVectors
	read(t, "handovers.json", &vectors)
	proof := data(t, vectors.Proof)
	if got := Verify(proof, genesis); got.Verdict != CouldNotTell || got.Code != Gap {
		t.Errorf("without handovers: %s %s", got.Verdict, got.Code)
	}
	for _, it := range vectors.Cases {
		if it.Height != 1200 {
			continue
		}
		got := VerifyAfter(proof, it.anchor(t, genesis), bytes.NewReader(data(t, it.Stream)))
		switch want := it.Followed; {
		case want == nil:
			if got.Verdict != CouldNotTell || got.Code != Handovers || got.Reason == "" {
				t.Errorf("%s: got %s %s", it.Name, got.Verdict, got.Code)
			}
		case want.ProofHolds != (got.Verdict == Valid) || (want.ProofHolds && got.Followed != want.Count):
			t.Errorf("%s: got %+v", it.Name, got)
		}
	}
	broken := errors.New("the disk is gone")
	got := VerifyAfter(proof, genesis, iotest.ErrReader(broken))
	if got.Code != Handovers || !strings.Contains(got.Reason, broken.Error()) {
		t.Errorf("got %+v", got)
	}
	// The proof is looked at first.
	if got := VerifyAfter([]byte("{}"), genesis, iotest.ErrReader(broken)); got.Code != Unreadable {
		t.Errorf("got %+v", got)
	}
}

func TestEveryByteOfAStreamCounts(t *testing.T) {
	_, genesis := load(t)
	var vectors handoverVectors
	read(t, "handovers.json", &vectors)
	good := data(t, vectors.Cases[0].Stream)
	follow := func(stream []byte) (Followed, error) {
		return FollowHandovers(bytes.NewReader(stream), genesis, 1200)
	}
	whole, err := follow(good)
	if err != nil {
		t.Fatal(err)
	}
	shorter := 0
	for at := range good {
		mutant := bytes.Clone(good)
		mutant[at] ^= 1 << (at % 8)
		got, err := follow(mutant)
		if err == nil && got.Count == whole.Count && *got.Anchor.digest == *whole.Anchor.digest {
			t.Errorf("byte %d", at)
		}
		if got, err := follow(good[:at]); err == nil {
			shorter++
			if got.Count >= whole.Count {
				t.Errorf("first %d bytes", at)
			}
		}
	}
	// After the head, and after the first record.
	if shorter != 2 {
		t.Errorf("cut in %d places", shorter)
	}
}

// FuzzHandoversDoNotPanic trusts nobody.
func FuzzHandoversDoNotPanic(f *testing.F) {
	var vectors handoverVectors
	read(f, "handovers.json", &vectors)
	for _, it := range vectors.Cases {
		f.Add(data(f, it.Stream))
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		reader, err := openHandovers(bytes.NewReader(stream))
		if err != nil {
			return
		}
		got, err := FollowHandovers(bytes.NewReader(stream), AnchorOfSet(reader.chain, Hash{}, 0), 1<<63)
		if err == nil && got.Count > 0 {
			t.Error("nothing is trusted")
		}
		for err == nil {
			var it *handover
			if it, _, err = reader.record(); it == nil && err == nil {
				err = io.EOF
			}
		}
	})
}
