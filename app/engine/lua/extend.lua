-- Extend the leases of running members; a lease that Redis forgot is made again.
-- KEYS: leases.  ARGV: lease ms, prefix of ledgered members, prefix of ARQ's in-progress keys, member ...
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for i = 4, #ARGV do
    redis.call('ZADD', KEYS[1], now + tonumber(ARGV[1]), ARGV[i])
    if string.sub(ARGV[i], 1, #ARGV[2]) ~= ARGV[2] then
        redis.call('SET', ARGV[3] .. ARGV[i], '1', 'PX', ARGV[1])
    end
end
return #ARGV - 3
