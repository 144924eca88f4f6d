// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/util/wait"
)

// keep runs a part whenever it can work.
func (g *Gate) keep(ctx context.Context, p Part) {
	for {
		crds, ok := g.await(ctx, p)
		if !ok {
			return
		}
		g.log.Info("Serving " + p.Name)
		err := g.run(ctx, p, crds)
		if err == nil && p.Once {
			return
		}
		if err != nil {
			g.log.Info("Serving "+p.Name+" has failed and is tried again", "error", err)
			// It may have been a permission that was taken away. The answer is there
			// after the rest.
			g.askNow()
			if !rest(ctx, wait.Jitter(g.options.AskEvery, jitter)) {
				return
			}
		}
	}
}

// await waits until a part can work. It returns false when it is time to end.
func (g *Gate) await(ctx context.Context, p Part) (CRDs, bool) {
	told := false
	for ctx.Err() == nil {
		news := g.news()
		crds, missing := g.crds.of(p.CRDs)
		switch {
		case !g.crds.known():
		case len(missing) == 0 && g.isGranted(p.Permissions...):
			return crds, true
		case len(missing) > 0 && !told:
			g.log.Info(waiting(p, missing))
			told = true
		}
		select {
		case <-ctx.Done():
		case <-news:
		}
	}
	return nil, false
}

// run runs a part while its CRDs are what they are.
func (g *Gate) run(ctx context.Context, p Part, crds CRDs) error {
	ctx, cancel := context.WithCancel(ctx)
	var watching sync.WaitGroup
	watching.Go(func() {
		defer cancel()
		g.whileSame(ctx, p, crds)
	})
	err := p.Run(ctx, crds)
	// A cluster takes a moment to know a kind whose CRD says that it is served.
	delay := complaints{log: g.log}
	for meta.IsNoMatchError(err) && rest(ctx, time.Second) {
		delay.about("Serving "+p.Name+" has to wait", err)
		err = p.Run(ctx, crds)
	}
	ended := ctx.Err() != nil || !g.same(p, crds)
	cancel()
	watching.Wait()
	if ended && !p.Once {
		return nil // whatever it says: what it needs has gone
	}
	return err
}

// whileSame returns when a part has to end for its CRDs, or when ctx ends.
func (g *Gate) whileSame(ctx context.Context, p Part, crds CRDs) {
	for ctx.Err() == nil {
		news := g.news()
		if !g.same(p, crds) {
			return
		}
		select {
		case <-ctx.Done():
		case <-news:
		}
	}
}

// same tells whether a part can go on as it was opened. It goes on, too, without a
// kind that has gone or is not the same any more while another one is being
// deleted: nobody else would let the objects of that go.
func (g *Gate) same(p Part, crds CRDs) bool {
	now, _ := g.crds.of(p.CRDs)
	return crds.same(now) || now.going()
}

// rest waits. It returns false when ctx ends before that.
func rest(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
