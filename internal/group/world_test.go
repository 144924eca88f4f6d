// SPDX-License-Identifier: Apache-2.0

package group_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitistack/provider-kea/internal/group"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/kea/keatest"
	"github.com/vitistack/provider-kea/internal/mirror"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// cluster is the UID in this cluster's marks.
const cluster = "c1"

// world is a Kea, a group that serves it, and resources that are reconciled as the controller does:
// when they are new or edited, when Notify concerns them, and once a tick after an error.
type world struct {
	t testing.TB
	// fail reports what must not be; it does not end the test.
	fail    func(format string, args ...any)
	options keatest.Options
	config  group.Config

	// servers is how many there are; kea is the first, keas all of them.
	servers int
	// ids has the second server give its subnet another id.
	ids bool
	// databases is how many the servers have, where they have any.
	databases int
	// memory2 has the second server keep reservations in memory; balanced has one name lead to both
	// servers in turn.
	memory2, balanced bool
	keas              []*keatest.Server
	kea               *keatest.Server
	group             *group.Group
	stopGroup         func()
	resources         map[string]*resource

	mu      sync.Mutex // guards changes and meanwhile
	changes mirror.Changes
	// meanwhile are the steps to take just before Kea gets a command, by its name.
	meanwhile map[string][]string

	// ctx is that of the provider, which kill ends at once, and stopGroup in good order.
	ctx  context.Context
	kill func()
	// injection has faults meet commands; nil for none. killed is set when one has ended the provider.
	injection *injection
	killed    atomic.Bool

	held     map[reservation.Store][]string
	reported map[string]string
	facts    map[string]string
	printed  []string
}

// resource is a KeaReservation, as far as a group knows it.
type resource struct {
	intent   reservation.Intent
	spec     reservation.Intent // as it was given, without the pinned address
	deleted  bool
	reserved bool
	// address that it has or would have.
	address netip.Addr
	state   string
	failed  bool
}

func newWorld(t testing.TB) *world {
	w := &world{
		t: t, resources: map[string]*resource{}, meanwhile: map[string][]string{}, held: map[reservation.Store][]string{}, facts: map[string]string{}, servers: 1, databases: 1, reported: map[string]string{},
		options: keatest.Options{Subnets: []kea.SubnetDetail{keatest.Subnet(1, "10.64.0.0/16")}},
		config:  group.Config{Storage: group.StorageAuto, Interval: 30 * time.Second, Cluster: cluster},
	}
	w.config.Notify = w.notify
	w.fail = t.Errorf
	return w
}

func (w *world) notify(c mirror.Changes) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.changes.Merge(c)
}

// start starts Kea, if it is not there yet, and a group.
func (w *world) start() {
	if w.kea == nil {
		w.startKeas()
	}
	g, err := group.New(w.config)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { g.Run(ctx) })
	w.group, w.ctx, w.kill, w.stopGroup = g, ctx, cancel, func() { cancel(); done.Wait() }
	w.settle()
}

// startKeas starts the servers.
func (w *world) startKeas() {
	for i := range w.servers {
		o := w.options
		if i > 0 && w.ids {
			o.Subnets = []kea.SubnetDetail{keatest.Subnet(uint32(i)+1, "10.64.0.0/16")}
		}
		if i > 0 && w.databases > 1 {
			o.Database = keatest.NewDatabase()
		}
		if i > 0 && w.memory2 {
			o.Database = nil
		}
		if i > 0 && w.balanced {
			time.Sleep(10 * time.Second) // It is the time of the start that tells two apart.
		}
		w.addKea(o)
	}
	w.kea = w.keas[0]
	if w.balanced {
		w.config.Servers = w.config.Servers[:1]
		w.config.Servers[0].Kea.Transport = &balancer{w: w}
	}
}

// addKea starts a server and configures it.
func (w *world) addKea(o keatest.Options) {
	s := keatest.NewOffline(w.t, o)
	w.keas = append(w.keas, s)
	client := s.ClientConfig()
	client.Transport = &pipe{w, s, len(w.keas)}
	client.URL = fmt.Sprintf("http://kea%d:8000", len(w.keas))
	w.config.Servers = append(w.config.Servers, group.ServerConfig{Name: fmt.Sprintf("kea%d", len(w.keas)), Kea: client})
}

func (w *world) stop() {
	if w.stopGroup != nil {
		w.stopGroup()
		w.stopGroup = nil
	}
}

