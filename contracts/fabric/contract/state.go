package contract

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"

	tbsi "tbsi.invalid/sdk"
)

// Records, as they are kept and answered: canonical JSON (RFC 8785), so fields are in the order of
// their names, integers below 2^53 and bytes 0x-hex.

// Config is what InitClient fixes for ever.
type Config struct {
	AdminMSPID         string `json:"adminMspId"`
	AdminUnit          string `json:"adminUnit"`
	By                 Party  `json:"by"`
	ChainID            uint64 `json:"chainId"`
	GenesisHash        string `json:"genesisHash"`
	StartHeight        uint64 `json:"startHeight"`
	Strict             bool   `json:"strict"`
	Transaction        string `json:"transaction"`
	TrustPeriodSeconds uint64 `json:"trustPeriodSeconds"`
}

// Head is the newest checkpoint.
type Head struct {
	Closing bool   `json:"closing"`
	Digest  string `json:"digest"`
	Height  uint64 `json:"height"`
	LogSize uint64 `json:"logSize"`
	SetID   uint64 `json:"setId"`
	TimeMs  uint64 `json:"timeMs"`
}

// Checkpoint is one that was accepted; its first has no signers, the administrators vouch for it.
type Checkpoint struct {
	By          Party  `json:"by"`
	Checkpoint  string `json:"checkpoint"`
	Digest      string `json:"digest"`
	SetID       uint64 `json:"setId"`
	Signers     string `json:"signers"`
	Transaction string `json:"transaction"`
}

// Set is a validator set, and its first checkpoint here.
type Set struct {
	Encoded     string `json:"encoded"`
	SinceHeight uint64 `json:"sinceHeight"`
	SinceMs     uint64 `json:"sinceMs"`
}

// transaction is one call: who calls, what was read, and what will be written.
type transaction struct {
	stub   shim.ChaincodeStubInterface
	caller *caller
	// written has what this call writes, because a peer shows it what was there before.
	written map[string][]byte
}

// get reads a record into `into`; false if there is none.
func (tx *transaction) get(key string, into any) (bool, error) {
	value, ok := tx.written[key]
	if !ok {
		var err error
		if value, err = tx.stub.GetState(key); err != nil {
			return false, fmt.Errorf("load %s: %w", key, err)
		}
	}
	if len(value) == 0 {
		return false, nil
	}
	if err := json.Unmarshal(value, into); err != nil {
		return false, fmt.Errorf("decode %s: %w", key, err)
	}
	return true, nil
}

func (tx *transaction) put(key string, record any) error {
	value, err := encode(record)
	if err != nil {
		return fmt.Errorf("encode %s: %w", key, err)
	}
	if err = tx.stub.PutState(key, value); err != nil {
		return fmt.Errorf("store %s: %w", key, err)
	}
	tx.written[key] = value
	return nil
}

// emit gives the transaction its one event.
func (tx *transaction) emit(name string, payload any) error {
	value, err := encode(payload)
	if err != nil {
		return fmt.Errorf("encode event %s: %w", name, err)
	}
	return tx.stub.SetEvent(name, value)
}

func encode(record any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(record); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

func hexOf(data []byte) string { return "0x" + hex.EncodeToString(data) }

// bytesOf reads what hexOf wrote.
func bytesOf(text string) ([]byte, error) {
	if len(text) < 2 {
		return nil, fmt.Errorf("%q is no 0x-hex", text)
	}
	return hex.DecodeString(text[2:])
}

func hashOf(text string) (tbsi.Hash, error) {
	data, err := bytesOf(text)
	if err != nil || len(data) != len(tbsi.Hash{}) {
		return tbsi.Hash{}, fmt.Errorf("%q is no hash", text)
	}
	return tbsi.Hash(data), nil
}

// damaged is an error in what the ledger keeps: not the caller's fault, whatever its cause is.
func damaged(key string, err error) error { return fmt.Errorf("decode %s: %v", key, err) }

// config is what InitClient wrote.
func (tx *transaction) config() (*Config, tbsi.Chain, error) {
	found := &Config{}
	ok, err := tx.get(key(kindConfig), found)
	if err != nil {
		return nil, tbsi.Chain{}, err
	}
	if !ok {
		const text = "there is no client on this channel: call InitClient first"
		return nil, tbsi.Chain{}, refuse(StatusState, "LightClientAbsent", text)
	}
	genesis, err := hashOf(found.GenesisHash)
	return found, tbsi.Chain{ChainID: found.ChainID, GenesisHash: genesis}, err
}

// nowMs is the time that the client wrote into its transaction: the same for every endorser,
// and no more than the client's word (SPEC §17.4).
func (tx *transaction) nowMs() (uint64, error) {
	stamp, err := tx.stub.GetTxTimestamp()
	if err != nil {
		return 0, fmt.Errorf("load the transaction's time: %w", err)
	}
	if err = stamp.CheckValid(); err != nil || stamp.AsTime().UnixMilli() < 0 {
		const text = "the transaction's time is not in 1970 to 9999: set the client's clock"
		return 0, refuse(StatusArgument, "TransactionTime", text)
	}
	return uint64(stamp.AsTime().UnixMilli()), nil
}
