// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	"github.com/google/go-cmp/cmp"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/kea/keatest"
)

const apiMAC = "00:02:12:34:56:78"

func ip(s string) netip.Addr { return netip.MustParseAddr(s) }

// apiFault is something that goes wrong with a write to the API server.
type apiFault struct {
	name, what string
	// lasts is how long all writes meet it; 0 means that only the one does.
	lasts  time.Duration
	answer func(w *apiWorld, do func() error) error
}

var kind = schema.GroupResource{Group: "kea.crossplane.io", Resource: "keareservations"}

func refuse(err error) func(*apiWorld, func() error) error {
	return func(*apiWorld, func() error) error { return err }
}

var (
	errInvalid  = kerrors.NewInvalid(schema.GroupKind{Group: kind.Group, Kind: "KeaReservation"}, "a", nil)
	errWebhook  = kerrors.NewForbidden(kind, "a", errors.New("admission webhook denied the request"))
	errTooMany  = kerrors.NewTooManyRequests("slow down", 1)
	errInternal = kerrors.NewInternalError(errors.New("etcdserver: request timed out"))
)

var apiFaults = []apiFault{
	{name: "conflict", what: "someone else changes the resource just before", answer: func(w *apiWorld, do func() error) error {
		w.edit(func(mg *v1alpha1.KeaReservation) {
			meta.AddAnnotations(mg, map[string]string{"touched": time.Now().String()})
		})
		return do()
	}},
	{name: "422", what: "the API server refuses it as invalid", answer: refuse(errInvalid)},
	{name: "422 for a time", what: "so it does for 30 s", lasts: 30 * time.Second, answer: refuse(errInvalid)},
	{name: "429", what: "it asks for patience", answer: refuse(errTooMany)},
	{name: "429 for a time", what: "so it does for 30 s", lasts: 30 * time.Second, answer: refuse(errTooMany)},
	{name: "500", what: "it fails", answer: refuse(errInternal)},
	{name: "500 for a time", what: "so it does for 30 s", lasts: 30 * time.Second, answer: refuse(errInternal)},
	{name: "webhook", what: "a webhook denies it", answer: refuse(errWebhook)},
	{name: "webhook for a time", what: "so it does for 30 s", lasts: 30 * time.Second, answer: refuse(errWebhook)},
	{name: "answer lost", what: "it is written, and the answer is lost", answer: func(_ *apiWorld, do func() error) error {
		_ = do()
		return kerrors.NewTimeoutError("the answer was lost", 0)
	}},
	{name: "killed before", what: "the provider is killed before it, and started again", answer: func(w *apiWorld, _ func() error) error {
		w.provider.dead.Store(true)
		w.provider.stop()
		return context.Canceled
	}},
	{name: "killed after", what: "the provider is killed after it, before the answer, and started again", answer: func(w *apiWorld, do func() error) error {
		_ = do()
		w.provider.dead.Store(true)
		w.provider.stop()
		return context.Canceled
	}},
	{name: "leadership lost", what: "the provider ends what is under way, and another one begins", answer: func(w *apiWorld, _ func() error) error {
		w.provider.stop() // What is under way ends, and may still write.
		return context.Canceled
	}},
}

// apiStory is what a user does, or happens to Kea.
type apiStory struct {
	name        string
	before, act func(*apiWorld)
	// want are the address and the host name that each server has for the device in the end; "" for none.
	want string
	// servers is how many there are at least.
	servers int
}

func create(change func(*v1alpha1.KeaReservation)) func(*apiWorld) {
	return func(w *apiWorld) {
		mg := wanted(func(mg *v1alpha1.KeaReservation) {
			mg.UID = "u1"
			mg.Spec.ProviderConfigReference = &xpv2.ProviderConfigReference{Kind: v1alpha1.ClusterProviderConfigKind, Name: "default"}
			change(mg)
		})
		if err := w.api.Create(context.Background(), mg); err != nil {
			w.t.Fatal(err)
		}
	}
}

func edit(change func(*v1alpha1.KeaReservation)) func(*apiWorld) {
	return func(w *apiWorld) { w.edit(change) }
}

func address(a string) func(*v1alpha1.KeaReservation) {
	return func(mg *v1alpha1.KeaReservation) { mg.Spec.ForProvider.IPAddress = a }
}

// onAll puts a reservation into Kea's configuration file.
func onAll(r kea.Reservation) func(*apiWorld) {
	return func(w *apiWorld) {
		for _, k := range w.keas {
			k.PutReservation(kea.TargetMemory, r)
			k.KeepInFile()
		}
	}
}

var byHand = kea.Reservation{SubnetID: 1, HWAddress: apiMAC, IPAddress: ip("10.123.0.60"), Hostname: "by-hand"}

var apiStories = []apiStory{
	{name: "Create", want: "10.123.0.50", act: create(address("10.123.0.50"))},
	{name: "Pin", want: "10.123.0.50", before: func(w *apiWorld) {
		for _, k := range w.keas {
			k.AddLease(kea.Lease{HWAddress: apiMAC, IPAddress: ip("10.123.0.50"), SubnetID: 1, CLTT: time.Now().Truncate(time.Second), ValidLifetime: time.Hour})
		}
	}, act: create(address(""))},
	{name: "Adopt", want: "10.123.0.60 by-hand", before: onAll(byHand), act: create(address(""))},
	{name: "AdoptAnnotated", want: "10.123.0.50 by-hand", before: onAll(byHand), act: create(func(mg *v1alpha1.KeaReservation) {
		address("10.123.0.50")(mg)
		meta.AddAnnotations(mg, map[string]string{v1alpha1.AnnotationKeyAdopt: "true"})
	})},
	{name: "Update", want: "10.123.0.50 b", before: create(address("10.123.0.50")), act: edit(func(mg *v1alpha1.KeaReservation) { mg.Spec.ForProvider.Hostname = new("b") })},
	{name: "MoveAddress", want: "10.123.0.51", before: create(address("10.123.0.50")), act: edit(address("10.123.0.51"))},
	{name: "Delete", want: "", before: create(address("10.123.0.50")), act: func(w *apiWorld) { _ = w.api.Delete(context.Background(), w.get()) }},
	{name: "CatchUp", want: "10.123.0.51", servers: 2, before: func(w *apiWorld) {
		create(address("10.123.0.50"))(w)
		w.pass(10 * time.Second)
		w.keas[1].Fail(keatest.Fault{Kind: keatest.Refuse})
		w.pass(10 * time.Second)
		w.edit(address("10.123.0.51"))
	}, act: func(w *apiWorld) { w.keas[1].ClearFaults() }},
}

