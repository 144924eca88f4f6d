// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/vitistack/provider-kea/internal/fence"
)

// service names the daemon that a command is for. The Control Agent needs it; kea-dhcp4's own
// socket accepts it.
var service = []string{"dhcp4"}

// Names of commands, arguments and members that occur in several places.
const (
	commandDelete        = "reservation-del"
	commandHostPage      = "reservation-get-page"
	memberClientClasses  = "client-classes"
	memberHosts          = "hosts"
	memberName           = "name"
	memberHWAddress      = "hw-address"
	memberIdentifier     = "identifier"
	memberIdentifierType = "identifier-type"
	memberIPAddress      = "ip-address"
	memberOptionData     = "option-data"
	memberUserContext    = "user-context"
	memberHostname       = "hostname"
	memberDUID           = "duid"
	memberClientID       = "client-id"
	memberCircuitID      = "circuit-id"
	memberFlexID         = "flex-id"
	memberSubnetID       = "subnet-id"
	memberTarget         = "operation-target"
)

// effect is whether a command may be sent a second time when it is not known whether it arrived.
type effect int

const (
	// repeatable commands change nothing, or nothing the second time.
	repeatable effect = iota
	// once is for writes: an add that is repeated answers "duplicate" although it worked.
	once
)

// request is a command as Kea reads it.
type request struct {
	Command   string   `json:"command"`
	Service   []string `json:"service"`
	Arguments any      `json:"arguments,omitempty"`

	effect effect
	// text, if not nil, gets the text of the answer.
	text *string
	// took, if not nil, gets how long it took until the answer began to come.
	took *time.Duration
	// limit is how many bytes the answer may have; 0 is smallAnswer.
	limit int64
	// read, if not nil, reads the arguments of the answer, one entry at a time.
	read reader
}

// run sends one command and decodes the arguments of its answer into out, if out is not nil. Any
// result code but 0 is an error.
func (c *Client) run(ctx context.Context, req request, out any) error {
	done, err := c.admit(ctx)
	if err != nil {
		return fmt.Errorf("cannot send %s: %w", req.Command, err)
	}
	if req.effect == once {
		if err := c.mayWrite(); err != nil {
			done(nil)
			return fmt.Errorf("cannot send %s: %w", req.Command, err)
		}
	}
	took, err := c.exchange(ctx, req, out)
	c.observe(req.Command, took, err)
	done(err)
	return err
}

// exchange also returns how long it took until the answer was there.
func (c *Client) exchange(ctx context.Context, req request, out any) (took time.Duration, err error) {
	req.Service = service
	body, err := encode(req)
	if err != nil {
		return 0, fmt.Errorf("cannot encode %s: %w", req.Command, err)
	}
	start := time.Now()
	status, raw, err := c.post(ctx, req, body)
	took = time.Since(start)
	if err != nil {
		return took, c.transportError(ctx, req.Command, err)
	}
	// The timeout is over: how long this takes is no matter of Kea's.
	d := newDecoder(raw, req)
	if err := c.statusError(req.Command, status, d); err != nil {
		return took, err
	}
	return took, decodeAnswer(req, d, out)
}

// maxAnswer is how many bytes the answer may have.
func (r request) maxAnswer() int64 { return cmp.Or(r.limit, smallAnswer) }

// post returns the HTTP status of the answer, and its body: of one that is larger than it may be, one
// byte more than that.
func (c *Client) post(ctx context.Context, req request, body []byte) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	// A bytes.Reader makes net/http set Content-Length (Kea answers 400 to a chunked body) and
	// GetBody.
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, fmt.Errorf("cannot make the request: %w", err)
	}
	r.Header.Set("Content-Type", "application/json") // Exactly this: Kea answers 400 to a charset parameter.
	if c.basicAuth {
		r.SetBasicAuth(c.username, c.password)
	}
	if req.effect == repeatable {
		// When Kea closes an idle connection just as a command is sent, net/http tries once more on
		// its own if the request is repeatable. An empty value marks it so without a header on the
		// wire (net/http.Transport). Without it, only requests of which no byte was written are
		// repeated, which is safe for writes.
		r.Header["X-Idempotency-Key"] = []string{}
	} else {
		r = fence.Request(r, c.fence)
	}
	sent := time.Now()
	resp, err := c.http.Do(r)
	if err != nil {
		return 0, nil, err //nolint:wrapcheck // transportError makes it an error of this package.
	}
	if req.took != nil {
		*req.took = time.Since(sent)
	}
	defer func() { _ = resp.Body.Close() }()
	var raw bytes.Buffer
	// Kea says how long an answer is. What is taken for that before it has come is bounded.
	raw.Grow(int(min(max(0, resp.ContentLength), maxValue)) + bytes.MinRead)
	if _, err := raw.ReadFrom(io.LimitReader(resp.Body, req.maxAnswer()+1)); err != nil {
		return 0, nil, &bodyError{err}
	}
	return resp.StatusCode, raw.Bytes(), nil
}

// fence returns an error if the client may not write.
func (c *Client) fence() error {
	if err := c.mayWrite(); err != nil {
		return &heldError{err}
	}
	return nil
}

// heldError is why a command was not sent.
type heldError struct{ error }

// bodyError is a connection that broke within an answer.
type bodyError struct{ error }

func (e *bodyError) Unwrap() error { return e.error }

// transportError turns an error of net/http into one of this package. ctx is the caller's, without
// the timeout of the command.
func (c *Client) transportError(ctx context.Context, command string, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("cannot run %s: %w", command, ctx.Err())
	}
	if forbidden, ok := errors.AsType[*ForbiddenError](err); ok {
		return forbidden
	}
	if held, ok := errors.AsType[*heldError](err); ok {
		return fmt.Errorf("cannot send %s: %w", command, held.error)
	}
	var body *bodyError
	switch {
	case errors.As(err, &body) && errors.Is(err, io.ErrUnexpectedEOF):
		return &MalformedError{Command: command, Reason: "it was cut off", cause: err}
	default:
		return &UnreachableError{Reason: c.reason(err), cause: err}
	}
}

// statusError turns an HTTP status into an error. Kea answers 200 to whatever reached its command
// manager, whether it worked or not.
func (c *Client) statusError(command string, status int, d *jsontext.Decoder) error {
	switch status {
	case http.StatusOK:
		return nil
	case http.StatusUnauthorized, http.StatusForbidden:
		return &UnauthorizedError{Command: command, Status: status}
	case http.StatusBadRequest:
		return c.badRequest(command, d)
	case http.StatusRequestTimeout:
		return &UnreachableError{Reason: "it gave up waiting for the command (HTTP 408): the network to it is too slow or loses data"}
	default:
		return &UnreachableError{
			Reason: fmt.Sprintf("the URL answers with HTTP %d, which Kea does not: "+
				"it must lead to kea-dhcp4's control socket, without a redirect or login in between", status),
		}
	}
}

// badRequest distinguishes Kea's own 400 from that of a web server whose port wants https.
func (c *Client) badRequest(command string, d *jsontext.Decoder) error {
	if a, err := readAnswer(d, skip); err == nil && *a.Result == http.StatusBadRequest {
		return &RejectedError{Command: command, Text: string(a.Text) + " (HTTP 400)"}
	}
	if !c.https {
		return &UnreachableError{
			Reason: "the URL answers with HTTP 400, and not the way Kea does: if its port wants https, start the URL with https://",
		}
	}
	return &UnreachableError{
		Reason: "the URL answers with HTTP 400, and not the way Kea does: it must lead to kea-dhcp4's control socket",
	}
}
