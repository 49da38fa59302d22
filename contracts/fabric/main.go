// The chaincode of SPEC §17 as a service: a peer connects to it.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"tbsi.invalid/fabric/service"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "tbsi-fabric:", err)
		os.Exit(1)
	}
}

func run() error {
	config, err := service.FromEnvironment(os.Getenv)
	if err != nil {
		return err
	}
	until, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	return service.Serve(until, config, func(address string) {
		fmt.Fprintln(os.Stderr, "tbsi-fabric: listening on", address)
	})
}
