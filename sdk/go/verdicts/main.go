// Command verdicts answers each line of standard input with a verdict, for verifiers in other
// languages to be compared with. A line is one of
//
//	set CHAIN_ID GENESIS_HASH VALIDATOR_SET_HASH TIME_MS PROOF
//	checkpoint GENESIS_HASH CHECKPOINT PROOF
//
// with bytes in hex digits (a proof may have none), and the answer is a JSON object with `verdict`,
// `code` and `reason`.
package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	tbsi "tbsi.invalid/sdk"
)

type answer struct {
	Verdict tbsi.Verdict `json:"verdict"`
	Code    tbsi.Code    `json:"code"`
	Reason  string       `json:"reason"`
}

func main() {
	if err := answerAll(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func answerAll(questions io.Reader, answers io.Writer) error {
	lines, out := bufio.NewReader(questions), json.NewEncoder(answers)
	for {
		line, err := lines.ReadString('\n')
		if err == io.EOF && line == "" {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read a line: %w", err)
		}
		anchor, proof, err := parse(strings.Split(strings.TrimSuffix(line, "\n"), " "))
		if err != nil {
			return err
		}
		found := tbsi.Verify(proof, anchor)
		if err := out.Encode(answer{found.Verdict, found.Code, found.Reason}); err != nil {
			return fmt.Errorf("write an answer: %w", err)
		}
	}
}

func parse(words []string) (tbsi.Anchor, []byte, error) {
	none := func(err error) (tbsi.Anchor, []byte, error) { return tbsi.Anchor{}, nil, err }
	proof, err := hex.DecodeString(words[len(words)-1])
	if err != nil {
		return none(fmt.Errorf("parse the proof: %w", err))
	}
	switch {
	case words[0] == "set" && len(words) == 6:
		chainID, idErr := strconv.ParseUint(words[1], 10, 64)
		timeMs, timeErr := strconv.ParseUint(words[4], 10, 64)
		genesis, genesisErr := hash(words[2])
		set, setErr := hash(words[3])
		for _, err := range []error{idErr, timeErr, genesisErr, setErr} {
			if err != nil {
				return none(err)
			}
		}
		return tbsi.AnchorOfSet(tbsi.Chain{ChainID: chainID, GenesisHash: genesis}, set, timeMs), proof, nil
	case words[0] == "checkpoint" && len(words) == 4:
		genesis, err := hash(words[1])
		if err != nil {
			return none(err)
		}
		data, err := hex.DecodeString(words[2])
		if err != nil {
			return none(fmt.Errorf("parse the checkpoint: %w", err))
		}
		checkpoint, err := tbsi.DecodeCheckpoint(data)
		if err != nil {
			return none(err)
		}
		return tbsi.AnchorOf(genesis, checkpoint), proof, nil
	}
	return none(fmt.Errorf("a line of %d words that begins with %q is unknown", len(words), words[0]))
}

func hash(digits string) (tbsi.Hash, error) {
	data, err := hex.DecodeString(digits)
	if err != nil || len(data) != len(tbsi.Hash{}) {
		return tbsi.Hash{}, fmt.Errorf("a hash is 64 hex digits, not %q", digits)
	}
	return tbsi.Hash(data), nil
}
