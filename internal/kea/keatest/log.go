// SPDX-License-Identifier: Apache-2.0

package keatest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Log returns one line for each command in the order in which they were executed, with its main
// arguments and its outcome: a result code, the fault that it met, or both.
//
//	reservation-add memory 1 02:00:00:01:00:01 10.64.0.50 -> 0
//	reservation-get-page from 1:1503 -> 3
//	status-get -> Hang
func (s *Server) Log() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.log)
}

// ResetLog empties the log.
func (s *Server) ResetLog() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = nil
}

// record logs a command that was not executed.
func (s *Server) record(req request, outcome string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, logLine(req, outcome))
}

// logged are the arguments of all commands that the log shows.
type logged struct {
	Target   string          `json:"operation-target"`
	SubnetID json.Number     `json:"subnet-id"`
	ID       json.Number     `json:"id"`
	Subnet   string          `json:"subnet"`
	Value    string          `json:"identifier"`
	Device   string          `json:"hw-address"`
	DUID     string          `json:"duid"`
	ClientID string          `json:"client-id"`
	Circuit  string          `json:"circuit-id"`
	FlexID   string          `json:"flex-id"`
	Address  string          `json:"ip-address"`
	From     json.RawMessage `json:"from"`
	Source   json.Number     `json:"source-index"`
	Host     *logged         `json:"reservation"`
}

func logLine(req request, outcome string) string {
	var args logged
	_ = json.Unmarshal(req.Arguments, &args) // Arguments of another shape are not shown.
	return strings.Join(append(append([]string{req.Command}, args.words()...), "->", outcome), " ")
}

func (l *logged) words() []string {
	words := []string{l.Target}
	if l.Host != nil {
		words = append(words, l.Host.words()...)
	}
	words = append(words, l.SubnetID.String(), l.ID.String(), l.Subnet, l.Value, l.Device, l.DUID, l.ClientID, l.Circuit, l.FlexID, l.Address)
	switch {
	case l.Source != "":
		words = append(words, fmt.Sprintf("from %s:%s", l.Source, l.From))
	case l.From != nil:
		words = append(words, "from "+strings.Trim(string(l.From), `"`))
	}
	return slices.DeleteFunc(words, func(w string) bool { return w == "" })
}
