// Makes the arguments of the chaincode from a proof of `tbsi prove`, as `peer chaincode` takes
// them after -c. It verifies nothing: `tbsi verify` does, and the chaincode does it again.
package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	tbsi "tbsi.invalid/sdk"
)

const usage = `usage: arguments COMMAND [OPTIONS] PROOF

Prints what "peer chaincode invoke" or "query" takes after -c, from a file of "tbsi prove".

  init     InitClient with the proof's checkpoint, for which you vouch: verify the proof first
  update   UpdateClient with the proof's handovers and checkpoint
  anchor   Anchor of the proof's leaf under its checkpoint
  verify   VerifyAttestation of the same
`

// command is what the command line says.
type command struct {
	name, adminMSP, adminUnit string
	trustPeriod, from         uint64
	strict                    bool
	proof                     string
}

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "arguments:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	given, err := parse(args)
	if err != nil {
		return err
	}
	proof, err := read(given.proof)
	if err != nil {
		return err
	}
	parts, err := tbsi.TakeApart(proof)
	if err != nil {
		return fmt.Errorf("read %s: %w", given.proof, err)
	}
	function, argument, err := given.argument(parts)
	if err != nil {
		return err
	}
	text, err := json.Marshal(argument)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(map[string][]string{"Args": {function, string(text)}})
}

func parse(args []string) (*command, error) {
	given := &command{}
	if len(args) == 0 {
		return nil, errors.New("a command is missing\n" + usage)
	}
	given.name = args[0]
	flags := flag.NewFlagSet(given.name, flag.ContinueOnError)
	flags.SetOutput(os.Stderr)
	flags.Usage = func() { fmt.Fprint(os.Stderr, usage, "\nOptions:\n"); flags.PrintDefaults() }
	switch given.name {
	case "init":
		flags.StringVar(&given.adminMSP, "admin-msp", "", "MSP id of the administrators")
		flags.StringVar(&given.adminUnit, "admin-unit", "admin", "organisational unit in their certificates")
		flags.Uint64Var(&given.trustPeriod, "trust-period", 14*24*3600, "seconds for which a checkpoint is a base for the next")
		flags.BoolVar(&given.strict, "strict", false, "take checkpoints from registered relayers only")
	case "update":
		flags.Uint64Var(&given.from, "from", 0, "leave out handovers up to this height: that of the client's newest checkpoint")
	case "anchor", "verify":
	default:
		return nil, fmt.Errorf("%q is no command\n%s", given.name, usage)
	}
	if err := flags.Parse(args[1:]); err != nil {
		return nil, err
	}
	if flags.NArg() != 1 {
		return nil, errors.New("one file with a proof is needed\n" + usage)
	}
	given.proof = flags.Arg(0)
	return given, nil
}

func read(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, tbsi.BundleJSONBytesMax+1))
}

func (c *command) argument(of *tbsi.Parts) (string, any, error) {
	switch c.name {
	case "init":
		if c.adminMSP == "" {
			return "", nil, errors.New("--admin-msp is missing: the MSP whose administrators may pause and register relayers")
		}
		if of.Checkpoint.NextValidatorSetHash != of.Checkpoint.ValidatorSetHash {
			return "", nil, errors.New("this checkpoint names another next validator set: take the proof of a later leaf")
		}
		return "InitClient", map[string]any{
			"adminMspId": c.adminMSP, "adminUnit": c.adminUnit, "chainId": of.Chain.ChainID,
			"genesisHash": of.Chain.GenesisHash.String(), "checkpoint": text(of.Checkpoint.Encode()),
			"validatorSet": text(of.Set), "strict": c.strict, "trustPeriodSeconds": c.trustPeriod,
		}, nil
	case "update":
		handovers := []map[string]string{}
		for _, it := range of.Handovers {
			if it.Height > c.from {
				handovers = append(handovers, map[string]string{
					"last": text(it.Last), "validatorSet": text(it.Set), "first": text(it.First),
				})
			}
		}
		return "UpdateClient", map[string]any{"decision": text(of.Decision), "handovers": handovers}, nil
	case "anchor":
		return "Anchor", proofOf(of), nil
	}
	return "VerifyAttestation", proofOf(of), nil
}

func proofOf(of *tbsi.Parts) map[string]any {
	path := []string{}
	for _, it := range of.Path {
		path = append(path, it.String())
	}
	return map[string]any{
		"leaf": text(of.Leaf), "index": of.Index, "height": of.Checkpoint.Height, "path": path,
	}
}

func text(data []byte) string { return "0x" + hex.EncodeToString(data) }
