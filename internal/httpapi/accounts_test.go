package httpapi_test

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/time/rate"

	"github.com/gochat-dev/gochat/internal/auth"
	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/httpapi"
)

func TestRegisterAnswersAsTheContractSays(t *testing.T) {
	s := newServer(t, serverConfig{})
	a := s.nobody().do("POST", "/auth/register", `{"username":"alice","password":"correct horse battery","unknown":{"is":"ignored"}}`).expect(201)
	got := a.object()
	user := got["user"].(map[string]any)
	if user["id"] == "" || user["username"] != "alice" || user["display_name"] != "alice" || user["guest"] != false || user["admin"] != true {
		t.Errorf("user %v", user)
	}
	if got["token_type"] != "Bearer" || got["expires_in"] != 900.0 || got["access_token"] == "" {
		t.Errorf("%v", got)
	}
	if kind := a.Header().Get("Content-Type"); kind != "application/json" {
		t.Errorf("content type %q", kind)
	}
	p := s.nobody()
	p.do("POST", "/auth/register", `{"username":"alice","password":"correct horse battery"}`).refused(409, chat.CodeUsernameTaken)
}

func TestRegisterRefusals(t *testing.T) {
	s := newServer(t, serverConfig{})
	for name, c := range map[string]struct {
		body string
		code chat.Code
	}{
		"short name":        {`{"username":"al","password":"correct horse battery"}`, chat.CodeBadRequest},
		"long name":         {`{"username":"` + strings.Repeat("a", 33) + `","password":"correct horse battery"}`, chat.CodeTooLong},
		"empty name":        {`{"username":"","password":"correct horse battery"}`, chat.CodeEmpty},
		"capitals":          {`{"username":"Alice","password":"correct horse battery"}`, chat.CodeBadRequest},
		"a line behind it":  {`{"username":"alice\n","password":"correct horse battery"}`, chat.CodeBadRequest},
		"short password":    {`{"username":"alice","password":"123456789"}`, chat.CodeBadRequest},
		"no password":       {`{"username":"alice"}`, chat.CodeBadRequest},
		"NUL":               {`{"username":"alice","password":"correct\u0000horse"}`, chat.CodeBadRequest},
		"a number":          {`{"username":7,"password":"correct horse battery"}`, chat.CodeBadRequest},
		"blank":             {`{"username":"alice","password":"correct horse battery","display_name":"  "}`, chat.CodeEmpty},
		"long display name": {`{"username":"alice","password":"correct horse battery","display_name":"` + strings.Repeat("x", 81) + `"}`, chat.CodeTooLong},
	} {
		t.Run(name, func(t *testing.T) {
			p := s.nobody().do("POST", "/auth/register", c.body).refused(400, c.code)
			if strings.Contains(fmt.Sprint(p), "horse") {
				t.Errorf("the answer repeats the password: %+v", p)
			}
		})
	}
}

func TestPoliciesRefuse(t *testing.T) {
	s := newServer(t, serverConfig{registration: auth.Closed})
	s.nobody().do("POST", "/auth/register", `{"username":"alice","password":"correct horse battery"}`).refused(403, chat.CodeRegistrationClosed)
	s.nobody().do("POST", "/auth/guest", `{"display_name":"Guest"}`).refused(403, chat.CodeGuestsDisabled)
	s = newServer(t, serverConfig{registration: auth.Invite})
	s.nobody().do("POST", "/auth/register", `{"username":"alice","password":"correct horse battery"}`).refused(403, chat.CodeRegistrationClosed)
	s.nobody().do("POST", "/auth/register", `{"username":"alice","password":"correct horse battery","invite_code":"no"}`).refused(404, chat.CodeInviteInvalid)
}

func TestLogin(t *testing.T) {
	s := newServer(t, serverConfig{})
	s.register("alice")
	var answers []string
	for _, body := range []string{
		`{"username":"alice","password":"wrong horse battery"}`, `{"username":"nobody","password":"wrong horse battery"}`,
		`{"username":"alice","password":""}`, `{"username":"","password":"x"}`,
	} {
		a := s.nobody().do("POST", "/auth/login", body)
		a.refused(401, chat.CodeBadCredentials)
		answers = append(answers, a.Body.String())
	}
	if len(slices.Compact(answers)) != 1 {
		t.Errorf("answers differ: %q", answers)
	}
	p := s.nobody()
	p.grant(p.do("POST", "/auth/login", `{"username":"alice","password":"correct horse battery"}`).expect(200))
	if me := p.do("GET", "/users/me", nil).expect(200).object(); me["username"] != "alice" {
		t.Errorf("%v", me)
	}
}

