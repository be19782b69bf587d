package redis

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Time-outs, where the URL has no others. The caller's context ends a call sooner.
const (
	dialTimeout = time.Second
	ioTimeout   = time.Second
	poolTimeout = time.Second
)

// target is what a URL names: exactly one is set.
type target struct {
	single   *goredis.Options
	sentinel *goredis.FailoverOptions
	cluster  *goredis.ClusterOptions
}

// parse reads a URL. Its errors don't repeat it: it may hold a password.
func parse(redisURL string) (target, error) {
	var t target
	u, err := url.Parse(redisURL)
	if err == nil {
		switch query := u.Query(); {
		case query.Has("master_name"):
			t.sentinel, err = goredis.ParseFailoverURL(redisURL)
		case query.Has("addr"):
			t.cluster, err = goredis.ParseClusterURL(redisURL)
		default:
			t.single, err = goredis.ParseURL(redisURL)
		}
	}
	if wrong, ok := errors.AsType[*url.Error](err); ok {
		err = wrong.Err
	}
	if err != nil {
		return target{}, fmt.Errorf("the URL of Redis is not valid: %w", err)
	}
	return t, nil
}

func (t target) db() int {
	switch {
	case t.single != nil:
		return t.single.DB
	case t.sentinel != nil:
		return t.sentinel.DB
	default:
		return 0
	}
}

// connect makes the client; it connects when it is used.
//
// Nothing is retried: a number may have been generated though its answer was lost, and a send must not wait. RESP3
// has nothing that is used here. Notifications of maintenance belong to one vendor's service.
func (t target) connect() goredis.UniversalClient {
	goredis.SetLogger(&logging.VoidLogger{}) // each failure is logged here, once
	quiet := &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	switch {
	case t.single != nil:
		o := t.single
		o.MaxRetries, o.DialerRetries, o.ContextTimeoutEnabled = -1, 1, true
		o.Protocol, o.MaintNotificationsConfig = cmp.Or(o.Protocol, 2), quiet
		limit(&o.DialTimeout, &o.ReadTimeout, &o.WriteTimeout, &o.PoolTimeout)
		return goredis.NewClient(o)
	case t.sentinel != nil:
		o := t.sentinel
		o.MaxRetries, o.DialerRetries, o.ContextTimeoutEnabled = -1, 1, true
		o.Protocol = cmp.Or(o.Protocol, 2)
		limit(&o.DialTimeout, &o.ReadTimeout, &o.WriteTimeout, &o.PoolTimeout)
		return goredis.NewFailoverClient(o)
	default:
		o := t.cluster
		o.MaxRetries, o.DialerRetries, o.ContextTimeoutEnabled = -1, 1, true
		o.Protocol, o.MaintNotificationsConfig = cmp.Or(o.Protocol, 2), quiet
		limit(&o.DialTimeout, &o.ReadTimeout, &o.WriteTimeout, &o.PoolTimeout)
		return goredis.NewClusterClient(o)
	}
}

func limit(dial, read, write, pool *time.Duration) {
	*dial = cmp.Or(*dial, dialTimeout)
	*read = cmp.Or(*read, ioTimeout)
	*write = cmp.Or(*write, ioTimeout)
	*pool = cmp.Or(*pool, poolTimeout)
}
