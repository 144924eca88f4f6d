// SPDX-License-Identifier: Apache-2.0

package keatest

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
)

// Version is the version of Kea that a Server reports, and is made after.
const Version = "3.0.3"

// The hook libraries whose commands a Server knows.
const (
	HookHostCmds   = kea.HookHostCmds
	HookSubnetCmds = kea.HookSubnetCmds
	HookLeaseCmds  = kea.HookLeaseCmds
)

// Server is an in-memory Kea. Its methods may be used by several goroutines at once.
type Server struct {
	// URL of the API. That of a server without sockets resolves nowhere.
	URL string

	http    *httptest.Server // nil without sockets
	closing chan struct{}

	mu        sync.Mutex // guards what follows, but not what is in a store
	options   Options
	pid       int
	started   time.Time
	instance  string // the time of the start with microseconds that no other start has
	loaded    time.Time
	memory    *store
	persisted *store
	cache     *store
	database  databaseState
	leases    map[netip.Addr]lease
	assigned  map[uint32]string // when the number of leases of a subnet last changed
	ha        []kea.HAStatus
	faults    []*armed
	commands  map[string]int
	log       []string
}

// lease is a lease, and whether it is answered so that it cannot be parsed.
type lease struct {
	kea.Lease

	unreadable bool
}

// Subnet makes a subnet for Options and SetSubnets.
func Subnet(id uint32, prefix string) kea.SubnetDetail {
	return kea.SubnetDetail{Subnet: kea.Subnet{ID: id, Prefix: netip.MustParsePrefix(prefix)}}
}

// New starts a server that is stopped when the test ends.
func New(tb testing.TB, o Options) *Server {
	tb.Helper()
	s := newServer(o)
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

// NewOffline returns a server without sockets and goroutines, for a testing/synctest bubble: it is
// an http.RoundTripper, and ClientConfig has it as Transport. What hangs ends with the context of
// its request, with ClearFaults, or with the test.
func NewOffline(tb testing.TB, o Options) *Server {
	tb.Helper()
	s := newServer(o)
	s.URL = "http://kea.test"
	tb.Cleanup(func() { close(s.closing) })
	return s
}

func newServer(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Subnets == nil {
		o.Subnets = []kea.SubnetDetail{Subnet(1, "10.123.0.0/24")}
	}
	return &Server{
		options:   o,
		closing:   make(chan struct{}),
		pid:       1000,
		started:   o.Now(),
		instance:  newTime(o.Now()),
		loaded:    o.Now(),
		memory:    newStore(),
		persisted: newStore(),
		cache:     newStore(),
		database:  databaseState{of: o.Database},
		leases:    map[netip.Addr]lease{},
		assigned:  map[uint32]string{},
		commands:  map[string]int{},
	}
}

// ClientConfig returns how a client reaches the server: URL, credentials, with TLS the CA of its
// certificate, and without sockets the Transport.
func (s *Server) ClientConfig() kea.Config {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := kea.Config{URL: s.URL, Username: s.options.Username, Password: s.options.Password}
	if s.http == nil {
		c.Transport = s
		return c
	}
	if cert := s.http.Certificate(); cert != nil {
		roots := x509.NewCertPool()
		roots.AddCert(cert)
		c.TLS = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	return c
}

var _ http.RoundTripper = (*Server)(nil)

// Restart does what a restart of kea-dhcp4 does: a new pid, an uptime of 0, open connections cut,
// host reservations in memory lost except those that config-write kept. The database and the leases
// stay.
func (s *Server) Restart() {
	s.mu.Lock()
	s.pid++
	s.started = s.options.Now()
	s.instance = newTime(s.started)
	s.assigned = map[uint32]string{}
	s.cache = newStore()
	s.reload()
	s.mu.Unlock()
	if s.http != nil {
		s.http.CloseClientConnections()
	}
}

// Reload does what config-reload does: host reservations in memory are lost except those that
// config-write kept.
func (s *Server) Reload() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reload()
}

func (s *Server) reload() {
	s.loaded = s.options.Now()
	s.memory = s.persisted.clone()
}

// Configure changes the options and reloads, as a configuration file that was edited does.
// Database, Now and TLS stay as they are.
func (s *Server) Configure(change func(*Options)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.options)
	s.reload()
}

// SetSubnets replaces the subnets. Host reservations in memory go with their subnet.
func (s *Server) SetSubnets(subnets ...kea.SubnetDetail) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.options.Subnets = slices.Clone(subnets)
	s.memory.remove(func(r kea.Reservation) bool { return r.SubnetID != 0 && s.subnetByID(r.SubnetID) == nil })
}

// SetHA sets what status-get reports about high availability.
func (s *Server) SetHA(ha ...kea.HAStatus) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ha = slices.Clone(ha)
}

// AddLease sets the lease of its address.
func (s *Server) AddLease(l kea.Lease) { s.setLease(lease{Lease: l}) }

// AddUnreadableLease sets the lease of its address, answered so that it cannot be parsed.
func (s *Server) AddUnreadableLease(l kea.Lease) { s.setLease(lease{l, true}) }

func (s *Server) setLease(l lease) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leases[l.IPAddress] = l
	s.leasesChanged(l.SubnetID)
}

// RemoveLease removes the lease of an address, if there is one.
func (s *Server) RemoveLease(ip netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leasesChanged(s.leases[ip].SubnetID)
	delete(s.leases, ip)
}

// Commands counts the commands that arrived, those that a fault met included.
func (s *Server) Commands() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.commands)
}

// ResetCommands starts counting from zero.
func (s *Server) ResetCommands() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.commands)
}
