package httpapi_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/time/rate"

	"github.com/gochat-dev/gochat/internal/chat"
)

func TestMessageIsSent(t *testing.T) {
	s := newServer(t, serverConfig{})
	p := s.register("alice")
	id := p.room("Room", chat.Private)
	client := uuid.NewString()
	body := fmt.Sprintf(`{"client_id":%q,"body":"häl\n<lo> & 😀"}`, client)
	first := p.do("POST", "/rooms/"+id+"/messages", body).expect(201).object()
	if first["room_id"] != id || first["seq"] != 2.0 || first["message_id"] == "" {
		t.Errorf("%v", first)
	}
	if _, err := time.Parse("2006-01-02T15:04:05.000Z", first["at"].(string)); err != nil {
		t.Error(err)
	}
	t.Run("[SEQ2] a resend over REST returns the first number and adds nothing", func(t *testing.T) {
		again := p.do("POST", "/rooms/"+id+"/messages", body).expect(201).object()
		if fmt.Sprint(again) != fmt.Sprint(first) {
			t.Errorf("first %v, again %v", first, again)
		}
		if head := p.do("GET", "/rooms/"+id, nil).expect(200).object()["head_seq"]; head != 2.0 {
			t.Errorf("the head is %v", head)
		}
	})
	got := p.do("GET", "/rooms/"+id+"/messages?limit=1", nil).expect(200).object()
	entry := got["items"].([]any)[0].(map[string]any)
	if entry["body"] != "häl\n<lo> & 😀" || entry["client_id"] != client || entry["kind"] != "text" || entry["sender_id"] != p.id {
		t.Errorf("%v", entry)
	}
	if _, there := entry["prev_seq"]; there {
		t.Errorf("prev_seq is sent where it is seq - 1: %v", entry)
	}
	if users := got["users"].([]any); len(users) != 1 || users[0].(map[string]any)["id"] != p.id {
		t.Errorf("users %v", users)
	}
}

func TestMessageRefusals(t *testing.T) {
	s := newServer(t, serverConfig{})
	p := s.register("alice")
	id := p.room("Room", chat.Private)
	for body, code := range map[string]chat.Code{
		`{}`:                                chat.CodeBadRequest,
		`{"body":""}`:                       chat.CodeEmpty,
		`{"body":" \n "}`:                   chat.CodeEmpty,
		`{"body":"a\u0000b"}`:               chat.CodeBadRequest,
		`{"body":"x","client_id":"7"}`:      chat.CodeBadRequest,
		`{"body":"x","client_id":7}`:        chat.CodeBadRequest,
		`{"body":"x","client_id":"\u0000"}`: chat.CodeBadRequest,
		`{"body":"` + strings.Repeat("😀", chat.MaxBody+1) + `"}`: chat.CodeTooLong,
		"{\"body\":\"\xff\"}": chat.CodeBadRequest,
	} {
		p.do("POST", "/rooms/"+id+"/messages", body).refused(400, code)
	}
	p.do("POST", "/rooms/"+id+"/messages", `{"body":"`+strings.Repeat("😀", chat.MaxBody)+`"}`).expect(201)
	p.do("POST", "/rooms/"+id+"/messages", `{"body":"`+strings.Repeat(`\ud83d\ude00`, chat.MaxBody)+`"}`).expect(201)
}

func TestSendRate(t *testing.T) {
	s := newServer(t, serverConfig{sendRate: rate.Every(time.Hour)})
	p := s.register("alice")
	id := p.room("Room", chat.Private)
	for range 3 {
		p.do("POST", "/rooms/"+id+"/messages", `{"body":"x"}`).expect(201)
	}
	a := p.do("POST", "/rooms/"+id+"/messages", `{"body":"x"}`)
	if a.refused(429, chat.CodeRateLimited).RetryAfterMS == 0 || a.Header().Get("Retry-After") == "" {
		t.Errorf("there is no advice: %s", a.Body)
	}
}

func TestHistory(t *testing.T) {
	s := newServer(t, serverConfig{})
	p := s.register("alice")
	id := p.room("Room", chat.Private)
	for i := 2; i <= 10; i++ {
		p.do("POST", "/rooms/"+id+"/messages", fmt.Sprintf(`{"body":"%d"}`, i)).expect(201)
	}
	for query, want := range map[string]string{
		"":                       "[1 2 3 4 5 6 7 8 9 10] false",
		"limit=3":                "[8 9 10] true",
		"before_seq=5&limit=2":   "[3 4] true",
		"before_seq=3":           "[1 2] false",
		"before_seq=1":           "[] false",
		"after_seq=8":            "[9 10] false",
		"after_seq=3&limit=2":    "[4 5] true",
		"after_seq=0&limit=2":    "[1 2] true",
		"after_seq=10":           "[] false",
		"around_seq=5&limit=4":   "[3 4 5 6] true",
		"around_seq=10&limit=3":  "[8 9 10] true",
		"around_seq=1&limit=200": "[1 2 3 4 5 6 7 8 9 10] false",
	} {
		t.Run(query, func(t *testing.T) {
			got := p.do("GET", "/rooms/"+id+"/messages?"+query, nil).expect(200).object()
			seqs := []float64{}
			for _, item := range got["items"].([]any) {
				seqs = append(seqs, item.(map[string]any)["seq"].(float64))
			}
			if s := fmt.Sprint(seqs, got["has_more"]); s != want {
				t.Errorf("got %s, want %s", s, want)
			}
		})
	}
	for _, query := range []string{
		"limit=0", "limit=201", "before_seq=0", "before_seq=x", "after_seq=-1", "around_seq=0", "before_seq=3&after_seq=1", "after_seq=0&around_seq=1",
		"after_seq=99999999999999999999",
	} {
		p.do("GET", "/rooms/"+id+"/messages?"+query, nil).refused(400, chat.CodeBadRequest)
	}
}

func TestReadPosition(t *testing.T) {
	s := newServer(t, serverConfig{})
	alice, bob := s.register("alice"), s.register("bobby")
	id := alice.room("Room", chat.Public)
	bob.do("POST", "/rooms/"+id+"/join", nil).expect(200)
	for range 3 {
		alice.do("POST", "/rooms/"+id+"/messages", `{"body":"x"}`).expect(201)
	}
	bob.do("POST", "/rooms/"+id+"/read", `{"seq":4}`).expect(204)
	// It is seen at once, saved or not (SIG2).
	rooms := []map[string]any{bob.do("GET", "/rooms/"+id, nil).expect(200).object()}
	for _, path := range []string{"/rooms", "/rooms/public"} {
		items, _ := bob.do("GET", path, nil).expect(200).items()
		rooms = append(rooms, items...)
	}
	for _, r := range rooms {
		if r["last_read_seq"] != 4.0 || r["unread_count"] != 1.0 {
			t.Errorf("read up to %v with %v unread", r["last_read_seq"], r["unread_count"])
		}
	}
	if len(rooms) != 3 {
		t.Errorf("%d rooms, want the one three times", len(rooms))
	}
	for _, body := range []string{`{"seq":-1}`, `{"seq":1.5}`, `{"seq":"1"}`, `{}`} {
		bob.do("POST", "/rooms/"+id+"/read", body).refused(400, chat.CodeBadRequest)
	}
}
