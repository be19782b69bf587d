package postgres

import (
	"context"
	"errors"
	"maps"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// The server frees a room within 5 s, whatever becomes of the node that locked it: its transaction is ended when the
// node says nothing for idleTimeout. Who waits for that room waits a little longer, so that one frozen node
// fails nobody else's batch, and who is still at work after statementTimeout is stopped.
const (
	idleTimeout      = 3 * time.Second // in an explicit transaction, between two statements
	lockTimeout      = 4 * time.Second
	statementTimeout = 5 * time.Second

	callTimeout    = 7 * time.Second // for a call as a whole, on this side: the server's answer comes first where there is one
	connectTimeout = 3 * time.Second
)

// session is what every connection sets, unless the URL sets it. All that the store asks is to be found by an
// index: a planner that has seen no statistics yet of a table that grows quickly must not bet on reading all of it.
var session = map[string]string{
	"application_name":                    "gochat",
	"statement_timeout":                   statementTimeout.String(),
	"lock_timeout":                        lockTimeout.String(),
	"idle_in_transaction_session_timeout": idleTimeout.String(),
	"tcp_keepalives_idle":                 "10", // seconds: a node whose machine is gone keeps nothing for long
	"tcp_keepalives_interval":             "5",
	"tcp_keepalives_count":                "3",
	"enable_seqscan":                      "off",
	"enable_hashjoin":                     "off",
	"enable_mergejoin":                    "off",
	"enable_bitmapscan":                   "off", // it looks up a whole range before the first row of it
	"max_parallel_workers_per_gather":     "0",
	"jit":                                 "off",
}

// writing and reading are what the two kinds of connection set besides. Each trip of a reading connection is a
// transaction of its own, and so all of it is read from one snapshot.
var (
	writing = map[string]string{"default_transaction_isolation": "read committed"}
	reading = map[string]string{
		"default_transaction_isolation": "repeatable read", "default_transaction_read_only": "on",
	}
)

// errNoURL keeps an empty setting from meaning whatever libpq's environment says.
var errNoURL = errors.New("no URL given")

// parsePool reads a URL. Its errors name no password.
func parsePool(url string) (*pgxpool.Config, error) {
	if url == "" {
		return nil, errNoURL
	}
	return pgxpool.ParseConfig(url)
}

// newPool makes a pool that connects when it is first asked to, of size connections or of pool_max_conns in the URL.
func newPool(url string, size int, kind map[string]string) (*pgxpool.Pool, error) {
	cfg, err := parsePool(url)
	if err != nil {
		return nil, err
	}
	params := maps.Clone(session)
	maps.Copy(params, cfg.ConnConfig.RuntimeParams)
	maps.Copy(params, kind)
	cfg.ConnConfig.RuntimeParams = params
	if cfg.ConnConfig.ConnectTimeout == 0 {
		cfg.ConnConfig.ConnectTimeout = connectTimeout
	}
	if !strings.Contains(url, "pool_max_conns=") {
		cfg.MaxConns = int32(size)
	}
	cfg.PingTimeout = connectTimeout
	return pgxpool.NewWithConfig(context.Background(), cfg)
}
