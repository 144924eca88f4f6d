// SPDX-License-Identifier: Apache-2.0

package group_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "write what the scripts print into them")

// TestScripts runs the stories in testdata. Each is a txtar archive: prose first, then steps. The
// name of a section is a step, its content is what the step must print: the commands that Kea got,
// what has changed in Kea, and how the resources stand where that has changed.
//
//	> reservation-add memory 1 02:00:00:01:00:01 10.64.0.50 -> 0      a command and its result code
//	memory + 02:00:00:01:00:01 10.64.0.50 owner ns/vm01               what Kea holds now, - what no longer
//	vm01 Reserved 10.64.0.50                                          how a resource stands
//
// The routine of reading (status-get, pages, …) is left out; the step `routine` counts it. The
// steps are in world_test.go. A script runs in a bubble with a clock of its own: `tick 30s` takes
// no time. To write what is printed into the scripts, for a review of the diff, run
//
//	go test ./internal/group -update
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("cannot find scripts in testdata: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			runScript(t, file)
		})
	}
}

func runScript(t *testing.T, file string) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	script := txtar.Parse(raw)
	if len(strings.TrimSpace(string(script.Comment))) == 0 {
		t.Errorf("%s does not say in prose what it is about", file)
	}
	got := txtar.Archive{Comment: script.Comment}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for _, step := range script.Files {
			got.Files = append(got.Files, txtar.File{Name: step.Name, Data: lines(w.step(step.Name))})
		}
		w.stop()
	})
	if *update {
		if err := os.WriteFile(file, txtar.Format(&got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want := string(txtar.Format(script))
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(string(txtar.Format(&got)), "\n")); diff != "" {
		t.Errorf("%s: -want, +got:\n%s", file, diff)
	}
}

// lines ends text with a line break, unless there is none.
func lines(text string) []byte {
	if text == "" {
		return nil
	}
	return []byte(text + "\n")
}
