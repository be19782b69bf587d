-- What every message asks about its sender, and every comparison about everybody who is connected (HUB5), in an index
-- that answers alone: the rows of thousands of users would push everything else out of the cache.

-- +goose Up

CREATE INDEX users_looked_at ON users (id, deleted_at, guest, rooms_version);
