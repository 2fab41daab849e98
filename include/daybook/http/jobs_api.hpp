// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_HTTP_JOBS_API_HPP
#define DAYBOOK_HTTP_JOBS_API_HPP

/// @file
/// The jobs of a scheduler over HTTP, in the words of the Job Scheduler System: PENDING, SUCCESS and FAILED, `active`
/// for what is not paused, instants in UTC, durations in milliseconds, success rates in percent.
///
/// - `GET /api/v1/jobs`: all jobs, ordered by id. Parameters: `limit` (100, at most 1000), `offset`.
/// - `GET /api/v1/jobs/{id}`: one job, or 404.
/// - `DELETE /api/v1/jobs/{id}`: 204, or 404. What runs finishes. Needs Permission::change.
/// - `POST /api/v1/jobs/{id}/run`: 202 with the id of the execution, 404, or 409 with the reason why a policy refused
///   it; 503 once the scheduler stops. Needs Permission::trigger.
/// - `POST /api/v1/jobs/{id}/pause`, `…/resume`: the job, or 404. Needs Permission::change.
/// - `GET /api/v1/executions/{job_id}`: its executions, newest first, also of a job that was removed.
///   Parameters: `limit` (10, at most 1000), and `cursor` or `offset`.
/// - `GET /api/v1/executions/{job_id}/latest`: the newest of them, or 404.
/// - `GET /api/v1/executions/{job_id}/stats`: counts since start or the last clear, durations and drift of the newest
///   1000 executions that are retained. Counts are null for a job beyond the log's `max_tracked_jobs`.
/// - `POST /api/v1/debug/execute`: as `run`, for the job that the body names: `{"job_id":"…"}`. Needs
///   Permission::trigger.
///
/// Jobs are code, so they are added and changed by the program; there is no route for that.

#include <daybook/detail/job_json.hpp>
#include <daybook/detail/paging.hpp>
#include <daybook/http/api.hpp>
#include <daybook/http/json_reader.hpp>
#include <daybook/log/job_execution_log.hpp>
#include <daybook/scheduler.hpp>
#include <daybook/scheduler_handle.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace daybook::inline v0::detail {

[[nodiscard]] inline http::Response answer_jobs(const SchedulerHandle& scheduler, const http::Query& query) {
    const auto limit = take_limit(query, 100, 1000);
    const auto jobs = scheduler.jobs();
    const auto offset = take_offset(query);
    const auto begin = std::min(offset, jobs.size());
    const auto count = std::min(limit, jobs.size() - begin);
    std::string document;
    JsonWriter writer{document};
    writer.begin_object();
    writer.member("count", count);
    writer.member("limit", limit);
    writer.key("jobs").begin_array();
    for (auto index = begin; index < begin + count; ++index) { write_job(writer, jobs[index]); }
    writer.end_array();
    writer.member("total", jobs.size());
    writer.member("offset", offset);
    writer.member("has_more", begin + count < jobs.size());
    writer.end_object();
    return http::json_response(200, std::move(document));
}

[[noreturn]] inline void refuse_unknown_job() { throw http::Error{404, "there is no job with this id"}; }

[[nodiscard]] inline http::Response answer_job(const SchedulerHandle& scheduler, std::string_view id) {
    const auto job = scheduler.job(id);
    if (!job) { refuse_unknown_job(); }
    std::string document;
    JsonWriter writer{document};
    write_job(writer, *job);
    return http::json_response(200, std::move(document));
}

/// Runs a job, and says what came of it.
template <class Result>
[[nodiscard]] http::Response answer_run(const SchedulerHandle& scheduler, const JobExecutionLog<Result>& log,
                                        std::string_view id) {
    const auto report = scheduler.trigger(id);
    if (report.outcome == TriggerOutcome::unknown_job) { refuse_unknown_job(); }
    if (report.outcome == TriggerOutcome::stopped) {
        throw http::Error{503, "the scheduler has been stopped, or is about to: it runs nothing more"};
    }
    std::string document;
    JsonWriter writer{document};
    writer.begin_object();
    if (report.outcome == TriggerOutcome::queued) {
        writer.member("job_id", id);
        writer.member("execution_id", report.id);
        writer.member("status", to_execution_word(JobStatus::queued));
        writer.end_object();
        return http::json_response(202, std::move(document));
    }
    const auto skip = log.find(report.id);
    const auto reason = skip ? skip->reason : SkipReason::none; // none: the log has dropped it already
    std::string message = "the job was not run: ";
    switch (reason) {
    case SkipReason::overlap: message += "it is in progress, and its overlap policy refuses another run"; break;
    case SkipReason::queue_full: message += "too many executions wait for a worker"; break;
    default: message += "a policy refused it"; break;
    }
    writer.key("error").begin_object();
    writer.member("code", 409);
    writer.member("message", message);
    writer.member("reason", to_string(reason));
    writer.end_object();
    writer.end_object();
    return http::json_response(409, std::move(document));
}

