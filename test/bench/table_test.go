// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"cmp"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

// row is one line of the table: what was measured, what it should be, and the machine's own limit
// in the same run.
type row struct {
	what, got, aim, limit string
}

// report is what one run has found.
type report struct {
	machines int
	about    string
	limits   limits
	rows     []row
	took     time.Duration
}

// step adds the rows of a step, and prints them: a large fleet takes an hour.
func (r *report) step(name string, rows []row) {
	r.rows = append(r.rows, rows...)
	for _, x := range rows {
		fmt.Fprintf(os.Stdout, "%-9s %s: %s", name, x.what, x.got)
		if x.aim != "" {
			fmt.Fprintf(os.Stdout, "; aim %s", x.aim)
		}
		if x.limit != "" {
			fmt.Fprintf(os.Stdout, "; limit %s", x.limit)
		}
		fmt.Fprintln(os.Stdout)
	}
}

func (r *report) heading() string { return fmt.Sprintf("## %s machines", thousands(r.machines)) }

// thousands writes 1000 as 1,000.
func thousands(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%d,%03d", n/1000, n%1000)
}

// section is the part of the document about a fleet of this size.
func (r *report) section() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\nMeasured in %s with %s.\n\n", r.heading(), r.took.Round(time.Second), r.about)
	fmt.Fprintf(&b, "%s\n\n", r.limits)
	b.WriteString("| what | measured | aim | the machine's limit | kea-operator |\n|---|---|---|---|---|\n")
	for _, x := range r.rows {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", x.what, x.got, x.aim, x.limit, keaOperator(r.machines, x.what))
	}
	return b.String()
}

var number = regexp.MustCompile(`[\d.]+`)

// median makes one report of several: each row is that of the run in the middle, with the least and
// the most of what was measured.
func median(reports []*report) *report {
	sorted := slices.SortedFunc(slices.Values(reports), func(a, b *report) int { return cmp.Compare(a.limits.fourWrites(), b.limits.fourWrites()) })
	if len(sorted) == 1 {
		return sorted[0]
	}
	out := *sorted[len(sorted)/2]
	out.about += fmt.Sprintf("; medians of %d runs, and their range in brackets", len(sorted))
	out.rows = nil
	for i := range sorted[0].rows {
		var of []row
		for _, r := range sorted {
			of = append(of, r.rows[i])
		}
		out.rows = append(out.rows, medianRow(of))
	}
	return &out
}

// medianRow compares rows by the first number of what was measured.
func medianRow(of []row) row {
	first := func(r row) float64 {
		v, _ := strconv.ParseFloat(number.FindString(r.got), 64)
		return v
	}
	slices.SortStableFunc(of, func(a, b row) int { return cmp.Compare(first(a), first(b)) })
	out := of[len(of)/2]
	if least, most := first(of[0]), first(of[len(of)-1]); least != most {
		out.got += fmt.Sprintf(" [%g to %g]", least, most)
	}
	return out
}

func TestMedian(t *testing.T) {
	run := func(limit float64, got ...string) *report {
		r := &report{limits: limits{create: limit, update: limit, status: limit, ncStatus: limit}}
		for _, g := range got {
			r.rows = append(r.rows, row{got: g})
		}
		return r
	}
	got := median([]*report{run(300, "30.5 (all in 3 s)", "0"), run(100, "9.25 (all in 9 s)", "0"), run(200, "28 (all in 4 s)", "0")})
	want := []row{{got: "28 (all in 4 s) [9.25 to 30.5]"}, {got: "0"}}
	if diff := gocmp.Diff(want, got.rows, gocmp.AllowUnexported(row{})); diff != "" {
		t.Errorf("median(): -want, +got:\n%s", diff)
	}
	if got.limits.create != 200 {
		t.Errorf("median() has the limits %+v, want those of the run in the middle", got.limits)
	}
}

// write puts the section into the document, in the place of the last one of the same size.
func (r *report) write(file string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("cannot read the document: %w", err)
	}
	text := replaceSection(string(b), r.heading(), r.section())
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return fmt.Errorf("cannot write the document: %w", err)
	}
	return nil
}

// replaceSection replaces the section with this heading in a document, up to the next heading of the
// same level, or adds it at the end.
func replaceSection(document, heading, section string) string {
	section = strings.TrimSpace(section) + "\n"
	before, rest, found := strings.Cut(document, heading+"\n")
	if !found {
		return strings.TrimRight(document, "\n") + "\n\n" + section
	}
	if _, after, more := strings.Cut(rest, "\n## "); more {
		section += "\n## " + after
	}
	return before + section
}

func TestReplaceSection(t *testing.T) {
	cases := map[string]struct{ reason, document, want string }{
		"Added":    {"A size that was not measured before should come last.", "# A\ntext\n", "# A\ntext\n\n## 1,000 machines\nnew\n"},
		"Replaced": {"The last section should be replaced.", "# A\n\n## 1,000 machines\nold\n", "# A\n\n## 1,000 machines\nnew\n"},
		"Between": {
			"Sections of other sizes should stay.", "# A\n\n## 1,000 machines\nold\n\n## 10,000 machines\nother\n",
			"# A\n\n## 1,000 machines\nnew\n\n## 10,000 machines\nother\n",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := replaceSection(tc.document, "## 1,000 machines", "## 1,000 machines\nnew\n")
			if diff := gocmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\nreplaceSection(): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// keaOperator is what was measured of kea-operator 0.0.x elsewhere, with the same programs on two
// cores, for a row of the table.
func keaOperator(machines int, what string) string {
	small := machines < 5000
	for _, of := range []struct{ row, small, large string }{
		{"machines pinned and Ready", "37", "38 (9,000)"},
		{"API writes for a machine", "5", "5"},
		{"commands to Kea for a machine", "6.1", "6.1"},
		{"CPU seconds of the provider", "", "79 (9,000)"},
		{"memory of the provider", "63", "115 (9,000)"},
		{"at rest: commands", "48", "48"},
		{"at rest: API writes", "0", "0"},
		{"at rest: CPU", "", "0.6 % (9,000)"},
		{"from lease to pinned", "never", "never"},
		{"one foreign deletion", "300 s", "300 s"},
	} {
		if strings.HasPrefix(what, of.row) {
			if small {
				return of.small
			}
			return of.large
		}
	}
	return ""
}
