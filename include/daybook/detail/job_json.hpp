// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_JOB_JSON_HPP
#define DAYBOOK_DETAIL_JOB_JSON_HPP

/// @file
/// Jobs and their executions as the jobs API writes them: the words of the Job Scheduler System (PENDING, SUCCESS,
/// FAILED, `active`, `attempt`, `finished_at`), and beside them ours, which tell more.

#include <daybook/detail/execution_json.hpp>
#include <daybook/detail/stats_json.hpp>
#include <daybook/job/job.hpp>
#include <daybook/log/job_execution_record.hpp>
#include <daybook/log/result_codec.hpp>
#include <daybook/stats/latency_histogram.hpp>
#include <daybook/stats/stats_snapshot.hpp>
#include <daybook/text/json_writer.hpp>
#include <daybook/types.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace daybook::inline v0::detail {

/// The word that clients of the format know.
[[nodiscard]] constexpr std::string_view to_execution_word(JobStatus status) noexcept {
    switch (status) {
    case JobStatus::queued:
    case JobStatus::running: return "PENDING";
    case JobStatus::success: return "SUCCESS";
    case JobStatus::skipped: return "SKIPPED"; // never among the executions
    case JobStatus::error:
    case JobStatus::timeout:
    case JobStatus::cancelled:
    case JobStatus::abandoned: break;
    }
    return "FAILED";
}

/// @copydoc to_execution_word
[[nodiscard]] constexpr std::string_view to_execution_type(Delivery delivery) noexcept {
    return delivery == Delivery::at_most_once ? "AT_MOST_ONCE" : "AT_LEAST_ONCE";
}

template <class Duration>
[[nodiscard]] constexpr double to_milliseconds(Duration duration) noexcept {
    return std::chrono::duration<double, std::milli>{duration}.count();
}

template <class Duration>
void write_milliseconds(JsonWriter& writer, std::string_view name, const std::optional<Duration>& duration) {
    writer.key(name);
    if (duration) {
        writer.fixed(to_milliseconds(*duration), milliseconds_decimals);
    } else {
        writer.null();
    }
}

inline void write_job(JsonWriter& writer, const JobInfo& job) {
    writer.begin_object();
    writer.member("job_id", job.id);
    writer.member("handler_id", job.handler_id);
    writer.member("method_name", job.method_name);
    writer.member("schedule", job.schedule);
    writer.member("description", job.description);
    writer.member("active", !job.is_paused);
    writer.member("state", to_string(job.state));
    writer.member("next_run", job.next_run);
    writer.member("last_start", job.last_start);
    writer.key("last_status");
    if (job.last_status) {
        writer.value(to_execution_word(*job.last_status));
    } else {
        writer.null();
    }
    writer.member("last_success", job.last_success);
    writer.member("stale", job.is_stale);
    writer.member("running", job.running);
    writer.member("queued", job.queued);
    writer.member("overlap", to_string(job.overlap));
    writer.member("misfire", to_string(job.misfire));
    writer.member("execution_type", to_execution_type(job.delivery));
    write_milliseconds(writer, "timeout_ms",
                       job.timeout == job.timeout.zero() ? std::nullopt : std::optional{job.timeout});
    writer.key("max_attempts");
    if (job.retry.max_attempts() != 0) {
        writer.value(job.retry.max_attempts());
    } else { // the program decides each time
        writer.null();
    }
    if (!job.schedule_error.empty()) { writer.member("schedule_error", job.schedule_error); }
    writer.end_object();
}

template <class Result>
void write_job_execution(JsonWriter& writer, const JobExecutionRecord<Result>& record) {
    writer.begin_object();
    writer.member("execution_id", record.id);
    writer.member("job_id", record.job_id);
    writer.member("status", to_execution_word(record.status));
    writer.member("status_detail", to_string(record.status));
    writer.member("attempt", record.attempt_number);
    writer.member("is_final", record.is_final);
    writer.member("scheduled_at", record.scheduled_at);
    writer.member("started_at", record.started_at);
    writer.member("finished_at", record.completed_at);
    write_milliseconds(writer, "duration_ms", record.duration);
    write_milliseconds(writer, "drift_ms", record.drift());
    writer.key("result");
    write_result(writer, record.result);
    writer.member("error", record.error);
    writer.end_object();
}

/// The page of a job's executions that its durations and drifts are taken from.
inline constexpr std::size_t measured_executions = 1000;

/// @param counts  Null when the job has none of its own.
/// @param newest  At most `measured_executions` of the job's.
template <class Result>
void write_job_statistics(JsonWriter& writer, std::string_view job_id, const OutcomeCounts* counts,
                          const Page<Result>& newest) {
    LatencyHistogram<> duration;
    LatencyHistogram<> drift;
    for (const auto& record : newest.records) {
        if (record.duration && record.status != JobStatus::cancelled) { duration.record(*record.duration); }
        if (const auto late = record.drift()) { drift.record(*late); }
    }
    const auto durations = duration.summary();
    writer.begin_object();
    writer.member("job_id", job_id);
    const auto count = [&](std::string_view name, std::uint64_t OutcomeCounts::*member) {
        writer.key(name);
        if (counts != nullptr) {
            writer.value(counts->*member);
        } else {
            writer.null();
        }
    };
    count("total_executions", &OutcomeCounts::total_executions);
    count("success_count", &OutcomeCounts::success_count);
    count("failed_count", &OutcomeCounts::error_count);
    count("timeout_count", &OutcomeCounts::timeout_count);
    count("abandoned_count", &OutcomeCounts::abandoned_count);
    count("cancelled_count", &OutcomeCounts::cancelled_count);
    count("skipped_count", &OutcomeCounts::skipped_count);
    count("retry_count", &OutcomeCounts::retry_count);
    writer.key("success_rate");
    if (counts != nullptr) {
        writer.fixed(counts->success_rate, 2);
    } else {
        writer.null();
    }
    writer.key("average_duration_ms").fixed(durations.average_ms, milliseconds_decimals);
    write_latency(writer, "duration", durations);
    write_latency(writer, "drift", drift.summary());
    writer.end_object();
}

} // namespace daybook::inline v0::detail

#endif
