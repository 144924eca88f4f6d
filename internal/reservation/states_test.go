// SPDX-License-Identifier: Apache-2.0

package reservation_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// stringConstants returns the values of the string constants in a file whose names start with a
// prefix.
func stringConstants(t *testing.T, file, prefix string) []string {
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 || !strings.HasPrefix(spec.Names[0].Name, prefix) {
			return true
		}
		if lit, ok := spec.Values[0].(*ast.BasicLit); ok && lit.Kind == token.STRING {
			value, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, value)
		}
		return true
	})
	return out
}

// TestStates: every State has an Info, whose reason and server state are those of the API.
func TestStates(t *testing.T) {
	t.Parallel()
	f, err := parser.ParseFile(token.NewFileSet(), "states.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var declared []string
	ast.Inspect(f, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			if typ, ok := spec.Type.(*ast.Ident); ok && typ.Name == "State" {
				declared = append(declared, spec.Names[0].Name)
			}
		}
		return true
	})
	var listed []string
	for _, s := range reservation.States() {
		listed = append(listed, string(s))
	}
	slices.Sort(declared)
	slices.Sort(listed)
	if diff := cmp.Diff(declared, listed); diff != "" {
		t.Errorf("States(): -declared, +listed:\n%s", diff)
	}

	reasons := stringConstants(t, "../../apis/v1alpha1/conditions.go", "Reason")
	servers := []string{
		"", string(v1alpha1.ServerStateReserved), string(v1alpha1.ServerStateBlocked), string(v1alpha1.ServerStateUnknown),
	}
	for _, s := range reservation.States() {
		info := reservation.InfoOf(s)
		if info.Reason != "" && !slices.Contains(reasons, info.Reason) {
			t.Errorf("InfoOf(%s): the reason %s is not one of the API", s, info.Reason)
		}
		if !slices.Contains(servers, info.Server) {
			t.Errorf("InfoOf(%s): the state %s of a server is not one of the API", s, info.Server)
		}
		if info.Blocked && (info.Reason == "" || info.Held) {
			t.Errorf("InfoOf(%s): %+v, want a reason, and not held, as it is blocked", s, info)
		}
	}
	if diff := cmp.Diff(reservation.Info{}, reservation.InfoOf("Nonsense")); diff != "" {
		t.Errorf("InfoOf(...) of a state that does not exist: -want, +got:\n%s", diff)
	}
}
