// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
)

// TestCredentials: what is read of a Secret's user name and password. Kea's own
// files of them have no end of line either.
func TestCredentials(t *testing.T) {
	t.Parallel()
	type login struct{ username, password string }
	cases := map[string]struct {
		reason string
		data   login
		want   login
	}{
		"Usual":           {reason: "As it is.", data: login{"kea", "s3cret"}, want: login{"kea", "s3cret"}},
		"Newline":         {reason: "Made of files that end in a newline.", data: login{"kea\n", "s3cret\n"}, want: login{"kea", "s3cret"}},
		"CRLF":            {reason: "Made of files from Windows.", data: login{"kea\r\n", "s3cret\r\n"}, want: login{"kea", "s3cret"}},
		"TwoNewlines":     {reason: "One is a file's; the other may be the password's.", data: login{"kea", "s3cret\n\n"}, want: login{"kea", "s3cret\n"}},
		"CarriageReturn":  {reason: "Alone it is no end of line.", data: login{"kea", "s3cret\r"}, want: login{"kea", "s3cret\r"}},
		"InnerNewline":    {reason: "It does not end there.", data: login{"kea", "s3\ncret"}, want: login{"kea", "s3\ncret"}},
		"Blanks":          {reason: "A password may begin and end with one.", data: login{"kea", " s3cret "}, want: login{"kea", " s3cret "}},
		"EmptyPassword":   {reason: "Kea accepts it.", data: login{"kea", ""}, want: login{"kea", ""}},
		"NewlinePassword": {reason: "An empty file with an end of line.", data: login{"kea", "\n"}, want: login{"kea", ""}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := secretsIn(t, "ns")
			s[types.NamespacedName{Namespace: "ns", Name: "login"}] = Secret{Data: map[string][]byte{"username": []byte(tc.data.username), "password": []byte(tc.data.password)}}
			cfg, _, err := Resolve(specOf("ns"), "", s)
			if err != nil {
				t.Fatalf("%s\n%v", tc.reason, err)
			}
			k := cfg.Servers[0].Kea
			if diff := cmp.Diff(tc.want, login{k.Username, k.Password}, cmp.AllowUnexported(login{})); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
		})
	}
}