func TestRateLimitsPerAddress(t *testing.T) {
	s := newServer(t, serverConfig{limit: rate.Every(time.Minute), burst: 2, edge: httpapi.Edge{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}})
	s.register("alice")
	s.register("bobby")
	p := s.nobody()
	a := p.do("POST", "/auth/register", `{"username":"carol","password":"correct horse battery"}`)
	if got := a.refused(429, chat.CodeRateLimited).RetryAfterMS; got <= 50_000 || got > 60_000 {
		t.Errorf("retry_after_ms %d", got)
	}
	if got := a.Header().Get("Retry-After"); got != "60" {
		t.Errorf("Retry-After %q", got)
	}
	wrong := `{"username":"alice","password":"wrong horse battery"}`
	for range 2 {
		p.do("POST", "/auth/login", wrong).refused(401, chat.CodeBadCredentials)
	}
	p.do("POST", "/auth/login", wrong).refused(429, chat.CodeRateLimited)
	p.header.Set("X-Forwarded-For", "203.0.113.9") // of nobody we trust
	p.do("POST", "/auth/login", wrong).refused(429, chat.CodeRateLimited)
	p.addr = "10.0.0.1:99"
	p.do("POST", "/auth/login", wrong).refused(401, chat.CodeBadCredentials)
}

func TestGuests(t *testing.T) {
	s := newServer(t, serverConfig{guests: true})
	alice := s.register("alice")
	private := alice.room("Private", chat.Private)
	public := alice.room("Public", chat.Public)
	code := alice.do("POST", "/rooms/"+private+"/invites", nil).expect(201).object()["code"].(string)
	g := s.nobody()
	a := g.do("POST", "/auth/guest", fmt.Sprintf(`{"display_name":"Güest","invite_code":%q}`, code)).expect(201)
	g.grant(a)
	if user := a.object()["user"].(map[string]any); user["guest"] != true || user["display_name"] != "Güest" || user["admin"] != false {
		t.Errorf("%v", user)
	}
	g.do("POST", "/rooms/"+public+"/join", nil).expect(200)
	g.do("POST", "/rooms/"+private+"/messages", `{"body":"hello"}`).expect(201)
	g.do("GET", "/rooms/"+private+"/messages", nil).expect(200)
	g.do("POST", "/rooms", `{"name":"Mine","visibility":"public"}`).refused(403, chat.CodeForbidden)
	g.do("POST", "/rooms/"+private+"/invites", nil).refused(403, chat.CodeForbidden)
	alice.do("PATCH", "/rooms/"+private+"/members/"+g.id, `{"role":"admin"}`).refused(403, chat.CodeForbidden)
	g.do("PUT", "/users/me/password", `{"current_password":"x","new_password":"correct horse battery"}`).refused(403, chat.CodeForbidden)
	s.nobody().do("POST", "/auth/guest", `{"display_name":""}`).refused(400, chat.CodeEmpty)
	s.nobody().do("POST", "/auth/guest", `{"display_name":"x","invite_code":"no"}`).refused(404, chat.CodeInviteInvalid)
}

func TestLogoutEndsTheSession(t *testing.T) {
	s := newServer(t, serverConfig{})
	p := s.register("alice")
	a := p.do("POST", "/auth/logout", nil).expect(204)
	if cookies := a.Result().Cookies(); len(cookies) != 1 || cookies[0].MaxAge >= 0 {
		t.Errorf("the cookie is not forgotten: %v", cookies)
	}
	if n := <-s.notices.told; n.Kind != chat.SessionRevoked || n.UserID != p.id {
		t.Errorf("sockets are not closed: %+v", n)
	}
	p.do("GET", "/users/me", nil).refused(401, chat.CodeSessionRevoked)
	p.do("POST", "/auth/refresh", nil).refused(401, chat.CodeSessionRevoked)
	p.do("POST", "/auth/logout", nil).expect(204)
	s.nobody().do("POST", "/auth/logout", nil).expect(204)
}

func TestAccessTokens(t *testing.T) {
	s := newServer(t, serverConfig{})
	p := s.register("alice")
	claims := jwt.MapClaims{"iss": "gochat", "sub": p.id, "sid": "s", "exp": time.Now().Add(time.Hour).Unix()}
	sign := func(method jwt.SigningMethod, key any, c jwt.MapClaims) string {
		token := jwt.NewWithClaims(method, c)
		token.Header["kid"] = "test"
		signed, err := token.SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return "Bearer " + signed
	}
	expired := jwt.MapClaims{"iss": "gochat", "sub": p.id, "sid": "s", "exp": time.Now().Add(-time.Second).Unix()}
	for name, header := range map[string]string{
		"none":          "",
		"no scheme":     p.token,
		"another":       "Basic " + base64.StdEncoding.EncodeToString([]byte("alice:"+password)),
		"expired":       sign(jwt.SigningMethodHS256, testKeys[0].Secret, expired),
		"the wrong key": sign(jwt.SigningMethodHS256, []byte("0123456789abcdef0123456789abcdef"), claims),
		"alg none":      sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, claims),
		"cut":           "Bearer " + p.token[:len(p.token)-3],
		"only Bearer":   "Bearer ",
	} {
		t.Run(name, func(t *testing.T) {
			n := s.nobody()
			if header != "" {
				n.header.Set("Authorization", header)
			}
			a := n.do("GET", "/users/me", nil)
			a.refused(401, chat.CodeUnauthorized)
			if got := a.Header().Get("WWW-Authenticate"); !strings.HasPrefix(got, "Bearer") {
				t.Errorf("WWW-Authenticate %q", got)
			}
		})
	}
	n := s.nobody()
	n.header.Set("Authorization", sign(jwt.SigningMethodHS256, testKeys[0].Secret, claims))
	n.do("GET", "/users/me", nil).refused(401, chat.CodeSessionRevoked) // signed well, but there is no such session
	n.header.Set("Authorization", "bearer  "+p.token)
	n.do("GET", "/users/me", nil).expect(200)
}

