package contract

import (
	tbsi "tbsi.invalid/sdk"
	"tbsi.invalid/sdk/strict"
)

// Init is the argument of InitClient.
type Init struct {
	AdminMSPID, AdminUnit    string
	Chain                    tbsi.Chain
	Checkpoint, ValidatorSet []byte
	Strict                   bool
	TrustPeriodSeconds       uint64
}

// Update is the argument of UpdateClient; Decision is nil if there is none.
type Update struct {
	Decision  []byte
	Handovers []Handover
}

// Handover is the old set's last decision, the new set, and its first decision.
type Handover struct{ Last, ValidatorSet, First []byte }

// Proof is the argument of Anchor and VerifyAttestation.
type Proof struct {
	Leaf          []byte
	Index, Height uint64
	Path          []tbsi.Hash
}

// Evidence is the argument of SubmitMisbehaviour: two decisions, each of a set by its number.
type Evidence struct {
	SetIDA, SetIDB uint64
	A, B           []byte
}

// Relayer is the argument of SetRelayer.
type Relayer struct {
	MSPID, CertificateSHA256 string
	NameEn, NameZhTW         string
	Active                   bool
}

// Identity is the argument of GetRelayer.
type Identity struct{ MSPID, CertificateSHA256 string }

// Pause is the argument of Pause and Unpause, whose reason is empty.
type Pause struct{ Scope, Reason string }

// Message is the argument of SendMessage.
type Message struct {
	Sequence, TimeoutSeconds uint64
	Receiver                 tbsi.Address
	PayloadHash              tbsi.Hash
}

// Entry is the argument of GetOutboxEntry.
type Entry struct {
	MSPID    string
	Sequence uint64
	Nonce    tbsi.Hash
}

// reader reads one argument; what it gives counts only if it has not failed.
type reader struct {
	strict.Shape
	top *strict.Object
}

// argument is a JSON object with just these fields.
func argument(data []byte, names ...string) (*reader, error) {
	const what = "argument"
	value, err := strict.Parse(what, data)
	if err != nil {
		return nil, err
	}
	r := &reader{Shape: strict.Shape{What: what}}
	r.top = r.Fields(value, what, names...)
	return r, r.Err
}

// bytes of a field, `most` at most.
func (r *reader) bytes(of *strict.Object, name string, most int) []byte {
	if text := r.Text(of, name); len(text) > 2+2*most {
		r.Fail("`%s` has more than %d bytes", name, most)
		return nil
	}
	return r.Bytes(of, name, -1)
}

func (r *reader) hash(name string) tbsi.Hash { return tbsi.Hash(r.Bytes(r.top, name, 32)) }

func (r *reader) integer(of *strict.Object, name string, least, most uint64) uint64 {
	found := r.Integer(of, name, most)
	if found < least {
		r.Fail("`%s` must be at least %d", name, least)
	}
	return found
}

// name is a text of 1 to `most` bytes.
func (r *reader) name(name string, most int) string {
	found := r.Text(r.top, name)
	if len(found) < 1 || len(found) > most || !isPlain(found) {
		r.Fail("`%s` must have 1 to %d bytes without control or hidden characters", name, most)
	}
	return found
}

func (r *reader) mspID(name string) string {
	found := r.Text(r.top, name)
	if !isMSPID(found) {
		r.Fail("`%s` must have 1 to %d bytes of A-Z a-z 0-9 . _ -", name, MSPIDBytesMax)
	}
	return found
}

func (r *reader) flag(name string) bool {
	value, _ := r.top.Get(name)
	found, ok := value.(bool)
	if !ok {
		r.Fail("`%s` must be true or false", name)
	}
	return found
}

func (r *reader) oneOf(name string, allowed ...string) string {
	found := r.Text(r.top, name)
	for _, it := range allowed {
		if it == found {
			return found
		}
	}
	r.Fail("`%s` must be one of %q", name, allowed)
	return ""
}

func readInit(data []byte) (Init, error) {
	r, err := argument(data, "adminMspId", "adminUnit", "chainId", "checkpoint", "genesisHash",
		"strict", "trustPeriodSeconds", "validatorSet")
	if err != nil {
		return Init{}, err
	}
	in := Init{
		AdminMSPID: r.mspID("adminMspId"), AdminUnit: r.name("adminUnit", UnitBytesMax),
		Chain: tbsi.Chain{
			ChainID: r.integer(r.top, "chainId", 1, 1<<53-1), GenesisHash: r.hash("genesisHash"),
		},
		Checkpoint:         r.Bytes(r.top, "checkpoint", 192),
		ValidatorSet:       r.bytes(r.top, "validatorSet", tbsi.SetBytesMax),
		Strict:             r.flag("strict"),
		TrustPeriodSeconds: r.integer(r.top, "trustPeriodSeconds", TrustPeriodMinSeconds, TrustPeriodMaxSeconds),
	}
	return in, r.Err
}

