-- Here: the states that each node of those that beat has, as users and states by turns.
-- KEYS: nodes.
local all = {}
for i, node in ipairs(alive(KEYS[1])) do
  all[i] = redis.call('HGETALL', KEYS[1] .. ':' .. node)
end
return all
