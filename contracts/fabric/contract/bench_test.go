package contract

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"tbsi.invalid/fabric/internal/testchain"
	"tbsi.invalid/fabric/peerdriver"
)

// opened is a ledger whose client began with this set, without people: a benchmark and a fuzz
// test need one identity.
func opened(t testing.TB, set *testchain.Set, leaves int) (*peerdriver.Ledger, *testchain.Chain, *testchain.Log, func(string, any) *peerdriver.Simulation) {
	t.Helper()
	chain, err := testchain.Load(root)
	if err != nil {
		t.Fatal(err)
	}
	log := &testchain.Log{}
	for range leaves {
		log.Attest(chain, 9)
	}
	ledger := peerdriver.NewLedger()
	run := func(function string, argument any) *peerdriver.Simulation {
		text, err := json.Marshal(argument)
		if err != nil {
			t.Fatal(err)
		}
		found, err := execute(ledger, peerdriver.Proposal{
			Channel: "c", Creator: administrator, Nonce: []byte(function),
			Args: [][]byte{[]byte(function), text}, Time: time.UnixMilli(testchain.StartMs + 60_000),
		})
		if err != nil || found.Response.Status != 200 {
			t.Fatalf("%s: %v, %v", function, found.Response, err)
		}
		return found
	}
	at := chain.At(10, set, log)
	found := run("InitClient", map[string]any{
		"adminMspId": "Org1MSP", "adminUnit": "admin", "chainId": chain.ChainID,
		"genesisHash": chain.GenesisHash.String(), "checkpoint": hexOf(at.Encode()),
		"validatorSet": hexOf(set.Encoded), "strict": false, "trustPeriodSeconds": 86400,
	})
	if _, err = ledger.Commit(found); err != nil {
		t.Fatal(err)
	}
	return ledger, chain, log, run
}

// administrator is a certificate of a test: self-signed, its secret key is nowhere.
var administrator = peerdriver.Identity("Org1MSP", []byte(`-----BEGIN CERTIFICATE-----
MIIBPDCB46ADAgECAgEBMAoGCCqGSM49BAMCMCgxDjAMBgNVBAsTBWFkbWluMRYw
FAYDVQQDEw1hZG1pbmlzdHJhdG9yMB4XDTIzMTExNDIyMTMyMFoXDTMzMTExNDIy
MTMyMFowKDEOMAwGA1UECxMFYWRtaW4xFjAUBgNVBAMTDWFkbWluaXN0cmF0b3Iw
WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARUOJvp7iO/8KLRp4cXWOwSqIimQwfP
g4PuaVo0G1S1aI2pKMlI5bzC3L9jZp5KWcrKEZLkLisr/KJq226wTPuvMAoGCCqG
SM49BAMCA0gAMEUCIQC6F2GjQ2WZzbxDr+xg2m2PHv08jy0uTSRxT7sHmAckyQIg
HpLpGkOj78mTYK2JICKv1+QxnEZ7m2IakBXmg2yvhP8=
-----END CERTIFICATE-----
`))

// BenchmarkUpdateClient is one whole execution: argument, state, certificate of a quorum, answer.
func BenchmarkUpdateClient(b *testing.B) {
	for _, count := range []int{4, 31, 100} {
		b.Run(fmt.Sprintf("validators=%d", count), func(b *testing.B) {
			set := testchain.Equal(count)
			_, chain, log, run := opened(b, set, 5)
			decision := chain.Decide(chain.At(20, set, log), set, set.Quorum(), 0)
			argument := map[string]any{"decision": hexOf(decision), "handovers": []any{}}
			for b.Loop() {
				run("UpdateClient", argument)
			}
		})
	}
}

// BenchmarkHandover is from one set to another of the same size: two certificates.
func BenchmarkHandover(b *testing.B) {
	for _, count := range []int{4, 31, 100} {
		b.Run(fmt.Sprintf("validators=%d", count), func(b *testing.B) {
			set, next := testchain.Equal(count), testchain.Equal(count+1)
			_, chain, log, run := opened(b, set, 5)
			last := chain.At(20, set, log)
			last.NextValidatorSetHash = next.Hash
			argument := map[string]any{"decision": nil, "handovers": []any{map[string]any{
				"last":         hexOf(chain.Decide(last, set, set.Quorum(), 0)),
				"validatorSet": hexOf(next.Encoded),
				"first":        hexOf(chain.Decide(chain.At(21, next, log), next, next.Quorum(), 0)),
			}}}
			for b.Loop() {
				run("UpdateClient", argument)
			}
		})
	}
}

// BenchmarkAnchor is an inclusion proof in a log of 1,024 leaves.
func BenchmarkAnchor(b *testing.B) {
	_, _, log, run := opened(b, testchain.Equal(4), 1024)
	path := []string{}
	for _, it := range log.Path(700) {
		path = append(path, it.String())
	}
	argument := map[string]any{"leaf": hexOf(log.Leaves[700]), "index": 700, "height": 10, "path": path}
	for b.Loop() {
		run("Anchor", argument)
	}
}

func FuzzInvokeDoesNotPanic(f *testing.F) {
	ledger, _, _, _ := opened(f, testchain.Equal(4), 5)
	for _, it := range []string{
		`{"decision":null,"handovers":[]}`, `{"height":10,"index":0,"leaf":"0x","path":[]}`,
		`{"a":{"decision":"0x","setId":1},"b":{"decision":"0x","setId":1}}`,
		`{"mspId":"Org1MSP","nonce":"0x","sequence":1}`, `{"reason":"x","scope":"updates"}`,
	} {
		for _, function := range []string{"UpdateClient", "Anchor", "SubmitMisbehaviour", "GetOutboxEntry", "Pause"} {
			f.Add(function, []byte(it), administrator)
		}
	}
	f.Fuzz(func(t *testing.T, function string, argument, creator []byte) {
		found, err := execute(ledger, peerdriver.Proposal{
			Channel: "c", Creator: creator, Args: [][]byte{[]byte(function), argument},
			Time: time.UnixMilli(testchain.StartMs + 60_000),
		})
		if err != nil || found.Response.Status == StatusLedger {
			t.Errorf("got %v, %v", found.Response, err)
		}
		if found.Response.Status >= 400 && len(found.Response.Message) > MessageBytesMax {
			t.Errorf("%d bytes", len(found.Response.Message))
		}
	})
}
