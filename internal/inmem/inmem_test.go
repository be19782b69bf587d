package inmem_test

import (
	"fmt"
	"testing"

	"go.uber.org/goleak"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/chattest"
	"github.com/gochat-dev/gochat/internal/inmem"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestBackplane(t *testing.T) {
	chattest.TestBackplane(t, func(*testing.T) (a, b chat.Backplane) {
		network := inmem.NewNetwork()
		return network.Node("a"), network.Node("b")
	}, chattest.Bubble)
}

// recorder is a Listener that keeps what it hears, and calls after when it has heard something.
type recorder struct {
	notices []chat.Notice
	after   func()
}

func (r *recorder) Up()   {}
func (r *recorder) Down() {}
func (r *recorder) Notice(n chat.Notice) {
	r.notices = append(r.notices, n)
	r.after()
}

func typing(i int) chat.Notice {
	return chat.Notice{RoomID: "lobby", Typing: &chat.Typing{UserID: fmt.Sprint(i)}}
}

// TestQueueIsBounded: a node that does not listen loses notices; whoever publishes never waits for it, and what
// did fit is heard in order.
func TestQueueIsBounded(t *testing.T) {
	network := inmem.NewNetwork()
	loud, deaf := network.Node("loud"), network.Node("deaf")
	if err := deaf.Watch(t.Context(), "lobby"); err != nil {
		t.Fatal(err)
	}
	const sent = 5_000
	for i := range sent {
		if err := loud.Publish(t.Context(), []chat.Notice{typing(i)}, nil); err != nil {
			t.Fatal(err)
		}
	}
	// It hears what its queue held, and what it is sent from then on.
	heard := &recorder{}
	heard.after = func() {
		if last := heard.notices[len(heard.notices)-1]; last.User != nil {
			if err := deaf.Close(); err != nil {
				t.Error(err)
			}
			return
		}
		if len(heard.notices) == 1 {
			end := chat.Notice{User: &chat.UserNotice{UserID: "end"}}
			if err := loud.Publish(t.Context(), []chat.Notice{end}, nil); err != nil {
				t.Error(err)
			}
		}
	}
	if err := deaf.Listen(t.Context(), heard); err == nil {
		t.Error("Listen returned no error though the node was closed")
	}
	kept := heard.notices[:len(heard.notices)-1]
	if len(kept) == 0 || len(kept) >= sent {
		t.Fatalf("heard %d of %d", len(kept), sent)
	}
	for i, n := range kept {
		if n.Typing.UserID != fmt.Sprint(i) {
			t.Fatalf("notice %d is %s", i, n.Typing.UserID)
		}
	}
}

func TestForget(t *testing.T) {
	network := inmem.NewNetwork()
	a, b := network.Node("a"), network.Node("b")
	room := map[string]int{"lobby": 7}
	first, err := a.Number(t.Context(), room)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Beat(t.Context(), "a", map[string]chat.State{"u1": chat.Online}); err != nil {
		t.Fatal(err)
	}
	network.Forget()
	again, err := b.Number(t.Context(), room)
	if err != nil || again["lobby"] != first["lobby"] {
		t.Errorf("numbers start at %v (%v), want %v as at first", again, err, first)
	}
	if states, err := b.Here(t.Context()); err != nil || len(states) != 0 {
		t.Errorf("still here: %v (%v)", states, err)
	}
	if gone, err := b.Claim(t.Context()); err != nil || len(gone) != 0 {
		t.Errorf("to be claimed: %v (%v)", gone, err)
	}
}

func BenchmarkPublishAlone(b *testing.B) {
	node := inmem.NewNetwork().Node("only")
	notices := []chat.Notice{typing(1)}
	heads := map[string]int64{"lobby": 1}
	b.ReportAllocs()
	for b.Loop() {
		if err := node.Publish(b.Context(), notices, heads); err != nil {
			b.Fatal(err)
		}
	}
}
