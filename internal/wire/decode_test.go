package wire_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/wire"
)

// decoded is what became of a frame: for each command its type, or its type and why it was refused.
func decoded(frame string) (out []string, err error) {
	err = wire.Decode([]byte(frame), func(cmd wire.Command, problem *chat.Error) {
		said := cmd.Type + " " + string(cmd.ID)
		if problem != nil {
			said += " " + string(problem.Code)
		}
		out = append(out, said)
	})
	return out, err
}

func TestDecodeBadFrames(t *testing.T) {
	nested := func(levels int) string {
		return `{"type":"ping","id":1,"x":` + strings.Repeat("[", levels) + strings.Repeat("]", levels) + `}`
	}
	for _, c := range []struct {
		name, frame string
		before      []string // what stood before the fault
	}{
		{name: "empty", frame: ""},
		{name: "white space", frame: " \t\r\n \n"},
		{name: "not JSON", frame: "hello"},
		{name: "cut short", frame: `{"type":"ping","id":1`},
		{name: "array", frame: `[{"type":"ping","id":1}]`},
		{name: "string", frame: `"ping"`},
		{name: "null", frame: `null`},
		{name: "no type", frame: `{"id":1}`},
		{name: "empty type", frame: `{"type":"","id":1}`},
		{name: "type null", frame: `{"type":null,"id":1}`},
		{name: "type a number", frame: `{"type":5,"id":1}`},
		{name: "type an object", frame: `{"type":{"type":"ping"},"id":1}`},
		{name: "trailing garbage", frame: `{"type":"ping","id":1} x`},
		{name: "two objects on a line", frame: `{"type":"ping","id":1}{"type":"ping","id":2}`},
		{name: "pretty-printed", frame: "{\n\"type\":\"ping\",\"id\":1}"},
		{name: "single quotes", frame: `{'type':'ping','id':1}`},
		{name: "id with a leading zero", frame: `{"type":"ping","id":01}`},
		{name: "id infinite", frame: `{"type":"ping","id":Infinity}`},
		{name: "raw control character", frame: "{\"type\":\"pi\x00ng\",\"id\":1}"},
		{name: "invalid UTF-8", frame: "{\"type\":\"ping\",\"id\":1,\"x\":\"\xff\"}"},
		{name: "half a character", frame: "{\"type\":\"ping\",\"id\":1,\"x\":\"\xe2\x82\"}"},
		{name: "a surrogate in UTF-8", frame: "{\"type\":\"ping\",\"id\":1,\"x\":\"\xed\xa0\x80\"}"},
		{name: "the type in upper case", frame: `{"TYPE":"ping","id":1}`},
		{name: "names in upper case, cut short", frame: `{"TYPE":"ping","id":1`},
		{name: "byte order mark", frame: "\ufeff" + `{"type":"ping","id":1}`},
		{name: "no-break space", frame: "\u00a0" + `{"type":"ping","id":1}`},
		{name: "deeply nested", frame: nested(10_001)},
		{name: "deeply nested and open", frame: strings.Repeat(`{"type":`, 8_000)},
		{name: "the second of three", frame: "{\"type\":\"ping\",\"id\":1}\nnonsense\n{\"type\":\"ping\",\"id\":3}", before: []string{"ping 1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := decoded(c.frame)
			if !errors.Is(err, wire.ErrBadFrame) {
				t.Errorf("error %v, want ErrBadFrame", err)
			}
			if !reflect.DeepEqual(got, c.before) {
				t.Errorf("commands %q, want %q", got, c.before)
			}
			if err != nil && len(err.Error()) > 100 {
				t.Errorf("the error repeats the frame: %.200s", err)
			}
		})
	}
}

