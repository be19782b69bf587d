package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/gochat-dev/gochat/internal/chat"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migration is one step of the schema.
type Migration struct {
	Version   int64
	Name      string    // of its file
	AppliedAt time.Time // zero: not applied yet
}

// MigrationTimeout is how long one of several Migrates that are started at once waits for the others.
const MigrationTimeout = 5 * time.Minute

// Migrate brings the schema of a database up to what this program knows, each step in a transaction of its own, and
// returns the steps that it took. Of several at once, one works and the others wait (an advisory lock of the
// session). A migration that has to wait for running transactions gives up after lockTimeout, and can be tried again.
func Migrate(ctx context.Context, url string) ([]Migration, error) {
	cfg, err := parse(url)
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	cfg.RuntimeParams["application_name"] = "gochat migrate"
	cfg.RuntimeParams["lock_timeout"] = lockTimeout.String()
	db := stdlib.OpenDB(*cfg)
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, uint64(MigrationTimeout.Seconds())))
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, dir, goose.WithSessionLocker(locker),
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("migrate: %w", err), db.Close())
	}
	results, err := p.Up(ctx)
	var done []Migration
	for _, r := range results {
		done = append(done, Migration{Version: r.Source.Version, Name: r.Source.Path, AppliedAt: time.Now().UTC()})
	}
	if err = errors.Join(err, p.Close()); err != nil {
		return done, fmt.Errorf("migrate: %w", err)
	}
	return done, withConn(ctx, cfg, func(conn *pgx.Conn) error {
		_, err := checkSchema(ctx, conn)
		return err
	})
}

// MigrationStatus lists the steps that this program knows, in their order, and then those that only the database has.
// It changes nothing.
func MigrationStatus(ctx context.Context, url string) ([]Migration, error) {
	cfg, err := parse(url)
	if err != nil {
		return nil, fmt.Errorf("migration status: %w", err)
	}
	var all []Migration
	err = withConn(ctx, cfg, func(conn *pgx.Conn) error {
		has, err := applied(ctx, conn)
		if err != nil {
			return err
		}
		if all, err = known(); err != nil {
			return err
		}
		for i := range all {
			all[i].AppliedAt = has[all[i].Version]
			delete(has, all[i].Version)
		}
		for _, version := range slices.Sorted(maps.Keys(has)) {
			all = append(all, Migration{Version: version, Name: "not known to this program", AppliedAt: has[version]})
		}
		return nil
	})
	return all, err
}

// parse reads a URL for a single connection: what it says of a pool is for others.
func parse(url string) (*pgx.ConnConfig, error) {
	cfg, err := parsePool(url)
	if err != nil {
		return nil, err
	}
	return cfg.ConnConfig, nil
}

func withConn(ctx context.Context, cfg *pgx.ConnConfig, f func(conn *pgx.Conn) error) error {
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return classify("connect", err, false)
	}
	return errors.Join(f(conn), conn.Close(ctx))
}

// known are the migrations in this program.
func known() ([]Migration, error) {
	files, err := fs.Glob(migrations, "migrations/*.sql") // sorted
	if err != nil {
		return nil, err
	}
	var all []Migration
	for _, path := range files {
		version, err := goose.NumericComponent(path)
		if err != nil {
			return nil, err
		}
		all = append(all, Migration{Version: version, Name: path[len("migrations/"):]})
	}
	return all, nil
}

// applied are the versions that a database has, and since when.
func applied(ctx context.Context, conn *pgx.Conn) (map[int64]time.Time, error) {
	has := make(map[int64]time.Time)
	var there bool
	if err := conn.QueryRow(ctx, `SELECT to_regclass('goose_db_version') IS NOT NULL`).Scan(&there); err != nil || !there {
		return has, classify("read schema version", err, false)
	}
	rows, err := conn.Query(ctx, `SELECT version_id, tstamp FROM goose_db_version WHERE is_applied AND version_id > 0`)
	if err != nil {
		return nil, classify("read schema version", err, false)
	}
	var version int64
	var at time.Time
	_, err = pgx.ForEachRow(rows, []any{&version, &at}, func() error {
		has[version] = at.UTC()
		return nil
	})
	return has, classify("read schema version", err, false)
}

// checkSchema refuses a schema that is older than this program, and one that is newer and does not say that it still serves
// this program (expand/contract: in the course of an update, old and new nodes share one database). It returns the version
// that the schema has.
func checkSchema(ctx context.Context, conn *pgx.Conn) (has int64, err error) {
	if encoding := conn.PgConn().ParameterStatus("server_encoding"); encoding != "UTF8" {
		return 0, fmt.Errorf("its encoding is %s: make a database with ENCODING 'UTF8'", encoding)
	}
	applied, err := applied(ctx, conn)
	if err != nil {
		return 0, err
	}
	steps, err := known()
	if err != nil {
		return 0, err
	}
	for version := range applied {
		has = max(has, version)
	}
	knows := steps[len(steps)-1].Version
	if has < knows {
		return has, fmt.Errorf("%w: its schema is version %d, this program needs version %d: run `server migrate` first",
			chat.ErrUnavailable, has, knows)
	}
	if has == knows {
		return has, nil
	}
	var serves bool
	if err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM schema_serves WHERE version = $1 AND serves_from <= $2)`,
		has, knows).Scan(&serves); err != nil {
		return has, classify("read schema version", err, false)
	}
	if !serves {
		return has, fmt.Errorf("its schema is version %d, this program knows only version %d: start a newer version of gochat, "+
			"or restore an older backup", has, knows)
	}
	return has, nil
}
