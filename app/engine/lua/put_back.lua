-- Claimed hints that cannot begin go back to their flows, and their leases end: in one step, so that a crash finds each
-- in one of the two.   ARGV: (member, delay ms, rank, flow) ...
for i = 1, #ARGV, 4 do
    local member, delay, rank, flow = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2], ARGV[i + 3]
    redis.call('ZREM', leases, member)
    if delay > 0 then defer(member, now + delay, flow, rank) else make_ready(member, flow, rank) end
end
-- Also for a later moment: a worker that idles until the next deferred hint must hear of an earlier one.
ring(1)
return #ARGV / 4
