// SPDX-License-Identifier: Apache-2.0

package group

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
)

// loopKey marks the context of a server's loop, and settleKey that of commands which settle a write.
type (
	loopKey   struct{}
	settleKey struct{}
)

// settling returns a context for commands that find out what became of a write: they are sent though
// the write itself was not answered. That may be the fault of the connection; a server that hangs is
// not asked again.
func settling(ctx context.Context, werr error) context.Context {
	if errors.Is(werr, context.DeadlineExceeded) {
		return ctx
	}
	return context.WithValue(ctx, settleKey{}, true)
}

// admit lets a few commands of callers through at a time, while the server answers and the group has
// not ended, and those of the loop always.
func (s *server) admit(ctx context.Context) (done func(error), err error) {
	if ctx.Value(loopKey{}) != nil {
		return func(error) {}, nil
	}
	check := s.admits
	if ctx.Value(settleKey{}) != nil {
		check = s.unusable
	}
	if err := check(); err != nil {
		return nil, err
	}
	select {
	case s.turns <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("cannot wait for commands that were sent to server %s before: %w", s.name, ctx.Err())
	}
	if err := check(); err != nil {
		<-s.turns
		return nil, err
	}
	began := time.Now()
	return func(err error) {
		<-s.turns
		_, unanswered := errors.AsType[*kea.UnreachableError](err)
		if !unanswered {
			s.commandTook(time.Since(began))
		}
		s.outcome(!unanswered)
	}, nil
}

// admits returns nil while callers may send commands to the server.
func (s *server) admits() error {
	if err := s.group.ended(); err != nil {
		return err
	}
	return s.silent()
}

// outcome records whether a command was answered. If not, the loop is to find out whether the server
// still answers.
func (s *server) outcome(answered bool) {
	s.mu.Lock()
	suspect := false
	if answered {
		s.health.commandAnswered()
	} else {
		suspect = s.health.commandFailed()
	}
	s.mu.Unlock()
	if suspect {
		s.requestTick()
	}
}
