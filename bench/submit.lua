-- wrk's script of part F: every request has an idempotency key of its own, and its answer must be 202.
-- ARGS: the API key, and how many jobs a request has (1: POST /v1/jobs, more: /v1/jobs/bulk).
local key, jobs, sent, run

function setup(thread) thread:set('number', math.random(1, 1000000000)) end

function init(args)
    key, jobs, sent, run = args[1], tonumber(args[2]), 0, number .. '-' .. os.time() .. '-'
    local one = '{"kind":"bench.work","input":{"job":0,"seconds":0}}'
    if jobs > 1 then one = '{"jobs":[' .. string.rep(one .. ',', jobs - 1) .. one .. ']}' end
    wrk.method, wrk.body = 'POST', one
    wrk.headers['Content-Type'] = 'application/json'
    wrk.headers['Authorization'] = 'Bearer ' .. key
    wrk.path = jobs > 1 and '/v1/jobs/bulk' or '/v1/jobs'
end

function request()
    sent = sent + 1
    wrk.headers['Idempotency-Key'] = run .. sent
    return wrk.format()
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format('{"requests":%d,"seconds":%f,"errors":%d,"p50_ms":%f,"p99_ms":%f}\n',
        summary.requests, summary.duration / 1e6, errors.connect + errors.read + errors.write + errors.status + errors.timeout,
        latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
