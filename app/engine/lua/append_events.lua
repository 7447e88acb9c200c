-- Append live events, each to its job's stream, and ring for the readers.
-- KEYS: stream ...  ARGV: channel, length of a stream, life of a stream in ms, the job ids of all events in one text, then
-- (attempt, type, data) for each.
-- An event of an earlier attempt than the stream's last is refused: a zombie does not speak for the job any more.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local reply = {}
for i = 1, #KEYS do
    local base = 4 + (i - 1) * 3
    local attempt, kind = tonumber(ARGV[base + 1]), ARGV[base + 2]
    local last = redis.call('XREVRANGE', KEYS[i], '+', '-', 'COUNT', 1)[1]
    local seen, at = 0, 0
    if last then
        seen = tonumber(last[2][2])
        at = tonumber(string.match(last[1], '^%d+'))
    end
    if attempt < seen then
        reply[i] = false
    else
        if attempt > seen and seen > 0 then
            -- What the earlier attempt told is void: readers start over.
            redis.call('XADD', KEYS[i], 'MAXLEN', '~', ARGV[2], '*', 'attempt', attempt, 'type', 'reset', 'data', '{}')
        end
        reply[i] = redis.call('XADD', KEYS[i], 'MAXLEN', '~', ARGV[2], '*',
            'attempt', attempt, 'type', kind, 'data', ARGV[base + 3])
        if now - at > 60000 then redis.call('PEXPIRE', KEYS[i], ARGV[3]) end
    end
end
redis.call('PUBLISH', ARGV[1], ARGV[4])
return reply
