package pgtest

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
)

// Dump writes a database into a file, as pg_dump does while it is in use.
func (s *Server) Dump(database string) (file string, err error) {
	file = filepath.Join(s.dir, database+".dump")
	cmd := s.command("pg_dump", "--format=custom", "--file="+file, s.url(superuser, database))
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("pg_dump: %w\n%s", err, s.Log())
	}
	return file, nil
}

// Restore puts what was dumped in the place of a database that is in use: first it is read into another one, then the two
// change places between two moments. What was there before goes by the name of aside.
func (s *Server) Restore(ctx context.Context, file, database, aside string) error {
	fresh := database + "_fresh"
	if _, err := s.Create(ctx, fresh); err != nil {
		return err
	}
	cmd := s.command("pg_restore", "--exit-on-error", "--dbname="+s.url(superuser, fresh), file)
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("pg_restore: %w\n%s", err, s.Log())
	}
	conn, err := s.Connect(ctx, "postgres")
	if err != nil {
		return err
	}
	for _, sql := range []string{
		"ALTER DATABASE " + database + " ALLOW_CONNECTIONS false",
		"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '" + database + "'",
		"ALTER DATABASE " + database + " RENAME TO " + aside,
		"ALTER DATABASE " + fresh + " RENAME TO " + database,
		"ALTER DATABASE " + aside + " ALLOW_CONNECTIONS true",
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", sql, err), conn.Close(ctx))
		}
	}
	return conn.Close(ctx)
}

// Drop removes a database, whoever uses it.
func (s *Server) Drop(ctx context.Context, database string) error {
	return s.Exec(ctx, "postgres", "DROP DATABASE "+database+" WITH (FORCE)")
}
