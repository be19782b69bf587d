package httpapi_test

import (
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/httpapi"
)

func TestMembersWithPresence(t *testing.T) {
	s := newServer(t, serverConfig{})
	alice := s.register("alice")
	id := alice.room("Room", chat.Public)
	people := make([]*person, 9)
	for i := range people {
		people[i] = s.register(fmt.Sprintf("user-%d", i))
		people[i].do("POST", "/rooms/"+id+"/join", nil).expect(200)
	}
	s.here[people[2].id], s.here[people[8].id] = chat.Online, chat.Away
	items, _ := alice.do("GET", "/rooms/"+id+"/members", nil).items()
	if len(items) != 10 {
		t.Fatalf("%d members", len(items))
	}
	if items[0]["role"] != "owner" || items[0]["presence"] != "offline" {
		t.Errorf("first %v", items[0])
	}
	if _, err := time.Parse("2006-01-02T15:04:05.000Z", items[0]["joined_at"].(string)); err != nil {
		t.Error(err)
	}
	if ids := alice.pages("/rooms/" + id + "/members?limit=3"); len(ids) != 10 {
		t.Errorf("in pages of three: %q", ids)
	}
	for _, limit := range []string{"1", "2", "50"} {
		ids := alice.pages("/rooms/" + id + "/members?presence=online&limit=" + limit)
		if len(ids) != 2 || ids[0] != people[2].id || ids[1] != people[8].id {
			t.Errorf("who is here, in pages of %s: %q", limit, ids)
		}
	}
	for _, p := range people[3:] {
		s.here[p.id] = chat.Online
	}
	items, next := alice.do("GET", "/rooms/"+id+"/members?presence=online&limit=4", nil).items()
	if len(items) > 4 || next == "" {
		t.Errorf("a page of four has %d, next %q", len(items), next)
	}
	if ids := alice.pages("/rooms/" + id + "/members?presence=online&limit=4"); len(ids) != 7 {
		t.Errorf("in pages of four: %q", ids)
	}
	alice.do("GET", "/rooms/"+id+"/members?presence=offline", nil).refused(400, chat.CodeBadRequest)
	alice.do("GET", "/rooms/"+id+"/members?cursor=x", nil).refused(400, chat.CodeBadRequest)
}

func TestRemovalAndRoles(t *testing.T) {
	s := newServer(t, serverConfig{})
	alice, bob := s.register("alice"), s.register("bobby")
	id := alice.room("Room", chat.Public)
	bob.do("POST", "/rooms/"+id+"/join", nil).expect(200)
	for _, body := range []string{`{"role":"king"}`, `{}`, `{"role":""}`} {
		alice.do("PATCH", "/rooms/"+id+"/members/"+bob.id, body).refused(400, chat.CodeBadRequest)
	}
	head := func() float64 {
		t.Helper()
		return alice.do("GET", "/rooms/"+id, nil).expect(200).object()["head_seq"].(float64)
	}
	before := head()
	alice.do("PATCH", "/rooms/"+id+"/members/"+bob.id, `{"role":"member"}`).expect(200)
	if head() != before {
		t.Error("a role that one has already is an entry")
	}
	alice.do("DELETE", "/rooms/"+id+"/members/"+bob.id, nil).expect(204)
	items := alice.do("GET", "/rooms/"+id+"/messages?limit=1", nil).expect(200).object()["items"].([]any)
	data := items[0].(map[string]any)["data"].(map[string]any)
	if data["user_id"] != bob.id || data["by"] != alice.id {
		t.Errorf("the entry of the removal: %v", data)
	}
	alice.do("DELETE", "/rooms/"+id+"/members/"+bob.id, nil).refused(404, chat.CodeNotFound)
	bob.do("POST", "/rooms/"+id+"/join", nil).expect(200)
	bob.do("DELETE", "/rooms/"+id+"/members/"+bob.id, nil).expect(204) // removing oneself is leaving
}

