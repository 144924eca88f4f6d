// SPDX-License-Identifier: Apache-2.0

package kea_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/vitistack/provider-kea/internal/kea"
)

func portOf(t *testing.T, port int) string {
	t.Helper()
	return strconv.Itoa(port)
}

// The texts for what a test cannot easily have happen, and that none of them holds what changes
// from try to try.
func TestReason(t *testing.T) {
	address := &net.TCPAddr{IP: net.IPv4(10, 1, 2, 3), Port: 54321}
	op := func(what string, err error) error {
		return &net.OpError{Op: what, Net: "tcp", Source: address, Addr: address, Err: err}
	}
	certificate := func(err error) error { return &tls.CertificateVerificationError{Err: err} }
	cases := map[string]struct {
		https bool
		err   error
		want  string
	}{
		"Proxy":       {false, op("proxyconnect", op("dial", syscall.ECONNREFUSED)), "proxy"},
		"NoSuchHost":  {false, op("dial", &net.DNSError{Err: "no such host", Name: "x", Server: "10.0.0.53:53", IsNotFound: true}), "not known to DNS"},
		"DNSDown":     {false, op("dial", &net.DNSError{Err: "timeout", Name: "x", Server: "10.0.0.53:53", IsTimeout: true}), "check DNS"},
		"UnknownCA":   {true, certificate(x509.UnknownAuthorityError{}), "unknown CA"},
		"Expired":     {true, certificate(x509.CertificateInvalidError{Reason: x509.Expired}), "expired"},
		"OtherName":   {true, certificate(x509.HostnameError{Certificate: &x509.Certificate{}, Host: "x"}), "another name"},
		"NoServer":    {true, certificate(x509.CertificateInvalidError{Reason: x509.IncompatibleUsage}), "does not verify"},
		"NoTLS":       {true, tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, "does not speak TLS"},
		"Wanted":      {true, op("remote error", errors.New("tls: certificate required")), "requires a client certificate"},
		"Alert":       {true, errors.New("remote error: tls: handshake failure"), "refuses our side"},
		"DialTimeout": {false, op("dial", os.ErrDeadlineExceeded), "firewall"},
		"Timeout":     {false, context.DeadlineExceeded, "no answer in time"},
		"Refused":     {false, op("dial", syscall.ECONNREFUSED), "connection refused"},
		"NoRoute":     {false, op("dial", syscall.EHOSTUNREACH), "no route"},
		"NoHTTP":      {false, errors.New(`net/http: HTTP/1.x transport connection broken: malformed HTTP response "SSH-2.0"`), "does not speak HTTP"},
		"Closed":      {false, io.EOF, "wants https"},
		"ClosedTLS":   {true, op("read", syscall.ECONNRESET), "client certificate"},
		"Idle":        {false, errors.New("http: server closed idle connection"), "closed before an answer"},
		"Other":       {false, errors.New("read 10.1.2.3:54321: something else"), "failed"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := kea.Reason(tc.https, fmt.Errorf("Post %q: %w", "http://10.1.2.3:8000", tc.err))
			if !strings.Contains(got, tc.want) || strings.Contains(got, "54321") || strings.Contains(got, ":53") || strings.Contains(got, "8000") {
				t.Errorf("got %q, want %q in it and no address", got, tc.want)
			}
		})
	}
}
