-- Put hints of ledgered jobs on the queue and wake workers.
-- KEYS: queue, leases, wake, epoch.  ARGV: (member, due ms or 0 for now, priority) ...
-- Returns {how many were added, the epoch or ''}.
-- A hint that is queued or leased already is refused: two submitters or a sweep may name it twice.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local added = 0
for i = 1, #ARGV, 3 do
    local member = ARGV[i]
    if not redis.call('ZSCORE', KEYS[1], member) and not redis.call('ZSCORE', KEYS[2], member) then
        local due = tonumber(ARGV[i + 1])
        if due <= now then
            -- Ready, and for that below zero: due at once whatever its priority. One point of priority is worth a minute
            -- of waiting, so the lowest still has its turn.
            due = now - tonumber(ARGV[i + 2]) * 60000 - 1e13
        end
        redis.call('ZADD', KEYS[1], due, member)
        added = added + 1
    end
end
if added > 0 then
    local missing = math.min(added, 64) - redis.call('LLEN', KEYS[3])
    for _ = 1, missing do redis.call('RPUSH', KEYS[3], '1') end
end
return {added, redis.call('GET', KEYS[4]) or ''}
