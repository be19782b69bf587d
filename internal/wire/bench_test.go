package wire_test

import (
	"strings"
	"testing"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/wire"
)

func BenchmarkDecodeSend(b *testing.B) {
	frame := []byte(`{"type":"send","id":7,"room_id":"` + roomID + `","client_id":"` + clientID + `","body":"` + strings.Repeat("x", 100) + `"}`)
	got := 0
	count := func(cmd wire.Command, problem *chat.Error) {
		if problem == nil && cmd.Send != nil {
			got++
		}
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(frame)))
	for b.Loop() {
		if err := wire.Decode(frame, count); err != nil {
			b.Fatal(err)
		}
	}
	if got == 0 {
		b.Fatal("nothing decoded")
	}
}

func BenchmarkEncodeEntry(b *testing.B) {
	entry := text(120, 119, strings.Repeat("x", 100))
	var f *wire.Frame
	b.ReportAllocs()
	for b.Loop() {
		f = wire.EncodeEntry(entry)
	}
	b.SetBytes(int64(f.Len()))
}

func BenchmarkMerge(b *testing.B) {
	frames := make([]*wire.Frame, 20)
	for i := range frames {
		frames[i] = wire.EncodeEntry(text(int64(i+1), int64(i), strings.Repeat("x", 100)))
	}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = wire.Merge(buf[:0], frames)
	}
	b.SetBytes(int64(len(buf)))
}
