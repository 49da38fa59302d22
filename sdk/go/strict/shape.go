package strict

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// Shape reads objects whose keys are known; after its first failure, Err, it gives zeros.
type Shape struct {
	// What is how errors call the text.
	What string
	Err  error
}

// Fail is a failure that the reader has found by itself.
func (s *Shape) Fail(problem string, values ...any) {
	if s.Err == nil {
		const text = "%s is not valid JSON of the expected shape: %s"
		s.Err = &Error{fmt.Sprintf(text, s.What, fmt.Sprintf(problem, values...))}
	}
}

// Fields is an object with just these keys; an empty one after a failure.
func (s *Shape) Fields(value any, where string, names ...string) *Object {
	found := s.Object(value, where)
	for _, it := range found.Fields {
		if !contains(names, it.Name) {
			s.Fail("%s has an unknown field `%s`", where, it.Name)
		}
	}
	for _, name := range names {
		if _, ok := found.Get(name); !ok {
			s.Fail("%s lacks the field `%s`", where, name)
		}
	}
	return found
}

func contains(names []string, name string) bool {
	for _, it := range names {
		if it == name {
			return true
		}
	}
	return false
}

// Object is one without repeated names.
func (s *Shape) Object(value any, where string) *Object {
	found, ok := value.(*Object)
	if !ok || found.Repeated {
		s.Fail("%s must be an object without repeated fields", where)
		return &Object{}
	}
	return found
}

// Text is a string.
func (s *Shape) Text(of *Object, name string) string {
	value, _ := of.Get(name)
	text, ok := value.(string)
	if !ok {
		s.Fail("`%s` must be a string", name)
	}
	return text
}

// Integer is one from 0 to `most`.
func (s *Shape) Integer(of *Object, name string, most uint64) uint64 {
	value, _ := of.Get(name)
	number, ok := value.(uint64)
	if !ok || number > most {
		s.Fail("`%s` must be an integer from 0 to %d", name, most)
		return 0
	}
	return number
}

// List is an array.
func (s *Shape) List(of *Object, name string) []any {
	value, _ := of.Get(name)
	list, ok := value.([]any)
	if !ok {
		s.Fail("`%s` must be a list", name)
	}
	return list
}

// Hex is `0x` and digits in small letters; length -1 is any.
func (s *Shape) Hex(value any, name string, length int) []byte {
	text, _ := value.(string)
	digits, ok := strings.CutPrefix(text, "0x")
	data, err := hex.DecodeString(digits)
	if !ok || err != nil || digits != strings.ToLower(digits) || (length >= 0 && len(data) != length) {
		s.Fail("`%s` must be 0x and hex digits in small letters", name)
		return make([]byte, max(length, 0))
	}
	return data
}

// Bytes is Hex of a field.
func (s *Shape) Bytes(of *Object, name string, length int) []byte {
	value, _ := of.Get(name)
	return s.Hex(value, name, length)
}
