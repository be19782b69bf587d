package postgres

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/gochat-dev/gochat/internal/chat"
)

// Each time-out is told by whose it was: the server's have a code, and end a call before the 7 s of this side do. How
// long that took on a busy machine says nothing.
func TestTimeouts(t *testing.T) {
	ctx := context.Background()
	t.Run("of a statement", func(t *testing.T) {
		t.Parallel()
		w := build(t, 1, 1)
		_, err := w.exec(ctx, "sleep", `SELECT pg_sleep(30)`)
		unavailable(t, "a statement that takes for ever", err)
		if code(err) != "57014" {
			t.Errorf("it ended with %v", err)
		}
	})
	t.Run("of a lock", func(t *testing.T) {
		t.Parallel()
		w := build(t, 1, 3)
		w.on(t, func(c *pgx.Conn) { // has no time-outs
			if _, err := c.Exec(ctx, `BEGIN; SELECT 1 FROM rooms WHERE id <> '`+w.rooms[2]+`' FOR UPDATE`); err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			for _, d := range []chat.Draft{w.text(0, 0), w.renaming(1, "new")} {
				wg.Go(func() {
					_, err := w.Append(ctx, []chat.Draft{d, w.text(2, 0)}, nil)
					unavailable(t, "a batch for a locked room", err)
					if code(err) != "55P03" {
						t.Errorf("it ended with %v", err)
					}
				})
			}
			wg.Wait()
			w.append(t, w.text(2, 0)) // a room that nobody holds
			if _, err := c.Exec(ctx, `ROLLBACK`); err != nil {
				t.Fatal(err)
			}
		})
		w.append(t, w.text(0, 0))
		if n, m := len(logOf(t, w.Store, w.rooms[0])), len(logOf(t, w.Store, w.rooms[2])); n != 2 || m != 2 {
			t.Errorf("%d and %d entries", n, m)
		}
	})
	t.Run("of a transaction that says nothing", func(t *testing.T) {
		t.Parallel()
		w := build(t, 1, 1)
		err := w.write(ctx, "doze", func(ctx context.Context, tx pgx.Tx) error {
			if _, err := lockRoom(ctx, tx, w.rooms[0]); err != nil {
				return err
			}
			w.append(t, w.text(0, 0)) // waits until the server has ended this one
			return nil
		})
		unavailable(t, "a transaction that dozed", err)
	})
	t.Run("of the caller", func(t *testing.T) {
		t.Parallel()
		w := build(t, 1, 1)
		ctx, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		defer cancel()
		_, err := w.exec(ctx, "sleep", `SELECT pg_sleep(30)`)
		unavailable(t, "a caller without patience", err)
		if code(err) != "" {
			t.Errorf("the server ended it first: %v", err)
		}
		w.append(t, w.text(0, 0))
	})
}

// A node that freezes while it holds a room's lock holds it for less than 5 s, and what it does when it goes on is
// refused. Sent again, it is stored.
func TestFrozenInATransaction(t *testing.T) {
	t.Parallel()
	w := build(t, 1, 1)
	cmd := appenderTask{URL: w.url, Users: w.users, Rooms: w.rooms, Hold: true}.start(t)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	hold, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	freeze(t, cmd)
	began := time.Now()
	w.append(t, w.text(0, 0), w.text(0, 0))
	took := time.Since(began)
	t.Logf("the room was free after %v", took)
	if took > 5*time.Second {
		t.Error("that is too long")
	}
	thaw(t, cmd)
	if err := hold.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the frozen process: %v", err)
	}
	if n := len(logOf(t, w.Store, w.rooms[0])); n != 4 {
		t.Errorf("%d entries", n)
	}
}

// A node that freezes while it appends texts holds no lock at all, wherever it is.
func TestFrozenInABatch(t *testing.T) {
	t.Parallel()
	w := build(t, 4, 2)
	cmd := appenderTask{URL: w.url, Users: w.users, Rooms: w.rooms, Texts: 1_000_000}.start(t)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	head := func() int64 {
		got, err := w.Compare(context.Background(), chat.CompareQuery{Rooms: w.rooms})
		if err != nil {
			t.Fatal(err)
		}
		return got.Heads[w.rooms[0]].Seq + got.Heads[w.rooms[1]].Seq
	}
	var longest time.Duration
	for i := range 30 {
		deadline := time.Now().Add(20 * time.Second)
		for before := head(); head() < before+int64(20+i); { // it is at work
			if time.Now().After(deadline) {
				t.Fatal("the process does nothing")
			}
			time.Sleep(time.Millisecond) // between two looks; nothing depends on how long
		}
		freeze(t, cmd)
		began := time.Now()
		w.append(t, w.text(0, 0), w.text(1, 0))
		longest = max(longest, time.Since(began))
		thaw(t, cmd)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	t.Logf("beside a frozen node, a batch took %v at most", longest)
	if longest > idleTimeout-500*time.Millisecond { // when the server would end a transaction that a frozen node holds open
		t.Error("that is too long for nothing to wait for")
	}
	logOf(t, w.Store, w.rooms[0])
}

// hold says that it holds the lock of a room, and commits when it is told to go on. By then its transaction is over:
// whoever reads that line freezes this process. It does not stop itself, because the signal reaches it through any
// of its threads, and the one that sent it may get as far as the commit before.
func (a *appenderTask) hold(ctx context.Context, s *Store) error {
	_, err := s.transact(ctx, func(ctx context.Context, tx pgx.Tx) error {
		b := &batch{drafts: []chat.Draft{a.textOf(0, 0)}, outcomes: make([]chat.Outcome, 1)}
		if err := b.texts(ctx, tx, []int{0}); err != nil {
			return err
		}
		if _, err := fmt.Println("{}"); err != nil { // the lock is held
			return err
		}
		_, err := io.Copy(io.Discard, os.Stdin)
		return err
	})
	if err == nil {
		return errors.New("what was done in the frozen transaction was committed")
	}
	if err := classify("append", err, false); !errors.Is(err, chat.ErrUnavailable) {
		return fmt.Errorf("it ended with %w", err)
	}
	out, err := s.Append(ctx, []chat.Draft{a.textOf(0, 0)}, nil)
	if err == nil && out[0].Duplicate {
		err = errors.New("it was stored after all")
	}
	return err
}

// freeze stops a process, and returns when all of its threads have stopped.
func freeze(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	for {
		var status syscall.WaitStatus
		_, err := syscall.Wait4(cmd.Process.Pid, &status, syscall.WUNTRACED, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil:
			t.Fatal(err)
		case !status.Stopped():
			t.Fatalf("the process has ended instead: %v", status)
		}
		return
	}
}

// thaw lets a frozen process go on.
func thaw(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
}
