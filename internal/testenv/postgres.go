// SPDX-License-Identifier: Apache-2.0

package testenv

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
)

// Postgres is an empty database with Kea's schema on a real PostgreSQL.
type Postgres struct {
	Host     string
	Port     int
	Database string
	User     string // without a password

	server *postgresServer
}

type postgresServer struct {
	dir       string
	port      int
	databases atomic.Int64
	process   *process
}

// StartPostgres starts a PostgreSQL that is stopped when the test ends.
func StartPostgres(tb testing.TB) *Postgres {
	tb.Helper()
	p, stop, err := NewPostgres(tb.TempDir())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(stop)
	return p
}

// NewPostgres starts a PostgreSQL that keeps its data in dir, and returns a
// database on it and the function that stops it.
func NewPostgres(dir string) (*Postgres, func(), error) {
	if _, err := hackBin("kea"); err != nil { // it has PostgreSQL too
		return nil, nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, nil, err
	}
	s := &postgresServer{dir: dir, port: port}
	if err := s.start(); err != nil {
		return nil, nil, err
	}
	p, err := s.newDatabase()
	if err != nil {
		s.process.interrupt()
		return nil, nil, err
	}
	return p, p.Stop, nil
}

// HostsDatabase is the hosts-database of a Kea that uses it. What extra has is merged in.
func (p *Postgres) HostsDatabase(extra map[string]any) map[string]any {
	return hostsDatabaseOf("postgresql", p.Host, p.Port, p.Database, p.User, extra)
}

// NewDatabase makes another empty database on the same server.
func (p *Postgres) NewDatabase(tb testing.TB) *Postgres {
	tb.Helper()
	out, err := p.server.newDatabase()
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

// Stop stops the server under all of its databases, and cuts their clients off.
func (p *Postgres) Stop() { p.server.process.interrupt() }

// Start starts a server that was stopped, with all of its databases.
func (p *Postgres) Start(tb testing.TB) {
	tb.Helper()
	if err := p.server.start(); err != nil {
		tb.Fatal(err)
	}
}

func (s *postgresServer) start() error {
	proc, err := startDatabase("postgres", s.dir, s.env())
	if err != nil {
		return fmt.Errorf("cannot start PostgreSQL: %w\nIf PostgreSQL itself is at fault, run hack/kea up --postgres and see what it says", err)
	}
	s.process = proc
	return nil
}

// startDatabase has hack/kea start a database server, and waits until it is ready.
func startDatabase(command, dir string, env []string) (*process, error) {
	// The script removes a stale one too, but maybe not before we look.
	ready := filepath.Join(dir, "ready")
	if err := os.RemoveAll(ready); err != nil {
		return nil, fmt.Errorf("cannot remove %s: %w", ready, err)
	}
	proc, err := startProcess(filepath.Join(dir, command+".log"), env, hack("kea"), command, dir)
	if err != nil {
		return nil, err
	}
	return proc, proc.ready(func(context.Context) error {
		_, err := os.Stat(ready)
		return err
	})
}

// newDatabase copies the database `kea`, which no client connects to and which
// therefore can be copied at any time.
func (s *postgresServer) newDatabase() (*Postgres, error) {
	name := fmt.Sprintf("test%d", s.databases.Add(1))
	if err := s.psql("postgres", "CREATE DATABASE "+name+" TEMPLATE kea"); err != nil {
		return nil, fmt.Errorf("cannot make database %s: %w", name, err)
	}
	return &Postgres{Host: "127.0.0.1", Port: s.port, Database: name, User: "kea", server: s}, nil
}

func (s *postgresServer) psql(database, sql string) error {
	cmd := exec.Command(hack("kea"), "psql", "-q", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", sql)
	cmd.Env = append(os.Environ(), s.env()...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot run %s: %w: %s", sql, err, out)
	}
	return nil
}

func (s *postgresServer) env() []string {
	return []string{fmt.Sprintf("PGPORT=%d", s.port)}
}
