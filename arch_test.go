// Package gochat_test holds the repository to what its documents say: the arrows and goroutines of ARCHITECTURE.md,
// the rules of SPEC.md, and the house rules of CONTRIBUTING.md.
package gochat_test

import (
	"fmt"
	"go/ast"
	"go/doc"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
)

// The house rules (CONTRIBUTING.md).
const (
	maxFileLines     = 400 // of a file that is not a test
	maxFuncLines     = 100
	longFuncLines    = 60 // longer functions are rare:
	maxLongFuncs     = 5  // at most so many of a hundred
	maxMethods       = 7  // of an interface
	maxConstructorIn = 4  // parameters
)

// vague are names that say nothing about what is inside.
var vague = []string{"util", "utils", "common", "models", "types", "helper", "helpers", "manager", "misc", "shared"}

func TestArchitecture(t *testing.T) {
	faults, err := checkArchitecture(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range faults {
		t.Error(fault)
	}
}

// checkArchitecture returns what in a tree is against ARCHITECTURE.md and the house rules, sorted.
func checkArchitecture(tree fs.FS) ([]string, error) {
	s, err := readSource(tree)
	if err != nil {
		return nil, err
	}
	s.checkArrows()
	s.checkPackageComments()
	s.checkGoroutines()
	s.checkNames()
	s.checkSizes()
	slices.Sort(s.faults)
	return s.faults, nil
}

func (s *source) checkArrows() {
	there := make(map[string]bool)
	for _, f := range s.files {
		if f.test && !f.suite {
			s.checkTestImports(f)
			continue
		}
		from, known := s.arrows[f.dir]
		if !known && !there[f.dir] {
			s.faultf(f.ast.Package, "package %s is not in the arrow table of ARCHITECTURE.md", f.dir)
		}
		there[f.dir] = true
		if !known {
			continue
		}
		for _, imported := range f.ast.Imports {
			to, ours := ourImport(imported)
			switch {
			case !ours:
			case strings.HasPrefix(to, "cmd/"):
				s.faultf(imported.Pos(), "nothing may import a command, but %s imports %s", f.dir, to)
			case s.arrows[to].testsOnly && !f.suite:
				s.faultf(imported.Pos(), "only tests may import %s", to)
			case !from.anything && !from.imports[to]:
				s.faultf(imported.Pos(), "no arrow from %s to %s", f.dir, to)
			}
		}
	}
	for dir := range s.arrows {
		if !there[dir] {
			s.faults = append(s.faults, fmt.Sprintf("ARCHITECTURE.md: the arrow table names %s, which is not there", dir))
		}
	}
}

// checkTestImports: a test may use any package but a command.
func (s *source) checkTestImports(f *file) {
	for _, imported := range f.ast.Imports {
		if to, ours := ourImport(imported); ours && strings.HasPrefix(to, "cmd/") {
			s.faultf(imported.Pos(), "nothing may import a command, but %s imports %s", f.dir, to)
		}
	}
}

// ourImport returns the folder of an imported package of this module.
func ourImport(spec *ast.ImportSpec) (string, bool) {
	return strings.CutPrefix(strings.Trim(spec.Path.Value, `"`), module+"/")
}

// checkPackageComments: every package has one comment, and its first sentence is the one of the arrow table.
func (s *source) checkPackageComments() {
	type comment struct {
		pos   token.Pos
		texts []string
		name  string
	}
	packages := make(map[string]*comment)
	for _, f := range s.files {
		if strings.HasSuffix(f.path, "_test.go") {
			continue
		}
		p := packages[f.dir]
		if p == nil {
			p = &comment{pos: f.ast.Package, name: "Package " + f.ast.Name.Name}
			if f.ast.Name.Name == "main" {
				p.name = "Command " + path.Base(f.dir)
			}
			packages[f.dir] = p
		}
		if f.ast.Doc != nil {
			p.pos = f.ast.Doc.Pos()
			p.texts = append(p.texts, f.ast.Doc.Text())
		}
	}
	for dir, p := range packages {
		if len(p.texts) != 1 {
			s.faultf(p.pos, "package %s has %d package comments instead of one", dir, len(p.texts))
			continue
		}
		row, known := s.arrows[dir]
		if !known {
			continue // checkArrows has said so
		}
		want := p.name + " " + row.sentence + "."
		if got := new(doc.Package).Synopsis(p.texts[0]); got != want {
			s.faultf(p.pos, "the package comment begins %q, but by the arrow table it is %q", got, want)
		}
	}
}

// checkGoroutines: a goroutine starts only in a function of the goroutine table.
func (s *source) checkGoroutines() {
	used := make(map[string]bool)
	for _, f := range s.files {
		if f.test {
			continue
		}
		for _, decl := range f.ast.Decls {
			place := strings.TrimPrefix(f.dir, "internal/") + "." + declName(decl)
			ast.Inspect(decl, func(n ast.Node) bool {
				if n == nil || !startsGoroutine(n) {
					return true
				}
				row, ok := s.placeOf(place)
				if !ok {
					s.faultf(n.Pos(), "a goroutine starts in %s, which is not in the goroutine table of ARCHITECTURE.md", place)
				}
				used[row] = true
				return true
			})
		}
	}
	for place := range s.places {
		if !used[place] {
			s.faults = append(s.faults, fmt.Sprintf("ARCHITECTURE.md: the goroutine table names %s, where none starts", place))
		}
	}
}

// placeOf finds the place of the goroutine table that covers a function.
func (s *source) placeOf(place string) (string, bool) {
	if s.places[place] {
		return place, true
	}
	for row := range s.places {
		if prefix, open := strings.CutSuffix(row, "*"); open && strings.HasPrefix(place, prefix) {
			return row, true
		}
	}
	return "", false
}

// startsGoroutine: a go statement, or a call by the name of those that start one (WaitGroup.Go, errgroup's Go and
// TryGo, time's and context's AfterFunc, singleflight's DoChan).
func startsGoroutine(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.GoStmt:
		return true
	case *ast.CallExpr:
		sel, ok := n.Fun.(*ast.SelectorExpr)
		return ok && slices.Contains([]string{"Go", "TryGo", "AfterFunc", "DoChan"}, sel.Sel.Name)
	default:
		return false
	}
}

