package pgtest

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func TestServer(t *testing.T) {
	s, err := Start(Config{Durable: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	url, err := s.Create(ctx, "mine")
	if err != nil {
		t.Fatal(err)
	}
	exec := func(sql string) error {
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			return err
		}
		_, err = conn.Exec(ctx, sql)
		return errors.Join(err, conn.Close(ctx))
	}
	if err := exec("CREATE TABLE kept (i int)"); err != nil {
		t.Fatal(err)
	}
	steps := []struct {
		name string
		do   func() error
	}{
		{"restart fast", func() error { return s.Restart(Fast) }},
		{"restart immediate", func() error { return s.Restart(Immediate) }},
		{"kill", func() error { return errors.Join(s.Kill(), s.Launch()) }},
		{"demote", func() error { return errors.Join(s.Demote(), readOnly(exec), s.Promote(ctx)) }},
	}
	for _, step := range steps {
		t.Run(step.name, func(t *testing.T) {
			if err := step.do(); err != nil {
				t.Fatal(err)
			}
			if err := exec("INSERT INTO kept VALUES (1)"); err != nil {
				t.Fatal(err)
			}
		})
	}
	t.Run("freeze", func(t *testing.T) {
		if err := s.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		if _, err := pgx.Connect(short, url); err == nil {
			t.Error("a frozen server answers")
		}
		if err := s.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		if err := exec("INSERT INTO kept VALUES (1)"); err != nil {
			t.Fatal(err)
		}
	})
	if err := s.Launch(); err == nil {
		t.Error("it was started twice")
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(s.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something is left in %s: %v", s.dir, err)
	}
}

func readOnly(exec func(sql string) error) error {
	if err := exec("INSERT INTO kept VALUES (1)"); err == nil || !strings.Contains(err.Error(), "25006") {
		return errors.Join(errors.New("it can be written to"), err)
	}
	return exec("SELECT * FROM kept")
}

func TestNotInstalled(t *testing.T) {
	t.Setenv("PG_BIN", t.TempDir())
	if _, err := Start(Config{}); err == nil || !strings.Contains(err.Error(), "apt-get install postgresql") {
		t.Fatalf("without Postgres: %v", err)
	}
}
