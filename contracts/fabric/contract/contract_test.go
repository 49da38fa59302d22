package contract

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"tbsi.invalid/fabric/internal/cases"
)

const root = "../../.."

var execute = cases.InMemory(Contract{})

func TestContract(t *testing.T) { cases.Run(t, root, execute) }

func TestInitIsNotUsed(t *testing.T) {
	if found := (Contract{}).Init(nil); found.Status != StatusLedger {
		t.Errorf("got %v", found)
	}
}

func TestKeysAreDistinct(t *testing.T) {
	seen := map[string]bool{}
	for _, it := range []string{
		key(kindConfig), key(kindHead), key(kindFrozen), key(kindPause, scopeUpdates),
		key(kindSet, number(1)), key(kindCheckpoint, number(1)), key(kindLeaf, number(1)),
		key(kindLeaf, number(10)), key(kindLeaf, number(numberMax)), key(kindMessage, "Org1MSP", number(1)),
		key(kindMessage, "Org1MSP1", number(1)), key(kindRelayer, "Org1MSP", "00"),
	} {
		if seen[it] {
			t.Errorf("%s twice", it)
		}
		seen[it] = true
	}
	if len(number(numberMax)) != len(number(0)) {
		t.Error("numbers have no fixed width")
	}
}

// TestNamesAreInTheSpecification: whoever meets a name finds it in SPEC.
func TestNamesAreInTheSpecification(t *testing.T) {
	specification, err := os.ReadFile(root + "/SPEC.md")
	if err != nil {
		t.Fatal(err)
	}
	own, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := filepath.Glob(root + "/sdk/go/*.go")
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile(`(?:refuse\(Status\w+, |named\(|return )"([A-Z][A-Za-z]+)"`)
	names := map[string]bool{"ArgumentForm": true, "LedgerFailure": true}
	for _, path := range append(own, verifier...) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range name.FindAllSubmatch(text, -1) {
			names[string(it[1])] = true
		}
	}
	for it := range names {
		if !strings.Contains(string(specification), "`"+it+"`") {
			t.Errorf("SPEC.md lacks %s", it)
		}
	}
	if len(names) < 45 {
		t.Errorf("%d names", len(names))
	}
}
