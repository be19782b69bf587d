package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/gochat-dev/gochat/internal/auth"
	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/inmem"
	"github.com/gochat-dev/gochat/internal/postgres"
	"github.com/gochat-dev/gochat/internal/redis"
	"github.com/gochat-dev/gochat/internal/settings"
	"github.com/gochat-dev/gochat/internal/sqlite"
)

// sharedCommitters is how many batches a node has under way at once where the store takes several.
const sharedCommitters = 4

// databaseWithin is for how long a server waits at its start for a Postgres that can't be reached yet. The operator gives it 90 s to start.
const databaseWithin = 80 * time.Second

// awaitDatabase waits for a Postgres that is only starting too, as after a power cut, or when a chat wakes.
func awaitDatabase(ctx context.Context, url string, within time.Duration, log *slog.Logger) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	tries := 0
	err := postgres.Await(ctx, url, func(err error) {
		if tries%10 == 0 {
			log.Warn("the database can't be reached yet: waiting for it", "within", within, "err", err)
		}
		tries++
	})
	if err != nil {
		return fmt.Errorf("GOCHAT_POSTGRES_URL: %w", err)
	}
	if tries > 0 {
		log.Info("the database is there")
	}
	return nil
}

// openStore opens the Postgres that is set, or else the SQLite file of the data directory.
func openStore(ctx context.Context, cfg settings.Server) (chat.Store, error) {
	if cfg.PostgresURL != "" {
		store, err := postgres.Open(ctx, postgres.Config{URL: cfg.PostgresURL})
		if err != nil {
			return nil, fmt.Errorf("GOCHAT_POSTGRES_URL: %w", err)
		}
		return store, nil
	}
	if err := auth.PrivateDir(cfg.DataDir); err != nil {
		return nil, fmt.Errorf("GOCHAT_DATA_DIR: %w", err)
	}
	store, err := sqlite.Open(ctx, sqlite.Config{Path: filepath.Join(cfg.DataDir, "gochat.db")})
	if err != nil {
		return nil, err
	}
	return store, nil
}

// lockDir takes the data directory for one server: two on one file would not hear each other's bells. The lock ends
// with the process, and does not keep admin commands out.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "server.lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("GOCHAT_DATA_DIR: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("GOCHAT_DATA_DIR: another server runs on %s: stop it, or give this one a directory of its own", dir), f.Close())
	}
	return f, nil
}

// openBackplane joins the Redis that is set; without one the node is alone.
func openBackplane(ctx context.Context, cfg settings.Server, node string, log *slog.Logger) (chat.Backplane, error) {
	if cfg.RedisURL == "" {
		return inmem.NewNetwork().Node(node), nil
	}
	backplane, err := redis.Open(ctx, redis.Config{URL: cfg.RedisURL, Node: node, Log: log})
	if err != nil {
		return nil, fmt.Errorf("GOCHAT_REDIS_URL: %w", err)
	}
	return backplane, nil
}

// openKeys opens the keys of access tokens: the file that is set, else those that the nodes of a database share, else
// the file of the data directory.
func openKeys(ctx context.Context, cfg settings.Server, store chat.Store, log *slog.Logger) (auth.KeySource, error) {
	if cfg.JWTKeysFile != "" {
		return auth.OpenKeyFile(cfg.JWTKeysFile, log)
	}
	shared, ok := store.(*postgres.Store)
	if !ok {
		return auth.OpenDataDir(cfg.DataDir, log)
	}
	set, err := shared.JWTKeys(ctx, auth.GenerateKeys)
	if err != nil {
		return nil, fmt.Errorf("keys of access tokens: %w", err)
	}
	return auth.ParseKeys(set)
}
