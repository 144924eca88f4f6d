// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/util/wait"
)

// supervise runs a part whenever it can run, until ctx ends.
func (g *Gate) supervise(ctx context.Context, p Part) {
	// A part may fail for hours for the same cause, which is logged once.
	failures, repeated := repeatLogger{logger: g.log}, false
	for {
		crds, ok := g.await(ctx, p)
		if !ok {
			return
		}
		if !repeated {
			g.log.Info("Serving " + p.Name)
		}
		err := g.run(ctx, p, crds)
		if err == nil && p.once {
			return
		}
		repeated = err != nil && err.Error() == failures.last
		failures.log("Serving "+p.Name+" failed, trying again", err)
		if err != nil {
			// A permission may have been revoked. The review is done after the pause.
			g.askNow()
			if !sleep(ctx, wait.Jitter(g.options.AskEvery, jitter)) {
				return
			}
		}
	}
}

// await waits until a part can run. It returns false when ctx ends.
func (g *Gate) await(ctx context.Context, p Part) (CRDs, bool) {
	waiting := ""
	for ctx.Err() == nil {
		changed := g.changes()
		crds, missing := g.crds.split(p.CRDs)
		switch {
		case !g.crds.known():
		case len(missing) == 0 && g.isGranted(p.Permissions...):
			return crds, true
		case len(missing) > 0:
			if text := waitingText(p, missing); text != waiting {
				g.log.Info(text)
				waiting = text
			}
		}
		select {
		case <-ctx.Done():
		case <-changed:
		}
	}
	return nil, false
}

// run runs a part until it returns or its CRDs change.
func (g *Gate) run(ctx context.Context, p Part, crds CRDs) error {
	ctx, cancel := context.WithCancel(ctx)
	var watching sync.WaitGroup
	watching.Go(func() {
		defer cancel()
		g.whileSame(ctx, p, crds)
	})
	err := p.Run(ctx, crds)
	// The API server's discovery is a moment behind a CRD's condition Established.
	delay := repeatLogger{logger: g.log}
	for meta.IsNoMatchError(err) && sleep(ctx, time.Second) {
		delay.log("Serving "+p.Name+" is waiting", err)
		err = p.Run(ctx, crds)
	}
	ended := ctx.Err() != nil || !g.same(p, crds)
	cancel()
	watching.Wait()
	if ended && !p.once {
		return nil // whatever err is: what the part needs is gone
	}
	return err
}

// whileSame returns when a part has to end for its CRDs, or when ctx ends.
func (g *Gate) whileSame(ctx context.Context, p Part, crds CRDs) {
	for ctx.Err() == nil {
		changed := g.changes()
		if !g.same(p, crds) {
			return
		}
		select {
		case <-ctx.Done():
		case <-changed:
		}
	}
}

// same reports whether a part can go on with the CRDs that it was started with. It
// goes on, too, without a kind that is gone or changed while another one is being
// deleted: no other part removes the finalizers of that one's objects.
func (g *Gate) same(p Part, crds CRDs) bool {
	now, _ := g.crds.split(p.CRDs)
	return crds.same(now) || now.terminating()
}

// sleep waits for d. It returns false if ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
