package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/gochat-dev/gochat/internal/chat"
)

// MaxFrame is the largest frame that is read, in bytes.
const MaxFrame = 64 << 10

// ErrBadFrame says that a frame is not of the contract at all: the connection is closed with 4110.
var ErrBadFrame = errors.New("bad frame")

// Command is what a client asks for. Exactly the fields of its type are set.
type Command struct {
	Type   string
	ID     json.RawMessage // the number of the client's choosing, as it was written; nil for pong, and where it is not a number
	Send   *Send
	Join   *Join
	Page   *History
	Typing *SetTyping
	Read   *MarkRead
	State  chat.State // of presence
	Token  string     // of auth
}

// Send asks for a text to be appended. Without a ClientID the server makes one, and a resend is a second message (SEQ2).
type Send struct {
	RoomID   string `json:"room_id"`
	ClientID string `json:"client_id"`
	Body     string `json:"body"`
}

// Join asks for a room's latest entries, or for those after a position.
type Join struct {
	RoomID          string `json:"room_id"`
	LastReceivedSeq *int64 `json:"last_received_seq"`
	LastReceivedID  string `json:"last_received_id"`
}

// History asks for a page of a room's log.
type History struct {
	RoomID    string `json:"room_id"`
	BeforeSeq int64  `json:"before_seq,omitempty"` // 0: not given
	AfterSeq  *int64 `json:"after_seq"`
	Limit     int    `json:"limit,omitempty"` // 0: not given
}

// SetTyping says that the user types, or stopped.
type SetTyping struct {
	RoomID string `json:"room_id"`
	On     bool   `json:"on"`
}

// MarkRead moves the user's read position.
type MarkRead struct {
	RoomID string `json:"room_id"`
	Seq    int64  `json:"seq"`
}

// fields is what a command of any type may hold: a field's name means one thing in the whole contract, so that a
// command is read in one pass.
type fields struct {
	Type            string          `json:"type"`
	ID              json.RawMessage `json:"id"`
	RoomID          string          `json:"room_id"`
	ClientID        string          `json:"client_id"`
	Body            string          `json:"body"`
	LastReceivedSeq *int64          `json:"last_received_seq"`
	LastReceivedID  string          `json:"last_received_id"`
	BeforeSeq       *int64          `json:"before_seq"`
	AfterSeq        *int64          `json:"after_seq"`
	Limit           *int            `json:"limit"`
	On              *bool           `json:"on"`
	Seq             *int64          `json:"seq"`
	State           chat.State      `json:"state"`
	Token           string          `json:"token"`
}

const pong = `{"type":"pong"}`

// IsPong reports whether a frame is a pong and nothing else, written as it usually is. That is all that most connections
// send for minutes; parsing JSON for it would cost each of them a larger stack.
func IsPong(frame []byte) bool { return string(frame) == pong }

// Decode calls each with every command of a frame, in order. A command that can't be understood is handed on
// with an *chat.Error. A frame that is not text of JSON objects with a type, separated by newlines, gives
// ErrBadFrame; what stood before the fault has been handed on.
func Decode(frame []byte, each func(Command, *chat.Error)) error {
	if !utf8.Valid(frame) {
		return fmt.Errorf("%w: invalid UTF-8", ErrBadFrame)
	}
	seen := false
	for line := range bytes.SplitSeq(frame, []byte{'\n'}) {
		line = bytes.Trim(line, " \t\r")
		if len(line) == 0 {
			continue
		}
		seen = true
		cmd, problem, err := decodeOne(line)
		if err != nil {
			return err
		}
		each(cmd, problem)
	}
	if !seen {
		return fmt.Errorf("%w: empty", ErrBadFrame)
	}
	return nil
}

func decodeOne(line []byte) (Command, *chat.Error, error) {
	if line[0] != '{' {
		return Command{}, nil, fmt.Errorf("%w: not a JSON object", ErrBadFrame)
	}
	var f fields
	err := Unmarshal(line, &f)
	// A field of the wrong JSON type does not stop Unmarshal: the others have been read.
	var mistyped *json.UnmarshalTypeError
	if err != nil && !errors.As(err, &mistyped) {
		return Command{}, nil, fmt.Errorf("%w: not JSON", ErrBadFrame)
	}
	if f.Type == "" {
		return Command{}, nil, fmt.Errorf("%w: no type, or not a string", ErrBadFrame)
	}
	cmd := Command{Type: f.Type}
	if cmd.Type == "pong" {
		return cmd, nil, nil
	}
	if !isNumber(f.ID) {
		return cmd, chat.Refuse(chat.CodeBadRequest, "a command needs an id: a number of your choosing"), nil
	}
	cmd.ID = f.ID
	if !cmd.take(&f) {
		return cmd, chat.Refuse(chat.CodeUnknownType, "this server does not know a command of this type"), nil
	}
	if mistyped != nil {
		return cmd, chat.Refuse(chat.CodeBadRequest, "a field of the command has the wrong JSON type"), nil
	}
	return cmd, cmd.check(&f), nil
}

