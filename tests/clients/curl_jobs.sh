#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The curl lines of the Job Scheduler System's and the Job Management Guide's documentation, with what they must print.
# Usage: curl_jobs.sh URL
#
# The lines stand in single quotes because they are for the shell that expect starts.
# shellcheck disable=SC2016

set -eu
url=$1
failures=0

# expect WANTED FILTER LINE: runs the line and compares what the jq filter makes of its output.
expect() {
    line=$(printf '%s\n' "$3" | sed "s|http://localhost\(:8000\)\{0,1\}/|$url/|g")
    got=$(sh -c "$line" 2>/dev/null | jq -c "$2") || got="nothing: the line failed"
    if [ "$got" != "$1" ]; then
        printf 'wrong: %s\n  %s\n  wanted %s\n  got    %s\n' "$3" "$2" "$1" "$got"
        failures=$((failures + 1))
    fi
}

# Check health
expect '"healthy"' '.status' 'curl http://localhost:8000/health'

# Create a job
expect '[true,"https://httpbin.org/post","AT_LEAST_ONCE",true,"string"]' \
    '[(.schedule | endswith("*/5 * * * *")), .api_url, .execution_type, .active, (.job_id | type)]' \
    'curl -X POST http://localhost:8000/api/v1/jobs \
  -H "Content-Type: application/json" \
  -d '"'"'{
    "schedule": "0 */5 * * * *",
    "api_url": "https://httpbin.org/post",
    "execution_type": "AT_LEAST_ONCE"
  }'"'"

# List jobs
expect '2' '.jobs | length' 'curl http://localhost:8000/api/v1/jobs'

# Execution history and stats: the braces are curl's own, and name the job job_id
expect '["job_id",3,10,["SUCCESS"]]' '[.job_id, .count, .limit, (.executions | map(.status) | unique)]' \
    'curl http://localhost:8000/api/v1/executions/{job_id}?limit=10'
expect '[3,100]' '[.total_executions, .success_rate]' 'curl http://localhost:8000/api/v1/executions/{job_id}/stats'

# Testing: a job for every minute, and its executions
created=$(mktemp)
trap 'rm -f "$created"' EXIT
export created
expect '[true,"string"]' '[(.schedule | endswith("* * * * *")), (.job_id | type)]' \
    'curl -X POST http://localhost:8000/api/v1/jobs \
  -H "Content-Type: application/json" \
  -d '"'"'{
    "schedule": "0 * * * * *",
    "api_url": "https://httpbin.org/post"
  }'"'"' | tee "$created"'
JOB_ID=$(jq -r .job_id "$created")
export JOB_ID
expect '["array",true]' '[(.executions | type), .job_id == env.JOB_ID]' \
    'curl http://localhost:8000/api/v1/executions/$JOB_ID'

# The scheduler's health
expect '[["status","next_scheduled_run","last_execution","execution_time_ms","pending_jobs"],"healthy"]' \
    '[keys_unsorted[:5], .status]' 'curl http://localhost/api/v1/health/scheduler'
expect '[true,true,"number",0]' \
    '[(.next_scheduled_run, .last_execution | test("^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} UTC$")),
      (.execution_time_ms | type), .pending_jobs]' 'curl http://localhost/api/v1/health/scheduler'

exit "$((failures > 0))"
