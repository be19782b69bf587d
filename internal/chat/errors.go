package chat

import (
	"errors"
	"time"
)

// Code is the stable, machine-readable name of an error, the same in REST and on the WebSocket.
type Code string

// The codes of errors. docs/protocol.md lists them with what a client should do.
const (
	CodeBadRequest         Code = "bad_request"
	CodeUnknownType        Code = "unknown_type"
	CodeNotFound           Code = "not_found"
	CodeNotAMember         Code = "not_a_member"
	CodeForbidden          Code = "forbidden"
	CodeTooLong            Code = "too_long"
	CodeEmpty              Code = "empty"
	CodeRateLimited        Code = "rate_limited"
	CodeUnavailable        Code = "unavailable"
	CodeInviteRequired     Code = "invite_required"
	CodeInviteInvalid      Code = "invite_invalid"
	CodeLastOwner          Code = "last_owner"
	CodeUsernameTaken      Code = "username_taken"
	CodeRegistrationClosed Code = "registration_closed"
	CodeGuestsDisabled     Code = "guests_disabled"
	CodeBadCredentials     Code = "bad_credentials"
	CodeSessionRevoked     Code = "session_revoked"
	CodeUnauthorized       Code = "unauthorized"
)

// Error is an error that may be shown to the person who caused it.
type Error struct {
	Code       Code
	Message    string        // plain words that say what to do
	RetryAfter time.Duration // set where waiting helps
}

func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

// RetryAfterMS is RetryAfter in milliseconds, rounded up: who comes back then does not come too early.
func (e *Error) RetryAfterMS() int64 {
	return int64((e.RetryAfter + time.Millisecond - 1) / time.Millisecond)
}

// Is makes errors.Is compare codes, so that a sentinel matches a more detailed error of the same code.
func (e *Error) Is(target error) bool {
	var other *Error
	return errors.As(target, &other) && other.Code == e.Code
}

// Refuse makes an error of a code with words of its own.
func Refuse(code Code, message string) *Error { return &Error{Code: code, Message: message} }

// MembersOnly turns ErrNoRoom into ErrNotAMember: what only members may do is refused to everybody else alike, so that
// nobody learns whether a private room exists.
func MembersOnly(err error) error {
	if errors.Is(err, ErrNoRoom) {
		return ErrNotAMember
	}
	return err
}

// The refusals that stores and rules share.
var (
	ErrNotFound      = Refuse(CodeNotFound, "there is no such thing here")
	ErrNoRoom        = Refuse(CodeNotFound, "there is no such room, or you may not see it")
	ErrNotAMember    = Refuse(CodeNotAMember, "you are not a member of this room")
	ErrForbidden     = Refuse(CodeForbidden, "your role does not allow this")
	ErrInviteNeeded  = Refuse(CodeInviteRequired, "this is not a public room: ask a member for an invite link")
	ErrInviteInvalid = Refuse(CodeInviteInvalid, "this invite is not valid (any more): ask for a new one")
	ErrLastOwner     = Refuse(CodeLastOwner, "you are the last owner: make another member the owner first, or delete the room")
	ErrUsernameTaken = Refuse(CodeUsernameTaken, "this user name is taken: choose another")
	ErrRevoked       = Refuse(CodeSessionRevoked, "this session has ended: log in again")
)

// ErrAlreadyDone says that a draft would change nothing (joining a room one is in, a role one has).
// Callers that only want the state reached treat it as success.
var ErrAlreadyDone = errors.New("nothing to change")

// ErrUnavailable is the kind of failure after which nothing was stored and trying again later may help:
// a store or backplane that can't be reached, a full disk.
var ErrUnavailable = errors.New("unavailable")

// ErrUnknownOutcome is the kind of failure after which a commit may or may not have happened: the same
// batch must be tried again before anything later of its rooms (SEQ3).
var ErrUnknownOutcome = errors.New("outcome unknown")

// ErrBadData is the kind of failure with which a store refuses a batch for the data in it; the batch is split (SEQ7).
var ErrBadData = errors.New("data refused")

// Unavailable is the error that a person sees while the store can't take anything.
func Unavailable(retry time.Duration) *Error {
	return &Error{Code: CodeUnavailable, Message: "the chat can't store anything right now: try again in a moment", RetryAfter: retry}
}
