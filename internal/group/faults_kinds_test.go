// SPDX-License-Identifier: Apache-2.0

package group_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/vitistack/provider-kea/internal/kea/keatest"
)

// outageTime is how long a fault lasts that does: longer than it takes to find a server to be down.
const outageTime = 45 * time.Second

// fault is something that goes wrong with one command, or with a server from that command on.
type fault struct {
	name, what string
	// lasts is how long all commands of the server meet the fault; 0 means that only the one does.
	lasts time.Duration
	// database means that it happens to servers with a database only.
	database bool
	// begin happens to Kea just before the command, and end when the fault has lasted; nil for nothing.
	begin, end func(*keatest.Server)
	// answer answers a command that meets the fault; nil means as Kea does.
	answer func(*met) (*http.Response, error)
}

var faults = []fault{
	{name: "refused", what: "the connection is refused", answer: refused},
	{name: "down", what: "connections are refused for 45 s", lasts: outageTime, answer: refused},
	{name: "hang", what: "there is no answer, and the command is not executed", answer: func(m *met) (*http.Response, error) {
		<-m.request.Context().Done()
		return nil, m.request.Context().Err()
	}},
	{name: "stopped", what: "Kea stops for 45 s (SIGSTOP), and then executes what it was sent meanwhile", lasts: outageTime, answer: stopped, end: resume},
	{name: "answer lost", what: "the command is executed, and the connection breaks", answer: func(m *met) (*http.Response, error) {
		_, _ = m.pass()
		return nil, io.EOF
	}},
	{name: "401", what: "the credentials are refused", answer: status(http.StatusUnauthorized)},
	{name: "401 for a time", what: "the credentials are refused for 45 s", lasts: outageTime, answer: status(http.StatusUnauthorized)},
	{name: "403", what: "the command is forbidden", answer: status(http.StatusForbidden)},
	{name: "500", what: "HTTP 500", answer: status(http.StatusInternalServerError)},
	{name: "500 for a time", what: "HTTP 500 for 45 s", lasts: outageTime, answer: status(http.StatusInternalServerError)},
	{name: "cut JSON", what: "the command is executed, and half of the answer arrives", answer: func(m *met) (*http.Response, error) {
		resp, err := m.pass()
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(resp.Body)
		return m.reply(http.StatusOK, string(body[:len(body)/2])), err
	}},
	{name: "wrong JSON", what: "something else answers, in JSON", answer: text(`{"message": "welcome"}`)},
	{name: "result 1", what: "Kea refuses the command", answer: text(`[{"result": 1, "text": "out of memory"}]`)},
	{name: "result 1 to writes", what: "Kea refuses for 45 s whatever would write, as a database on a standby does", lasts: outageTime, answer: func(m *met) (*http.Response, error) {
		if !m.writes() {
			return m.pass()
		}
		return m.reply(http.StatusOK, `[{"result": 1, "text": "cannot execute DELETE in a read-only transaction"}]`), nil
	}},
	{name: "result 2", what: "Kea does not know the command", answer: text(`[{"result": 2, "text": "'it' command not supported."}]`)},
	{name: "result 3", what: "Kea says that there is nothing", answer: text(`[{"result": 3, "text": "0 IPv4 host(s) found."}]`)},
	{name: "result 5", what: "Kea has a fatal error", answer: text(`[{"result": 5, "text": "fatal"}]`)},
	{name: "restart", what: "Kea restarts just before the command: what is in its memory alone is lost", begin: (*keatest.Server).Restart},
	{name: "crash", what: "Kea executes the command and restarts before it answers", answer: func(m *met) (*http.Response, error) {
		_, _ = m.pass()
		m.at.kea.Restart()
		return nil, io.EOF
	}},
	{name: "reload", what: "config-reload just before the command", begin: (*keatest.Server).Reload},
	{name: "database lost", what: "Kea loses its database for 45 s and goes on (serve-retry-continue)", lasts: outageTime, database: true, begin: (*keatest.Server).LoseDatabase, end: (*keatest.Server).RestoreDatabase},
	{name: "read-only", what: "a reload makes the database read-only, and another one 45 s later writable", lasts: outageTime, database: true, begin: readOnly(true), end: readOnly(false)},
	{name: "provider killed", what: "Kea executes the command, and the provider is killed before the answer, and started again", answer: func(m *met) (*http.Response, error) {
		_, _ = m.pass()
		m.at.w.killed.Store(true)
		m.at.w.kill()
		return nil, context.Canceled
	}},
}

func readOnly(is bool) func(*keatest.Server) {
	return func(s *keatest.Server) { s.Configure(func(o *keatest.Options) { o.DatabaseReadOnly = is }) }
}

func refused(*met) (*http.Response, error) { return nil, io.EOF }

