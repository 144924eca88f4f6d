// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
)

const (
	wantAServer       = "name at least one server: write for example servers: [{name: kea1, url: 'https://kea1.example.com:8000'}]"
	wantServerName    = "a server's name must be lower case letters, digits, dots and dashes: write for example kea1"
	wantNames         = "servers need different names: write for example kea1 and kea2"
	wantURLs          = "servers need different urls: name each server once"
	wantURL           = "url must start with http:// or https:// and name a host: write for example https://kea1.example.com:8000"
	wantNoCredentials = "url must not hold credentials: put username and password in a Secret and name it in credentials.secretRef"
	wantUnshared      = "shared means one hosts-database behind all servers: set storage to Database or Auto, or shared to false"
	wantNoWrite       = "persist: ConfigWrite is for reservations in memory, a database keeps its own: set persist to Never"
	wantSecretRef     = "source: Secret needs secretRef: name the Secret that holds username and password, or set source to None"
	wantNoSecretRef   = "source: None takes no secretRef: set source to Secret, or leave secretRef out"
	wantTimeout       = "timeout must be between 100ms and 5m: write for example 10s"
	wantInterval      = "snapshotInterval must be between 1s and 1h: write for example 30s"
)

// bothKinds tries a spec as a ProviderConfig and as a ClusterProviderConfig.
func bothKinds(t *testing.T, spec string, c check) {
	t.Helper()
	for _, kind := range []string{v1alpha1.ProviderConfigKind, v1alpha1.ClusterProviderConfigKind} {
		try(t, fromYAML(t, kind, spec), c)
	}
}

func TestProviderConfigServers(t *testing.T) {
	many := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "{name: kea%d, url: 'http://kea%d:8000'}, ", i, i)
		}
		return b.String()
	}
	cases := map[string]check{
		"One":           {reason: "The smallest.", object: `{name: kea1, url: "http://10.0.0.2:8000"}`},
		"Two":           {reason: "An HA pair.", object: many(2)},
		"Eight":         {reason: "The limit.", object: many(8)},
		"Nine":          {reason: "Over the limit.", object: many(9), want: "must have at most 8 items"},
		"None":          {reason: "There is nothing to do.", object: ``, want: wantAServer, more: true},
		"NoName":        {reason: "Conditions name it.", object: `{url: "http://kea1:8000"}`, want: "servers[0].name: Required value"},
		"NoURL":         {reason: "It cannot be found.", object: `{name: kea1}`, want: "servers[0].url: Required value"},
		"DuplicateName": {reason: "The status is by name.", object: `{name: kea1, url: "http://kea1:8000"}, {name: kea1, url: "http://kea2:8000"}`, want: wantNames, more: true},
		"DuplicateURL":  {reason: "One server is not two.", object: `{name: kea1, url: "http://kea1:8000"}, {name: kea2, url: "http://kea1:8000"}`, want: wantURLs},
		"NameDots":      {reason: "A DNS name does.", object: `{name: kea-1.example.com, url: "http://kea1:8000"}`},
		"NameUpper":     {reason: "As Kubernetes has names.", object: `{name: Kea1, url: "http://kea1:8000"}`, want: wantServerName},
		"NameBlank":     {reason: "As Kubernetes has names.", object: `{name: "kea 1", url: "http://kea1:8000"}`, want: wantServerName},
		"NameDash":      {reason: "As Kubernetes has names.", object: `{name: kea-, url: "http://kea1:8000"}`, want: wantServerName},
		"NameEmpty":     {reason: "It names nothing.", object: `{name: "", url: "http://kea1:8000"}`, want: wantServerName},
		"NameTooLong":   {reason: "As Kubernetes has labels.", object: `{name: ` + strings.Repeat("a", 64) + `, url: "http://kea1:8000"}`, want: "may not be more than 63 bytes"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) { bothKinds(t, "servers: ["+c.object+"]", c) })
	}
	t.Run("LeftOut", func(t *testing.T) {
		bothKinds(t, "{}", check{reason: "There is nothing to do.", want: "spec.servers: Required value"})
	})
}

