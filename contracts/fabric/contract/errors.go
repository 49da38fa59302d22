package contract

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	tbsi "tbsi.invalid/sdk"
	"tbsi.invalid/sdk/strict"
)

// Status of a refusal: whose fault it is. Peers endorse none of them.
const (
	// StatusArgument: what was given is wrong, and will stay so.
	StatusArgument = 400
	// StatusIdentity: the caller may not do this.
	StatusIdentity = 403
	// StatusState: not in the client's present state; another time, perhaps.
	StatusState = 409
	// StatusLedger: the peer failed, or what it keeps is damaged.
	StatusLedger = 500
)

// refusal is an error with a stable name (SPEC §17.6) and a sentence for people.
type refusal struct {
	status        int32
	name, message string
}

func (r *refusal) Error() string { return r.name + ": " + r.message }

func refuse(status int32, name, format string, values ...any) error {
	return &refusal{status, name, fmt.Sprintf(format, values...)}
}

// failed is the response for an error. Writes of such a transaction are never committed.
func failed(err error) *peer.Response {
	status, text := int32(StatusLedger), "LedgerFailure: "+err.Error()
	var own *refusal
	var verifier *tbsi.Refusal
	var form *strict.Error
	switch {
	case errors.As(err, &own):
		status, text = own.status, err.Error()
	case errors.As(err, &verifier):
		status, text = StatusArgument, err.Error()
	case errors.As(err, &form):
		status, text = StatusArgument, "ArgumentForm: "+err.Error()
	}
	return &peer.Response{Status: status, Message: shortened(text)}
}

// shortened is text of bounded length, and UTF-8, which protobuf demands of strings.
func shortened(text string) string {
	if len(text) > MessageBytesMax {
		text = text[:MessageBytesMax]
	}
	return strings.ToValidUTF8(text, "")
}
