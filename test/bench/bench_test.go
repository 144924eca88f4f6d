// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/vitistack/provider-kea/internal/testenv"
)

var (
	sizeFlag     = flag.String("size", "1k", "how many machines, as 1k or 250")
	runsFlag     = flag.Int("runs", 1, "how often it is measured; the table has the medians then")
	profilesFlag = flag.String("profiles", "", "folder to write the provider's CPU and heap profiles of each step into")
	operatorFlag = flag.String("operator", "", "kea-operator's program, to have it pin machines in the same run")
	writeFlag    = flag.Bool("write", false, "write the table into docs/benchmarks.md")
)

// parseSize reads a number of machines. More than 100,000 have no addresses.
func parseSize(s string) (int, error) {
	thousands, isThousands := strings.CutSuffix(s, "k")
	n, err := strconv.Atoi(thousands)
	if isThousands {
		n *= 1000
	}
	if err != nil || n < 10 || n > 100_000 {
		return 0, fmt.Errorf("cannot measure SIZE=%s: use 1k, 10k or 50k", s)
	}
	return n, nil
}

// patience is how long a step may take. A step is never a failure for being slow, only for not
// getting there.
const patience = 4 * time.Hour

func TestMain(m *testing.M) {
	ctrl.SetLogger(klog.NewKlogr())
	os.Exit(m.Run())
}

// BenchmarkFleet measures a fleet as often as -runs says, each time with servers of its own.
func BenchmarkFleet(b *testing.B) {
	n, err := parseSize(*sizeFlag)
	if err != nil {
		b.Fatal(err)
	}
	if *profilesFlag != "" {
		if err := os.MkdirAll(*profilesFlag, 0o700); err != nil {
			b.Fatal(err)
		}
	}
	if *runsFlag < 1 {
		b.Fatalf("cannot measure RUNS=%d times: use 1 or more", *runsFlag)
	}
	var reports []*report
	for i := range *runsFlag {
		b.Run(strconv.Itoa(i+1), func(b *testing.B) {
			reports = append(reports, fleet(b, n))
			b.ReportMetric(0, "ns/op") // How long it all took says nothing.
		})
		if len(reports) <= i {
			return // The run that failed has said why.
		}
		// After each run: several of a large fleet take hours.
		if !*writeFlag {
			continue
		}
		if err := median(reports).write(filepath.Join(testenv.Root(), "docs", "benchmarks.md")); err != nil {
			b.Fatal(err)
		}
	}
	fmt.Fprintln(os.Stdout, median(reports).section())
}

// fleet runs every step once.
func fleet(b *testing.B, n int) *report {
	b.Helper()
	began := time.Now()
	w := newWorld(b, n)
	r := &report{machines: n, about: w.about()}
	fmt.Fprintln(os.Stdout, r.about)

	w.startProvider()
	nc, kr := w.templates()
	w.stopProvider()
	r.limits = w.limits(nc, kr, min(n, 1000))
	fmt.Fprintln(os.Stdout, r.limits)
	var operator *operatorRun
	if *operatorFlag != "" {
		operator = w.operator(*operatorFlag, min(n, operatorMachines))
	}
	w.startProvider()
	r.step("pinned", w.pinned(n, r.limits, operator))
	r.step("rest", w.rest())
	r.step("waiting", w.waiting(min(n/10, 1000)))
	r.step("repair", w.repair(r.limits))
	r.step("start-up", w.startUp())
	r.took = time.Since(began)
	return r
}
