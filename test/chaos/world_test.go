// SPDX-License-Identifier: Apache-2.0

package chaos

import (
	"fmt"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	crds "github.com/vitistack/crds/pkg/v1alpha1"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/testenv"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// subnet is the one that every Kea has, with subnet-id 1. It has no pool: leases are put into Kea.
const subnet = "10.123.0.0/16"

// The provider configurations: that of the pair, and those of the Keas with a database.
const (
	pairConfig     = "pair"
	postgresConfig = "postgres"
	mysqlConfig    = "mysql"
)

var configs = []string{pairConfig, postgresConfig, mysqlConfig}

// replicas are the two of the provider.
var replicas = []string{"provider1", "provider2"}

// namespaces have a NetworkNamespace each.
var namespaces = []string{"red", "blue", "green"}

// firstConfigs are the provider configurations of their machines when a round begins.
func firstConfigs() map[string]string {
	return map[string]string{"red": pairConfig, "blue": postgresConfig, "green": mysqlConfig}
}

// world is all that a round happens to.
type world struct {
	t       testing.TB
	plane   *testenv.ControlPlane
	client  client.Client
	keas    []*server
	webhook *webhook
	targets map[string]target
	links   map[string]*link
	fleet   fleet
}

// A target can be killed, and started again.
type target interface {
	kill()
	start() error
}

// A freezer can be frozen, too.
type freezer interface {
	target
	freeze()
	thaw()
}

// server is a Kea with the client that others than the provider use.
type server struct {
	*testenv.Kea
	t      testing.TB
	name   string
	config string
	store  kea.Target
	at     *kea.Client
	// strange are its reservations that are not the provider's, as describe writes them.
	strange []string
}

func newWorld(t testing.TB, program string) *world {
	t.Helper()
	theirs, err := testenv.VitiStackCRDs()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, targets: map[string]target{}, links: map[string]*link{}, fleet: newFleet()}
	w.plane = testenv.StartControlPlane(t, filepath.Join(testenv.Root(), "package", "crds"), theirs)
	w.targets["apiserver"] = newAPIServer(t, w.plane)
	if w.client, err = newClient(w.plane.Config); err != nil {
		t.Fatal(err)
	}
	w.webhook = &webhook{client: w.client}
	w.targets["webhook"] = w.webhook
	w.startKeas()
	w.strangers()
	w.network()
	api, err := url.Parse(w.plane.Config.Host)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range replicas {
		l := w.link(name+"-apiserver", api.Host)
		w.targets[name] = newReplica(t, name, program, l.address(), w.plane.Kubeconfig)
	}
	return w
}

// link makes a link of a name.
func (w *world) link(name, to string) *link {
	w.t.Helper()
	l := newLink(w.t, to)
	w.links[name] = l
	return l
}

// static are reservations in the configuration of each Kea, which are not the provider's.
var static = []map[string]any{
	{"hw-address": "00:ff:00:00:00:01", "ip-address": "10.123.200.1", "hostname": "router"},
	{"hw-address": "00:ff:00:00:00:02", "ip-address": "10.123.200.2", "option-data": []any{map[string]any{"name": "domain-name-servers", "data": "10.0.0.1"}}},
}

func (w *world) startKeas() {
	w.t.Helper()
	options := testenv.KeaOptions{
		Subnets:       []testenv.Subnet{{ID: 1, Prefix: subnet, Reservations: static}},
		PersistLeases: true,
	}
	pair := testenv.StartKeaPairBy(w.t, testenv.HotStandby, options, options, func(from, to, address string) string {
		return w.link(from+"-"+to, address).address()
	})
	for _, s := range []*server{
		{Kea: pair[0], name: "kea1", config: pairConfig, store: kea.TargetMemory},
		{Kea: pair[1], name: "kea2", config: pairConfig, store: kea.TargetMemory},
		{Kea: w.startWithPostgres(options), name: "kea3", config: postgresConfig, store: kea.TargetDatabase},
		{Kea: w.startWithMariaDB(options), name: "kea4", config: mysqlConfig, store: kea.TargetDatabase},
	} {
		at, err := kea.NewClient(kea.Config{URL: s.URL})
		if err != nil {
			w.t.Fatal(err)
		}
		w.t.Cleanup(at.Close)
		s.t, s.at = w.t, at
		w.keas = append(w.keas, s)
		w.targets[s.name] = s
		w.link("provider-"+s.name, strings.TrimPrefix(s.URL, "http://"))
	}
}