func TestDecodeRefusals(t *testing.T) {
	r := `"room_id":"` + roomID + `"`
	long := strings.Repeat("9", 33)
	for _, c := range []struct{ name, frame, want string }{
		{"no id", `{"type":"ping"}`, "ping  bad_request"},
		{"id null", `{"type":"ping","id":null}`, "ping  bad_request"},
		{"id a string", `{"type":"ping","id":"7"}`, "ping  bad_request"},
		{"id an object", `{"type":"ping","id":{"n":7}}`, "ping  bad_request"},
		{"id too long", `{"type":"ping","id":` + long + `}`, "ping  bad_request"},
		{"id huge", `{"type":"ping","id":1e400}`, "ping 1e400"},
		{"id negative", `{"type":"ping","id":-1}`, "ping -1"},
		{"id with a fraction", `{"type":"ping","id":7.50}`, "ping 7.50"},
		{"the last of two ids counts", `{"type":"ping","id":1,"id":2}`, "ping 2"},
		{"the last of two types counts", `{"type":"send","type":"ping","id":1}`, "ping 1"},
		{"unknown type", `{"type":"shout","id":1}`, "shout 1 unknown_type"},
		{"unknown type with fields of its own", `{"type":"shout","id":1,"seq":"x"}`, "shout 1 unknown_type"},
		{"unknown type without id", `{"type":"shout"}`, "shout  bad_request"},
		{"unknown fields", `{"type":"ping","id":1,"x":[1,{"y":null}]}`, "ping 1"},
		{"pong with an id", `{"type":"pong","id":{}}`, "pong "},
		{"a nested field", `{"type":"ping","id":1,"x":` + strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000) + `}`, "ping 1"},
		{"names in upper case are others", `{"type":"ping","id":1,"TYPE":"shout","Id":7}`, "ping 1"},
		{"the room in upper case is none", `{"type":"join","id":1,"ROOM_ID":"r"}`, "join 1 bad_request"},
		{"names with an escape are what they say", `{"\u0074ype":"ping","id":7.50}`, "ping 7.50"},
		{"a name with a long s", `{"type":"read","id":1,` + r + `,"ſeq":3}`, "read 1 bad_request"},
		{"upper case further down", `{"type":"ping","id":1,"x":[{"Type":1}]}`, "ping 1"},
		{"space around", " \t" + `{"type":"ping","id":1}` + " \r", "ping 1"},

		{"send without room", `{"type":"send","id":1,"body":"x"}`, "send 1 bad_request"},
		{"send: body a number", `{"type":"send","id":1,` + r + `,"body":5}`, "send 1 bad_request"},
		{"send: room a list", `{"type":"send","id":1,"room_id":[],"body":"x"}`, "send 1 bad_request"},
		{"send: room with a colon", `{"type":"send","id":1,"room_id":"a:b","body":"x"}`, "send 1 bad_request"},
		{"send: room with a space", `{"type":"send","id":1,"room_id":"a b","body":"x"}`, "send 1 bad_request"},
		{"send: room with U+0000", `{"type":"send","id":1,"room_id":"a\u0000","body":"x"}`, "send 1 bad_request"},
		{"send: room too long", `{"type":"send","id":1,"room_id":"` + strings.Repeat("r", 65) + `","body":"x"}`, "send 1 bad_request"},
		{"send: U+0000 is for the rules to refuse", `{"type":"send","id":1,` + r + `,"body":"a\u0000b"}`, "send 1"},
		{"send: an empty body too", `{"type":"send","id":1,` + r + `,"body":""}`, "send 1"},
		{"join without room", `{"type":"join","id":1}`, "join 1 bad_request"},
		{"join after a negative number", `{"type":"join","id":1,` + r + `,"last_received_seq":-1}`, "join 1 bad_request"},
		{"join after the start", `{"type":"join","id":1,` + r + `,"last_received_seq":0}`, "join 1"},
		{"join after a huge number", `{"type":"join","id":1,` + r + `,"last_received_seq":9223372036854775808}`, "join 1 bad_request"},
		{"join after a fraction", `{"type":"join","id":1,` + r + `,"last_received_seq":1.5}`, "join 1 bad_request"},
		{"history without room", `{"type":"history","id":1}`, "history 1 bad_request"},
		{"history both ways", `{"type":"history","id":1,` + r + `,"before_seq":9,"after_seq":1}`, "history 1 bad_request"},
		{"history before a negative number", `{"type":"history","id":1,` + r + `,"before_seq":-9}`, "history 1 bad_request"},
		{"history after a negative number", `{"type":"history","id":1,` + r + `,"after_seq":-9}`, "history 1 bad_request"},
		{"history of too many", `{"type":"history","id":1,` + r + `,"limit":201}`, "history 1 bad_request"},
		{"history of fewer than none", `{"type":"history","id":1,` + r + `,"limit":-1}`, "history 1 bad_request"},
		{"history of none", `{"type":"history","id":1,` + r + `,"limit":0}`, "history 1 bad_request"},
		{"history before the start", `{"type":"history","id":1,` + r + `,"before_seq":0}`, "history 1 bad_request"},
		{"history after the start", `{"type":"history","id":1,` + r + `,"after_seq":0}`, "history 1"},
		{"history with nulls", `{"type":"history","id":1,` + r + `,"before_seq":null,"after_seq":7,"limit":null}`, "history 1"},
		{"history of 1e400", `{"type":"history","id":1,` + r + `,"limit":1e400}`, "history 1 bad_request"},
		{"typing without room", `{"type":"typing","id":1,"on":true}`, "typing 1 bad_request"},
		{"typing: on a string", `{"type":"typing","id":1,` + r + `,"on":"yes"}`, "typing 1 bad_request"},
		{"typing without on", `{"type":"typing","id":1,` + r + `}`, "typing 1 bad_request"},
		{"typing: on null", `{"type":"typing","id":1,` + r + `,"on":null}`, "typing 1 bad_request"},
		{"read without seq", `{"type":"read","id":1,` + r + `}`, "read 1 bad_request"},
		{"read without room", `{"type":"read","id":1,"seq":3}`, "read 1 bad_request"},
		{"read a negative number", `{"type":"read","id":1,` + r + `,"seq":-3}`, "read 1 bad_request"},
		{"presence without state", `{"type":"presence","id":1}`, "presence 1 bad_request"},
		{"presence offline", `{"type":"presence","id":1,"state":"offline"}`, "presence 1 bad_request"},
		{"auth without token", `{"type":"auth","id":1}`, "auth 1 bad_request"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := decoded(c.frame)
			if err != nil || len(got) != 1 || got[0] != c.want {
				t.Errorf("got %q, error %v; want %q", got, err, c.want)
			}
		})
	}
}

