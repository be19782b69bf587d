package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/gochat-dev/gochat/internal/postgres"
)

// migrateCommand is a step of its own: several nodes start at once, and the schema is changed once.
type migrateCommand struct {
	Up     migrateUpCommand     `cmd:"" default:"1" help:"Apply what is missing (the default). Of several at once, one works and the others wait."`
	Status migrateStatusCommand `cmd:"" help:"Only show which migrations are applied."`
}

type (
	migrateUpCommand     struct{}
	migrateStatusCommand struct{}
)

// Run brings the schema of the Postgres database up to date and names the steps that it took.
func (migrateUpCommand) Run(c *cli) error {
	return c.migrate(func(ctx context.Context, url string) error {
		steps, err := postgres.Migrate(ctx, url)
		list(os.Stdout, steps)
		if err == nil && len(steps) == 0 {
			_, err = fmt.Println("the schema is up to date")
		}
		return err
	})
}

// Run shows where the schema stands.
func (migrateStatusCommand) Run(c *cli) error {
	return c.migrate(func(ctx context.Context, url string) error {
		steps, err := postgres.MigrationStatus(ctx, url)
		list(os.Stdout, steps)
		return err
	})
}

// migrate runs what concerns the schema of the database that is set.
func (c *cli) migrate(run func(ctx context.Context, url string) error) error {
	cfg, _, err := c.settings()
	if err != nil {
		return err
	}
	if cfg.PostgresURL == "" {
		return errors.New("GOCHAT_POSTGRES_URL is not set: there is nothing to migrate, an SQLite file is brought up to date at the start")
	}
	ctx, cancel := context.WithTimeout(context.Background(), postgres.MigrationTimeout)
	defer cancel()
	return run(ctx, cfg.PostgresURL)
}

// list writes a line per step; what can't be written to a terminal that is gone is nobody's loss.
func list(out io.Writer, steps []postgres.Migration) {
	for _, one := range steps {
		applied := "not applied"
		if !one.AppliedAt.IsZero() {
			applied = one.AppliedAt.UTC().Format("2006-01-02 15:04:05")
		}
		_, _ = fmt.Fprintf(out, "%04d  %-19s  %s\n", one.Version, applied, one.Name)
	}
}
