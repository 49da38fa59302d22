package contract

import tbsi "tbsi.invalid/sdk"

// What can be paused.
const (
	scopeUpdates  = "updates"
	scopeProofs   = "proofs"
	scopeMessages = "messages"
)

var scopes = []string{scopeUpdates, scopeProofs, scopeMessages}

// Paused is the last word of the administrators on a scope.
type Paused struct {
	By          Party  `json:"by"`
	Paused      bool   `json:"paused"`
	Reason      string `json:"reason"`
	Scope       string `json:"scope"`
	Transaction string `json:"transaction"`
}

// Registered is a relayer by name: an identity and the organisation that answers for it.
type Registered struct {
	Active            bool   `json:"active"`
	By                Party  `json:"by"`
	CertificateSHA256 string `json:"certificateSha256"`
	MSPID             string `json:"mspId"`
	NameEn            string `json:"nameEn"`
	NameZhTW          string `json:"nameZhTw"`
	Organisation      string `json:"organisation"`
	Transaction       string `json:"transaction"`
}

// Status is what the client does now, at the transaction's time, and all that it was opened with.
type Status struct {
	Config         Config   `json:"config"`
	Frozen         *Frozen  `json:"frozen"`
	Head           Head     `json:"head"`
	Paused         []Paused `json:"paused"`
	Status         string   `json:"status"`
	TransactionMs  uint64   `json:"transactionMs"`
	TrustedUntilMs uint64   `json:"trustedUntilMs"`
}

// SetRelayer names the organisation behind a certificate, or says that it is none any more.
func (tx *transaction) SetRelayer(in Relayer) (*Registered, error) {
	out := &Registered{
		Active: in.Active, By: tx.caller.Party, CertificateSHA256: in.CertificateSHA256,
		MSPID: in.MSPID, NameEn: in.NameEn, NameZhTW: in.NameZhTW,
		Organisation: tbsi.OperatorID(in.NameZhTW, in.NameEn).String(),
		Transaction:  tx.stub.GetTxID(),
	}
	if err := tx.put(key(kindRelayer, in.MSPID, in.CertificateSHA256), out); err != nil {
		return nil, err
	}
	return out, tx.emit("RelayerSet", out)
}

// GetRelayer is what the administrators last said of a certificate.
func (tx *transaction) GetRelayer(in Identity) (*Registered, error) {
	found := &Registered{}
	ok, err := tx.get(key(kindRelayer, in.MSPID, in.CertificateSHA256), found)
	if err == nil && !ok {
		const text = "%s of %s is no relayer by name here: an administrator calls SetRelayer"
		err = refuse(StatusArgument, "RelayerUnknown", text, in.CertificateSHA256, in.MSPID)
	}
	return found, err
}

// named is the caller, with the names that the administrators gave it, if any.
func (tx *transaction) named() (Party, error) {
	by, found := tx.caller.Party, &Registered{}
	ok, err := tx.get(key(kindRelayer, by.MSPID, by.CertificateSHA256), found)
	if err == nil && ok && found.Active {
		by.NameEn, by.NameZhTW = found.NameEn, found.NameZhTW
	}
	return by, err
}

// Pause stops checkpoints, proofs or messages until Unpause: a pause that ended by itself would
// end by whatever time a client writes into its transaction.
func (tx *transaction) Pause(in Pause) (*Paused, error) {
	return tx.setPause(in, true, "Paused")
}

// Unpause ends a pause.
func (tx *transaction) Unpause(in Pause) (*Paused, error) {
	return tx.setPause(in, false, "Unpaused")
}

func (tx *transaction) setPause(in Pause, paused bool, event string) (*Paused, error) {
	before := &Paused{}
	if _, err := tx.get(key(kindPause, in.Scope), before); err != nil {
		return nil, err
	}
	if before.Paused == paused {
		const text = "`%s` is so already: nothing to do"
		return nil, refuse(StatusState, "LightClientPauseUnchanged", text, in.Scope)
	}
	out := &Paused{tx.caller.Party, paused, in.Reason, in.Scope, tx.stub.GetTxID()}
	if err := tx.put(key(kindPause, in.Scope), out); err != nil {
		return nil, err
	}
	return out, tx.emit(event, out)
}

// requireOpen refuses while a scope is paused, and all but messages of a frozen client.
func (tx *transaction) requireOpen(scope string) error {
	if scope != scopeMessages {
		if err := tx.requireNotFrozen(); err != nil {
			return err
		}
	}
	found := &Paused{}
	if _, err := tx.get(key(kindPause, scope), found); err != nil {
		return err
	}
	if found.Paused {
		const text = "`%s` is paused since transaction %s: %s"
		return refuse(StatusState, "LightClientPaused", text, scope, found.Transaction, found.Reason)
	}
	return nil
}

// GetStatus writes nothing: evaluate it.
func (tx *transaction) GetStatus(struct{}) (*Status, error) {
	config, _, err := tx.config()
	if err != nil {
		return nil, err
	}
	head, err := tx.head()
	if err != nil {
		return nil, err
	}
	now, err := tx.nowMs()
	if err != nil {
		return nil, err
	}
	out := &Status{
		Config: *config, Head: *head, Paused: []Paused{}, Status: "active", TransactionMs: now,
		TrustedUntilMs: head.TimeMs + config.TrustPeriodSeconds*1000,
	}
	for _, scope := range scopes {
		found := Paused{}
		if _, err := tx.get(key(kindPause, scope), &found); err != nil {
			return nil, err
		}
		if found.Paused {
			out.Status = "paused"
			out.Paused = append(out.Paused, found)
		}
	}
	if now > out.TrustedUntilMs {
		out.Status = "expired"
	}
	frozen := &Frozen{}
	ok, err := tx.get(key(kindFrozen), frozen)
	if ok {
		out.Frozen, out.Status = frozen, "frozen"
	}
	return out, err
}
