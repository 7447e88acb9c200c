-- Append live events, each to its job's stream, and ring for the readers.
-- KEYS: stream ...  ARGV: channel, length of a stream, life of a stream in ms, then (attempt, type, data, job id) for each.
-- An event of an earlier attempt than the stream's last is refused: a zombie does not speak for the job any more.
local reply = {}
for i = 1, #KEYS do
    local base = 3 + (i - 1) * 4
    local attempt, kind = tonumber(ARGV[base + 1]), ARGV[base + 2]
    local last = redis.call('XREVRANGE', KEYS[i], '+', '-', 'COUNT', 1)
    local seen = 0
    if last[1] then seen = tonumber(last[1][2][2]) end
    if attempt < seen then
        reply[i] = false
    else
        if attempt > seen and seen > 0 then
            -- What the earlier attempt told is void: readers start over.
            redis.call('XADD', KEYS[i], 'MAXLEN', '~', ARGV[2], '*', 'attempt', attempt, 'type', 'reset', 'data', '{}')
        end
        reply[i] = redis.call('XADD', KEYS[i], 'MAXLEN', '~', ARGV[2], '*',
            'attempt', attempt, 'type', kind, 'data', ARGV[base + 3])
        redis.call('PEXPIRE', KEYS[i], ARGV[3])
        redis.call('PUBLISH', ARGV[1], ARGV[base + 4])
    end
end
return reply