/// The text member `job_id` of a body.
/// @throws http::Error  400: there is none.
template <class Json>
[[nodiscard]] std::string take_job_id(std::string_view body) {
    const auto parsed = Json::parse(body);
    if (!parsed.document) { throw http::Error{400, "the body is refused: " + parsed.error}; }
    const auto* const member = Json::find(*parsed.document, "job_id");
    const auto id = member == nullptr ? std::nullopt : Json::text(*member);
    if (!id || id->empty()) {
        throw http::Error{400, R"(the body must be a JSON object with a text "job_id" that is not empty)"};
    }
    return std::string{*id};
}

template <class Result>
[[nodiscard]] http::Response answer_executions(const JobExecutionLog<Result>& log, std::string_view job_id,
                                               const http::Query& query) {
    ExecutionQuery wanted{.job_id = std::string{job_id}, .limit = take_limit(query, 10, 1000)};
    take_place(query, wanted);
    const auto page = take_page(log, wanted);
    std::string document;
    JsonWriter writer{document};
    writer.begin_object();
    writer.member("job_id", job_id);
    write_page_of(writer, page, "executions", wanted.limit,
                  [&](const JobExecutionRecord<Result>& record) { write_job_execution(writer, record); });
    writer.end_object();
    return http::json_response(200, std::move(document));
}

template <class Result>
[[nodiscard]] http::Response answer_latest(const JobExecutionLog<Result>& log, std::string_view job_id) {
    const auto page = log.query({.job_id = std::string{job_id}, .limit = 1});
    if (page.records.empty()) {
        throw http::Error{404, "there is no execution of this job; they may have been evicted or cleared"};
    }
    std::string document;
    JsonWriter writer{document};
    write_job_execution(writer, page.records.front());
    return http::json_response(200, std::move(document));
}

template <class Result>
[[nodiscard]] http::Response answer_statistics(const JobExecutionLog<Result>& log, std::string_view job_id) {
    const auto all = log.stats();
    const auto found = all.by_job.find(job_id);
    const OutcomeCounts nothing;
    const OutcomeCounts* counts = nullptr;
    if (found != all.by_job.end()) {
        counts = job_id == all.rest_of_jobs ? nullptr : &found->second; // the rest are other jobs together
    } else if (all.by_job.size() < log.options().max_tracked_jobs) {
        counts = &nothing; // it would have been tracked, so it has not run
    }
    const auto newest = log.query({.job_id = std::string{job_id}, .limit = measured_executions});
    std::string document;
    JsonWriter writer{document};
    write_job_statistics(writer, job_id, counts, newest);
    return http::json_response(200, std::move(document));
}

} // namespace daybook::inline v0::detail

namespace daybook::inline v0::http {

/// The routes that the file's description lists.
///
/// @tparam Json       Reads the bodies of requests; see json_reader.
/// @param  scheduler  May end before the API does: there are no jobs then, and the history stays.
template <class Json, class Result>
[[nodiscard]] Api jobs_api(Scheduler<Result>& scheduler) {
    static_assert(json_reader<Json>, "jobs_api needs a JSON reader that models daybook::http::json_reader, "
                                     "for instance daybook::nlohmann_json of <daybook/adapters/nlohmann_json.hpp>");
    const auto jobs = scheduler.handle();
    const JobExecutionLog<Result> log = scheduler.log();
    const auto job_of = [](const Call& call) { return call.path_parameter("id"); };
    Api api;
    api.get("/api/v1/jobs", [jobs](const Call& call) { return detail::answer_jobs(jobs, call.query()); });
    api.get("/api/v1/jobs/{id}", [=](const Call& call) { return detail::answer_job(jobs, job_of(call)); });
    api.add({"DELETE", "/api/v1/jobs/{id}", Permission::change, [=](const Call& call) {
                 if (!jobs.remove(job_of(call))) { detail::refuse_unknown_job(); }
                 return Response{.status = 204};
             }});
    api.post("/api/v1/jobs/{id}/run", Permission::trigger,
             [=](const Call& call) { return detail::answer_run(jobs, log, job_of(call)); });
    api.post("/api/v1/jobs/{id}/pause", Permission::change, [=](const Call& call) {
        jobs.pause(job_of(call));
        return detail::answer_job(jobs, job_of(call));
    });
    api.post("/api/v1/jobs/{id}/resume", Permission::change, [=](const Call& call) {
        jobs.resume(job_of(call));
        return detail::answer_job(jobs, job_of(call));
    });
    api.post("/api/v1/debug/execute", Permission::trigger, [=](const Call& call) {
        return detail::answer_run(jobs, log, detail::take_job_id<Json>(call.request().body));
    });
    api.get("/api/v1/executions/{id}",
            [=](const Call& call) { return detail::answer_executions(log, job_of(call), call.query()); });
    api.get("/api/v1/executions/{id}/latest",
            [=](const Call& call) { return detail::answer_latest(log, job_of(call)); });
    api.get("/api/v1/executions/{id}/stats",
            [=](const Call& call) { return detail::answer_statistics(log, job_of(call)); });
    return api;
}

} // namespace daybook::inline v0::http

#endif
