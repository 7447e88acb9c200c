-- Declare the queue rebuilt, if nothing was forgotten while it was rebuilt.
-- KEYS: epoch.  ARGV: the rebuilder's mark, the epoch that now holds.
if redis.call('GET', KEYS[1]) == ARGV[1] then
    redis.call('SET', KEYS[1], ARGV[2])
    return 1
end
return 0
