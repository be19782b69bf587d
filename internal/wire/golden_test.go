package wire_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/wire"
)

var update = flag.Bool("update", false, "write testdata/frames/*.json of what the server sends")

const framesDir = "testdata/frames"

// example is one file of testdata/frames, which the web app's tests read as well.
type example struct {
	Name      string          `json:"name"`
	Direction string          `json:"direction"` // in: a client sends it; out: the server does
	Frame     json.RawMessage `json:"frame"`
}

// TestGoldenOut compares what the encoders make with the examples, byte for byte but for white space.
func TestGoldenOut(t *testing.T) {
	if *update {
		for name, frame := range outgoing() {
			writeExample(t, example{Name: name, Direction: "out", Frame: frame.Payload()})
		}
	}
	examples := readExamples(t, "out")
	for name, frame := range outgoing() {
		t.Run(name, func(t *testing.T) {
			want, ok := examples[name]
			if !ok {
				t.Fatalf("no file %s/%s.json: run go test ./internal/wire -update", framesDir, name)
			}
			if got := string(frame.Payload()); got != compact(t, want.Frame) {
				t.Errorf("encoded\n%s\nwant\n%s", got, compact(t, want.Frame))
			}
		})
	}
	sameNames(t, examples, outgoing())
}

// TestGoldenIn compares what Decode makes of the examples with the commands that they stand for.
func TestGoldenIn(t *testing.T) {
	examples := readExamples(t, "in")
	for name, want := range incoming() {
		t.Run(name, func(t *testing.T) {
			got := decodeOne(t, []byte(compact(t, examples[name].Frame)))
			if !reflect.DeepEqual(got, want) {
				t.Errorf("decoded %s, want %s", show(got), show(want))
			}
		})
	}
	sameNames(t, examples, incoming())
}

// TestGoldenComplete holds the examples against the types of the contract: none may be without one.
func TestGoldenComplete(t *testing.T) {
	contract := map[string][]string{
		"in": {"auth", "history", "join", "ping", "pong", "presence", "read", "send", "typing"},
		"out": {
			"entry", "error", "ping", "presence", "read", "reconnect", "reply", "resumed",
			"room_added", "room_removed", "room_updated", "typing", "user_updated", "welcome",
		},
	}
	for direction, want := range contract {
		seen := map[string]bool{}
		for _, ex := range readExamples(t, direction) {
			var head struct {
				Type string `json:"type"`
			}
			if err := json.Unmarshal(ex.Frame, &head); err != nil {
				t.Fatal(err)
			}
			seen[head.Type] = true
		}
		if got := slices.Sorted(maps.Keys(seen)); !slices.Equal(got, want) {
			t.Errorf("%s: examples of the types %v, want %v", direction, got, want)
		}
	}
}

func readExamples(t testing.TB, direction string) map[string]example {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(framesDir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]example{}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var ex example
		if err := json.Unmarshal(b, &ex); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if want := ex.Name + ".json"; filepath.Base(path) != want {
			t.Errorf("%s should be called %s", path, want)
		}
		if ex.Direction != "in" && ex.Direction != "out" {
			t.Errorf("%s: direction %q", path, ex.Direction)
		}
		if ex.Direction == direction {
			out[ex.Name] = ex
		}
	}
	return out
}

func writeExample(t *testing.T, ex example) {
	t.Helper()
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(ex); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(framesDir, ex.Name+".json"), buf.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func sameNames[V any](t *testing.T, files map[string]example, table map[string]V) {
	t.Helper()
	got, want := slices.Sorted(maps.Keys(files)), slices.Sorted(maps.Keys(table))
	if !slices.Equal(got, want) {
		t.Errorf("files %v\nbut the table has %v", got, want)
	}
}

// decodeOne decodes a frame of exactly one good command.
func decodeOne(t *testing.T, frame []byte) wire.Command {
	t.Helper()
	var got []wire.Command
	err := wire.Decode(frame, func(cmd wire.Command, problem *chat.Error) {
		if problem != nil {
			t.Errorf("refused: %v", problem)
		}
		got = append(got, cmd)
	})
	if err != nil || len(got) != 1 {
		t.Fatalf("decoded %d commands, error %v", len(got), err)
	}
	return got[0]
}

func compact(t testing.TB, raw json.RawMessage) string {
	t.Helper()
	var buf bytes.Buffer
	if err := json.Compact(&buf, raw); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

func show(v any) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(b.String())
}
