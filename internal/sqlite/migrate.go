package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the schema up to what this binary knows, each step in a transaction of its own, and returns its version.
func migrate(ctx context.Context, db *sql.DB) (int64, error) {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return 0, fmt.Errorf("migrations: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, dir,
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return 0, fmt.Errorf("migrations: %w", err)
	}
	has, knows, err := p.GetVersions(ctx)
	if err != nil {
		return 0, fmt.Errorf("read schema version: %w", err)
	}
	if has > knows {
		return 0, fmt.Errorf("its schema is version %d, this program knows only version %d: start a newer version of gochat, or restore an older backup", has, knows)
	}
	if _, err := p.Up(ctx); err != nil {
		return 0, fmt.Errorf("bring schema from version %d to %d: %w", has, knows, err)
	}
	return knows, nil
}
