-- Returns {hints that wait, hints for a later moment, plain jobs on the queue, leases}.
local hints = 0
for _, flow in ipairs(redis.call('ZRANGE', ready, 0, -1)) do hints = hints + redis.call('ZCARD', waiting(flow)) end
return {hints, redis.call('ZCARD', deferred), redis.call('ZCARD', queue), redis.call('ZCARD', leases)}