// tick lets time pass.
func (w *world) tick(d time.Duration) {
	time.Sleep(d)
	synctest.Wait() // What the group does at this moment comes first.
	w.revive()
	for _, name := range w.names() {
		if w.resources[name].failed {
			w.reconcile(name)
		}
	}
	w.settle()
}

// settle lets everything happen that happens at this moment: what the group does, and what the
// resources do about it.
func (w *world) settle() {
	const rounds = 20
	for range rounds {
		synctest.Wait()
		w.revive()
		due := w.due()
		if len(due) == 0 {
			return
		}
		for _, name := range due {
			w.reconcile(name)
		}
	}
	w.fail("the resources do not come to rest: each reconcile calls for another one")
}

// due returns the resources that the changes concern, as the controller's waker does.
func (w *world) due() []string {
	w.mu.Lock()
	c := w.changes
	w.changes = mirror.Changes{}
	w.mu.Unlock()
	var out []string
	for _, name := range w.names() {
		r := w.resources[name]
		byDevice, concerned := c.HWAddresses[r.intent.HWAddress]
		byAddress, freed := c.Addresses[r.address]
		if c.Everything || concernedBySubnet(c, r) || concerned && byDevice != r.intent.Resource || freed && byAddress != r.intent.Resource {
			out = append(out, name)
		}
	}
	return out
}

// concernedBySubnet reports whether a resource names a subnet that has changed, or one that is not
// there.
func concernedBySubnet(c mirror.Changes, r *resource) bool {
	for sub := range c.Subnets {
		if ref := r.intent.Subnet; strings.HasPrefix(r.state, string(reservation.SubnetNotFound)) || ref.Prefix.IsValid() && ref.Prefix == sub.Prefix || !ref.Prefix.IsValid() && ref.ID == sub.ID {
			return true
		}
	}
	return false
}

