// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"

	"github.com/vitistack/provider-kea/internal/vitistack"
)

// Machine i has a name, a hardware address and an address of its own.

func nameOf(i int) string { return fmt.Sprintf("vm%06d", i) }

func macOf(i int) string { return fmt.Sprintf("00:02:12:%02x:%02x:%02x", i>>16, i>>8&255, i&255) }

func addressOf(i int) string {
	first := netip.MustParsePrefix(prefix).Addr().As4()
	var out [4]byte
	binary.BigEndian.PutUint32(out[:], binary.BigEndian.Uint32(first[:])+256+uint32(i))
	return netip.AddrFrom4(out).String()
}

// writeLeases writes Kea's lease file with a lease of each of n machines, from the first on: to add
// that many one by one would take minutes.
func writeLeases(b *testing.B, dir string, first, n int) {
	b.Helper()
	f, err := os.Create(filepath.Join(dir, "kea-leases4.csv"))
	if err != nil {
		b.Fatal(err)
	}
	out := bufio.NewWriter(f)
	fmt.Fprintln(out, "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id")
	const lifetime = 86400
	expire := time.Now().Unix() + lifetime
	for i := first; i < first+n; i++ {
		fmt.Fprintf(out, "%s,%s,,%d,%d,1,0,0,,0,,0\n", addressOf(i), macOf(i), lifetime, expire)
	}
	if err := errors.Join(out.Flush(), f.Close()); err != nil {
		b.Fatal(err)
	}
}

func networkConfiguration(i int) *vitistack.NetworkConfiguration {
	nc := &vitistack.NetworkConfiguration{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: nameOf(i)}}
	nc.Spec.Name, nc.Spec.Provider = nc.Name, vitistack.ProviderKea
	nc.Spec.DatacenterIdentifier, nc.Spec.SupervisorIdentifier, nc.Spec.ClusterIdentifier = "dc1", "sv1", "cluster1"
	nc.Spec.NetworkInterfaces = []vitistack.NetworkConfigurationInterface{{Name: "eth0", MacAddress: macOf(i)}}
	return nc
}

// make makes the next n machines, and returns the number of the first.
func (w *world) make(n int) int {
	w.b.Helper()
	first := w.made
	w.made += n
	w.makeFrom(first, n)
	return first
}

func (w *world) makeFrom(first, n int) {
	w.b.Helper()
	w.parallel(n, 2*workers, func(ctx context.Context, i int) error {
		return w.client.Create(ctx, networkConfiguration(first+i))
	})
}

// parallel calls do for 0 to n-1, by this many clients at the same time.
func (w *world) parallel(n, clients int, do func(ctx context.Context, i int) error) {
	w.b.Helper()
	ctx, cancel := context.WithCancelCause(w.b.Context())
	defer cancel(nil)
	next := make(chan int)
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for i := range next {
				if err := do(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	for i := range n {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	wg.Wait()
	if err := context.Cause(ctx); err != nil {
		w.b.Fatal(err)
	}
}

// tracker knows since when each machine is Ready.
type tracker struct {
	mu       sync.Mutex
	ready    map[string]time.Time
	reported map[string]bool // machines that have a phase
}

// track watches the NetworkConfigurations, and keeps no more than their phase.
func track(b *testing.B, cfg *rest.Config) *tracker {
	b.Helper()
	t := &tracker{ready: map[string]time.Time{}, reported: map[string]bool{}}
	c, err := cache.New(cfg, cache.Options{Scheme: newScheme(b), DefaultTransform: onlyPhase})
	if err != nil {
		b.Fatal(err)
	}
	informer, err := c.GetInformer(b.Context(), &vitistack.NetworkConfiguration{}, cache.BlockUntilSynced(false))
	if err != nil {
		b.Fatal(err)
	}
	if _, err := informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc:    t.see,
		UpdateFunc: func(_, o any) { t.see(o) },
	}); err != nil {
		b.Fatal(err)
	}
	go func() { _ = c.Start(b.Context()) }()
	return t
}

func onlyPhase(o any) (any, error) {
	if nc, ok := o.(*vitistack.NetworkConfiguration); ok {
		out := &vitistack.NetworkConfiguration{}
		out.Namespace, out.Name, out.ResourceVersion, out.UID = nc.Namespace, nc.Name, nc.ResourceVersion, nc.UID
		out.Status.Phase = nc.Status.Phase
		return out, nil
	}
	return o, nil
}

func (t *tracker) see(o any) {
	nc, ok := o.(*vitistack.NetworkConfiguration)
	if !ok || nc.Namespace != namespace {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if nc.Status.Phase != "" {
		t.reported[nc.Name] = true
	}
	if _, known := t.ready[nc.Name]; nc.Status.Phase == vitistack.PhaseReady && !known {
		t.ready[nc.Name] = time.Now()
	}
}

// awaitReady waits until n machines from the first on are Ready, and returns since when each is.
func (w *world) awaitReady(first, n int) []time.Time {
	w.b.Helper()
	var out []time.Time
	w.await(fmt.Sprintf("%d machines to be Ready", n), often, func(context.Context) error {
		if out = w.machines.since(first, n); len(out) < n {
			return errBusy
		}
		return nil
	})
	return out
}

// since returns when each of n machines became Ready, nil while the last one is not: so there is no
// need to go through tens of thousands each time.
func (t *tracker) since(first, n int) []time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.ready[nameOf(first+n-1)]; !ok {
		return nil
	}
	out := make([]time.Time, 0, n)
	for i := range n {
		if at, ok := t.ready[nameOf(first+i)]; ok {
			out = append(out, at)
		}
	}
	return out
}

// awaitTold waits until n machines have a phase, whatever it is.
func (w *world) awaitTold(first, n int) {
	w.b.Helper()
	w.await(fmt.Sprintf("%d machines to have a phase", n), seldom, func(context.Context) error {
		w.machines.mu.Lock()
		defer w.machines.mu.Unlock()
		for i := range n {
			if !w.machines.reported[nameOf(first+i)] {
				return fmt.Errorf("%s has none", nameOf(first+i))
			}
		}
		return nil
	})
}
