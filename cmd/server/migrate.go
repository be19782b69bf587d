package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/gochat-dev/gochat/internal/postgres"
)

// migrateCommand is a step of its own: several nodes start at once, and the schema is changed once.
type migrateCommand struct {
	Up     migrateUpCommand     `cmd:"" default:"withargs" help:"Apply what is missing (the default). Of several at once, one works and the others wait."`
	Status migrateStatusCommand `cmd:"" help:"Only show which migrations are applied."`
}

// awaiting is a command that may have to wait for its database.
type awaiting struct {
	Wait time.Duration `placeholder:"TIME" help:"Wait this long for a database that can't be reached yet: 30s, 5m."`
}

type migrateUpCommand struct {
	awaiting

	Report string `placeholder:"FILE" help:"Write the version that the schema has then to this file, as JSON: {\"schema\":12}."`
}

// Run brings the schema of the Postgres database up to date and names the steps that it took.
func (m migrateUpCommand) Run(c *cli) error {
	return c.migrate(m.Wait, func(ctx context.Context, url string) error {
		steps, err := postgres.Migrate(ctx, url)
		list(os.Stdout, steps)
		if err != nil {
			return err
		}
		if len(steps) == 0 {
			fmt.Println("the schema is up to date")
		}
		return m.report(ctx, url)
	})
}

// report tells a program what the schema is now.
func (m migrateUpCommand) report(ctx context.Context, url string) error {
	if m.Report == "" {
		return nil
	}
	steps, err := postgres.MigrationStatus(ctx, url)
	if err != nil {
		return err
	}
	var schema int64
	for _, step := range steps {
		if !step.AppliedAt.IsZero() {
			schema = max(schema, step.Version)
		}
	}
	return os.WriteFile(m.Report, fmt.Appendf(nil, "{\"schema\":%d}\n", schema), 0o600)
}

type migrateStatusCommand struct{ awaiting }

// Run shows where the schema stands.
func (m migrateStatusCommand) Run(c *cli) error {
	return c.migrate(m.Wait, func(ctx context.Context, url string) error {
		steps, err := postgres.MigrationStatus(ctx, url)
		list(os.Stdout, steps)
		return err
	})
}

// migrate runs what concerns the schema of the database that is set, when it can be reached within wait.
func (c *cli) migrate(wait time.Duration, run func(ctx context.Context, url string) error) error {
	cfg, log, err := c.settings()
	if err != nil {
		return err
	}
	if cfg.PostgresURL == "" {
		return errors.New("GOCHAT_POSTGRES_URL is not set: there is nothing to migrate, an SQLite file is brought up to date at the start")
	}
	if wait > 0 {
		if err := awaitDatabase(context.Background(), cfg.PostgresURL, wait, log); err != nil {
			return err
		}
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
