//go:build linux

package loadtest

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"
)

func TestParsePush(t *testing.T) {
	type want struct {
		kind, room, body, messageID, code string
		id, seq, prev                     int64
		recovered                         bool
	}
	tests := []struct {
		name, object string
		want         want
	}{
		{
			"an entry whose predecessor is implied",
			`{"type":"entry","room_id":"r","seq":7,"kind":"text","message_id":"m","sender_id":"u","at":"2026-01-01T00:00:00.000Z","body":"hi"}`,
			want{kind: "entry", room: "r", body: "hi", messageID: "m", seq: 7, prev: 6},
		},
		{
			"an entry that points over a skipped number, spaced out",
			" { \"type\" : \"entry\" ,\n\"seq\" : 7 , \"prev_seq\" : 3 , \"room_id\":\"r\" } ",
			want{kind: "entry", room: "r", seq: 7, prev: 3},
		},
		{
			"the first entry of a room",
			`{"type":"entry","room_id":"r","seq":1,"prev_seq":0,"kind":"member_joined","data":{"user_id":"u","via":"create","seq":99}}`,
			want{kind: "entry", room: "r", seq: 1, prev: 0},
		},
		{
			"a body that looks like members",
			`{"type":"entry","room_id":"r","seq":7,"body":"\"seq\":9,\"type\":\"ping\"}\\"}`,
			want{kind: "entry", room: "r", seq: 7, prev: 6, body: `\"seq\":9,\"type\":\"ping\"}\\`},
		},
		{"a reply", `{"type":"reply","id":3,"room_id":"r","seq":9,"message_id":"m"}`, want{kind: "reply", room: "r", id: 3, seq: 9, prev: 8, messageID: "m"}},
		{"an error", `{"type":"error","id":3,"error":{"code":"rate_limited","message":"slow","retry_after_ms":5}}`, want{kind: "error", id: 3, prev: -1, code: "rate_limited"}},
		{"resumed", `{"type":"resumed","room_id":"r","recovered":true,"head_seq":120}`, want{kind: "resumed", room: "r", recovered: true, prev: -1}},
		{"what is only counted", `{"type":"presence","room_id":"r","changes":[{"user_id":"u","state":"online"}]}`, want{room: "r", prev: -1}},
		{"empty", `{}`, want{prev: -1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := parsePush([]byte(tt.object))
			if err != nil {
				t.Fatal(err)
			}
			got := want{p.kind, string(p.roomID), string(p.body), string(p.messageID), string(p.errorCode), p.id, p.seq, p.prev, p.recovered}
			if got != tt.want {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestParsePushRefuses(t *testing.T) {
	for _, object := range []string{``, `x`, `[]`, `{`, `{"a"`, `{"a":`, `{"a":1`, `{"a":"}`, `{"a":[1,2}`, `{"a":1 "b":2}`, `{a:1}`, `{"a":1,}`} {
		if _, err := parsePush([]byte(object)); err == nil {
			t.Errorf("%q was taken", object)
		}
	}
}

func TestParsePushAllocatesNothing(t *testing.T) {
	object := []byte(`{"type":"entry","room_id":"r","seq":1234567,"prev_seq":1234560,"kind":"text","message_id":"m","body":"hi"}`)
	if n := testing.AllocsPerRun(100, func() { _, _ = parsePush(object) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzEachMember: of every valid JSON object, the same members are found as by encoding/json.
func FuzzEachMember(f *testing.F) {
	f.Add([]byte(`{"type":"entry","seq":7,"data":{"a":[1,"}",{"b":"\\\""}]},"body":"x\"y"}`))
	f.Add([]byte(" {\t\"a\" : null ,\r\n \"b\" : -1.5e3 } "))
	f.Add([]byte(`{"a":"\\"}`))
	f.Add([]byte(`{"":{}}`))
	f.Fuzz(func(t *testing.T, object []byte) {
		found := map[string][]byte{}
		err := eachMember(object, func(key, value []byte) { found[string(key)] = value })
		var want map[string]json.RawMessage
		if json.Unmarshal(object, &want) != nil || want == nil {
			return // it must not panic, and may take what is no JSON
		}
		if err != nil {
			t.Fatalf("refused: %v", err)
		}
		for rawKey, value := range found {
			var key string
			if err := json.Unmarshal([]byte(`"`+rawKey+`"`), &key); err != nil {
				t.Fatalf("key %q: %v", rawKey, err)
			}
			if _, ok := want[key]; !ok {
				t.Fatalf("member %q is not there", key)
			}
			if !json.Valid(value) {
				t.Fatalf("value of %q: %q", key, value)
			}
			if len(found) == len(want) && !bytes.Equal(bytes.TrimSpace(want[key]), value) && key == rawKey {
				t.Fatalf("value of %q: %q, want %q", key, value, want[key])
			}
		}
		if len(found) < len(want) {
			t.Fatalf("found %d members of %d", len(found), len(want))
		}
	})
}

func TestStamp(t *testing.T) {
	for _, size := range []int{stampLength, 100, 8000} {
		body := appendBody(nil, stampTimed, stamp{5, 1234567 * time.Microsecond}, size)
		if len(body) != size {
			t.Errorf("body of %d bytes, want %d", len(body), size)
		}
		if sent, ours := readStamp(body); !ours || sent.at != 1234567*time.Microsecond || sent.node != 5 {
			t.Errorf("read back %v, %v", sent, ours)
		}
	}
	if sent, ours := readStamp([]byte(silentBody(100))); !ours || sent.at >= 0 {
		t.Errorf("a silent body: %v, %v; it lies before every window", sent, ours)
	}
	for _, body := range []string{"", "hello", "Xerox copies of everything", "The quick brown fox jumps"} {
		if _, ours := readStamp([]byte(body)); ours {
			t.Errorf("%q was taken for the workload's", body)
		}
	}
}
