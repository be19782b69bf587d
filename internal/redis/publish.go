package redis

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/gochat-dev/gochat/internal/chat"
)

// bell is what goes over a channel. From stands first, so that the node knows its own by how they begin.
type bell struct {
	From string `json:"from"`
	chat.Notice
}

// channel is where a room's notices go; those without a room go to a channel that every node hears.
func (b *Backplane) channel(room string) string {
	if room == "" {
		return b.prefix + "nodes"
	}
	return b.prefix + "room:{" + room + "}"
}

// Publish implements chat.Bus.
func (b *Backplane) Publish(ctx context.Context, notices []chat.Notice, heads map[string]int64) error {
	if err := b.ready(ctx, "publish"); err != nil {
		return err
	}
	pipe := b.client.Pipeline()
	// The counters first: where the answer is lost half-way, what matters has been done.
	for room, head := range b.latest.behind(heads) {
		pipe.Eval(ctx, raise, []string{counterKey(room)}, head)
	}
	for _, notice := range notices {
		payload, err := json.Marshal(bell{From: b.node, Notice: notice})
		if err != nil {
			return unavailable("publish", err)
		}
		if b.sharded {
			pipe.SPublish(ctx, b.channel(notice.RoomID), payload)
		} else {
			pipe.Publish(ctx, b.channel(notice.RoomID), payload)
		}
	}
	if pipe.Len() == 0 {
		return nil
	}
	_, err := pipe.Exec(ctx)
	return unavailable("publish", err)
}

// hear takes what came over a channel.
func (b *Backplane) hear(payload string) {
	if strings.HasPrefix(payload, b.echo) {
		return
	}
	var heard bell
	if err := json.Unmarshal([]byte(payload), &heard); err != nil {
		b.log.Warn("a notice of another node can't be read: it is dropped", "err", err)
		return
	}
	b.bus.hear(heard.Notice)
}
