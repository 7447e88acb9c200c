-- Take one request of each of some limits, by GCRA.
-- KEYS: the limits' keys; one may stand there several times.  ARGV: requests per minute (also the burst) of each.
-- Returns for each {1 or 0, requests left, ms until one is allowed, ms until all are free}.
-- A key holds the theoretical arrival time in microseconds and ends by itself when the limit is whole again.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local reply = {}
for i, key in ipairs(KEYS) do
    local interval = 60000000 / tonumber(ARGV[i])
    local arrival = math.max(tonumber(redis.call('GET', key) or '0'), now)
    local allow_at = arrival + interval - 60000000
    if allow_at > now then
        reply[i] = {0, 0, math.ceil((allow_at - now) / 1000), math.ceil((arrival - now) / 1000)}
    else
        local wait = arrival + interval - now
        redis.call('SET', key, string.format('%.0f', arrival + interval), 'PX', math.ceil(wait / 1000))
        reply[i] = {1, math.floor((now - allow_at) / interval), 0, math.ceil(wait / 1000)}
    end
end
return reply
