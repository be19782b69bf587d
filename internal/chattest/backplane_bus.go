package chattest

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

var busTests = []backplaneTest{
	{"a node hears the rooms that it watches, and no others", testWatch},
	{"a node hears a room no more after Unwatch", testUnwatch},
	{"a notice without a room goes to every other node", testNodewide},
	{"a node does not hear itself", testNoEcho},
	{"one trip carries several notices, and heads with them", testManyNotices},
	{"every part of a notice comes through", testNoticeWhole},
	{"Listen ends with its context and can be called again", testListenAgain},
}

// patience is how long the suite waits for what must come.
const patience = 10 * time.Second

// ear is a Listener that keeps what it hears.
type ear struct {
	up      chan struct{}
	notices chan chat.Notice
}

func newEar() *ear {
	return &ear{up: make(chan struct{}, 1_000), notices: make(chan chat.Notice, 100_000)}
}

func (e *ear) Notice(n chat.Notice) { e.notices <- n }
func (e *ear) Up()                  { e.up <- struct{}{} }
func (e *ear) Down()                {}

func (e *ear) waitUp(t *testing.T) {
	t.Helper()
	select {
	case <-e.up:
	case <-time.After(patience):
		t.Fatal("Up was not called")
	}
}

// next is the next notice that comes.
func (e *ear) next(t *testing.T) chat.Notice {
	t.Helper()
	select {
	case n := <-e.notices:
		return n
	case <-time.After(patience):
		t.Fatal("no notice came")
		return chat.Notice{}
	}
}

// listen starts listening, waits until the subscription stands, and ends it with the test.
func listen(t *testing.T, b chat.Backplane) *ear {
	t.Helper()
	e, stop := startListening(t, b)
	t.Cleanup(stop)
	return e
}

func startListening(t *testing.T, b chat.Backplane) (*ear, func()) {
	t.Helper()
	e := newEar()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- b.Listen(ctx, e) }()
	e.waitUp(t)
	return e, func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Listen: %v", err)
		}
	}
}

func watch(t *testing.T, b chat.Backplane, room string) {
	t.Helper()
	if err := b.Watch(t.Context(), room); err != nil {
		t.Fatalf("Watch: %v", err)
	}
}

func publish(t *testing.T, b chat.Backplane, notices ...chat.Notice) {
	t.Helper()
	if err := b.Publish(t.Context(), notices, nil); err != nil {
		t.Fatalf("Publish: %v", err)
	}
}

func typing(room, user string) chat.Notice {
	return chat.Notice{RoomID: room, Typing: &chat.Typing{UserID: user, On: true}}
}

// everywhere is a notice to all nodes, by which the tests know that nothing else is to come.
func everywhere(user string) chat.Notice {
	return chat.Notice{User: &chat.UserNotice{UserID: user, Kind: chat.RoomsChanged}}
}

func sameNotice(t *testing.T, got, want chat.Notice) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("heard %s\nwant  %s", inWords(got), inWords(want))
	}
}

