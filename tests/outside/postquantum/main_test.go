package main

import (
	"encoding/json"
	"os"
	"testing"

	formats "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
)

func TestVectors(t *testing.T) {
	data, err := os.ReadFile("../../vectors/post_quantum.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	var keys []note.Verifier
	for _, it := range v.Validators {
		key, err := formats.NewVerifierForCosignatureV1(it.Key)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	for _, it := range v.Notes {
		got, err := open(it.Text, keys)
		switch {
		case it.Refused == "" && it.Power > 0 && (err != nil || got != it.Power):
			t.Errorf("%s: %d, %v", it.Name, got, err)
		case it.Refused == "does not verify" && err == nil:
			t.Errorf("%s: accepted", it.Name)
		case it.Refused == "is malformed" && err == nil && it.Name != "a time above 2^63 - 1":
			t.Errorf("%s: accepted", it.Name)
		}
	}
}
