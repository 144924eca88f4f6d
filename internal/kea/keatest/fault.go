// SPDX-License-Identifier: Apache-2.0

package keatest

import (
	"net/http"
)

// FaultKind is a way to fail.
type FaultKind string

// Ways to fail.
const (
	// Refuse drops the connection and does nothing. (A client's read on a connection that was used before is repeated by the client on its own, and
	// meets the fault again, or not: see Fault.Times.)
	Refuse FaultKind = "Refuse"
	// Hang does nothing and does not answer until the client gives up, or ClearFaults.
	Hang FaultKind = "Hang"
	// LoseAnswer does what was asked and then drops the connection.
	LoseAnswer FaultKind = "LoseAnswer"
	// Unauthorized answers 401.
	Unauthorized FaultKind = "Unauthorized"
	// Forbidden answers 403, as the listener of the high-availability hook does.
	Forbidden FaultKind = "Forbidden"
	// ServerError answers 500.
	ServerError FaultKind = "ServerError"
	// CutJSON does what was asked and answers with half of the answer, in a whole HTTP message.
	CutJSON FaultKind = "CutJSON"
	// Reject does nothing and answers result 1.
	Reject FaultKind = "Reject"
)

// Fault makes commands fail.
type Fault struct {
	// Command that fails; empty means any.
	Command string
	Kind    FaultKind
	// Times is how often; 0 means until ClearFaults.
	Times int
}

// armed is a fault that waits for its commands.
type armed struct {
	Fault

	cleared chan struct{}
}

// Fail arms a fault. Of several that fit a command, the one that was armed first meets it.
func (s *Server) Fail(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &armed{Fault: f, cleared: make(chan struct{})})
}

// ClearFaults removes all faults, and has what hangs end without an answer.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		close(f.cleared)
	}
	s.faults = nil
}

// count counts a command and gives the fault that meets it, if any. A fault that is used up stays listed, so that ClearFaults ends what hangs on it.
func (s *Server) count(command string) *armed {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commands[command]++
	for _, f := range s.faults {
		if (f.Command != "" && f.Command != command) || f.Times < 0 {
			continue
		}
		if f.Times > 0 {
			f.Times--
			if f.Times == 0 {
				f.Times = -1
			}
		}
		return f
	}
	return nil
}

// fail answers a command that met a fault.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, f *armed, req request) {
	switch f.Kind {
	case Refuse:
		drop(w)
	case Hang:
		select {
		case <-r.Context().Done():
		case <-f.cleared:
		case <-s.closing:
		}
		drop(w)
	case LoseAnswer:
		s.execute(req)
		drop(w)
	case Unauthorized:
		httpError(w, http.StatusUnauthorized)
	case Forbidden:
		httpError(w, http.StatusForbidden)
	case ServerError:
		httpError(w, http.StatusInternalServerError)
	case CutJSON:
		raw := s.execute(req).encode()
		write(w, http.StatusOK, raw[:len(raw)/2])
	case Reject:
		write(w, http.StatusOK, failure("the test has this fail").encode())
	default:
		panic("keatest: no such fault: " + string(f.Kind))
	}
}

// drop closes the connection without an answer.
func drop(http.ResponseWriter) { panic(http.ErrAbortHandler) }
