-- What the scripts of presence share. It stands before each of them.
--
-- nodes   sorted set: node by the moment, in ms of Redis' clock, until which its states count
-- nodes:N hash: the states of node N, by user
-- left    set: users whom some node has left out of its beat, and whom nobody has claimed yet
local chunk = 1000 -- arguments to a call, an even number: Lua's stack is bounded

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000) -- one moment for the whole script

local function each(command, key, all)
  for i = 1, #all, chunk do
    redis.call(command, key, unpack(all, i, math.min(i + chunk - 1, #all)))
  end
end

local function alive(nodes)
  return redis.call('ZRANGEBYSCORE', nodes, '(' .. now, '+inf')
end

-- The states of users over all nodes, in their order.
local function states(nodes, users)
  local best = {}
  for i = 1, #users do
    best[i] = 'offline'
  end
  for _, node in ipairs(alive(nodes)) do
    local hash = nodes .. ':' .. node
    for i = 1, #users, chunk do
      local found = redis.call('HMGET', hash, unpack(users, i, math.min(i + chunk - 1, #users)))
      for j, state in ipairs(found) do
        if state == 'online' or (state and best[i + j - 1] ~= 'online') then
          best[i + j - 1] = state
        end
      end
    end
  end
  return best
end

