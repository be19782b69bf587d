// Package faults breaks what several nodes rest on, for real, and checks what must still hold: the built server as three
// processes, a real Postgres, a real Redis, and people at their WebSockets. docs/faults.md says which test is which fault.
package faults

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/gochat-dev/gochat/internal/pgtest"
)

var (
	long     = flag.Bool("long", false, "faults last as long as they are specified to, not as short as they may")
	duration = flag.Duration("duration", 0, "how long random faults are made, one over the other (make faults)")
	mutants  = flag.Bool("mutants", false, "take each protection out of the product, and see its test fail")
	seed     = flag.Uint64("seed", 0, "seed of what is random; 0: of the clock")
)

// binary is the server under test: built here, unless GOCHAT_FAULTS_SERVER names one.
var binary string

// databases are those of the sets of nodes whose fault is not Postgres'.
var databases = pgtest.Databases{
	Config:  pgtest.Config{Params: map[string]string{"max_connections": "500"}},
	Prepare: migrate,
}

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	flag.Parse()
	if testing.Short() {
		fmt.Println("test/faults: skipped: it runs servers for some minutes")
		return 0
	}
	// Faults are mostly waiting: more of them at once than there are processors.
	if err := flag.Set("test.parallel", "5"); err != nil {
		return fail(err)
	}
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	dir, err := os.MkdirTemp("", "gochat-faults-")
	if err != nil {
		return fail(err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // what is left of it is of no use
	if binary = os.Getenv("GOCHAT_FAULTS_SERVER"); binary == "" {
		binary = filepath.Join(dir, "server")
		if out, err := exec.Command("go", "build", "-o", binary, "../../cmd/server").CombinedOutput(); err != nil {
			return fail(fmt.Errorf("building the server: %w\n%s", err, out))
		}
	}
	code := m.Run()
	if err := databases.Stop(); err != nil {
		return fail(err)
	}
	return code
}

func fail(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// migrate makes the schema, as people do.
func migrate(ctx context.Context, url string) error {
	cmd := exec.CommandContext(ctx, binary, "migrate")
	cmd.Env = environment("GOCHAT_POSTGRES_URL=" + url)
	if out, err := cmd.CombinedOutput(); err != nil {
		return errors.Join(fmt.Errorf("migrate: %w", err), errors.New(string(out)))
	}
	return nil
}

// lasting is how long a fault lasts: in the long form as it is specified, else shorter.
func lasting(full, short time.Duration) time.Duration {
	if *long {
		return full
	}
	return short
}
