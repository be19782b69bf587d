// Package redis is a Backplane on Redis or Valkey: counters, bells by pub/sub, and presence that runs out.
//
// It needs Redis 6.2 or any Valkey; a Redis Cluster needs 7.0, for sharded pub/sub. Nothing in Redis has to be kept,
// and one chat to a database is assumed.
package redis

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"

	goredis "github.com/redis/go-redis/v9"

	"github.com/gochat-dev/gochat/internal/chat"
)

// Config says where Redis is and who asks. URL must be set.
type Config struct {
	// URL is redis://, or rediss:// for TLS, in go-redis' forms: of one server (ParseURL); of a Cluster, where
	// it has addr parameters (ParseClusterURL); of Sentinels, where it has a master_name (ParseFailoverURL).
	URL  string
	Node string // the node's name, different from all others'; default: a new one
	Log  *slog.Logger
}

// Backplane is one node's end of the backplane. It implements chat.Backplane.
type Backplane struct {
	client  goredis.UniversalClient
	sharded bool   // of a Cluster: each room's channel is on the master of its slot
	prefix  string // of channels: pub/sub takes no notice of which database a client is in
	node    string
	echo    string // how the node's own notices begin
	log     *slog.Logger
	latest  latest
	bus     bus

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

var _ chat.Backplane = (*Backplane)(nil)

// Open makes a backplane, and fails only where the URL is wrong. Where Redis can't be reached within a second or
// two it is tried again for ever; the calls fail meanwhile (SEQ5, HUB6).
func Open(ctx context.Context, cfg Config) (*Backplane, error) {
	target, err := parse(cfg.URL)
	if err != nil {
		return nil, err
	}
	b := &Backplane{
		client: target.connect(), sharded: target.cluster != nil, prefix: fmt.Sprintf("gochat:%d:", target.db()),
		node: cmp.Or(cfg.Node, chat.NewID()), log: cfg.Log, bus: newBus(),
	}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	begins, err := json.Marshal(map[string]string{"from": b.node})
	if err != nil {
		return nil, err
	}
	b.echo = string(begins[:len(begins)-1]) + ","
	b.ctx, b.cancel = context.WithCancel(context.Background())
	b.wg.Go(b.subscribe)
	select {
	case <-b.bus.tried:
	case <-ctx.Done():
	}
	return b, nil
}

// Close implements chat.Backplane. What the node said of its users runs out by itself (PRS4).
func (b *Backplane) Close() error {
	b.cancel()
	b.wg.Wait()
	b.bus.interrupt(errClosed)
	if err := b.client.Close(); err != nil && !isClosed(err) {
		return fmt.Errorf("closing the connections to Redis: %w", err)
	}
	return nil
}

// ready returns why a call can't be made: the backplane has been closed, or the caller has no time left.
func (b *Backplane) ready(ctx context.Context, what string) error {
	if b.ctx.Err() != nil {
		return unavailable(what, errClosed)
	}
	return unavailable(what, ctx.Err())
}

// unavailable marks a failure as what it is to the chat, whatever Redis' reason: it goes on without (SEQ5, HUB6).
func unavailable(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("redis: %s: %w: %w", what, chat.ErrUnavailable, err)
}
