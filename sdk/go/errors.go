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

// problem is the rule that a decision breaks, as far as verdicts depend on it.
type problem int

const (
	other problem = iota
	validatorSet
	before
	fork
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
