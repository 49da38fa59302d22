package peerdriver_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"tbsi.invalid/fabric/peerdriver"
)

// authority signs certificates of one test.
type authority struct {
	t           *testing.T
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t}
	a.certificate, a.key = a.sign(&x509.Certificate{
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, nil, nil)
	return a
}

// sign makes a certificate with a key of its own; without an issuer it signs itself.
func (a *authority) sign(template, issuer *x509.Certificate, by *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template.SerialNumber, template.Subject = big.NewInt(1), pkix.Name{CommonName: "test"}
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	if issuer == nil {
		issuer, by = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), by)
	if err != nil {
		a.t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return certificate, key
}

// member is a certificate for 127.0.0.1, as a server and as a client.
func (a *authority) member() (*x509.Certificate, *ecdsa.PrivateKey) {
	return a.sign(&x509.Certificate{
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.certificate, a.key)
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return pool
}

func write(t *testing.T, path, kind string, der []byte) string {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestOnlyPeersConnect: with TLS, who shows no certificate by the peers' authority does not reach
// the chaincode.
func TestOnlyPeersConnect(t *testing.T) {
	peers, others, dir := newAuthority(t), newAuthority(t), t.TempDir()
	certificate, key := peers.member()
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	address := serving(t, binary(t),
		"CHAINCODE_TLS_CERT="+write(t, filepath.Join(dir, "certificate"), "CERTIFICATE", certificate.Raw),
		"CHAINCODE_TLS_KEY="+write(t, filepath.Join(dir, "key"), "PRIVATE KEY", encoded),
		"CHAINCODE_CLIENT_CA_CERT="+write(t, filepath.Join(dir, "peers"), "CERTIFICATE", peers.certificate.Raw))
	shows := func(of *authority) []tls.Certificate {
		certificate, key := of.member()
		return []tls.Certificate{{Certificate: [][]byte{certificate.Raw}, PrivateKey: key}}
	}
	for _, it := range []struct {
		name   string
		config *tls.Config
		ok     bool
	}{
		{"a peer", &tls.Config{RootCAs: peers.pool(), Certificates: shows(peers)}, true},
		{"nobody", &tls.Config{RootCAs: peers.pool()}, false},
		{"somebody else", &tls.Config{RootCAs: peers.pool(), Certificates: shows(others)}, false},
		{"a peer that trusts others", &tls.Config{RootCAs: others.pool(), Certificates: shows(peers)}, false},
	} {
		driver, err := peerdriver.ConnectTLS(address, packageID, it.config)
		if (err == nil) != it.ok {
			t.Errorf("%s: got %v", it.name, err)
		}
		if err == nil {
			driver.Close()
		}
	}
	if driver, err := peerdriver.Connect(address, packageID); err == nil {
		driver.Close()
		t.Error("without TLS")
	}
}
