package main

import (
	"strings"
	"testing"
)

func TestLines(t *testing.T) {
	hash := strings.Repeat("11", 32)
	var out strings.Builder
	lines := "set 1 " + hash + " " + hash + " 7 \ncheckpoint " + hash + " " + strings.Repeat("11", 192) + " 54425032\n"
	if err := answerAll(strings.NewReader(lines), &out); err != nil {
		t.Fatal(err)
	}
	want := []string{`"code":"unreadable"`, `"code":"otherVersion"`}
	got := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(got) != len(want) {
		t.Fatalf("got %q", got)
	}
	for i := range want {
		if !strings.Contains(got[i], want[i]) {
			t.Errorf("got %s, want %s", got[i], want[i])
		}
	}
	for _, bad := range []string{"\n", "set\n", "set 1 2 3 4 5\n", "set x " + hash + " " + hash + " 7 \n",
		"checkpoint " + hash + " 11 00\n", "checkpoint " + hash + " 11 0\n", "other\n"} {
		if err := answerAll(strings.NewReader(bad), &out); err == nil {
			t.Errorf("%q is answered", bad)
		}
	}
}
