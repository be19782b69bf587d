package httpapi_test

import (
	"net/http"
	"net/netip"
	"net/url"
	"testing"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/httpapi"
)

func TestRefreshCookie(t *testing.T) {
	for name, c := range map[string]struct {
		edge   httpapi.Edge
		header map[string]string
		addr   string
		secure bool
	}{
		"http":                                 {},
		"https by the public URL":              {edge: httpapi.Edge{PublicURL: &url.URL{Scheme: "https", Host: "chat.example.com"}}, secure: true},
		"https to a trusted proxy":             {edge: httpapi.Edge{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}, header: map[string]string{"X-Forwarded-Proto": "https"}, addr: "10.1.1.1:5", secure: true},
		"https to a proxy that is not trusted": {header: map[string]string{"X-Forwarded-Proto": "https"}, addr: "10.1.1.1:5"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, serverConfig{edge: c.edge})
			p := s.nobody()
			p.addr = c.addr
			for name, value := range c.header {
				p.header.Set(name, value)
			}
			p.grant(p.do("POST", "/auth/register", `{"username":"alice","password":"correct horse battery"}`).expect(201))
			got := p.cookie
			if got == nil || !got.HttpOnly || got.SameSite != http.SameSiteLaxMode || got.Path != "/api/v1/auth" ||
				got.Secure != c.secure || got.MaxAge != 30*24*3600 || len(got.Value) != 43 || got.Domain != "" {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestRefreshRotatesTheCookie(t *testing.T) {
	s := newServer(t, serverConfig{})
	p := s.register("alice")
	first := p.cookie.Value
	p.token = ""
	p.grant(p.do("POST", "/auth/refresh", nil).expect(200))
	if p.cookie.Value == first || p.name != "alice" {
		t.Errorf("cookie %q, name %q", p.cookie.Value, p.name)
	}
	p.do("GET", "/users/me", nil).expect(200)

	s.nobody().do("POST", "/auth/refresh", nil).refused(401, chat.CodeUnauthorized)
	p.cookie.Value = "nonsense"
	a := p.do("POST", "/auth/refresh", nil)
	a.refused(401, chat.CodeSessionRevoked)
	if cookies := a.Result().Cookies(); len(cookies) != 1 || cookies[0].MaxAge >= 0 || cookies[0].Path != "/api/v1/auth" {
		t.Errorf("a cookie that is no good is not forgotten: %v", cookies)
	}
}

func TestRefreshAndLogoutNeedAnAllowedOriginOrNone(t *testing.T) {
	s := newServer(t, serverConfig{edge: httpapi.Edge{AllowedOrigins: []string{"https://app.example.com"}}})
	p := s.register("alice")
	for origin, allowed := range map[string]bool{
		"http://example.com":             true, // the request's host
		"https://app.example.com":        true,
		"https://evil.example.net":       false,
		"null":                           false,
		"":                               false, // a header without a value
		"https://app.example.com.evil":   false,
		"https://app.example.com/path":   false,
		"http://app.example.com":         false,
		"https://evil@app.example.com":   false,
		"http://example.com:81":          false,
		"file://":                        false,
		"javascript://example.com":       false,
		"https://app.example.com:443":    true,
		"HTTPS://APP.EXAMPLE.COM":        true,
		"http://example.com http://evil": false,
	} {
		t.Logf("Origin: %s", origin)
		p.header.Set("Origin", origin)
		p.cookie.Name = "gochat_refresh"
		if origin == "https://app.example.com" {
			p.cookie.Name = "gochat_refresh_foreign"
		}
		a := p.do("POST", "/auth/refresh", nil)
		if allowed {
			p.grant(a.expect(200))
			continue
		}
		a.refused(403, chat.CodeForbidden)
		p.do("POST", "/auth/logout", nil).refused(403, chat.CodeForbidden)
	}
	p.header = http.Header{"Origin": {"https://app.example.com", "https://evil.example.net"}}
	p.do("POST", "/auth/refresh", nil).refused(403, chat.CodeForbidden)
	p.header = http.Header{}
	p.cookie.Name = "gochat_refresh"
	p.do("POST", "/auth/refresh", nil).expect(200)
}

// A browser that has been to the server's own app and to the one on a CDN has a cookie of each, and neither ends the other.
func TestPagesOfOtherOriginsHaveACookieOfTheirOwn(t *testing.T) {
	const app = "https://app.example.com"
	for name, c := range map[string]struct {
		public      *url.URL
		site        http.SameSite
		partitioned bool
	}{
		"http":  {site: http.SameSiteLaxMode},
		"https": {public: &url.URL{Scheme: "https", Host: "chat.example.com"}, site: http.SameSiteNoneMode, partitioned: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, serverConfig{edge: httpapi.Edge{PublicURL: c.public, AllowedOrigins: []string{app}}})
			p := s.register("alice")
			own := p.cookie
			p.header.Set("Origin", app)
			p.cookie = nil
			p.grant(p.do("POST", "/auth/login", `{"username":"alice","password":"correct horse battery"}`).expect(200))
			foreign := p.cookie
			if foreign.Name != "gochat_refresh_foreign" || foreign.SameSite != c.site || foreign.Partitioned != c.partitioned ||
				foreign.Secure != c.partitioned || !foreign.HttpOnly || foreign.Path != "/api/v1/auth" {
				t.Errorf("got %+v", foreign)
			}
			both := func() { p.header.Set("Cookie", own.Name+"="+own.Value+"; "+p.cookie.Name+"="+p.cookie.Value) }
			for range 2 {
				both()
				p.grant(p.do("POST", "/auth/refresh", nil).expect(200))
			}
			both()
			a := p.do("POST", "/auth/logout", nil).expect(204)
			if gone := a.Result().Cookies()[0]; gone.Name != foreign.Name || gone.Partitioned != c.partitioned || gone.MaxAge >= 0 {
				t.Errorf("forgotten is %+v", gone)
			}
			p.header = http.Header{}
			p.cookie = own
			p.do("POST", "/auth/refresh", nil).expect(200)
		})
	}
}
