package contract

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"slices"
	"unicode/utf8"

	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"google.golang.org/protobuf/proto"
)

// Party is who sent a transaction. The peer has checked signature and certificate against the
// MSP before the chaincode runs. Names are those of a registered relayer, or empty.
type Party struct {
	CertificateSHA256 string `json:"certificateSha256"`
	MSPID             string `json:"mspId"`
	NameEn            string `json:"nameEn"`
	NameZhTW          string `json:"nameZhTw"`
	Subject           string `json:"subject"`
}

// caller is a party and what its certificate says beside.
type caller struct {
	Party
	units []string
}

// callerOf reads the creator of a transaction.
func callerOf(creator []byte) (*caller, error) {
	found := &msp.SerializedIdentity{}
	if err := proto.Unmarshal(creator, found); err != nil {
		const text = "the transaction's creator is no serialized identity: %s"
		return nil, refuse(StatusIdentity, "IdentityForm", text, err)
	}
	if !isMSPID(found.Mspid) {
		const text = "MSP id must have 1 to %d bytes of A-Z a-z 0-9 . _ -"
		return nil, refuse(StatusIdentity, "IdentityMspId", text, MSPIDBytesMax)
	}
	if len(found.IdBytes) > CertificateBytesMax {
		const text = "the client's certificate has %d bytes, at most %d are allowed"
		return nil, refuse(StatusIdentity, "IdentityCertificate", text, len(found.IdBytes), CertificateBytesMax)
	}
	block, rest := pem.Decode(found.IdBytes)
	if block == nil || len(bytes.TrimSpace(rest)) > 0 {
		const text = "the client needs one X.509 certificate in PEM: use an enrolment of the MSP, not an anonymous credential"
		return nil, refuse(StatusIdentity, "IdentityCertificate", text)
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, refuse(StatusIdentity, "IdentityCertificate", "the client's certificate: %s", err)
	}
	subject := certificate.Subject.String()
	if len(subject) > SubjectBytesMax || !isPlain(subject) {
		const text = "the certificate's subject has %d bytes, at most %d without hidden characters are allowed"
		return nil, refuse(StatusIdentity, "IdentityCertificate", text, len(subject), SubjectBytesMax)
	}
	digest := sha256.Sum256(certificate.Raw)
	return &caller{
		Party: Party{
			MSPID: found.Mspid, Subject: subject, CertificateSHA256: hex.EncodeToString(digest[:]),
		},
		units: certificate.Subject.OrganizationalUnit,
	}, nil
}

// isPlain: UTF-8 without control characters, line separators, and characters that hide or turn
// others around. Ranges are written out, so that no release of Go changes them.
func isPlain(text string) bool {
	for _, letter := range text {
		switch {
		case letter < 0x20, letter >= 0x7f && letter < 0xa0, letter >= 0x200b && letter <= 0x200f,
			letter >= 0x2028 && letter <= 0x202e, letter >= 0x2060 && letter <= 0x206f, letter == 0xfeff:
			return false
		}
	}
	return utf8.ValidString(text)
}

func isMSPID(text string) bool {
	for _, letter := range []byte(text) {
		digit := letter >= '0' && letter <= '9'
		small, capital := letter >= 'a' && letter <= 'z', letter >= 'A' && letter <= 'Z'
		if !digit && !small && !capital && letter != '.' && letter != '_' && letter != '-' {
			return false
		}
	}
	return len(text) >= 1 && len(text) <= MSPIDBytesMax
}

// requireAdmin refuses whoever is no client of the administrators' MSP with their unit, which
// that MSP's authority writes into certificates.
func (c *caller) requireAdmin(mspID, unit string) error {
	if c.MSPID == mspID && slices.Contains(c.units, unit) {
		return nil
	}
	const text = "administrators are clients of %s with the organisational unit `%s`; this is one of %s"
	return refuse(StatusIdentity, "IdentityNotAdmin", text, mspID, unit, c.MSPID)
}