func inWords(n chat.Notice) string {
	b, err := json.Marshal(n)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func testWatch(t *testing.T, n nodes) {
	heard := listen(t, n.b)
	watch(t, n.b, "lobby")
	publish(t, n.a, typing("garden", "u1"))
	publish(t, n.a, typing("lobby", "u2"))
	sameNotice(t, heard.next(t), typing("lobby", "u2"))
	watch(t, n.b, "garden")
	publish(t, n.a, typing("garden", "u3"))
	sameNotice(t, heard.next(t), typing("garden", "u3"))
}

func testUnwatch(t *testing.T, n nodes) {
	heard := listen(t, n.b)
	watch(t, n.b, "lobby")
	watch(t, n.b, "garden")
	if err := n.b.Unwatch(t.Context(), "lobby"); err != nil {
		t.Fatalf("Unwatch: %v", err)
	}
	if err := n.b.Unwatch(t.Context(), "never watched"); err != nil {
		t.Fatalf("Unwatch: %v", err)
	}
	publish(t, n.a, typing("lobby", "u1"))
	publish(t, n.a, typing("garden", "u2"))
	sameNotice(t, heard.next(t), typing("garden", "u2"))
	watch(t, n.b, "lobby")
	publish(t, n.a, typing("lobby", "u3"))
	sameNotice(t, heard.next(t), typing("lobby", "u3"))
}

func testNodewide(t *testing.T, n nodes) {
	atA, atB := listen(t, n.a), listen(t, n.b)
	publish(t, n.a, everywhere("u1"))
	sameNotice(t, atB.next(t), everywhere("u1"))
	publish(t, n.b, everywhere("u2"))
	sameNotice(t, atA.next(t), everywhere("u2"))
}

func testNoEcho(t *testing.T, n nodes) {
	heard := listen(t, n.a)
	watch(t, n.a, "lobby")
	publish(t, n.a, typing("lobby", "u1"), everywhere("u1"))
	publish(t, n.b, typing("lobby", "u2"))
	sameNotice(t, heard.next(t), typing("lobby", "u2"))
	publish(t, n.b, everywhere("u2"))
	sameNotice(t, heard.next(t), everywhere("u2"))
}

func testManyNotices(t *testing.T, n nodes) {
	heard := listen(t, n.b)
	watch(t, n.b, "lobby")
	watch(t, n.b, "garden")
	var notices []chat.Notice
	want := map[string]bool{}
	for i := range 100 {
		notice := typing([]string{"lobby", "garden"}[i%2], fmt.Sprintf("u%d", i))
		notices = append(notices, notice)
		want[inWords(notice)] = true
	}
	heads := map[string]int64{"lobby": 50, "garden": 60}
	if err := n.a.Publish(t.Context(), notices, heads); err != nil {
		t.Fatalf("Publish: %v", err)
	}
	for range notices {
		delete(want, inWords(heard.next(t)))
	}
	if len(want) > 0 {
		t.Errorf("%d of %d did not come: %v", len(want), len(notices), want)
	}
	for room, head := range heads {
		if got := number(t, n.b, room); got <= head {
			t.Errorf("%s: the number after head %d is %d", room, head, got)
		}
	}
}

func testNoticeWhole(t *testing.T, n nodes) {
	heard := listen(t, n.b)
	watch(t, n.b, "lobby")
	at := time.Date(2026, 3, 14, 9, 26, 53, 589_000_000, time.UTC)
	for _, notice := range []chat.Notice{
		{RoomID: "lobby", Entry: &chat.Entry{
			RoomID: "lobby", Seq: 9_007_199_254_740_993, PrevSeq: 9_007_199_254_740_991, PrevID: "m1", MessageID: "m2",
			ClientID: "c1", SenderID: "u1", Kind: chat.KindText, Body: "<b>\"two\nlines\"\u2028 漢", At: at,
		}},
		{RoomID: "lobby", Entry: &chat.Entry{
			RoomID: "lobby", Seq: 1, MessageID: "m1", ClientID: "c1", SenderID: "u1", Kind: "confetti",
			Data: json.RawMessage(`{"colour":"blue","n":1.50}`), At: at,
		}},
		{RoomID: "lobby", Typing: &chat.Typing{UserID: "u1", On: true}},
		{RoomID: "lobby", Typing: &chat.Typing{UserID: "u1"}},
		{RoomID: "lobby", Read: &chat.Read{RoomID: "lobby", UserID: "u1", Seq: 12}},
		{RoomID: "lobby", Presence: &chat.PresenceChange{UserID: "u1", State: chat.Away}},
		{Presence: &chat.PresenceChange{UserID: "u1", State: chat.Offline}},
		{User: &chat.UserNotice{UserID: "u1", Kind: chat.SessionRevoked, Session: "s1"}},
		{User: &chat.UserNotice{UserID: "u1", Kind: chat.ProfileChanged, Profile: &chat.User{
			ID: "u1", Username: "one", DisplayName: "One", AvatarURL: "https://chat.example/1.png",
			Guest: true, Admin: true, CreatedAt: at,
		}}},
	} {
		publish(t, n.a, notice)
		sameNotice(t, heard.next(t), notice)
	}
}

func testListenAgain(t *testing.T, n nodes) {
	watch(t, n.b, "lobby")
	heard, stop := startListening(t, n.b)
	publish(t, n.a, typing("lobby", "u1"))
	sameNotice(t, heard.next(t), typing("lobby", "u1"))
	stop()
	heard = listen(t, n.b)
	publish(t, n.a, typing("lobby", "u2"))
	sameNotice(t, heard.next(t), typing("lobby", "u2"))
}
