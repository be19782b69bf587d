package redis

import (
	"context"
	"sync"

	goredis "github.com/redis/go-redis/v9"
)

// Keys. What is in braces decides a key's slot in a Cluster: a room's counter and channel are on the same master.
func counterKey(room string) string { return "gochat:seq:{" + room + "}" }

// once is a command that is sent once, come what may: the client of a Cluster would otherwise send it again where
// the answer was lost.
type once struct{ *goredis.IntCmd }

// NoRetry implements goredis.Cmder.
func (once) NoRetry() bool { return true }

// Number implements chat.Numbers. Numbers whose answer is lost are never used (SEQ6).
func (b *Backplane) Number(ctx context.Context, counts map[string]int) (map[string]int64, error) {
	if err := b.ready(ctx, "numbers"); err != nil {
		return nil, err
	}
	pipe := b.client.Pipeline()
	answers := make(map[string]*goredis.IntCmd, len(counts))
	for room, count := range counts {
		answers[room] = goredis.NewIntCmd(ctx, "incrby", counterKey(room), count)
		if err := pipe.Process(ctx, once{answers[room]}); err != nil {
			return nil, unavailable("numbers", err)
		}
	}
	if len(answers) == 0 {
		return map[string]int64{}, nil
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, unavailable("numbers", err)
	}
	firsts := make(map[string]int64, len(counts))
	for room, answer := range answers {
		firsts[room] = answer.Val() - int64(counts[room]) + 1
		b.latest.note(room, answer.Val())
	}
	return firsts, nil
}

// raise sets a counter that is missing or behind.
const raise = `
local have = redis.call('GET', KEYS[1])
if not have or tonumber(have) < tonumber(ARGV[1]) then
  redis.call('SET', KEYS[1], ARGV[1])
end
return redis.status_reply('OK')`

// latest is, by room, the number that Redis generated for this node last: not the highest. After Redis has lost its
// memory it is low, and the next head above it tells that the counter has to be raised (SEQ4).
type latest struct {
	mu      sync.Mutex
	numbers map[string]int64
}

// maxLatest bounds the memory. To forget costs one needless raise per room.
const maxLatest = 100_000

func (l *latest) note(room string, number int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, known := l.numbers[room]; l.numbers == nil || (!known && len(l.numbers) >= maxLatest) {
		l.numbers = make(map[string]int64)
	}
	l.numbers[room] = number
}

// behind returns the heads that are above what Redis generated last, as far as this node knows.
func (l *latest) behind(heads map[string]int64) map[string]int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	ahead := make(map[string]int64)
	for room, head := range heads {
		if number, known := l.numbers[room]; !known || head > number {
			ahead[room] = head
		}
	}
	return ahead
}