func TestInvites(t *testing.T) {
	s := newServer(t, serverConfig{edge: httpapi.Edge{PublicURL: &url.URL{Scheme: "https", Host: "chat.example.com"}}})
	alice, bob := s.register("alice"), s.register("bobby")
	id := alice.room("Röom", chat.Private)
	bob.do("POST", "/rooms/"+id+"/join", nil).refused(403, chat.CodeInviteRequired)
	bob.do("GET", "/rooms/"+id, nil).refused(404, chat.CodeNotFound)

	invite := alice.do("POST", "/rooms/"+id+"/invites", `{"max_uses":1}`).expect(201).object()
	code := invite["code"].(string)
	if invite["url"] != "https://chat.example.com/invite/"+code || invite["max_uses"] != 1.0 || invite["uses"] != 0.0 || len(code) < 20 {
		t.Errorf("%v", invite)
	}
	expires, err := time.Parse("2006-01-02T15:04:05.000Z", invite["expires_at"].(string))
	if left := time.Until(expires); err != nil || left < 7*24*time.Hour-time.Minute || left > 7*24*time.Hour {
		t.Errorf("the default is 7 days, this one has %v (%v)", left, err)
	}
	preview := s.nobody().do("GET", "/invites/"+code, nil).expect(200).object()
	room, by := preview["room"].(map[string]any), preview["invited_by"].(map[string]any)
	if room["name"] != "Röom" || room["member_count"] != 1.0 || room["topic"] != "" || by["username"] != "alice" {
		t.Errorf("%v", preview)
	}
	if got := bob.do("POST", "/invites/"+code+"/accept", nil).expect(200).object(); got["id"] != id || got["role"] != "member" {
		t.Errorf("%v", got)
	}
	for _, bad := range []string{code, "unknown", "%20"} { // used up, unknown
		s.nobody().do("GET", "/invites/"+bad, nil).refused(404, chat.CodeInviteInvalid)
		s.register("user-"+fmt.Sprint(len(bad))).do("POST", "/invites/"+bad+"/accept", nil).refused(404, chat.CodeInviteInvalid)
	}
}

func TestInviteLivesAndEnds(t *testing.T) {
	s := newServer(t, serverConfig{})
	alice := s.register("alice")
	id := alice.room("Room", chat.Private)
	other := alice.room("Other", chat.Private)
	never := alice.do("POST", "/rooms/"+id+"/invites", `{"expires_in_s":null,"max_uses":null}`).expect(201).object()
	if v, there := never["expires_at"]; v != nil || !there {
		t.Errorf("expires_at %v", v)
	}
	if v, there := never["max_uses"]; v != nil || !there {
		t.Errorf("max_uses %v", v)
	}
	if got := never["url"]; got != "http://example.com/invite/"+never["code"].(string) {
		t.Errorf("without a public URL it is the request's: %v", got)
	}
	hour := alice.do("POST", "/rooms/"+id+"/invites", `{"expires_in_s":3600}`).expect(201).object()
	if expires, err := time.Parse(time.RFC3339, hour["expires_at"].(string)); err != nil || time.Until(expires) > time.Hour {
		t.Errorf("%v", hour)
	}
	for _, body := range []string{`{"expires_in_s":0}`, `{"expires_in_s":-1}`, `{"expires_in_s":1.5}`, `{"expires_in_s":"1"}`, `{"expires_in_s":1e12}`, `{"max_uses":0}`, `{"max_uses":-1}`} {
		alice.do("POST", "/rooms/"+id+"/invites", body).refused(400, chat.CodeBadRequest)
	}
	alice.do("POST", "/rooms/"+id+"/invites", `{}`).expect(201)
	if codes := alice.pages("/rooms/" + id + "/invites?limit=2"); len(codes) != 3 {
		t.Errorf("in pages of two: %q", codes)
	}
	code := hour["code"].(string)
	alice.do("DELETE", "/rooms/"+other+"/invites/"+code, nil).refused(404, chat.CodeInviteInvalid)
	alice.do("DELETE", "/rooms/"+id+"/invites/"+code, nil).expect(204)
	alice.do("DELETE", "/rooms/"+id+"/invites/"+code, nil).refused(404, chat.CodeInviteInvalid)
	s.nobody().do("GET", "/invites/"+code, nil).refused(404, chat.CodeInviteInvalid)
	if items, _ := alice.do("GET", "/rooms/"+id+"/invites", nil).items(); len(items) != 2 {
		t.Errorf("a revoked one is listed: %v", items)
	}
	alice.do("POST", "/invites/"+never["code"].(string)+"/accept", nil).expect(200) // being in it already
}
