package gochat_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/fstest"
)

// soundTree is a small project without a fault; the tests below plant one fault each in it.
var soundTree = map[string]string{
	"ARCHITECTURE.md": `# Architecture

## Arrows

| package | may import | its sentence |
|---|---|---|
| ` + "`chat`" + ` | – | says what a room is |
| ` + "`hub`" + ` | ` + "`chat`" + ` | keeps rooms |
| ` + "`chattest`" + ` | ` + "`chat`" + `; only tests import it | holds a suite |
| ` + "`cmd/server`" + ` | anything | serves |

## Goroutines

| goroutine | started in | how many |
|---|---|---|
| shard | ` + "`hub.Hub.Start`" + ` | 1 |
| servers | ` + "`cmd/server.*`" + ` | 2 |
`,
	"SPEC.md": `# Rules

- **SEQ1** Numbered once.
- **SEQ2** *(planned)* Twice is once.
- **RES5** Resent.
`,
	"internal/chat/room.go": "// Package chat says what a room is.\npackage chat\n",
	"internal/hub/hub.go": `// Package hub keeps rooms. There is more to say, in a second sentence.
package hub

import (
	"sync"

	"github.com/gochat-dev/gochat/internal/chat"
)

type Hub struct{ wg sync.WaitGroup }

func (h *Hub) Start() { h.wg.Go(func() {}) }
`,
	"internal/hub/hub_test.go": `package hub

import (
	"testing"

	"github.com/gochat-dev/gochat/internal/chattest"
)

func TestHub(t *testing.T) {
	go chattest.TestStore(t)
	t.Run("[SEQ1] once", func(t *testing.T) {})
}
`,
	"internal/chattest/suite.go": `// Package chattest holds a suite.
package chattest

import "testing"

func TestStore(t *testing.T) {
	t.Run("[SEQ1] once", func(t *testing.T) {})
}
`,
	"cmd/server/main.go":            "// Command server serves.\npackage main\n\nfunc main() { go main() }\n",
	"web/src/model/outbox.test.ts":  "test('[RES5] resent', () => {})\n",
	"web/node_modules/x/util.go":    "package util\n",
	"internal/hub/testdata/evil.go": "package types\n",
}

// with returns the sound tree with some files changed; an empty text takes a file out.
func with(changes map[string]string) fstest.MapFS {
	files := maps.Clone(soundTree)
	maps.Copy(files, changes)
	tree := make(fstest.MapFS)
	for name, text := range files {
		if text != "" {
			tree[name] = &fstest.MapFile{Data: []byte(text)}
		}
	}
	return tree
}

// edited returns a file of the sound tree with one piece of it replaced.
func edited(name, old, replacement string) map[string]string {
	if !strings.Contains(soundTree[name], old) {
		panic(fmt.Sprintf("%s does not contain %q", name, old))
	}
	return map[string]string{name: strings.Replace(soundTree[name], old, replacement, 1)}
}

// plant is a change to the sound tree and what must be reported of it.
type plant struct {
	name    string
	changes map[string]string
	want    []string // each is part of a fault, in their order; nothing else is reported
}

func lines(n int) string { return strings.Repeat("\n", n) }

