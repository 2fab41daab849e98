// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_HTTP_HISTORY_API_HPP
#define DAYBOOK_HTTP_HISTORY_API_HPP

/// @file
/// The history of a log in the format of the Job History feature, with fields of ours added behind.
///
/// A row is an occurrence of a job, and `batch_id` its id (text): its attempt under way, or its last one. Attempts that
/// were retried are no rows of their own (`/v1/jobs/history/{batch_id}` lists them), and an occurrence that waits for
/// its next attempt has no row until that is handed over. Skipped occurrences have none.
///
/// - `GET /v1/jobs/history`: a page, newest first. Parameters: `limit` (50, at most 500), `offset` or `cursor`;
///   `status` (`queued`, `in_progress`, `completed`, `failed`, `cancelled`, or several parted by commas: timeouts and
///   abandoned ones are failed); `model`; `start_date` and `end_date`, Unix timestamps in seconds, the latter outside;
///   and of ours `job_id`, `sort` (as in the executions API).
/// - `GET /v1/jobs/history/{batch_id}`: all about one occurrence, its attempts, result, metadata; or 404.
/// - `GET /v1/jobs/stats`: counts since start or the last clear, evicted executions included, with what is queued and
///   in progress now, and the last 24 hours of the timeline, in UTC. With `start_date` or `end_date`: what ended within
///   these, from hourly buckets that reach back a week: `from`, `to` and `resolution_seconds` say what is covered,
///   `is_complete` whether nothing is missing. `by_status` then has neither `queued` nor `in_progress`.
///
/// `model` is the entry LogOptions::model_key (`model`) of the execution's metadata; else its handler. `created_at` is
/// when it started, or, while it waits, when it was handed over: this is what lists are in the order of, and what dates
/// are compared with; `queued_at` and `scheduled_at` tell the rest. `completed_at`, `failed_at` or `cancelled_at` is
/// when it ended (of what never ran, when it was handed over). Requests are the job's own progress
/// (JobContext::progress); a job that reports none is one request. `duration` is in seconds, `throughput` the requests
/// completed per second. `success_rate` is the share of `completed` in `completed` and `failed`, 1.0 where there are
/// none. `avg_duration` is of every attempt that ran, cancelled ones not. `by_model` counts what has ended, cancelled
/// ones included.
///
/// A limit above the largest is lowered, and the one in effect is told. Parameters that are not listed here are
/// ignored; a wrong value of one that is, is answered with 400 and a sentence. Where the router has a redaction hook,
/// a model is metadata like any other, unless HistoryOptions::model_names says that it is no secret: what the hook
/// makes of it is shown, it cannot be searched for, and `by_model` counts what is no handler's under `other`.

#include <daybook/detail/history_json.hpp>
#include <daybook/detail/paging.hpp>
#include <daybook/detail/query_parameters.hpp>
#include <daybook/detail/saturate.hpp>
#include <daybook/http/api.hpp>
#include <daybook/log/execution_query.hpp>
#include <daybook/log/job_execution_log.hpp>
#include <daybook/scheduler.hpp>
#include <daybook/scheduler_handle.hpp>
#include <daybook/stats/timeline.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace daybook::inline v0::http {

/// Whether the values that executions are told apart by (`model`) may be secret, where the router has a redaction hook.
enum class ModelNames : std::uint8_t {
    as_metadata, ///< the hook is asked about them as about all metadata
    are_public,  ///< they are shown as they are, and may be searched for
};

/// What a log does not know of jobs. Both hooks are called for the jobs of a page, from whatever threads the program's
/// server has, all at once, under no lock.
struct HistoryOptions {
    /// Whether a webhook is told of the job (`webhook_url`). Empty: none is.
    std::function<bool(std::string_view job_id)> has_webhook = {};

    /// The job's priority. Empty: 0, or what a scheduler says.
    std::function<int(std::string_view job_id)> priority = {};

    ModelNames model_names = ModelNames::as_metadata;
};

} // namespace daybook::inline v0::http