func (w *world) startWithPostgres(options testenv.KeaOptions) *testenv.Kea {
	w.t.Helper()
	db := testenv.StartPostgres(w.t)
	w.targets["postgres"] = &database{t: w.t, begin: db.Start, end: db.Stop}
	options.Postgres, options.Extra = db, map[string]any{"hosts-database": db.HostsDatabase(survives)}
	return testenv.StartKea(w.t, options)
}

func (w *world) startWithMariaDB(options testenv.KeaOptions) *testenv.Kea {
	w.t.Helper()
	db := testenv.StartMariaDB(w.t)
	w.targets["mysql"] = &mysql{database{t: w.t, begin: db.Start, end: db.Kill}, db}
	options.MariaDB, options.Extra = db, map[string]any{"hosts-database": db.HostsDatabase(survives)}
	return testenv.StartKea(w.t, options)
}

// survives is how a Kea goes on when its database is away. By default it ends.
var survives = map[string]any{
	"on-fail": "serve-retry-continue", "max-reconnect-tries": 1000, "reconnect-wait-time": 500, "retry-on-startup": true,
}

// strangers puts a reservation that is not the provider's into each database. In memory it would
// not outlive a kill.
func (w *world) strangers() {
	w.t.Helper()
	for _, s := range w.keas {
		if s.store == kea.TargetDatabase {
			err := s.at.AddReservation(w.t.Context(), kea.TargetDatabase, kea.Reservation{
				SubnetID: 1, HWAddress: "00:ff:00:00:00:03", IPAddress: addressOf(51203), Hostname: "printer",
				UserContext: map[string]any{"owner": "office"},
			})
			if err != nil {
				w.t.Fatal(err)
			}
		}
		var err error
		if s.strange, err = s.hosts(w.t.Context(), nil); err != nil {
			w.t.Fatal(err)
		}
	}
}

// find returns the Kea of a name.
func (w *world) find(name string) (*server, error) {
	for _, s := range w.keas {
		if s.name == name {
			return s, nil
		}
	}
	return nil, fmt.Errorf("cannot find a Kea %s", name)
}

// network makes what machines and reservations need beside themselves.
func (w *world) network() {
	w.t.Helper()
	for _, config := range configs {
		c := &v1alpha1.ClusterProviderConfig{ObjectMeta: metav1.ObjectMeta{Name: config}}
		c.Spec.SnapshotInterval, c.Spec.Timeout = metav1.Duration{Duration: time.Second}, metav1.Duration{Duration: 2 * time.Second}
		c.Spec.Credentials.Source = xpv2.CredentialsSourceNone
		c.Spec.Hosts = v1alpha1.Hosts{Storage: v1alpha1.HostStorageAuto, Persist: v1alpha1.HostPersistenceNever}
		for _, s := range w.keas {
			if s.config == config {
				c.Spec.Servers = append(c.Spec.Servers, v1alpha1.Server{Name: s.name, URL: "http://" + w.links["provider-"+s.name].address()})
			}
		}
		w.create(c)
	}
	for _, ns := range namespaces {
		w.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}})
		nn := &crds.NetworkNamespace{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "net", Annotations: placedBy(w.fleet.configs[ns])}}
		nn.Spec.DatacenterIdentifier, nn.Spec.SupervisorIdentifier = "dc1", "sv1"
		nn.Spec.ClusterIdentifier, nn.Spec.Environment, nn.Spec.Provider = "cluster1", "test", "example"
		w.create(nn)
		nn.Status.IPv4Prefix, nn.Status.Created = subnet, metav1.Now()
		if err := w.client.Status().Update(w.t.Context(), nn); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) create(o client.Object) {
	w.t.Helper()
	if err := w.client.Create(w.t.Context(), o); err != nil {
		w.t.Fatalf("cannot create %T %s: %v", o, o.GetName(), err)
	}
}

func newClient(cfg *rest.Config) (client.Client, error) {
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, admissionv1.AddToScheme, v1alpha1.AddToScheme, vitistack.AddToScheme} {
		if err := add(s); err != nil {
			return nil, err
		}
	}
	s.AddKnownTypes(crds.GroupVersion, &crds.NetworkNamespace{})
	cfg = rest.CopyConfig(cfg)
	cfg.QPS, cfg.Timeout = -1, 5*time.Second // It asks servers that are frozen.
	cfg.WarningHandler = rest.NoWarnings{}
	return client.New(cfg, client.Options{Scheme: s})
}

// build builds the provider.
func build(t testing.TB, flags ...string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "provider")
	cmd := exec.Command("go", slices.Concat([]string{"build", "-o", program}, flags, []string{"./cmd/provider"})...)
	cmd.Dir = testenv.Root()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatal(fmt.Errorf("cannot build the provider: %w\n%s", err, out))
	}
	return program
}
