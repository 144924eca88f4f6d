// SPDX-License-Identifier: Apache-2.0

package chaos

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"
)

// A link is a TCP connection between two programs that can be cut, so that nothing passes and
// neither side learns of it, or broken, so that each side sees a reset.
type link struct {
	listener net.Listener
	to       string

	mu     sync.Mutex    // guards what follows
	open   chan struct{} // closed while data passes
	broken bool
	conns  map[net.Conn]bool
}

// newLink makes a link that leads to an address.
func newLink(t testing.TB, to string) *link {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	out := &link{listener: l, to: to, open: make(chan struct{}), conns: map[net.Conn]bool{}}
	close(out.open)
	var serving sync.WaitGroup
	serving.Go(out.serve)
	t.Cleanup(func() {
		_ = l.Close()
		out.mend()  // Those that wait go on,
		out.reset() // and end.
		serving.Wait()
	})
	return out
}

// address is where the link is reached.
func (l *link) address() string { return l.listener.Addr().String() }

// cut has nothing pass. What is on its way arrives when the link is mended.
func (l *link) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.open:
		l.open = make(chan struct{})
	default: // It is cut.
	}
}

// sever resets all connections, and each new one.
func (l *link) sever() {
	l.mu.Lock()
	l.broken = true
	l.mu.Unlock()
	l.reset()
}

// mend ends what cut or sever began.
func (l *link) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken = false
	select {
	case <-l.open:
	default:
		close(l.open)
	}
}

func (l *link) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // A reset, and no orderly end.
		}
		_ = c.Close()
	}
	clear(l.conns)
}

func (l *link) serve() {
	var passing sync.WaitGroup
	defer passing.Wait()
	for {
		from, err := l.listener.Accept()
		if err != nil {
			return // The test is over.
		}
		passing.Go(func() { l.pass(from) })
	}
}

// pass connects the two sides until one of them ends.
func (l *link) pass(from net.Conn) {
	defer l.drop(from)
	if !l.add(from) {
		return
	}
	l.wait()
	to, err := net.Dial("tcp", l.to)
	if err != nil {
		return
	}
	defer l.drop(to)
	if !l.add(to) {
		return
	}
	var back sync.WaitGroup
	back.Go(func() { l.copy(from, to) })
	l.copy(to, from)
	back.Wait()
}

// copy passes what comes from one side on, and then the end of it.
func (l *link) copy(to, from net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		ended := errors.Is(err, io.EOF)
		l.wait()
		if _, failed := to.Write(buffer[:n]); failed != nil || err != nil && !ended {
			_, _ = to.Close(), from.Close()
			return
		}
		if ended {
			if tcp, ok := to.(*net.TCPConn); ok {
				_ = tcp.CloseWrite()
			}
			return
		}
	}
}

// wait returns when data may pass.
func (l *link) wait() {
	l.mu.Lock()
	open := l.open
	l.mu.Unlock()
	<-open
}

// add adds a connection, and reports whether the link is not broken.
func (l *link) add(c net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns[c] = true
	return !l.broken
}

// drop closes a connection.
func (l *link) drop(c net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, c)
	_ = c.Close()
}
