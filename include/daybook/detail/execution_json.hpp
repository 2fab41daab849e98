// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_EXECUTION_JSON_HPP
#define DAYBOOK_DETAIL_EXECUTION_JSON_HPP

/// @file
/// Records, pages and figures as the executions API writes them: first the fields that clients of the format know, in
/// the order in which they know them, then ours.

#include <daybook/log/execution_query.hpp>
#include <daybook/log/job_execution_record.hpp>
#include <daybook/log/result_codec.hpp>
#include <daybook/stats/stats_snapshot.hpp>
#include <daybook/text/json_writer.hpp>
#include <daybook/types.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace daybook::inline v0::detail {

/// Whether a record is listed among executions, or among errors, where a result has no place.
enum class RecordForm : std::uint8_t { execution, failure };

inline constexpr int milliseconds_decimals = 3; ///< to the microsecond, so that short jobs do not all take 0.0

/// The member "result" of a record: what the job returned, or null.
template <class Result>
void write_result(JsonWriter& writer, const std::optional<Result>& result) {
    writer.key("result");
    if (result) {
        ResultCodec<Result>::write_json(writer, *result);
    } else {
        writer.null();
    }
}

template <class Result>
void write_record(JsonWriter& writer, const JobExecutionRecord<Result>& record, RecordForm form) {
    writer.begin_object();
    writer.member("job_id", record.job_id);
    writer.member("handler_id", record.handler_id);
    writer.member("method_name", record.method_name);
    writer.member("started_at", record.started_at);
    writer.member("completed_at", record.completed_at);
    writer.key("duration_ms");
    if (record.duration) {
        writer.value(std::chrono::duration_cast<std::chrono::milliseconds>(*record.duration).count());
    } else {
        writer.null();
    }
    writer.member("status", to_string(record.status));
    if (form == RecordForm::execution) { write_result(writer, record.result); }
    writer.member("error", record.error);
    writer.member("attempt_number", record.attempt_number);

    writer.member("id", record.id);
    writer.member("occurrence_id", record.occurrence_id);
    writer.member("scheduled_at", record.scheduled_at);
    writer.member("queued_at", record.queued_at);
    writer.member("is_final", record.is_final);
    writer.member("trigger", to_string(record.trigger));
    writer.member("records_processed", record.records_processed);
    writer.key("progress");
    if (record.progress) {
        writer.begin_object();
        writer.member("done", record.progress->done);
        writer.member("total", record.progress->total);
        writer.member("failed", record.progress->failed);
        writer.end_object();
    } else {
        writer.null();
    }
    writer.member("worker", record.worker);

    // What few records have is left out of the others: a page holds up to a thousand of them.
    if (!record.node.empty()) { writer.member("node", record.node); }
    if (record.status == JobStatus::skipped) {
        writer.member("skip_count", record.skip_count);
        writer.member("count_is_minimum", record.skip_count_is_minimum);
    }
    if (record.reason != SkipReason::none) { writer.member("reason", to_string(record.reason)); }
    if (record.dst != ClockChange::none) { writer.member("dst", to_string(record.dst)); }
    if (!record.log_text.empty()) { writer.member("log_text", record.log_text); }
    if (!record.parameters.empty()) { writer.member("parameters", record.parameters); }
    if (!record.metadata.empty()) {
        writer.key("metadata").begin_object();
        for (const auto& entry : record.metadata) { writer.member(entry.first, entry.second); }
        writer.end_object();
    }
    writer.end_object();
}

/// The members of a page, in an object that is open.
///
/// @param limit         The one in effect.
/// @param write_record  Called with each record.
template <class Result, class WriteRecord>
void write_page_of(JsonWriter& writer, const Page<Result>& page, std::string_view list_name, std::size_t limit,
                   WriteRecord write_record) {
    writer.member("count", page.records.size());
    writer.member("limit", limit);
    writer.key(list_name).begin_array();
    for (const auto& record : page.records) { write_record(record); }
    writer.end_array();
    writer.member("total", page.total.count);
    writer.member("total_is_exact", page.total.is_exact);
    writer.member("offset", page.offset);
    writer.member("has_more", page.has_more);
    writer.key("next_cursor");
    if (page.next_cursor.empty()) {
        writer.null();
    } else {
        writer.value(page.next_cursor);
    }
}

