// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_HTTP_EXECUTIONS_API_HPP
#define DAYBOOK_HTTP_EXECUTIONS_API_HPP

/// @file
/// The history of a log over HTTP: list, figures, errors, clear, in the format of ScheduleZero's Job Execution Logging
/// API, with fields of ours added behind.
///
/// - `GET /api/executions`: a page, newest first. Parameters: `limit` (100, at most 1000), `status` (one, or several
///   parted by commas), `skips` (`leave_out`, `include`), `cursor` or `offset`, and the filters below.
/// - `GET /api/executions/stats`: counts, durations, rates and a timeline, in all, by handler and by job. Parameters:
///   `timeline` (`hour`, `minute`, `day`, `none`) and `buckets` of it (24); `by_job` (`include`, `leave_out`). With
///   `from` or `to`: what ended within that range, by handler and by hour, from hourly buckets that reach back a week;
///   it says what it covers (`from`, `to`, `resolution_seconds`), and whether nothing is missing in it (`is_complete`).
/// - `GET /api/executions/errors`: the newest failures, retried ones included. Parameters: `limit` (50, at most 500),
///   `cursor` or `offset`, and the filters below.
/// - `GET /api/executions/export`: what the list has, as a file. Parameters: `format` (`csv`, `json` for JSON Lines),
///   `limit` (10,000, at most 100,000), and all others of the list. The headers `Daybook-Limit` and `Daybook-Count` say
///   the limit in effect and how many records there are; where more follow, because of the limit or because the file
///   reached 32 MiB, `Daybook-Next-Cursor` is the `cursor` to go on with. `Daybook-Complete` is `false` when records
///   are missing that no cursor leads to (ExportReport).
/// - `GET /api/executions/jobs`: the jobs that the log counts (LogOptions::max_tracked_jobs), those of the newest final
///   failures first, each with its `counts` and its `latest_runs`, newest first, skips included. Parameters: `limit`
///   (20, at most 200), `offset`, `runs` of each (20, at most 50), `sort` (`trouble`, `name`), `text`, part of the
///   name.
/// - `GET /api/executions/{id}`: one record, or 404.
/// - `POST /api/executions/clear`: how many records were removed. Needs Permission::clear.
///
/// The filters are those of ExecutionQuery: `job_id`, `handler_id`, `method_name`; `started_from` and `started_to` (the
/// latter is outside), each an instant with its zone or a day in UTC; `text`, part of the error or of the result;
/// `attempt_number`; `occurrence_id`, of which all attempts are wanted; `final` (`true`, or `false` for attempts that a
/// retry followed); `min_duration_ms` and `max_duration_ms`, which may have decimals; `metadata_key`, and with it
/// `metadata_value`. `sort` is `newest`, `oldest`, `longest`, `shortest`, `most_drift` or `least_drift`. A page says
/// how many records were looked at
/// (`scanned`), and whether that was enough (`complete`): if not, `next_cursor` goes on where it stopped.
///
/// Where the router has a redaction hook, it sees every text of a record before a client does, in files as well; `text`
/// and `metadata_value` are refused then, since what they find would tell what is hidden.
///
/// A limit above the largest is lowered, and the one in effect is told. Parameters that are not listed here
/// are ignored; a wrong value of one that is, is answered with 400 and a sentence.

#include <daybook/detail/execution_json.hpp>
#include <daybook/detail/logged_jobs.hpp>
#include <daybook/detail/page_rows.hpp>
#include <daybook/detail/paging.hpp>
#include <daybook/detail/query_cursor.hpp>
#include <daybook/detail/query_parameters.hpp>
#include <daybook/detail/stats_json.hpp>
#include <daybook/http/api.hpp>
#include <daybook/http/redaction.hpp>
#include <daybook/log/execution_export.hpp>
#include <daybook/log/execution_query.hpp>
#include <daybook/log/job_execution_log.hpp>
#include <daybook/stats/timeline.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace daybook::inline v0::detail {

/// A record as the client may see it.
template <class Result>
void write_shown(JsonWriter& writer, const JobExecutionRecord<Result>& record, RecordForm form,
                 const http::Redact& redact) {
    if (redact) {
        write_record(writer, redacted(record, redact), form);
    } else {
        write_record(writer, record, form);
    }
}

template <class Result>
[[nodiscard]] http::Response answer_page(const Page<Result>& page, std::string_view list_name, std::size_t limit,
                                         RecordForm form, const http::Redact& redact) {
    std::string document;
    JsonWriter writer{document};
    writer.begin_object();
    write_page_of(writer, page, list_name, limit,
                  [&](const JobExecutionRecord<Result>& record) { write_shown(writer, record, form, redact); });
    writer.end_object();
    return http::json_response(200, std::move(document));
}

