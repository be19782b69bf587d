-- The first schema. Rooms and users have a short number (num) beside their id: everything else refers to
-- that, which keeps the indexes of the log small. Times are milliseconds since 1970, UTC. Ids and the names
-- that are searched are compared by their bytes.

-- +goose Up

-- Which programs a version of the schema serves: those that know at least version serves_from. A migration that
-- only adds (expand) names an older version; one that takes away (contract) names its own.
CREATE TABLE schema_serves (
  version     bigint NOT NULL PRIMARY KEY,
  serves_from bigint NOT NULL
);

CREATE TABLE meta (
  key   text NOT NULL PRIMARY KEY,
  value text NOT NULL
);

INSERT INTO meta (key, value) VALUES ('epoch', gen_random_uuid()::text);

-- Rewritten by health checks.
CREATE TABLE pings (
  id      integer NOT NULL PRIMARY KEY,
  filling text    NOT NULL
);

CREATE TABLE users (
  num           bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id            text    COLLATE "C" NOT NULL UNIQUE,
  username      text    COLLATE "C",            -- null: a guest without one, or a deleted account
  display_name  text    NOT NULL,
  folded_name   text    COLLATE "C" NOT NULL,   -- display_name in lower case, for searching and sorting
  avatar_url    text    NOT NULL,
  guest         boolean NOT NULL,
  admin         boolean NOT NULL,
  password_hash text    NOT NULL,
  rooms_version bigint  NOT NULL DEFAULT 0,
  took_part     boolean NOT NULL DEFAULT false, -- was a member of a room at some time
  created_at    bigint  NOT NULL,
  seen_at       bigint  NOT NULL,
  deleted_at    bigint                          -- the row stays, so that entries keep their sender's name
) WITH (fillfactor = 80);

CREATE UNIQUE INDEX users_by_username ON users (lower(username)); -- of the C collation: A to Z only
CREATE INDEX users_by_name ON users (folded_name, num);
CREATE INDEX users_idle_guests ON users (seen_at) WHERE guest AND deleted_at IS NULL;

-- head_seq and head_id are the second witness of numbers (SEQ4): the highest committed. The row's lock is the
-- room's lock. There is space left on its page for the next head: no index has a column of it.
CREATE TABLE rooms (
  num          bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id           text    COLLATE "C" NOT NULL UNIQUE,
  head_seq     bigint  NOT NULL DEFAULT 0,
  head_id      text    NOT NULL DEFAULT '',
  active_at    bigint  NOT NULL,                -- when the head was written
  member_count integer NOT NULL DEFAULT 0,
  visibility   text    NOT NULL,
  name         text    NOT NULL,
  folded_name  text    COLLATE "C" NOT NULL,
  topic        text    NOT NULL,
  created_at   bigint  NOT NULL,
  deleted_at   bigint
) WITH (fillfactor = 50);

CREATE INDEX rooms_public ON rooms (folded_name, num) WHERE visibility = 'public' AND deleted_at IS NULL;

CREATE TABLE members (
  room          bigint NOT NULL REFERENCES rooms (num),
  user_num      bigint NOT NULL REFERENCES users (num),
  role          text   NOT NULL,
  joined_at     bigint NOT NULL,
  last_read_seq bigint NOT NULL,
  PRIMARY KEY (room, user_num)
) WITH (fillfactor = 80);

CREATE INDEX members_by_user ON members (user_num);

-- The logs (SEQ1, SEQ2). room and sender have no foreign keys: rooms and senders are never deleted, and looking at
-- each for every entry costs more than it tells.
CREATE TABLE entries (
  room       bigint NOT NULL,
  seq        bigint NOT NULL,
  prev_seq   bigint NOT NULL CHECK (prev_seq >= 0 AND prev_seq < seq),
  sender     bigint NOT NULL,
  at         bigint NOT NULL,
  kind       text   NOT NULL,
  prev_id    text   NOT NULL,
  message_id text   NOT NULL,
  client_id  text   COLLATE "C" NOT NULL,
  data       jsonb,
  body       text   NOT NULL,
  PRIMARY KEY (room, seq),
  UNIQUE (room, prev_seq),
  UNIQUE (room, sender, client_id)
);

CREATE TABLE invites (
  code       text    COLLATE "C" NOT NULL PRIMARY KEY,
  room       bigint  NOT NULL REFERENCES rooms (num),
  created_by bigint  NOT NULL REFERENCES users (num),
  created_at bigint  NOT NULL,
  expires_at bigint,                            -- null: never
  max_uses   integer NOT NULL,                  -- 0: any number
  uses       integer NOT NULL DEFAULT 0,
  ended_at   bigint                             -- revoked, or used up
);

CREATE INDEX invites_by_room ON invites (room, created_at, code);
CREATE INDEX invites_by_creator ON invites (created_by);

CREATE TABLE sessions (
  id           text   COLLATE "C" NOT NULL PRIMARY KEY,
  user_num     bigint NOT NULL REFERENCES users (num) ON DELETE CASCADE,
  user_agent   text   NOT NULL,
  created_at   bigint NOT NULL,
  last_seen_at bigint NOT NULL,
  expires_at   bigint NOT NULL,
  revoked_at   bigint
);

CREATE INDEX sessions_by_user ON sessions (user_num);

-- The tokens of a session's family, as hashes. Those that were not traded yet are good; one that was, for a
-- little longer.
CREATE TABLE refresh_tokens (
  hash      text COLLATE "C" NOT NULL PRIMARY KEY,
  session   text COLLATE "C" NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  traded_at bigint
);

CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session);

-- Nodes that committed without being able to publish (HUB6).
CREATE TABLE silent_nodes (
  node  text   NOT NULL PRIMARY KEY,
  until bigint NOT NULL
);

INSERT INTO schema_serves (version, serves_from) VALUES (1, 1);
