-- What was claimed ahead and did not begin is anybody's again: its leases end now, and the next claim takes it first.
-- ARGV: prefixes of ledgered members and of ARQ's in-progress and retry keys, then the members.
for i = 4, #ARGV do
    local member = ARGV[i]
    redis.call('ZADD', leases, 'XX', 0, member)
    if string.sub(member, 1, #ARGV[1]) ~= ARGV[1] then  -- a claim counts as a try of a plain job; this one was none
        redis.call('DEL', ARGV[2] .. member)
        redis.call('DECR', ARGV[3] .. member)
    end
end
ring(#ARGV - 3)
return #ARGV - 3
