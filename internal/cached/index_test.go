// SPDX-License-Identifier: Apache-2.0

package cached_test

import (
	"runtime"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	toolscache "k8s.io/client-go/tools/cache"

	"github.com/vitistack/provider-kea/internal/cached"
)

// labels is an index of objects by the values of their labels.
var labels = cached.NewIndex("labels", func(o *corev1.ConfigMap) []string {
	var out []string
	for _, v := range o.Labels {
		out = append(out, v)
	}
	return out
})

func labeled(name string, values ...string) *corev1.ConfigMap {
	o := &corev1.ConfigMap{}
	o.Name, o.Labels = name, map[string]string{}
	for i, v := range values {
		o.Labels[strconv.Itoa(i)] = v
	}
	return o
}

// TestIndexFind: the index has what the store has, whatever objects share a bucket.
func TestIndexFind(t *testing.T) {
	const many = 20_000 // five in each bucket
	store := toolscache.NewIndexer(toolscache.MetaNamespaceKeyFunc, labels.Indexers())
	for i := range many {
		_ = store.Add(labeled(strconv.Itoa(i), "own-"+strconv.Itoa(i), "other-"+strconv.Itoa(i)))
	}
	_ = store.Add(labeled("twin", "own-7", "own-7"))
	_ = store.Update(labeled("8", "moved"))
	_ = store.Delete(labeled("9"))
	cases := map[string]struct {
		reason string
		want   []string
	}{
		"own-5":   {"An object has one key.", []string{"5"}},
		"other-6": {"And another.", []string{"6"}},
		"own-7":   {"Two objects have a key, one of them twice.", []string{"7", "twin"}},
		"own-8":   {"The object has another key by now.", nil},
		"moved":   {"That is found.", []string{"8"}},
		"own-9":   {"The object is gone.", nil},
		"own-":    {"There never was one.", nil},
	}
	for key, tc := range cases {
		t.Run(key, func(t *testing.T) {
			var got []string
			for _, o := range labels.Find(store, key) {
				got = append(got, o.Name)
			}
			slices.Sort(got)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\nFind(%q): -want, +got:\n%s", tc.reason, key, diff)
			}
		})
	}
}

// TestIndexSize: an index of client-go with a key for each object takes 300 bytes for one, and one of
// controller-runtime 700.
func TestIndexSize(t *testing.T) {
	const many, most = 50_000, 80
	objects := make([]*corev1.ConfigMap, many)
	for i := range objects {
		objects[i] = labeled(strconv.Itoa(i), "00:02:12:00:00:"+strconv.Itoa(i))
	}
	size := func(indexers toolscache.Indexers) uint64 {
		before := heap()
		store := toolscache.NewIndexer(toolscache.MetaNamespaceKeyFunc, indexers)
		for _, o := range objects {
			_ = store.Add(o)
		}
		after := heap()
		runtime.KeepAlive(store)
		return (after - before) / many
	}
	without := size(toolscache.Indexers{})
	if with := size(labels.Indexers()); with > without+most {
		t.Errorf("an object takes %d bytes in the index, want %d at most", with-without, most)
	}
	runtime.KeepAlive(objects)
}

// heap returns how many bytes are in use.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