func TestProviderConfigServerURL(t *testing.T) {
	cases := map[string]check{
		"HTTP":        {reason: "Without TLS.", object: "http://kea1.example.com:8000"},
		"HTTPS":       {reason: "With TLS.", object: "https://kea1.example.com:8000"},
		"NoPort":      {reason: "The scheme's own port.", object: "https://kea1.example.com"},
		"Slash":       {reason: "As Kea's ARM writes it.", object: "http://10.0.0.2:8000/"},
		"Path":        {reason: "Behind a reverse proxy.", object: "https://proxy.example.com/kea1"},
		"IPv6":        {reason: "The server itself may be on IPv6.", object: "http://[2001:db8::1]:8000"},
		"UpperScheme": {reason: "A scheme's case does not count (RFC 3986).", object: "HTTPS://kea1.example.com:8000"},
		"FTP":         {reason: "Kea does not speak it.", object: "ftp://kea1.example.com", want: wantURL},
		"Unix":        {reason: "The provider does not run beside Kea.", object: "unix:///run/kea/kea4-ctrl-socket", want: wantURL},
		"NoScheme":    {reason: "With TLS or without?", object: "kea1.example.com:8000", want: wantURL},
		"OnlyHost":    {reason: "With TLS or without?", object: "kea1", want: wantURL},
		"OnlyPath":    {reason: "That is a relative URL.", object: "/kea1", want: wantURL},
		"NoHost":      {reason: "Where is it?", object: "https://", want: wantURL},
		"NoHostPort":  {reason: "Where is it?", object: "https://:8000", want: wantURL},
		"NamedPort":   {reason: "A port is a number.", object: "https://kea1:https", want: wantURL},
		"Blank":       {reason: "A stray blank.", object: "http://kea1 :8000", want: wantURL},
		"Empty":       {reason: "A template's empty variable.", object: "", want: wantURL},
		"Credentials": {reason: "Anyone who may list the kind would read them.", object: "https://admin:secret@kea1.example.com:8000", want: wantNoCredentials},
		"User":        {reason: "The same for half of them.", object: "https://admin@kea1.example.com:8000", want: wantNoCredentials},
		"TooLong":     {reason: "Over the limit.", object: "http://kea1/" + strings.Repeat("a", 512), want: "may not be more than 512 bytes"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) { bothKinds(t, fmt.Sprintf(`servers: [{name: kea1, url: "%s"}]`, c.object), c) })
	}
}

