-- Beat: the states of all users of a node replace what it said before. Whom it leaves out waits to be claimed.
-- KEYS: nodes, left, the node's states. ARGV: node, TTL in ms, then user and state by turns.
local here = {}
for i = 3, #ARGV, 2 do
  here[ARGV[i]] = true
end
local gone = {}
for _, user in ipairs(redis.call('HKEYS', KEYS[3])) do
  if not here[user] then
    gone[#gone + 1] = user
  end
end
redis.call('UNLINK', KEYS[3])
for i = 3, #ARGV, chunk do
  redis.call('HSET', KEYS[3], unpack(ARGV, i, math.min(i + chunk - 1, #ARGV)))
end
for i = 1, #gone, chunk do
  redis.call('SADD', KEYS[2], unpack(gone, i, math.min(i + chunk - 1, #gone)))
end
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
return redis.status_reply('OK')
