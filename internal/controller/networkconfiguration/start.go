// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/event"
	"github.com/crossplane/crossplane-runtime/v2/pkg/logging"
	"k8s.io/apimachinery/pkg/util/wait"
	ctrl "sigs.k8s.io/controller-runtime"
)

// jitter spreads what several providers ask at the same time.
const jitter = 0.3

// A starter runs the controller whenever it can run. The manager cannot do that:
// it ends the whole provider when an informer does not get going, which is what
// happens where a kind is not served or may not be listed.
type starter struct {
	mgr     ctrl.Manager
	options Options
	log     logging.Logger
	crds    *crdWatch
	access  *access

	// indexed tells that the manager's cache has our indexes. They outlive a
	// controller, since they cannot be removed.
	indexed bool

	// told is what was last logged, so that it is logged once.
	told string

	// lacks is what was missing when permissions were last asked for.
	lacks string
}

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (s *starter) NeedLeaderElection() bool { return true }

// Start implements manager.Runnable. It never returns an error.
func (s *starter) Start(ctx context.Context) error {
	stop := s.crds.start(ctx)
	defer stop()

	announce := newAnnouncer(event.NewAPIRecorder(s.mgr.GetEventRecorderFor(controllerName))) //nolint:staticcheck // The roles that Crossplane makes lack events.k8s.io.
	for {
		kinds, ok := s.await(ctx)
		if !ok {
			return nil
		}
		s.tell("Starting the controller: VitiStack is there")
		if err := s.run(ctx, kinds, announce); err != nil {
			s.log.Info("The controller stopped and is started again", "error", err)
			s.pause(ctx)
		}
	}
}

// await waits until the controller can run. It returns false when it is time to
// end.
func (s *starter) await(ctx context.Context) (kinds, bool) {
	for ctx.Err() == nil {
		k := s.crds.kinds()
		lacks, err := s.lacking(ctx, k)
		switch {
		case err != nil:
			s.log.Debug("Cannot ask for permissions", "error", err)
		case len(lacks) > 0:
			s.tellLacks(strings.Join(lacks, ", "))
		case !k.established():
			s.tell("Not serving NetworkConfigurations: VitiStack's CRDs are not installed")
		default:
			return k, true
		}
		s.pause(ctx)
	}
	return kinds{}, false
}

// lacking returns the permissions that are missing on the way to where the kinds
// are now.
func (s *starter) lacking(ctx context.Context, k kinds) ([]string, error) {
	switch {
	case !k.known:
		return s.access.lacking(ctx, toSeeKinds)
	case !k.established():
		return nil, nil
	}
	return s.access.lacking(ctx, toServe)
}

// tellLacks logs which permissions are missing. When others are than before it
// waits for the next time they are asked for: a role that was just made is not
// in force all at once.
func (s *starter) tellLacks(lacks string) {
	const line = "Not serving NetworkConfigurations for lack of permission: let a ClusterRole of the provider's ServiceAccount "
	if !strings.HasPrefix(s.told, line) || lacks == s.lacks {
		s.tell(line + lacks)
	}
	s.lacks = lacks
}

// tell logs a line unless it was the last one.
func (s *starter) tell(line string) {
	if line != s.told {
		s.log.Info(line)
	}
	s.told = line
}

// pause waits until it is time to look again, which is at once when a CRD
// changes.
func (s *starter) pause(ctx context.Context) {
	t := time.NewTimer(wait.Jitter(s.options.askEvery, jitter))
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	case <-s.crds.changed:
	}
}

// index has the manager's cache index KeaReservations.
func (s *starter) index(ctx context.Context) error {
	if s.indexed {
		return nil
	}
	if err := indexReservations(ctx, s.mgr.GetFieldIndexer()); err != nil {
		return fmt.Errorf("cannot index KeaReservations: %w", err)
	}
	s.indexed = true
	return nil
}
