#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The curl lines of the format's documentation, with what they must print. Usage: curl.sh URL
#
# The lines stand in single quotes because they are for the shell that expect starts.
# shellcheck disable=SC2016

set -eu
url=$1
failures=0

# expect WANTED FILTER LINE: runs the line and compares what the jq filter makes of its output.
expect() {
    line=$(printf '%s\n' "$3" | sed "s|http://localhost:8888|$url|g")
    got=$(sh -c "$line" 2>/dev/null | jq -c "$2") || got="nothing: the line failed"
    if [ "$got" != "$1" ]; then
        printf 'wrong: %s\n  %s\n  wanted %s\n  got    %s\n' "$3" "$2" "$1" "$got"
        failures=$((failures + 1))
    fi
}

# Query execution history
expect '[50,50,50]' '[.count, .limit, (.records | length)]' \
    'curl "http://localhost:8888/api/executions?handler_id=dingdong&limit=50"'
expect '[["error"],2]' '[(.records | map(.status) | unique), .count]' \
    'curl "http://localhost:8888/api/executions?status=error"'
expect '["my_scheduled_task"]' '.records | map(.job_id) | unique' \
    'curl "http://localhost:8888/api/executions?job_id=my_scheduled_task"'
expect '["job_id","handler_id","method_name","started_at","completed_at","duration_ms","status","result","error","attempt_number"]' \
    '.records[0] | keys_unsorted[:10]' \
    'curl "http://localhost:8888/api/executions?handler_id=dingdong&limit=50"'

# Statistics
expect '["total_executions","success_count","error_count","success_rate","average_duration_ms","by_handler","buffer_utilization"]' \
    'keys_unsorted[:7]' 'curl "http://localhost:8888/api/executions/stats"'
expect '[66,63,3,95.45,0.066]' '[.total_executions, .success_count, .error_count, .success_rate, .buffer_utilization]' \
    'curl "http://localhost:8888/api/executions/stats"'
expect '[["total","success","error","success_rate","avg_duration_ms"],60,60,0,true]' \
    '.by_handler.dingdong | [keys_unsorted[:5], .total, .success, .error, .success_rate == 100]' \
    'curl "http://localhost:8888/api/executions/stats"'

# Recent errors
expect '[3,20,["count","limit","errors"]]' '[.count, .limit, keys_unsorted[:3]]' \
    'curl "http://localhost:8888/api/executions/errors?limit=20"'
expect '["job_id","handler_id","method_name","started_at","completed_at","duration_ms","status","error","attempt_number"]' \
    '.errors[0] | keys_unsorted[:9]' 'curl "http://localhost:8888/api/executions/errors?limit=20"'

# Use cases
expect '95.45' '.' 'curl "http://localhost:8888/api/executions/stats" | jq .success_rate'
expect '["discord_bot"]' 'map(.key)' \
    'curl "http://localhost:8888/api/executions/stats" | jq '"'"'.by_handler | to_entries | map(select(.value.error_count > 0))'"'"
expect '"Connection timeout after 5000ms"' 'select(.status == "error") | select(.job_id == "problematic_task" and .attempt_number == 3) | .error' \
    'curl "http://localhost:8888/api/executions/errors?limit=10" | jq '"'"'.errors[] | select(.handler_id == "discord_bot")'"'"
expect '["slow_task"]' '.records | map(.job_id)' 'curl "http://localhost:8888/api/executions?status=timeout"'
expect '10' 'length' \
    'curl "http://localhost:8888/api/executions" | jq '"'"'.records | sort_by(.duration_ms) | reverse | .[0:10]'"'"
expect '"number"' 'map(select(.handler == "dingdong")) | .[0].avg_ms | type' \
    'curl "http://localhost:8888/api/executions/stats" | jq '"'"'.by_handler | to_entries | map({handler: .key, avg_ms: .value.avg_duration_ms})'"'"
expect '[0,1000]' '[.count, .limit]' 'curl "http://localhost:8888/api/executions?job_id=daily_report&limit=1000"'
expect '67' 'length' \
    'curl "http://localhost:8888/api/executions" | jq --arg cutoff "$(date -u -d '"'"'1 hour ago'"'"' +%Y-%m-%dT%H:%M:%S)" '"'"'.records[] | select(.started_at > $cutoff)'"'"' | jq -s .'

# Clear execution history, without a body
expect '{"status":"success","message":"Execution history cleared","records_cleared":66}' '.' \
    'curl -X POST "http://localhost:8888/api/executions/clear"'
expect '[1,["running"]]' '[.count, (.records | map(.status))]' 'curl "http://localhost:8888/api/executions"'

exit "$((failures > 0))"
