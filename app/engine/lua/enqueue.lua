-- Put hints of ledgered jobs on the queue and wake workers.
-- ARGV: how many, then (member, due ms or 0 for now, rank, flow, weight) of each, and at last (member, call) of those
--       whose call says more than their name.     Returns {how many were added, the epoch or ''}.
-- A hint that waits or is leased already is refused: two submitters or a sweep may name it twice.
local added, weighed, fresh, calls = 0, {}, {}, {}
local last = 5 * tonumber(ARGV[1]) + 1
for i = last + 1, #ARGV, 2 do calls[ARGV[i]] = ARGV[i + 1] end
for i = 2, last, 5 do
    local member, due, rank, flow, weight = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]
    if weighed[flow] ~= weight then
        weighed[flow] = weight
        if tonumber(weight) == 1 then
            redis.call('HDEL', turns, 'W:' .. flow)
        else
            redis.call('HSET', turns, 'W:' .. flow, weight)
        end
    end
    if not redis.call('ZSCORE', leases, member) and not redis.call('ZSCORE', deferred, member) then
        if due > now then
            if not redis.call('ZSCORE', waiting(flow), member) then
                defer(member, due, flow, rank)
                added = added + 1
            end
        elseif make_ready(member, flow, rank) then
            added = added + 1
            fresh[#fresh + 1] = calls[member] or member
        end
    end
end
if added > 0 then ring(added, fresh) end
return {added, redis.call('GET', epoch) or ''}
