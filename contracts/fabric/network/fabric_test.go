package network

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	// commandTimeout and startTimeout bound one program; a loaded machine is slow.
	commandTimeout = 3 * time.Minute
	startTimeout   = 2 * time.Minute
	// logLinesMax bounds what is kept of a program's output.
	logLinesMax = 40
)

var programs = []string{"peer", "orderer", "osnadmin", "configtxgen", "cryptogen"}

// fabric is a network of real programs.
type fabric struct {
	t             *testing.T
	dir, bin      string
	orderers      []*orderer
	organisations []*organisation
}

// programsFolder is where Fabric's programs are, or the test is skipped. One that is missing there
// is a failure.
func programsFolder(t *testing.T) string {
	t.Helper()
	bin := os.Getenv("TBSI_FABRIC_BIN")
	if bin == "" {
		t.Skip("skipped: no Fabric programs in TBSI_FABRIC_BIN")
	}
	for _, it := range programs {
		if _, err := exec.LookPath(filepath.Join(bin, it)); err != nil {
			t.Fatalf("TBSI_FABRIC_BIN: %s", err)
		}
	}
	return bin
}

// startFabric makes keys and a channel, and starts orderers and two peers that have joined it.
func startFabric(t *testing.T, orderers int) *fabric {
	t.Helper()
	n := &fabric{t: t, bin: programsFolder(t), dir: t.TempDir()}
	for id := range orderers {
		n.orderers = append(n.orderers, &orderer{id + 1, freePort(t), freePort(t)})
	}
	for _, it := range []struct{ name, msp, domain string }{
		{"Org1", "Org1MSP", "org1.test"}, {"Org2", "Org2MSP", "org2.test"},
	} {
		n.organisations = append(n.organisations, &organisation{
			name: it.name, msp: it.msp, domain: it.domain, port: freePort(t), chaincode: local(freePort(t)),
		})
	}
	n.write(n.cryptoConfig(), "crypto.yaml")
	n.run(nil, "cryptogen", "generate", "--config", n.path("crypto.yaml"), "--output", n.path("crypto"))
	n.write(n.configtx(), "configtx.yaml")
	n.run([]string{"FABRIC_CFG_PATH=" + n.dir}, "configtxgen", "-profile", "Two", "-channelID", channel,
		"-outputBlock", n.path("genesis.block"))
	for _, it := range n.orderers {
		n.startOrderer(it)
	}
	// Type, then where from, then where to: that is all a builder for a service has to do.
	n.write("#!/bin/sh\ngrep -q '\"ccaas\"' \"$2/metadata.json\"\n", "builder", "bin", "detect")
	n.write("#!/bin/sh\ncp \"$1/connection.json\" \"$3\"\n", "builder", "bin", "build")
	n.write("#!/bin/sh\nmkdir -p \"$2/chaincode/server\" && cp \"$1/connection.json\" \"$2/chaincode/server\"\n",
		"builder", "bin", "release")
	for _, it := range n.organisations {
		n.write(n.coreYAML(it), it.msp, "core.yaml")
		n.start(it.msp, []string{"FABRIC_CFG_PATH=" + n.path(it.msp)}, "Started peer with ID",
			filepath.Join(n.bin, "peer"), "node", "start")
		n.run(n.as(it, "Admin"), "peer", "channel", "join", "-b", n.path("genesis.block"))
	}
	return n
}

func (n *fabric) startOrderer(of *orderer) {
	n.t.Helper()
	n.write(n.ordererYAML(of), of.name(), "orderer.yaml")
	n.start(of.name(), []string{"FABRIC_CFG_PATH=" + n.path(of.name())}, "Beginning to serve requests",
		filepath.Join(n.bin, "orderer"))
	tls := func(name string) string { return of.folder(n, "tls", name) }
	n.run(nil, "osnadmin", "channel", "join", "--channelID", channel, "--config-block", n.path("genesis.block"),
		"-o", local(of.admin), "--ca-file", tls("ca.crt"), "--client-cert", tls("server.crt"),
		"--client-key", tls("server.key"))
}

// as is the environment of a client of an organisation, for the program `peer`.
func (n *fabric) as(of *organisation, user string) []string {
	return []string{
		"FABRIC_CFG_PATH=" + n.path(of.msp), "CORE_PEER_LOCALMSPID=" + of.msp,
		"CORE_PEER_ADDRESS=" + of.address(), "CORE_PEER_TLS_ENABLED=true",
		"CORE_PEER_TLS_ROOTCERT_FILE=" + of.peerFolder(n, "tls", "ca.crt"),
		"CORE_PEER_MSPCONFIGPATH=" + of.folder(n, "users", user+"@"+of.domain, "msp"),
	}
}

// run runs one program to its end, and gives its output.
func (n *fabric) run(environment []string, program string, args ...string) string {
	n.t.Helper()
	return n.command(environment, filepath.Join(n.bin, program), args...)
}

func (n *fabric) command(environment []string, program string, args ...string) string {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	defer cancel()
	command := exec.CommandContext(ctx, program, args...)
	command.Dir = n.dir
	command.Env = append(os.Environ(), environment...)
	out, err := command.CombinedOutput()
	if err != nil {
		n.t.Fatalf("%s %.300s: %s\n%s", filepath.Base(program), strings.Join(args, " "), err, out)
	}
	return string(out)
}

// start starts a program that goes on, waits for what it says once it serves, and ends it with the
// test.
func (n *fabric) start(name string, environment []string, serving, program string, args ...string) string {
	n.t.Helper()
	command := exec.Command(program, args...)
	command.Dir = n.dir
	command.Env = append(os.Environ(), environment...)
	reader, writer := io.Pipe()
	command.Stdout, command.Stderr = writer, writer
	if err := command.Start(); err != nil {
		n.t.Fatal(err)
	}
	said, read := make(chan string, 1), make(chan []string, 1)
	go func() {
		last := []string{}
		lines := bufio.NewScanner(reader)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			if strings.Contains(lines.Text(), serving) {
				select {
				case said <- lines.Text():
				default:
				}
			}
			if last = append(last, lines.Text()); len(last) > logLinesMax {
				last = last[1:]
			}
		}
		read <- last
	}()
	ended := make(chan error, 1)
	go func() {
		ended <- command.Wait()
		_ = writer.Close()
	}()
	n.t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		last := <-read
		<-ended
		if n.t.Failed() {
			n.t.Logf("%s said last:\n%s", name, strings.Join(last, "\n"))
		}
	})
	select {
	case line := <-said:
		return line
	case err := <-ended:
		ended <- err
		n.t.Fatalf("%s ended: %v", name, err)
	case <-time.After(startTimeout):
		n.t.Fatalf("%s does not serve after %s", name, startTimeout)
	}
	return ""
}
