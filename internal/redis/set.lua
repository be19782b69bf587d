-- SetState: users' states on a node change. Returns their states over all nodes, in the order of the users.
-- KEYS: nodes, left, the node's states. ARGV: node, TTL in ms, then user and state by turns.
local users, set, del = {}, {}, {}
for i = 3, #ARGV, 2 do
  local user, state = ARGV[i], ARGV[i + 1]
  users[#users + 1] = user
  if state == 'offline' then
    del[#del + 1] = user
  else
    set[#set + 1] = user
    set[#set + 1] = state
  end
end
each('HSET', KEYS[3], set)
each('HDEL', KEYS[3], del)
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])

local best = states(KEYS[1], users)
local offline = {}
for i, user in ipairs(users) do
  if best[i] == 'offline' then
    offline[#offline + 1] = user
  end
end
-- The caller announces these: nobody is to claim them as well.
for _, node in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  each('HDEL', KEYS[1] .. ':' .. node, offline)
end
each('SREM', KEYS[2], offline)
return best
