// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_HTTP_JOBS_API_HPP
#define DAYBOOK_HTTP_JOBS_API_HPP

/// @file
/// The jobs of a scheduler over HTTP, in the words of the Job Scheduler System: PENDING, SUCCESS and FAILED, `active`
/// for what is not paused, instants in UTC, durations in milliseconds, success rates in percent.
///
/// - `POST /api/v1/jobs`: makes a job of a handler (Scheduler::handlers) or of an `api_url`; see below. 201 with
///   `Location`, `ETag` and the job (`job_id` alone, as for PUT, pause and resume, if it has ended already); 409 when
///   the id is taken. Needs Permission::change.
/// - `GET /api/v1/jobs`: the jobs, ordered by id, without `parameters`, `body`, `next_runs` and `explain`. Parameters:
///   `limit` (100, at most 1000), `cursor` or `offset`, `state`, `active`, `handler_id`, `text`, and `runs` (0, at most
///   50): so many `latest_runs` of each, newest first, skips included; `limit` is at most 200 then. `created_at` is
///   when the job was made; a change leaves it as it is.
/// - `GET /api/v1/jobs/{id}`: one job with all it was given, `next_runs` (as many as the parameter `next` says, 5, at
///   most 100) and `explain`, why it runs or does not; or 404.
/// - `PUT /api/v1/jobs/{id}`: changes a job: 200 with the job. What is not given stays as it is, so both a whole job
/// that
///   was read and changed and a single field do. The history stays, and a schedule that is the same goes on counting.
///   With `If-Match` only if the job still has that ETag, or else 412. Needs Permission::change.
/// - `DELETE /api/v1/jobs/{id}`: 204, or 404; obeys `If-Match`. What runs finishes. Needs Permission::change.
/// - `POST /api/v1/jobs/{id}/run`: 202 with the id of the execution, 404, or 409 with the reason why a policy refused
///   it; 503 once the scheduler stops. A body `{"parameters":…}` gives parameters for this run. Needs
///   Permission::trigger.
/// - `POST /api/v1/jobs/{id}/pause`, `…/resume`: the job, or 404. Needs Permission::change.
/// - `GET /api/v1/handlers`: what jobs can be made of. Parameters: `limit` (100, at most 1000), `offset`.
/// - `GET /api/v1/executions/{job_id}`: its executions, newest first, also of a job that was removed. Parameters:
///   `limit` (10, at most 1000), and `cursor` or `offset`; `status` (PENDING, SUCCESS, FAILED, SKIPPED, or several of
///   them parted by commas), and the other filters of the executions API.
/// - `GET /api/v1/executions/{job_id}/latest`: the newest of them, or 404.
/// - `GET /api/v1/executions/{job_id}/stats`: counts since start or the last clear, durations and drift of the newest
///   1000 executions that are retained. Counts are null for a job beyond the log's `max_tracked_jobs`.
/// - `POST /api/v1/debug/execute`: as `run`, for the job that the body names: `{"job_id":"…"}`. Needs
///   Permission::trigger.
/// - `POST /api/v1/debug/refresh_schedule`: asks every schedule for its next time again (AnyScheduler::refresh) and
/// says
///   how many jobs there are. Jobs are in effect as soon as they are made, so nobody has to. Needs Permission::change.
///
/// The fields of a job, all of them optional but for what it runs:
///
/// - `job_id`: 1 to 255 bytes; one is made where none is given.
/// - `schedule`: a cron expression of 5, 6 or 7 fields, or else what parse_schedule reads. None: runs when it is run.
/// - `time_zone` (UTC), `dst` (`vixie`, `skip`, `twice`), `day_match` (`vixie`, `both`): of a cron expression.
/// - `from`, `until`, `times`, `jitter_ms`: see Modifiable.
/// - `handler_id`, `method_name`, `parameters`: parameters that are no text are handed over as JSON.
/// - or `api_url`, `http_method` (POST), `headers`, `body`: what is called. Of headers only the names are shown
///   here; records keep all of it in `parameters`, which RouterOptions::redact can hide. A PUT whose `api_url` has
///   another scheme, host or port must give `headers` and `body` too, where the job has them, or null, or is refused
///   with 400: what one server was to get does not go to another.
/// - `execution_type`: AT_LEAST_ONCE, with retries (JobsApiOptions::at_least_once), or AT_MOST_ONCE, without.
/// - `retry`: `{max_attempts, first_delay_ms, factor, max_delay_ms, jitter}`, see ExponentialBackoff.
/// - `active`: false is paused, from the first moment on.
/// - `timeout_ms`, `overlap`, `misfire`, `misfire_grace_ms`, `max_catch_up`, `priority`, `group`, `stale_after_ms`: see
///   JobOptions.
/// - `webhook_url`: see JobsApiOptions::set_webhook; null is none any more. Shown as `has_webhook` only.
///
/// Null takes away what can be taken away (`timeout_ms`, `until`, …), and is else as if it was not there. A field that
/// is not known is refused. Bodies are JSON: one that is called something else (`curl -d` alone calls it a form) is
/// refused with 415. A job that the program has added as code keeps what it runs; the rest of it can be changed.

