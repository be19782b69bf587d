package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/gochat-dev/gochat/internal/chat"
)

// appenderTask is what a process is to do, which a test starts from its own binary: the task is in its environment, and
// what it has done goes to its standard output, a JSON object per line.
type appenderTask struct {
	URL          string
	Users, Rooms []string
	Wanderers    []string // people who come and go
	Texts        int      // of each user
	Seed         uint64
	Hold         bool // hold a room's lock in an explicit transaction, until standard input ends
}

// placed is where a process found a text.
type placed struct {
	Key chat.Key
	At  chat.Position
}

const taskVariable = "GOCHAT_TEST_APPENDER"

// runAppender does the task of this process, if it has one.
func runAppender() bool {
	text := os.Getenv(taskVariable)
	if text == "" {
		return false
	}
	var task appenderTask
	err := json.Unmarshal([]byte(text), &task)
	if err == nil {
		err = task.run(context.Background())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return true
}

func (a *appenderTask) run(ctx context.Context) error {
	s, err := Open(ctx, Config{URL: a.URL, Writers: 4})
	if err != nil {
		return err
	}
	defer s.Close()
	if a.Hold {
		return a.hold(ctx, s)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	out := json.NewEncoder(os.Stdout) // guarded by mu
	var failed error                  // guarded by mu
	for u := range a.Users {
		wg.Go(func() {
			err := a.send(ctx, s, u, func(p placed) error {
				mu.Lock()
				defer mu.Unlock()
				return out.Encode(p)
			})
			mu.Lock()
			defer mu.Unlock()
			failed = errors.Join(failed, err)
		})
	}
	wg.Wait()
	return failed
}

// textOf is the same draft in every process.
func (a *appenderTask) textOf(u, i int) chat.Draft {
	return chat.Draft{
		RoomID: a.Rooms[(u+i)%len(a.Rooms)], SenderID: a.Users[u], Kind: chat.KindText, Body: fmt.Sprint(u, " ", i), At: time.Now(),
		ClientID: uuid.NewSHA1(uuid.Nil, fmt.Append(nil, u, " ", i)).String(),
	}
}

// wander is somebody who comes into a room, or leaves it: which of the two is possible, the store knows.
func (a *appenderTask) wander(rng *rand.Rand) chat.Draft {
	who := a.Wanderers[rng.IntN(len(a.Wanderers))]
	d := chat.Draft{RoomID: a.Rooms[rng.IntN(len(a.Rooms))], SenderID: who, ClientID: chat.NewID(), At: time.Now()}
	if rng.IntN(2) == 0 {
		d.Kind, d.Join = chat.KindMemberJoined, &chat.Joining{}
	} else {
		d.Kind, d.Leave = chat.KindMemberLeft, &chat.MemberLeft{UserID: who}
	}
	return d
}

// send appends all texts of a user in batches of any size, with a change of somebody's membership in between.
func (a *appenderTask) send(ctx context.Context, s *Store, u int, report func(placed) error) error {
	rng := rand.New(rand.NewPCG(a.Seed, uint64(u)))
	for i := 0; i < a.Texts; {
		var batch []chat.Draft
		for range 1 + rng.IntN(12) {
			if i < a.Texts {
				batch = append(batch, a.textOf(u, i))
				i++
			}
			if len(a.Wanderers) > 0 && rng.IntN(8) == 0 {
				batch = append(batch, a.wander(rng))
			}
		}
		firsts := map[string]int64{batch[0].RoomID: int64(rng.IntN(2 * a.Texts))}
		out, err := s.Append(ctx, batch, firsts)
		// As the relay does (SEQ3): on a busy machine, a batch that meets one deadlock after the other runs out of time.
		for try := 1; try < 20 && (errors.Is(err, chat.ErrUnavailable) || errors.Is(err, chat.ErrUnknownOutcome)); try++ {
			out, err = s.Append(ctx, batch, firsts)
		}
		if err != nil {
			return err
		}
		for j, o := range out {
			if batch[j].Kind != chat.KindText {
				continue // refused or not: what became of it stands in the log
			}
			if o.Err != nil {
				return o.Err
			}
			if err := report(placed{batch[j].Key(), o.Entry.Position()}); err != nil {
				return err
			}
		}
	}
	return nil
}

// start makes a process of its own for a task. If the test fails before it has waited for it, it is killed.
func (a appenderTask) start(t *testing.T) *exec.Cmd {
	t.Helper()
	text, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), taskVariable+"="+string(text))
	cmd.Stderr = os.Stderr
	t.Cleanup(func() {
		if cmd.Process == nil || cmd.ProcessState != nil {
			return // not started, or over
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = cmd.Wait() // it was killed
	})
	return cmd
}

// Several nodes append to the same rooms: everything is sent by all of them, members come and go, and somebody
// else locks rooms in the wrong order.
func TestProcesses(t *testing.T) {
	const processes, texts = 4, 40
	w := build(t, 6, 4)
	task := appenderTask{URL: w.url, Users: w.users, Rooms: w.rooms, Texts: texts}
	for i := range 4 {
		u := chat.User{ID: chat.NewID(), Username: fmt.Sprint("wanderer", i), DisplayName: "Wanderer"}
		if _, err := w.CreateUser(context.Background(), u, "x"); err != nil {
			t.Fatal(err)
		}
		task.Wanderers = append(task.Wanderers, u.ID)
	}
	stop := w.crossLocks(t)
	places := make(map[chat.Key]chat.Position)
	var running []*exec.Cmd
	var outputs []*json.Decoder
	for p := range processes {
		task.Seed = uint64(p)
		cmd := task.start(t)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		running, outputs = append(running, cmd), append(outputs, json.NewDecoder(out))
	}
	for p, out := range outputs {
		for n := 0; ; n++ {
			var got placed
			if err := out.Decode(&got); err != nil { // the end
				if n != texts*len(w.users) {
					t.Errorf("process %d placed %d texts", p, n)
				}
				break
			}
			if first, ok := places[got.Key]; ok && first != got.At {
				t.Errorf("[SEQ2] %v stands at %v and at %v", got.Key, first, got.At)
			}
			places[got.Key] = got.At
		}
		if err := running[p].Wait(); err != nil {
			t.Errorf("process %d: %v", p, err)
		}
	}
	deadlocks := stop()
	t.Logf("%d deadlocks in which a batch was the victim", deadlocks)
	if deadlocks == 0 {
		t.Error("no deadlock was provoked")
	}
	t.Run("[SEQ1][SEQ2] every text stands once, where every process was told", func(t *testing.T) { w.checkPlaces(t, places) })
	t.Run("[SEQ8] the members are who the logs say", func(t *testing.T) { w.checkMembers(t) })
}

// checkPlaces compares the logs with what the processes were told.
func (w world) checkPlaces(t *testing.T, places map[chat.Key]chat.Position) {
	stored := 0
	for _, room := range w.rooms {
		next := make(map[string]int)
		for _, e := range logOf(t, w.Store, room) {
			if e.Kind != chat.KindText {
				continue
			}
			stored++
			key := chat.Key{RoomID: room, SenderID: e.SenderID, ClientID: e.ClientID}
			if places[key] != e.Position() {
				t.Errorf("%v stands at %v, the processes say %v", key, e.Position(), places[key])
			}
			var u, i int
			if _, err := fmt.Sscan(e.Body, &u, &i); err != nil || i < next[e.SenderID] {
				t.Errorf("[SEQ7] %q comes after %d (%v)", e.Body, next[e.SenderID], err)
			}
			next[e.SenderID] = i
		}
	}
	if stored != len(places) {
		t.Errorf("%d texts stored, %d told", stored, len(places))
	}
}

// checkMembers compares memberships, and their count, with what comes of the logs.
func (w world) checkMembers(t *testing.T) {
	for _, room := range w.rooms {
		want := make(map[string]bool)
		for _, e := range logOf(t, w.Store, room) {
			switch e.Kind {
			case chat.KindMemberJoined:
				if want[e.Subject()] {
					t.Errorf("%s joined twice", e.Subject())
				}
				want[e.Subject()] = true
			case chat.KindMemberLeft:
				if !want[e.Subject()] {
					t.Errorf("%s left from outside", e.Subject())
				}
				delete(want, e.Subject())
			}
		}
		live, err := w.Load(context.Background(), room, 0)
		if err != nil {
			t.Fatal(err)
		}
		view, err := w.Room(context.Background(), room, w.users[0])
		if err != nil {
			t.Fatal(err)
		}
		if len(live.Members) != len(want) || view.MemberCount != len(want) {
			t.Errorf("%d members, counted as %d; by the log %d", len(live.Members), view.MemberCount, len(want))
		}
		for _, id := range live.Members {
			if !want[id] {
				t.Errorf("%s is a member", id)
			}
		}
	}
}

// crossLocks locks two rooms again and again in the order in which Append does not, slowly enough that a batch
// waits first: it is the batch that the server then ends. stop returns how often it did.
func (w world) crossLocks(t *testing.T) (stop func() int64) {
	t.Helper()
	ctx := context.Background()
	server := databases.Server(t)
	var name string
	w.on(t, func(c *pgx.Conn) { name = c.Config().Database })
	if err := server.Exec(ctx, "postgres", "ALTER DATABASE "+name+" SET deadlock_timeout = '30ms'"); err != nil {
		t.Fatal(err)
	}
	w.writers.Reset()
	conn, err := server.Connect(ctx, name)
	if err != nil {
		t.Fatal(err)
	}
	enough := make(chan struct{})
	lost := make(chan int64)
	go func() {
		var mine int64 // deadlocks that ended this side
		defer func() { lost <- mine }()
		for {
			select {
			case <-enough:
				return
			case <-time.After(100 * time.Millisecond): // else no batch would ever come through
			}
			_, err := conn.Exec(ctx, `DO $$ DECLARE it bigint; BEGIN
				FOR it IN SELECT num FROM rooms ORDER BY id DESC LOOP
					PERFORM 1 FROM rooms WHERE num = it FOR UPDATE;
					PERFORM pg_sleep(0.01);
				END LOOP; END $$`)
			switch {
			case code(err) == deadlockDetected:
				mine++
			case err != nil:
				t.Error(err)
				return
			}
		}
	}()
	return func() int64 {
		close(enough)
		mine := <-lost
		if err := conn.Close(ctx); err != nil {
			t.Error(err)
		}
		return w.deadlocks(t) - mine
	}
}

// deadlocks is how many the server has counted in this database.
func (w world) deadlocks(t *testing.T) (n int64) {
	t.Helper()
	_ = w.scans(t) // the connections have ended, and reported
	w.on(t, func(c *pgx.Conn) {
		if err := c.QueryRow(context.Background(), `SELECT deadlocks FROM pg_stat_database
			WHERE datname = current_database()`).Scan(&n); err != nil {
			t.Fatal(err)
		}
	})
	return n
}
