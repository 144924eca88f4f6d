// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

const (
	// DefaultTimeout is how long a command may take if Config does not set Timeout.
	DefaultTimeout = 10 * time.Second

	// idleTimeout is below the 30 s after which Kea closes an idle connection, so that as a rule
	// the client closes it first and no command meets a closed one.
	idleTimeout = 20 * time.Second

	// maxIdle connections are kept: Kea works on one command at a time, so more than a few bring
	// nothing.
	maxIdle = 4
)

// Config is how to reach one Kea server.
type Config struct {
	// URL of kea-dhcp4's HTTP control socket, or of a Control Agent in front of it: http or https.
	URL string
	// Proxy has commands sent through the proxy that the environment names (HTTPS_PROXY, NO_PROXY),
	// if it names one.
	Proxy bool
	// CheckAddress, if set, is called with each address that a connection is about to be made to,
	// by several goroutines at once: a *ForbiddenError refuses it, and is the command's. With a
	// proxy it is not called: the proxy looks the name up.
	CheckAddress func(netip.Addr) error
	// Username and Password for basic authentication, which is not sent if both are empty. A client
	// certificate in TLS is sent in addition: the ARM's example of an HTTPS socket asks for both.
	Username, Password string
	// TLS is used for https; nil is Go's default, the system's CAs.
	TLS *tls.Config
	// Transport sends the requests; nil makes one of the client's own, with what is above.
	Transport http.RoundTripper
	// Timeout of each command; 0 is DefaultTimeout.
	Timeout time.Duration
	// Admit, if set, is called before each command, which waits for it: that time is no part of
	// Timeout. The command is not sent where it returns an error, which is then the command's; else
	// the function that it returns is called with the outcome when the command has ended. It may be
	// called by several goroutines at once.
	Admit func(ctx context.Context) (done func(error), err error)
	// MayWrite, if set, is called before a command that changes something is sent, and again right
	// before it is written to the connection, see fence.Request. Kea does not get the command where it
	// returns an error, which is then the command's. It may be called by several goroutines at once.
	MayWrite func() error
	// Observe, if set, is called after each command with its name, how long it took until its
	// answer had come, and its outcome. ErrNotFound is an answer, not a failure of the server. It
	// may be called by several goroutines at once.
	Observe func(command string, took time.Duration, err error)
}

// Client sends commands to one Kea server. It may be used by several goroutines at once; Kea works
// on one command after the other, and serves no DHCP client meanwhile. Each method blocks until Kea
// has answered, the context has ended, or the timeout has passed.
type Client struct {
	url       string
	https     bool
	username  string
	password  string
	basicAuth bool
	timeout   time.Duration
	admit     func(ctx context.Context) (done func(error), err error)
	mayWrite  func() error
	observe   func(command string, took time.Duration, err error)
	http      *http.Client
	gaps      gaps
}

// NewClient returns a client; it does not contact the server. An error if the URL is neither http
// nor https, has no host, or holds credentials.
func NewClient(cfg Config) (*Client, error) {
	u, err := parseURL(cfg.URL)
	if err != nil {
		return nil, err
	}
	c := &Client{
		url:       u.String(),
		https:     u.Scheme == "https",
		username:  cfg.Username,
		password:  cfg.Password,
		basicAuth: cfg.Username != "" || cfg.Password != "",
		timeout:   cfg.Timeout,
		admit:     cfg.Admit,
		mayWrite:  cfg.MayWrite,
		observe:   cfg.Observe,
	}
	if c.timeout <= 0 {
		c.timeout = DefaultTimeout
	}
	if c.admit == nil {
		c.admit = func(context.Context) (func(error), error) { return func(error) {}, nil }
	}
	if c.mayWrite == nil {
		c.mayWrite = func() error { return nil }
	}
	if c.observe == nil {
		c.observe = func(string, time.Duration, error) {}
	}
	transport := cfg.Transport
	if transport == nil {
		transport = newTransport(cfg, u)
	}
	c.http = &http.Client{
		Transport: transport,
		// A redirect would carry a write to a server that is not configured.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c, nil
}

// Close closes idle connections. The client can still be used, and then opens new ones.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// parseURL returns no error that has the URL in it, since that can have a password in it.
func parseURL(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return nil, errors.New("cannot read the URL of the Kea server: it must look like https://kea.example.com:8000")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("cannot use the URL of the Kea server: it must start with http:// or https://")
	case u.Hostname() == "":
		return nil, fmt.Errorf("cannot use the URL of the Kea server: there is no host name after %s://", u.Scheme)
	case u.User != nil:
		return nil, errors.New("cannot use the URL of the Kea server: it has credentials in it, which belong in the username and password")
	}
	return u, nil
}

func newTransport(cfg Config, u *url.URL) *http.Transport {
	dialer := &net.Dialer{KeepAlive: idleTimeout}
	var proxy func(*http.Request) (*url.URL, error)
	if cfg.Proxy {
		proxy = http.ProxyFromEnvironment
	}
	if cfg.CheckAddress != nil && !usesProxy(proxy, u) {
		dialer.Control = dialControl(cfg.CheckAddress)
	}
	config := cfg.TLS
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	http1 := new(http.Protocols)
	http1.SetHTTP1(true) // Kea speaks nothing else.
	return &http.Transport{
		Proxy:               proxy,
		DialContext:         dialer.DialContext,
		TLSClientConfig:     config.Clone(),
		Protocols:           http1,
		IdleConnTimeout:     idleTimeout,
		MaxIdleConns:        maxIdle,
		MaxIdleConnsPerHost: maxIdle,
		// Kea never compresses, and an answer that grows on unpacking could not be bounded as
		// easily.
		DisableCompression: true,
	}
}

// usesProxy reports whether requests to a URL go through a proxy, or fail since the environment
// names one that is none.
func usesProxy(proxy func(*http.Request) (*url.URL, error), u *url.URL) bool {
	if proxy == nil {
		return false
	}
	p, err := proxy(&http.Request{URL: u})
	return p != nil || err != nil
}

// dialControl returns a function for net.Dialer.Control, which is called when the name has been
// looked up: an address that is checked before might not be the one that is used.
func dialControl(check func(netip.Addr) error) func(network, address string, c syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		a, err := netip.ParseAddrPort(address)
		if err != nil {
			return &ForbiddenError{Reason: "its address cannot be read"}
		}
		return check(a.Addr())
	}
}