func TestDecodeSeveral(t *testing.T) {
	got, err := decoded("\n{\"type\":\"ping\",\"id\":1}\r\n\n{\"type\":\"shout\",\"id\":2}\n{\"type\":\"ping\"}\n{\"type\":\"ping\",\"id\":4}\n")
	want := []string{"ping 1", "shout 2 unknown_type", "ping  bad_request", "ping 4"}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, error %v; want %q", got, err, want)
	}
}

func TestDecodeKeepsText(t *testing.T) {
	const body = "a\u0000\u2028<b>&\n\"👩‍👧\""
	frame, err := json.Marshal(map[string]any{"type": "send", "id": 1, "room_id": roomID, "body": body})
	if err != nil {
		t.Fatal(err)
	}
	if got := decodeOne(t, frame).Send.Body; got != body {
		t.Errorf("body %q, want %q", got, body)
	}
	lone := `{"type":"send","id":1,"room_id":"r","body":"\ud83d"}`
	if got := decodeOne(t, []byte(lone)).Send.Body; got != "\ufffd" {
		t.Errorf("half a surrogate pair became %q", got)
	}
}

// FuzzDecode: nothing panics, every fault is ErrBadFrame, every refusal has a code of the contract, and a command that
// is let through means the same when it is written down and read again.
func FuzzDecode(f *testing.F) {
	for _, ex := range readExamples(f, "in") {
		f.Add([]byte(compact(f, ex.Frame)))
	}
	f.Add([]byte("{\"type\":\"ping\",\"id\":1}\n{\"type\":\"pong\"}"))
	f.Add([]byte(`{"type":"send","id":1e9,"room_id":"r","client_id":"","body":"\u0000\ud800"}`))
	f.Add([]byte(`{"type":"history","id":-0,"room_id":"r","after_seq":0,"limit":200,"TYPE":"join"}`))
	f.Add([]byte("{\"type\":\"\xff\"}"))
	f.Fuzz(func(t *testing.T, frame []byte) {
		commands := 0
		err := wire.Decode(frame, func(cmd wire.Command, problem *chat.Error) {
			commands++
			if cmd.Type == "" {
				t.Error("a command without a type")
			}
			if problem != nil {
				if problem.Code != chat.CodeBadRequest && problem.Code != chat.CodeUnknownType {
					t.Errorf("refused with %s", problem.Code)
				}
				wire.Failed(cmd.ID, problem) // can be answered
				return
			}
			if again := decodeOne(t, encodeCommand(t, cmd)); !reflect.DeepEqual(again, cmd) {
				t.Errorf("%s became %s", show(cmd), show(again))
			}
		})
		if err != nil && !errors.Is(err, wire.ErrBadFrame) {
			t.Errorf("error %v", err)
		}
		if err == nil && commands == 0 {
			t.Error("nothing came of a good frame")
		}
	})
}

// encodeCommand writes a command as a client would.
func encodeCommand(t *testing.T, cmd wire.Command) []byte {
	t.Helper()
	var parts []byte
	for _, part := range []any{cmd.Send, cmd.Join, cmd.Page, cmd.Typing, cmd.Read} {
		if !reflect.ValueOf(part).IsNil() {
			b, err := json.Marshal(part)
			if err != nil {
				t.Fatal(err)
			}
			parts = append([]byte{','}, b[1:len(b)-1]...)
		}
	}
	if cmd.State != "" {
		parts = fmt.Appendf(parts, `,"state":%q`, cmd.State)
	}
	if cmd.Token != "" {
		b, err := json.Marshal(cmd.Token)
		if err != nil {
			t.Fatal(err)
		}
		parts = fmt.Appendf(parts, `,"token":%s`, b)
	}
	if cmd.ID != nil {
		parts = fmt.Appendf(parts, `,"id":%s`, cmd.ID)
	}
	return fmt.Appendf(nil, `{"type":%q%s}`, cmd.Type, parts)
}
