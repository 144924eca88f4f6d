// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// The tests of this file's helpers look at Kea through its own JSON, so that what a client of ours
// leaves out or rewrites shows.

// object is a JSON object.
type object = map[string]any

// The values of Kea's operation-target.
const (
	inMemory   = "memory"
	inDatabase = "database"
)

// errNoHost says that Kea has no such host reservation.
var errNoHost = errors.New("Kea has no reservation of it")

// answer is what Kea answers to a command.
type answer struct {
	Result    int             `json:"result"`
	Text      string          `json:"text"`
	Arguments json.RawMessage `json:"arguments"`
}

// ask sends Kea a command and returns its answer, whatever the result.
func (s *site) ask(ctx context.Context, name string, arguments any) (answer, error) {
	body, err := json.Marshal(object{"command": name, "service": []string{"dhcp4"}, "arguments": arguments})
	if err != nil {
		return answer{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.kea.URL, strings.NewReader(escaped(body)))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{}, err
	}
	var all []answer
	if err := json.Unmarshal([]byte(runes(text)), &all); err != nil || len(all) != 1 {
		return answer{}, fmt.Errorf("%s: Kea answers %q: %w", name, text, err)
	}
	return all[0], nil
}

// escaped writes each rune that is not ASCII as \uXXXX: Kea takes \u00e9 for the byte E9, and é for
// the two bytes of UTF-8.
func escaped(body []byte) string {
	var b strings.Builder
	for _, r := range string(body) {
		if r < utf8.RuneSelf {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// runes is the counterpart of escaped. In the names of members Kea writes bytes as they are.
func runes(text []byte) string {
	var b strings.Builder
	for _, c := range text {
		b.WriteRune(rune(c))
	}
	return b.String()
}

// mustAsk sends Kea a command that succeeds, and returns the arguments of the answer.
func (s *site) mustAsk(name string, arguments any) json.RawMessage {
	s.t.Helper()
	a, err := s.ask(s.t.Context(), name, arguments)
	if err != nil || a.Result != 0 {
		s.t.Fatalf("%s %v: %v, result %d: %s", name, arguments, err, a.Result, a.Text)
	}
	return a.Arguments
}

// putHost adds a host reservation outside the provider, as the JSON object that Kea gets.
func (s *site) putHost(target, hw, ip string, more object) {
	s.t.Helper()
	h := object{"subnet-id": 1, "hw-address": hw, "ip-address": ip}
	maps.Copy(h, more)
	s.mustAsk("reservation-add", object{"reservation": h, "operation-target": target})
}

// rawHost returns a host reservation of subnet 1 as Kea writes it, or errNoHost.
func (s *site) rawHost(ctx context.Context, target, hw string) (string, error) {
	a, err := s.ask(ctx, "reservation-get", object{
		"subnet-id": 1, "identifier-type": "hw-address", "identifier": hw, "operation-target": target,
	})
	switch {
	case err != nil:
		return "", err
	case a.Result == 3:
		return "", errNoHost
	case a.Result != 0:
		return "", errors.New(a.Text)
	}
	return string(a.Arguments), nil
}

// host returns a host reservation of subnet 1, nil if there is none. Its strings have a rune for
// each byte of Kea's.
func (s *site) host(target, hw string) object {
	s.t.Helper()
	text, err := s.rawHost(s.t.Context(), target, hw)
	if errors.Is(err, errNoHost) {
		return nil
	}
	if err != nil {
		s.t.Fatal(err)
	}
	var out object
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		s.t.Fatal(err)
	}
	return out
}

// awaitHost waits until a check of Kea's host reservation passes. A host that is not there is nil.
func (s *site) awaitHost(target, hw, what string, check func(object) error) {
	s.t.Helper()
	var last error // of the check; the one that time ends in says nothing
	testenv.Eventually(s.t, within, what, func(ctx context.Context) error {
		text, err := s.rawHost(ctx, target, hw)
		var h object
		if err == nil {
			err = json.Unmarshal([]byte(text), &h)
		}
		if err != nil && !errors.Is(err, errNoHost) {
			return errors.Join(last, err)
		}
		last = check(h)
		return last
	})
}

// options returns a host's options as one text each, in Kea's order: the code, the data, and what
// is not Kea's default.
func options(h object) (out []string) {
	list, _ := h["option-data"].([]any)
	for _, o := range list {
		o, _ := o.(object)
		parts := []string{fmt.Sprintf("%v=%v", o["code"], o["data"])}
		for _, flag := range []string{"always-send", "never-send"} {
			if o[flag] == true {
				parts = append(parts, flag)
			}
		}
		if c, ok := o["client-classes"].([]any); ok && len(c) > 0 {
			parts = append(parts, fmt.Sprint(c))
		}
		out = append(out, strings.Join(parts, " "))
	}
	return out
}

// awaitOptions waits until Kea's memory has these options of a host.
func (s *site) awaitOptions(hw string, want ...string) {
	s.t.Helper()
	s.awaitHost(inMemory, hw, fmt.Sprintf("the options of %s to be %v", hw, want), func(h object) error {
		if got := options(h); fmt.Sprint(got) != fmt.Sprint(want) {
			return fmt.Errorf("they are %v", got)
		}
		return nil
	})
}

// patch changes an object by a JSON merge patch, which may name fields that the Go type lacks.
func (s *site) patch(o client.Object, patch string) {
	s.t.Helper()
	if err := s.client.Patch(s.t.Context(), o, client.RawPatch(types.MergePatchType, []byte(patch))); err != nil {
		s.t.Fatalf("cannot patch %s: %v", o.GetName(), err)
	}
}

// field returns a field of a KeaReservation or ClusterProviderConfig as JSON, "" if it is not set.
func (s *site) field(kind, name string, path ...string) string {
	s.t.Helper()
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(v1alpha1.SchemeGroupVersion.WithKind(kind))
	k := client.ObjectKey{Name: name}
	if kind == v1alpha1.KeaReservationKind {
		k.Namespace = s.namespace
	}
	if err := s.client.Get(s.t.Context(), k, u); err != nil {
		s.t.Fatal(err)
	}
	v, ok, err := unstructured.NestedFieldNoCopy(u.Object, path...)
	if err != nil || !ok {
		return ""
	}
	b, err := json.Marshal(v)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(b)
}

// awaitField waits until a field of a KeaReservation's status.atProvider has a value, as JSON.
func (s *site) awaitField(name, want, field string) {
	s.t.Helper()
	testenv.Eventually(s.t, within, fmt.Sprintf("status.atProvider.%s to be %s", field, want), func(context.Context) error {
		if got := s.field(v1alpha1.KeaReservationKind, name, "status", "atProvider", field); got != want {
			return fmt.Errorf("it is %s", got)
		}
		return nil
	})
}

// serverWarnings returns the warnings that the site's provider configuration has about its server.
func (s *site) serverWarnings() string {
	s.t.Helper()
	var servers []struct {
		Warnings []string `json:"warnings"`
	}
	text := s.field(v1alpha1.ClusterProviderConfigKind, s.namespace, "status", "servers")
	if text == "" {
		return ""
	}
	if err := json.Unmarshal([]byte(text), &servers); err != nil {
		s.t.Fatal(err)
	}
	var all []string
	for _, server := range servers {
		all = append(all, server.Warnings...)
	}
	return strings.Join(all, "\n")
}

// awaitWarning waits until the site's provider configuration warns with these parts in the text.
func (s *site) awaitWarning(parts ...string) {
	s.t.Helper()
	testenv.Eventually(s.t, within, fmt.Sprintf("a warning with %q", parts), func(context.Context) error {
		got := s.serverWarnings()
		for _, p := range parts {
			if !strings.Contains(got, p) {
				return fmt.Errorf("the warnings are %q", got)
			}
		}
		return nil
	})
}

// contains fails the test where a text lacks a part.
func contains(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%s lacks %q: %s", what, p, text)
		}
	}
}
