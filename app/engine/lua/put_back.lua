-- Put a claimed member back on the queue and drop its lease.
-- KEYS: queue, leases, wake, the member's in-progress key (plain ARQ jobs have one).  ARGV: member, delay ms.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('DEL', KEYS[4])
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[1])
-- Also for a later moment: a worker that idles until the next deferred member must hear of an earlier one.
local tokens = redis.call('LLEN', KEYS[3])
if tokens == 0 or (tonumber(ARGV[2]) == 0 and tokens < 64) then redis.call('RPUSH', KEYS[3], '1') end
return 1
