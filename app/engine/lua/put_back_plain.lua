-- A plain job that is to run again goes back to ARQ's queue, and its lease ends.
-- ARGV: job id, delay ms, prefix of ARQ's in-progress keys.
redis.call('ZREM', leases, ARGV[1])
redis.call('DEL', ARGV[3] .. ARGV[1])
redis.call('ZADD', queue, now + tonumber(ARGV[2]), ARGV[1])
ring(1)
return 1
