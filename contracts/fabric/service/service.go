// Package service lets a peer reach the chaincode over gRPC.
package service

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"

	"tbsi.invalid/fabric/contract"
)

const (
	// MessageBytesMax bounds a message of the peer, beyond any argument and record.
	MessageBytesMax = 16 * 1024 * 1024
	// StreamsMax bounds what one connection may have open; a peer has one.
	StreamsMax = 4
	// IDBytesMax bounds the package id.
	IDBytesMax = 256

	keepaliveTime     = time.Minute
	keepaliveTimeout  = 20 * time.Second
	connectionTimeout = 5 * time.Second
	tlsVersionMin     = tls.VersionTLS12
)

// Config is what the environment says.
type Config struct {
	// ID is CHAINCODE_ID, the package id that the peer has given the installed package.
	ID string
	// Address is CHAINCODE_SERVER_ADDRESS, host and port; port 0 is any.
	Address string
	// TLS is nil under CHAINCODE_TLS_DISABLED=true, otherwise made from CHAINCODE_TLS_CERT and
	// CHAINCODE_TLS_KEY, files in PEM, and CHAINCODE_CLIENT_CA_CERT, who signs certificates of
	// peers that may connect.
	TLS *tls.Config
}

// FromEnvironment reads and checks the configuration before anything is opened.
func FromEnvironment(get func(string) string) (Config, error) {
	config := Config{ID: get("CHAINCODE_ID"), Address: get("CHAINCODE_SERVER_ADDRESS")}
	if len(config.ID) < 1 || len(config.ID) > IDBytesMax {
		const text = "CHAINCODE_ID must have 1 to %d bytes: set the package id that `peer lifecycle chaincode calculatepackageid` prints"
		return Config{}, fmt.Errorf(text, IDBytesMax)
	}
	if _, _, err := net.SplitHostPort(config.Address); err != nil {
		const text = "CHAINCODE_SERVER_ADDRESS must be HOST:PORT, such as 127.0.0.1:9999: %w"
		return Config{}, fmt.Errorf(text, err)
	}
	var err error
	switch disabled := get("CHAINCODE_TLS_DISABLED"); disabled {
	case "true":
	case "", "false":
		config.TLS, err = tlsOf(get)
	default:
		err = fmt.Errorf("CHAINCODE_TLS_DISABLED must be true or false, not %.32q", disabled)
	}
	return config, err
}

func tlsOf(get func(string) string) (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(get("CHAINCODE_TLS_CERT"), get("CHAINCODE_TLS_KEY"))
	if err != nil {
		const text = "load CHAINCODE_TLS_CERT and CHAINCODE_TLS_KEY, or set CHAINCODE_TLS_DISABLED=true on a host that nobody else reaches: %w"
		return nil, fmt.Errorf(text, err)
	}
	authority, err := os.ReadFile(get("CHAINCODE_CLIENT_CA_CERT"))
	if err != nil {
		const text = "load CHAINCODE_CLIENT_CA_CERT, or any program could play the peer: %w"
		return nil, fmt.Errorf(text, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(authority) {
		return nil, errors.New("CHAINCODE_CLIENT_CA_CERT has no certificate in PEM")
	}
	return &tls.Config{
		Certificates: []tls.Certificate{pair}, ClientCAs: pool,
		ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tlsVersionMin,
	}, nil
}

// Serve answers peers until the context ends; `listening` is told the address.
func Serve(until context.Context, config Config, listening func(address string)) error {
	listener, err := net.Listen("tcp", config.Address)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", config.Address, err)
	}
	options := []grpc.ServerOption{
		grpc.MaxRecvMsgSize(MessageBytesMax), grpc.MaxSendMsgSize(MessageBytesMax),
		grpc.MaxConcurrentStreams(StreamsMax), grpc.ConnectionTimeout(connectionTimeout),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: keepaliveTime, Timeout: keepaliveTimeout}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{
			MinTime: keepaliveTime, PermitWithoutStream: true,
		}),
	}
	if config.TLS != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(config.TLS)))
	}
	server := grpc.NewServer(options...)
	peer.RegisterChaincodeServer(server, &shim.ChaincodeServer{CCID: config.ID, CC: contract.Contract{}})
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	listening(listener.Addr().String())
	select {
	case err = <-served:
		return err
	case <-until.Done():
	}
	// A peer's stream has no end of its own, so it is cut.
	server.Stop()
	return <-served
}
