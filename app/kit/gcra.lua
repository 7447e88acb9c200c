-- Take one request of a limit, by GCRA.
-- KEYS: the limit's key.  ARGV: requests per minute (also the burst).
-- Returns {1 or 0, requests left, ms until one is allowed, ms until all are free}.
-- The key holds the theoretical arrival time in microseconds and ends by itself when the limit is whole again.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local rate = tonumber(ARGV[1])
local interval = 60000000 / rate
local tolerance = 60000000
local tat = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local new_tat = tat + interval
local allow_at = new_tat - tolerance
if allow_at > now then
    return {0, 0, math.ceil((allow_at - now) / 1000), math.ceil((tat - now) / 1000)}
end
redis.call('SET', KEYS[1], string.format('%.0f', new_tat), 'PX', math.ceil((new_tat - now) / 1000))
return {1, math.floor((now - allow_at) / interval), 0, math.ceil((new_tat - now) / 1000)}
