-- Plain jobs have ended: their leases, payloads and counts go, their results stay for ARQ's clients to read.
-- ARGV: prefixes of ARQ's in-progress, job, retry and result keys, ARQ's set of aborts,
--       then (job id, result or '', ms to keep it: 0 for ever, ms to keep the in-progress key or 0) for each.
local jobs = {}
for i = 6, #ARGV, 4 do
    local job, result, keep, busy = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3])
    jobs[#jobs + 1] = job
    if result ~= '' then
        if keep > 0 then
            redis.call('SET', ARGV[4] .. job, result, 'PX', keep)
        else
            redis.call('SET', ARGV[4] .. job, result)
        end
    end
    if busy > 0 then
        redis.call('PEXPIRE', ARGV[1] .. job, busy)
        redis.call('DEL', ARGV[2] .. job, ARGV[3] .. job)
    else
        redis.call('DEL', ARGV[1] .. job, ARGV[2] .. job, ARGV[3] .. job)
    end
end
for _, set in ipairs({ARGV[5], queue, leases}) do redis.call('ZREM', set, unpack(jobs)) end
return #jobs
