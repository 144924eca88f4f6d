// SPDX-License-Identifier: Apache-2.0

package group

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// sameServerError reports that two servers of the configuration are one.
type sameServerError struct{ first string }

// Error names the other server and the remedy.
func (e *sameServerError) Error() string {
	return fmt.Sprintf("its url leads to the same kea-dhcp4 as that of server %s: set it to the url of another one, or remove it from spec.servers", e.first)
}

// identify records which running Kea the server is: another one of the group, or of another group, may
// be the same.
func (s *server) identify(ctx context.Context) error {
	instance, err := s.client().Instance(ctx)
	if err != nil {
		return err //nolint:wrapcheck // It names the command.
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.instance = instance
	return nil
}

// checkDistinct returns an error if a server before this one in the configuration is the same Kea: that
// one is used, and this one is not. Where a Kea does not say which one it is, nothing is known.
func (s *server) checkDistinct() error {
	own := s.currentInstance()
	if own == "" {
		return nil
	}
	for _, other := range s.group.before(s) {
		if other.currentInstance() == own {
			return &sameServerError{first: other.name}
		}
	}
	return nil
}

func (s *server) currentInstance() string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.instance
}

// before returns the servers before another one in the configuration.
func (g *Group) before(s *server) []*server {
	all := g.all()
	for i, other := range all {
		if other == s {
			return all[:i]
		}
	}
	return nil
}

// Shares reports whether a server of one group is known to be one of another: by its URL, or by
// what the running Kea says of itself.
func (g *Group) Shares(o *Group) bool {
	theirs := o.all()
	return slices.ContainsFunc(g.all(), func(s *server) bool {
		return slices.ContainsFunc(theirs, s.isSame)
	})
}

func (s *server) isSame(o *server) bool {
	if s.current.Load().endpoint == o.current.Load().endpoint {
		return true
	}
	own := s.currentInstance()
	return own != "" && own == o.currentInstance()
}

// endpointOf returns what a URL leads to: host, port and path. The scheme makes no other server of
// it.
func endpointOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return text
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[strings.ToLower(u.Scheme)]
	}
	return strings.ToLower(u.Hostname()) + ":" + port + strings.TrimRight(u.Path, "/")
}
