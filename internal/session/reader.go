package session

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/gochat-dev/gochat/internal/chat"
	"github.com/gochat-dev/gochat/internal/wire"
)

const (
	storeTimeout = 5 * time.Second
	openEntries  = 50 // entries in the answer to join (RES1)
	pageEntries  = 50 // in the answer to history, where the client names no limit

	commandRate  = 50 // commands per second and connection, besides sends
	commandBurst = 200
	floodLimit   = 100 // rate_limited answers within a minute before the connection is closed
)

// reader is what the reader goroutine needs between commands. Owned by it, but for closeReason.
type reader struct {
	closeReason atomic.Pointer[string]

	commands   *rate.Limiter // made with the first command
	floods     int
	floodSince time.Time
}

// handle answers one command. Called by the reader.
func (s *Session) handle(cmd wire.Command, problem *chat.Error) {
	if s.closed.Load() {
		return
	}
	if cmd.Type == "pong" {
		s.pong()
		return
	}
	s.out.waitBelow()
	if problem == nil && cmd.Send != nil {
		s.handleSend(cmd)
		return
	}
	if !s.allow(cmd) {
		return
	}
	if problem != nil {
		s.fail(cmd, problem)
		return
	}
	switch cmd.Type {
	case "join":
		s.handleJoin(cmd)
	case "history":
		s.handleHistory(cmd)
	case "typing":
		s.handleTyping(cmd)
	case "read":
		s.handleRead(cmd)
	case "presence":
		s.setState(cmd.State)
		s.answer(wire.Done(cmd.ID))
	case "auth":
		s.handleAuth(cmd)
	case "ping":
		s.answer(wire.Done(cmd.ID))
	}
}

// allow takes one command from the connection's allowance, or answers that there is none left.
func (s *Session) allow(cmd wire.Command) bool {
	if s.reader.commands == nil {
		s.reader.commands = rate.NewLimiter(commandRate, commandBurst)
	}
	if s.reader.commands.Allow() {
		return true
	}
	s.srv.cfg.Observe.RateLimited("command")
	s.limited(cmd, &chat.Error{Code: chat.CodeRateLimited, Message: "too many commands: wait a moment", RetryAfter: time.Second})
	return false
}

func (s *Session) answer(f *wire.Frame) { s.out.putAnswer(f) }

// fail answers a command with an error; what is not meant for people becomes unavailable.
func (s *Session) fail(cmd wire.Command, err error) {
	var shown *chat.Error
	if !errors.As(err, &shown) {
		s.note(slog.LevelError, "a command failed", "type", cmd.Type, "err", err)
		shown = chat.Unavailable(time.Second)
	}
	s.answer(wire.Failed(cmd.ID, shown))
}

// limited answers rate_limited, and closes the connection of somebody who goes on all the same.
func (s *Session) limited(cmd wire.Command, err error) {
	now := time.Now()
	if now.Sub(s.reader.floodSince) > time.Minute {
		s.reader.floodSince, s.reader.floods = now, 0
	}
	s.fail(cmd, err)
	if s.reader.floods++; s.reader.floods > floodLimit {
		s.close(CloseFlood, "still flooding after a hundred warnings within a minute")
	}
}

func (s *Session) handleSend(cmd wire.Command) {
	d := chat.Draft{
		RoomID: cmd.Send.RoomID, SenderID: s.userID, ClientID: cmd.Send.ClientID,
		Kind: chat.KindText, Body: cmd.Send.Body, At: time.Now(),
	}
	if err := d.CheckText(); err != nil {
		if s.allow(cmd) {
			s.fail(cmd, err)
		}
		return
	}
	if err := s.srv.relay.Allow(s.userID); err != nil {
		s.limited(cmd, err)
		return
	}
	id := cmd.ID
	s.noteHeldUp() // by what stood before it in the same frame
	s.srv.relay.Post(d, s, func(o chat.Outcome) {
		if o.Err == nil {
			s.answer(wire.Sent(id, &o.Entry))
			return
		}
		s.fail(wire.Command{Type: "send", ID: id}, o.Err)
	})
}