// isNumber reports whether raw JSON is a number short enough to be repeated in a reply.
func isNumber(raw json.RawMessage) bool {
	return len(raw) > 0 && len(raw) <= 32 && (raw[0] == '-' || (raw[0] >= '0' && raw[0] <= '9'))
}

// take sets the fields of the command's type, and reports whether it is a known one.
func (c *Command) take(f *fields) bool {
	switch c.Type {
	case "send":
		c.Send = &Send{RoomID: f.RoomID, ClientID: f.ClientID, Body: f.Body}
	case "join":
		c.Join = &Join{RoomID: f.RoomID, LastReceivedSeq: f.LastReceivedSeq, LastReceivedID: f.LastReceivedID}
	case "history":
		c.Page = &History{RoomID: f.RoomID, BeforeSeq: given(f.BeforeSeq), AfterSeq: f.AfterSeq, Limit: given(f.Limit)}
	case "typing":
		c.Typing = &SetTyping{RoomID: f.RoomID, On: given(f.On)}
	case "read":
		c.Read = &MarkRead{RoomID: f.RoomID, Seq: given(f.Seq)}
	case "presence":
		c.State = f.State
	case "auth":
		c.Token = f.Token
	case "ping":
	default:
		return false
	}
	return true
}

// given is what a field says, or the zero value where it is not there.
func given[T any](field *T) T {
	if field == nil {
		var zero T
		return zero
	}
	return *field
}

// check refuses a command whose fields are not those of its type.
func (c *Command) check(f *fields) *chat.Error {
	bad := func(message string) *chat.Error { return chat.Refuse(chat.CodeBadRequest, message) }
	room := func(id string) *chat.Error {
		if !validID(id) {
			return bad("room_id is missing or not an id")
		}
		return nil
	}
	switch {
	case c.Send != nil:
		return room(c.Send.RoomID)
	case c.Join != nil:
		if c.Join.LastReceivedSeq != nil && *c.Join.LastReceivedSeq < 0 {
			return bad("last_received_seq must not be negative")
		}
		return room(c.Join.RoomID)
	case c.Page != nil:
		if err := f.checkPage(); err != nil {
			return err
		}
		return room(c.Page.RoomID)
	case c.Typing != nil:
		if f.On == nil {
			return bad("on must be true or false")
		}
		return room(c.Typing.RoomID)
	case c.Read != nil:
		if f.Seq == nil || *f.Seq < 0 {
			return bad("seq must be the number of an entry")
		}
		return room(c.Read.RoomID)
	case c.Type == "presence" && c.State != chat.Online && c.State != chat.Away:
		return bad("state must be online or away")
	case c.Type == "auth" && c.Token == "":
		return bad("token is missing")
	default:
		return nil
	}
}

func (f *fields) checkPage() *chat.Error {
	switch {
	case f.BeforeSeq != nil && f.AfterSeq != nil:
		return chat.Refuse(chat.CodeBadRequest, "history takes before_seq or after_seq, not both")
	case f.BeforeSeq != nil && *f.BeforeSeq < 1:
		return chat.Refuse(chat.CodeBadRequest, "before_seq must be at least 1")
	case f.AfterSeq != nil && *f.AfterSeq < 0:
		return chat.Refuse(chat.CodeBadRequest, "after_seq must not be negative")
	case f.Limit != nil && (*f.Limit < 1 || *f.Limit > chat.MaxPage):
		return chat.Refuse(chat.CodeBadRequest, "limit must be between 1 and 200")
	default:
		return nil
	}
}

// validID reports whether a string can be an id at all: short, without a colon or control characters.
func validID(id string) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	for i := range len(id) {
		if id[i] <= ' ' || id[i] == ':' || id[i] == 0x7f {
			return false
		}
	}
	return true
}
