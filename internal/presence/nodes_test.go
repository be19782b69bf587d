package presence_test

import (
	"testing"
	"time"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/chattest"
)

func TestNodes(t *testing.T) {
	prove(t, []rule{
		{"[PRS3] a change reaches the other nodes within a second, at whatever moment it comes", func(s *stage) {
			a := s.node()
			s.pass(4 * time.Second)
			b := s.node()   // its beats are not those of a
			for range 220 { // beats, sweeps and changes meet in many ways
				a.Connected("ann")
				s.pass(time.Second)
				b.shown("ann online")
				a.Disconnected("ann", chat.Online, true)
				s.pass(time.Second)
				b.shown("ann offline")
				s.pass(50 * time.Millisecond)
			}
		}},
		{"[PRS1] a user's state is over all nodes", func(s *stage) {
			a, b := s.node(), s.node()
			a.Connected("ann")
			b.Connected("ann")
			b.Moved("ann", chat.Online, chat.Away)
			s.pass(time.Second)
			a.Disconnected("ann", chat.Online, true)
			s.pass(time.Second)
			for _, n := range s.nodes {
				n.shown("ann online", "ann away")
				n.here(states{"ann": chat.Away})
			}
			b.Disconnected("ann", chat.Away, true)
			s.pass(time.Second)
			for _, n := range s.nodes {
				n.shown("ann offline")
			}
		}},
		{"[PRS3] who moves to another node flickers nowhere", func(s *stage) {
			a, b := s.node(), s.node()
			a.Connected("ann")
			s.pass(time.Second)
			for i := range 10 {
				from, to := s.nodes[i%2], s.nodes[(i+1)%2]
				from.Disconnected("ann", chat.Online, false)
				s.pass(3 * time.Second)
				to.Connected("ann")
				s.pass(8 * time.Second)
			}
			a.shown("ann online")
			b.shown("ann online")
		}},
		{"[PRS1] no other node knows better who is connected here", func(s *stage) {
			a := s.node()
			a.Connected("ann")
			s.pass(time.Second)
			for _, state := range []chat.State{chat.Offline, chat.Away} { // said a moment ago, of connections there
				a.Heard(chat.PresenceChange{UserID: "ann", State: state})
				s.pass(time.Second)
			}
			a.shown("ann online")
		}},
		{"[PRS2] a node that is fine keeps its users for as long as they are there", func(s *stage) {
			a, b := s.node(), s.node()
			a.Connected("ann")
			s.pass(time.Hour)
			b.shown("ann online")
			b.here(states{"ann": chat.Online})
		}},
		{"[PRS3] a backplane that comes back without its memory lets nobody flicker", func(s *stage) {
			a, b, c := s.node(), s.node(), s.node()
			a.Connected("ann")
			b.Connected("bob")
			c.Connected("cy")
			s.pass(3 * time.Second)
			for _, n := range s.nodes {
				n.look.take()
			}
			for range 20 { // beats and sweeps meet it in many ways
				for _, n := range s.nodes {
					n.bus.Cut()
				}
				s.net.Forget()
				s.pass(1300 * time.Millisecond)
				for _, n := range s.nodes { // each comes back when it does
					n.bus.Mend()
					s.pass(1100 * time.Millisecond)
				}
				for _, n := range s.nodes {
					n.shown()
				}
				s.pass(7 * time.Second)
			}
			b.kill() // who does not come back is found out all the same
			s.pass(36 * time.Second)
			a.shown("bob offline")
			c.shown("bob offline")
		}},
		{"[PRS4] a node dies without a word: its users are offline within 35 s, announced once on every node", func(s *stage) {
			a, b, c := s.node(), s.node(), s.node()
			a.Connected("ann")
			a.Connected("bob")
			b.Connected("bob")
			s.pass(17 * time.Second)
			a.kill()
			s.pass(15 * time.Second)
			b.shown("ann online, bob online")
			c.shown("ann online, bob online")
			s.pass(20 * time.Second)
			b.shown("ann offline")
			c.shown("ann offline")
			s.pass(time.Minute)
			b.shown()
			c.shown()
			b.here(states{"bob": chat.Online})
		}},
		{"[PRS4] who comes back on another node before that is not announced at all", func(s *stage) {
			a, b := s.node(), s.node()
			a.Connected("ann")
			s.pass(17 * time.Second)
			a.kill()
			s.pass(10 * time.Second)
			b.Connected("ann")
			s.pass(2 * time.Minute)
			b.shown("ann online")
		}},
		{"[DRN1] a node that stops leaves its users as they are: they are about to be elsewhere", func(s *stage) {
			a, b := s.node(), s.node()
			a.Connected("ann")
			s.pass(3 * time.Second)
			a.Disconnected("ann", chat.Online, false)
			a.kill()
			s.pass(2 * time.Second)
			b.Connected("ann")
			s.pass(2 * time.Minute)
			b.shown("ann online")
		}},
		{"[PRS2] a lost notice is made up for by the next beat", func(s *stage) {
			a, b := s.node(), s.node()
			b.bus.SetFaults(chattest.Faults{Lose: 1})
			a.Connected("ann")
			s.pass(11 * time.Second)
			b.shown("ann online")
			a.Disconnected("ann", chat.Online, true)
			s.pass(11 * time.Second)
			b.shown("ann offline")
		}},
		{"[PRS2] a backplane that forgets everything is told again", func(s *stage) {
			a, b := s.node(), s.node()
			a.Connected("ann")
			s.pass(time.Second)
			s.net.Forget()
			s.pass(time.Minute)
			a.shown("ann online")
			b.here(states{"ann": chat.Online})
		}},
		{"[PRS3] while the backplane is away a node shows its own", func(s *stage) {
			a, b := s.node(), s.node()
			a.bus.Cut()
			a.Connected("ann")
			s.pass(time.Second)
			a.shown("ann online")
			b.shown()
			a.bus.Mend()
			s.pass(11 * time.Second) // a's is written, and b's next beat reads it
			b.shown("ann online")
			a.shown()
		}},
		{"[PRS3] a backplane that does not answer holds up nothing here for long", func(s *stage) {
			a := s.node()
			a.bus.Pause()
			a.Connected("ann")
			s.pass(4 * time.Second)
			a.shown("ann online")
		}},
	})
}
