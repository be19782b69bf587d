package wire_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/gochat-dev/gochat/internal/wire"
)

// readBack sends bytes over a real WebSocket connection as they are, and returns the messages that a public
// client library makes of them.
func readBack(t *testing.T, raw []byte, messages int) []string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		upgrader := websocket.Upgrader{}
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return // the client says why
		}
		defer conn.Close()
		if _, err := conn.NetConn().Write(raw); err != nil {
			t.Errorf("writing: %v", err)
		}
		_, _, _ = conn.ReadMessage() // until the client has gone
	}))
	defer server.Close()
	conn, res, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(server.URL, "http"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	defer conn.Close()
	var got []string
	for range messages {
		kind, message, err := conn.ReadMessage()
		if err != nil {
			t.Fatalf("after %d messages: %v", len(got), err)
		}
		if kind != websocket.TextMessage {
			t.Fatalf("message of kind %d", kind)
		}
		got = append(got, string(message))
	}
	return got
}

func TestHeader(t *testing.T) {
	sizes := []int{0, 1, 125, 126, 127, 65_535, 65_536, 70_000}
	var raw []byte
	for i, n := range sizes {
		raw = wire.AppendHeader(raw, n)
		raw = append(raw, bytes.Repeat([]byte{byte('a' + i)}, n)...)
	}
	for i, got := range readBack(t, raw, len(sizes)) {
		if want := strings.Repeat(string(rune('a'+i)), sizes[i]); got != want {
			t.Errorf("%d bytes came out as %d", len(want), len(got))
		}
	}
}

// sized is a frame with exactly n bytes of payload.
func sized(t *testing.T, n int) *wire.Frame {
	t.Helper()
	empty := len(wire.RoomRemoved("", wire.ReasonLeft).Payload())
	f := wire.RoomRemoved(strings.Repeat("r", n-empty), wire.ReasonLeft)
	if len(f.Payload()) != n {
		t.Fatalf("payload of %d bytes, want %d", len(f.Payload()), n)
	}
	return f
}

func TestFrame(t *testing.T) {
	for _, n := range []int{100, 125, 126, 65_535, 65_536} {
		f := sized(t, n)
		if f.Len() != len(f.Bytes()) {
			t.Errorf("Len %d of %d bytes", f.Len(), len(f.Bytes()))
		}
		if cap(f.Bytes()) > f.Len()+f.Len()/4 {
			t.Errorf("%d bytes keep %d", f.Len(), cap(f.Bytes()))
		}
		if got := readBack(t, f.Bytes(), 1); got[0] != string(f.Payload()) {
			t.Errorf("a payload of %d bytes did not come through", n)
		}
	}
}

func TestMerge(t *testing.T) {
	all := outgoing()
	for name, frames := range map[string][]*wire.Frame{
		"one":             {wire.Ping()},
		"several":         {all["welcome"], all["entry_text_signs"], all["resumed"], wire.Ping()},
		"up to 125 bytes": {wire.Ping(), sized(t, 125-1-len(wire.Ping().Payload()))},
		"126 bytes":       {wire.Ping(), sized(t, 126-1-len(wire.Ping().Payload()))},
		"65,535 bytes":    {sized(t, 30_000), sized(t, 35_534)},
		"65,536 bytes":    {sized(t, 30_000), sized(t, 35_535)},
	} {
		t.Run(name, func(t *testing.T) {
			var want []string
			for _, f := range frames {
				want = append(want, string(f.Payload()))
			}
			merged := wire.Merge([]byte("kept"), frames)
			if !bytes.HasPrefix(merged, []byte("kept")) {
				t.Error("Merge must append")
			}
			got := readBack(t, append(merged[4:], wire.Ping().Bytes()...), 2)
			if got[0] != strings.Join(want, "\n") {
				t.Errorf("got %q", got[0])
			}
			if got[1] != `{"type":"ping"}` {
				t.Errorf("what follows was read as %q", got[1])
			}
		})
	}
}