func readUpdate(data []byte) (Update, error) {
	r, err := argument(data, "decision", "handovers")
	if err != nil {
		return Update{}, err
	}
	in := Update{}
	if value, _ := r.top.Get("decision"); value != nil {
		in.Decision = r.bytes(r.top, "decision", tbsi.DecisionBytesMax)
	}
	list := r.List(r.top, "handovers")
	if len(list) > HandoversMax {
		r.Fail("`handovers` has %d entries, at most %d are allowed: send the rest in further transactions", len(list), HandoversMax)
		list = nil
	}
	for _, it := range list {
		part := r.Fields(it, "handover", "first", "last", "validatorSet")
		in.Handovers = append(in.Handovers, Handover{
			Last:         r.bytes(part, "last", tbsi.DecisionBytesMax),
			ValidatorSet: r.bytes(part, "validatorSet", tbsi.SetBytesMax),
			First:        r.bytes(part, "first", tbsi.DecisionBytesMax),
		})
	}
	if len(list) == 0 && in.Decision == nil {
		r.Fail("`decision` is null and `handovers` is empty: give one of them")
	}
	return in, r.Err
}

func readProof(data []byte) (Proof, error) {
	r, err := argument(data, "height", "index", "leaf", "path")
	if err != nil {
		return Proof{}, err
	}
	in := Proof{
		Leaf:   r.bytes(r.top, "leaf", tbsi.LeafBytesMax),
		Index:  r.integer(r.top, "index", 0, numberMax),
		Height: r.integer(r.top, "height", 0, numberMax),
	}
	list := r.List(r.top, "path")
	if len(list) > inclusionHashesMax {
		r.Fail("`path` has %d hashes, at most %d are allowed", len(list), inclusionHashesMax)
		list = nil
	}
	for _, it := range list {
		in.Path = append(in.Path, tbsi.Hash(r.Hex(it, "path", 32)))
	}
	return in, r.Err
}

func readEvidence(data []byte) (Evidence, error) {
	r, err := argument(data, "a", "b")
	if err != nil {
		return Evidence{}, err
	}
	decision := func(name string) (uint64, []byte) {
		value, _ := r.top.Get(name)
		part := r.Fields(value, name, "decision", "setId")
		return r.integer(part, "setId", 1, numberMax), r.bytes(part, "decision", tbsi.DecisionBytesMax)
	}
	in := Evidence{}
	in.SetIDA, in.A = decision("a")
	in.SetIDB, in.B = decision("b")
	return in, r.Err
}

func readRelayer(data []byte) (Relayer, error) {
	r, err := argument(data, "active", "certificateSha256", "mspId", "nameEn", "nameZhTw")
	if err != nil {
		return Relayer{}, err
	}
	in := Relayer{
		MSPID:  r.mspID("mspId"),
		NameEn: r.name("nameEn", tbsi.NameBytesMax), NameZhTW: r.name("nameZhTw", tbsi.NameBytesMax),
		Active: r.flag("active"),
	}
	in.CertificateSHA256 = hexOf(r.Bytes(r.top, "certificateSha256", 32))[2:]
	return in, r.Err
}

func readIdentity(data []byte) (Identity, error) {
	r, err := argument(data, "certificateSha256", "mspId")
	if err != nil {
		return Identity{}, err
	}
	in := Identity{
		MSPID: r.mspID("mspId"), CertificateSHA256: hexOf(r.Bytes(r.top, "certificateSha256", 32))[2:],
	}
	return in, r.Err
}

func readPause(data []byte) (Pause, error) {
	r, err := argument(data, "reason", "scope")
	if err != nil {
		return Pause{}, err
	}
	in := Pause{Scope: r.oneOf("scope", scopes...), Reason: r.name("reason", ReasonBytesMax)}
	return in, r.Err
}

func readUnpause(data []byte) (Pause, error) {
	r, err := argument(data, "scope")
	if err != nil {
		return Pause{}, err
	}
	in := Pause{Scope: r.oneOf("scope", scopes...)}
	return in, r.Err
}

func readMessage(data []byte) (Message, error) {
	r, err := argument(data, "payloadHash", "receiver", "sequence", "timeoutSeconds")
	if err != nil {
		return Message{}, err
	}
	in := Message{
		Sequence:       r.integer(r.top, "sequence", 1, numberMax),
		TimeoutSeconds: r.integer(r.top, "timeoutSeconds", 1, numberMax),
		Receiver:       tbsi.Address(r.Bytes(r.top, "receiver", 20)),
		PayloadHash:    r.hash("payloadHash"),
	}
	if in.Receiver == (tbsi.Address{}) {
		r.Fail("`receiver` is zero: give the address of a contract on the TBSI chain")
	}
	return in, r.Err
}

func readEntry(data []byte) (Entry, error) {
	r, err := argument(data, "mspId", "nonce", "sequence")
	if err != nil {
		return Entry{}, err
	}
	in := Entry{
		MSPID: r.mspID("mspId"), Sequence: r.integer(r.top, "sequence", 1, numberMax),
		Nonce: r.hash("nonce"),
	}
	return in, r.Err
}

// readNumber reads an argument that is one integer.
func readNumber(name string) func([]byte) (uint64, error) {
	return func(data []byte) (uint64, error) {
		r, err := argument(data, name)
		if err != nil {
			return 0, err
		}
		return r.integer(r.top, name, 0, numberMax), r.Err
	}
}

func readNothing(data []byte) (struct{}, error) {
	_, err := argument(data)
	return struct{}{}, err
}
