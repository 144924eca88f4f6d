// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	update     = flag.Bool("update", false, "write the table of faults of the API server")
	everyFault = flag.Bool("every-fault", false, "have each fault meet each write, not one in apiThinning of these cells")
)

const (
	faultsPage = "../../../docs/faults.md"
	// apiHeading is where this test's part of the page begins; what is before it is that of
	// internal/group.
	apiHeading = "## Faults of the API server\n"
)

const apiPart = apiHeading + `
<!-- This part is made by: go test ./internal/controller/keareservation -run TestAPIFaults -update -->

Each write of the provider to the API server meets each of these faults, on one server and on two. ` + "`make test`" + ` runs one cell in %d; all of them run with

` + "```console" + `
$ go test ./internal/controller/keareservation -run TestAPIFaults -every-fault
` + "```" + `

The reconcilers are the real ones, crossplane-runtime's and the
provider's, and so is what talks to Kea. The API server is controller-runtime's fake, in which refusals are injected, and Kea is keatest. The queue is a loop that reconciles the resource when it or Kea has changed, or when a retry is due.
Caches that lag behind and watches are not part of this: the integration tests have them, with a real API server. Nor is a provider that is frozen and goes on after another one has become the leader.

| fault | what happens to the write |
|---|---|
%s
The stories are those above. Wanted is the same: Kea, the spec, the finalizer, the status and the conditions are as without the fault. MoveSubnet is left out, as it consists of Create and Delete of two resources,
and so are Restore and Drift, which cost the API server no write, and DeleteLast, which is Delete to it.

%s`

// checkAPITable makes sure that docs/faults.md has the cells that there are, or writes them.
func checkAPITable(t *testing.T, writes map[string][]string) {
	t.Helper()
	raw, err := os.ReadFile(faultsPage)
	if err != nil {
		t.Fatal(err)
	}
	before, after, _ := strings.Cut(string(raw), apiHeading)
	want := apiTable(writes)
	if *update {
		if err := os.WriteFile(faultsPage, []byte(before+want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(apiHeading+after, "\n")); diff != "" {
		t.Errorf("docs/faults.md is not up to date, run this test with -update: -want, +got:\n%s", diff)
	}
}

func apiTable(writes map[string][]string) string {
	var kinds, cells strings.Builder
	for _, f := range apiFaults {
		fmt.Fprintf(&kinds, "| %s | %s |\n", f.name, f.what)
	}
	fmt.Fprint(&cells, "| story | writes |")
	for _, f := range apiFaults {
		fmt.Fprintf(&cells, " %s |", f.name)
	}
	fmt.Fprintf(&cells, "\n|---|---|%s\n", strings.Repeat("---|", len(apiFaults)))
	for _, s := range apiStories {
		fmt.Fprintf(&cells, "| %s | %s |%s\n", s.name, strings.Join(writes[s.name], ", "), strings.Repeat(" ✓ |", len(apiFaults)))
	}
	return fmt.Sprintf(apiPart, apiThinning, kinds.String(), cells.String())
}