func TestSignals(t *testing.T) {
	shed := map[string]bool{
		"push_typing_on": true, "push_typing_off": true, "push_read": true,
		"push_presence_changes": true, "push_presence_count": true,
	}
	t.Run("[HUB4] signals, and only signals, may be shed", func(t *testing.T) {
		for name, f := range outgoing() {
			if f.Signal() != shed[name] {
				t.Errorf("%s: signal %v, want %v", name, f.Signal(), shed[name])
			}
		}
	})
}

// TestOneLine: objects are separated by newlines, so none may hold one, and nothing is escaped without need.
func TestOneLine(t *testing.T) {
	e := event(3, "confetti", "{\n \"note\":\r\n \"<b> & \u2028\"}")
	e.Body = "<i>\n\r\u2028\u2029&\x7f\xff"
	f := wire.EncodeEntry(e)
	if bytes.ContainsAny(f.Payload(), "\r\n") {
		t.Errorf("a raw newline in %s", f.Payload())
	}
	if bytes.Contains(f.Payload(), []byte(`\u003c`)) || bytes.Contains(f.Payload(), []byte(`\u0026`)) {
		t.Errorf("HTML escaped in %s", f.Payload())
	}
	var back struct {
		Body string `json:"body"`
		Data struct {
			Note string `json:"note"`
		} `json:"data"`
	}
	if err := json.Unmarshal(f.Payload(), &back); err != nil {
		t.Fatal(err)
	}
	if back.Body != "<i>\n\r\u2028\u2029&\x7f\ufffd" || back.Data.Note != "<b> & \u2028" {
		t.Errorf("came back as %q", back)
	}
}

func TestDamagedDataIsLeftOut(t *testing.T) {
	for _, data := range []string{"", "{", "{}}", "\xff"} {
		f := wire.EncodeEntry(event(3, "confetti", data))
		if bytes.Contains(f.Payload(), []byte(`"data"`)) || !json.Valid(f.Payload()) {
			t.Errorf("data %q gave %s", data, f.Payload())
		}
	}
}

func TestPrevSeq(t *testing.T) {
	for _, c := range []struct {
		seq, prev int64
		want      string
	}{
		{1, 0, `"prev_seq":0`},
		{5, 0, `"prev_seq":0`},
		{2, 1, ""},
		{120, 119, ""},
		{120, 118, `"prev_seq":118`},
		{9_007_199_254_740_993, 9_007_199_254_740_992, ""},
	} {
		got := ""
		payload := string(wire.EncodeEntry(text(c.seq, c.prev, "x")).Payload())
		if at := strings.Index(payload, `"prev_seq"`); at >= 0 {
			got = payload[at : at+strings.IndexByte(payload[at:], ',')]
		}
		if got != c.want {
			t.Errorf("%d after %d: %q, want %q", c.seq, c.prev, got, c.want)
		}
	}
}

func TestTime(t *testing.T) {
	east := time.FixedZone("", 2*60*60)
	for _, c := range []struct {
		in   time.Time
		want string
	}{
		{time.Time{}, `null`},
		{time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC), `"2026-03-14T09:26:53.000Z"`},
		{time.Date(2026, 3, 14, 9, 26, 53, 999_999_999, time.UTC), `"2026-03-14T09:26:53.999Z"`},
		{time.Date(2026, 1, 1, 1, 0, 0, 5_000_000, east), `"2025-12-31T23:00:00.005Z"`},
	} {
		b, err := json.Marshal(wire.Time{Time: c.in})
		if err != nil || string(b) != c.want {
			t.Errorf("%v is written %s (%v), want %s", c.in, b, err, c.want)
		}
		var back wire.Time
		if err := json.Unmarshal(b, &back); err != nil || !back.Equal(c.in.Truncate(time.Millisecond)) {
			t.Errorf("%s is read as %v (%v)", b, back, err)
		}
	}
	var offset wire.Time
	if err := json.Unmarshal([]byte(`"2026-01-01T01:00:00+02:00"`), &offset); err != nil || offset.UTC().Hour() != 23 {
		t.Errorf("read as %v (%v)", offset, err)
	}
}
