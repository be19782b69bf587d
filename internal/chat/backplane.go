package chat

import "context"

// Backplane joins the nodes of a chat: it generates numbers, carries bells, and knows who is here. It may
// lose, repeat and reorder what it carries, and forget everything; nothing that is true depends on it. Its
// implementations pass chattest.TestBackplane. A failure wraps ErrUnavailable.
type Backplane interface {
	Numbers
	Bus
	Presence
	Close() error
}

// Numbers generate the numbers of entries: one of the two witnesses (the other is the store's head).
type Numbers interface {
	// Number generates, in one trip, counts[room] consecutive numbers for each room, above all that it
	// generated or was told of before, and returns the first of each (SEQ4).
	Number(ctx context.Context, counts map[string]int) (map[string]int64, error)
}

// Bus carries notices between nodes.
type Bus interface {
	// Publish sends notices, in one trip, to every other node that listens to their rooms (or to all nodes,
	// for a notice without a room), and raises counters that are missing or behind to the numbers in
	// heads, atomically (SEQ4). A node does not get its own notices back.
	Publish(ctx context.Context, notices []Notice, heads map[string]int64) error
	// Watch starts listening to a room's notices and returns when the subscription stands. Unwatch ends it.
	// One that fails is made up for before the next Up.
	Watch(ctx context.Context, roomID string) error
	Unwatch(ctx context.Context, roomID string) error
	// Listen hands every notice to the listener, from one goroutine, until ctx ends or Close. One call at a time.
	Listen(ctx context.Context, l Listener) error
}

// Listener is told what comes over the bus. Its methods are called from one goroutine and should not wait long.
type Listener interface {
	Notice(n Notice)
	// Up is called when the subscription stands, again after every interruption: bells may have been lost
	// (HUB5). Down is called when it is interrupted (HUB6).
	Up()
	Down()
}

// Notice is what one node tells the others. Exactly one of the pointers is set.
type Notice struct {
	RoomID string `json:"room_id,omitempty"` // empty: for every node

	Entry    *Entry          `json:"entry,omitempty"`
	Typing   *Typing         `json:"typing,omitempty"`
	Read     *Read           `json:"read,omitempty"`
	Presence *PresenceChange `json:"presence,omitempty"`
	User     *UserNotice     `json:"user,omitempty"`
}

// Typing says that a user types in a room, or stopped.
type Typing struct {
	UserID string `json:"user_id"`
	On     bool   `json:"on"`
}

// PresenceChange is a user's new state over all nodes.
type PresenceChange struct {
	UserID string `json:"user_id"`
	State  State  `json:"state"`
}

// UserNotice is about a user wherever they are connected.
type UserNotice struct {
	UserID  string         `json:"user_id"`
	Kind    UserNoticeKind `json:"kind"`
	Session string         `json:"session,omitempty"` // of a revocation
	Profile *User          `json:"profile,omitempty"` // of an update
}

// UserNoticeKind says what happened to a user.
type UserNoticeKind string

// The kinds of user notice.
const (
	RoomsChanged   UserNoticeKind = "rooms_changed"   // memberships or roles: read the list again
	SessionRevoked UserNoticeKind = "session_revoked" // close what the session opened
	ProfileChanged UserNoticeKind = "profile_changed" // tell everyone who shares a room
)

// Presence knows who is here, per node, for PresenceTTL after the last beat (PRS2).
type Presence interface {
	// Beat renews the states of all users of a node. It is the whole truth about that node: whom it leaves out
	// is not there any more, and is claimed where no other node has them.
	Beat(ctx context.Context, node string, states map[string]State) error
	// SetState changes users' states on a node (Offline removes) and returns their states over all nodes.
	SetState(ctx context.Context, node string, changes map[string]State) (map[string]State, error)
	// Claim takes out users whose last node has not renewed them in time. Each is returned to one caller only (PRS4).
	Claim(ctx context.Context) ([]string, error)
	// Here is everybody who is not offline, over all nodes.
	Here(ctx context.Context) (map[string]State, error)
}
