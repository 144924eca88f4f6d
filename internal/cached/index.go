// SPDX-License-Identifier: Apache-2.0

package cached

import (
	"context"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"strconv"

	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// buckets is how many keys the store has of an index. Of 50,000 objects about twelve share a bucket,
// which Find looks through.
const buckets = 4096

// seed is random, so that names and addresses cannot be chosen to be all in one bucket.
var seed = maphash.MakeSeed()

// An Index finds objects of a kind by texts that they have, its keys.
//
// An index of client-go has a map for each key, and one of controller-runtime two. Where few objects
// have the same key, as with hardware addresses, each index takes 700 bytes for an object, and a few
// of them more than the object. So the store has the hashes of keys instead, and few of them.
type Index[T any] struct {
	name string
	keys func(T) []string
}

// NewIndex returns an index with a name that is the only one of its kind. keys returns the keys of an
// object; it must be pure.
func NewIndex[T any](name string, keys func(T) []string) Index[T] {
	return Index[T]{name: name, keys: keys}
}

// Indexers returns the index as a store takes it.
func (i Index[T]) Indexers() toolscache.Indexers {
	return toolscache.Indexers{i.name: func(o any) ([]string, error) {
		object, ok := o.(T)
		if !ok {
			return nil, nil
		}
		keys := i.keys(object)
		out := make([]string, len(keys))
		for n, key := range keys {
			out[n] = bucketOf(key)
		}
		return out, nil
	}}
}

func bucketOf(key string) string {
	return strconv.FormatUint(maphash.String(seed, key)%buckets, 10)
}

// Find returns the objects that have a key, in no order. There are none in a store without the index.
func (i Index[T]) Find(store toolscache.Indexer, key string) []T {
	objects, err := store.ByIndex(i.name, bucketOf(key))
	if err != nil {
		return nil
	}
	var out []T
	for _, o := range objects {
		if object, ok := o.(T); ok && slices.Contains(i.keys(object), key) {
			out = append(out, object)
		}
	}
	return out
}

// AddIndexers adds indexes to the store that a cache has of a kind, and returns it. It blocks until a
// cache that has been started is filled. It fails if the store has one of these indexes already.
func AddIndexers(ctx context.Context, c cache.Informers, o client.Object, indexers ...toolscache.Indexers) (toolscache.Indexer, error) {
	i, err := c.GetInformer(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("cannot fill the cache: %w", err)
	}
	// controller-runtime's caches have client-go's informers. Its own indexes would do without, at
	// the price that Index avoids.
	informer, ok := i.(toolscache.SharedIndexInformer)
	if !ok {
		return nil, fmt.Errorf("cannot index a cache of %T", i)
	}
	all := toolscache.Indexers{}
	for _, some := range indexers {
		maps.Copy(all, some)
	}
	if err := informer.AddIndexers(all); err != nil {
		return nil, fmt.Errorf("cannot index the cache: %w", err)
	}
	return informer.GetIndexer(), nil
}
