package faults

import (
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// row is one way of breaking things. Its name ends with the rules that it is about.
type row struct {
	name  string
	do    func(t *testing.T)
	alone bool // it measures: nothing else runs beside it
}

func rows() []row {
	var all []row
	for _, some := range [][]row{instanceRows, redisRows, postgresRows, restoreRows, clientRows} {
		all = append(all, some...)
	}
	return all
}

// TestFaults breaks one thing at a time, each on a set of nodes of its own.
func TestFaults(t *testing.T) {
	all := rows()
	if *long {
		t.Logf("order of seed %d", *seed)
		dice := rand.New(rand.NewPCG(*seed, 1))
		dice.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	}
	for _, r := range all {
		t.Run(r.name, func(t *testing.T) {
			if !r.alone {
				t.Parallel()
			}
			r.do(t)
		})
	}
}

// TestTable holds docs/faults.md to the tests: each row of TestFaults is there, and what it names exists.
func TestTable(t *testing.T) {
	document, err := os.ReadFile("../../docs/faults.md")
	if err != nil {
		t.Fatal(err)
	}
	named := make(map[string]bool)
	for _, m := range regexp.MustCompile("`TestFaults/([^`]+)`").FindAllStringSubmatch(string(document), -1) {
		named[m[1]] = true
	}
	for _, r := range rows() {
		if !named[r.name] {
			t.Errorf("docs/faults.md does not name TestFaults/%s", r.name)
		}
		delete(named, r.name)
	}
	for name := range named {
		t.Errorf("docs/faults.md names TestFaults/%s, which is not there", name)
	}
	for _, r := range rows() {
		if !slices.ContainsFunc(protections, func(m mutant) bool { return m.row == r.name }) {
			t.Errorf("no protection is taken out for TestFaults/%s", r.name)
		}
	}
	there := testsOf(t, "../../internal", "../../cmd", "..")
	for _, m := range regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z]+)`").FindAllStringSubmatch(string(document), -1) {
		if !there[m[1]] {
			t.Errorf("docs/faults.md names %s, which is not there", m[1])
		}
	}
}

// testsOf are the names of the tests in some folders and those below them.
func testsOf(t *testing.T, folders ...string) map[string]bool {
	t.Helper()
	names := make(map[string]bool)
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Za-z]+)\(`)
	for _, folder := range folders {
		err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && d.Name() == "node_modules":
				return fs.SkipDir
			case !strings.HasSuffix(path, "_test.go"):
				return nil
			}
			text, err := os.ReadFile(path)
			for _, m := range declared.FindAllStringSubmatch(string(text), -1) {
				names[m[1]] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return names
}
