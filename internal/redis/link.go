package redis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

const (
	pingEvery   = 2 * time.Second // a link that has not answered until the next ping is broken
	firstWait   = 50 * time.Millisecond
	longestWait = 2 * time.Second
	atOnce      = 500 // channels in one SUBSCRIBE
)

// subscribe keeps a subscription, until Close. Whatever goes wrong with any link ends all of it, and another one is
// made, with everything that is wanted by then.
func (b *Backplane) subscribe() {
	backoff := firstWait
	for tries := 0; b.ctx.Err() == nil; tries++ {
		b.bus.begin()
		s := subscription{
			Backplane: b, links: make(map[*goredis.Client]*link), asked: make(map[string]*link),
			rooms: make(map[string]*watch), pending: make(map[string]int), leaving: make(map[string]int),
			events: make(chan event),
		}
		err := s.run()
		if b.ctx.Err() != nil {
			return
		}
		if s.stood {
			backoff = firstWait
		}
		b.bus.interrupt(err)
		level := slog.LevelDebug // it has been said
		if s.stood || tries == 0 {
			level = slog.LevelWarn
		}
		b.log.Log(b.ctx, level, "no subscription to Redis: trying until there is", "err", err)
		b.wait(backoff + rand.N(backoff)) // spread: all nodes lose it at the same moment
		backoff = min(2*backoff, longestWait)
	}
}

func (b *Backplane) wait(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-b.ctx.Done():
	}
}

// subscription is everything that is listened to, over one link for each master, from its making to the first failure.
// Its fields are owned by the goroutine that runs it.
type subscription struct {
	*Backplane

	links   map[*goredis.Client]*link
	asked   map[string]*link  // by channel
	rooms   map[string]*watch // by channel
	pending map[string]int    // by channel: requests that Redis has not confirmed
	leaving map[string]int    // the same, for the end of it
	stood   bool
	events  chan event
	readers sync.WaitGroup
}

// link is the connection to one master.
type link struct {
	pubsub *goredis.PubSub
	pinged time.Time // when it was asked for a sign of life; zero once it has given one
}

// event is what came over a link: a *goredis.Subscription, a *goredis.Pong or an error.
type event struct {
	link *link
	what any
}

// run subscribes and keeps pace with what is wanted, until something goes wrong or the backplane is closed.
func (s *subscription) run() error {
	ctx, cancel := context.WithCancel(s.ctx)
	defer func() {
		cancel()
		for _, l := range s.links {
			_ = l.pubsub.Close() // it only says that it has been closed already
		}
		s.readers.Wait()
	}()
	if cluster, ok := s.client.(*goredis.ClusterClient); ok {
		cluster.ReloadState(ctx) // the last one may have ended because a slot has moved
	}
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	wanted := s.bus.changes(true)
	wanted[""] = newWatch() // the channel that every node hears
	err := s.catchUp(ctx, wanted)
	for err == nil {
		if !s.stood && len(s.pending) == 0 {
			s.stood = true
			s.bus.stand()
			s.log.Info("subscribed to Redis", "channels", len(s.asked), "links", len(s.links))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.bus.changed:
			err = s.catchUp(ctx, s.bus.changes(false))
		case e := <-s.events:
			err = s.take(e)
		case <-ping.C:
			err = s.ping(ctx)
		}
	}
	return err
}

