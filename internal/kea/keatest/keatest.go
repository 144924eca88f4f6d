// SPDX-License-Identifier: Apache-2.0

// Package keatest is an in-memory Kea for tests, with faults on demand. The contract suite of package kea runs against it and against a real Kea: where
// the two differ, keatest is wrong.
package keatest

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"maps"
	"net/http/httptest"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
)

// Version is the version of Kea that a Server says it is, and is made after.
const Version = "3.0.3"

// The hook libraries whose commands a Server knows.
const (
	HookHostCmds   = "libdhcp_host_cmds.so"
	HookSubnetCmds = "libdhcp_subnet_cmds.so"
	HookLeaseCmds  = "libdhcp_lease_cmds.so"
)

// Options say how a Server differs from the default: memory hosts, plain HTTP without authentication, the subnet 10.123.0.0/24 with id 1.
type Options struct {
	// Subnets replace the default one; empty and not nil means none.
	Subnets []kea.SubnetDetail
	// Database is the hosts-database. Without one, hosts are in memory. Servers can share one.
	Database *Database
	// MissingHooks are the hook libraries that are not loaded.
	MissingHooks []string
	// Username and Password turn basic authentication on.
	Username, Password string
	// TLS has the API served by HTTPS; ask for client certificates in it.
	TLS *tls.Config
	// AddressesNotUnique sets ip-reservations-unique to false.
	AddressesNotUnique bool
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Server is an in-memory Kea. Its methods may be used by several goroutines at once.
type Server struct {
	URL string

	http    *httptest.Server
	options Options
	closing chan struct{}

	mu        sync.Mutex
	pid       int
	started   time.Time
	loaded    time.Time
	subnets   []kea.SubnetDetail
	memory    *store
	persisted *store
	database  databaseState
	leases    map[netip.Addr]kea.Lease
	ha        []kea.HAStatus
	faults    []*armed
	commands  map[string]int
}

// Subnet makes a subnet for Options and SetSubnets.
func Subnet(id uint32, prefix string) kea.SubnetDetail {
	return kea.SubnetDetail{Subnet: kea.Subnet{ID: id, Prefix: netip.MustParsePrefix(prefix)}}
}

// New starts a server that is stopped when the test ends.
func New(tb testing.TB, o Options) *Server {
	tb.Helper()
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Subnets == nil {
		o.Subnets = []kea.SubnetDetail{Subnet(1, "10.123.0.0/24")}
	}
	s := &Server{
		options:   o,
		closing:   make(chan struct{}),
		pid:       1000,
		started:   o.Now(),
		loaded:    o.Now(),
		subnets:   slices.Clone(o.Subnets),
		memory:    newStore(),
		persisted: newStore(),
		database:  databaseState{of: o.Database},
		leases:    map[netip.Addr]kea.Lease{},
		commands:  map[string]int{},
	}
	s.http = httptest.NewUnstartedServer(s)
	s.http.Config.ErrorLog = log.New(io.Discard, "", 0) // Refused handshakes are what some tests are about.
	if o.TLS != nil {
		s.http.TLS = o.TLS.Clone()
		s.http.StartTLS()
	} else {
		s.http.Start()
	}
	s.URL = s.http.URL
	tb.Cleanup(func() {
		close(s.closing) // ends what hangs
		s.http.Close()
	})
	return s
}

// ClientConfig is how a client reaches the server: URL, credentials, and with TLS the CA of its certificate.
func (s *Server) ClientConfig() kea.Config {
	c := kea.Config{URL: s.URL, Username: s.options.Username, Password: s.options.Password}
	if cert := s.http.Certificate(); cert != nil {
		roots := x509.NewCertPool()
		roots.AddCert(cert)
		c.TLS = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	return c
}

// Restart does what a restart of kea-dhcp4 does: a new pid, an uptime of 0, open connections cut, hosts in memory lost but for those that config-write
// kept. The database and the leases stay.
func (s *Server) Restart() {
	s.mu.Lock()
	s.pid++
	s.started = s.options.Now()
	s.mu.Unlock()
	s.Reload()
	s.http.CloseClientConnections()
}

// Reload does what config-reload does: hosts in memory are lost but for those that config-write kept.
func (s *Server) Reload() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reload()
}

func (s *Server) reload() {
	s.loaded = s.options.Now()
	s.memory = s.persisted.clone()
}

// SetSubnets replaces the subnets. Hosts in memory go with their subnet.
func (s *Server) SetSubnets(subnets ...kea.SubnetDetail) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.subnets = slices.Clone(subnets)
	s.memory.remove(func(r kea.Reservation) bool { return s.subnetByID(r.SubnetID) == nil })
}

// SetHA sets what status-get says of high availability.
func (s *Server) SetHA(ha ...kea.HAStatus) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ha = slices.Clone(ha)
}

// AddLease sets the lease of its address.
func (s *Server) AddLease(l kea.Lease) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leases[l.IPAddress] = l
}

// RemoveLease removes the lease of an address, if there is one.
func (s *Server) RemoveLease(ip netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.leases, ip)
}

// Commands counts the commands that arrived, those that a fault met included.
func (s *Server) Commands() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.commands)
}

// ResetCommands starts counting anew.
func (s *Server) ResetCommands() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.commands)
}
