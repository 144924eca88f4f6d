// SPDX-License-Identifier: Apache-2.0

package group_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	// faultsPage is where the table is.
	faultsPage = "../../docs/faults.md"
	// apiHeading is where the part of internal/controller/keareservation begins.
	apiHeading = "## Faults of the API server\n"
)

const preface = `# What goes wrong, and what comes of it

<!-- Made by: go test ./internal/group -run TestFaults -update -->

The proof that no single fault makes the provider lose, steal or leak a reservation, or report one wrongly. It is a test, which anyone can run:

` + "```console" + `
$ make faults                                                        # every cell of the tables below
$ go test ./internal/group -run TestFaults/Stories/Delete$ -every-fault
` + "```" + `

` + "`make test`" + ` runs one cell in %d, spread over all of them. Time passes as fast as the machine allows. Kea is the one of ` + "`internal/kea/keatest`" + `, which a suite of contracts keeps like the real one.

**A cell** is one command of a story and one fault. The story is played once without a fault; then once for each command that the provider sends, and each fault that can meet it, on each of these servers:
%s.
Next to the reservation there are others: without a mark, of another cluster, with other identifiers that have the same bytes, with an option whose content Kea does not return, of the same device globally and in another subnet.

**When the fault is over** and the provider has had time (two minutes at most):
- Kea has exactly what it has without the fault, once, in every store of every server;
- each reservation of others is as it was, byte for byte, and no command was sent that would have written it;
- nothing in Kea has the mark of a resource that is gone;
- each resource stands as it does without the fault;
- no server was sent more than %d commands more than without the fault in the same time;
- nothing is written any more.

## The faults

| fault | what happens |
|---|---|
%s
## The stories

| story | what happens | commands that each fault meets |
|---|---|---|
%s
Reading that is the same after every story (` + "`status-get`" + `, pages, …) is met by faults in the stories that list it. Of several commands of a name, the first %d are met, of those that read all the time the first.

## The cells

✓ means that each of these commands, on each of the servers, has met the fault, and that all has ended as it must; d that this is so on servers with a database.

%s
These cannot occur, or are more than one fault:

| cell | why |
|---|---|
%s
`

// exceptions are the cells that are not run, or have another outcome, and why.
var exceptions = [][2]string{
	{"database lost, read-only: servers with reservations in memory", "they have no database"},
	{"result 3: a Kea that goes on saying that there is nothing", "that is what a Kea without the reservation says. One such answer changes nothing; memory is lost only with a restart or reload, which the provider sees, and a lost database is told from an empty one"},
	{"CatchUp: one server", "nothing is kept for a server that returns where no other one serves meanwhile; the other stories have that with the fault `down`"},
	{"memory, saved: the provider is killed before Kea has saved a removal, and Kea restarts before it saves again", "these are two faults: the reservation comes back from Kea's file with the mark of a resource that is gone. `config-write` follows a removal within seconds"},
}

// checkTable makes sure that docs/faults.md has the cells that there are, or writes it.
func checkTable(t *testing.T, commands map[string][]string) {
	t.Helper()
	raw, err := os.ReadFile(faultsPage)
	if err != nil {
		t.Fatal(err)
	}
	want := table(commands)
	got, api, _ := strings.Cut(string(raw), apiHeading)
	if *update {
		if err := os.WriteFile(faultsPage, []byte(want+apiHeading+api), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("docs/faults.md is not up to date, run this test with -update: -want, +got:\n%s", diff)
	}
}

func table(commands map[string][]string) string {
	var on []string
	for _, s := range setups {
		on = append(on, s.name)
	}
	var kinds, rows, cells, except strings.Builder
	fmt.Fprintf(&cells, "| |")
	for _, s := range stories {
		fmt.Fprintf(&cells, " %s |", s.name)
	}
	fmt.Fprintf(&cells, "\n|---|%s\n", strings.Repeat("---|", len(stories)))
	for _, f := range faults {
		fmt.Fprintf(&kinds, "| %s | %s |\n", f.name, f.what)
		mark := " ✓ |"
		if f.database {
			mark = " d |"
		}
		fmt.Fprintf(&cells, "| %s |%s\n", f.name, strings.Repeat(mark, len(stories)))
	}
	for _, s := range stories {
		var names []string
		for _, name := range commands[s.name] {
			names = append(names, "`"+name+"`")
		}
		fmt.Fprintf(&rows, "| %s | %s | %s |\n", s.name, s.what, strings.Join(slices.Compact(names), ", "))
	}
	for _, e := range exceptions {
		fmt.Fprintf(&except, "| %s | %s |\n", e[0], e[1])
	}
	return fmt.Sprintf(preface, thinning, "**"+strings.Join(on, "**, **")+"**", commandsMore, kinds.String(), rows.String(), mostOfAKind, cells.String(), except.String())
}
