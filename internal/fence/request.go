// SPDX-License-Identifier: Apache-2.0

// Package fence keeps a process that may have been replaced from sending what its successor may have
// superseded.
package fence

import (
	"io"
	"net/http"
)

// Request returns a copy of r whose body can be read only while may returns nil. If may returns an error, the
// request fails with it, and the server gets no complete request. A check before RoundTrip is too early: the
// process can be frozen at any point after it. net/http reads the body right before it writes it to the
// connection. may is called for each part of the body. A request without a body is returned as it is.
func Request(r *http.Request, may func() error) *http.Request {
	if r.Body == nil || r.Body == http.NoBody {
		return r
	}
	out := r.WithContext(r.Context()) // A copy: the caller's is not to be changed.
	out.Body = &fenced{body: r.Body, may: may}
	if r.GetBody != nil { // for a second try
		out.GetBody = func() (io.ReadCloser, error) {
			again, err := r.GetBody()
			return &fenced{body: again, may: may}, err
		}
	}
	return out
}

// fenced has no WriteTo, which would bypass Read.
type fenced struct {
	body io.ReadCloser
	may  func() error
}

// Read implements io.Reader. It asks after it has read, as the end of the body is read when all of it has
// been sent.
func (f *fenced) Read(p []byte) (int, error) {
	n, err := f.body.Read(p)
	if n > 0 {
		if held := f.may(); held != nil {
			return 0, held
		}
	}
	return n, err //nolint:wrapcheck // io.EOF must stay what it is.
}

// Close implements io.Closer.
func (f *fenced) Close() error { return f.body.Close() } //nolint:wrapcheck // It is the body's own.