namespace daybook::inline v0::detail {

/// Asks the hooks once for each job of a page.
class HistoryJobs {
public:
    explicit HistoryJobs(const http::HistoryOptions& options) : options_{options} {}

    [[nodiscard]] const HistoryJob& of(const std::string& job_id) {
        const auto [place, is_new] = jobs_.try_emplace(job_id);
        if (is_new) {
            if (options_.priority) { place->second.priority = options_.priority(job_id); }
            if (options_.has_webhook) { place->second.has_webhook = options_.has_webhook(job_id); }
        }
        return place->second;
    }

private:
    const http::HistoryOptions& options_;
    std::map<std::string, HistoryJob, std::less<>> jobs_;
};

/// @throws http::Error  400: it is no such timestamp.
[[nodiscard]] inline std::optional<sys_time> take_unix_time(const http::Query& query, std::string_view name) {
    const auto value = query.find(name);
    if (!value) { return std::nullopt; }
    constexpr std::int64_t last = 253'402'300'799; // of the year 9999: milliseconds are beyond it
    std::int64_t seconds = 0;
    const auto* const end = value->data() + value->size();
    const auto result = std::from_chars(value->data(), end, seconds);
    if (result.ptr != end || result.ec != std::errc{} || seconds < 0 || seconds > last) {
        throw http::Error{400, std::string{name} + " must be a Unix timestamp: whole seconds since 1970, at most " +
                                   std::to_string(last)};
    }
    return sys_time{std::chrono::seconds{seconds}};
}

struct HistoryDates {
    std::optional<sys_time> start = {};
    std::optional<sys_time> end = {};
};

/// @throws http::Error  400: one of them is wrong, or the end comes before the start.
[[nodiscard]] inline HistoryDates take_history_dates(const http::Query& query) {
    const HistoryDates dates{take_unix_time(query, "start_date"), take_unix_time(query, "end_date")};
    if (dates.start && dates.end && *dates.end < *dates.start) {
        throw http::Error{400, "end_date must not be before start_date"};
    }
    return dates;
}

/// @throws http::Error  400: a word is no status.
inline void take_history_statuses(const http::Query& query, ExecutionQuery& wanted) {
    const auto words = query.find("status");
    if (!words) { return; }
    for (std::string_view rest = *words;;) {
        const auto word = rest.substr(0, rest.find(','));
        const StatusSet statuses = parse_history_word(word);
        if (statuses.empty()) {
            throw http::Error{400, "status must be one of queued, in_progress, completed, failed, cancelled, or "
                                   "several of them parted by commas"};
        }
        wanted.status |= statuses;
        if (word.size() == rest.size()) { return; }
        rest.remove_prefix(word.size() + 1);
    }
}

[[nodiscard]] inline bool hides_models(const http::HistoryOptions& options, const http::Redact& redact) {
    return redact && options.model_names == http::ModelNames::as_metadata;
}

/// Writes an occurrence as a client may see it: calls `write(facts, job)`, where both live as long as the call.
template <class Result, class Write>
void write_shown_history(JobExecutionRecord<Result>&& record, const http::HistoryOptions& options,
                         const std::string& model_key, const http::Redact& redact, HistoryJob job, Write&& write) {
    job.model = model_of(record, model_key);
    if (!redact) { return write(record, job); }
    const auto shown = redacted(std::move(record), redact);
    if (hides_models(options, redact)) { job.model = model_of(shown, model_key); }
    write(shown, job);
}

template <class Result>
[[nodiscard]] http::Response answer_history(const JobExecutionLog<Result>& log, const http::HistoryOptions& options,
                                            const http::Call& call) {
    const auto& query = call.query();
    const std::string& model_key = log.options().model_key;
    ExecutionQuery wanted{.attempts = Attempts::last, .limit = take_limit(query, 50, 500)};
    take_history_statuses(query, wanted);
    const auto dates = take_history_dates(query);
    wanted.started_from = dates.start;
    wanted.started_to = dates.end;
    wanted.job_id = query.text("job_id");
    take_sort(query, wanted);
    auto model = query.text("model");
    if (!model.empty() && model_key.empty()) {
        wanted.handler_id = std::move(model);
    } else if (!model.empty()) {
        if (hides_models(options, call.redact())) { // what is found would tell
            throw http::Error{400, "model cannot be searched for here, where texts of records may be hidden"};
        }
        wanted.metadata_key = model_key;
        wanted.metadata_value = std::move(model);
        wanted.missing_metadata = MissingMetadata::handler_id;
    }
    take_place(query, wanted);
    // An offset alone must not make a page incomplete.
    wanted.max_scanned += std::min(wanted.offset, log.capacity() + log.options().max_running);
    auto page = take_page(log, wanted);

    HistoryJobs jobs{options};
    std::string document;
    JsonWriter writer{document};
    writer.begin_object();
    writer.key("jobs").begin_array();
    for (auto& record : page.records) {
        const HistoryJob job = jobs.of(record.job_id);
        write_shown_history(std::move(record), options, model_key, call.redact(), job,
                            [&](const ExecutionFacts& facts, const HistoryJob& shown) {
                                writer.begin_object();
                                write_history_members(writer, facts, shown);
                                writer.end_object();
                            });
    }
    writer.end_array();
    writer.member("total", page.total.count);
    writer.member("limit", wanted.limit);
    writer.member("offset", page.offset);
    writer.member("has_more", page.has_more);
    writer.member("total_is_exact", page.total.is_exact);
    write_next_cursor(writer, page.next_cursor);
    writer.member("scanned", page.scanned);
    writer.member("complete", page.complete);
    writer.end_object();
    return http::json_response(200, std::move(document));
}

/// The attempts of an occurrence that the log still has, the newest first.
/// @throws http::Error  404: there are none.
template <class Result>
[[nodiscard]] Page<Result> find_attempts(const JobExecutionLog<Result>& log, std::string_view batch_id) {
    const auto refuse = [] {
        throw http::Error{404, "there is no job with this batch_id; it may have been evicted or cleared"};
    };
    OccurrenceId id = 0;
    const auto* const end = batch_id.data() + batch_id.size();
    const auto parsed = std::from_chars(batch_id.data(), end, id);
    if (parsed.ptr != end || parsed.ec != std::errc{} || id == 0) { refuse(); }
    // The first attempt has the id of the occurrence, and most have one attempt only.
    auto first = log.find(id);
    if (first && (first->occurrence_id != id || first->status == JobStatus::skipped)) { refuse(); }
    if (first && (first->is_final || !is_finished(first->status))) {
        Page<Result> one;
        one.records.push_back(std::move(*first));
        return one;
    }
    ExecutionQuery wanted{.occurrence_id = id, .limit = 100, .totals = Totals::leave_out};
    if (first) { wanted.job_id = first->job_id; }
    auto page = log.query(wanted);
    if (page.records.empty() && first) { page.records.push_back(std::move(*first)); }
    if (page.records.empty()) { refuse(); }
    return page;
}

template <class Result>
[[nodiscard]] http::Response answer_history_details(const JobExecutionLog<Result>& log,
                                                    const http::HistoryOptions& options, const http::Call& call) {
    auto page = find_attempts(log, call.path_parameter("batch_id"));
    const bool are_all_found = page.complete && !page.has_more;
    HistoryJob job = HistoryJobs{options}.of(page.records.front().job_id);
    job.model = model_of(page.records.front(), log.options().model_key);
    std::string document;
    JsonWriter writer{document};
    if (call.redact()) {
        std::vector<decltype(redacted(std::move(page.records.front()), call.redact()))> shown;
        for (auto& record : page.records) { shown.push_back(redacted(std::move(record), call.redact())); }
        if (hides_models(options, call.redact())) { job.model = model_of(shown.front(), log.options().model_key); }
        write_history_details(writer, shown, are_all_found, job);
    } else {
        write_history_details(writer, page.records, are_all_found, job);
    }
    return http::json_response(200, std::move(document));
}

/// `by_model` as a client may see it. A name that a handler bears is no secret.
template <class Stats>
[[nodiscard]] std::map<std::string, std::uint64_t, std::less<>> shown_models(const Stats& stats, bool are_hidden) {
    if (!are_hidden) { return stats.by_model; }
    std::map<std::string, std::uint64_t, std::less<>> shown;
    std::uint64_t rest = 0;
    for (const auto& [name, count] : stats.by_model) {
        const bool is_handler = stats.by_handler.contains(name) && name != stats.rest_of_models;
        (is_handler ? shown[name] : rest) += count;
    }
    std::string rest_name = "other";
    while (shown.contains(rest_name)) { rest_name.insert(0, 1, '(') += ')'; }
    if (rest != 0) { shown[rest_name] = rest; }
    return shown;
}

template <class Result>
[[nodiscard]] http::Response answer_history_stats(const JobExecutionLog<Result>& log,
                                                  const http::HistoryOptions& options, const http::Call& call) {
    constexpr std::chrono::hours hour{1};
    const auto dates = take_history_dates(call.query());
    const bool are_hidden = hides_models(options, call.redact());
    std::string document;
    JsonWriter writer{document};
    writer.begin_object();
    if (dates.start || dates.end) {
        const auto stats = log.stats(dates.start.value_or(sys_time::min()), dates.end.value_or(sys_time::max()));
        write_history_stats(writer, stats, std::nullopt, stats.duration.average_ms, shown_models(stats, are_hidden));
        const auto hours = stats.to > stats.from ? static_cast<std::size_t>((stats.to - stats.from) / hour) : 0;
        write_history_timeline(writer, stats.timeline, {stats.from, hours});
        writer.member("failed_requests", stats.requests.failed);
        write_unix_time(writer, "from", stats.from);
        write_unix_time(writer, "to", stats.to);
        writer.member("resolution_seconds", std::chrono::seconds{stats.resolution}.count());
        writer.member("is_complete", stats.is_complete);
    } else {
        constexpr std::int64_t shown_hours = 24;
        const auto stats = log.stats();
        const auto now = std::clamp(log.options().clock.now(), min_timestamp + shown_hours * hour, max_timestamp);
        const sys_time first = std::chrono::floor<std::chrono::hours>(now) - (shown_hours - 1) * hour;
        write_history_stats(writer, stats, HistoryFlight{stats.running, stats.queued}, stats.average_duration_ms,
                            shown_models(stats, are_hidden));
        write_history_timeline(writer, stats.timeline.hours, {first, static_cast<std::size_t>(shown_hours)});
        writer.member("failed_requests", stats.requests.failed);
        write_unix_time(writer, "counted_since", stats.counted_since);
        writer.member("lifetime_jobs", stats.lifetime.total_executions + stats.lifetime.cancelled_count);
    }
    writer.end_object();
    return http::json_response(200, std::move(document));
}

} // namespace daybook::inline v0::detail

