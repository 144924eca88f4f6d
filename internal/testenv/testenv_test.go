// SPDX-License-Identifier: Apache-2.0

package testenv

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

type answer struct {
	Result    int            `json:"result"`
	Text      string         `json:"text"`
	Arguments map[string]any `json:"arguments"`
}

// ask sends Kea one command.
func ask(t *testing.T, k *Kea, c *http.Client, command string, arguments map[string]any) answer {
	t.Helper()
	body, err := json.Marshal(map[string]any{"command": command, "service": []string{"dhcp4"}, "arguments": arguments})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, k.URL, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.SetBasicAuth(k.options.Username, k.options.Password)
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var answers []answer
	if err := json.NewDecoder(resp.Body).Decode(&answers); err != nil || len(answers) != 1 {
		t.Fatalf("%s: HTTP status %s, %d answers: %v", command, resp.Status, len(answers), err)
	}
	return answers[0]
}

func addHost(t *testing.T, k *Kea, c *http.Client, ip, target string) {
	t.Helper()
	got := ask(t, k, c, "reservation-add", map[string]any{"operation-target": target, "reservation": map[string]any{
		"subnet-id": 1, "hw-address": "00:02:12:34:56:" + ip[len(ip)-2:], "ip-address": ip,
	}})
	if got.Result != 0 {
		t.Fatalf("reservation-add: want result 0, got %+v", got)
	}
}

func hosts(t *testing.T, k *Kea, c *http.Client) int {
	t.Helper()
	got := ask(t, k, c, "reservation-get-all", map[string]any{"subnet-id": 1})
	all, _ := got.Arguments["hosts"].([]any)
	return len(all)
}

func TestKeaRestartLosesMemoryHosts(t *testing.T) {
	k := StartKea(t, KeaOptions{})
	addHost(t, k, http.DefaultClient, "10.123.0.50", "memory")
	if n := hosts(t, k, http.DefaultClient); n != 1 {
		t.Errorf("before the restart: want 1 host, got %d", n)
	}

	pid := k.PID()
	k.Restart(t)
	http.DefaultClient.CloseIdleConnections()
	if n := hosts(t, k, http.DefaultClient); n != 0 {
		t.Errorf("after the restart: want no hosts, got %d", n)
	}
	if got := ask(t, k, http.DefaultClient, "status-get", nil).Arguments["pid"]; got != float64(k.PID()) || k.PID() == pid {
		t.Errorf("want a new pid %d, as Kea tells it: got %v, old %d", k.PID(), got, pid)
	}
	if !strings.Contains(k.Log(), "DHCP4_STARTED") {
		t.Errorf("want Kea's log, got:\n%s", k.Log())
	}
}

func TestKeaWithPostgres(t *testing.T) {
	p := StartPostgres(t)
	k := StartKea(t, KeaOptions{Postgres: p, PersistLeases: true})
	addHost(t, k, http.DefaultClient, "10.123.0.50", "database")
	k.Restart(t)
	http.DefaultClient.CloseIdleConnections()
	if n := hosts(t, k, http.DefaultClient); n != 1 {
		t.Errorf("after the restart: want 1 host, got %d", n)
	}

	other := StartKea(t, KeaOptions{Postgres: p.NewDatabase(t)})
	if n := hosts(t, other, http.DefaultClient); n != 0 {
		t.Errorf("in a new database: want no hosts, got %d", n)
	}
	k.Stop()
	p.Stop()
	p.Start(t)
	k.Start(t)
	http.DefaultClient.CloseIdleConnections()
	if n := hosts(t, k, http.DefaultClient); n != 1 {
		t.Errorf("after the database's restart: want 1 host, got %d", n)
	}
}

