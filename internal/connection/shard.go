// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Shard is the part of the provider configurations that this process serves, with all that refers to
// them: those whose labels a selector matches. The zero value is all of them. A configuration that does
// not exist counts as one without labels, so that of shards which together are everything exactly one
// reports what refers to it.
type Shard struct {
	selector labels.Selector // nil for everything
	// id follows from the selector, however that is written.
	id string
}

// shardIDLength is in hexadecimal digits: a cluster has few shards.
const shardIDLength = 10

// ParseShard returns the shard of a label selector, which is everything if it is empty.
func ParseShard(selector string) (Shard, error) {
	parsed, err := labels.ParseToRequirements(selector)
	if err != nil {
		return Shard{}, fmt.Errorf("write a label selector, for example shard=a or shard notin (a,b): %w", err)
	}
	if len(parsed) == 0 {
		return Shard{}, nil
	}
	written := make([]string, 0, len(parsed))
	for _, r := range parsed {
		written = append(written, strings.Join([]string{r.Key(), operatorOf(r), strings.Join(slices.Sorted(slices.Values(r.ValuesUnsorted())), ",")}, " "))
	}
	slices.Sort(written)
	sum := sha256.Sum256([]byte(strings.Join(written, "\n")))
	return Shard{selector: labels.NewSelector().Add(parsed...), id: hex.EncodeToString(sum[:])[:shardIDLength]}, nil
}

// operatorOf returns the same text for operators that mean the same.
func operatorOf(r labels.Requirement) string {
	switch o := r.Operator(); o {
	case selection.Equals, selection.DoubleEquals:
		return string(selection.In)
	case selection.NotEquals:
		return string(selection.NotIn)
	default:
		return string(o)
	}
}

// LeaseName returns the name of the Lease that the processes of a shard elect their leader by: that of
// a provider without shards, and one of its own for each selector.
func (s Shard) LeaseName(name string) string {
	if s.All() {
		return name
	}
	return name + "-" + s.id
}

// All reports whether the shard is all provider configurations.
func (s Shard) All() bool { return s.selector == nil }

// Has reports whether a provider configuration with these labels is in the shard.
func (s Shard) Has(ls map[string]string) bool { return s.All() || s.selector.Matches(labels.Set(ls)) }

// HasMissing reports whether what refers to a provider configuration that does not exist is in the
// shard.
func (s Shard) HasMissing() bool { return s.Has(nil) }

// Serves reports whether a provider configuration is in the shard, by the labels that a cache has of
// it. The zero Ref is one that does not exist. Nothing is read where the shard is everything.
func (s Shard) Serves(ctx context.Context, cache client.Reader, ref Ref) (bool, error) {
	if s.All() {
		return true, nil
	}
	pc := ref.Empty()
	if pc == nil {
		return s.HasMissing(), nil
	}
	// One that is not found is without labels.
	err := cache.Get(ctx, types.NamespacedName{Namespace: ref.Namespace, Name: ref.Name}, pc, client.UnsafeDisableDeepCopy)
	if client.IgnoreNotFound(err) != nil {
		return false, fmt.Errorf("cannot get %s, whose labels --provider-config-selector names: %w", ref, err)
	}
	return s.Has(pc.GetLabels()), nil
}