func status(code int) func(*met) (*http.Response, error) {
	return func(m *met) (*http.Response, error) {
		return m.reply(code, fmt.Sprintf(`{"result": %d, "text": "%s"}`, code, http.StatusText(code))), nil
	}
}

func text(body string) func(*met) (*http.Response, error) {
	return func(m *met) (*http.Response, error) { return m.reply(http.StatusOK, body), nil }
}

// met is a command that meets a fault.
type met struct {
	at      *pipe
	command string
	body    []byte
	request *http.Request
	by      *injection
}

// pass has Kea execute the command.
func (m *met) pass() (*http.Response, error) { return m.at.kea.RoundTrip(m.request) }

func (m *met) reply(code int, body string) *http.Response {
	return &http.Response{StatusCode: code, Body: io.NopCloser(strings.NewReader(body)), Request: m.request}
}

func (m *met) writes() bool { return isWrite(m.command) }

func isWrite(command string) bool {
	return command == "reservation-add" || command == "reservation-update" || command == "reservation-del"
}

// stopped has a command wait until Kea goes on, whether its client does or not.
func stopped(m *met) (*http.Response, error) {
	answered := make(chan *http.Response, 1)
	late := m.request.Clone(context.Background())
	late.Body = io.NopCloser(bytes.NewReader(m.body))
	m.by.mu.Lock()
	m.by.queue = append(m.by.queue, func() {
		resp, err := m.at.kea.RoundTrip(late) //nolint:bodyclose // The client does, if it still waits.
		if err == nil {
			answered <- resp
		}
	})
	m.by.mu.Unlock()
	select {
	case <-m.request.Context().Done():
		return nil, m.request.Context().Err()
	case resp := <-answered:
		return resp, nil
	}
}

// resume marks that what is queued is to be executed; injection does it.
func resume(*keatest.Server) {}

// place is a command of a run: the n-th of its name that a server gets.
type place struct {
	server  int
	command string
	nth     int
}

// injection has a fault meet the command at a place. Without a fault it counts commands.
type injection struct {
	fault *fault
	at    place

	mu     sync.Mutex // guards what follows
	counts map[place]int
	met    bool
	until  time.Time
	queue  []func()
	// counting is set while faults begin. total counts the commands of each server since then.
	counting bool
	total    map[int]int
	// stray are commands that would write a reservation of others.
	stray []string
}

func newInjection(f *fault, at place) *injection {
	return &injection{fault: f, at: at, counts: map[place]int{}, total: map[int]int{}}
}

// roundTrip passes a command to Kea, unless the fault meets it.
func (i *injection) roundTrip(p *pipe, command string, body []byte, r *http.Request) (*http.Response, error) {
	m := &met{at: p, command: command, body: body, request: r, by: i}
	first, meets := i.arrives(m)
	if first {
		i.begin(p)
	}
	if !meets || i.fault.answer == nil {
		return m.pass()
	}
	return i.fault.answer(m)
}

// arrives counts a command, and reports whether it is the first that meets the fault, and whether it
// meets it at all.
func (i *injection) arrives(m *met) (first, meets bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.total[m.at.n]++
	if isWrite(m.command) && !bytes.Contains(m.body, []byte("02:00:00:01:00:")) && !bytes.Contains(m.body, []byte(probe)) {
		i.stray = append(i.stray, string(m.body))
	}
	if i.counting {
		i.counts[place{m.at.n, m.command, 0}]++
	}
	if i.fault == nil || i.at.server != m.at.n {
		return false, false
	}
	first = !i.met && i.counting && i.at.command == m.command && i.at.nth == i.counts[place{m.at.n, m.command, 0}]
	if first {
		i.met, i.until = true, time.Now().Add(i.fault.lasts)
	}
	return first, first || time.Now().Before(i.until)
}

// probe is the identifier of a host that does not exist, which the provider deletes to see whether
// there is a database.
const probe = "63726f7373706c616e652d70726f76696465722d6b6561"

// begin has the fault happen to Kea, and ends it when it has lasted.
func (i *injection) begin(p *pipe) {
	if i.fault.begin != nil {
		i.fault.begin(p.kea)
	}
	if i.fault.end == nil {
		return
	}
	time.AfterFunc(i.fault.lasts, func() {
		i.fault.end(p.kea)
		i.mu.Lock()
		queue := i.queue
		i.queue = nil
		i.mu.Unlock()
		for _, execute := range queue {
			execute()
		}
	})
}

// count begins the time in which commands are counted, and faults begin, or ends it.
func (i *injection) count(on bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.counting = on
	if on {
		clear(i.total)
	}
}

// commandOf returns the name of a command.
func commandOf(body []byte) (string, error) {
	var c struct {
		Name string `json:"command"`
	}
	err := json.Unmarshal(body, &c)
	return c.Name, err
}

// over reports whether the fault has ended, and time has passed since.
func (i *injection) over() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return time.Now().After(i.until)
}
