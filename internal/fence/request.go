// SPDX-License-Identifier: Apache-2.0

// Package fence keeps a process that may have been replaced from sending what its successor may have
// superseded.
package fence

import (
	"io"
	"net/http"
)

// Request returns a request that has its body only while may returns nil; the error of may is that of the
// request otherwise, of which nothing is carried out then. net/http reads a body as the last thing before it
// writes to the connection: whatever is checked before that may be long ago, as the process can be frozen
// at any point and go on as if no time had passed. A request without a body is returned as it is.
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

// fenced has no WriteTo, which would do without Read.
type fenced struct {
	body io.ReadCloser
	may  func() error
}

// Read implements io.Reader.
func (f *fenced) Read(p []byte) (int, error) {
	if err := f.may(); err != nil {
		return 0, err
	}
	return f.body.Read(p) //nolint:wrapcheck // io.EOF must stay what it is.
}

// Close implements io.Closer.
func (f *fenced) Close() error { return f.body.Close() } //nolint:wrapcheck // It is the body's own.
