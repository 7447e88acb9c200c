-- Claimed hints that wait for a permit leave their leases. They come back when one is returned, or after a while by
-- themselves: whoever returns it may die before it can tell.   ARGV: (member, ms, rank, flow, name of the permit) ...
for i = 1, #ARGV, 5 do
    local member, rank = ARGV[i], ARGV[i + 2]
    local parked = deferred .. ':parked:' .. ARGV[i + 4]
    redis.call('ZREM', leases, member)
    defer(member, now + tonumber(ARGV[i + 1]), ARGV[i + 3], rank)
    redis.call('ZADD', parked, rank, member)
    redis.call('PEXPIRE', parked, 60000)
end
return #ARGV / 5