/// @throws http::Error  400: a parameter has a value that it may not have.
[[nodiscard]] inline ExecutionQuery take_execution_query(const http::Call& call) {
    const auto& query = call.query();
    ExecutionQuery wanted;
    wanted.limit = take_limit(query, 100, 1000);
    take_filters(query, wanted);
    refuse_hidden_search(call, wanted);
    take_statuses(query, wanted);
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
[[nodiscard]] http::Response answer_list(const JobExecutionLog<Result>& log, const http::Call& call) {
    const auto wanted = take_execution_query(call);
    const auto page = take_page_of([&] { return PageRows<Result>{log, wanted}; });
    std::string document;
    JsonWriter writer{document};
    writer.begin_object();
    write_page_around(writer, page.facts(), page.size(), "records", wanted.limit, [&] {
        page.for_each([&](const JobExecutionRecord<Result>& record) {
            write_shown(writer, record, RecordForm::execution, call.redact());
        });
    });
    writer.end_object();
    return http::json_response(200, std::move(document));
}

template <class Result>
[[nodiscard]] http::Response answer_errors(const JobExecutionLog<Result>& log, const http::Call& call) {
    ExecutionQuery wanted;
    wanted.limit = take_limit(call.query(), 50, 500);
    take_filters(call.query(), wanted);
    refuse_hidden_search(call, wanted);
    take_place(call.query(), wanted);
    const auto page = take_page_of([&] { return log.errors(wanted); });
    return answer_page(page, "errors", wanted.limit, RecordForm::failure, call.redact());
}

template <class Result>
[[nodiscard]] http::Response answer_export(const JobExecutionLog<Result>& log, const http::Call& call) {
    const auto& query = call.query();
    constexpr std::size_t most_bytes = std::size_t{32} << 20U; // a response is held in memory until it is sent
    const auto format = query.find("format");
    if (!format || (*format != "csv" && *format != "json")) {
        throw http::Error{400, "format must be csv or json (JSON Lines)"};
    }
    const auto wanted = take_execution_query(call);
    const auto limit = take_limit(query, 10'000, 100'000);
    http::Response response;
    const auto sink = [&](std::string_view piece) { response.body += piece; };
    // In an order by duration or drift each page goes through all records again: there are few of them, then.
    // A page is held as well: not much more than the file itself, however long the texts are.
    const std::size_t most_records =
        std::max<std::size_t>(1, most_bytes / 4 / std::max<std::size_t>(1, log.options().max_text_bytes));
    const std::size_t page = std::min<std::size_t>(is_by_start(wanted.sort) ? 200 : 2000, most_records);
    const ExportOptions options{.max_records = limit, .max_bytes = most_bytes, .page = page};
    const bool is_csv = *format == "csv";
    const auto write = [&](const auto& show) {
        return is_csv ? write_csv(log, wanted, sink, options, show)
                      : write_json_lines(log, wanted, sink, options, show);
    };
    // Only this is the client's fault; what else may throw std::invalid_argument is the program's.
    if (!wanted.cursor.empty()) {
        (void)take_page_of([&] {
            if (is_store_cursor(wanted.cursor)) {
                (void)parse_store_cursor(wanted.cursor, wanted.sort);
            } else {
                (void)parse_cursor(wanted.sort, wanted.cursor);
            }
            return true;
        });
    }
    const auto report =
        call.redact() ? write([&](const JobExecutionRecord<Result>& record) { return redacted(record, call.redact()); })
                      : write(std::identity{});
    response.set_header("Content-Type", is_csv ? "text/csv; charset=utf-8; header=present" : "application/x-ndjson");
    response.set_header("Content-Disposition", is_csv ? "attachment; filename=\"executions.csv\""
                                                      : "attachment; filename=\"executions.jsonl\"");
    response.set_header("Daybook-Limit", std::to_string(limit));
    response.set_header("Daybook-Count", std::to_string(report.records));
    response.set_header("Daybook-Complete", report.complete ? "true" : "false");
    if (!report.next_cursor.empty()) { response.set_header("Daybook-Next-Cursor", report.next_cursor); }
    return response;
}

/// @throws http::Error  400: a parameter has a value that it may not have.
[[nodiscard]] inline WantedTimeline take_timeline(const http::Query& query) {
    WantedTimeline wanted;
    if (const auto word = query.find("timeline")) {
        wanted.resolution.reset();
        for (const auto resolution : {TimelineResolution::minute, TimelineResolution::hour, TimelineResolution::day}) {
            if (*word == to_string(resolution)) { wanted.resolution = resolution; }
        }
        if (!wanted.resolution && *word != "none") {
            throw http::Error{400, "timeline must be minute, hour, day or none"};
        }
    }
    constexpr std::uint64_t most = 1000; // more than are kept
    wanted.buckets = static_cast<std::size_t>(std::min(query.whole_number("buckets", wanted.buckets), most));
    return wanted;
}

template <class Result>
[[nodiscard]] http::Response answer_stats(const JobExecutionLog<Result>& log, const http::Query& query) {
    const auto from = query.instant("from");
    const auto to = query.instant("to");
    if (from && to && *from > *to) { throw http::Error{400, "to must not be before from"}; }
    const auto timeline = take_timeline(query);
    const auto by_job = query.find("by_job");
    if (by_job && *by_job != "include" && *by_job != "leave_out") {
        throw http::Error{400, "by_job must be include or leave_out"};
    }
    std::string document;
    JsonWriter writer{document};
    if (from || to) {
        write_range_stats(writer, log.stats(from.value_or(sys_time::min()), to.value_or(sys_time::max())));
    } else {
        auto stats = log.stats();
        if (by_job && *by_job == "leave_out") { stats.by_job.clear(); } // a thousand of them, which a poller can spare
        write_stats(writer, stats, timeline);
    }
    return http::json_response(200, std::move(document));
}

template <class Result>
[[nodiscard]] http::Response answer_one(const JobExecutionLog<Result>& log, const http::Call& call) {
    const auto text = call.path_parameter("id");
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
    write_shown(writer, *record, RecordForm::execution, call.redact());
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
    api.get("/api/executions", [log](const Call& call) { return detail::answer_list(log, call); });
    api.get("/api/executions/stats", [log](const Call& call) { return detail::answer_stats(log, call.query()); });
    api.get("/api/executions/errors", [log](const Call& call) { return detail::answer_errors(log, call); });
    api.get("/api/executions/export", [log](const Call& call) { return detail::answer_export(log, call); });
    api.get("/api/executions/jobs", [log](const Call& call) { return detail::answer_logged_jobs(log, call); });
    api.get("/api/executions/{id}", [log](const Call& call) { return detail::answer_one(log, call); });
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
