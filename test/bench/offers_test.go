// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/vitistack/provider-kea/internal/testenv"
)

// offersPerSecond is how many clients ask, and asking for how long.
const (
	offersPerSecond = 100
	asking          = time.Minute
)

// offers is how long clients had to wait for an OFFER, in milliseconds.
type offers struct {
	average, worst float64
	lost           int
	missing        string // why nothing was measured
}

func (o offers) text() string {
	if o.missing != "" {
		return o.missing
	}
	out := fmt.Sprintf("%.0f ms (average %.1f)", o.worst, o.average)
	if o.lost > 0 {
		out += fmt.Sprintf(", %d without an answer in a second", o.lost)
	}
	return out
}

var (
	averageDelay = regexp.MustCompile(`(?m)^avg delay: ([\d.]+) ms`)
	worstDelay   = regexp.MustCompile(`(?m)^max delay: ([\d.]+) ms`)
	drops        = regexp.MustCompile(`(?m)^drops: (\d+)`)
)

// offers has perfdhcp ask Kea as a relay on the loopback interface does, which takes neither root
// nor a network namespace. Nothing is leased.
func (w *world) offers() offers {
	w.b.Helper()
	command := perfdhcp()
	if command == nil {
		return offers{missing: "not measured: perfdhcp is not there"}
	}
	args := slices.Concat(command[1:], []string{
		"-4", "-i", "-r", strconv.Itoa(offersPerSecond), "-R", "100000", "-p", strconv.Itoa(int(asking.Seconds())),
		"-l", "127.0.0.1", "-L", strconv.Itoa(w.relayPort), "-N", strconv.Itoa(w.keaPort), "127.0.0.1",
	})
	out, err := exec.CommandContext(w.b.Context(), command[0], args...).CombinedOutput()
	average, worst, lost := averageDelay.FindSubmatch(out), worstDelay.FindSubmatch(out), drops.FindSubmatch(out)
	if average == nil || worst == nil || lost == nil { // perfdhcp's status is 3 if an answer was missing
		w.b.Fatalf("cannot read what perfdhcp says: %v\n%s", err, out)
	}
	var o offers
	o.average, _ = strconv.ParseFloat(string(average[1]), 64)
	o.worst, _ = strconv.ParseFloat(string(worst[1]), 64)
	o.lost, _ = strconv.Atoi(string(lost[1]))
	return o
}

// perfdhcp returns the command that runs it: of the PATH, or of Debian's packages that hack/kea has
// unpacked, through their own loader. It returns nil if it is in neither.
func perfdhcp() []string {
	if path, err := exec.LookPath("perfdhcp"); err == nil {
		return []string{path}
	}
	out, err := exec.Command(filepath.Join(testenv.Root(), "hack", "kea"), "bin").Output()
	if err != nil {
		return nil
	}
	root := filepath.Dir(filepath.Clean(string(out[:len(out)-1])))
	program := filepath.Join(root, "usr", "sbin", "perfdhcp")
	loaders, _ := filepath.Glob(filepath.Join(root, "usr", "lib", "*-linux-*", "ld-linux-*.so.*"))
	if _, err := os.Stat(program); err != nil || len(loaders) == 0 {
		return nil
	}
	return []string{loaders[0], "--library-path", filepath.Dir(loaders[0]), program}
}
