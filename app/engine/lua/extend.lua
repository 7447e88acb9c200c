-- Extend the leases of running members; a lease that Redis forgot is made again.
-- KEYS: queue, leases.  ARGV: lease ms, prefix of ledgered members, of ARQ's in-progress keys, of its payloads, member ...
-- What went back to the queue in the meantime, and a plain job whose end has removed its payload, runs no more.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for i = 5, #ARGV do
    local ledgered = string.sub(ARGV[i], 1, #ARGV[2]) == ARGV[2]
    local runs = ledgered or redis.call('EXISTS', ARGV[4] .. ARGV[i]) == 1
    if runs and not redis.call('ZSCORE', KEYS[1], ARGV[i]) then
        redis.call('ZADD', KEYS[2], now + tonumber(ARGV[1]), ARGV[i])
        if not ledgered then redis.call('SET', ARGV[3] .. ARGV[i], '1', 'PX', ARGV[1]) end
    end
end
return #ARGV - 4