var architecturePlants = []plant{
	{name: "none"},
	{
		"an arrow that is not in the table", edited("internal/chat/room.go", "package chat\n", "package chat\n\nimport _ \""+module+"/internal/hub\"\n"),
		[]string{"internal/chat/room.go:4: no arrow from internal/chat to internal/hub"},
	},
	{
		"a package that is not in the table",
		map[string]string{"internal/relay/relay.go": "// Package relay relays.\npackage relay\n"},
		[]string{"relay.go:2: package internal/relay is not in the arrow table"},
	},
	{
		"a row without a package", edited("ARCHITECTURE.md", "| `hub` |", "| `relay` | – | relays |\n| `hub` |"),
		[]string{"the arrow table names internal/relay, which is not there"},
	},
	{
		"a command imported", edited("internal/hub/hub.go", "internal/chat", "cmd/server"),
		[]string{"hub.go:7: nothing may import a command"},
	},
	{
		"a command imported by a test", edited("internal/hub/hub_test.go", "internal/chattest", "cmd/server"),
		[]string{"hub_test.go:6: nothing may import a command"},
	},
	{
		"a suite imported by the product", edited("internal/hub/hub.go", "internal/chat", "internal/chattest"),
		[]string{"hub.go:7: only tests may import internal/chattest"},
	},
	{
		"no package comment",
		map[string]string{"internal/chat/room.go": "package chat\n"},
		[]string{"room.go:1: package internal/chat has 0 package comments"},
	},
	{
		"two package comments",
		map[string]string{"internal/chat/more.go": soundTree["internal/chat/room.go"]},
		[]string{"package internal/chat has 2 package comments"},
	},
	{
		"a package comment with another sentence", edited("internal/chat/room.go", "says what a room is", "does things"),
		[]string{`room.go:1: the package comment begins "Package chat does things.", but by the arrow table it is "Package chat says what a room is."`},
	},
	{
		"a command's comment in a package's words", edited("cmd/server/main.go", "Command server", "Package main"),
		[]string{"main.go:1: the package comment begins"},
	},
	{
		"a go statement", edited("internal/chat/room.go", "package chat\n", "package chat\n\nfunc f() { go f() }\n"),
		[]string{"room.go:4: a goroutine starts in chat.f, which is not in the goroutine table"},
	},
	{
		"a group's Go in a method", edited("internal/chat/room.go", "package chat\n", "package chat\n\nfunc (*T[K]) f() { g.Go(nil) }\n"),
		[]string{"room.go:4: a goroutine starts in chat.T.f"},
	},
	{
		"a goroutine started by a timer, outside of functions", edited("internal/chat/room.go", "package chat\n", "package chat\n\nvar _ = time.AfterFunc(0, nil)\n"),
		[]string{"room.go:4: a goroutine starts in chat.var"},
	},
	{
		"a place where none starts", edited("internal/hub/hub.go", "h.wg.Go(func() {})", "h.wg.Wait()"),
		[]string{"the goroutine table names hub.Hub.Start, where none starts"},
	},
	{
		"a vague package",
		map[string]string{"internal/hub/util/x_test.go": "package util\n"},
		[]string{`x_test.go:1: "util" names nothing`, `x_test.go:1: "util" names nothing`},
	},
	{
		"a vague file",
		map[string]string{"internal/chat/helpers_test.go": "package chat\n"},
		[]string{`helpers_test.go:1: "helpers" names nothing`},
	},
	{
		"a vague package name",
		map[string]string{"internal/hub/x_test.go": "package hubutil\n"},
		[]string{`x_test.go:1: "hubutil" names nothing`},
	},
	{
		"a long file",
		map[string]string{"internal/chat/long.go": "package chat\n" + lines(maxFileLines)},
		[]string{"long.go:1: the file has 401 lines, more than 400"},
	},
	{name: "a long test", changes: map[string]string{"internal/chat/long_test.go": "package chat\n" + lines(maxFileLines)}},
	{name: "a long generated file", changes: map[string]string{"internal/chat/long.go": "// Code generated by x. DO NOT EDIT.\n\npackage chat\n" + lines(maxFileLines)}},
	{
		"a long function",
		map[string]string{"internal/chat/long.go": "package chat\n\nfunc f() {" + lines(maxFuncLines) + "}\n"},
		[]string{"1 of 5 functions have more than 60 lines", "long.go:3: f has 101 lines, more than 100"},
	},
	{
		"a long function in a test",
		map[string]string{"internal/chat/long_test.go": "package chat\n\nfunc f() {" + lines(maxFuncLines) + "}\n"},
		[]string{"1 of 5 functions have more than 60 lines", "long_test.go:3: f has 101 lines, more than 100"},
	},
	{
		name:    "a test with long subtests",
		changes: map[string]string{"internal/chat/long_test.go": "package chat\n\nfunc f() {\ng(func() {" + lines(maxFuncLines) + "})\n}\n"},
	},
	{
		"a wide constructor",
		map[string]string{"internal/chat/new.go": "package chat\n\nfunc NewRoom(a, b, c int, d, e string) {}\n"},
		[]string{"new.go:3: NewRoom has 5 parameters, more than 4"},
	},
	{
		"a wide interface",
		map[string]string{"internal/chat/wide.go": "package chat\n\ntype I interface {\n A()\nB()\nC()\nD()\nE()\nF()\nG()\nH() }\n"},
		[]string{"wide.go:3: the interface has 8 methods, more than 7"},
	},
}

func TestPlantedArchitectureFaultsAreReported(t *testing.T) {
	for _, plant := range architecturePlants {
		t.Run(plant.name, func(t *testing.T) {
			got, err := checkArchitecture(with(plant.changes))
			if err != nil {
				t.Fatal(err)
			}
			requireFaults(t, got, plant.want)
		})
	}
}

// requireFaults wants exactly these faults: each is known by a part of it.
func requireFaults(t *testing.T, got, want []string) {
	t.Helper()
	ok := len(got) == len(want)
	for i := 0; ok && i < len(want); i++ {
		ok = strings.Contains(got[i], want[i])
	}
	if !ok {
		t.Errorf("reported\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func TestTablesThatCantBeReadAreAnError(t *testing.T) {
	for name, changes := range map[string]map[string]string{
		"no document":              {"ARCHITECTURE.md": ""},
		"no arrow table":           edited("ARCHITECTURE.md", "## Arrows", "## Bows"),
		"no goroutine table":       edited("ARCHITECTURE.md", "## Goroutines", "## Threads"),
		"an arrow row cut short":   edited("ARCHITECTURE.md", "| – | says what a room is |", "| – |"),
		"a place that is not code": edited("ARCHITECTURE.md", "`hub.Hub.Start`", "somewhere"),
		"code that is not Go":      {"internal/chat/room.go": "package"},
	} {
		t.Run(name, func(t *testing.T) {
			if faults, err := checkArchitecture(with(changes)); err == nil {
				t.Errorf("no error, but faults %q", faults)
			}
		})
	}
}
