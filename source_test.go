package gochat_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

const module = "github.com/gochat-dev/gochat"

// source is the project's Go code, parsed, and the tables of ARCHITECTURE.md that it is held to.
type source struct {
	fset   *token.FileSet
	files  []*file
	arrows map[string]arrow // by folder
	places map[string]bool  // where goroutines may start; a trailing * stands for anything
	faults []string
}

// file is one Go file.
type file struct {
	path, dir string
	test      bool // _test.go, or of a package that only tests import
	suite     bool // of a package that only tests import, and no _test.go
	lines     int
	ast       *ast.File
}

// arrow is one row of the arrow table: what a package is, and what it may import of ours.
type arrow struct {
	sentence  string
	imports   map[string]bool
	anything  bool
	testsOnly bool
}

// skipped are folders without code of ours: what was installed, built or generated, and the tools' module.
var skipped = []string{"node_modules", "testdata", "bin", "data", "dist", "tools", "applyconfiguration"}

// readSource parses a tree. Faults of the tree are noted; the error is for what can't be read at all.
func readSource(tree fs.FS) (*source, error) {
	text, err := fs.ReadFile(tree, "ARCHITECTURE.md")
	if err != nil {
		return nil, err
	}
	s := &source{fset: token.NewFileSet()}
	if err := s.readTables(string(text)); err != nil {
		return nil, err
	}
	err = eachFile(tree, func(name string, content []byte) error {
		if path.Ext(name) != ".go" {
			return nil
		}
		parsed, err := parser.ParseFile(s.fset, name, content, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		dir := path.Dir(name)
		test := strings.HasSuffix(name, "_test.go")
		suite := !test && s.arrows[dir].testsOnly
		s.files = append(s.files, &file{
			path: name, dir: dir, suite: suite, test: test || suite,
			lines: strings.Count(string(content), "\n"), ast: parsed,
		})
		return nil
	})
	return s, err
}

// eachFile calls visit with every file that may hold code or tests of ours.
func eachFile(tree fs.FS, visit func(name string, content []byte) error) error {
	return fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist): // removed by somebody while we walk
			return nil
		case err != nil:
			return err
		case d.IsDir() && name != "." && (slices.Contains(skipped, d.Name()) || strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case d.IsDir() || !slices.Contains([]string{".go", ".ts", ".tsx", ".js", ".mjs"}, path.Ext(name)):
			return nil
		}
		content, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		return visit(name, content)
	})
}

func (s *source) readTables(architecture string) error {
	arrowRows, err := tableBelow(architecture, "## Arrows")
	if err != nil {
		return err
	}
	s.arrows = make(map[string]arrow)
	for _, row := range arrowRows {
		if len(row) != 3 {
			return fmt.Errorf("ARCHITECTURE.md: arrow row %q: want package, imports, sentence", row)
		}
		a := arrow{sentence: row[2], imports: make(map[string]bool)}
		a.anything = strings.Contains(row[1], "anything")
		a.testsOnly = strings.Contains(row[1], "only tests import it")
		for _, name := range codeSpans(row[1]) {
			a.imports[folder(name)] = true
		}
		for _, name := range codeSpans(row[0]) {
			s.arrows[folder(name)] = a
		}
	}
	goRows, err := tableBelow(architecture, "## Goroutines")
	if err != nil {
		return err
	}
	s.places = make(map[string]bool)
	for _, row := range goRows {
		if len(row) < 2 || len(codeSpans(row[1])) == 0 {
			return fmt.Errorf("ARCHITECTURE.md: goroutine row %q: want the functions that start it in the second column", row)
		}
		for _, name := range codeSpans(row[1]) {
			s.places[name] = true
		}
	}
	return nil
}

// tableBelow returns the cells of the first Markdown table below a heading, without its head.
func tableBelow(markdown, heading string) ([][]string, error) {
	_, below, found := strings.Cut("\n"+markdown, "\n"+heading+"\n")
	if !found {
		return nil, fmt.Errorf("no heading %q", heading)
	}
	var rows [][]string
	for line := range strings.SplitSeq(below, "\n") {
		inTable := strings.HasPrefix(line, "|")
		if !inTable && len(rows) > 0 {
			break
		}
		if !inTable {
			continue
		}
		var cells []string
		for cell := range strings.SplitSeq(strings.Trim(line, "|"), "|") {
			cells = append(cells, strings.TrimSpace(cell))
		}
		rows = append(rows, cells)
	}
	if len(rows) < 3 {
		return nil, fmt.Errorf("no table below %q", heading)
	}
	return rows[2:], nil
}

var codeSpan = regexp.MustCompile("`([^`]+)`")

func codeSpans(cell string) []string {
	var spans []string
	for _, m := range codeSpan.FindAllStringSubmatch(cell, -1) {
		spans = append(spans, m[1])
	}
	return spans
}

// folder is where a package of the tables lives: internal/ is left out there.
func folder(name string) string {
	if name == "web" || strings.HasPrefix(name, "cmd/") || strings.HasPrefix(name, "api/") {
		return name
	}
	return "internal/" + name
}

func (s *source) faultf(pos token.Pos, format string, args ...any) {
	at := s.fset.Position(pos)
	s.faults = append(s.faults, fmt.Sprintf("%s:%d: ", at.Filename, at.Line)+fmt.Sprintf(format, args...))
}
