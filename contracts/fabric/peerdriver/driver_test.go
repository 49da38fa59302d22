package peerdriver_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc"

	"tbsi.invalid/fabric/peerdriver"
)

// asking does what its first argument says, and answers with the error.
type asking struct{}

func (asking) Init(shim.ChaincodeStubInterface) *peer.Response { return shim.Success(nil) }

func (asking) Invoke(stub shim.ChaincodeStubInterface) *peer.Response {
	var err error
	switch string(stub.GetArgs()[0]) {
	case "private read":
		_, err = stub.GetPrivateData("collection", "key")
	case "private write":
		err = stub.PutPrivateData("collection", "key", []byte("value"))
	case "range":
		_, err = stub.GetStateByRange("a", "b")
	case "query":
		_, err = stub.GetQueryResult("{}")
	case "history":
		_, err = stub.GetHistoryForKey("key")
	case "delete":
		err = stub.DelState("key")
	case "other chaincode":
		return stub.InvokeChaincode("other", nil, "")
	case "write":
		if err = stub.PutState("key", []byte("value")); err != nil {
			return shim.Error(err.Error())
		}
		// A peer shows what is on the ledger, not what was just written.
		var value []byte
		value, err = stub.GetState("key")
		if err == nil {
			return shim.Success(value)
		}
	}
	if err != nil {
		return shim.Error(err.Error())
	}
	return shim.Success(nil)
}

func serve(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	peer.RegisterChaincodeServer(server, &shim.ChaincodeServer{CCID: "asking:1", CC: asking{}})
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

func TestDriverRefusesWhatItDoesNotKnow(t *testing.T) {
	address := serve(t)
	if _, err := peerdriver.Connect(address, "another:1"); err == nil || !strings.Contains(err.Error(), "registered as") {
		t.Errorf("got %v", err)
	}
	driver, err := peerdriver.Connect(address, "asking:1")
	if err != nil {
		t.Fatal(err)
	}
	defer driver.Close()
	ledger := peerdriver.NewLedger()
	execute := func(text string) *peerdriver.Simulation {
		found, err := driver.Execute(ledger, peerdriver.Proposal{
			Channel: "c", Creator: []byte("x"), Args: [][]byte{[]byte(text)}, Nonce: []byte(text),
			Time: time.UnixMilli(0),
		})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	for _, it := range []string{
		"private read", "private write", "range", "query", "history", "delete", "other chaincode",
	} {
		found := execute(it)
		if found.Response.Status != shim.ERROR || len(found.Refused) != 1 {
			t.Errorf("%s: got %v, refused %v", it, found.Response, found.Refused)
		}
		if _, err := ledger.Commit(found); err == nil {
			t.Errorf("%s: committed", it)
		}
	}
	a, b := execute("write"), execute("write")
	if len(a.Response.Payload) != 0 || len(a.Refused) != 0 {
		t.Errorf("got %v", a)
	}
	codes, err := ledger.Commit(a, b)
	if err != nil || codes[0] != peer.TxValidationCode_VALID || codes[1] != peer.TxValidationCode_MVCC_READ_CONFLICT {
		t.Errorf("got %v, %v", codes, err)
	}
	if found := execute("write"); string(found.Response.Payload) != "value" {
		t.Errorf("got %v", found.Response)
	}
}
