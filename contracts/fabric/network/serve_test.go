package network

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// TestServe keeps a network with the chaincode, and no client yet, until standard input ends: for
// tests in other languages. TBSI_FABRIC_SERVE says with how many orderers. Where everything is, it
// prints as one line of JSON after "serving ".
func TestServe(t *testing.T) {
	orderers, err := strconv.Atoi(os.Getenv("TBSI_FABRIC_SERVE"))
	if err != nil {
		t.Skip("nobody asks for a network in TBSI_FABRIC_SERVE")
	}
	d := committed(t, orderers)
	organisations := []any{}
	for _, it := range d.organisations {
		users := map[string]any{}
		for _, user := range []string{"Admin", "User1"} {
			folder := it.folder(d.fabric, "users", user+"@"+it.domain, "msp")
			users[user] = map[string]any{
				"certificate": d.file(folder, "signcerts"), "key": d.file(folder, "keystore"),
			}
		}
		organisations = append(organisations, map[string]any{
			"mspId": it.msp, "gateway": "https://" + it.address(), "users": users,
			"tlsRoots": it.peerFolder(d.fabric, "tls", "ca.crt"), "root": d.file(it.folder(d.fabric, "msp"), "cacerts"),
		})
	}
	text, err := json.Marshal(map[string]any{
		"channel": channel, "chaincode": "tbsi", "genesisBlock": d.path("genesis.block"),
		"organisations": organisations,
	})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("serving %s\n", text)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// file is the one file of a folder.
func (d *deployed) file(parts ...string) string {
	d.t.Helper()
	found, err := filepath.Glob(filepath.Join(append(parts, "*")...))
	if err != nil || len(found) != 1 {
		d.t.Fatalf("%v: %v, %v", parts, found, err)
	}
	return found[0]
}
