package tbsi

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// JSON as proofs need it: integers of 64 bits are exact, a key that appears twice is seen, and
// nothing is repaired. encoding/json does none of that.
//
// A value is nil, a bool, a uint64, a string, a float, a []any or an *object.
type (
	// float is a number that is no integer of 64 bits.
	float struct{}

	object struct {
		fields   []Field
		repeated bool
	}
)

func (o *object) get(name string) (any, bool) {
	for i := len(o.fields) - 1; i >= 0; i-- {
		if o.fields[i].Name == name {
			return o.fields[i].Value, true
		}
	}
	return nil, false
}

// parser keeps its first failure; after it, it gives nothing more.
type parser struct {
	text string
	at   int
	err  error
}

func parseJSON(data []byte) (any, error) {
	p := &parser{text: string(data)}
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
		p.err = unreadable("proof is not valid JSON: %s at byte %d", problem, p.at)
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
	if (first == '{' || first == '[') && depth >= jsonDepthMax {
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

func (p *parser) object(depth int) *object {
	found := &object{}
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
			found.repeated = true
		}
		seen[name] = struct{}{}
		found.fields = append(found.fields, Field{name, value})
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
		return float{}
	}
	value, err := strconv.ParseUint(p.text[start:end], 10, 64)
	if err != nil {
		return float{}
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
