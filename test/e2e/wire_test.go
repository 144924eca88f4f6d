// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/dhcpv4/nclient4"
	"golang.org/x/sys/unix"
)

// A wire is a virtual Ethernet segment between Keas and DHCP clients. The clients' end is in a network
// namespace.
type wire struct{ namespace, end, serverEnd string }

// layWire makes a segment of this name, whose server's end has the given addresses.
func layWire(t *testing.T, name string, addresses ...string) *wire {
	t.Helper()
	w := newWire(t, name, name+"-c", name+"-s")
	w.serverEnd = name + "-s"
	ip(t, "link", "add", w.serverEnd, "type", "veth", "peer", "name", w.end, "netns", w.namespace)
	for _, a := range addresses {
		ip(t, "address", "add", a, "dev", w.serverEnd)
	}
	ip(t, "link", "set", w.serverEnd, "up")
	ip(t, "-n", w.namespace, "link", "set", w.end, "up")
	return w
}

// newWire makes the network namespace of a segment, and removes it with the servers' ends when the test
// is over.
func newWire(t *testing.T, namespace, end string, serverEnds ...string) *wire {
	t.Helper()
	if os.Getuid() != 0 {
		t.Fatal("the DHCP client needs a network namespace and a raw socket: run the end-to-end tests as root, on Linux")
	}
	remove := func() { // one end takes the other with it
		for _, e := range serverEnds {
			_ = exec.Command("ip", "link", "delete", e).Run()
		}
		_ = exec.Command("ip", "netns", "delete", namespace).Run()
	}
	remove() // what a run that was killed has left
	t.Cleanup(remove)
	ip(t, "netns", "add", namespace)
	return &wire{namespace: namespace, end: end}
}

func ip(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		t.Fatalf("cannot run ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// A device is a DHCP client with a hardware address of its own. Many share the
// wire: they ask for broadcast answers.
type device struct {
	t     *testing.T
	wire  *wire
	mac   net.HardwareAddr
	lease *nclient4.Lease
}

func (w *wire) device(t *testing.T, mac string) *device {
	t.Helper()
	hw, err := net.ParseMAC(mac)
	if err != nil {
		t.Fatal(err)
	}
	return &device{t: t, wire: w, mac: hw}
}

// obtain goes through DISCOVER, OFFER, REQUEST and ACK, as a device does that
// boots, and returns the address it got. Modifiers are for what its requests have beside its hardware
// address.
func (d *device) obtain(modifiers ...dhcpv4.Modifier) netip.Addr {
	d.t.Helper()
	c := d.client()
	defer c.Close()
	ctx, cancel := context.WithTimeout(d.t.Context(), 30*time.Second)
	defer cancel()
	lease, err := c.Request(ctx, append(modifiers, dhcpv4.WithBroadcast(true))...)
	if err != nil {
		d.t.Fatalf("%s cannot obtain a lease: %v", d.mac, err)
	}
	d.lease = lease
	address, _ := netip.AddrFromSlice(lease.ACK.YourIPAddr.To4())
	return address
}

// getsNothing fails if the device obtains a lease.
func (d *device) getsNothing() {
	d.t.Helper()
	c := d.client()
	defer c.Close()
	ctx, cancel := context.WithTimeout(d.t.Context(), 5*time.Second)
	defer cancel()
	if lease, err := c.Request(ctx, dhcpv4.WithBroadcast(true)); err == nil {
		d.t.Fatalf("%s obtained %s, which is reserved for another device", d.mac, lease.ACK.YourIPAddr)
	}
}

// release gives the lease back, as a device does that shuts down.
func (d *device) release() {
	d.t.Helper()
	c := d.client()
	defer c.Close()
	if err := c.Release(d.lease); err != nil {
		d.t.Fatalf("%s cannot release its lease: %v", d.mac, err)
	}
}

// client opens a socket at the clients' end. A socket stays in the network
// namespace it was opened in, so only the opening has to happen there.
func (d *device) client() *nclient4.Client {
	d.t.Helper()
	var c *nclient4.Client
	err := inside(filepath.Join("/run/netns", d.wire.namespace), func() (err error) {
		c, err = nclient4.New(d.wire.end, nclient4.WithHWAddr(d.mac), nclient4.WithTimeout(2*time.Second), nclient4.WithRetry(10))
		return err
	})
	if err != nil {
		d.t.Fatalf("cannot open a DHCP client's socket: %v", err)
	}
	return c
}

// inside calls f in a network namespace. The thread is brought back and not left
// to end with its goroutine: servers that it has started would end with it.
func inside(namespace string, f func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return fmt.Errorf("cannot open the thread's network namespace: %w", err)
	}
	defer home.Close()
	there, err := os.Open(filepath.Clean(namespace))
	if err != nil {
		return fmt.Errorf("cannot open the network namespace: %w", err)
	}
	defer there.Close()
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("cannot enter the network namespace: %w", err)
	}
	err = f()
	if back := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); back != nil {
		panic(fmt.Sprintf("cannot leave the network namespace: %v", back))
	}
	return err
}
