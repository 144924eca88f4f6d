// SPDX-License-Identifier: Apache-2.0

package keatest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// request is a command as a client sends it.
type request struct {
	Command   string          `json:"command"`
	Service   []string        `json:"service"`
	Arguments json.RawMessage `json:"arguments"`
}

// object is a JSON object.
type object = map[string]any

// answer is what Kea says to a command.
type answer struct {
	Arguments any    `json:"arguments,omitempty"`
	Result    int    `json:"result"`
	Text      string `json:"text,omitempty"`
}

// Result codes.
const (
	resultSuccess     = 0
	resultError       = 1
	resultUnsupported = 2
	resultEmpty       = 3
	resultConflict    = 4
)

func success(text string, arguments any) answer {
	return answer{Result: resultSuccess, Text: text, Arguments: arguments}
}

func failure(format string, args ...any) answer {
	return answer{Result: resultError, Text: fmt.Sprintf(format, args...)}
}

func empty(text string, arguments any) answer {
	return answer{Result: resultEmpty, Text: text, Arguments: arguments}
}

// unicodeEscapes are the ones that encoding/json makes of characters above \u00ff. The first pair keeps an escaped backslash from starting one.
var unicodeEscapes = strings.NewReplacer(`\\`, `\\`, `\u2028`, "\u2028", `\u2029`, "\u2029", `\ufffd`, "\ufffd")

// encode writes an answer as Kea does: in an array, and with each byte above 0x7f escaped as if it were a character.
func (a answer) encode() []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode([]answer{a}); err != nil {
		panic(fmt.Sprintf("keatest: cannot encode an answer: %v", err))
	}
	var out bytes.Buffer
	for _, c := range []byte(unicodeEscapes.Replace(strings.TrimSpace(b.String()))) {
		if c < 0x80 {
			out.WriteByte(c)
		} else {
			fmt.Fprintf(&out, `\u%04x`, c)
		}
	}
	return out.Bytes()
}

// wideEscape is what Kea's reader of JSON refuses.
var wideEscape = regexp.MustCompile(`(^|[^\\])(\\\\)*\\u([1-9a-fA-F]|0[1-9a-fA-F])`)

// ServeHTTP does what Kea's HTTP layer does.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		drop(w)
	}
	var req request
	switch {
	case r.Method != http.MethodPost, r.Header.Get("Content-Type") != "application/json", r.ContentLength < 0, wideEscape.Match(body):
		httpError(w, http.StatusBadRequest)
		return
	case !s.authorized(r):
		httpError(w, http.StatusUnauthorized)
		return
	case json.Unmarshal(body, &req) != nil:
		httpError(w, http.StatusBadRequest)
		return
	}
	if f := s.count(req.Command); f != nil {
		s.fail(w, r, f, req)
		return
	}
	write(w, http.StatusOK, s.execute(req).encode())
}

func (s *Server) authorized(r *http.Request) bool {
	if s.options.Username == "" {
		return true
	}
	user, password, _ := r.BasicAuth()
	return user == s.options.Username && password == s.options.Password
}

// httpError answers with a bare object, as Kea does where a request does not get to the command manager.
func httpError(w http.ResponseWriter, status int) {
	raw, err := json.Marshal(answer{Result: status, Text: http.StatusText(status)})
	if err != nil {
		panic(err)
	}
	write(w, status, raw)
}

func write(w http.ResponseWriter, status int, raw []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(raw)))
	w.WriteHeader(status)
	_, _ = w.Write(raw) // A client that went away is no concern of the server.
}

// command is what does a command, with the lock held.
type command struct {
	hook string
	run  func(*Server, json.RawMessage) answer
}

func commands() map[string]command {
	return map[string]command{
		"list-commands":              {"", (*Server).listCommands},
		"version-get":                {"", (*Server).versionGet},
		"status-get":                 {"", (*Server).statusGet},
		"config-get":                 {"", (*Server).configGet},
		"config-reload":              {"", (*Server).configReload},
		"config-write":               {"", (*Server).configWrite},
		"subnet4-list":               {HookSubnetCmds, (*Server).subnetList},
		"subnet4-get":                {HookSubnetCmds, (*Server).subnetGet},
		"lease4-add":                 {HookLeaseCmds, (*Server).leaseAdd},
		"lease4-get-by-hw-address":   {HookLeaseCmds, (*Server).leaseGetByHWAddress},
		"lease4-get-page":            {HookLeaseCmds, (*Server).leaseGetPage},
		"reservation-add":            {HookHostCmds, (*Server).reservationAdd},
		"reservation-update":         {HookHostCmds, (*Server).reservationUpdate},
		"reservation-del":            {HookHostCmds, (*Server).reservationDel},
		"reservation-get":            {HookHostCmds, (*Server).reservationGet},
		"reservation-get-by-address": {HookHostCmds, (*Server).reservationGetByAddress},
		"reservation-get-by-id":      {HookHostCmds, (*Server).reservationGetByID},
		"reservation-get-page":       {HookHostCmds, (*Server).reservationGetPage},
	}
}

// execute does a command.
func (s *Server) execute(req request) answer {
	c, known := commands()[req.Command]
	if !known || slices.Contains(s.options.MissingHooks, c.hook) {
		return answer{Result: resultUnsupported, Text: fmt.Sprintf("'%s' command not supported.", req.Command)}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return c.run(s, req.Arguments)
}