func (s *Session) handleJoin(cmd wire.Command) {
	ctx, cancel := s.context()
	defer cancel()
	var after *chat.Position
	limit := openEntries
	if seq := cmd.Join.LastReceivedSeq; seq != nil {
		after = &chat.Position{Seq: *seq, ID: cmd.Join.LastReceivedID}
		limit = chat.MaxReplay
	}
	opened, err := s.srv.cfg.Store.Open(ctx, cmd.Join.RoomID, s.userID, after, limit)
	if err != nil {
		s.fail(cmd, err)
		return
	}
	joined := wire.Joined{}
	if after != nil {
		recovered := opened.Recovered && !opened.More
		joined.Recovered = &recovered
		if !recovered {
			// Never a partial fill: the latest entries, as for somebody who has none (RES3).
			if opened, err = s.srv.cfg.Store.Open(ctx, cmd.Join.RoomID, s.userID, nil, openEntries); err != nil {
				s.fail(cmd, err)
				return
			}
		}
	}
	joined.Room = wire.FromRoom(opened.Room)
	joined.Entries = wire.FromEntries(opened.Entries)
	joined.Users = wire.FromUsers(opened.Users)
	joined.HasMore = opened.More
	joined.Reads = wire.FromReads(opened.Reads)
	joined.Presence, joined.Typing = s.srv.here(ctx, cmd.Join.RoomID, s.userID)
	s.answer(wire.JoinedReply(cmd.ID, joined))
}

// here is who is in a room: as the hub knows it, or for a room that is not live here, as presence knows it.
func (srv *Server) here(ctx context.Context, roomID, userID string) (wire.Presence, []string) {
	if p, typing, ok := srv.relay.Hub().Here(roomID); ok {
		return p, typing
	}
	states := make(map[string]chat.State)
	cursor := ""
	for {
		members, next, err := srv.cfg.Store.Members(ctx, roomID, userID, chat.Paging{Limit: chat.MaxPage, Cursor: cursor})
		if err != nil {
			srv.log.Warn("reading who is in a room failed", "room", roomID, "err", err)
			break
		}
		ids := make([]string, 0, len(members))
		for _, m := range members {
			ids = append(ids, m.User.ID)
		}
		maps.Copy(states, srv.presence.States(ctx, ids))
		if cursor = next; cursor == "" {
			break
		}
	}
	if len(states) > chat.CrowdedRoom {
		return wire.Presence{Online: len(states)}, []string{}
	}
	return wire.Presence{States: states}, []string{}
}

func (s *Session) handleHistory(cmd wire.Command) {
	ctx, cancel := s.context()
	defer cancel()
	q := chat.PageQuery{Before: cmd.Page.BeforeSeq, Limit: cmd.Page.Limit}
	if q.Limit == 0 {
		q.Limit = pageEntries
	}
	if cmd.Page.AfterSeq != nil {
		q.After = *cmd.Page.AfterSeq
		q.FromStart = q.After == 0
	}
	page, err := s.srv.cfg.Store.Page(ctx, cmd.Page.RoomID, s.userID, q)
	if err != nil {
		s.fail(cmd, err)
		return
	}
	s.answer(wire.HistoryReply(cmd.ID, page))
}

func (s *Session) handleTyping(cmd wire.Command) {
	if !s.in(cmd.Typing.RoomID) {
		s.fail(cmd, chat.ErrNotAMember)
		return
	}
	s.srv.relay.Hub().Typing(cmd.Typing.RoomID, s.userID, cmd.Typing.On)
	s.answer(wire.Done(cmd.ID))
}

func (s *Session) in(roomID string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.place(roomID) != nil
}

func (s *Session) handleRead(cmd wire.Command) {
	ctx, cancel := s.context()
	defer cancel()
	last, unread, err := s.srv.relay.Read(ctx, cmd.Read.RoomID, s.userID, cmd.Read.Seq)
	if err != nil {
		s.fail(cmd, err)
		return
	}
	s.answer(wire.ReadReply(cmd.ID, last, unread))
}

func (s *Session) setState(state chat.State) {
	s.mu.Lock()
	old := s.state
	s.state = state
	s.mu.Unlock()
	s.srv.presence.Moved(s.userID, old, state)
}

// handleAuth takes a fresh token before the old one ends. It must be of the same user and session.
func (s *Session) handleAuth(cmd wire.Command) {
	who, err := s.srv.cfg.Verify(cmd.Token)
	if err != nil || who.UserID != s.userID || who.SessionID != s.sessionID {
		s.fail(cmd, chat.Refuse(chat.CodeUnauthorized, "this token is not good, or not of this session"))
		return
	}
	s.expires.Store(who.Expires.UnixNano())
	s.answer(wire.AuthReply(cmd.ID, who.Expires))
}

// retryLater asks again for what the store could not serve. Called by the server's sweep.
func (s *Session) retryLater() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.retry) == 0 {
		return
	}
	s.replays = append(s.replays, s.retry...)
	s.retry = slices.Clip(s.retry[:0])
	s.out.nudge()
}
