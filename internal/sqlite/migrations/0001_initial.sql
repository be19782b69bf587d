-- The first schema. Rooms and users have a short number (num) beside their id: everything else refers to
-- that, which keeps the indexes of the log small. Times are milliseconds since 1970, UTC.

-- +goose Up

CREATE TABLE meta (
  key   TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO meta (key, value) VALUES ('epoch', lower(hex(randomblob(16))));

-- One row, rewritten by every health check: so large that it does not fit where a few entries would not.
CREATE TABLE pings (
  id      INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  filling BLOB NOT NULL
) STRICT;

CREATE TABLE users (
  num           INTEGER PRIMARY KEY,
  id            TEXT    NOT NULL UNIQUE,
  username      TEXT    COLLATE NOCASE UNIQUE, -- null: a guest without one, or a deleted account
  display_name  TEXT    NOT NULL,
  folded_name   TEXT    NOT NULL,              -- display_name in lower case, for searching and sorting
  avatar_url    TEXT    NOT NULL,
  guest         INTEGER NOT NULL,
  admin         INTEGER NOT NULL,
  password_hash TEXT    NOT NULL,
  rooms_version INTEGER NOT NULL DEFAULT 0,
  took_part     INTEGER NOT NULL DEFAULT 0,    -- was a member of a room at some time
  created_at    INTEGER NOT NULL,
  seen_at       INTEGER NOT NULL,
  deleted_at    INTEGER                        -- the row stays, so that entries keep their sender's name
) STRICT;

CREATE INDEX users_by_name ON users (folded_name, num);
CREATE INDEX users_idle_guests ON users (seen_at) WHERE guest = 1 AND deleted_at IS NULL;

-- head_seq and head_id are the second witness of numbers (SEQ4): the highest committed.
CREATE TABLE rooms (
  num          INTEGER PRIMARY KEY,
  id           TEXT    NOT NULL UNIQUE,
  head_seq     INTEGER NOT NULL DEFAULT 0,
  head_id      TEXT    NOT NULL DEFAULT '',
  active_at    INTEGER NOT NULL,               -- when the head was written
  member_count INTEGER NOT NULL DEFAULT 0,
  visibility   TEXT    NOT NULL,
  name         TEXT    NOT NULL,
  folded_name  TEXT    NOT NULL,
  topic        TEXT    NOT NULL,
  created_at   INTEGER NOT NULL,
  deleted_at   INTEGER
) STRICT;

CREATE INDEX rooms_public ON rooms (folded_name, num) WHERE visibility = 'public' AND deleted_at IS NULL;

CREATE TABLE members (
  room          INTEGER NOT NULL REFERENCES rooms (num),
  user          INTEGER NOT NULL REFERENCES users (num),
  role          TEXT    NOT NULL,
  joined_at     INTEGER NOT NULL,
  last_read_seq INTEGER NOT NULL,
  PRIMARY KEY (room, user)
) STRICT, WITHOUT ROWID;

CREATE INDEX members_by_user ON members (user);

-- The logs, each in one piece, so that a page of history is read from neighbouring pages of the file (SEQ1, SEQ2).
-- What unread counts look at comes first in the row (SIG3); an index for them would cost every commit a fifth more.
-- sender has no foreign key: senders are never deleted, and checking it would need another index.
CREATE TABLE entries (
  room       INTEGER NOT NULL REFERENCES rooms (num),
  seq        INTEGER NOT NULL,
  kind       TEXT    NOT NULL,
  sender     INTEGER NOT NULL,
  prev_seq   INTEGER NOT NULL CHECK (prev_seq >= 0 AND prev_seq < seq),
  prev_id    TEXT    NOT NULL,
  message_id TEXT    NOT NULL,
  client_id  TEXT    NOT NULL,
  at         INTEGER NOT NULL,
  data       TEXT,
  body       TEXT    NOT NULL,
  PRIMARY KEY (room, seq),
  UNIQUE (room, prev_seq),
  UNIQUE (room, sender, client_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE invites (
  code       TEXT    NOT NULL PRIMARY KEY,
  room       INTEGER NOT NULL REFERENCES rooms (num),
  created_by INTEGER NOT NULL REFERENCES users (num),
  created_at INTEGER NOT NULL,
  expires_at INTEGER,                          -- null: never
  max_uses   INTEGER NOT NULL,                 -- 0: any number
  uses       INTEGER NOT NULL DEFAULT 0,
  ended_at   INTEGER                           -- revoked, or used up
) STRICT, WITHOUT ROWID;

CREATE INDEX invites_by_room ON invites (room, created_at, code);
CREATE INDEX invites_by_creator ON invites (created_by);

CREATE TABLE sessions (
  id           TEXT    NOT NULL PRIMARY KEY,
  user         INTEGER NOT NULL REFERENCES users (num) ON DELETE CASCADE,
  user_agent   TEXT    NOT NULL,
  created_at   INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL,
  expires_at   INTEGER NOT NULL,
  revoked_at   INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_by_user ON sessions (user);

-- The tokens of a session's family, as hashes. Those that were not traded yet are good; one that was, for a
-- little longer.
CREATE TABLE refresh_tokens (
  hash      TEXT NOT NULL PRIMARY KEY,
  session   TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  traded_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session);

-- Nodes that committed without being able to publish (HUB6).
CREATE TABLE silent_nodes (
  node  TEXT    NOT NULL PRIMARY KEY,
  until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