func TestKeaWithEveryOption(t *testing.T) {
	ca := newCA(t)
	unique := false
	k := StartKea(t, KeaOptions{
		Username: "admin", Password: "secret",
		TLS:         &KeaTLS{CA: ca.file, Cert: ca.server.cert, Key: ca.server.key, RequireClientCertificate: true},
		HostsUnique: &unique,
		Subnets: []Subnet{
			{ID: 1, Prefix: "10.123.0.0/24", Reservations: []map[string]any{{"hw-address": "00:02:12:34:56:99", "ip-address": "10.123.0.99"}}},
			{ID: 2, Prefix: "10.124.0.0/24", SharedNetwork: "both", Pools: []string{"10.124.0.10 - 10.124.0.20"}},
			{ID: 3, Prefix: "10.125.0.0/24", SharedNetwork: "both", Extra: map[string]any{"valid-lifetime": 60}},
		},
		Hooks:          []string{HookHostCmds, HookSubnetCmds, HookLeaseCmds, HookHA},
		HookParameters: map[string]any{HookHA: ha(t)},
		Extra:          map[string]any{"multi-threading": map[string]any{"enable-multi-threading": true}},
	})
	cert, err := tls.LoadX509KeyPair(ca.client.cert, ca.client.key)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: ca.pool, Certificates: []tls.Certificate{cert}}}}
	defer c.CloseIdleConnections()

	if n := hosts(t, k, c); n != 1 {
		t.Errorf("want the static host, got %d", n)
	}
	subnets, _ := ask(t, k, c, "subnet4-list", nil).Arguments["subnets"].([]any)
	if len(subnets) != 3 {
		t.Errorf("want 3 subnets, got %v", subnets)
	}
	addHost(t, k, c, "10.123.0.50", "memory")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, k.URL, strings.NewReader(`{"command": "status-get"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if _ = resp.Body.Close(); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a password: want status 401, got %s", resp.Status)
	}
}

func ha(t *testing.T) map[string]any {
	t.Helper()
	peers := []any{}
	for i, role := range []string{"primary", "standby"} {
		port, err := freePort()
		if err != nil {
			t.Fatal(err)
		}
		peers = append(peers, map[string]any{"name": fmt.Sprintf("kea%d", i+1), "role": role, "url": "http://" + loopback(port) + "/"})
	}
	return map[string]any{"high-availability": []any{map[string]any{
		"this-server-name": "kea1", "mode": "hot-standby", "peers": peers,
	}}}
}

// A Kea that cannot start has to say why.
func TestKeaWithABadConfiguration(t *testing.T) {
	_, _, err := NewKea(t.TempDir(), KeaOptions{Extra: map[string]any{"nonsense": true}})
	if err == nil || !strings.Contains(err.Error(), "nonsense") || !errors.Is(err, errGone) {
		t.Errorf("want an error with Kea's own words, got: %v", err)
	}
}

func TestControlPlaneCollectsGarbage(t *testing.T) {
	cp := StartControlPlane(t)
	c, err := client.New(cp.Config, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	owner := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "owner"}}
	if err := c.Create(t.Context(), owner); err != nil {
		t.Fatal(err)
	}
	owned := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "owned", OwnerReferences: []metav1.OwnerReference{
		{APIVersion: "v1", Kind: "ConfigMap", Name: owner.Name, UID: owner.UID},
	}}}
	if err := c.Create(t.Context(), owned); err != nil {
		t.Fatal(err)
	}
	if err := c.Delete(t.Context(), owner); err != nil {
		t.Fatal(err)
	}
	Eventually(t, time.Minute, "garbage collection", func(ctx context.Context) error {
		if err := c.Get(ctx, client.ObjectKeyFromObject(owned), owned); !apierrors.IsNotFound(err) {
			return fmt.Errorf("the owned ConfigMap is still there: %w", err)
		}
		return nil
	})
}

// TestServersDieWithTheTest kills a test that runs a Kea and a PostgreSQL, and
// expects them to go.
func TestServersDieWithTheTest(t *testing.T) {
	if os.Getenv("TESTENV_VICTIM") != "" {
		p := StartPostgres(t)
		fmt.Println(StartKea(t, KeaOptions{}).PID(), p.server.process.cmd.Process.Pid, "started")
		select {}
	}
	victim := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$")
	victim.Env = append(os.Environ(), "TESTENV_VICTIM=yes", "TMPDIR="+t.TempDir()) // it cannot remove its files
	out, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	var kea, postgres int
	_, err = fmt.Fscanf(out, "%d %d started\n", &kea, &postgres)
	_ = victim.Process.Kill()
	_ = victim.Wait()
	if err != nil {
		t.Fatal("cannot read what the victim started:", err)
	}
	for _, pid := range []int{kea, postgres} {
		Eventually(t, 20*time.Second, "the end of process "+strconv.Itoa(pid), func(context.Context) error {
			if ended(pid) {
				return nil
			}
			return errors.New("it runs")
		})
	}
}

// ended takes a zombie for ended: in a container nobody may wait for orphans.
func ended(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err == nil {
		return strings.Contains(string(stat), ") Z ")
	}
	return syscall.Kill(pid, 0) != nil
}
