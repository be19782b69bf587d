package chat

import (
	"context"
	"time"
)

// Store keeps everything durable. Its implementations pass chattest.TestStore. A failure to reach the
// database wraps ErrUnavailable (nothing was stored) or, for Append alone, ErrUnknownOutcome; a refusal is
// an *Error. All methods are safe for concurrent use.
type Store interface {
	Entries
	Rooms
	Members
	Invites
	Accounts
	Sessions
	Upkeep
}

// Entries are the logs of the rooms.
type Entries interface {
	// Append commits a batch in one transaction: it locks the batch's rooms in the order of their ids, takes
	// out duplicates (SEQ2), judges the rest (SEQ8, Draft.Judge), numbers what is left in the order given,
	// from max(firsts[room], head+1) on and without gaps (SEQ4), and makes what each entry says true
	// (members, roles, the room's name, an invite's uses, rooms versions); a new member has read up to the joining.
	// Outcomes stand in the order of the drafts.
	Append(ctx context.Context, drafts []Draft, firsts map[string]int64) ([]Outcome, error)
	// Find returns the entries that already stand for these keys.
	Find(ctx context.Context, keys []Key) (map[Key]Entry, error)
	// Load reads, in one snapshot, what a node needs to keep a room live: its head, its last n entries
	// (ascending) and its members. ErrNoRoom for an unknown or deleted room.
	Load(ctx context.Context, roomID string, n int) (Live, error)
	// After reads, in one snapshot, up to limit entries after a position. Run.Known is false if the log does
	// not reach the position or has another id at it (HUB1, RES3).
	After(ctx context.Context, roomID string, from Position, limit int) (Run, error)
	// Page reads a page of a room's history for a member (ErrNotAMember otherwise).
	Page(ctx context.Context, roomID, userID string, q PageQuery) (Page, error)
	// Open reads, in one snapshot, what the join command answers with. ErrNotAMember, also where there is no room.
	Open(ctx context.Context, roomID, userID string, after *Position, limit int) (Opened, error)
	// Compare answers, with one query for all of it, the periodic check of a node (HUB5, HUB6).
	Compare(ctx context.Context, q CompareQuery) (Comparison, error)
}

// Live is what a node needs to keep a room live.
type Live struct {
	Head    Position
	Entries []Entry
	Members []string
	Epoch   string
}

// Run is a stretch of a log.
type Run struct {
	Known   bool     // the log has the position that was asked from
	Entries []Entry  // after it, ascending, at most limit
	Head    Position // of the room, in the same snapshot
	Epoch   string   // in the same snapshot (RES3)
}

// PageQuery asks for a page of history: before a number, after one (0 with FromStart), or around one (at most one is
// set; all zero: the latest). Limit is 1 to MaxPage.
type PageQuery struct {
	Before, After, Around int64
	FromStart             bool
	Limit                 int
}

// Page is a page of history, ascending. More says whether there is more in the direction asked for
// (for Around and the latest: before it).
type Page struct {
	Entries []Entry
	Users   []User // everyone named in the entries
	More    bool
}

// Opened is a room as it is opened by a member.
type Opened struct {
	Room      RoomView
	Entries   []Entry // the latest, or those after the position asked for (none where that is not in the log); ascending
	More      bool    // there are older ones (latest), or more than limit (after)
	Recovered bool    // the position asked for is in the log
	Users     []User  // everyone named in the entries
	Reads     []Read  // how far the members have read; empty in a crowded room (more than CrowdedRoom members)
}

// CompareQuery is what a node asks about all that is live on it. A node that committed without being able
// to publish sets Silent; its mark lasts SilentTTL.
type CompareQuery struct {
	Rooms  []string
	Users  []string
	Node   string
	Silent bool
}

// SilentTTL is how long a node's silent mark counts after it was last set (HUB6).
const SilentTTL = 10 * time.Second

// Comparison is the store's side of the periodic check. Rooms and users that are not there are left out.
type Comparison struct {
	Heads    map[string]Position
	Versions map[string]int64
	Epoch    string
	Silent   bool // some node is silent
}

// Rooms are the rooms as their members and visitors see them.
type Rooms interface {
	// Snapshot reads, in one snapshot, what a connection starts from: who the user is, whether the session is
	// good (ErrRevoked otherwise), the rooms version, and the user's rooms, the last active first, at most MaxRooms.
	Snapshot(ctx context.Context, userID, sessionID string) (Snapshot, error)
	// Room is one room as a user sees it: any member's, or a public one. ErrNoRoom otherwise.
	Room(ctx context.Context, roomID, userID string) (RoomView, error)
	// RoomsOf lists a user's rooms, the last active first.
	RoomsOf(ctx context.Context, userID string, p Paging) ([]RoomView, string, error)
	// PublicRooms lists the public rooms with the query in their name, in any case, by name.
	PublicRooms(ctx context.Context, userID, query string, p Paging) ([]RoomView, string, error)
	// DeleteRoom ends a room (owners only) and returns who its members were. Its entries stay, unseen.
	// ErrNotAMember, also where there is no room; ErrForbidden.
	DeleteRoom(ctx context.Context, roomID, userID string) ([]string, error)
}

