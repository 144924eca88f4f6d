// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"errors"
	"testing"
)

// TestImpossibleSecretNames: a name that no Secret can have is not asked for, and reported: a provider
// configuration that could never be read would have workers wait for it.
func TestImpossibleSecretNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a/b", "..", "UPPER", "a%2fb", "login?x=y"} {
		spec := specOf("")
		spec.TLS = nil
		spec.Credentials.SecretRef.Name = name
		if names := SecretNames(spec, "ns"); len(names) > 0 {
			t.Errorf("SecretNames(%q) is %v, want none", name, names)
		}
		_, _, err := Resolve(spec, "ns", Secrets{})
		if _, ok := errors.AsType[*SecretError](err); !ok {
			t.Errorf("Resolve(%q): %v, want a SecretError", name, err)
		}
	}
}