// apiResult is what is there after a story.
type apiResult struct {
	// holdings are what is in Kea, and how the resource stands; wrong is what must not be.
	holdings, wrong []string
	// writes are those to the API server in the time in which faults begin, and commands how many
	// single reads and writes the servers got.
	writes   []string
	commands int
	met      bool
}

// play has a story happen, with a fault at a write; nil for none.
func (s apiStory) play(t *testing.T, servers int, f *apiFault, at int) apiResult {
	w := newAPIWorld(t, servers)
	theirs := w.reservations()
	if s.before != nil {
		s.before(w)
	}
	w.pass(20 * time.Second)
	w.fault, w.at, w.counting = f, at, true
	for _, k := range w.keas {
		k.ResetCommands()
	}
	s.act(w)
	w.pass(40 * time.Second)
	w.counting = false
	w.pass(100 * time.Second)
	out := apiResult{holdings: w.holdings(), writes: w.writes, met: w.met}
	for _, k := range w.keas {
		for command, n := range k.Commands() {
			if strings.HasPrefix(command, "reservation-") && command != "reservation-get-page" {
				out.commands += n
			}
		}
	}
	w.provider.end()
	for _, line := range theirs {
		if !slices.Contains(out.holdings, line) {
			out.wrong = append(out.wrong, "of others, and no longer as it was: "+line)
		}
	}
	return out
}

// check returns what is wrong without a fault.
func (s apiStory) check(got apiResult, servers int) []string {
	out := got.wrong
	n := 0
	for _, line := range got.holdings {
		if strings.Contains(line, `"resource":"ns/a"`) && strings.Contains(line, `"cluster":"c1"`) {
			n++
			address, hostname, _ := strings.Cut(s.want, " ")
			if !strings.Contains(line, fmt.Sprintf(`"IPAddress":%q,"Hostname":%q`, address, hostname)) {
				out = append(out, "not as wanted: "+line)
			}
		}
	}
	if s.want != "" && n != servers || s.want == "" && n != 0 {
		out = append(out, fmt.Sprintf("there are %d reservations of the resource", n))
	}
	if s.want != "" && !slices.Contains(got.holdings, "Ready=True Reserved ") {
		out = append(out, "the resource is not Ready")
	}
	return out
}

// TestAPIFaults has every fault meet every write to the API server of a few stories, with the real
// reconciler between a fake API server and a fake Kea. When the fault is over, Kea and the resource must
// be as they are without it. As a rule one cell in some is run. The end of docs/faults.md lists them; to
// run all, or to write that:
//
//	go test ./internal/controller/keareservation -run TestAPIFaults -every-fault
//	go test ./internal/controller/keareservation -run TestAPIFaults -update
func TestAPIFaults(t *testing.T) {
	var mu sync.Mutex // guards writes and cells
	writes, cells := map[string][]string{}, 0
	t.Run("Stories", func(t *testing.T) {
		for _, s := range apiStories {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				for servers := max(1, s.servers); servers <= 2; servers++ {
					var want apiResult
					synctest.Test(t, func(t *testing.T) { want = s.play(t, servers, nil, 0) })
					for _, wrong := range s.check(want, servers) {
						t.Errorf("%d servers, without a fault: %s\n%s", servers, wrong, strings.Join(want.holdings, "\n"))
					}
					if len(want.writes) == 0 {
						t.Error("there is no write that could fail")
					}
					mu.Lock()
					writes[s.name] = want.writes
					cells += len(want.writes) * len(apiFaults)
					mu.Unlock()
					s.meetFaults(t, servers, want)
				}
			})
		}
	})
	t.Logf("there are %d cells", cells)
	if len(writes) == len(apiStories) {
		checkAPITable(t, writes)
	}
}

func (s apiStory) meetFaults(t *testing.T, servers int, want apiResult) {
	t.Helper()
	for at, what := range want.writes {
		for i, f := range apiFaults {
			if !*everyFault && (i+3*at+servers+len(s.name))%apiThinning != 0 {
				continue
			}
			var got apiResult
			synctest.Test(t, func(t *testing.T) { got = s.play(t, servers, &f, at+1) })
			name := fmt.Sprintf("%d servers, %s at write %d (%s)", servers, f.name, at+1, what)
			for _, wrong := range got.wrong {
				t.Errorf("%s: %s", name, wrong)
			}
			if diff := cmp.Diff(want.holdings, got.holdings); diff != "" || !got.met {
				t.Errorf("%s, met %t: -without the fault +with it:\n%s\n%q", name, got.met, diff, got.writes)
			}
			if got.commands > want.commands+moreCommands {
				t.Errorf("%s: %d commands, %d without the fault", name, got.commands, want.commands)
			}
		}
	}
}

// apiThinning is how many cells there are for one that is run as a rule.
const apiThinning = 6

// moreCommands is how many more commands about reservations a fault may cost.
const moreCommands = 60
