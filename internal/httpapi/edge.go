package httpapi

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// Edge knows what lies between the server and its clients: proxies, origins, the public name. The zero value
// is a server that is reached directly, by pages of its own host.
type Edge struct {
	PublicURL      *url.URL       // scheme and host; nil: as in the request
	AllowedOrigins []string       // scheme://host[:port] in lower case, besides the server's own host
	TrustedProxies []netip.Prefix // whose X-Forwarded-* count
}

// ClientAddr is the address of the client: the peer's, or, where that is a trusted proxy, the last address in
// X-Forwarded-For that is none.
func (e *Edge) ClientAddr(r *http.Request) netip.Addr {
	addr := peer(r)
	if !e.trusts(addr) {
		return addr
	}
	return lastUntrusted(addr, r.Header.Values("X-Forwarded-For"), e.trusts)
}

func peer(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{} // a listener that is not TCP
	}
	return ap.Addr().Unmap()
}

func (e *Edge) trusts(addr netip.Addr) bool {
	return slices.ContainsFunc(e.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// lastUntrusted walks back through the hops that the header names, as long as each is known to tell the truth.
func lastUntrusted(addr netip.Addr, header []string, trusted func(netip.Addr) bool) netip.Addr {
	hops := strings.Split(strings.Join(header, ","), ",")
	for _, hop := range slices.Backward(hops) {
		next, ok := parseHop(hop)
		if !ok {
			return addr
		}
		addr = next
		if !trusted(addr) {
			return addr
		}
	}
	return addr
}

// parseHop reads an address, which some proxies write with a port.
func parseHop(hop string) (netip.Addr, bool) {
	hop = strings.TrimSpace(hop)
	if addr, err := netip.ParseAddr(strings.Trim(hop, "[]")); err == nil {
		return addr.Unmap().WithZone(""), true
	}
	if ap, err := netip.ParseAddrPort(hop); err == nil {
		return ap.Addr().Unmap().WithZone(""), true
	}
	return netip.Addr{}, false
}

// HTTPS reports whether the client speaks TLS, to the server or to a trusted proxy.
func (e *Edge) HTTPS(r *http.Request) bool {
	if e.PublicURL != nil {
		return e.PublicURL.Scheme == "https"
	}
	if r.TLS != nil {
		return true
	}
	proto, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Proto"), ",")
	return strings.EqualFold(strings.TrimSpace(proto), "https") && e.trusts(peer(r))
}

// BaseURL is where people reach the server, without a slash at the end.
func (e *Edge) BaseURL(r *http.Request) string {
	switch {
	case e.PublicURL != nil:
		return e.PublicURL.Scheme + "://" + e.PublicURL.Host
	case e.HTTPS(r):
		return "https://" + r.Host
	default:
		return "http://" + r.Host
	}
}

// Foreign reports whether a request comes from a page of another origin that may use the API: the web app on a CDN.
func (e *Edge) Foreign(r *http.Request) bool {
	return slices.Contains(e.AllowedOrigins, r.Header.Get("Origin"))
}

// OriginAllowed reports whether a request may be answered to the page that sent it: there is no Origin, it is
// the server's own host, or one of the allowed ones.
func (e *Edge) OriginAllowed(r *http.Request) bool {
	origins := r.Header.Values("Origin")
	if len(origins) == 0 {
		return true
	}
	u, err := url.Parse(origins[0])
	if err != nil || len(origins) > 1 || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || u.Path != "" {
		return false
	}
	host := withoutPort(u.Scheme, u.Host)
	if host == withoutPort(u.Scheme, r.Host) {
		return true
	}
	origin := u.Scheme + "://" + host
	if e.PublicURL != nil && origin == e.PublicURL.Scheme+"://"+withoutPort(e.PublicURL.Scheme, e.PublicURL.Host) {
		return true
	}
	return slices.Contains(e.AllowedOrigins, origin)
}

// withoutPort is a host in lower case, without the port where that is the scheme's own.
func withoutPort(scheme, host string) string {
	host = strings.ToLower(host)
	_, port, err := net.SplitHostPort(host)
	if err == nil && ((scheme == "http" && port == "80") || (scheme == "https" && port == "443")) {
		return strings.TrimSuffix(host, ":"+port)
	}
	return host
}

// BearerToken is the access token that a request carries: as Authorization: Bearer, or, from a browser that
// opens a WebSocket, as a second offered subprotocol gochat.bearer.<token>. Empty where there is none.
func BearerToken(r *http.Request) string {
	if token, ok := bearerHeader(r.Header.Get("Authorization")); ok {
		return token
	}
	for _, header := range r.Header.Values("Sec-WebSocket-Protocol") {
		for offered := range strings.SplitSeq(header, ",") {
			if token, ok := strings.CutPrefix(strings.TrimSpace(offered), bearerPrefix); ok && token != "" {
				return token
			}
		}
	}
	return ""
}

// bearerHeader reads an Authorization header (RFC 6750, 2.1). The scheme's name is the same in any case.
func bearerHeader(header string) (string, bool) {
	scheme, token, found := strings.Cut(header, " ")
	token = strings.TrimSpace(token)
	if !found || !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", false
	}
	return token, true
}
