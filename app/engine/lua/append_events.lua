-- Append live events, each to its job's stream, and ring for the readers.
-- KEYS: stream ...  ARGV: channel, length of a stream, life of a stream in ms, the job ids of all events in one text, then
-- (attempt, type, data) for each.
-- An event of an earlier attempt than the stream's last is refused: a zombie does not speak for the job any more. Most jobs
-- need one attempt, so only a second one leaves a note of its number, which is cheaper to ask for than the last event.
local life = tonumber(ARGV[3])
local reply = {}
for i = 1, #KEYS do
    local base = 4 + (i - 1) * 3
    local attempt, floor = tonumber(ARGV[base + 1]), KEYS[i] .. ':attempt'
    local seen = tonumber(redis.call('GET', floor) or 1)
    if attempt < seen and seen > 1 then
        reply[i] = false
    else
        if attempt > seen then
            redis.call('SET', floor, attempt, 'PX', life)
            -- What the earlier attempt told is void: readers start over.
            redis.call('XADD', KEYS[i], 'MAXLEN', '~', ARGV[2], '*', 'attempt', attempt, 'type', 'reset', 'data', '{}')
        end
        reply[i] = redis.call('XADD', KEYS[i], 'MAXLEN', '~', ARGV[2], '*',
            'attempt', attempt, 'type', ARGV[base + 2], 'data', ARGV[base + 3])
        if redis.call('PTTL', KEYS[i]) < life - 60000 then
            redis.call('PEXPIRE', KEYS[i], life)
            if seen > 1 then redis.call('PEXPIRE', floor, life) end
        end
    end
end
redis.call('PUBLISH', ARGV[1], ARGV[4])
return reply
