// SPDX-License-Identifier: Apache-2.0

package mirror_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
)

// TestLeaseKept: a lease is known as it was read, but for its hostname, though it is kept in another
// form.
func TestLeaseKept(t *testing.T) {
	t.Parallel()
	const odd, upper = kea.HWAddress("00:01:02"), kea.HWAddress("00:00:00:00:00:AB")
	client := func(id string) func(*kea.Lease) { return func(l *kea.Lease) { l.ClientID = id } }
	for name, tc := range map[string]struct {
		reason string
		leases []kea.Lease
		hw     kea.HWAddress
		want   int
	}{
		"Plain":        {"Without a client-id.", []kea.Lease{lease(mac1, ip(1), noon)}, mac1, 1},
		"Hardware":     {"With the client-id that most clients send.", []kea.Lease{lease(mac1, ip(1), noon, client("01:"+string(mac1)))}, mac1, 1},
		"OtherClient":  {"With any other.", []kea.Lease{lease(mac1, ip(1), noon, client("ff:00:01:02"))}, mac1, 1},
		"ClientOfElse": {"With that of another device.", []kea.Lease{lease(mac1, ip(1), noon, client("01:"+string(mac2)))}, mac1, 1},
		"Odd":          {"Of an address that is not Ethernet's.", []kea.Lease{lease(odd, ip(1), noon, client("01:"+string(odd)))}, odd, 1},
		"Upper":        {"Of one that is written in another way.", []kea.Lease{lease(upper, ip(1), noon)}, upper, 1},
		"Infinite":     {"Without an end.", []kea.Lease{lease(mac1, ip(1), noon, func(l *kea.Lease) { l.ValidLifetime = kea.InfiniteLifetime })}, mac1, 1},
		"Several": {"Of one device among others.", []kea.Lease{
			lease(mac1, ip(1), noon), lease(mac2, ip(2), noon.Add(-time.Second)), lease(mac2, ip(3), noon.Add(-2*time.Second)), lease(mac2, ip(4), noon.Add(-3*time.Second)), lease(mac3, ip(5), noon),
		}, mac2, 3},
		"Unordered": {"In no order.", []kea.Lease{lease(mac2, ip(9), noon), lease(mac1, ip(1), noon)}, mac1, 1},
		"Again":     {"Of an address that is listed again, the last one counts.", []kea.Lease{lease(mac1, ip(1), noon, client("ff")), lease(mac2, ip(1), noon)}, mac1, 0},
		"AgainIts":  {"That one is known.", []kea.Lease{lease(mac1, ip(1), noon, client("ff")), lease(mac2, ip(1), noon)}, mac2, 1},
	} {
		t.Run(name, func(t *testing.T) {
			m := scanned(content{subnets: []kea.Subnet{subnet1}, leases: tc.leases}, inMemory)
			var want []kea.Lease
			for _, l := range tc.leases {
				if l.HWAddress == tc.hw && len(want) < tc.want {
					want = append(want, l)
				}
			}
			if diff := cmp.Diff(want, viewOf(t, m, tc.hw, noon).Leases, equate()); diff != "" {
				t.Errorf("%s\nViews(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

type answer string

// RoundTrip answers any command.
func (a answer) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(string(a))), Request: r}, nil
}

// listed returns a host as a page has it.
func listed(t *testing.T, host string) []kea.Host {
	t.Helper()
	c, err := kea.NewClient(kea.Config{URL: "http://kea.test", Transport: answer(fmt.Sprintf(`[{"result": 0, "arguments": {"hosts": [%s], "next": {"from": 1, "source-index": 0}}}]`, host))})
	if err != nil {
		t.Fatal(err)
	}
	for page, err := range c.MemoryPages(t.Context(), 1) {
		if err != nil || len(page.Hosts) != 1 {
			t.Fatalf("got %+v, %v", page, err)
		}
		return page.Hosts
	}
	return nil
}

// TestWrittenDifferently: a host that is written in another way than before has not changed; it is known
// as it was written last.
func TestWrittenDifferently(t *testing.T) {
	t.Parallel()
	const first = `{"hostname": "", "hw-address": "00:00:00:00:00:01", "ip-address": "10.1.0.1", "subnet-id": 1, "user-context": {"a": "\u00e9", "b": 1}}`
	for name, tc := range map[string]struct {
		reason, host string
		woken        bool
	}{
		"Layout":   {"Layout does not matter.", strings.ReplaceAll(first, " ", "\n"), false},
		"Order":    {"Nor does the order of members.", `{"subnet-id": 1, "user-context": {"b": 1, "a": "\u00e9"}, "ip-address": "10.1.0.1", "hw-address": "00:00:00:00:00:01"}`, false},
		"Defaults": {"Nor do defaults.", strings.Replace(first, `"hostname"`, `"client-classes": [ ], "boot-file-name": "", "hostname"`, 1), false},
		"Upper":    {"Nor does how an address is spelled.", strings.Replace(first, "00:00:00:00:00:01", `00:00:00:00:00:0\u0031`, 1), false},
		"Escapes":  {"Nor do escapes.", strings.Replace(first, `"b"`, `"\u0062"`, 1), false},
		"Number":   {"A number that is written differently is another one.", strings.Replace(first, "1}", "1.0}", 1), true},
		"Member":   {"What this client does not know counts, too.", strings.Replace(first, `{"hostname"`, `{"a": 1, "hostname"`, 1), true},
	} {
		t.Run(name, func(t *testing.T) {
			m := mirror.New(cluster)
			at := noon
			read := func(host string) mirror.Changes {
				at = at.Add(time.Second)
				sc := m.BeginScan("kea1", at)
				sc.SetSubnets([]kea.Subnet{subnet1})
				sc.AddHosts(kea.TargetMemory, listed(t, host))
				return m.Commit(sc, inMemory, at)
			}
			read(first)
			want := changes{}
			if tc.woken {
				want = woken([]kea.HWAddress{mac1}, ip(1))
			}
			checkChanges(t, tc.reason, want, read(tc.host))
			checkChanges(t, "And again.", changes{}, read(tc.host))
			checkChanges(t, tc.reason, want, read(first))
			r := viewOf(t, m, mac1, at).Host
			checkChanges(t, "A read of it by itself finds it as it was.", changes{}, m.PutHost(memory, key(mac1), r, ""))
			checkChanges(t, "So does the next scan.", changes{}, read(first))
		})
	}
}