namespace daybook::inline v0::http {

/// The routes that the file's description lists.
///
/// @param log  Is shared, not copied: the API shows what is recorded later, and may outlive this handle.
template <class Result>
[[nodiscard]] Api history_api(const JobExecutionLog<Result>& log, HistoryOptions options = {}) {
    Api api;
    api.get("/v1/jobs/history",
            [log, options](const Call& call) { return detail::answer_history(log, options, call); });
    api.get("/v1/jobs/history/{batch_id}",
            [log, options](const Call& call) { return detail::answer_history_details(log, options, call); });
    api.get("/v1/jobs/stats",
            [log, options](const Call& call) { return detail::answer_history_stats(log, options, call); });
    return api;
}

/// The same for the log of a scheduler, which knows the priorities of its jobs.
/// @param scheduler  May end before the API does: priorities are 0 then.
template <class Result>
[[nodiscard]] Api history_api(Scheduler<Result>& scheduler, HistoryOptions options = {}) {
    if (!options.priority) {
        options.priority = [jobs = scheduler.handle()](std::string_view job_id) {
            const auto job = jobs.job(job_id);
            return job ? job->priority : 0;
        };
    }
    const JobExecutionLog<Result>& log = scheduler.log();
    return history_api(log, std::move(options));
}

} // namespace daybook::inline v0::http

#endif
