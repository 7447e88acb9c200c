-- Go on rebuilding the queue, or declare it rebuilt, if nothing was forgotten while it was rebuilt.
-- KEYS: epoch.  ARGV: the rebuilder's mark, what is to stand there now, ms that it stands there or 0.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
if tonumber(ARGV[3]) > 0 then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
return 1