// declName is Function, Type.Method, or "var" for what is outside of functions.
func declName(decl ast.Decl) string {
	fn, ok := decl.(*ast.FuncDecl)
	if !ok {
		return "var"
	}
	if fn.Recv == nil {
		return fn.Name.Name
	}
	of := fn.Recv.List[0].Type
	if star, ok := of.(*ast.StarExpr); ok {
		of = star.X
	}
	if generic, ok := of.(*ast.IndexExpr); ok {
		of = generic.X
	}
	if id, ok := of.(*ast.Ident); ok {
		return id.Name + "." + fn.Name.Name
	}
	return fn.Name.Name
}

// checkNames: packages, folders and files are called by what they are about.
func (s *source) checkNames() {
	for _, f := range s.files {
		stem := strings.TrimSuffix(strings.TrimSuffix(path.Base(f.path), ".go"), "_test")
		for _, name := range append(strings.Split(f.dir, "/"), f.ast.Name.Name, stem) {
			if slices.Contains(vague, name) || strings.HasSuffix(name, "util") || strings.HasSuffix(name, "utils") {
				s.faultf(f.ast.Package, "%q names nothing: say what it is about", name)
			}
		}
	}
}

func (s *source) checkSizes() {
	funcs, long := 0, 0
	for _, f := range s.files {
		if ast.IsGenerated(f.ast) {
			continue
		}
		if f.lines > maxFileLines && (!f.test || f.suite) {
			s.faultf(f.ast.Package, "the file has %d lines, more than %d", f.lines, maxFileLines)
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				lines := s.lines(n, f.test)
				funcs++
				if lines > longFuncLines {
					long++
				}
				if lines > maxFuncLines {
					s.faultf(n.Pos(), "%s has %d lines, more than %d", n.Name.Name, lines, maxFuncLines)
				}
				if in := n.Type.Params.NumFields(); n.Recv == nil && strings.HasPrefix(n.Name.Name, "New") && in > maxConstructorIn {
					s.faultf(n.Pos(), "%s has %d parameters, more than %d: take a config struct", n.Name.Name, in, maxConstructorIn)
				}
			case *ast.InterfaceType:
				if methods := n.Methods.NumFields(); methods > maxMethods {
					s.faultf(n.Pos(), "the interface has %d methods, more than %d", methods, maxMethods)
				}
			}
			return true
		})
	}
	if long*100 > funcs*maxLongFuncs {
		s.faults = append(s.faults, fmt.Sprintf("%d of %d functions have more than %d lines: more than %d %%", long, funcs, longFuncLines, maxLongFuncs))
	}
}

// lines is how long a function is. The subtests within a test are functions of their own.
func (s *source) lines(fn *ast.FuncDecl, test bool) int {
	span := func(n ast.Node) int { return s.fset.Position(n.End()).Line - s.fset.Position(n.Pos()).Line }
	lines := span(fn) + 1
	ast.Inspect(fn, func(n ast.Node) bool {
		if lit, ok := n.(*ast.FuncLit); ok && test {
			lines -= span(lit)
			return false
		}
		return true
	})
	return lines
}
