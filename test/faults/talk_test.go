package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
)

// talk has people do what they do, until s.quiet is called.
func (s *set) talk() {
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	s.quiet = func() { stop(); wg.Wait() }
	wg.Go(func() {
		dice := rand.New(rand.NewPCG(*seed, 9))
		ticker := time.NewTicker(s.plan.pace)
		defer ticker.Stop()
		for n := 0; ; n++ {
			select {
			case <-ticker.C:
				s.step(dice, n, &wg)
			case <-ctx.Done():
				return
			}
		}
	})
}

// step does one thing that people do.
func (s *set) step(dice *rand.Rand, n int, wg *sync.WaitGroup) {
	clients := s.crowd.Clients()
	c := clients[dice.IntN(len(clients))]
	room := s.rooms[dice.IntN(s.plan.rooms)]
	at := s.anyNode(dice)
	body := fmt.Sprint(n)
	if dice.IntN(8) == 0 {
		body += strings.Repeat(" long", 20+dice.IntN(100))
	}
	switch k := dice.IntN(100); {
	case k < 4:
		c.Repeat()
	case k < 8:
		c.Signal(room)
	case k == 8 && !s.plan.still:
		c.Hang()
	case k < 12 && !s.plan.still:
		who, how := dice.IntN(2), dice.IntN(4)
		wg.Go(func() { s.comeAndGo(at, len(s.people)-1-who, room, how) })
	case k < 15:
		who := dice.IntN(len(s.people) - 2)
		wg.Go(func() { s.post(at, who, room, body) })
	default:
		c.Send(room, body)
	}
}

// comeAndGo has somebody join a room, leave it, or be removed from it. What comes of it is in the store.
func (s *set) comeAndGo(n *node, who int, room string, how int) {
	p := s.people[who]
	path, method, token := "/rooms/"+room+"/join", http.MethodPost, p.token
	switch how {
	case 0:
		path = "/rooms/" + room + "/leave"
	case 1:
		path, method, token = "/rooms/"+room+"/members/"+p.id, http.MethodDelete, s.people[0].token
	}
	status, err := n.call(token, method, path, nil, nil)
	s.note("%s %s of u%d on %s: %d %v", method, path, who, n.name, status, err)
}

// post says something by REST.
func (s *set) post(n *node, who int, room, body string) {
	p := s.people[who]
	clientID := chat.NewID()
	var sent struct {
		Seq       int64  `json:"seq"`
		MessageID string `json:"message_id"`
	}
	status, err := n.call(p.token, http.MethodPost, "/rooms/"+room+"/messages", map[string]string{"client_id": clientID, "body": body}, &sent)
	s.note("POST by u%d on %s: %d %v", who, n.name, status, err)
	if err == nil {
		s.crowd.Stored(chat.Entry{
			RoomID: room, Seq: sent.Seq, MessageID: sent.MessageID, ClientID: clientID, SenderID: p.id, Kind: chat.KindText, Body: body,
		})
	}
}
