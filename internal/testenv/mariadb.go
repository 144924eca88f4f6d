// SPDX-License-Identifier: Apache-2.0

package testenv

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// MariaDB is a database with Kea's schema on a real MariaDB, which Kea uses as it does MySQL.
type MariaDB struct {
	Host     string
	Port     int
	Database string
	User     string // without a password

	dir     string
	process *process
}

// StartMariaDB starts a MariaDB that is stopped when the test ends. Its database is empty.
func StartMariaDB(tb testing.TB) *MariaDB {
	tb.Helper()
	if _, err := hackBin("kea"); err != nil { // it has MariaDB too
		tb.Fatal(err)
	}
	port, err := freePort()
	if err != nil {
		tb.Fatal(err)
	}
	m := &MariaDB{Host: "127.0.0.1", Port: port, Database: "kea", User: "kea", dir: tb.TempDir()}
	m.Start(tb)
	tb.Cleanup(m.Stop)
	return m
}

// HostsDatabase is the hosts-database of a Kea that uses it. What extra has is merged in.
func (m *MariaDB) HostsDatabase(extra map[string]any) map[string]any {
	return hostsDatabaseOf("mysql", m.Host, m.Port, m.Database, m.User, extra)
}

// Start starts a server that was stopped, with its data.
func (m *MariaDB) Start(tb testing.TB) {
	tb.Helper()
	proc, err := startDatabase("mariadb", m.dir, m.env())
	if err != nil {
		tb.Fatalf("cannot start MariaDB: %v", err)
	}
	m.process = proc
}

// Stop stops the server, and cuts its clients off.
func (m *MariaDB) Stop() {
	m.Resume() // Else it could not end.
	m.process.stop()
}

// Kill kills the server. What was committed stays.
func (m *MariaDB) Kill() { m.process.kill() }

// Hang has the server answer nothing more until Resume.
func (m *MariaDB) Hang() { _ = m.process.cmd.Process.Signal(syscall.SIGSTOP) }

// Resume has it answer again.
func (m *MariaDB) Resume() { _ = m.process.cmd.Process.Signal(syscall.SIGCONT) }

// Empty removes all reservations, for the next Kea that has the database: to make another one takes
// a second.
func (m *MariaDB) Empty(tb testing.TB) {
	tb.Helper()
	m.Exec(tb, "DELETE FROM hosts; ALTER TABLE hosts AUTO_INCREMENT = 1")
}

// Exec runs SQL statements, and fails the test if one of them fails.
func (m *MariaDB) Exec(tb testing.TB, sql string) {
	tb.Helper()
	cmd := exec.Command(hack("kea"), "mysql", m.Database)
	cmd.Env = append(os.Environ(), m.env()...)
	cmd.Stdin = strings.NewReader(sql)
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("cannot run SQL in MariaDB: %v: %s\n%s", err, out, sql)
	}
}

func (m *MariaDB) env() []string { return []string{fmt.Sprintf("MYSQL_PORT=%d", m.Port)} }
