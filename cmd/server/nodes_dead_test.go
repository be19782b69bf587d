package main

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// TestDeadNode is about real processes and Redis' own clock: half a minute passes.
func TestDeadNode(t *testing.T) {
	t.Run("[PRS2][PRS4] a node is killed: its users are offline within 35 s, announced once; who has another tab elsewhere is not", func(t *testing.T) {
		t.Parallel()
		rd, err := oneRedis()
		must(t, err)
		env := []string{
			"GOCHAT_POSTGRES_URL=" + databases.New(t), fmt.Sprintf("GOCHAT_REDIS_URL=redis://%s/%d", rd.Addr(), databaseOf.Add(1)),
		}
		doomed, b, c := start(t, t.TempDir(), env...), start(t, t.TempDir(), env...), start(t, t.TempDir(), env...)
		watcher := b.join("watcher", "")
		stranded, elsewhere := b.join("stranded", watcher.room), b.join("elsewhere", watcher.room)
		seen := make([]chan pushedChange, 2)
		for i, p := range []*process{b, c} {
			seen[i] = make(chan pushedChange, 100)
			p.follow(watcher.token, seen[i])
		}
		doomed.follow(stranded.token, make(chan pushedChange, 100))
		doomed.follow(elsewhere.token, make(chan pushedChange, 100))
		c.follow(elsewhere.token, make(chan pushedChange, 100))
		for _, changes := range seen { // both are seen to be there
			here := map[string]bool{}
			for timeout := time.After(patience); !here[stranded.id] || !here[elsewhere.id]; {
				select {
				case change := <-changes:
					here[change.UserID] = change.State == "online"
				case <-timeout:
					t.Fatal("they were not seen to be online")
				}
			}
		}
		began := time.Now()
		doomed.kill()
		for i, changes := range seen {
			select {
			case change := <-changes:
				if change.UserID != stranded.id || change.State != "offline" {
					t.Errorf("node %d: %+v", i, change)
				}
				took := time.Since(began)
				if t.Logf("node %d: offline after %v", i, took); took < 20*time.Second || took > 42*time.Second { // a busy machine is given some more
					t.Errorf("that is not between 20 s and 35 s")
				}
			case <-time.After(45 * time.Second):
				t.Errorf("node %d: nobody turned offline", i)
			}
		}
		// Who comes now is told next: nothing was told twice.
		late := b.join("late", watcher.room)
		b.follow(late.token, make(chan pushedChange, 100))
		for i, changes := range seen {
			select {
			case change := <-changes:
				if change.UserID != late.id {
					t.Errorf("node %d: %+v came in between", i, change)
				}
			case <-time.After(patience):
				t.Errorf("node %d did not see who came late", i)
			}
		}
	})
}

type pushedChange struct {
	UserID string `json:"user_id"`
	State  string
}

// member is somebody in a room.
type member struct{ id, token, room string }

// join makes an account that joins a room, or makes one.
func (p *process) join(name, room string) member {
	p.t.Helper()
	var grant struct {
		User  struct{ ID string }
		Token string `json:"access_token"`
	}
	p.call("", http.MethodPost, "/auth/register", map[string]string{"username": name, "password": password}, &grant)
	var got struct{ ID string }
	if room == "" {
		p.call(grant.Token, http.MethodPost, "/rooms", map[string]string{"name": "Room", "visibility": "public"}, &got)
	} else {
		p.call(grant.Token, http.MethodPost, "/rooms/"+room+"/join", struct{}{}, &got)
	}
	return member{grant.User.ID, grant.Token, got.ID}
}

// follow connects, and hands over the changes of others' presence.
func (p *process) follow(token string, changes chan<- pushedChange) {
	p.t.Helper()
	conn := p.dial(token)
	welcomed := make(chan string, 1)
	go func() {
		var self string
		_ = objects(conn, func(o object) { // ends with the test, or the node
			if o.Type == "welcome" {
				self = o.User.ID
				welcomed <- self
			}
			for _, change := range o.Changes {
				if change.UserID != self {
					changes <- change
				}
			}
		})
	}()
	<-welcomed
}
