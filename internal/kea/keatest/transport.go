// SPDX-License-Identifier: Apache-2.0

package keatest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
)

// httpAnswer is an HTTP answer. A status of 0 is none: the connection is closed.
type httpAnswer struct {
	status int
	body   []byte
}

// dropped is a connection that is closed without an answer.
var dropped = httpAnswer{}

// ServeHTTP does what Kea's HTTP layer does.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := s.answer(r)
	if a.status == 0 {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // A client that went away is no concern of the server.
}

// RoundTrip does what a connection to the server does: a closed connection is io.EOF, and a request
// ends with its context. Unlike net/http it never repeats a request.
func (s *Server) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	a := s.answer(r)
	if r.Body != nil {
		_ = r.Body.Close()
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if a.status == 0 {
		return nil, io.EOF
	}
	return &http.Response{
		Status: http.StatusText(a.status), StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        http.Header{"Content-Type": {"application/json"}},
		ContentLength: int64(len(a.body)), Body: io.NopCloser(bytes.NewReader(a.body)), Request: r,
	}, nil
}

// wideEscape is what Kea's reader of JSON refuses.
var wideEscape = regexp.MustCompile(`(^|[^\\])(\\\\)*\\u([1-9a-fA-F]|0[1-9a-fA-F])`)

// answer answers an HTTP request.
func (s *Server) answer(r *http.Request) httpAnswer {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return dropped
		}
	}
	var req request
	switch {
	case r.Method != http.MethodPost, r.Header.Get("Content-Type") != "application/json", r.ContentLength < 0, wideEscape.Match(body):
		return httpError(http.StatusBadRequest)
	case !s.authorized(r):
		return httpError(http.StatusUnauthorized)
	case json.Unmarshal(body, &req) != nil:
		return httpError(http.StatusBadRequest)
	}
	if f := s.count(req.Command); f != nil {
		return s.fail(r.Context(), f, req)
	}
	if s.forbids(req.Command) {
		s.record(req, "HTTP 403")
		return httpError(http.StatusForbidden)
	}
	return s.do(req, "")
}

// do runs a command. The fault that meets its answer goes into the log, if there is one.
func (s *Server) do(req request, fault FaultKind) httpAnswer {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.execute(req)
	outcome := strconv.Itoa(a.Result)
	if fault != "" {
		outcome += " " + string(fault)
	}
	s.log = append(s.log, logLine(req, outcome))
	return httpAnswer{http.StatusOK, a.encode()}
}

func (s *Server) authorized(r *http.Request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.options.Username == "" {
		return true
	}
	user, password, _ := r.BasicAuth()
	return user == s.options.Username && password == s.options.Password
}

func (s *Server) forbids(command string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.options.forbids(command)
}

// httpError answers with a bare object, as Kea does when a request does not get to the command
// manager.
func httpError(status int) httpAnswer {
	raw, err := json.Marshal(answer{Result: status, Text: http.StatusText(status)})
	if err != nil {
		panic(fmt.Sprintf("keatest: cannot encode an answer: %v", err))
	}
	return httpAnswer{status, raw}
}

// fail answers a command that met a fault.
func (s *Server) fail(ctx context.Context, f *armed, req request) httpAnswer {
	switch f.Kind {
	case LoseAnswer:
		s.do(req, f.Kind)
		return dropped
	case CutJSON:
		a := s.do(req, f.Kind)
		a.body = a.body[:len(a.body)/2]
		return a
	default:
		s.record(req, string(f.Kind))
		return s.refuse(ctx, f)
	}
}

// refuse answers a command that is not executed.
func (s *Server) refuse(ctx context.Context, f *armed) httpAnswer {
	switch f.Kind {
	case Refuse:
		return dropped
	case Hang:
		select {
		case <-ctx.Done():
		case <-f.cleared:
		case <-s.closing:
		}
		return dropped
	case Unauthorized:
		return httpError(http.StatusUnauthorized)
	case Forbidden:
		return httpError(http.StatusForbidden)
	case ServerError:
		return httpError(http.StatusInternalServerError)
	case Reject:
		return httpAnswer{http.StatusOK, failure("the test has this fail").encode()}
	default:
		panic("keatest: no such fault: " + string(f.Kind))
	}
}
