package httpapi

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"regexp"
	"strings"
	"sync"
	"time"
)

const (
	indexFile  = "index.html"
	assetsDir  = "assets/" // of files with a hash of their content in the name
	minToGzip  = 1 << 10
	elsewhere  = "The web app is not served here. The API: /api/v1/docs\n"
	notBuilt   = "The web app is not built into this server.\n\nRun `make build` and start bin/server, or use the API: /api/v1/docs\n"
	cacheNever = "no-cache"
	cacheHour  = "public, max-age=3600"
	cacheEver  = "public, max-age=31536000, immutable"
)

// app serves the built web app: its files, and index.html for every other path, which the app's router reads.
type app struct {
	files  map[string]*file
	absent string // what is said where there is no app
}

// file is one file of the app. What is compressible is compressed once, when it is first asked for.
type file struct {
	body    []byte
	etag    string
	kind    string
	cache   string
	gzipped func() []byte // nil bytes where it is not worth it
}

// newApp reads the files. A nil fsys is an app that is served from elsewhere, an empty one an app that was not built.
func newApp(fsys fs.FS) (http.Handler, error) {
	if fsys == nil {
		return &app{absent: elsewhere}, nil
	}
	a := &app{files: make(map[string]*file), absent: notBuilt}
	if _, err := fs.Stat(fsys, indexFile); errors.Is(err, fs.ErrNotExist) {
		return a, nil
	}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), ".") {
			return err
		}
		body, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		a.files[name] = newFile(name, body)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the web app: %w", err)
	}
	return a, nil
}

// kinds are those that the system's tables may not know.
var kinds = map[string]string{
	".woff2": "font/woff2", ".webmanifest": "application/manifest+json", ".map": "application/json", ".ico": "image/x-icon",
	".js": "text/javascript; charset=utf-8", ".txt": "text/plain; charset=utf-8",
}

func newFile(name string, body []byte) *file {
	ext := path.Ext(name)
	kind := kinds[ext]
	if kind == "" {
		kind = mime.TypeByExtension(ext)
	}
	if kind == "" {
		kind = "application/octet-stream"
	}
	sum := sha256.Sum256(body)
	f := &file{body: body, kind: kind, cache: cacheHour, etag: base64.RawURLEncoding.EncodeToString(sum[:12])}
	switch {
	case strings.HasSuffix(name, ".html"), name == "config.json", name == "sw.js":
		f.cache = cacheNever
	case strings.HasPrefix(name, assetsDir):
		f.cache = cacheEver
	}
	f.gzipped = sync.OnceValue(f.gzip)
	return f
}

var compressible = regexp.MustCompile(`^(text/|application/(json|manifest\+json|javascript|wasm)|image/svg)`)

func (f *file) gzip() []byte {
	if len(f.body) < minToGzip || !compressible.MatchString(f.kind) {
		return nil
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err == nil {
		_, err = z.Write(f.body)
	}
	if err != nil || z.Close() != nil || b.Len() >= len(f.body) {
		return nil
	}
	return bytes.Clone(b.Bytes())
}

func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only GET", http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	f, ok := a.files[name]
	if !ok && strings.HasPrefix(name, assetsDir) {
		// An old page that asks for a file of the version before must not get HTML for it.
		http.Error(w, "there is no such file", http.StatusNotFound)
		return
	}
	if !ok {
		f, ok = a.files[indexFile]
	}
	if !ok {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, a.absent) // the client is gone: nothing to do
		return
	}
	f.serve(w, r)
}

func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Cache-Control", f.cache)
	h.Set("Content-Security-Policy", pagePolicy(r.Host))
	body, etag := f.body, f.etag
	if zipped := f.gzipped(); zipped != nil {
		h.Add("Vary", "Accept-Encoding")
		if acceptsGzip(r.Header.Get("Accept-Encoding")) {
			h.Set("Content-Encoding", "gzip")
			body, etag = zipped, etag+"-gzip"
		}
	}
	h.Set("ETag", `"`+etag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// acceptsGzip reads an Accept-Encoding header (RFC 9110, 12.5.3).
func acceptsGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		coding, params, _ := strings.Cut(part, ";")
		coding = strings.TrimSpace(coding)
		if strings.EqualFold(coding, "gzip") || coding == "*" {
			q := strings.ReplaceAll(params, " ", "")
			return !strings.HasPrefix(q, "q=0") || strings.Trim(q, "q=0.") != ""
		}
	}
	return false
}

var plainHost = regexp.MustCompile(`^[A-Za-z0-9.:\[\]-]+$`)

// pagePolicy is the Content-Security-Policy of the app: everything from its own host, nothing inline, and no text becomes
// HTML or a script's address (Trusted Types), but for the one of the service worker. 'self' means the WebSocket too, except
// to older browsers, for which it is named.
func pagePolicy(host string) string {
	connect := "'self'"
	if plainHost.MatchString(host) {
		connect += " ws://" + host + " wss://" + host
	}
	return "default-src 'self'; connect-src " + connect + "; img-src 'self' data:; style-src 'self'; " +
		"object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; " +
		"require-trusted-types-for 'script'; trusted-types gochat-worker"
}
