-- Claim: takes out who waits to be claimed and the users of nodes that have not beaten in time, and returns those of
-- them that no other node has.
-- KEYS: nodes, left.
local ended = redis.call('SMEMBERS', KEYS[2])
local seen = {}
for _, user in ipairs(ended) do
  seen[user] = true
end
for _, node in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now)) do
  local hash = KEYS[1] .. ':' .. node
  for _, user in ipairs(redis.call('HKEYS', hash)) do
    if not seen[user] then
      seen[user] = true
      ended[#ended + 1] = user
    end
  end
  redis.call('UNLINK', hash)
  redis.call('ZREM', KEYS[1], node)
end
if #ended == 0 then
  return ended
end
redis.call('UNLINK', KEYS[2])
local gone = {}
for i, state in ipairs(states(KEYS[1], ended)) do
  if state == 'offline' then
    gone[#gone + 1] = ended[i]
  end
end
return gone
