//go:build linux

package loadtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
)

// setUpWorkers is how many REST calls are under way at once: enough for commits to share a transaction.
const setUpWorkers = 64

// rest calls the HTTP side of protocol.md.
type rest struct {
	base   string // ends in /api/v1
	client *http.Client
}

// problem is an error answer (RFC 9457) with the product's stable code.
type problem struct {
	Status int
	Code   string
	Detail string
}

func (p *problem) Error() string { return fmt.Sprintf("%d %s %s", p.Status, p.Code, p.Detail) }

func newREST(url string) *rest {
	return &rest{
		base:   url + "/api/v1",
		client: &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: setUpWorkers}},
	}
}

// call makes one request; out may be nil.
func (r *rest) call(ctx context.Context, path, token string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("POST %s: %w", path, err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.base+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("POST %s: %w", path, err)
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := r.client.Do(request)
	if err != nil {
		return fmt.Errorf("POST %s: %w", path, err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("POST %s: %w", path, err)
	}
	if response.StatusCode >= 300 {
		p := &problem{Status: response.StatusCode}
		// A proxy's error page is no JSON; the status says enough then.
		_ = json.Unmarshal(answer, p)
		p.Status = response.StatusCode
		return fmt.Errorf("POST %s: %w", path, p)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("POST %s: %w", path, err)
	}
	return nil
}

// population is who takes part: the rooms, an account that owns them, and accounts that are members,
// those of one room next to one another.
type population struct {
	rooms    []string
	owner    account
	accounts []account
	perRoom  int // accounts in each room
}

type session struct {
	User struct {
		ID string
	}
	AccessToken string `json:"access_token"`
}

// populate makes the accounts and rooms of a workload. Members are guests where the server allows it: they
// have no password, whose hashing would take most of the time.
func (r *rest) populate(ctx context.Context, w Workload) (*population, error) {
	run := uuid.NewString()[:8]
	owner, err := r.register(ctx, "loadtest-"+run)
	if err != nil {
		return nil, err
	}
	p := &population{
		rooms: make([]string, w.rooms()), owner: owner,
		perRoom: min(w.RoomSize, max(1, w.accounts()/w.rooms())),
	}
	p.accounts = make([]account, p.perRoom*len(p.rooms))
	for i := range p.rooms {
		var room struct{ ID string }
		in := map[string]any{"name": fmt.Sprintf("Load %s %d", run, i), "visibility": "public"}
		if err := r.call(ctx, "/rooms", owner.token, in, &room); err != nil {
			return nil, err
		}
		p.rooms[i] = room.ID
	}
	enter := r.guest
	if p.accounts[0], err = r.guest(ctx, fmt.Sprintf("guest-%s-0", run)); isCode(err, "guests_disabled") {
		enter = r.register
		p.accounts[0], err = r.register(ctx, fmt.Sprintf("member-%s-0", run))
	}
	if err != nil {
		return nil, err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(setUpWorkers)
	for i := range p.accounts {
		group.Go(func() error {
			var err error
			if i > 0 {
				p.accounts[i], err = enter(ctx, fmt.Sprintf("member-%s-%d", run, i))
			}
			if err != nil {
				return err
			}
			return r.call(ctx, "/rooms/"+p.rooms[i/p.perRoom]+"/join", p.accounts[i].token, struct{}{}, nil)
		})
	}
	return p, group.Wait()
}

func (r *rest) register(ctx context.Context, name string) (account, error) {
	in := map[string]any{"username": name, "password": uuid.NewString()}
	var s session
	err := r.call(ctx, "/auth/register", "", in, &s)
	return account{s.User.ID, s.AccessToken}, err
}

func (r *rest) guest(ctx context.Context, name string) (account, error) {
	var s session
	err := r.call(ctx, "/auth/guest", "", map[string]any{"display_name": name}, &s)
	return account{s.User.ID, s.AccessToken}, err
}

// post sends n messages to each room while nobody is connected.
func (r *rest) post(ctx context.Context, p *population, n, size int) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(setUpWorkers)
	for _, room := range p.rooms {
		group.Go(func() error {
			for range n {
				in := map[string]any{"client_id": uuid.NewString(), "body": silentBody(size)}
				if err := r.call(ctx, "/rooms/"+room+"/messages", p.owner.token, in, nil); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

func isCode(err error, code string) bool {
	var p *problem
	return errors.As(err, &p) && p.Code == code
}
