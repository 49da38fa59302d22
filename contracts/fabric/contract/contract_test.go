package contract

import (
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
