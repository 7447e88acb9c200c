-- What the scripts of a queue share: where ready hints wait, and whose turn it is. (Put before each of them.)
--
-- A flow is a tenant and a class. Its ready hints wait in a sorted set of their own, by rank: age, moved by priority.
-- `ready` has one entry for each flow that waits, at its virtual start: who is served moves on by 1 / weight, so that the
-- lowest entry is always the flow that had the least of its share. `turns` keeps V (the virtual time), the start of
-- flows that ran empty (F:flow; coming back gains nothing) and weights other than 1 (W:flow).
-- Plain ARQ jobs stand on ARQ's own queue, by the moment they are due; together they are the flow `arq`.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local queue, leases, wake, epoch = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local ready, deferred, turns = KEYS[5], KEYS[6], KEYS[7]
local PLAIN = 'arq'

local function waiting(flow) return ready .. ':' .. flow end

local function join_turns(flow)
    if redis.call('ZSCORE', ready, flow) then return end
    local known = redis.call('HMGET', turns, 'V', 'F:' .. flow)
    redis.call('ZADD', ready, math.max(tonumber(known[1] or 0), tonumber(known[2] or 0)), flow)
    redis.call('HDEL', turns, 'F:' .. flow)
end

-- The hint waits in its flow now; false where it did already.
local function make_ready(member, flow, rank)
    local added = redis.call('ZADD', waiting(flow), 'NX', rank, member)
    if added == 1 then join_turns(flow) end
    return added == 1
end

local function defer(member, due, flow, rank)
    redis.call('ZADD', deferred, due, member)
    redis.call('HSET', deferred .. ':flows', member, rank .. ' ' .. flow)
end

-- One call for each that came, up to 64; it names the hint where that is known, and what permits it begins with: who
-- hears it need not ask.
local function ring(added, members)
    for i = 1, math.min(added, 64) - redis.call('LLEN', wake) do
        redis.call('RPUSH', wake, members and members[i] or '1')
    end
end