// catchUp asks for the rooms that are wanted and not asked for, and the other way round.
func (s *subscription) catchUp(ctx context.Context, rooms map[string]*watch) error {
	more, less := make(map[*link][]string), make(map[*link][]string)
	for room, w := range rooms {
		channel := s.channel(room)
		l := s.asked[channel]
		switch {
		case w == nil && l != nil:
			less[l] = append(less[l], channel)
			s.leaving[channel]++
			delete(s.asked, channel)
			delete(s.rooms, channel)
		case w != nil && l == nil:
			var err error
			if l, err = s.linkTo(ctx, channel); err != nil {
				return err
			}
			more[l] = append(more[l], channel)
			s.asked[channel] = l
			s.pending[channel]++
			s.rooms[channel] = w
		case w != nil: // it was left and wanted again before anybody looked
			s.rooms[channel] = w
			s.confirm(channel)
		}
	}
	return errors.Join(s.each(less, func(l *link, channels []string) error {
		if s.sharded {
			return l.pubsub.SUnsubscribe(ctx, channels...)
		}
		return l.pubsub.Unsubscribe(ctx, channels...)
	}), s.each(more, func(l *link, channels []string) error {
		if s.sharded {
			return l.pubsub.SSubscribe(ctx, channels...)
		}
		return l.pubsub.Subscribe(ctx, channels...)
	}))
}

// each makes a request for each link's channels, many at once where Redis allows it: the channels of one SSUBSCRIBE
// must share a slot.
func (s *subscription) each(channels map[*link][]string, request func(*link, []string) error) error {
	size := atOnce
	if s.sharded {
		size = 1
	}
	for l, all := range channels {
		for len(all) > 0 {
			n := min(size, len(all))
			if err := request(l, all[:n]); err != nil {
				return err
			}
			all = all[n:]
		}
	}
	return nil
}

// linkTo is the link to the master that has a channel.
func (s *subscription) linkTo(ctx context.Context, channel string) (*link, error) {
	var master *goredis.Client
	switch client := s.client.(type) {
	case *goredis.Client:
		master = client
	case *goredis.ClusterClient:
		var err error
		if master, err = client.MasterForKey(ctx, channel); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("no subscriptions with a %T", client)
	}
	if l := s.links[master]; l != nil {
		return l, nil
	}
	l := &link{pubsub: master.Subscribe(ctx)}
	if err := l.pubsub.Ping(ctx); err != nil { // it connects
		return nil, errors.Join(err, l.pubsub.Close())
	}
	l.pinged = time.Now()
	s.links[master] = l
	s.readers.Go(func() { s.read(ctx, l) })
	return l, nil
}

// read hands on what comes over a link, until it breaks.
func (s *subscription) read(ctx context.Context, l *link) {
	for {
		what, err := l.pubsub.Receive(ctx)
		if message, ok := what.(*goredis.Message); ok && err == nil {
			s.hear(message.Payload)
			continue
		}
		if err != nil {
			what = err
		}
		select {
		case s.events <- event{l, what}:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// take takes what came over a link, and returns an error where that means the end.
func (s *subscription) take(e event) error {
	switch what := e.what.(type) {
	case error:
		return what
	case *goredis.Pong:
		e.link.pinged = time.Time{}
	case *goredis.Subscription:
		if !strings.Contains(what.Kind, "unsubscribe") {
			if s.pending[what.Channel]--; s.pending[what.Channel] <= 0 {
				delete(s.pending, what.Channel)
			}
			s.confirm(what.Channel)
			return nil
		}
		if s.leaving[what.Channel] == 0 {
			return fmt.Errorf("redis has ended the subscription of %s", what.Channel) // its slot moves
		}
		if s.leaving[what.Channel]--; s.leaving[what.Channel] == 0 {
			delete(s.leaving, what.Channel)
		}
	}
	return nil
}

// confirm tells those who wait for a room that it stands, once every request for it has been answered.
func (s *subscription) confirm(channel string) {
	w := s.rooms[channel]
	if w == nil || s.pending[channel] > 0 {
		return
	}
	select {
	case <-w.stands:
	default:
		close(w.stands)
	}
}

// ping asks every link for a sign of life.
func (s *subscription) ping(ctx context.Context) error {
	for _, l := range s.links {
		if waited := time.Since(l.pinged); !l.pinged.IsZero() && waited < pingEvery {
			continue // it is new
		} else if !l.pinged.IsZero() {
			return fmt.Errorf("redis has not answered a ping for %v", waited)
		}
		if err := l.pubsub.Ping(ctx); err != nil {
			return err
		}
		l.pinged = time.Now()
	}
	return nil
}