func TestProviderConfigOtherFields(t *testing.T) {
	cases := map[string]check{
		"HostsEmpty":             {reason: "The defaults.", object: `hosts: {}`},
		"HostsMemory":            {reason: "Put back after a restart.", object: `hosts: {storage: Memory}`},
		"HostsMemoryWritten":     {reason: "Kept by Kea itself.", object: `hosts: {storage: Memory, persist: ConfigWrite}`},
		"HostsAutoWritten":       {reason: "It may be memory.", object: `hosts: {persist: ConfigWrite}`},
		"HostsShared":            {reason: "The usual database.", object: `hosts: {storage: Database, shared: true}`},
		"HostsAutoShared":        {reason: "It may be a database.", object: `hosts: {shared: true}`},
		"HostsMemoryShared":      {reason: "Memory cannot be shared.", object: `hosts: {storage: Memory, shared: true}`, want: wantUnshared},
		"HostsDatabaseWritten":   {reason: "There is nothing to write.", object: `hosts: {storage: Database, persist: ConfigWrite}`, want: wantNoWrite},
		"HostsUnknownStorage":    {reason: "Not one of them.", object: `hosts: {storage: Redis}`, want: `supported values: "Auto", "Memory", "Database"`},
		"HostsUnknownPersist":    {reason: "Not one of them.", object: `hosts: {persist: Always}`, want: `supported values: "Never", "ConfigWrite"`},
		"CredentialsEmpty":       {reason: "The default.", object: `credentials: {}`},
		"CredentialsNone":        {reason: "The default.", object: `credentials: {source: None}`},
		"CredentialsSecret":      {reason: "Basic authentication.", object: `credentials: {source: Secret, secretRef: {namespace: default, name: kea}}`},
		"CredentialsNoRef":       {reason: "Which Secret?", object: `credentials: {source: Secret}`, want: wantSecretRef},
		"CredentialsUnused":      {reason: "They would silently not be sent.", object: `credentials: {source: None, secretRef: {namespace: default, name: kea}}`, want: wantNoSecretRef},
		"CredentialsNoSource":    {reason: "They would silently not be sent.", object: `credentials: {secretRef: {namespace: default, name: kea}}`, want: wantNoSecretRef},
		"CredentialsNoName":      {reason: "Which Secret?", object: `credentials: {source: Secret, secretRef: {namespace: default}}`, want: "secretRef.name: Required value"},
		"CredentialsEmptyName":   {reason: "Which Secret?", object: `credentials: {source: Secret, secretRef: {namespace: default, name: ""}}`, want: "should be at least 1 chars long"},
		"CredentialsEnvironment": {reason: "Other providers have it.", object: `credentials: {source: Environment}`, want: `supported values: "None", "Secret"`},
		"TLSEmpty":               {reason: "The system's certificates.", object: `tls: {}`},
		"TLS":                    {reason: "All of it.", object: `tls: {caSecretRef: {namespace: default, name: ca, key: ca.crt}, clientCertificateSecretRef: {namespace: default, name: client}, serverName: kea, insecureSkipVerify: true}`},
		"TLSNoCAName":            {reason: "Which Secret?", object: `tls: {caSecretRef: {namespace: default}}`, want: "caSecretRef.name: Required value"},
		"Timeout":                {reason: "The usual one.", object: `timeout: 10s`},
		"TimeoutShortest":        {reason: "The limit.", object: `timeout: 100ms`},
		"TimeoutLongest":         {reason: "The limit, as Go writes it.", object: `timeout: 5m0s`},
		"TimeoutMilliseconds":    {reason: "The limit in the smallest unit.", object: `timeout: 300000ms`},
		"TimeoutFraction":        {reason: "As Go writes it.", object: `timeout: 1m1.5s`},
		"TimeoutRubbish":         {reason: "No duration.", object: `timeout: abc`, want: wantTimeout},
		"TimeoutNoUnit":          {reason: "Ten what?", object: `timeout: "10"`, want: wantTimeout},
		"TimeoutEmpty":           {reason: "A template's empty variable.", object: `timeout: ""`, want: wantTimeout},
		"TimeoutZero":            {reason: "No command would be in time.", object: `timeout: 0s`, want: wantTimeout},
		"TimeoutNegative":        {reason: "No command would be in time.", object: `timeout: -10s`, want: wantTimeout},
		"TimeoutTooShort":        {reason: "Under the limit.", object: `timeout: 99ms`, want: wantTimeout},
		"TimeoutTooLong":         {reason: "Over the limit.", object: `timeout: 5m1s`, want: wantTimeout},
		"TimeoutHuge":            {reason: "More than a duration holds.", object: `timeout: 99999999999h`, want: wantTimeout},
		"TimeoutHugeSum":         {reason: "More than a duration holds, in parts.", object: `timeout: ` + strings.Repeat("9999h", 300), want: wantTimeout},
		"Interval":               {reason: "The usual one.", object: `snapshotInterval: 10s`},
		"IntervalShortest":       {reason: "The limit.", object: `snapshotInterval: 1s`},
		"IntervalLongest":        {reason: "The limit, as Go writes it.", object: `snapshotInterval: 1h0m0s`},
		"IntervalRubbish":        {reason: "No duration.", object: `snapshotInterval: abc`, want: wantInterval},
		"IntervalNoUnit":         {reason: "Ten what?", object: `snapshotInterval: "10"`, want: wantInterval},
		"IntervalZero":           {reason: "Kea would do nothing else.", object: `snapshotInterval: 0s`, want: wantInterval},
		"IntervalTooShort":       {reason: "Under the limit.", object: `snapshotInterval: 999ms`, want: wantInterval},
		"IntervalTooLong":        {reason: "Over the limit.", object: `snapshotInterval: 61m`, want: wantInterval},
		"IntervalHuge":           {reason: "More than a duration holds.", object: `snapshotInterval: 99999999999h`, want: wantInterval},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			bothKinds(t, "{servers: [{name: kea1, url: 'http://kea1:8000'}], "+c.object+"}", c)
		})
	}
}

