package gochat_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestSpec(t *testing.T) {
	faults, err := checkSpec(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range faults {
		t.Error(fault)
	}
}

var (
	specRule   = regexp.MustCompile(`(?m)^- \*\*([A-Z]{2,4}[0-9]+)\*\*( \*\(planned\)\*)?`)
	testedRule = regexp.MustCompile(`^\s*\[([A-Z]{2,4}[0-9]+)\]`)
	webTitle   = regexp.MustCompile("['\"`](\\s*\\[[A-Z]{2,4}[0-9]+\\][^'\"`]*)")
	webSkipped = regexp.MustCompile(`\.(skip|todo|fixme)\b`)
	webTest    = regexp.MustCompile(`\.(test|spec)\.(ts|tsx|js|mjs)$`)
)

// checkSpec returns what is wrong between SPEC.md and the tests, sorted: a rule that is not planned and that no test
// names, a test or comment that names a rule which does not exist, a suite that nobody runs.
//
// A test names rules at the beginning of its title: "[SEQ2] a resend returns the first number".
func checkSpec(tree fs.FS) ([]string, error) {
	text, err := fs.ReadFile(tree, "SPEC.md")
	if err != nil {
		return nil, err
	}
	s, err := readSource(tree)
	if err != nil {
		return nil, err
	}
	planned := make(map[string]bool)
	tested := make(map[string]bool)
	var ids []string
	for _, m := range specRule.FindAllStringSubmatch(string(text), -1) {
		if slices.Contains(ids, m[1]) {
			s.faults = append(s.faults, "SPEC.md: "+m[1]+" stands there twice")
		}
		ids = append(ids, m[1])
		planned[m[1]] = m[2] != ""
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("no rule found in SPEC.md")
	}
	note := func(at, rule string) {
		if !slices.Contains(ids, rule) {
			s.faults = append(s.faults, at+": there is no rule "+rule+" in SPEC.md")
		}
		tested[rule] = true
	}
	s.goTitles(note)
	if err := webTitles(tree, note); err != nil {
		return nil, err
	}
	for _, id := range ids {
		if !planned[id] && !tested[id] {
			s.faults = append(s.faults, "SPEC.md: no test names "+id)
		}
	}
	s.checkComments(ids)
	s.checkSuites()
	slices.Sort(s.faults)
	return s.faults, nil
}

// titledRules returns the rules that a title begins with.
func titledRules(title string) []string {
	var rules []string
	for {
		m := testedRule.FindStringSubmatch(title)
		if m == nil {
			return rules
		}
		rules = append(rules, m[1])
		title = title[len(m[0]):]
	}
}

// goTitles notes the rules that Go tests name, in the tests themselves and in the suites. What a test prints is no title.
func (s *source) goTitles(note func(at, rule string)) {
	prints := []string{"Error", "Errorf", "Fatal", "Fatalf", "Log", "Logf", "Skip", "Skipf", "New"}
	for _, f := range s.files {
		if !f.test {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if sel, ok := call.Fun.(*ast.SelectorExpr); ok && slices.Contains(prints, sel.Sel.Name) {
					return false
				}
			}
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			title, err := strconv.Unquote(lit.Value)
			if err != nil {
				return true // the parser has accepted it, so this can't be
			}
			for _, rule := range titledRules(title) {
				at := s.fset.Position(lit.Pos())
				note(fmt.Sprintf("%s:%d", at.Filename, at.Line), rule)
			}
			return true
		})
	}
}

// webTitles notes the rules that the web app's unit tests and the browser tests name.
func webTitles(tree fs.FS, note func(at, rule string)) error {
	return eachFile(tree, func(name string, content []byte) error {
		inBrowser := strings.HasPrefix(name, "test/e2e/") && path.Ext(name) != ".go"
		if !inBrowser && (!strings.HasPrefix(name, "web/") || !webTest.MatchString(name)) {
			return nil
		}
		number := 0
		for line := range strings.Lines(string(content)) {
			number++
			if webSkipped.MatchString(line) {
				continue
			}
			for _, m := range webTitle.FindAllStringSubmatch(line, -1) {
				for _, rule := range titledRules(m[1]) {
					note(fmt.Sprintf("%s:%d", name, number), rule)
				}
			}
		}
		return nil
	})
}

// checkComments: a rule that a comment of the code refers to exists.
func (s *source) checkComments(ids []string) {
	var families []string
	for _, id := range ids {
		families = append(families, strings.TrimRight(id, "0123456789"))
	}
	slices.Sort(families)
	mention := regexp.MustCompile(`\b(` + strings.Join(slices.Compact(families), "|") + `)[0-9]+\b`)
	for _, f := range s.files {
		for _, group := range f.ast.Comments {
			for _, id := range mention.FindAllString(group.Text(), -1) {
				if !slices.Contains(ids, id) {
					s.faultf(group.Pos(), "there is no rule %s in SPEC.md", id)
				}
			}
		}
	}
}

// checkSuites: each exported suite (a function that takes a *testing.T, in a package that only tests import) is run by
// some test; otherwise the rules that it names would be proven by nobody.
func (s *source) checkSuites() {
	called := make(map[string]bool)
	for _, f := range s.files {
		if !f.test || f.suite {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if pkg, ok := n.X.(*ast.Ident); ok {
					called[pkg.Name+"."+n.Sel.Name] = true
				}
			case *ast.CallExpr:
				if fn, ok := n.Fun.(*ast.Ident); ok {
					called[strings.TrimSuffix(f.ast.Name.Name, "_test")+"."+fn.Name] = true
				}
			}
			return true
		})
	}
	for _, f := range s.files {
		if !f.suite {
			continue
		}
		for _, decl := range f.ast.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Recv != nil || !strings.HasPrefix(fn.Name.Name, "Test") || !takesT(fn) {
				continue
			}
			if name := f.ast.Name.Name + "." + fn.Name.Name; !called[name] {
				s.faultf(fn.Pos(), "no test runs the suite %s", name)
			}
		}
	}
}

func takesT(fn *ast.FuncDecl) bool {
	if fn.Type.Params.NumFields() == 0 {
		return false
	}
	star, ok := fn.Type.Params.List[0].Type.(*ast.StarExpr)
	if !ok {
		return false
	}
	sel, ok := star.X.(*ast.SelectorExpr)
	return ok && sel.Sel.Name == "T"
}
