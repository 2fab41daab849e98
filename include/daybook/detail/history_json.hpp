// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_HISTORY_JSON_HPP
#define DAYBOOK_DETAIL_HISTORY_JSON_HPP

/// @file
/// Occurrences and figures in the words of the Job History feature: queued, in_progress, completed, failed, cancelled;
/// Unix seconds, durations in seconds, rates as fractions. First the fields that clients of the format know, in the
/// order in which they know them, then ours.

#include <daybook/detail/execution_json.hpp>
#include <daybook/detail/outcome_tally.hpp>
#include <daybook/detail/period_ring.hpp>
#include <daybook/detail/shown_parameters.hpp>
#include <daybook/detail/stats_json.hpp>
#include <daybook/log/execution_query.hpp>
#include <daybook/log/job_execution_record.hpp>
#include <daybook/stats/stats_snapshot.hpp>
#include <daybook/stats/timeline.hpp>
#include <daybook/text/json_writer.hpp>
#include <daybook/types.hpp>

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace daybook::inline v0::detail {

/// The word that clients of the format know.
[[nodiscard]] constexpr std::string_view to_history_word(JobStatus status) noexcept {
    switch (status) {
    case JobStatus::queued: return "queued";
    case JobStatus::running: return "in_progress";
    case JobStatus::success: return "completed";
    case JobStatus::cancelled: return "cancelled";
    case JobStatus::error:
    case JobStatus::timeout:
    case JobStatus::abandoned: return "failed";
    case JobStatus::skipped: break; // never among the executions
    }
    return "unknown";
}

/// The statuses that a word stands for; none for any other text.
[[nodiscard]] constexpr StatusSet parse_history_word(std::string_view word) noexcept {
    StatusSet statuses;
    for (const JobStatus status : {JobStatus::queued, JobStatus::running, JobStatus::success, JobStatus::error,
                                   JobStatus::timeout, JobStatus::cancelled, JobStatus::abandoned}) {
        if (to_history_word(status) == word) { statuses.insert(status); }
    }
    return statuses;
}

/// What a row shows besides the record.
struct HistoryJob {
    std::string model = {};
    int priority = 0;
    bool has_webhook = false;
};

inline void write_unix_time(JsonWriter& writer, std::string_view name, const std::optional<sys_time>& instant) {
    writer.key(name);
    if (instant) {
        writer.value(std::chrono::floor<std::chrono::seconds>(*instant).time_since_epoch().count());
    } else {
        writer.null();
    }
}

/// The value of the metadata entry `model_key`, else the handler.
[[nodiscard]] inline std::string_view model_of(const ExecutionFacts& facts, std::string_view model_key) noexcept {
    for (const auto& entry : facts.metadata) {
        if (entry.first == model_key && !entry.second.empty()) { return entry.second; }
    }
    return facts.handler_id;
}

/// What it worked through; as long as it has not ended, what it has reported so far.
[[nodiscard]] inline RequestCounts requests_of(const ExecutionFacts& facts) noexcept {
    RequestCounts reported;
    if (facts.progress) {
        reported = {
            .total = facts.progress->total, .completed = facts.progress->done, .failed = facts.progress->failed};
    }
    return requests_of(reported, facts.status);
}

inline constexpr int seconds_decimals = 6; ///< to the microsecond, so that short jobs do not all take 0.0

inline void write_seconds(JsonWriter& writer, std::string_view name,
                          const std::optional<std::chrono::nanoseconds>& duration) {
    writer.key(name);
    if (duration) {
        writer.fixed(std::chrono::duration<double>{*duration}.count(), seconds_decimals);
    } else {
        writer.null();
    }
}

/// The members of an occurrence, in an object that is open.
inline void write_history_members(JsonWriter& writer, const ExecutionFacts& facts, const HistoryJob& job) {
    const bool is_retried = is_finished(facts.status) && !facts.is_final; // it waits for its next attempt
    const JobStatus status = is_retried ? JobStatus::queued : facts.status;
    const RequestCounts requests = requests_of(facts);
    // Of what never ran it is not kept when it ended.
    const auto ended_at = facts.completed_at ? facts.completed_at : facts.queued_at;
    const auto when = [&](bool is_so) { return is_so ? ended_at : std::nullopt; };
    writer.member("batch_id", std::to_string(facts.occurrence_id));
    writer.member("status", to_history_word(status));
    writer.member("model", job.model);
    write_unix_time(writer, "created_at", facts.started_at ? facts.started_at : facts.queued_at);
    write_unix_time(writer, "completed_at", when(status == JobStatus::success));
    write_unix_time(writer, "failed_at", when(is_failure(status)));
    write_unix_time(writer, "cancelled_at", when(status == JobStatus::cancelled));
    writer.member("total_requests", requests.total);
    writer.member("completed_requests", requests.completed);
    writer.member("failed_requests", requests.failed);
    write_seconds(writer, "duration", facts.duration);
    writer.key("throughput");
    if (facts.duration && facts.duration->count() > 0) {
        writer.fixed(static_cast<double>(requests.completed) / std::chrono::duration<double>{*facts.duration}.count(),
                     3);
    } else {
        writer.null();
    }
    writer.member("priority", job.priority);
    writer.member("webhook_url", job.has_webhook);
    writer.member("has_errors", facts.error.has_value() || is_failure(facts.status) || requests.failed != 0);

    writer.member("execution_id", facts.id);
    writer.member("job_id", facts.job_id);
    writer.member("handler_id", facts.handler_id);
    writer.member("method_name", facts.method_name);
    writer.member("status_detail", to_string(facts.status));
    writer.member("attempt_number", facts.attempt_number);
    writer.member("trigger", to_string(facts.trigger));
    write_unix_time(writer, "scheduled_at", facts.scheduled_at);
    write_unix_time(writer, "queued_at", facts.queued_at);
    write_unix_time(writer, "started_at", facts.started_at);
    writer.member("error", facts.error);
}

/// Everything about one occurrence.
/// @param attempts       Those that the log still has, the newest first; not empty.
/// @param are_all_found  Whether the log was looked through for them to the end.
template <class Result>
void write_history_details(JsonWriter& writer, const std::vector<JobExecutionRecord<Result>>& attempts,
                           bool are_all_found, const HistoryJob& job) {
    const JobExecutionRecord<Result>& last = attempts.front();
    writer.begin_object();
    write_history_members(writer, last, job);
    writer.key("result");
    write_result(writer, last.result);
    writer.key("queue_delay");
    if (const auto waited = last.queue_delay()) {
        writer.fixed(std::chrono::duration<double>{*waited}.count(), seconds_decimals);
    } else {
        writer.null();
    }
    writer.member("records_processed", last.records_processed);
    writer.member("log_text", last.log_text);
    writer.member("parameters", shown_parameters(last));
    writer.key("metadata").begin_object();
    for (const auto& entry : last.metadata) { writer.member(entry.first, entry.second); }
    writer.end_object();
    writer.key("attempts").begin_array();
    for (const auto& attempt : attempts) {
        writer.begin_object();
        writer.member("execution_id", attempt.id);
        writer.member("attempt_number", attempt.attempt_number);
        writer.member("status", to_history_word(attempt.status));
        write_unix_time(writer, "created_at", attempt.started_at ? attempt.started_at : attempt.queued_at);
        write_seconds(writer, "duration", attempt.duration);
        writer.member("error", attempt.error);
        writer.end_object();
    }
    writer.end_array();
    writer.member("attempts_complete", are_all_found);
    writer.end_object();
}

/// The hours that a timeline shows: from the one of `from`, so many.
struct HistoryHours {
    sys_time from = {};
    std::size_t count = 0;
};

/// Every hour, also those in which nothing ended.
inline void write_history_timeline(JsonWriter& writer, const std::vector<TimelineBucket>& buckets,
                                   const HistoryHours& hours) {
    constexpr std::chrono::hours one{1};
    auto bucket = buckets.begin();
    writer.key("timeline").begin_array();
    for (std::size_t i = 0; i < hours.count; ++i) {
        const sys_time begin = hours.from + static_cast<std::int64_t>(i) * one;
        while (bucket != buckets.end() && bucket->begin < begin) { ++bucket; }
        const bool is_used = bucket != buckets.end() && bucket->begin == begin;
        writer.begin_object();
        write_unix_time(writer, "timestamp", begin);
        writer.member("jobs", is_used ? bucket->total_executions + bucket->cancelled_count : 0);
        writer.end_object();
    }
    writer.end_array();
}

/// What goes on now, in figures that know of it.
struct HistoryFlight {
    std::uint64_t running = 0;
    std::uint64_t queued = 0;
};

/// The members that the figures of all time and those of a range share, in an object that is open.
/// @param flight  Empty: the figures are of what has ended only.
inline void write_history_stats(JsonWriter& writer, const OutcomeCounts& counts,
                                const std::optional<HistoryFlight>& flight, double average_ms,
                                const std::map<std::string, std::uint64_t, std::less<>>& by_model) {
    const HistoryFlight now = flight.value_or(HistoryFlight{});
    writer.member("total_jobs", counts.total_executions + counts.cancelled_count + now.running + now.queued);
    writer.key("by_status").begin_object();
    writer.member("completed", counts.success_count);
    writer.member("failed", counts.error_count);
    writer.member("cancelled", counts.cancelled_count);
    if (flight) {
        writer.member("in_progress", now.running);
        writer.member("queued", now.queued);
    }
    writer.end_object();
    write_by_name(writer, "by_model", by_model, [&](std::uint64_t count) { writer.value(count); });
    writer.key("success_rate");
    const double rate = counts.total_executions == 0
                            ? 1.0
                            : static_cast<double>(counts.success_count) / static_cast<double>(counts.total_executions);
    writer.fixed(rate, 4);
    writer.key("avg_duration").fixed(average_ms / 1000.0, seconds_decimals);
    writer.member("total_requests", counts.requests.total);
    writer.member("completed_requests", counts.requests.completed);
}

} // namespace daybook::inline v0::detail

#endif