// TestProviderConfigServerSettings: what a server has of its own is checked as the
// common settings are.
func TestProviderConfigServerSettings(t *testing.T) {
	cases := map[string]check{
		"CredentialsEmpty":     {reason: "The default of its own.", object: `credentials: {}`},
		"CredentialsNone":      {reason: "It asks for none, others do.", object: `credentials: {source: None}`},
		"CredentialsSecret":    {reason: "Basic authentication.", object: `credentials: {source: Secret, secretRef: {namespace: default, name: kea1}}`},
		"CredentialsNoRef":     {reason: "Which Secret?", object: `credentials: {source: Secret}`, want: wantSecretRef},
		"CredentialsUnused":    {reason: "They would silently not be sent.", object: `credentials: {source: None, secretRef: {namespace: default, name: kea1}}`, want: wantNoSecretRef},
		"CredentialsNoName":    {reason: "Which Secret?", object: `credentials: {source: Secret, secretRef: {namespace: default}}`, want: "secretRef.name: Required value"},
		"CredentialsOtherKind": {reason: "Other providers have it.", object: `credentials: {source: Environment}`, want: `supported values: "None", "Secret"`},
		"TLSEmpty":             {reason: "The system's certificates.", object: `tls: {}`},
		"TLS":                  {reason: "All of it.", object: `tls: {caSecretRef: {namespace: default, name: ca}, clientCertificateSecretRef: {namespace: default, name: client}, serverName: kea1, insecureSkipVerify: true}`},
		"TLSNoCAName":          {reason: "Which Secret?", object: `tls: {caSecretRef: {namespace: default}}`, want: "caSecretRef.name: Required value"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			common := `credentials: {source: Secret, secretRef: {namespace: default, name: kea}}, tls: {serverName: kea}`
			bothKinds(t, "{servers: [{name: kea1, url: 'http://kea1:8000', "+c.object+"}, {name: kea2, url: 'http://kea2:8000'}], "+common+"}", c)
		})
	}
	t.Run("Eight", func(t *testing.T) {
		own := "credentials: {source: Secret, secretRef: {namespace: default, name: kea}}, tls: {caSecretRef: {namespace: default, name: ca}}"
		var servers []string
		for i := range 8 {
			servers = append(servers, fmt.Sprintf("{name: kea%d, url: 'http://kea%d:8000', %s}", i, i, own))
		}
		bothKinds(t, "servers: ["+strings.Join(servers, ", ")+"]", check{reason: "As many as there may be, each with its own."})
	})
}

// A ProviderConfig has a namespace to read Secrets from. A ClusterProviderConfig
// has none.
func TestProviderConfigSecretNamespace(t *testing.T) {
	refs := map[string]string{
		"credentials.secretRef":          `credentials: {source: Secret, secretRef: {name: kea%s}}`,
		"tls.caSecretRef":                `tls: {caSecretRef: {name: kea%s}}`,
		"tls.clientCertificateSecretRef": `tls: {clientCertificateSecretRef: {name: kea%s}}`,
	}
	specs := map[string]string{
		"":           "{servers: [{name: kea1, url: 'http://kea1:8000'}], %s}",
		"servers[].": "{servers: [{name: kea1, url: 'http://kea1:8000'}, {name: kea2, url: 'http://kea2:8000', %s}]}",
	}
	for field, ref := range refs {
		for of, format := range specs {
			for what, namespace := range map[string]string{"left out": "", "empty": `, namespace: ""`} {
				t.Run(of+field+" "+what, func(t *testing.T) {
					spec := fmt.Sprintf(format, fmt.Sprintf(ref, namespace))
					try(t, fromYAML(t, v1alpha1.ProviderConfigKind, spec), check{reason: "It has its own."})
					try(t, fromYAML(t, v1alpha1.ClusterProviderConfigKind, spec), check{
						reason: "It has none of its own.", want: of + field + " needs a namespace: a ClusterProviderConfig has none of its own",
					})
				})
			}
		}
	}
}