/// @param list_name  "records" or "errors".
/// @param limit      The one in effect.
template <class Result>
void write_page(JsonWriter& writer, const Page<Result>& page, std::string_view list_name, std::size_t limit,
                RecordForm form) {
    writer.begin_object();
    write_page_of(writer, page, list_name, limit,
                  [&](const JobExecutionRecord<Result>& record) { write_record(writer, record, form); });
    writer.end_object();
}

inline void write_outcomes(JsonWriter& writer, const OutcomeCounts& counts) {
    writer.member("timeout_count", counts.timeout_count);
    writer.member("abandoned_count", counts.abandoned_count);
    writer.member("cancelled_count", counts.cancelled_count);
    writer.member("skipped_count", counts.skipped_count);
    writer.member("retry_count", counts.retry_count);
}

inline void write_percentiles(JsonWriter& writer, const LatencySummary& summary) {
    writer.key("min_ms").fixed(summary.min_ms, milliseconds_decimals);
    writer.key("max_ms").fixed(summary.max_ms, milliseconds_decimals);
    writer.key("p50_ms").fixed(summary.p50_ms, milliseconds_decimals);
    writer.key("p95_ms").fixed(summary.p95_ms, milliseconds_decimals);
    writer.key("p99_ms").fixed(summary.p99_ms, milliseconds_decimals);
}

inline void write_latency(JsonWriter& writer, std::string_view name, const LatencySummary& summary) {
    writer.key(name).begin_object();
    writer.member("count", summary.count);
    writer.key("average_ms").fixed(summary.average_ms, milliseconds_decimals);
    write_percentiles(writer, summary);
    writer.end_object();
}

inline void write_handler_stats(JsonWriter& writer, const HandlerStats& stats) {
    writer.begin_object();
    writer.member("total", stats.total);
    writer.member("success", stats.success);
    writer.member("error", stats.error);
    writer.key("success_rate").fixed(stats.success_rate, 2);
    writer.key("avg_duration_ms").fixed(stats.avg_duration_ms, milliseconds_decimals);

    writer.member("total_executions", stats.total_executions);
    writer.member("success_count", stats.success_count);
    writer.member("error_count", stats.error_count);
    write_outcomes(writer, stats);
    write_percentiles(writer, stats.duration);
    writer.end_object();
}

inline void write_job_stats(JsonWriter& writer, const JobStats& stats) {
    writer.begin_object();
    writer.member("total_executions", stats.total_executions);
    writer.member("success_count", stats.success_count);
    writer.member("error_count", stats.error_count);
    writer.key("success_rate").fixed(stats.success_rate, 2);
    write_outcomes(writer, stats);
    writer.end_object();
}

inline void write_stats(JsonWriter& writer, const StatsSnapshot& stats) {
    writer.begin_object();
    writer.member("total_executions", stats.total_executions);
    writer.member("success_count", stats.success_count);
    writer.member("error_count", stats.error_count);
    writer.key("success_rate").fixed(stats.success_rate, 2);
    writer.key("average_duration_ms").fixed(stats.average_duration_ms, milliseconds_decimals);
    writer.key("by_handler").begin_object();
    for (const auto& entry : stats.by_handler) {
        writer.key(entry.first);
        write_handler_stats(writer, entry.second);
    }
    writer.end_object();
    // Six decimals, so that a buffer of a million with one place left is not yet full.
    writer.key("buffer_utilization").fixed(stats.buffer_utilization, 6);

    writer.member("running", stats.running);
    writer.member("queued", stats.queued);
    write_outcomes(writer, stats);
    writer.member("retained", stats.retained);
    writer.member("lifetime_executions", stats.lifetime_executions);
    write_percentiles(writer, stats.duration);
    write_latency(writer, "drift", stats.drift);
    write_latency(writer, "queue_delay", stats.queue_delay);
    writer.key("by_job").begin_object();
    for (const auto& entry : stats.by_job) {
        writer.key(entry.first);
        write_job_stats(writer, entry.second);
    }
    writer.end_object();
    writer.key("by_status").begin_object();
    for (const auto& entry : stats.by_status) { writer.member(entry.first, entry.second); }
    writer.end_object();
    writer.end_object();
}

} // namespace daybook::inline v0::detail

#endif
