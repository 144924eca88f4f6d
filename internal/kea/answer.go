// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Result codes (ARM, "Control Channel"). All others are refusals: 1 for errors of any kind, 4 for
// conflicts of leases, 5 (since 3.1.7) for fatal errors.
const (
	resultSuccess     = 0
	resultUnsupported = 2
	resultEmpty       = 3
)

// answer is what Kea answers to one command. Arguments is a map, but for list-commands an array.
type answer struct {
	Result    *int            `json:"result"`
	Text      text            `json:"text"`
	Arguments json.RawMessage `json:"arguments"`
}

// decodeAnswer turns an answer into its arguments or an error.
func decodeAnswer(req request, raw []byte, out any) error {
	a, err := parseAnswer(raw)
	if err != nil {
		return &MalformedError{Command: req.Command, Reason: "it is not the JSON that Kea sends, or cut short", cause: err}
	}
	if err := a.failure(req.Command); err != nil {
		return err
	}
	if req.text != nil {
		*req.text = string(a.Text)
	}
	if out == nil {
		return nil
	}
	if len(a.Arguments) == 0 || string(a.Arguments) == null {
		return shapeError(req.Command, errors.New("there are none"))
	}
	if err := decode(a.Arguments, out); err != nil {
		return shapeError(req.Command, err)
	}
	return nil
}

// parseAnswer reads an answer: an array with one element for each service asked, or from the HTTP
// layer of Kea the bare element.
func parseAnswer(raw []byte) (answer, error) {
	var list []answer
	if bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) {
		list = make([]answer, 1)
		if err := decode(raw, &list[0]); err != nil {
			return answer{}, err
		}
	} else if err := decode(raw, &list); err != nil {
		return answer{}, err
	}
	if len(list) != 1 || list[0].Result == nil {
		return answer{}, errors.New("cannot find the result of the one service that was asked")
	}
	return list[0], nil
}

// failure turns a result code into an error; nil for success.
func (a answer) failure(command string) error {
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
