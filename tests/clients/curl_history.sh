#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The curl lines of the Job History feature's documentation, with what they must print. Usage: curl_history.sh URL
#
# The lines stand in single quotes because they are for the shell that expect starts.
# shellcheck disable=SC2016

set -eu
url=$1
failures=0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

# expect WANTED FILTER LINE: runs the line and compares what the jq filter makes of its output.
expect() {
    line=$(printf '%s\n' "$3" | sed "s|http://localhost:4080|$url|g")
    got=$(sh -c "$line" 2>/dev/null | jq -c "$2") || got="nothing: the line failed"
    if [ "$got" != "$1" ]; then
        printf 'wrong: %s\n  %s\n  wanted %s\n  got    %s\n' "$3" "$2" "$1" "$got"
        failures=$((failures + 1))
    fi
}

# A page of the history
expect '[["jobs","total","limit","offset","has_more"],50,63,50,0,true]' \
    '[keys_unsorted[:5], (.jobs | length), .total, .limit, .offset, .has_more]' \
    'curl "http://localhost:4080/v1/jobs/history?limit=50&offset=0"'
expect '["batch_id","status","model","created_at","completed_at","failed_at","cancelled_at","total_requests","completed_requests","failed_requests","duration","throughput","priority","webhook_url","has_errors"]' \
    '.jobs[0] | keys_unsorted[:15]' 'curl "http://localhost:4080/v1/jobs/history?limit=50&offset=0"'
expect '["string","string","string","number","number","null","null","number","number","number","number","number","number","boolean","boolean"]' \
    '[.jobs[] | select(.status == "completed")][0] | [.[]][:15] | map(type)' \
    'curl "http://localhost:4080/v1/jobs/history?limit=50&offset=0"'
expect '[2,["failed"],[true]]' '[.total, (.jobs | map(.status) | unique), (.jobs | map(.has_errors) | unique)]' \
    'curl "http://localhost:4080/v1/jobs/history?status=failed"'
expect '[60,["google/gemma-3-4b-it"]]' '[.total, (.jobs | map(.model) | unique)]' \
    'curl "http://localhost:4080/v1/jobs/history?model=google/gemma-3-4b-it"'
expect '63' '.total' \
    'START_TIME=$(date -d '"'"'24 hours ago'"'"' +%s)
curl "http://localhost:4080/v1/jobs/history?start_date=$START_TIME"'

# Statistics
expect '["total_jobs","by_status","by_model","success_rate","avg_duration","total_requests","completed_requests","timeline"]' \
    'keys_unsorted[:8]' 'curl "http://localhost:4080/v1/jobs/stats"'
expect '[63,60,2,0.9677,182,180]' \
    '[.total_jobs, .by_status.completed, .by_status.failed, .success_rate, .total_requests, .completed_requests]' \
    'curl "http://localhost:4080/v1/jobs/stats"'
expect '[62,168,["jobs","timestamp"]]' '[.total_jobs, (.timeline | length), (.timeline[0] | keys)]' \
    'START_TIME=$(date -d '"'"'7 days ago'"'"' +%s)
curl "http://localhost:4080/v1/jobs/stats?start_date=$START_TIME"'

# Use cases
expect '[24,62]' '[length, (map(.jobs) | add)]' \
    'curl "http://localhost:4080/v1/jobs/stats" | jq '"'"'.timeline'"'"
expect '2' 'length' 'curl "http://localhost:4080/v1/jobs/history?status=failed" | jq '"'"'.jobs'"'"
expect '{"broken":2,"google/gemma-3-4b-it":60}' '.' \
    'curl "http://localhost:4080/v1/jobs/stats" | jq '"'"'.by_model'"'"
expect '0.9677' '.' 'curl "http://localhost:4080/v1/jobs/stats" | jq '"'"'.success_rate'"'"
expect '[0,[]]' '[.total, .jobs]' \
    'START=$(date -d '"'"'2025-11-01'"'"' +%s)
END=$(date -d '"'"'2025-11-02'"'"' +%s)
curl "http://localhost:4080/v1/jobs/history?start_date=$START&end_date=$END"'

# Integration examples: an export, figures by jq, and what `watch` runs
expect '[500,63]' '[.limit, (.jobs | length)]' \
    'curl "http://localhost:4080/v1/jobs/history?limit=1000" > jobs.json; cat jobs.json'
expect '63' '.total_jobs' 'curl "http://localhost:4080/v1/jobs/stats" | jq '"'"'.'"'"
expect '[63,0.9677]' '.' \
    'curl -s "http://localhost:4080/v1/jobs/stats" | jq ".total_jobs, .success_rate" | jq -s .'

# Troubleshooting
expect '"healthy"' '.status' 'curl http://localhost:4080/health'

exit "$((failures > 0))"
