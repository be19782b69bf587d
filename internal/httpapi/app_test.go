package httpapi_test

import (
	"compress/gzip"
	"io"
	"strings"
	"testing"
	"testing/fstest"
)

var builtApp = fstest.MapFS{
	"index.html":            {Data: []byte("<!doctype html><title>GoChat</title>")},
	"favicon.svg":           {Data: []byte("<svg/>")},
	".gitkeep":              {Data: []byte("x")},
	"assets/app-B2f.js":     {Data: []byte("console.log('" + strings.Repeat("hello ", 1000) + "')")},
	"assets/small.css":      {Data: []byte("a{}")},
	"assets/font-1.woff2":   {Data: []byte(strings.Repeat("w", 5000))},
	"assets/deep/down/x.js": {Data: []byte("x")},
	"manifest.webmanifest":  {Data: []byte("{}")},
	"config.json":           {Data: []byte("{}")},
	"sw.js":                 {Data: []byte("x")},
}

func TestFilesOfTheApp(t *testing.T) {
	s := newServer(t, serverConfig{app: builtApp})
	const html, never, ever, hour = "text/html; charset=utf-8", "no-cache", "public, max-age=31536000, immutable", "public, max-age=3600"
	for path, c := range map[string]struct {
		status            int
		kind, cache, body string
	}{
		"/":                      {200, html, never, "<!doctype html>"},
		"/index.html":            {200, html, never, "<!doctype html>"},
		"/invite/abc":            {200, html, never, "<!doctype html>"},
		"/rooms/1/deep":          {200, html, never, "<!doctype html>"},
		"/metrics":               {200, html, never, "<!doctype html>"}, // of the admin port only
		"/debug/pprof/":          {200, html, never, "<!doctype html>"},
		"/.gitkeep":              {200, html, never, "<!doctype html>"},
		"/favicon.svg":           {200, "image/svg+xml", hour, "<svg/>"},
		"/manifest.webmanifest":  {200, "application/manifest+json", hour, "{}"},
		"/config.json":           {200, "application/json", never, "{}"},
		"/sw.js":                 {200, "text/javascript; charset=utf-8", never, "x"},
		"/assets/app-B2f.js":     {200, "text/javascript; charset=utf-8", ever, "console.log"},
		"/assets/deep/down/x.js": {200, "text/javascript; charset=utf-8", ever, "x"},
		"/assets/small.css":      {200, "text/css; charset=utf-8", ever, "a{}"},
		"/assets/font-1.woff2":   {200, "font/woff2", ever, "www"},
		"/assets/app-OLD.js":     {404, "text/plain; charset=utf-8", "", "no such file"},
	} {
		t.Run(path, func(t *testing.T) {
			a := s.nobody().send(s.api.Public(), "GET", path, nil).expect(c.status)
			if got := a.Header().Get("Content-Type"); got != c.kind {
				t.Errorf("content type %q", got)
			}
			if got := a.Header().Get("Cache-Control"); got != c.cache {
				t.Errorf("cache control %q", got)
			}
			if !strings.HasPrefix(a.Body.String(), c.body) && !strings.Contains(a.Body.String(), c.body) {
				t.Errorf("body %q", a.Body)
			}
		})
	}
	s.nobody().send(s.api.Public(), "POST", "/", "x").expect(405)
	if a := s.nobody().send(s.api.Public(), "HEAD", "/", nil).expect(200); a.Body.Len() != 0 {
		t.Errorf("HEAD has a body")
	}
}

func TestPolicyOfTheApp(t *testing.T) {
	s := newServer(t, serverConfig{app: builtApp})
	p := s.nobody()
	a := p.send(s.api.Public(), "GET", "/", nil)
	want := "default-src 'self'; connect-src 'self' ws://example.com wss://example.com; img-src 'self' data:; style-src 'self'; " +
		"object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; " +
		"require-trusted-types-for 'script'; trusted-types gochat-worker"
	if got := a.Header().Get("Content-Security-Policy"); got != want {
		t.Errorf("got %s", got)
	}
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "X-Frame-Options": "DENY", "Cross-Origin-Opener-Policy": "same-origin",
	} {
		if got := a.Header().Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	p.header.Set("Host", "evil;script-src *")
	if got := p.send(s.api.Public(), "GET", "/", nil).Header().Get("Content-Security-Policy"); strings.Contains(got, "script-src") {
		t.Errorf("the host can change the policy: %s", got)
	}
}

func TestFilesAreCompressedAndKept(t *testing.T) {
	s := newServer(t, serverConfig{app: builtApp})
	p := s.nobody()
	const path = "/assets/app-B2f.js"
	plain := p.send(s.api.Public(), "GET", path, nil).expect(200)
	p.header.Set("Accept-Encoding", "br, gzip")
	zipped := p.send(s.api.Public(), "GET", path, nil).expect(200)
	if zipped.Header().Get("Content-Encoding") != "gzip" || zipped.Header().Get("Vary") != "Accept-Encoding" || zipped.Body.Len() > plain.Body.Len()/10 {
		t.Fatalf("%v, %d bytes", zipped.Header(), zipped.Body.Len())
	}
	z, err := gzip.NewReader(zipped.Body)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(z)
	if err != nil || string(body) != plain.Body.String() {
		t.Errorf("unpacked it is something else (%v)", err)
	}
	etag := zipped.Header().Get("ETag")
	if etag == "" || etag == plain.Header().Get("ETag") {
		t.Errorf("ETag %s, plain %s", etag, plain.Header().Get("ETag"))
	}
	p.header.Set("If-None-Match", etag)
	p.send(s.api.Public(), "GET", path, nil).expect(304)
	p.header.Del("If-None-Match")
	for _, path := range []string{"/assets/small.css", "/assets/font-1.woff2"} { // too small, compressed already
		if got := p.send(s.api.Public(), "GET", path, nil).Header().Get("Content-Encoding"); got != "" {
			t.Errorf("%s: %s", path, got)
		}
	}
}

func TestAnAppThatIsNotThere(t *testing.T) {
	for want, cfg := range map[string]serverConfig{"not served here": {}, "make build": {app: fstest.MapFS{".gitkeep": {}}}} {
		t.Run(want, func(t *testing.T) {
			s := newServer(t, cfg)
			a := s.nobody().send(s.api.Public(), "GET", "/", nil).expect(404)
			if !strings.Contains(a.Body.String(), want) || a.Header().Get("Content-Type") != "text/plain; charset=utf-8" {
				t.Errorf("%v %s", a.Header(), a.Body)
			}
			s.nobody().do("GET", "/openapi.json", nil).expect(200)
		})
	}
}
