// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"flag"
	"io"
	"testing"

	"go.uber.org/goleak"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
)

// TestMain silences what controller-runtime and client-go log: the tests take
// kinds away under their informers, which is logged at length. It makes sure that
// no goroutine outlives the tests.
func TestMain(m *testing.M) {
	quiet := zap.New(zap.WriteTo(io.Discard))
	log.SetLogger(quiet)
	klog.SetLogger(quiet)
	flag.Parse()
	// Go runs as many tests at once as there are cores; these mostly wait for events.
	_ = flag.Set("test.parallel", "32") // fails only if there is no such flag
	goleak.VerifyTestMain(m)
}