// Snapshot is what a connection starts from.
type Snapshot struct {
	User    User
	Version int64 // of the user's memberships: every change of them raises it (HUB5)
	Epoch   string
	Rooms   []RoomView
	More    string // the cursor for RoomsOf when there are more than MaxRooms, else ""
}

// Paging asks for a page of a collection. An empty cursor starts; the cursor returned is empty at the end.
// A cursor that the store did not make is refused with bad_request.
type Paging struct {
	Limit  int
	Cursor string
}

// Members are who is in a room, and how far they have read.
type Members interface {
	// Members lists a room's members, by role and then name, for a member (ErrNotAMember otherwise).
	Members(ctx context.Context, roomID, userID string, p Paging) ([]Member, string, error)
	// Member is one of them; the zero Role where the user is none.
	Member(ctx context.Context, roomID, userID string) (Member, error)
	// SaveReads moves read positions forward, never back, and not beyond the head (SIG2); those of non-members are
	// passed over.
	SaveReads(ctx context.Context, reads []Read) error
	// Unread counts the texts of others after a number and not beyond another, up to MaxUnread (SIG3).
	Unread(ctx context.Context, roomID, userID string, after, last int64) (int, error)
}

// Invites are the ways into rooms.
type Invites interface {
	// CreateInvite stores an invite. ErrNotAMember, ErrForbidden below admin.
	CreateInvite(ctx context.Context, inv Invite) error
	// Invites lists those of a room that can still be used, newest first, for admins and owners.
	Invites(ctx context.Context, roomID, userID string, p Paging) ([]Invite, string, error)
	// RevokeInvite ends one, for admins and owners. ErrInviteInvalid where there is none.
	RevokeInvite(ctx context.Context, roomID, userID, code string) error
	// Preview shows where an invite leads. ErrInviteInvalid for unknown, expired, used up and revoked alike.
	Preview(ctx context.Context, code string, now time.Time) (InvitePreview, error)
}

// InvitePreview is what somebody sees of a room before accepting.
type InvitePreview struct {
	Invite  Invite
	Room    Room
	Inviter User
}

// Accounts are the people.
type Accounts interface {
	// CreateUser stores an account; the first one that is not a guest becomes the instance's admin, as does
	// one with User.Admin set. User names are the same in any case; any number of guests have none. ErrUsernameTaken.
	CreateUser(ctx context.Context, u User, passwordHash string) (User, error)
	// Credentials finds an account and its password hash by user name. ErrNotFound.
	Credentials(ctx context.Context, username string) (User, string, error)
	// Users returns those of these ids that exist, in no particular order; a removed guest, with its display name alone.
	Users(ctx context.Context, ids []string) ([]User, error)
	// SearchUsers finds people whose user name or display name starts with the query, in any case.
	SearchUsers(ctx context.Context, query string, p Paging) ([]User, string, error)
	// UpdateUser stores display name and avatar.
	UpdateUser(ctx context.Context, u User) error
	SetPassword(ctx context.Context, userID, passwordHash string) error
	// DeleteUser removes an account that never took part in anything, and a guest with all memberships
	// (its entries stay). It returns the rooms that it was a member of. ErrForbidden for any other account.
	DeleteUser(ctx context.Context, userID string) ([]string, error)
}

// Sessions are log-ins. Tokens are kept only as hashes.
type Sessions interface {
	CreateSession(ctx context.Context, s Session, tokenHash string) error
	// Rotate trades a refresh token for its successor; the session then lasts as long again as it was made for. A
	// token traded before stays good for grace after its first trade; later use revokes the whole family.
	// ErrRevoked, also for an unknown or expired token.
	// The session returned with ErrRevoked is the one that reuse has just revoked, or zero.
	Rotate(ctx context.Context, tokenHash, successorHash string, now time.Time, grace time.Duration) (Session, error)
	// Session is a session that is good now: not revoked, not expired. ErrRevoked otherwise.
	Session(ctx context.Context, id string) (Session, error)
	// SessionByToken finds the session of any token of its family, traded or not. ErrRevoked.
	SessionByToken(ctx context.Context, tokenHash string) (Session, error)
	// ListSessions lists a user's sessions that are good now, the last seen first.
	ListSessions(ctx context.Context, userID string) ([]Session, error)
	// Revoke ends a user's sessions: the one named, or (id empty) all but the one named by except. It
	// returns those that it ended and raises the user's rooms version, so that a lost notice is noticed (HUB5).
	Revoke(ctx context.Context, userID, id, except string) ([]Session, error)
}

// Upkeep is what keeps a store going.
type Upkeep interface {
	// Ping fails unless the store can read and write right now.
	Ping(ctx context.Context) error
	// Epoch is the id of this history; NewEpoch writes another one (RES3).
	Epoch(ctx context.Context) (string, error)
	NewEpoch(ctx context.Context) (string, error)
	// HasAdmin says whether anybody administers the instance.
	HasAdmin(ctx context.Context) (bool, error)
	// IdleGuests names guests who have not been seen since a moment, at most limit.
	IdleGuests(ctx context.Context, since time.Time, limit int) ([]string, error)
	// Prune deletes sessions and invites that ended before a moment, and tokens that were traded before it.
	Prune(ctx context.Context, before time.Time) error
	Close() error
}
