// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/vitistack/provider-kea/internal/testenv"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// operatorFirst is the number of the first machine of kea-operator, which no fleet has, and
// operatorMachines is how many it gets at most.
const (
	operatorFirst    = 120_000
	operatorMachines = 1000
)

// operatorRun is what kea-operator did with n machines in the same run, while the provider was stopped.
type operatorRun struct {
	n    int
	rate float64 // machines pinned and Ready, a second
	rows []row
}

// operator has kea-operator pin machines that have a lease, all at once, on a Kea of its own. They
// are removed then.
func (w *world) operator(program string, n int) *operatorRun {
	w.b.Helper()
	dir := w.b.TempDir()
	writeLeases(w.b, dir, operatorFirst, n)
	k, stop, err := testenv.NewKea(dir, testenv.KeaOptions{Subnets: []testenv.Subnet{{ID: 1, Prefix: prefix}}, PersistLeases: true})
	if err != nil {
		w.b.Fatal(err)
	}
	defer stop()
	cmd := w.startOperator(program, dir, k.URL)
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	w.makeFrom(operatorFirst, 1)
	testenv.Eventually(w.b, time.Minute, "kea-operator to pin a machine", func(context.Context) error {
		if len(w.machines.since(operatorFirst, 1)) == 0 {
			return errBusy
		}
		return nil
	})
	before, cpu, start := w.cost(), cpuSeconds(cmd.Process.Pid), time.Now()
	w.makeFrom(operatorFirst+1, n-1)
	took := slices.MaxFunc(w.awaitReady(operatorFirst+1, n-1), time.Time.Compare).Sub(start)
	spent := w.spentSince(before)
	cpu = cpuSeconds(cmd.Process.Pid) - cpu
	rss, _, _ := memory(cmd.Process.Pid)
	out := &operatorRun{n: n - 1, rate: float64(n-1) / took.Seconds()}
	out.rows = []row{
		{what: out.of("API writes for a machine"), got: each(spent.writes, out.n)},
		{what: out.of("CPU of kea-operator for a machine, ms"), got: fmt.Sprintf("%.1f", 1000*cpu/float64(out.n))},
		{what: out.of("memory of kea-operator, MB resident"), got: fmt.Sprintf("%.0f", rss)},
	}
	w.parallel(n, workers, func(ctx context.Context, i int) error {
		return w.client.Delete(ctx, networkConfiguration(operatorFirst+i))
	})
	w.await("kea-operator's machines to be gone", seldom, func(ctx context.Context) error {
		list := &vitistack.NetworkConfigurationList{}
		if err := w.client.List(ctx, list); err != nil || len(list.Items) > w.made {
			return errBusy
		}
		return nil
	})
	return out
}

func (o *operatorRun) of(what string) string {
	return fmt.Sprintf("kea-operator with %d machines in the same run: %s", o.n, what)
}

// against returns what kea-operator did, and compares its rate with the provider's.
func (o *operatorRun) against(rate float64) []row {
	return slices.Concat([]row{
		{what: o.of("machines pinned and Ready, a second"), got: fmt.Sprintf("%.1f", o.rate)},
		{what: "the provider's rate as a multiple of kea-operator's", got: fmt.Sprintf("%.2f", rate/o.rate), aim: "2"},
	}, o.rows)
}

// startOperator starts kea-operator with its default settings.
func (w *world) startOperator(program, dir, kea string) *exec.Cmd {
	w.b.Helper()
	config := filepath.Join(dir, "kubeconfig")
	if err := os.WriteFile(config, w.plane.Kubeconfig, 0o600); err != nil {
		w.b.Fatal(err)
	}
	log, err := os.Create(filepath.Join(dir, "operator.log"))
	if err != nil {
		w.b.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	w.b.Cleanup(func() { w.showLog("kea-operator", log.Name()) })
	cmd := exec.Command(program, "--health-probe-bind-address="+freeTCP(w.b))
	cmd.Env = append(os.Environ(), "KUBECONFIG="+config, "KEA_URL="+kea)
	cmd.Stdout, cmd.Stderr = log, log
	testenv.DieWithParent(cmd)
	if err := cmd.Start(); err != nil {
		w.b.Fatalf("cannot start kea-operator: %v", err)
	}
	return cmd
}