func (w *world) names() []string {
	var out []string
	for name := range w.resources {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// revive starts the provider again after it was killed.
func (w *world) revive() {
	if w.killed.Swap(false) {
		w.stepProvider(nil)
	}
}

// reconcile does what the controller does for one resource. Of one in which the provider was killed,
// nothing got to the API server.
func (w *world) reconcile(name string) {
	r := w.resources[name]
	before := *r
	err := w.reconcileOnce(name, r)
	if w.killed.Load() {
		*r = before
		return
	}
	r.failed = err != nil
	if err != nil {
		r.state = "error: " + err.Error()
	}
}

func (w *world) reconcileOnce(name string, r *resource) error {
	ctx := w.ctx
	w.group.AwaitTried(ctx)
	if r.deleted {
		return w.release(ctx, name, r)
	}
	r.intent.WasReserved = r.reserved
	if err := w.group.Refresh(ctx, r.intent, true); err != nil {
		return err
	}
	o, err := w.group.Observe(r.intent)
	if err != nil {
		return err
	}
	unpinned := !r.intent.Address.IsValid()
	r.see(o)
	if len(o.Steps) == 0 {
		return nil
	}
	r.intent.LateInitialized = unpinned && r.intent.Address.IsValid()
	warnings, err := w.group.Apply(ctx, r.intent)
	for _, warning := range warnings {
		w.printf("%s warning: %s", name, warning)
	}
	again := false
	if refused, blocked := errors.AsType[*group.BlockedError](err); err != nil && r.intent.LateInitialized && (!blocked || refused.State != reservation.Refused) {
		// The controller takes the address out of the spec, which calls for another reconcile.
		r.intent.Address, again = netip.Addr{}, blocked
	}
	r.intent.LateInitialized = false
	if seen, serr := w.group.Observe(r.intent); serr == nil {
		r.see(seen)
	}
	if again {
		return w.reconcileOnce(name, r)
	}
	if _, blocked := errors.AsType[*group.BlockedError](err); blocked {
		return nil
	}
	return err
}

// heldAway describes how servers stand that cannot be reached.
func heldAway(o group.Observation) string {
	var out []string
	for _, s := range o.Servers {
		if !reservation.InfoOf(s.State).Held && (s.Away || s.State == reservation.Unknown) {
			out = append(out, fmt.Sprintf("%s is %s", s.Name, s.State))
		}
	}
	return strings.Join(out, ", ")
}

// see puts an observation into the resource, as the controller puts it into spec and status.
func (r *resource) see(o group.Observation) {
	info := reservation.InfoOf(o.State)
	if r.intent.Address == (netip.Addr{}) && (info.Held || o.State == reservation.Pending) {
		r.intent.Address = o.Address
	}
	r.intent.Accepted = nil
	if info.Held && o.Held != nil {
		held := o.Held.Clone()
		r.intent.Accepted = &held
	}
	r.reserved, r.address = info.Held, o.Address
	r.state = strings.TrimSpace(fmt.Sprintf("%s %s", o.State, address(o.Address)))
	if o.Message != "" {
		r.state += ": " + o.Message
	}
	if away := heldAway(o); away != "" {
		r.state += " (" + away + ")"
	}
}

func address(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

func (w *world) release(ctx context.Context, name string, r *resource) error {
	remains, err := w.group.Remains(ctx, r.intent, r.reserved)
	if err != nil {
		return err
	}
	if remains {
		err := w.group.Release(ctx, r.intent, r.reserved)
		if waiting, ok := errors.AsType[*group.WaitingError](err); ok {
			r.state = "is gone from every server but " + strings.Join(waiting.Servers, ", ")
			return nil
		}
		if err != nil {
			return err
		}
		if remains, err = w.group.Remains(ctx, r.intent, r.reserved); err != nil {
			return err
		}
		if remains {
			return errors.New("something is left of it after it was removed") // The controller looks again.
		}
	}
	w.group.Forget(r.intent)
	delete(w.resources, name)
	w.printf("%s is gone", name)
	return nil
}

func (w *world) printf(format string, args ...any) {
	w.printed = append(w.printed, fmt.Sprintf(format, args...))
}

// hosts returns what a store holds, a line each.
func (w *world) hosts(server int, place kea.Target) []string {
	if place == kea.TargetDatabase && (w.options.Database == nil || server > 0 && w.memory2) {
		return nil
	}
	all := w.keas[server].Reservations(place)
	out := make([]string, 0, len(all))
	for _, r := range all {
		out = append(out, hostLine(r))
	}
	slices.Sort(out)
	return out
}

// hostLine describes a host.
func hostLine(r kea.Reservation) string {
	words := []string{string(r.HWAddress), r.ClientID, address(r.IPAddress), r.Hostname}
	if r.SubnetID != 1 {
		words = append(words, fmt.Sprintf("in subnet %d", r.SubnetID))
	}
	if r.BootFileName != "" {
		words = append(words, "boots "+r.BootFileName)
	}
	if len(r.ClientClasses) > 0 {
		words = append(words, "classes "+strings.Join(r.ClientClasses, ","))
	}
	for _, o := range r.OptionData {
		words = append(words, optionLine(o))
	}
	if owner, marked := reservation.OwnerOf(&r); marked {
		words = append(words, "owner "+strings.TrimPrefix(owner.Cluster+":"+owner.Resource, cluster+":"))
	}
	if site, ok := r.UserContext["site"]; ok {
		words = append(words, fmt.Sprintf("site %v", site))
	}
	return strings.Join(slices.DeleteFunc(words, func(s string) bool { return s == "" }), " ")
}

func optionLine(o kea.OptionData) string {
	text := fmt.Sprintf("option %d=%s", o.Code, o.Data)
	if o.AlwaysSend != nil && *o.AlwaysSend {
		text += " always"
	}
	if o.NeverSend != nil && *o.NeverSend {
		text += " never"
	}
	if len(o.ClientClasses) > 0 {
		text += " for " + strings.Join(o.ClientClasses, ",")
	}
	return text
}

// pipe leads to one of the servers, the n-th.
type pipe struct {
	w   *world
	kea *keatest.Server
	n   int
}

// balancer leads to the servers in turn.
type balancer struct {
	w *world
	n atomic.Int64
}

// RoundTrip passes a request to the next server.
func (b *balancer) RoundTrip(r *http.Request) (*http.Response, error) {
	return b.w.keas[int(b.n.Add(1))%len(b.w.keas)].RoundTrip(r)
}

// RoundTrip passes a request to Kea, after what is to happen just before it.
func (p *pipe) RoundTrip(r *http.Request) (*http.Response, error) {
	w := p.w
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	command, err := commandOf(body)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	step := w.meanwhile[command]
	delete(w.meanwhile, command)
	w.mu.Unlock()
	if step != nil {
		w.stepKea(p.kea, step)
	}
	if w.injection != nil {
		return w.injection.roundTrip(p, command, body, r)
	}
	return p.kea.RoundTrip(r)
}
