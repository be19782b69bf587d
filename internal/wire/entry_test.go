package wire_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/wire"
)

// The entry that is put together by hand is the one that encoding/json makes.
func TestEncodeEntryIsJSON(t *testing.T) {
	texts := rapid.OneOf(rapid.String(), rapid.StringOfN(rapid.RuneFrom([]rune("ab\"\\<&>\u0000\n\u007f\u0080é\u2028\u2029\ufffd😀")), 0, 12, -1),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }))
	data := rapid.OneOf(rapid.Just(""), rapid.Just("{\n \"user_id\": \"<u>\"}"), rapid.Just("{"), texts)
	rapid.Check(t, func(t *rapid.T) {
		e := chat.Entry{
			RoomID: texts.Draw(t, "room"), Seq: rapid.Int64Min(1).Draw(t, "seq"), PrevSeq: rapid.Int64Min(0).Draw(t, "prev"),
			Kind: chat.Kind(texts.Draw(t, "kind")), MessageID: texts.Draw(t, "message"), ClientID: texts.Draw(t, "client"),
			SenderID: texts.Draw(t, "sender"), Body: texts.Draw(t, "body"), Data: json.RawMessage(data.Draw(t, "data")),
			At: time.UnixMilli(rapid.Int64Range(0, 1<<42).Draw(t, "at")),
		}
		if rapid.Bool().Draw(t, "next") {
			e.PrevSeq = e.Seq - 1
		}
		var want bytes.Buffer
		enc := json.NewEncoder(&want)
		enc.SetEscapeHTML(false)
		err := enc.Encode(struct {
			Type string `json:"type"`
			wire.Entry
		}{"entry", wire.FromEntry(&e)})
		if err != nil {
			t.Fatal(err)
		}
		if got := wire.EncodeEntry(&e).Payload(); string(got)+"\n" != want.String() {
			t.Fatalf("%s\nand not\n%s", got, want.Bytes())
		}
	})
}
