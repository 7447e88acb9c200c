-- Take some requests of each of some limits, by GCRA; of each limit all that are asked for, or none.
-- KEYS: the limits' keys; one may stand there several times.  ARGV: for each, requests per minute (also the burst) and
-- how many are taken.
-- Returns for each {1 or 0, requests left, ms until they are allowed, ms until all are free}.
-- A key holds the theoretical arrival time in microseconds and ends by itself when the limit is whole again.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local reply = {}
for i, key in ipairs(KEYS) do
    local interval = 60000000 / tonumber(ARGV[2 * i - 1])
    local taken = interval * tonumber(ARGV[2 * i])
    local arrival = math.max(tonumber(redis.call('GET', key) or '0'), now)
    local allow_at = arrival + taken - 60000000
    if allow_at > now then
        local left = math.max(0, math.floor((60000000 - (arrival - now)) / interval))
        reply[i] = {0, left, math.ceil((allow_at - now) / 1000), math.ceil((arrival - now) / 1000)}
    else
        local wait = arrival + taken - now
        redis.call('SET', key, string.format('%.0f', arrival + taken), 'PX', math.ceil(wait / 1000))
        reply[i] = {1, math.floor((now - allow_at) / interval), 0, math.ceil(wait / 1000)}
    end
end
return reply
