// SPDX-License-Identifier: Apache-2.0

package testenv

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Exec runs SQL statements in the database, all or none of them, and returns the rows of their
// results: one line a row, columns separated by "|". It fails the test if a statement fails.
func (p *Postgres) Exec(tb testing.TB, sql string) string {
	tb.Helper()
	cmd := exec.Command(hack("kea"), "psql", "-q", "-A", "-t", "-1", "-v", "ON_ERROR_STOP=1", "-d", p.Database, "-f", "-")
	cmd.Env = append(os.Environ(), p.server.env()...)
	cmd.Stdin = strings.NewReader(sql)
	out, err := cmd.CombinedOutput()
	if err != nil {
		tb.Fatalf("cannot run SQL in database %s: %v: %s\n%s", p.Database, err, out, sql)
	}
	return strings.TrimSpace(string(out))
}
