package tbsi

import "fmt"

// formError says that bytes are no proof, or none in canonical form. Its code is one of
// SPEC §10.5: unreadable, otherVersion or form.
type formError struct {
	code    Code
	message string
}

func (e *formError) Error() string { return e.message }

func unreadable(format string, values ...any) error {
	return &formError{Unreadable, fmt.Sprintf(format, values...)}
}

func wrongForm(format string, values ...any) error {
	return &formError{Form, fmt.Sprintf(format, values...)}
}

func otherVersion(format string, values ...any) error {
	return &formError{OtherVersion, fmt.Sprintf(format, values...)}
}

// problem is the rule that a decision breaks, as far as verdicts or names of errors depend on it.
type problem int

const (
	other problem = iota
	validatorSet
	before
	fork
	badSignature
	noQuorum
)

// decisionError says that a decision does not follow from what is trusted.
type decisionError struct {
	problem problem
	message string
}

func (e *decisionError) Error() string { return e.message }

func refuse(why problem, format string, values ...any) error {
	return &decisionError{why, fmt.Sprintf(format, values...)}
}

// Refusal is why a light client refuses something. Its name is that of SPEC §14.9.
type Refusal struct{ Name, Message string }

func (r *Refusal) Error() string { return r.Name + ": " + r.Message }

func named(name, format string, values ...any) error {
	return &Refusal{name, fmt.Sprintf(format, values...)}
}
