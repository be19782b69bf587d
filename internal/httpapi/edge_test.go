package httpapi_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/gochat-dev/gochat/internal/httpapi"
)

func prefixes(all ...string) []netip.Prefix {
	out := make([]netip.Prefix, 0, len(all))
	for _, p := range all {
		out = append(out, netip.MustParsePrefix(p))
	}
	return out
}

func TestClientAddr(t *testing.T) {
	edge := httpapi.Edge{TrustedProxies: prefixes("10.0.0.0/8", "fd00::/8")}
	for name, c := range map[string]struct {
		peer    string
		forward []string
		want    string
	}{
		"direct":                        {"192.0.2.1:1", nil, "192.0.2.1"},
		"direct, IPv6":                  {"[2001:db8::1]:1", nil, "2001:db8::1"},
		"IPv4 in IPv6":                  {"[::ffff:192.0.2.1]:1", nil, "192.0.2.1"},
		"a header of a stranger":        {"192.0.2.1:1", []string{"203.0.113.5"}, "192.0.2.1"},
		"one proxy":                     {"10.0.0.1:1", []string{"203.0.113.5"}, "203.0.113.5"},
		"the client made up one before": {"10.0.0.1:1", []string{"1.1.1.1, 203.0.113.5"}, "203.0.113.5"},
		"two proxies":                   {"10.0.0.1:1", []string{"1.1.1.1, 203.0.113.5, 10.9.9.9"}, "203.0.113.5"},
		"a header per proxy":            {"10.0.0.1:1", []string{"203.0.113.5", "10.9.9.9"}, "203.0.113.5"},
		"within":                        {"10.0.0.1:1", []string{"10.2.2.2, 10.3.3.3"}, "10.2.2.2"},
		"no header":                     {"10.0.0.1:1", nil, "10.0.0.1"},
		"nonsense":                      {"10.0.0.1:1", []string{"unknown"}, "10.0.0.1"},
		"nonsense before":               {"10.0.0.1:1", []string{"evil, 203.0.113.5"}, "203.0.113.5"},
		"nonsense between":              {"10.0.0.1:1", []string{"203.0.113.5, evil, 10.9.9.9"}, "10.9.9.9"},
		"with ports":                    {"10.0.0.1:1", []string{"203.0.113.5:4711, [fd00::1]:99"}, "203.0.113.5"},
		"IPv6 in brackets":              {"[fd00::2]:1", []string{"[2001:db8::7]"}, "2001:db8::7"},
		"not TCP":                       {"@", nil, "invalid IP"},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr = c.peer
			r.Header["X-Forwarded-For"] = c.forward
			if got := edge.ClientAddr(r).String(); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// Whatever the header says: the client is an address in it that is not trusted, or, where there is none to be
// read, a trusted one. What stands left of an address that is not trusted never counts.
func FuzzClientAddr(f *testing.F) {
	for _, seed := range []string{"203.0.113.5", "1.1.1.1, 203.0.113.5, 10.9.9.9", "[::1]:5, x", ",,", "10.0.0.1%eth0", "::ffff:10.0.0.1"} {
		f.Add(seed, "198.51.100.1")
	}
	edge := httpapi.Edge{TrustedProxies: prefixes("10.0.0.0/8")}
	f.Fuzz(func(t *testing.T, header, forged string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = "10.0.0.1:1"
		r.Header.Set("X-Forwarded-For", header)
		got := edge.ClientAddr(r)
		if !got.IsValid() || got.Is4In6() || got.Zone() != "" {
			t.Fatalf("%q: %v", header, got)
		}
		if edge.TrustedProxies[0].Contains(got) {
			return
		}
		if strings.Contains(forged, ",") {
			return
		}
		r.Header.Set("X-Forwarded-For", forged+","+header)
		if again := edge.ClientAddr(r); again != got {
			t.Errorf("%q before %q changes %v to %v", forged, header, got, again)
		}
	})
}

func TestOriginAllowed(t *testing.T) {
	edge := httpapi.Edge{
		PublicURL: &url.URL{Scheme: "https", Host: "chat.example.com"}, AllowedOrigins: []string{"https://app.example.com", "http://localhost:5173"},
	}
	for _, c := range []struct {
		origin, host string
		want         bool
	}{
		{"https://chat.example.com", "backend:8080", true}, // a proxy that does not keep the host
		{"http://chat.example.com", "backend:8080", false},
		{"https://app.example.com", "backend:8080", true},
		{"http://localhost:5173", "backend:8080", true},
		{"http://localhost:5174", "backend:8080", false},
		{"http://backend:8080", "backend:8080", true},
		{"http://backend", "backend:8080", false},
		{"http://backend", "backend:80", true},
		{"https://backend:443", "backend", true},
		{"https://[::1]:8080", "[::1]:8080", true},
		{"https://BACKEND", "backend", true},
		{"https://sub.backend", "backend", false},
		{"ws://backend", "backend", false},
		{"null", "backend", false},
		{"https://", "", false},
		{"://", "backend", false},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = c.host
		r.Header.Set("Origin", c.origin)
		if got := edge.OriginAllowed(r); got != c.want {
			t.Errorf("%s at %s: %v", c.origin, c.host, got)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	if !edge.OriginAllowed(r) {
		t.Error("a program without an Origin is refused")
	}
}

func TestBaseURL(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	var edge httpapi.Edge
	if got := edge.BaseURL(r); got != "http://example.com" {
		t.Error(got)
	}
	r.TLS = &tls.ConnectionState{}
	if got := edge.BaseURL(r); got != "https://example.com" {
		t.Error(got)
	}
	edge.PublicURL = &url.URL{Scheme: "https", Host: "chat.example.com:8443"}
	if got := edge.BaseURL(r); got != "https://chat.example.com:8443" {
		t.Error(got)
	}
}

func TestBearerToken(t *testing.T) {
	for _, c := range []struct{ authorization, protocols, want string }{
		{"", "", ""},
		{"Bearer abc", "", "abc"},
		{"bearer abc", "", "abc"},
		{"BEARER  abc ", "", "abc"},
		{"Bearer", "", ""},
		{"Bearer ", "", ""},
		{"Basic abc", "", ""},
		{"", "gochat.v1, gochat.bearer.abc", "abc"},
		{"", "gochat.bearer.abc,gochat.v1", "abc"},
		{"", "gochat.v1", ""},
		{"", "gochat.bearer.", ""},
		{"Bearer abc", "gochat.bearer.xyz", "abc"},
		{"Basic abc", "gochat.bearer.xyz", "xyz"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		if c.authorization != "" {
			r.Header.Set("Authorization", c.authorization)
		}
		if c.protocols != "" {
			r.Header.Set("Sec-WebSocket-Protocol", c.protocols)
		}
		if got := httpapi.BearerToken(r); got != c.want {
			t.Errorf("%q, %q: got %q, want %q", c.authorization, c.protocols, got, c.want)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/?access_token=abc&token=abc", nil)
	if got := httpapi.BearerToken(r); got != "" {
		t.Errorf("a token in the URL counts: %q", got)
	}
}

func FuzzBearerToken(f *testing.F) {
	f.Add("Bearer abc", "gochat.v1, gochat.bearer.abc")
	f.Add("", "gochat.bearer.a,b")
	f.Fuzz(func(t *testing.T, authorization, protocols string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Authorization", authorization)
		r.Header.Set("Sec-WebSocket-Protocol", protocols)
		token := httpapi.BearerToken(r)
		if token != strings.TrimSpace(token) || (token != "" && !strings.Contains(authorization, token) && !strings.Contains(protocols, token)) {
			t.Errorf("%q, %q: got %q", authorization, protocols, token)
		}
	})
}
