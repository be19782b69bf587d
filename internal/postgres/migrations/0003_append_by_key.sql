-- Each draft looks up its own room, membership and duplicate, by the whole of the key that finds one row. As joins, the
-- server would take fewer columns of a key where they promise to be enough (a sender has few entries in a room, a user
-- few rooms), and read through everything that somebody ever said in a room, for every new message. append_texts
-- stays for the nodes of the version before.

-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION append_texts_2(
  room_ids text[], firsts bigint[], sender_ids text[], client_ids text[], message_ids text[], kinds text[],
  bodies text[], ats bigint[]
) RETURNS TABLE (
  place bigint, seq bigint, prev_seq bigint, prev_id text, duplicate boolean, room_there boolean, sender_there boolean
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  locked bigint[];
BEGIN
  -- A statement of its own: the next one has a fresh snapshot, which sees what this one waited for.
  SELECT array_agg(l.num) INTO locked
    FROM (SELECT num FROM rooms WHERE id = ANY (room_ids) ORDER BY id FOR UPDATE) l;

  RETURN QUERY
  WITH draft AS (
    SELECT d.*, r.num AS room, r.head_seq, r.head_id, u.num AS sender, e.seq AS stored_seq,
           r.there AS room_there, r.there AND m.yes IS NOT NULL AS allowed,
           row_number() OVER (PARTITION BY d.room_id, d.sender_id, d.client_id ORDER BY d.place) AS nth
    FROM unnest(room_ids, firsts, sender_ids, client_ids, message_ids, kinds, bodies, ats)
           WITH ORDINALITY AS d (room_id, first, sender_id, client_id, message_id, kind, body, at, place)
    LEFT JOIN LATERAL (SELECT num, head_seq, head_id, deleted_at IS NULL AS there FROM rooms
      WHERE id = d.room_id AND num = ANY (locked) LIMIT 1) r ON true
    LEFT JOIN LATERAL (SELECT num FROM users WHERE id = d.sender_id AND deleted_at IS NULL LIMIT 1) u ON true
    LEFT JOIN LATERAL (SELECT true AS yes FROM members WHERE room = r.num AND user_num = u.num LIMIT 1) m ON true
    LEFT JOIN LATERAL (SELECT seq FROM entries
      WHERE room = r.num AND sender = u.num AND client_id = d.client_id LIMIT 1) e ON true
  ), judged AS (
    SELECT d.*, d.allowed AND d.stored_seq IS NULL AND d.nth = 1 AS fresh FROM draft d
  ), numbered AS (
    SELECT j.*,
           greatest(j.first, j.head_seq + 1) + row_number() OVER w - 1 AS seq,
           row_number() OVER w = 1 AS leads,
           lead(j.place) OVER w IS NULL AS last,
           lag(j.message_id) OVER w AS before_id
    FROM judged j
    WINDOW w AS (PARTITION BY j.room, j.fresh ORDER BY j.place)
  ), chained AS MATERIALIZED (
    SELECT n.*,
           CASE WHEN n.leads THEN n.head_seq ELSE n.seq - 1 END AS prev_seq,
           CASE WHEN n.leads THEN n.head_id ELSE n.before_id END AS prev_id
    FROM numbered n
  ), stored AS (
    INSERT INTO entries (room, seq, prev_seq, sender, at, kind, prev_id, message_id, client_id, body)
    SELECT c.room, c.seq, c.prev_seq, c.sender, c.at, c.kind, c.prev_id, c.message_id, c.client_id, c.body
    FROM chained c WHERE c.fresh ORDER BY c.room, c.seq
  ), moved AS (
    UPDATE rooms r SET head_seq = c.seq, head_id = c.message_id, active_at = c.at
    FROM chained c WHERE c.fresh AND c.last AND r.num = c.room
  )
  SELECT c.place,
         CASE WHEN c.fresh THEN c.seq ELSE 0 END,
         CASE WHEN c.fresh THEN c.prev_seq ELSE 0 END,
         CASE WHEN c.fresh THEN c.prev_id ELSE '' END,
         c.stored_seq IS NOT NULL OR (coalesce(c.allowed, false) AND c.nth > 1),
         coalesce(c.room_there, false), c.sender IS NOT NULL
  FROM chained c;
END
$$;
-- +goose StatementEnd

INSERT INTO schema_serves (version, serves_from) VALUES (3, 2);
