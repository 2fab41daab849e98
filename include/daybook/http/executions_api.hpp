// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_HTTP_EXECUTIONS_API_HPP
#define DAYBOOK_HTTP_EXECUTIONS_API_HPP

/// @file
/// The history of a log over HTTP: list, figures, errors, clear, in the format of ScheduleZero's Job Execution Logging
/// API, with fields of ours added behind.
///
/// - `GET /api/executions`: a page, newest first. Parameters: `limit` (100, at most 1000), `handler_id`, `job_id`,
///   `status`, `skips` (`leave_out`, `include`), and `cursor` or `offset`.
/// - `GET /api/executions/stats`: counts and durations, in all, by handler and by job.
/// - `GET /api/executions/errors`: the newest failures, retried ones included. Parameters: `limit` (50, at most 500),
///   `handler_id`, `job_id`, and `cursor` or `offset`.
/// - `GET /api/executions/{id}`: one record, or 404.
/// - `POST /api/executions/clear`: how many records were removed. Needs Permission::clear.
///
/// A limit above the largest is lowered, and the one in effect is told. Parameters that are not listed here
/// are ignored; a wrong value of one that is, is answered with 400 and a sentence.

#include <daybook/detail/execution_json.hpp>
#include <daybook/detail/paging.hpp>
#include <daybook/http/api.hpp>
#include <daybook/log/execution_query.hpp>
#include <daybook/log/job_execution_log.hpp>
#include <daybook/types.hpp>

#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace daybook::inline v0::detail {

/// @throws http::Error  400: a parameter has a value that it may not have.
[[nodiscard]] inline ExecutionQuery take_execution_query(const http::Query& query) {
    ExecutionQuery wanted;
    wanted.limit = take_limit(query, 100, 1000);
    wanted.handler_id = query.text("handler_id");
    wanted.job_id = query.text("job_id");
    if (const auto word = query.find("status")) {
        wanted.status = parse_job_status(*word);
        if (!wanted.status) {
            throw http::Error{400, "status must be one of success, error, running, timeout, queued, cancelled, "
                                   "abandoned, skipped"};
        }
    }
    if (const auto word = query.find("skips")) {
        if (*word != "include" && *word != "leave_out") {
            throw http::Error{400, "skips must be include or leave_out"};
        }
        wanted.skips = *word == "include" ? Skips::include : Skips::leave_out;
    }
    take_place(query, wanted);
    return wanted;
}

template <class Result>
[[nodiscard]] http::Response answer_list(const JobExecutionLog<Result>& log, const http::Query& query) {
    const auto wanted = take_execution_query(query);
    const auto page = take_page(log, wanted);
    std::string document;
    JsonWriter writer{document};
    write_page(writer, page, "records", wanted.limit, RecordForm::execution);
    return http::json_response(200, std::move(document));
}

template <class Result>
[[nodiscard]] http::Response answer_errors(const JobExecutionLog<Result>& log, const http::Query& query) {
    ExecutionQuery wanted;
    wanted.limit = take_limit(query, 50, 500);
    wanted.handler_id = query.text("handler_id");
    wanted.job_id = query.text("job_id");
    take_place(query, wanted);
    const auto page = take_page_of([&] { return log.errors(wanted); });
    std::string document;
    JsonWriter writer{document};
    write_page(writer, page, "errors", wanted.limit, RecordForm::failure);
    return http::json_response(200, std::move(document));
}

template <class Result>
[[nodiscard]] http::Response answer_one(const JobExecutionLog<Result>& log, std::string_view text) {
    ExecutionId id = 0;
    const auto* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, id);
    if (parsed.ptr != end || parsed.ec != std::errc{}) {
        throw http::Error{404, "there is nothing at this path: the id of an execution is a whole number"};
    }
    const auto record = log.find(id);
    if (!record) { throw http::Error{404, "there is no execution with this id; it may have been evicted or cleared"}; }
    std::string document;
    JsonWriter writer{document};
    write_record(writer, *record, RecordForm::execution);
    return http::json_response(200, std::move(document));
}

} // namespace daybook::inline v0::detail

namespace daybook::inline v0::http {

/// The routes that the file's description lists.
///
/// @param log  Is shared, not copied: the API shows what is recorded later, and may outlive this handle.
template <class Result>
[[nodiscard]] Api executions_api(const JobExecutionLog<Result>& log) {
    Api api;
    api.get("/api/executions", [log](const Call& call) { return detail::answer_list(log, call.query()); });
    api.get("/api/executions/stats", [log](const Call&) {
        std::string document;
        JsonWriter writer{document};
        detail::write_stats(writer, log.stats());
        return json_response(200, std::move(document));
    });
    api.get("/api/executions/errors", [log](const Call& call) { return detail::answer_errors(log, call.query()); });
    api.get("/api/executions/{id}",
            [log](const Call& call) { return detail::answer_one(log, call.path_parameter("id")); });
    api.post("/api/executions/clear", Permission::clear, [own = log](const Call&) mutable {
        std::string document;
        JsonWriter writer{document};
        writer.begin_object();
        writer.member("status", "success");
        writer.member("message", "Execution history cleared");
        writer.member("records_cleared", own.clear());
        writer.end_object();
        return json_response(200, std::move(document));
    });
    return api;
}

} // namespace daybook::inline v0::http

#endif
