-- wrk's script: posts the lines of a file in turn, and prints what was measured as JSON. Arguments: PATH FILE.
local requests, next_request = {}, 0

function init(arguments)
  wrk.headers["Content-Type"] = arguments[3] or "application/json"
  for line in io.lines(arguments[2]) do
    requests[#requests + 1] = wrk.format("POST", arguments[1], nil, line)
  end
end

function request()
  next_request = next_request % #requests + 1
  return requests[next_request]
end

function done(summary, latency, _)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format(
    '\n{"answers":%d,"failed":%d,"seconds":%.6f,"p50":%.6f,"p99":%.6f}\n',
    summary.requests, failed, summary.duration / 1e6, latency:percentile(50) / 1e6, latency:percentile(99) / 1e6))
end
