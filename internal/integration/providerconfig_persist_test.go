// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// TestConfigPersist: with persist: ConfigWrite memory hosts outlive a restart of
// Kea by themselves: the provider has nothing to put back.
func TestConfigPersist(t *testing.T) {
	t.Parallel()
	s := keaSite(t, testenv.KeaOptions{})
	pc, r := s.config(), s.numbered(11)
	pc.Spec.Hosts.Persist = v1alpha1.HostPersistenceConfigWrite
	s.create(pc)
	s.create(r)
	s.await(r, isReady, isSynced)
	s.awaitSaved(macOf(11))

	added, probes := s.commands(pc, "reservation-add"), s.commands(pc, "version-get")
	s.kea.Restart(t)
	if !s.holds(11) {
		t.Error("Kea has not kept the reservation")
	}
	testenv.Eventually(t, within, "the restart to be seen", func(context.Context) error {
		if s.commands(pc, "version-get") == probes {
			return errors.New("the server was not probed again")
		}
		return nil
	})
	// Of another generation, the conditions are not those of before.
	edit(s, pc, func(pc *v1alpha1.ClusterProviderConfig) { pc.Spec.Timeout.Duration += time.Millisecond })
	s.await(pc, isReady)
	s.await(r, isReady, isSynced)
	s.steady(pc, r)
	if got := s.commands(pc, "reservation-add"); got != added {
		t.Errorf("the provider added reservations: %d times, %d before the restart", got, added)
	}
	if s.commands(pc, "config-write") == 0 {
		t.Error("config-write was not sent")
	}
}

func (s *site) awaitSaved(text string) {
	s.t.Helper()
	testenv.Eventually(s.t, within, "Kea to save "+text, func(context.Context) error {
		b, err := os.ReadFile(s.kea.Config)
		if err == nil && !strings.Contains(string(b), text) {
			err = errors.New("it is not in its configuration file")
		}
		return err
	})
}

// TestConfigPersistFails: a configuration file that Kea cannot write is told, and
// keeps no reservation from being made.
func TestConfigPersistFails(t *testing.T) {
	t.Parallel()
	s := keaSite(t, testenv.KeaOptions{})
	aside := s.kea.Config + ".aside"
	// Nobody can write to a folder, root included.
	if err := errors.Join(os.Rename(s.kea.Config, aside), os.Mkdir(s.kea.Config, 0o700)); err != nil {
		t.Fatal(err)
	}
	pc, r := s.config(), s.numbered(11)
	pc.Spec.Hosts.Persist = v1alpha1.HostPersistenceConfigWrite
	s.create(pc)
	s.create(r)
	s.await(r, isReady, isSynced)
	s.await(pc, is{Type: xpv2.TypeReady, Status: corev1.ConditionFalse, Reason: v1alpha1.ReasonNotSaved, Message: "reservations work, and are restored after a restart of Kea"})
	later := s.numbered(12)
	s.create(later)
	s.await(later, isReady, isSynced)
	t.Log(words(pc) + words(later))
	if m := passing.FindString(words(pc)); m != "" {
		t.Errorf("the message tells %q", m)
	}

	writes := s.commands(pc, "config-write")
	looks := s.commands(pc, "status-get")
	testenv.Eventually(t, within, "more looks", func(context.Context) error {
		if n := s.commands(pc, "status-get") - looks; n < 10 {
			return fmt.Errorf("there were %d", n)
		}
		return nil
	})
	t.Logf("config-write was tried %d times in 10 looks", s.commands(pc, "config-write")-writes)

	if err := errors.Join(os.Remove(s.kea.Config), os.Rename(aside, s.kea.Config)); err != nil {
		t.Fatal(err)
	}
	s.await(pc, isReady)
	s.awaitSaved(macOf(11))
	s.awaitSaved(macOf(12))
}
