// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// providerConfig is either kind of provider configuration.
type providerConfig interface {
	conditioned
	GetSpec() *v1alpha1.ProviderConfigSpec
	GetServers() []v1alpha1.ServerStatus
	GetUsers() int64
}

// bareSite is a site with a namespace alone: its config(), which the test makes
// as it wants it, leads to the URL.
func bareSite(t *testing.T, url string) *site {
	t.Helper()
	s := &site{world: &shared.world, t: t, kea: &testenv.Kea{URL: url}}
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "pc-"}}
	s.create(ns)
	s.namespace = ns.Name
	t.Cleanup(s.leave)
	return s
}

// leave takes the site's configurations away by force, so that the provider does
// not look for servers that have gone with the test.
func (s *site) leave() {
	ctx := context.Background()
	own := &v1alpha1.ProviderConfigList{}
	_ = shared.client.List(ctx, own, client.InNamespace(s.namespace))
	all := []client.Object{&v1alpha1.ClusterProviderConfig{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}}}
	for i := range own.Items {
		all = append(all, &own.Items[i])
	}
	for _, o := range all {
		_ = shared.client.Delete(ctx, o) // It may be gone: then so are we.
		_ = shared.client.Patch(ctx, o, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`)))
	}
}

// keaSite is a bareSite with a Kea.
func keaSite(t *testing.T, o testenv.KeaOptions) *site {
	t.Helper()
	k := testenv.StartKea(t, o)
	s := bareSite(t, k.URL)
	s.kea = k
	s.look(k, o.Username, o.Password)
	return s
}

// look lets the test talk to a Kea itself.
func (s *site) look(k *testenv.Kea, username, password string) {
	s.t.Helper()
	at, err := kea.NewClient(kea.Config{URL: k.URL, Username: username, Password: password})
	if err != nil {
		s.t.Fatal(err)
	}
	s.at = at
	s.t.Cleanup(at.Close)
}

// namespaced is a ProviderConfig with the spec of the site's config.
func (s *site) namespaced() *v1alpha1.ProviderConfig {
	return &v1alpha1.ProviderConfig{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "mine"}, Spec: s.config().Spec.ProviderConfigSpec}
}

// using lets a reservation use the site's namespaced ProviderConfig.
func using(r *v1alpha1.KeaReservation) *v1alpha1.KeaReservation {
	r.Spec.ProviderConfigReference = &xpv2.ProviderConfigReference{Kind: v1alpha1.ProviderConfigKind, Name: "mine"}
	return r
}

// numbered is a reservation that is told its address; n tells those of a Kea apart.
func (s *site) numbered(n int) *v1alpha1.KeaReservation {
	return s.reservation(fmt.Sprintf("vm%d", n), v1alpha1.KeaReservationParameters{HWAddress: macOf(n), IPAddress: fmt.Sprintf("10.123.0.%d", n)})
}

func macOf(n int) string { return fmt.Sprintf("00:02:12:34:57:%02x", n) }

// holds tells whether Kea has the reservation of numbered(n).
func (s *site) holds(n int) bool {
	s.t.Helper()
	return s.held(macOf(n)) != nil
}

// secret makes a Secret. What is in it must not be told to anybody.
func (s *site) secret(name string, data map[string]string) *corev1.Secret {
	s.t.Helper()
	// kubectl apply leaves what it was given in an annotation.
	applied, err := json.Marshal(map[string]any{"stringData": data})
	if err != nil {
		s.t.Fatal(err)
	}
	o := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: name, Annotations: map[string]string{corev1.LastAppliedConfigAnnotation: string(applied)}},
		StringData: data,
	}
	s.create(o)
	s.keepsSecret(data)
	return o
}

// rotate replaces what is in a Secret.
func (s *site) rotate(o *corev1.Secret, data map[string]string) {
	s.t.Helper()
	edit(s, o, func(o *corev1.Secret) { o.Data, o.StringData = nil, data })
	s.keepsSecret(data)
}

// credentials lets a configuration read the site's Secret "login".
func (s *site) credentials(pc providerConfig) {
	pc.GetSpec().Credentials = v1alpha1.Credentials{Source: xpv2.CredentialsSourceSecret, SecretRef: &v1alpha1.SecretReference{Namespace: s.namespace, Name: "login"}}
}

// keepsSecret searches the provider's log, with the traces of panics in it, its metrics, what it sent to
// the change log service, all Events and all of our objects for passwords and keys, when the test is
// over.
func (s *site) keepsSecret(data map[string]string) {
	s.t.Cleanup(func() {
		metrics, err := get(context.Background(), "http://"+shared.provider.metrics+"/metrics")
		if err != nil {
			s.t.Fatal(err)
		}
		told := map[string]string{"the provider's log": shared.provider.log(), "the metrics": metrics}
		for _, e := range shared.changes.of(s.namespace) {
			told["the change log"] += e.String()
		}
		for _, l := range []client.ObjectList{
			&corev1.EventList{}, &v1alpha1.KeaReservationList{}, &v1alpha1.ProviderConfigList{}, &v1alpha1.ClusterProviderConfigList{},
		} {
			if err := shared.client.List(context.Background(), l); err != nil {
				s.t.Fatal(err)
			}
			b, err := json.Marshal(l)
			if err != nil {
				s.t.Fatal(err)
			}
			told[fmt.Sprintf("%T", l)] = string(b)
		}
		for _, key := range []string{"password", "tls.key"} {
			secret := strings.TrimSpace(data[key])
			if lines := strings.Split(secret, "\n"); len(lines) > 2 { // PEM
				secret = lines[1]
			}
			if secret == "" {
				continue
			}
			for where, text := range told {
				if strings.Contains(text, secret) || strings.Contains(text, base64.StdEncoding.EncodeToString([]byte(secret))) ||
					strings.Contains(text, base64.StdEncoding.EncodeToString([]byte(data["username"]+":"+secret))) {
					s.t.Errorf("%s tells what is in key %s of a Secret", where, key)
				}
			}
		}
	})
}

// trouble is what a bad configuration gets: the reason and a part of the message
// of its Ready condition.
type trouble struct {
	reason  xpv2.ConditionReason
	message string
}

// troubled waits until a configuration tells of a trouble, and a reservation that
// uses it does so in the same words, and makes sure that they go on telling it so.
func (s *site) troubled(pc providerConfig, r *v1alpha1.KeaReservation, want trouble) {
	s.t.Helper()
	s.await(pc, is{Type: xpv2.TypeReady, Status: corev1.ConditionFalse, Reason: want.reason, Message: want.message})
	// The look that the trouble began in may tell more of it than those that follow,
	// until the next try: then both say the same.
	same := strings.TrimPrefix(pc.GetCondition(xpv2.TypeReady).Message, "server kea1: ")
	s.await(r, is{Type: xpv2.TypeSynced, Status: corev1.ConditionFalse, Message: ": " + same})
	s.steady(pc, r)
}

// spared waits until a configuration tells of a trouble, and makes sure that a reservation that is as
// wanted is left alone: it is in trouble once it needs something from Kea.
func (s *site) spared(pc providerConfig, r *v1alpha1.KeaReservation, want trouble) {
	s.t.Helper()
	before := words(r)
	s.await(pc, is{Type: xpv2.TypeReady, Status: corev1.ConditionFalse, Reason: want.reason, Message: want.message})
	start := s.commands(pc, "")
	testenv.Eventually(s.t, within, "more looks at the server", func(context.Context) error {
		if n := s.commands(pc, "") - start; n < 4 {
			return fmt.Errorf("there were %d commands", n)
		}
		return nil
	})
	if err := shared.client.Get(s.t.Context(), client.ObjectKeyFromObject(r), r); err != nil {
		s.t.Fatal(err)
	}
	if now := words(r); now != before {
		s.t.Errorf("the conditions of a reservation that needs nothing were\n%sand now are\n%s", before, now)
	}
	edit(s, r, func(r *v1alpha1.KeaReservation) { r.Spec.ForProvider.NextServer = new("10.123.0.2") })
	s.troubled(pc, r, want)
}

// steady makes sure that looks at the servers and reconciles change no word of
// the conditions, and that the words are for people and will stay.
func (s *site) steady(pc providerConfig, r *v1alpha1.KeaReservation) {
	s.t.Helper()
	before := words(pc) + words(r)
	s.t.Logf("%s\n%s%s", s.t.Name(), words(pc), words(r))
	if m := passing.FindString(before); m != "" {
		s.t.Errorf("a message tells %q, which is not going to stay:\n%s", m, before)
	}
	same := func(ctx context.Context) error {
		if err := errors.Join(shared.client.Get(ctx, client.ObjectKeyFromObject(pc), pc), shared.client.Get(ctx, client.ObjectKeyFromObject(r), r)); err != nil {
			return err
		}
		if now := words(pc) + words(r); now != before {
			s.t.Errorf("the conditions were\n%sand now are\n%s", before, now)
			before = now
		}
		return nil
	}
	if reason := pc.GetCondition(xpv2.TypeReady).Reason; reason != v1alpha1.ReasonSecretUnusable {
		start := s.commands(pc, "")
		testenv.Eventually(s.t, within, "more looks at the server", func(ctx context.Context) error {
			if err := same(ctx); err != nil {
				return err
			}
			if n := s.commands(pc, "") - start; n < 4 {
				return fmt.Errorf("there were %d commands", n)
			}
			return nil
		})
	}
	// As users do who try something. Each edit is a look and a reconcile for sure.
	edit(s, pc, func(pc providerConfig) { pc.GetSpec().Timeout.Duration += time.Millisecond })
	s.await(pc, is{Type: xpv2.TypeReady, Status: pc.GetCondition(xpv2.TypeReady).Status})
	edit(s, r, func(r *v1alpha1.KeaReservation) {
		version := r.ResourceVersion
		r.Spec.ForProvider.BootFileName = &version
	})
	s.await(r, is{Type: xpv2.TypeSynced, Status: r.GetCondition(xpv2.TypeSynced).Status})
	if err := same(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// passing matches what a message must not tell, because it differs from try to
// try: ports, times, ids, addresses of objects.
var passing = regexp.MustCompile(`127\.0\.0\.1:[0-9]+|\[::1\]:[0-9]+|[0-9]{2}:[0-9]{2}:[0-9]{2}[^:0-9a-f]|0x[0-9a-f]{4}|[0-9a-f]{8}-[0-9a-f]{4}-`)

// words are the conditions, without when and of which generation they are.
func words(o conditioned) string {
	var b strings.Builder
	for _, ct := range []xpv2.ConditionType{xpv2.TypeReady, xpv2.TypeSynced} {
		if c := o.GetCondition(ct); c.Reason != "" {
			fmt.Fprintf(&b, "  %T %s=%s %s: %s\n", o, ct, c.Status, c.Reason, c.Message)
		}
	}
	return b.String()
}

// commands counts the commands that the provider has sent to the servers of a
// configuration; an empty command counts all.
func (s *site) commands(pc client.Object, command string) int {
	s.t.Helper()
	name := strings.TrimPrefix(pc.GetNamespace()+"/"+pc.GetName(), "/")
	return int(sumMetric(s.t, func(line string) bool {
		return strings.HasPrefix(line, "provider_kea_command_duration_seconds_count{") && strings.Contains(line, fmt.Sprintf("config=%q", name)) &&
			(command == "" || strings.Contains(line, fmt.Sprintf("command=%q", command)))
	}))
}

// sumMetric sums the provider's metrics that match.
func sumMetric(t testing.TB, match func(line string) bool) float64 {
	t.Helper()
	text, err := get(t.Context(), "http://"+shared.provider.metrics+"/metrics")
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for line := range strings.Lines(text) {
		if !match(line) {
			continue
		}
		fields := strings.Fields(line)
		v, err := strconv.ParseFloat(fields[len(fields)-1], 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += v
	}
	return sum
}
