-- Extend the leases of running members; a lease that Redis forgot is made again.
-- ARGV: lease ms, prefix of ledgered members, of ARQ's in-progress keys, of its payloads, member ...
-- A plain job that went back to the queue in the meantime, or whose end has removed its payload, runs no more.
for i = 5, #ARGV do
    local member = ARGV[i]
    if string.sub(member, 1, #ARGV[2]) == ARGV[2] then
        redis.call('ZADD', leases, now + tonumber(ARGV[1]), member)
    elseif redis.call('EXISTS', ARGV[4] .. member) == 1 and not redis.call('ZSCORE', queue, member) then
        redis.call('ZADD', leases, now + tonumber(ARGV[1]), member)
        redis.call('SET', ARGV[3] .. member, '1', 'PX', ARGV[1])
    end
end
return #ARGV - 4
