// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
)

// reason returns one stable sentence on why there was no answer, and what to do. Errors of net/http
// have ports and ephemeral addresses in them, so nothing of them goes into the text.
func (c *Client) reason(err error) string {
	for _, find := range []func(error) string{
		proxyReason, dnsReason, certificateReason, tlsReason, timeoutReason, c.connectionReason,
	} {
		if r := find(err); r != "" {
			return r
		}
	}
	return "the connection failed"
}

func proxyReason(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "proxyconnect" {
		return "the proxy named in the environment fails: correct HTTPS_PROXY, or name the server in NO_PROXY"
	}
	return ""
}

func dnsReason(err error) string {
	var dns *net.DNSError
	switch {
	case !errors.As(err, &dns):
		return ""
	case dns.IsNotFound:
		return "its host name is not known to DNS: check the URL"
	default:
		return "the lookup of its host name fails: check DNS"
	}
}

func certificateReason(err error) string {
	var (
		verification *tls.CertificateVerificationError
		unknown      x509.UnknownAuthorityError
		name         x509.HostnameError
		invalid      x509.CertificateInvalidError
	)
	switch {
	case !errors.As(err, &verification):
		return ""
	case errors.As(err, &unknown):
		return "its certificate is signed by an unknown CA: set the CA that signed it"
	case errors.As(err, &name):
		return "its certificate is for another name than the URL has: use a name in the certificate, or set the server name to one"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "its certificate has expired or is not valid yet"
	default:
		return "its certificate does not verify"
	}
}

// tlsReason knows what Go has no exported types for: alerts of the other side, and HTTP instead of
// TLS.
func tlsReason(err error) string {
	var header tls.RecordHeaderError
	text := err.Error()
	switch {
	case strings.Contains(text, "server gave HTTP response to HTTPS client"):
		return "it answers plain HTTP on a URL with https: start the URL with http://, or turn on TLS in Kea"
	case errors.As(err, &header):
		return "its port does not speak TLS: start the URL with http://, or turn on TLS in Kea"
	case strings.Contains(text, "tls: certificate required"):
		return "it requires a client certificate: set one"
	case strings.Contains(text, "remote error: tls: "):
		return "it refuses our side of TLS: check the client certificate and the CA that Kea trusts"
	default:
		return ""
	}
}

func timeoutReason(err error) string {
	var op *net.OpError
	var timeout net.Error
	switch {
	case !errors.Is(err, context.DeadlineExceeded) && (!errors.As(err, &timeout) || !timeout.Timeout()):
		return ""
	case errors.As(err, &op) && op.Op == "dial":
		return "no connection in time: check the URL, and whether a firewall is in between"
	default:
		return "no answer in time: kea-dhcp4 hangs or is overloaded"
	}
}

func (c *Client) connectionReason(err error) string {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused: kea-dhcp4 is not running, or its control socket is on another address or port"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "no route to it: check the URL and the network"
	case strings.Contains(err.Error(), "malformed HTTP"):
		return "what answers there does not speak HTTP: check the port in the URL"
	case !isClosed(err):
		return ""
	case c.https:
		return "the connection was closed before an answer: kea-dhcp4 stopped, or it does not accept our client certificate"
	default:
		return "the connection was closed before an answer: kea-dhcp4 stopped, or its port wants https"
	}
}

// isClosed reports whether the other side ended the connection. net/http has no type for one of the
// ways to put it.
func isClosed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		strings.Contains(err.Error(), "server closed idle connection")
}
