// SPDX-License-Identifier: Apache-2.0

package kea_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"testing"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/kea/keatest"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// The contract suite: what this project relies on of Kea, run against keatest and against a real
// Kea, each with hosts in memory and in a database: PostgreSQL, and MariaDB in the place of MySQL.
// Where a case holds for the real one and not for keatest, keatest is wrong.

// setup is how a server of the suite differs from the default: two subnets, the second in a shared
// network.
type setup struct {
	noSubnets      bool
	notUnique      bool
	missingHooks   []string
	username       string
	password       string
	survivesOutage bool // on-fail: serve-retry-continue
	readOnly       bool // the database
	hostBackend    bool // loaded, also without a database
	hostCache      bool // libdhcp_host_cache
	rich           bool // everything that Configuration reads is set
	tls            *pki // HTTPS with its server certificate
	wantsClients   bool // a client certificate is required
}

// server is a Kea of some make.
type server struct {
	*kea.Client

	url    string
	target kea.Target // where the hosts of this stand are kept
	other  kea.Target

	fake            *keatest.Server // nil for a real one
	addDHCPv6Hosts  func(n int)     // to the database
	restart         func()
	loseDatabase    func()
	restoreDatabase func()
}

// stand makes servers of one kind.
type stand struct {
	name   string
	target kea.Target
	start  func(t *testing.T, o setup) *server
	// mySQL is set if the database is a MariaDB, which Kea uses as MySQL. Else it is a PostgreSQL.
	mySQL bool
}

// databaseType is the type of the database in Kea's configuration.
func (s stand) databaseType() string {
	if s.mySQL {
		return "mysql"
	}
	return "postgresql"
}

const (
	subnetA, subnetB = 1, 2
	unknownSubnet    = 77
)

func stands(t *testing.T) []stand {
	t.Helper()
	first, mysql := testenv.StartPostgres(t), testenv.StartMariaDB(t)
	return []stand{
		{"keatest/memory", kea.TargetMemory, func(t *testing.T, o setup) *server { return startFake(t, o, false) }, false},
		{"keatest/database", kea.TargetDatabase, func(t *testing.T, o setup) *server { return startFake(t, o, true) }, false},
		{"kea/memory", kea.TargetMemory, func(t *testing.T, o setup) *server { return startReal(t, o, nil) }, false},
		{"kea/postgresql", kea.TargetDatabase, func(t *testing.T, o setup) *server { return startReal(t, o, postgres{first.NewDatabase(t)}) }, false},
		{"kea/mysql", kea.TargetDatabase, func(t *testing.T, o setup) *server {
			mysql.Empty(t)
			return startReal(t, o, mariadb{mysql})
		}, true},
	}
}

func TestContract(t *testing.T) {
	parts := []struct {
		name string
		run  func(*testing.T, stand)
	}{
		{"Server", contractServer},
		{"Restart", contractRestart},
		{"Instance", contractInstance},
		{"LeasesChanged", contractLeasesChanged},
		{"MissingHooks", contractMissingHooks},
		{"BasicAuth", contractBasicAuth},
		{"TLS", contractTLS},
		{"ClientCertificate", contractClientCertificate},
		{"Subnets", contractSubnets},
		{"Targets", contractTargets},
		{"ProbeDatabase", contractProbeDatabase},
		{"ReadOnlyDatabase", contractReadOnlyDatabase},
		{"HostCache", contractHostCache},
		{"Probe", contractProbe},
		{"Configuration", contractConfiguration},
		{"Add", contractAdd},
		{"AddConflict", contractAddConflict},
		{"AddGlobal", contractAddGlobal},
		{"Update", contractUpdate},
		{"UpdateLosesHost", contractUpdateLosesHost},
		{"Delete", contractDelete},
		{"Read", contractRead},
		{"NotUnique", contractNotUnique},
		{"RoundTrip", contractRoundTrip},
		{"Options", contractOptions},
		{"OpaqueOptions", contractOpaqueOptions},
		{"Text", contractText},
		{"Bytes", contractBytes},
		{"Columns", contractColumns},
		{"Defaults", contractDefaults},
		{"Pages", contractPages},
		{"PageForm", contractPageForm},
		{"PageAfterUpdate", contractPageAfterUpdate},
		{"PageGaps", contractPageGaps},
		{"Leases", contractLeases},
		{"LeasePages", contractLeasePages},
	}
	for _, s := range stands(t) {
		t.Run(s.name, func(t *testing.T) {
			for _, p := range parts {
				t.Run(p.name, func(t *testing.T) { p.run(t, s) })
			}
		})
	}
}

// raw sends a command as it is written, and returns the result code.
func (s *server) raw(t *testing.T, command, arguments string) int {
	t.Helper()
	result, text, _ := s.answer(t, command, arguments)
	t.Logf("%s %s: %d %s", command, arguments, result, text)
	return result
}

// answer sends a command as it is written.
func (s *server) answer(t *testing.T, command, arguments string) (result int, text string, args json.RawMessage) {
	t.Helper()
	body := `{"command": "` + command + `", "service": ["dhcp4"], "arguments": ` + arguments + `}`
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var answers []struct {
		Result    int             `json:"result"`
		Text      string          `json:"text"`
		Arguments json.RawMessage `json:"arguments"`
	}
	if err := json.Unmarshal(raw, &answers); err != nil || len(answers) != 1 {
		t.Fatalf("%s: cannot read the answer %s: %v", command, raw, err)
	}
	return answers[0].Result, answers[0].Text, answers[0].Arguments
}

// class puts an error in one word, for tables.
func class(err error) string {
	var (
		rejected     *kea.RejectedError
		unsupported  *kea.UnsupportedError
		unauthorized *kea.UnauthorizedError
		unreachable  *kea.UnreachableError
		malformed    *kea.MalformedError
		limit        *kea.LimitError
	)
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, kea.ErrNotFound):
		return "not found"
	case errors.As(err, &rejected):
		return "rejected"
	case errors.As(err, &unsupported):
		return "unsupported"
	case errors.As(err, &unauthorized):
		return "unauthorized"
	case errors.As(err, &unreachable):
		return "unreachable"
	case errors.As(err, &malformed):
		return "malformed"
	case errors.As(err, &limit):
		return "limit"
	default:
		return "other"
	}
}

func wantClass(t *testing.T, what string, err error, want string) {
	t.Helper()
	if got := class(err); got != want {
		t.Errorf("%s: got %s (%v), want %s", what, got, err, want)
	}
}

// mustAdd adds hosts that the case starts from.
func (s *server) mustAdd(t *testing.T, target kea.Target, hosts ...kea.Reservation) {
	t.Helper()
	for _, r := range hosts {
		if err := s.AddReservation(t.Context(), target, r); err != nil {
			t.Fatalf("cannot add %v to %s: %v", r, target, err)
		}
	}
}

// host makes a reservation of subnet A; no address if ip is empty.
func host(hw kea.HWAddress, ip string) kea.Reservation {
	return hostIn(subnetA, hw, ip)
}

func hostIn(subnetID uint32, hw kea.HWAddress, ip string) kea.Reservation {
	r := kea.Reservation{SubnetID: subnetID, HWAddress: hw}
	if ip != "" {
		r.IPAddress = netip.MustParseAddr(ip)
	}
	return r
}
