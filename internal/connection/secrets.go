// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
)

// Keys of a Secret with credentials.
const (
	keyUsername = "username"
	keyPassword = "password"
)

// Secret is what was read of a Secret.
type Secret struct {
	Data map[string][]byte
	// Err is why it could not be read although it may exist; nil if it was read.
	Err error
}

// Secrets are the Secrets that a configuration reads, by name. One that does not exist is left out.
type Secrets map[types.NamespacedName]Secret

// SecretError says which Secret, or which of its keys, cannot be used, and the remedy. Its text is
// that of the error in it, and never has the content of a Secret.
type SecretError struct{ err error }

// Error returns the text.
func (e *SecretError) Error() string { return e.err.Error() }

// Unwrap returns the error of the API server, if that refused to read the Secret.
func (e *SecretError) Unwrap() error { return e.err }

// secretName returns the name of a Secret. A ProviderConfig reads Secrets of its own namespace only:
// a user who may write it need not be allowed to read Secrets elsewhere. A name that no Secret can have
// is not asked for: the API's client answers with an error that looks like one that passes.
func secretName(r v1alpha1.SecretReference, namespace string) (types.NamespacedName, error) {
	switch {
	case len(validation.IsDNS1123Subdomain(r.Name)) > 0 || (r.Namespace != "" && len(validation.IsDNS1123Label(r.Namespace)) > 0):
		return types.NamespacedName{}, fmt.Errorf("cannot read Secret %q: no Secret can have this name: correct the reference to it",
			strings.TrimPrefix(r.Namespace+"/"+r.Name, "/"))
	case namespace == "":
		return types.NamespacedName{Namespace: r.Namespace, Name: r.Name}, nil
	case r.Namespace != "" && r.Namespace != namespace:
		return types.NamespacedName{}, fmt.Errorf("cannot read Secret %s/%s: a ProviderConfig reads Secrets of its own namespace only: "+
			"leave namespace out, or use a ClusterProviderConfig", r.Namespace, r.Name)
	default:
		return types.NamespacedName{Namespace: namespace, Name: r.Name}, nil
	}
}

// nameOf returns the name of a Secret that has been read.
func nameOf(r v1alpha1.SecretReference, namespace string) types.NamespacedName {
	n, _ := secretName(r, namespace)
	return n
}

// lookup returns the data of a key of a Secret, and whether it has the key.
func (s Secrets) lookup(r v1alpha1.SecretReference, namespace, key string) ([]byte, bool, error) {
	n, err := secretName(r, namespace)
	if err != nil {
		return nil, false, err
	}
	secret, ok := s[n]
	switch {
	case !ok:
		return nil, false, fmt.Errorf("cannot get Secret %s: create it, or correct the reference to it", n)
	case secret.Err != nil:
		return nil, false, fmt.Errorf("cannot get Secret %s: %w", n, secret.Err)
	}
	v, ok := secret.Data[key]
	return v, ok, nil
}

// value returns the data of a key of a Secret, which must not be empty. The message names Secret and
// key, never their content.
func (s Secrets) value(r v1alpha1.SecretReference, namespace, key string) ([]byte, error) {
	v, found, err := s.lookup(r, namespace, key)
	if err == nil && (!found || len(v) == 0) {
		err = fmt.Errorf("cannot find a value of key %s in Secret %s: add it", key, nameOf(r, namespace))
	}
	return v, err
}

// login returns the user name and the password of basic authentication.
func (s Secrets) login(r v1alpha1.SecretReference, namespace string) (username, password string, err error) {
	if username, err = s.username(r, namespace); err != nil {
		return "", "", err
	}
	if password, err = s.password(r, namespace); err != nil {
		return "", "", err
	}
	return username, password, nil
}

func (s Secrets) username(r v1alpha1.SecretReference, namespace string) (string, error) {
	v, err := s.value(r, namespace, keyUsername)
	if err != nil {
		return "", err
	}
	name := withoutNewline(v)
	if name == "" {
		return "", fmt.Errorf("cannot use key %s in Secret %s: it has an end of line and nothing else: set it to the user's name", keyUsername, nameOf(r, namespace))
	}
	return name, nil
}

// password returns the password. Kea accepts an empty one, so only its key must be there.
func (s Secrets) password(r v1alpha1.SecretReference, namespace string) (string, error) {
	v, found, err := s.lookup(r, namespace, keyPassword)
	if err == nil && !found {
		err = fmt.Errorf("cannot find key %s in Secret %s: add it, with an empty value for an empty password", keyPassword, nameOf(r, namespace))
	}
	return withoutNewline(v), err
}

// withoutNewline drops one end of line: a Secret that was made of a file has the one that editors and
// echo put there, and Kea has none.
func withoutNewline(v []byte) string {
	text, _ := strings.CutSuffix(string(v), "\n")
	if len(text) < len(v) {
		text, _ = strings.CutSuffix(text, "\r")
	}
	return text
}
