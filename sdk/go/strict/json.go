// Package strict reads JSON as proofs and chaincode need it: integers of 64 bits are exact, a key
// that appears twice is seen, unknown keys are refused, and nothing is repaired. encoding/json
// does none of that.
package strict

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Float is a number that is no integer of 64 bits.
type Float struct{}

// Field is a value under its name.
type Field struct {
	Name  string
	Value any
}

// Object has its fields in the order of the text.
type Object struct {
	Fields []Field
	// Repeated says that a name appears twice.
	Repeated bool
}

// Get gives the value under a name.
func (o *Object) Get(name string) (any, bool) {
	for i := len(o.Fields) - 1; i >= 0; i-- {
		if o.Fields[i].Name == name {
			return o.Fields[i].Value, true
		}
	}
	return nil, false
}

// Error says that a text is no JSON, or none of the expected shape.
type Error struct{ message string }

func (e *Error) Error() string { return e.message }

const (
	depthMax        = 127
	integerCharsMax = 20
)

// parser keeps its first failure; after it, it gives nothing more.
type parser struct {
	what, text string
	at         int
	err        error
}

// Parse reads one value. `what` is how errors call the text. A value is nil, a bool, a uint64, a
// string, a Float, a []any or an *Object.
func Parse(what string, data []byte) (any, error) {
	p := &parser{what: what, text: string(data)}
	if !utf8.ValidString(p.text) {
		p.fail("not UTF-8")
	}
	value := p.value(0)
	p.space()
	if p.at < len(p.text) {
		p.fail("text after the value")
	}
	return value, p.err
}

func (p *parser) fail(problem string) {
	if p.err == nil {
		p.err = &Error{fmt.Sprintf("%s is not valid JSON: %s at byte %d", p.what, problem, p.at)}
	}
	p.at = len(p.text)
}

func (p *parser) space() {
	for p.at < len(p.text) && strings.IndexByte(" \t\n\r", p.text[p.at]) >= 0 {
		p.at++
	}
}

func (p *parser) takes(symbol byte) bool {
	p.space()
	found := p.at < len(p.text) && p.text[p.at] == symbol
	if found {
		p.at++
	}
	return found
}

func (p *parser) needs(symbol byte) {
	if !p.takes(symbol) {
		p.fail("`" + string(rune(symbol)) + "` expected")
	}
}

func (p *parser) word(word string) bool {
	found := strings.HasPrefix(p.text[p.at:], word)
	if found {
		p.at += len(word)
	}
	return found
}

func (p *parser) value(depth int) any {
	p.space()
	if p.at >= len(p.text) {
		p.fail("a value is expected")
		return nil
	}
	first := p.text[p.at]
	if (first == '{' || first == '[') && depth >= depthMax {
		p.fail("too many levels")
		return nil
	}
	switch {
	case first == '{':
		return p.object(depth)
	case first == '[':
		return p.list(depth)
	case first == '"':
		return p.str()
	case p.word("null"):
		return nil
	case p.word("true"):
		return true
	case p.word("false"):
		return false
	}
	return p.number()
}

func (p *parser) object(depth int) *Object {
	found := &Object{}
	seen := map[string]struct{}{}
	p.needs('{')
	if p.takes('}') {
		return found
	}
	for {
		p.space()
		name := p.str()
		p.needs(':')
		value := p.value(depth + 1)
		if p.err != nil {
			return found
		}
		// Looked up, never walked: the order of this map decides nothing.
		if _, twice := seen[name]; twice {
			found.Repeated = true
		}
		seen[name] = struct{}{}
		found.Fields = append(found.Fields, Field{name, value})
		if !p.takes(',') {
			break
		}
	}
	p.needs('}')
	return found
}

func (p *parser) list(depth int) []any {
	items := []any{}
	p.needs('[')
	if p.takes(']') {
		return items
	}
	for p.err == nil {
		items = append(items, p.value(depth+1))
		if !p.takes(',') {
			break
		}
	}
	p.needs(']')
	return items
}

func (p *parser) digits() int {
	start := p.at
	for p.at < len(p.text) && p.text[p.at] >= '0' && p.text[p.at] <= '9' {
		p.at++
	}
	return p.at - start
}

func (p *parser) number() any {
	start, whole := p.at, true
	if p.word("-") {
		whole = false
	}
	zero := p.at < len(p.text) && p.text[p.at] == '0'
	if count := p.digits(); count == 0 || (zero && count > 1) {
		p.fail("a value is expected")
		return nil
	}
	end := p.at
	if p.word(".") {
		whole = false
		if p.digits() == 0 {
			p.fail("digits expected")
		}
	}
	if p.word("e") || p.word("E") {
		whole = false
		if !p.word("+") {
			p.word("-")
		}
		if p.digits() == 0 {
			p.fail("digits expected")
		}
	}
	if !whole || p.err != nil || end-start > integerCharsMax {
		return Float{}
	}
	value, err := strconv.ParseUint(p.text[start:end], 10, 64)
	if err != nil {
		return Float{}
	}
	return value
}

func (p *parser) str() string {
	if p.at >= len(p.text) || p.text[p.at] != '"' {
		p.fail("a string is expected")
		return ""
	}
	p.at++
	var out strings.Builder
	for p.at < len(p.text) {
		next := p.text[p.at]
		p.at++
		switch {
		case next == '"':
			return out.String()
		case next == '\\':
			out.WriteRune(p.escape())
		case next < 0x20:
			p.fail("a string has a control character")
		default:
			out.WriteByte(next)
		}
	}
	p.fail("a string does not end")
	return ""
}

func (p *parser) escape() rune {
	if p.at >= len(p.text) {
		p.fail("a string does not end")
		return 0
	}
	letter := p.text[p.at]
	p.at++
	if letter != 'u' {
		at := strings.IndexByte(`"\/bfnrt`, letter)
		if at < 0 {
			p.fail("an escape is unknown")
			return 0
		}
		return rune("\"\\/\b\f\n\r\t"[at])
	}
	unit := p.unit()
	if !utf16.IsSurrogate(unit) {
		return unit
	}
	// A half of a surrogate pair is no character.
	if p.word(`\u`) {
		if pair := utf16.DecodeRune(unit, p.unit()); pair != utf8.RuneError {
			return pair
		}
	}
	p.fail("a string has half a character")
	return 0
}

func (p *parser) unit() rune {
	if p.at+4 > len(p.text) {
		p.fail("an escape is not four hex digits")
		return 0
	}
	value, err := strconv.ParseUint(p.text[p.at:p.at+4], 16, 16)
	if err != nil {
		p.fail("an escape is not four hex digits")
		return 0
	}
	p.at += 4
	return rune(value)
}