// Every operation but those named in the contract needs a token.
func TestWhatNeedsNoToken(t *testing.T) {
	s := newServer(t, serverConfig{})
	open := []string{
		"POST /auth/register", "POST /auth/login", "POST /auth/guest", "POST /auth/refresh", "POST /auth/logout", "GET /invites/{code}",
		"GET /instance",
	}
	for _, o := range s.operations() {
		a := s.nobody().do(o.method, strings.NewReplacer("{", "", "}", "").Replace(o.path), nil)
		if isOpen := slices.Contains(open, o.method+" "+o.path); isOpen {
			if strings.Contains(a.Body.String(), "access token") {
				t.Errorf("%s %s wants a token", o.method, o.path)
			}
			continue
		}
		a.refused(401, chat.CodeUnauthorized)
	}
}

func TestSessionsOfOneself(t *testing.T) {
	s := newServer(t, serverConfig{})
	p := s.nobody()
	p.header.Set("User-Agent", "Browser/1")
	p.grant(p.do("POST", "/auth/register", `{"username":"alice","password":"correct horse battery"}`).expect(201))
	for range 4 {
		s.nobody().do("POST", "/auth/login", `{"username":"alice","password":"correct horse battery"}`).expect(200)
	}
	all, next := p.do("GET", "/auth/sessions", nil).items()
	if len(all) != 5 || next != "" {
		t.Fatalf("%d sessions, next %q", len(all), next)
	}
	current, agents := 0, 0
	for _, o := range all {
		if o["current"] == true {
			current++
		}
		if o["user_agent"] == "Browser/1" {
			agents++
		}
		for _, name := range []string{"created_at", "last_seen_at"} {
			if _, err := time.Parse("2006-01-02T15:04:05.000Z", o[name].(string)); err != nil {
				t.Error(err)
			}
		}
	}
	if current != 1 || agents != 1 {
		t.Errorf("%d are current, %d are of this browser: %v", current, agents, all)
	}
	if ids := p.pages("/auth/sessions?limit=2"); len(ids) != 5 {
		t.Errorf("in pages of two: %q", ids)
	}
	p.do("GET", "/auth/sessions?cursor=nonsense", nil).refused(400, chat.CodeBadRequest)
	i := slices.IndexFunc(all, func(o map[string]any) bool { return o["current"] == false })
	gone := all[i]["id"].(string)
	p.do("DELETE", "/auth/sessions/"+gone, nil).expect(204)
	if n := <-s.notices.told; n.Kind != chat.SessionRevoked || n.Session != gone {
		t.Errorf("its sockets are not closed: %+v", n)
	}
	p.do("DELETE", "/auth/sessions/"+gone, nil).refused(404, chat.CodeNotFound)
	bob := s.register("bobby")
	theirs, _ := bob.do("GET", "/auth/sessions", nil).items()
	p.do("DELETE", "/auth/sessions/"+theirs[0]["id"].(string), nil).refused(404, chat.CodeNotFound)
}

// pages reads a collection page by page, and returns the ids in it, each of which must come once.
func (p *person) pages(path string) []string {
	p.s.t.Helper()
	var ids []string
	cursor := ""
	for range 100 {
		items, next := p.do("GET", path+"&cursor="+url.QueryEscape(cursor), nil).items()
		for _, item := range items {
			if user, ok := item["user"].(map[string]any); ok {
				item = user
			}
			id, ok := item["id"].(string)
			if !ok {
				id = item["code"].(string)
			}
			if slices.Contains(ids, id) {
				p.s.t.Errorf("%s: %s comes twice", path, id)
			}
			ids = append(ids, id)
		}
		if next == "" {
			return ids
		}
		cursor = next
	}
	p.s.t.Fatalf("%s has no end", path)
	return nil
}

func TestPasswordChange(t *testing.T) {
	s := newServer(t, serverConfig{})
	p := s.register("alice")
	other := s.nobody()
	other.grant(other.do("POST", "/auth/login", `{"username":"alice","password":"correct horse battery"}`).expect(200))
	p.do("PUT", "/users/me/password", `{"current_password":"wrong","new_password":"another long password"}`).refused(401, chat.CodeBadCredentials)
	p.do("PUT", "/users/me/password", `{"current_password":"correct horse battery","new_password":"short"}`).refused(400, chat.CodeBadRequest)
	p.do("PUT", "/users/me/password", `{"current_password":"correct horse battery","new_password":"another long password"}`).expect(204)
	other.do("GET", "/users/me", nil).refused(401, chat.CodeSessionRevoked)
	p.do("GET", "/users/me", nil).expect(200)
	s.nobody().do("POST", "/auth/login", `{"username":"alice","password":"another long password"}`).expect(200)
}
