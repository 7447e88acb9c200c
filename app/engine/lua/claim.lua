-- Take up to `want` due members off the queue, under a lease each: one round trip for all free slots of a worker.
-- KEYS: queue, leases, epoch.  ARGV: want, lease ms, prefix of ledgered members, prefix of ARQ's in-progress keys.
-- Returns {epoch or '', ms until the next deferred member or -1, member, score, member, score ...}.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local want = tonumber(ARGV[1])
local reply = {redis.call('GET', KEYS[3]) or '', -1}

local function lease(member, score)
    redis.call('ZADD', KEYS[2], now + tonumber(ARGV[2]), member)
    if string.sub(member, 1, #ARGV[3]) ~= ARGV[3] then
        -- A plain ARQ job: ARQ's own clients tell its state by this key.
        redis.call('SET', ARGV[4] .. member, '1', 'PX', ARGV[2])
    end
    reply[#reply + 1] = member
    reply[#reply + 1] = score
end

-- First what a dead worker left behind, then the queue in its order.
local expired = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, want)
for _, member in ipairs(expired) do lease(member, tostring(now)) end
want = want - #expired
if want > 0 then
    -- What stands at its moment (deferred jobs, ARQ's own) and is due joins the ready ones below zero, by that moment.
    local due = redis.call('ZRANGEBYSCORE', KEYS[1], 0, now, 'WITHSCORES', 'LIMIT', 0, 1000)
    for i = 1, #due, 2 do redis.call('ZADD', KEYS[1], tonumber(due[i + 1]) - 1e13, due[i]) end
    local ready = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(0', 'WITHSCORES', 'LIMIT', 0, want)
    for i = 1, #ready, 2 do
        redis.call('ZREM', KEYS[1], ready[i])
        lease(ready[i], tostring(tonumber(ready[i + 1]) + 1e13))
    end
end
local head = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if head[2] then reply[2] = math.max(0, math.floor(tonumber(head[2]) - now)) end
return reply
