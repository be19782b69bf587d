package httpapi_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gochat-dev/gochat/internal/chat"
)

func TestProfile(t *testing.T) {
	s := newServer(t, serverConfig{})
	p := s.register("alice")
	if me := p.do("GET", "/users/me", nil).expect(200).object(); me["id"] != p.id || me["avatar_url"] != nil {
		t.Errorf("%v", me)
	}
	got := p.do("PATCH", "/users/me", `{"display_name":"Älice","avatar_url":"https://example.com/a.png"}`).expect(200).object()
	if got["display_name"] != "Älice" || got["avatar_url"] != "https://example.com/a.png" {
		t.Errorf("%v", got)
	}
	got = p.do("PATCH", "/users/me", `{"avatar_url":""}`).expect(200).object()
	if got["display_name"] != "Älice" || got["avatar_url"] != nil {
		t.Errorf("%v", got)
	}
	for _, body := range []string{`{}`, `{"display_name":null}`} { // null is the same as left out
		if got := p.do("PATCH", "/users/me", body).expect(200).object(); got["display_name"] != "Älice" {
			t.Errorf("%s: %v", body, got)
		}
	}
	for body, code := range map[string]chat.Code{
		`{"display_name":""}`:                                         chat.CodeEmpty,
		`{"display_name":" "}`:                                        chat.CodeEmpty,
		`{"display_name":"` + strings.Repeat("x", 81) + `"}`:          chat.CodeTooLong,
		`{"avatar_url":"http://example.com/a.png"}`:                   chat.CodeBadRequest,
		`{"avatar_url":"javascript:alert(1)"}`:                        chat.CodeBadRequest,
		`{"avatar_url":"https://"}`:                                   chat.CodeBadRequest,
		`{"avatar_url":"https://x/` + strings.Repeat("x", 500) + `"}`: chat.CodeTooLong,
	} {
		p.do("PATCH", "/users/me", body).refused(400, code)
	}
}

func TestUsersAreFoundByNameAndByID(t *testing.T) {
	s := newServer(t, serverConfig{})
	alice, bob := s.register("alice"), s.register("bobby")
	for i := range 5 {
		s.register(fmt.Sprintf("carol%d", i))
	}
	items, _ := alice.do("GET", "/users?query=BOB", nil).items()
	if len(items) != 1 || items[0]["id"] != bob.id {
		t.Errorf("%v", items)
	}
	if ids := alice.pages("/users?query=carol&limit=2"); len(ids) != 5 {
		t.Errorf("in pages of two: %q", ids)
	}
	items, next := alice.do("GET", "/users?ids="+bob.id+",nobody,"+alice.id+","+bob.id, nil).items()
	if len(items) != 2 || items[0]["id"] != bob.id || items[1]["id"] != alice.id || next != "" {
		t.Errorf("%v %q", items, next)
	}
	ids := slices.Repeat([]string{"x"}, 200)
	alice.do("GET", "/users?ids="+strings.Join(ids, ","), nil).expect(200)
	if items, _ := alice.do("GET", "/users?ids=", nil).items(); len(items) != 0 {
		t.Errorf("nobody was asked for, and %d came", len(items))
	}
	alice.do("GET", "/users?ids="+strings.Join(append(ids, "x"), ","), nil).refused(400, chat.CodeBadRequest)
	alice.do("GET", "/users?query="+strings.Repeat("x", 81), nil).refused(400, chat.CodeTooLong)
	alice.do("GET", "/users?query=a&cursor=nonsense", nil).refused(400, chat.CodeBadRequest)
	for _, limit := range []string{"0", "201", "-1", "x"} {
		alice.do("GET", "/users?query=a&limit="+limit, nil).refused(400, chat.CodeBadRequest)
	}
}
