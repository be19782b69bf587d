package redis

import (
	"context"
	_ "embed" // the scripts
	"fmt"

	goredis "github.com/redis/go-redis/v9"

	"github.com/gochat-dev/gochat/internal/chat"
)

// The scripts make each call one step for all nodes, by Redis' clock alone: the nodes' clocks may differ.
var (
	//go:embed presence.lua
	sharedLua string
	//go:embed beat.lua
	beatLua string
	//go:embed set.lua
	setLua string
	//go:embed claim.lua
	claimLua string
	//go:embed here.lua
	hereLua string

	beatScript  = goredis.NewScript(sharedLua + beatLua)
	setScript   = goredis.NewScript(sharedLua + setLua)
	claimScript = goredis.NewScript(sharedLua + claimLua)
	hereScript  = goredis.NewScript(sharedLua + hereLua)
)

// Keys of presence: one hash tag, so that a Cluster has them in one place.
const (
	nodesKey = "gochat:{presence}:nodes"
	leftKey  = "gochat:{presence}:left"
)

func statesKey(node string) string { return nodesKey + ":" + node }

// Beat implements chat.Presence.
func (b *Backplane) Beat(ctx context.Context, node string, states map[string]chat.State) error {
	if err := b.ready(ctx, "beat"); err != nil {
		return err
	}
	args := make([]any, 2, 2+2*len(states))
	args[0], args[1] = node, chat.PresenceTTL.Milliseconds()
	for user, state := range states {
		if state != chat.Offline {
			args = append(args, user, string(state))
		}
	}
	keys := []string{nodesKey, leftKey, statesKey(node)}
	return unavailable("beat", beatScript.Run(ctx, b.client, keys, args...).Err())
}

// SetState implements chat.Presence. It renews the node too, which is there, after all.
func (b *Backplane) SetState(ctx context.Context, node string, changes map[string]chat.State) (map[string]chat.State, error) {
	if err := b.ready(ctx, "set states"); err != nil {
		return nil, err
	}
	users := make([]string, 0, len(changes))
	args := make([]any, 2, 2+2*len(changes))
	args[0], args[1] = node, chat.PresenceTTL.Milliseconds()
	for user, state := range changes {
		users = append(users, user)
		args = append(args, user, string(state))
	}
	keys := []string{nodesKey, leftKey, statesKey(node)}
	states, err := setScript.Run(ctx, b.client, keys, args...).StringSlice()
	if err == nil && len(states) != len(users) {
		err = fmt.Errorf("%d states of %d users", len(states), len(users))
	}
	if err != nil {
		return nil, unavailable("set states", err)
	}
	overall := make(map[string]chat.State, len(users))
	for i, user := range users {
		overall[user] = chat.State(states[i])
	}
	return overall, nil
}

// Claim implements chat.Presence. Users whose claim was not answered are not announced; the next beat of each node
// finds them gone (Here).
func (b *Backplane) Claim(ctx context.Context) ([]string, error) {
	if err := b.ready(ctx, "claim"); err != nil {
		return nil, err
	}
	gone, err := claimScript.Run(ctx, b.client, []string{nodesKey, leftKey}).StringSlice()
	return gone, unavailable("claim", err)
}

// Here implements chat.Presence.
func (b *Backplane) Here(ctx context.Context) (map[string]chat.State, error) {
	if err := b.ready(ctx, "here"); err != nil {
		return nil, err
	}
	nodes, err := hereScript.Run(ctx, b.client, []string{nodesKey}).Slice()
	if err != nil {
		return nil, unavailable("here", err)
	}
	here := make(map[string]chat.State)
	for _, node := range nodes {
		states, _ := node.([]any)
		for i := 0; i+1 < len(states); i += 2 {
			user, _ := states[i].(string)
			state, _ := states[i+1].(string)
			here[user] = here[user].Better(chat.State(state))
		}
	}
	return here, nil
}