#include <daybook/detail/job_commands.hpp>
#include <daybook/detail/job_executions.hpp>
#include <daybook/http/api.hpp>
#include <daybook/http/jobs_api_options.hpp>
#include <daybook/http/json_reader.hpp>
#include <daybook/log/job_execution_log.hpp>
#include <daybook/scheduler.hpp>

#include <memory>
#include <utility>

namespace daybook::inline v0::http {

/// The routes that the file's description lists.
///
/// @tparam Json       Reads the bodies of requests; see json_reader.
/// @param  scheduler  May end before the API does: there are no jobs then, and the history stays.
template <class Json, class Result>
[[nodiscard]] Api jobs_api(Scheduler<Result>& scheduler, JobsApiOptions options = {}) {
    static_assert(json_reader<Json>, "jobs_api needs a JSON reader that models daybook::http::json_reader, "
                                     "for instance daybook::nlohmann_json of <daybook/adapters/nlohmann_json.hpp>");
    using Commands = detail::JobCommands<Json, Result>;
    using Pause = typename Commands::Pause;
    const auto jobs =
        std::make_shared<Commands>(scheduler.handle(), scheduler.log(), scheduler.handlers(), std::move(options));
    const JobExecutionLog<Result> log = scheduler.log();
    Api api;
    api.get("/api/v1/jobs", [jobs](const Call& call) { return jobs->list(call); });
    api.post("/api/v1/jobs", Permission::change, [jobs](const Call& call) { return jobs->make(call); });
    api.get("/api/v1/jobs/{id}", [jobs](const Call& call) { return jobs->show(call); });
    api.add({"PUT", "/api/v1/jobs/{id}", Permission::change, [jobs](const Call& call) { return jobs->change(call); }});
    api.add(
        {"DELETE", "/api/v1/jobs/{id}", Permission::change, [jobs](const Call& call) { return jobs->remove(call); }});
    api.post("/api/v1/jobs/{id}/run", Permission::trigger, [jobs](const Call& call) { return jobs->run(call); });
    api.post("/api/v1/jobs/{id}/pause", Permission::change,
             [jobs](const Call& call) { return jobs->set_paused(call, Pause::pause); });
    api.post("/api/v1/jobs/{id}/resume", Permission::change,
             [jobs](const Call& call) { return jobs->set_paused(call, Pause::resume); });
    api.get("/api/v1/handlers", [jobs](const Call& call) { return jobs->list_handlers(call); });
    api.post("/api/v1/debug/execute", Permission::trigger, [jobs](const Call& call) { return jobs->execute(call); });
    api.post("/api/v1/debug/refresh_schedule", Permission::change, [jobs](const Call&) { return jobs->refresh(); });
    api.get("/api/v1/executions/{id}", [log](const Call& call) { return detail::answer_executions(log, call); });
    api.get("/api/v1/executions/{id}/latest", [log](const Call& call) { return detail::answer_latest(log, call); });
    api.get("/api/v1/executions/{id}/stats", [log](const Call& call) { return detail::answer_statistics(log, call); });
    return api;
}

} // namespace daybook::inline v0::http

#endif
