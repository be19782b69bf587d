package pgtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

var errNotInstalled = errors.New(`these tests need a real Postgres (14 or newer): run "apt-get install postgresql", ` +
	`or name the folder that holds initdb and postgres in PG_BIN`)

// Program is the path of one of Postgres' programs, such as pgbench.
func Program(name string) (string, error) {
	bin, err := binaries()
	if err != nil {
		return "", err
	}
	path, err := exec.LookPath(filepath.Join(bin, name))
	if err != nil {
		return "", fmt.Errorf("%w (%w)", errNotInstalled, err)
	}
	return path, nil
}

// binaries is the folder of Postgres' programs: the one named, the one in the path, or the newest of Debian's.
func binaries() (string, error) {
	if dir := os.Getenv("PG_BIN"); dir != "" {
		if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
			return "", fmt.Errorf("%w (%w)", errNotInstalled, err)
		}
		return dir, nil
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			return filepath.Dir(path), nil
		}
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errNotInstalled
	}
	newest := slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })
	return filepath.Dir(newest), nil
}

// version is the number in /usr/lib/postgresql/15/bin/initdb.
func version(path string) int {
	n, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	if err != nil {
		return 0
	}
	return n
}

// Owner is whom Postgres runs as, which refuses to be root; nil where the test isn't root either.
func Owner() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uerr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gerr := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(uerr, gerr); err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("postgres can't run as root, and there is no user postgres or nobody to run it as")
}
