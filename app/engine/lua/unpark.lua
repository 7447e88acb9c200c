-- Permits came back: as many of the hints that wait for them are ready again, the oldest first.
-- ARGV: (name of a permit, how many came back) ...
local woken = 0
for i = 1, #ARGV, 2 do
    local parked = deferred .. ':parked:' .. ARGV[i]
    local free = tonumber(ARGV[i + 1])
    while free > 0 do
        local member = redis.call('ZPOPMIN', parked)[1]
        if not member then break end
        local rank, flow = string.match(redis.call('HGET', deferred .. ':flows', member) or '', '^(%S+) (.*)$')
        if flow and redis.call('ZREM', deferred, member) == 1 then
            redis.call('HDEL', deferred .. ':flows', member)
            make_ready(member, flow, rank)
            free = free - 1
            woken = woken + 1
        end
    end
end
if woken > 0 then ring(woken) end
return woken
