// SPDX-License-Identifier: Apache-2.0

package keatest

// FaultKind is a way to fail.
type FaultKind string

// Ways to fail.
const (
	// Refuse drops the connection and does nothing. (Over a socket, net/http repeats a read on a
	// connection that was used before on its own, which meets the fault again, or not: see
	// Fault.Times.)
	Refuse FaultKind = "Refuse"
	// Hang does nothing and does not answer until the client gives up, or ClearFaults.
	Hang FaultKind = "Hang"
	// LoseAnswer does what was asked and then drops the connection.
	LoseAnswer FaultKind = "LoseAnswer"
	// Unauthorized answers 401.
	Unauthorized FaultKind = "Unauthorized"
	// Forbidden answers 403, as the listener of the high-availability hook does. See
	// Options.ReadOnly and Options.Forbidden for an account that may not run a command.
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

// ClearFaults removes all faults. What hangs ends without an answer.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		close(f.cleared)
	}
	s.faults = nil
}

// count counts a command and returns the fault that meets it, if any. A fault that is used up stays
// listed, so that ClearFaults ends what hangs on it.
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
