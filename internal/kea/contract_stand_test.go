// SPDX-License-Identifier: Apache-2.0

package kea_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/kea/keatest"
	"github.com/vitistack/provider-kea/internal/testenv"
)

func newClient(t *testing.T, cfg kea.Config) *kea.Client {
	t.Helper()
	cfg.Timeout = time.Minute // Machines that run all suites at once can be slow.
	c, err := kea.NewClient(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// config is that of a client which the server accepts.
func (s *server) config(url string, o setup) kea.Config {
	cfg := kea.Config{URL: url, Username: o.username, Password: o.password}
	if o.tls != nil {
		cfg.TLS = o.tls.clientConfig(o.wantsClients)
	}
	return cfg
}

func startFake(t *testing.T, o setup, database bool) *server {
	t.Helper()
	options := keatest.Options{
		Subnets:            fakeSubnets(o),
		AddressesNotUnique: o.notUnique,
		MissingHooks:       o.missingHooks,
		Username:           o.username,
		Password:           o.password,
		DatabaseReadOnly:   o.readOnly,
		HostBackend:        o.hostBackend,
		HostCache:          o.hostCache,
	}
	if o.rich {
		richFake(&options)
	}
	if o.tls != nil {
		options.TLS = o.tls.serverConfig(o.wantsClients)
	}
	s := &server{target: kea.TargetMemory, other: kea.TargetDatabase}
	if database {
		options.Database = keatest.NewDatabase()
		s.target, s.other = s.other, s.target
	}
	k := keatest.New(t, options)
	s.Client, s.url, s.fake = newClient(t, s.config(k.URL, o)), k.URL, k
	s.addDHCPv6Hosts = func(n int) { options.Database.AddDHCPv6Hosts(n) }
	s.restart, s.loseDatabase, s.restoreDatabase = k.Restart, k.LoseDatabase, k.RestoreDatabase
	return s
}

func fakeSubnets(o setup) []kea.SubnetDetail {
	if o.noSubnets {
		return []kea.SubnetDetail{}
	}
	a, b := keatest.Subnet(subnetA, "10.123.0.0/24"), keatest.Subnet(subnetB, "10.124.0.0/24")
	b.SharedNetwork = "shared"
	a.Pools = []kea.Pool{
		{First: netip.MustParseAddr("10.123.0.64"), Last: netip.MustParseAddr("10.123.0.79")},
		{First: netip.MustParseAddr("10.123.0.100"), Last: netip.MustParseAddr("10.123.0.200")},
	}
	a.ReservationsInSubnet = new(true)
	a.OptionData = []kea.OptionData{
		{Name: "routers", Code: 3, Space: "dhcp4", Data: "10.123.0.1", AlwaysSend: new(false), CSVFormat: new(true)},
		{Name: "domain-name-servers", Code: 6, Space: "dhcp4", Data: "10.0.0.2, 10.0.0.3", AlwaysSend: new(false), CSVFormat: new(true)},
	}
	return []kea.SubnetDetail{a, b}
}

// database is that of a real Kea.
type database interface {
	Start(tb testing.TB)
	Stop()
	// use has a Kea use it.
	use(o *testenv.KeaOptions)
	// HostsDatabase is what Kea's configuration has about it, and some more.
	HostsDatabase(extra map[string]any) map[string]any
	// addDHCPv6 adds n hosts without an IPv4 subnet.
	addDHCPv6(t *testing.T, n int)
}

type postgres struct{ *testenv.Postgres }

func (p postgres) use(o *testenv.KeaOptions) { o.Postgres = p.Postgres }

func (p postgres) addDHCPv6(t *testing.T, n int) {
	t.Helper()
	p.Exec(t, fmt.Sprintf("INSERT INTO hosts (dhcp_identifier, dhcp_identifier_type, dhcp6_subnet_id) "+
		"SELECT decode(lpad(to_hex(n + (SELECT coalesce(max(host_id), 0) FROM hosts)), 12, '0'), 'hex'), 0, 1 FROM generate_series(1, %d) AS n", n))
}

type mariadb struct{ *testenv.MariaDB }

func (m mariadb) use(o *testenv.KeaOptions) { o.MariaDB = m.MariaDB }

func (m mariadb) addDHCPv6(t *testing.T, n int) {
	t.Helper()
	// It would leave some ids out by itself.
	m.Exec(t, fmt.Sprintf("SET @last = (SELECT coalesce(max(host_id), 0) FROM hosts); "+
		"INSERT INTO hosts (host_id, dhcp_identifier, dhcp_identifier_type, dhcp6_subnet_id) "+
		"SELECT seq + @last, unhex(lpad(hex(seq + @last), 12, '0')), 0, 1 FROM seq_1_to_%d", n))
}

func startReal(t *testing.T, o setup, db database) *server {
	t.Helper()
	options := testenv.KeaOptions{Subnets: realSubnets(o), Username: o.username, Password: o.password}
	if o.tls != nil {
		options.TLS = o.tls.files(t, o.wantsClients)
	}
	if o.notUnique {
		options.HostsUnique = new(false)
	}
	options.Hooks = slices.DeleteFunc([]string{testenv.HookHostCmds, testenv.HookSubnetCmds, testenv.HookLeaseCmds},
		func(h string) bool { return slices.Contains(o.missingHooks, h) })
	s := &server{target: kea.TargetMemory, other: kea.TargetDatabase}
	if db != nil {
		s.target, s.other = s.other, s.target
	}
	if o.hostBackend && db == nil {
		options.Hooks = append(options.Hooks, testenv.HookPgSQL)
	}
	if o.hostCache {
		options.Hooks = append(options.Hooks, testenv.HookHostCache)
		options.HookParameters = map[string]any{testenv.HookHostCache: map[string]any{"maximum": 1000}}
	}
	options.Extra = map[string]any{}
	if db != nil {
		db.use(&options)
		options.Extra["hosts-database"] = databaseOptions(o, db)
		s.addDHCPv6Hosts = func(n int) { db.addDHCPv6(t, n) }
	}
	if o.rich {
		richReal(&options)
	}
	k := testenv.StartKea(t, options)
	s.Client, s.url = newClient(t, s.config(k.URL, o)), k.URL
	s.restart = func() { k.Restart(t) }
	if db != nil {
		s.loseDatabase = db.Stop
		s.restoreDatabase = func() {
			db.Start(t)
			testenv.Eventually(t, time.Minute, "Kea finding its database again", func(ctx context.Context) error {
				has, err := s.ProbeDatabase(ctx)
				if err == nil && !has {
					err = errors.New("there is no database")
				}
				return err
			})
		}
	}
	return s
}

func databaseOptions(o setup, db database) map[string]any {
	extra := map[string]any{"password": "s3cret", "readonly": o.readOnly}
	if o.survivesOutage {
		extra["on-fail"], extra["max-reconnect-tries"], extra["reconnect-wait-time"] = "serve-retry-continue", 100000, 100
	}
	return db.HostsDatabase(extra)
}

func realSubnets(o setup) []testenv.Subnet {
	if o.noSubnets {
		return []testenv.Subnet{}
	}
	return []testenv.Subnet{
		{
			ID: subnetA, Prefix: "10.123.0.0/24", Pools: []string{"10.123.0.64/28", "10.123.0.100 - 10.123.0.200"},
			Extra: map[string]any{
				"reservations-in-subnet": true,
				"option-data": []any{
					map[string]any{"name": "routers", "data": "10.123.0.1"},
					map[string]any{"name": "domain-name-servers", "data": "10.0.0.2, 10.0.0.3"},
				},
			},
		},
		{ID: subnetB, Prefix: "10.124.0.0/24", SharedNetwork: "shared"},
	}
}
