-- The function by which a batch of texts is one call, and so one trip: the transaction begins and ends inside the
-- server, and whoever freezes in the middle of it holds no lock. A later version of it gets another name, so
-- that old and new nodes run beside each other.

-- +goose Up

-- append_texts commits texts, and other entries that change nothing besides their being there. The arrays
-- describe one draft per place; firsts are the generated numbers of the drafts' rooms. It answers each draft, by its
-- place from 1: with its number and what it points back at, as a duplicate, or (seq 0) with why it was
-- refused. The answer is short whatever the texts are: it fits into the buffers between server and client, so
-- that the server never waits for a client while it holds a lock.
-- +goose StatementBegin
CREATE FUNCTION append_texts(
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
           r.deleted_at IS NULL AND r.num IS NOT NULL AS room_there,
           m.room IS NOT NULL AND r.deleted_at IS NULL AS allowed,
           row_number() OVER (PARTITION BY d.room_id, d.sender_id, d.client_id ORDER BY d.place) AS nth
    FROM unnest(room_ids, firsts, sender_ids, client_ids, message_ids, kinds, bodies, ats)
           WITH ORDINALITY AS d (room_id, first, sender_id, client_id, message_id, kind, body, at, place)
    LEFT JOIN rooms r ON r.id = d.room_id AND r.num = ANY (locked)
    LEFT JOIN users u ON u.id = d.sender_id AND u.deleted_at IS NULL
    LEFT JOIN members m ON m.room = r.num AND m.user_num = u.num
    LEFT JOIN entries e ON e.room = r.num AND e.sender = u.num AND e.client_id = d.client_id
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
         c.stored_seq IS NOT NULL OR (c.allowed AND c.nth > 1),
         c.room_there, c.sender IS NOT NULL
  FROM chained c;
END
$$;
-- +goose StatementEnd

INSERT INTO schema_serves (version, serves_from) VALUES (2, 2);
