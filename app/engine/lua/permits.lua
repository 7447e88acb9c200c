-- Permits: leased members of a set for each name, never counters, so that a dead worker's come back by themselves.
-- KEYS: the moment from which this Redis remembers, then one set for each name that is asked for.
-- ARGV: ms of a lease, ms after a loss in which nothing is granted, then for each holder its name, how many permits it
--       wants, and (index of the set in KEYS, limit) for each of them.
-- All of a holder's permits or none. Returns for each holder 0 (granted), the index of a set that is full, or -1: not yet.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease, silence = tonumber(ARGV[1]), tonumber(ARGV[2])
local since = tonumber(redis.call('GET', KEYS[1]) or now)
if since == now then redis.call('SET', KEYS[1], now) end
-- Whoever held permits before Redis forgot tells of them with its next heartbeat; until then nobody knows of them.
local mute = now - since < silence
for i = 2, #KEYS do redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', now) end

local reply, at = {}, 3
while at <= #ARGV do
    local holder, wants = ARGV[at], tonumber(ARGV[at + 1])
    local full = mute and -1 or 0
    for i = 0, wants - 1 do
        local set, limit = tonumber(ARGV[at + 2 + 2 * i]), tonumber(ARGV[at + 3 + 2 * i])
        if full == 0 and not redis.call('ZSCORE', KEYS[set], holder) and redis.call('ZCARD', KEYS[set]) >= limit then
            full = set
        end
    end
    if full == 0 then
        for i = 0, wants - 1 do
            redis.call('ZADD', KEYS[tonumber(ARGV[at + 2 + 2 * i])], now + lease, holder)
        end
    end
    reply[#reply + 1] = full
    at = at + 2 + 2 * wants
end
return reply
