-- Take up to `want` due members, under a lease each: one round trip for all free slots of a worker.
-- ARGV: want, lease ms, prefixes of ledgered members and of ARQ's in-progress, job and retry keys, ARQ's set of aborts,
--       then the members whose leases end with this call (their deliveries are over).
-- Returns {epoch or '', ms until the next deferred member or -1, {ledgered member ...},
--          {plain job id, score, payload or false, try, aborted ...}}.
local want, lease, ledgered = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
for first = 8, #ARGV, 4000 do
    redis.call('ZREM', leases, unpack(ARGV, first, math.min(first + 3999, #ARGV)))
end

local hints, plain, scores = {}, {}, {}
local function take(member, score)
    if string.sub(member, 1, #ledgered) == ledgered then
        hints[#hints + 1] = member
    else
        plain[#plain + 1] = member
        scores[member] = score
    end
end

-- First what a dead worker left behind.
local expired = redis.call('ZRANGEBYSCORE', leases, '-inf', now, 'LIMIT', 0, want)
for _, member in ipairs(expired) do take(member, now) end
want = want - #expired

-- Deferred hints whose moment has come join their flows; so do plain jobs, all as one flow.
for _, member in ipairs(redis.call('ZRANGEBYSCORE', deferred, '-inf', now, 'LIMIT', 0, 1000)) do
    local rank, flow = string.match(redis.call('HGET', deferred .. ':flows', member) or '', '^(%S+) (.*)$')
    make_ready(member, flow or PLAIN, rank or now)
    redis.call('ZREM', deferred, member)
    redis.call('HDEL', deferred .. ':flows', member)
end
if #redis.call('ZRANGEBYSCORE', queue, '-inf', now, 'LIMIT', 0, 1) > 0 then join_turns(PLAIN) end

-- The next members of a flow, at most this many.
local function serve(flow, most)
    local served = redis.call('ZPOPMIN', waiting(flow), most)
    for i = 1, #served, 2 do take(served[i], 0) end
    local count = #served / 2
    if flow == PLAIN and count < most then
        local due = redis.call('ZRANGEBYSCORE', queue, '-inf', now, 'WITHSCORES', 'LIMIT', 0, most - count)
        local members = {}
        for i = 1, #due, 2 do
            members[#members + 1] = due[i]
            take(due[i], due[i + 1])
        end
        if #members > 0 then redis.call('ZREM', queue, unpack(members)) end
        count = count + #due / 2
    end
    return count
end

local V = nil
while want > 0 do
    local turn = redis.call('ZRANGE', ready, 0, 1, 'WITHSCORES')
    if #turn == 0 then break end
    local flow, start = turn[1], tonumber(turn[2])
    local weight = tonumber(redis.call('HGET', turns, 'W:' .. flow) or 1)
    local most = want
    if turn[4] then most = math.min(want, math.floor((tonumber(turn[4]) - start) * weight) + 1) end
    local served = serve(flow, most)
    V = start
    start = start + served / weight
    want = want - served
    if served == most then
        redis.call('ZADD', ready, start, flow)
    else
        redis.call('ZREM', ready, flow)
        redis.call('HSET', turns, 'F:' .. flow, start)
    end
end
if V then redis.call('HSET', turns, 'V', string.format('%.17g', V)) end

-- Many arguments in one call: each call from here costs as much as most of what it does.
local function in_parts(members, act)
    for first = 1, #members, 2000 do act({unpack(members, first, math.min(first + 1999, #members))}) end
end

local function put_under_leases(members)
    local pairs_ = {}
    for _, member in ipairs(members) do
        pairs_[#pairs_ + 1] = now + lease
        pairs_[#pairs_ + 1] = member
    end
    redis.call('ZADD', leases, unpack(pairs_))
end

-- ARQ's own clients tell a plain job's state by its in-progress key; its payload and its count of tries come along.
local jobs = {}
local aborts = #plain > 0 and redis.call('ZCARD', ARGV[7]) or 0
local function hand_over(members)
    put_under_leases(members)
    local payloads = {}
    for i, member in ipairs(members) do payloads[i] = ARGV[5] .. member end
    payloads = redis.call('MGET', unpack(payloads))
    for i, member in ipairs(members) do
        redis.call('SET', ARGV[4] .. member, '1', 'PX', lease)
        local tries = 1
        if not redis.call('SET', ARGV[6] .. member, '1', 'EX', 88400, 'NX') then
            tries = redis.call('INCR', ARGV[6] .. member)
        end
        jobs[#jobs + 1] = member
        jobs[#jobs + 1] = tostring(scores[member])
        jobs[#jobs + 1] = payloads[i]
        jobs[#jobs + 1] = tries
        jobs[#jobs + 1] = aborts > 0 and redis.call('ZREM', ARGV[7], member) or 0
    end
end
in_parts(hints, put_under_leases)
in_parts(plain, hand_over)

if redis.call('EXISTS', ready) == 0 then redis.call('DEL', wake) end  -- what they called for is taken

local next_due = -1
for _, head in ipairs({redis.call('ZRANGE', deferred, 0, 0, 'WITHSCORES'),
                       redis.call('ZRANGEBYSCORE', queue, '(' .. now, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)}) do
    if head[2] then
        local wait = math.max(0, math.floor(tonumber(head[2]) - now))
        if next_due < 0 or wait < next_due then next_due = wait end
    end
end
return {redis.call('GET', epoch) or '', next_due, hints, jobs}
