// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Result codes (ARM, "Control Channel"). All others are refusals: 1 for errors of any kind, 4 for
// conflicts of leases, 5 (since 3.1.7) for fatal errors.
const (
	resultSuccess     = 0
	resultUnsupported = 2
	resultEmpty       = 3
)

// answer is what Kea answers to one command. Its arguments are a map, but for list-commands a list;
// Kea sends them before the result, so they are read without knowing it.
type answer struct {
	Result *int
	Text   text
	// hasArguments is set if there are arguments, and argumentsErr if they are of another shape.
	hasArguments bool
	argumentsErr error
}

// decodeAnswer reads an answer into out, or with the reader of the request, or returns the error
// that it is.
func decodeAnswer(req request, d *jsontext.Decoder, out any) error {
	read := req.read
	switch {
	case read == nil && out == nil:
		read = skip
	case read == nil:
		read = required(out)
	}
	a, err := readAnswer(d, read)
	if err != nil {
		return parseError(req.Command, err)
	}
	if err := a.failure(req.Command); err != nil {
		return err
	}
	if req.text != nil {
		*req.text = string(a.Text)
	}
	switch {
	case out == nil && req.read == nil:
		return nil
	case a.argumentsErr != nil:
		return shapeError(req.Command, a.argumentsErr)
	case !a.hasArguments:
		return shapeError(req.Command, errors.New("there are none"))
	}
	return nil
}

// parseError turns what ends the reading of an answer into an error of this package.
func parseError(command string, err error) error {
	if limit, ok := errors.AsType[*LimitError](err); ok {
		return limit
	}
	return &MalformedError{Command: command, Reason: "it is not the JSON that Kea sends, or cut short", cause: err}
}

// readAnswer reads an answer: an array with one element for each service asked, or from the HTTP
// layer of Kea the bare element.
func readAnswer(d *jsontext.Decoder, arguments reader) (answer, error) {
	var a answer
	element := map[string]reader{"result": into(&a.Result), "text": into(&a.Text), "arguments": a.argumentsBy(arguments)}
	t, err := d.ReadToken()
	if err != nil {
		return a, err //nolint:wrapcheck // parseError makes it an error of this package.
	}
	n := 0
	if t.Kind() == jsontext.KindBeginObject {
		n, err = 1, readMembers(d, element)
	} else if t.Kind() == jsontext.KindBeginArray {
		for ; more(d) && err == nil && n <= 1; n++ {
			err = objectOf(element)(d)
		}
		if err == nil && n == 1 {
			_, err = d.ReadToken()
		}
	}
	if err != nil {
		return a, err
	}
	if n != 1 || a.Result == nil {
		return a, errors.New("cannot find the result of the one service that was asked")
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		if err == nil {
			err = errors.New("cannot read JSON: there is more after the first value")
		}
		return a, err
	}
	a.Text = text(truncate(string(a.Text), maxText))
	return a, nil
}

// argumentsBy returns a reader that records the outcome of another one: that of arguments matters
// only where the result is success.
func (a *answer) argumentsBy(read reader) reader {
	return func(d *jsontext.Decoder) error {
		a.hasArguments = true
		err := read(d)
		if isMismatch(err) {
			a.argumentsErr, err = err, nil
		}
		return err
	}
}

// failure turns a result code into an error; nil for success.
func (a *answer) failure(command string) error {
	switch *a.Result {
	case resultSuccess:
		return nil
	case resultUnsupported:
		return &UnsupportedError{Command: command, Hook: hookOf(command)}
	case resultEmpty:
		return fmt.Errorf("%s: %w", command, ErrNotFound)
	}
	if strings.Contains(strings.ToLower(string(a.Text)), "unable to forward command") {
		// The Control Agent answers for a kea-dhcp4 that it cannot reach.
		return &UnreachableError{
			Reason: "the Control Agent answers, but kea-dhcp4 behind it does not: start it, and check the Control Agent's control-sockets",
		}
	}
	return &RejectedError{Command: command, Text: string(a.Text)}
}

// shapeError returns the error for arguments that are JSON but not what Kea sends.
func shapeError(command string, cause error) error {
	return &MalformedError{Command: command, Reason: "its arguments have another shape than Kea's", cause: cause}
}
