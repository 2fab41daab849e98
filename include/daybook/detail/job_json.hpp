// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_JOB_JSON_HPP
#define DAYBOOK_DETAIL_JOB_JSON_HPP

/// @file
/// Jobs and their executions as the jobs API writes them: the words of the Job Scheduler System (PENDING, SUCCESS,
/// FAILED, `active`, `attempt`, `finished_at`), and beside them ours, which tell more.

#include <daybook/detail/execution_json.hpp>
#include <daybook/detail/http_handler_names.hpp>
#include <daybook/detail/job_schedule.hpp>
#include <daybook/detail/job_target.hpp>
#include <daybook/detail/stats_json.hpp>
#include <daybook/http/redaction.hpp>
#include <daybook/job/job.hpp>
#include <daybook/log/job_execution_record.hpp>
#include <daybook/log/result_codec.hpp>
#include <daybook/stats/latency_histogram.hpp>
#include <daybook/stats/stats_snapshot.hpp>
#include <daybook/text/json_writer.hpp>
#include <daybook/types.hpp>

#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

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

/// The reverse; empty for any other text (case matters).
[[nodiscard]] constexpr std::optional<Delivery> parse_execution_type(std::string_view word) noexcept {
    for (const auto delivery : {Delivery::at_least_once, Delivery::at_most_once}) {
        if (to_execution_type(delivery) == word) { return delivery; }
    }
    return std::nullopt;
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

inline void write_milliseconds_or_null(JsonWriter& writer, std::string_view name, std::chrono::nanoseconds duration) {
    write_milliseconds(writer, name, duration == duration.zero() ? std::nullopt : std::optional{duration});
}

/// What is shown of a job beyond what a list shows.
struct JobDetails {
    std::vector<sys_time> next_runs = {};
    std::string explanation = {};
};

inline void write_schedule(JsonWriter& writer, const JobInfo& job) {
    const auto fields = ScheduleFields::of(job.when);
    writer.member("schedule", fields.text);
    const auto word = [&](std::string_view name, const auto& choice) {
        writer.key(name);
        if (choice) {
            writer.value(to_string(*choice));
        } else {
            writer.null();
        }
    };
    writer.key("time_zone");
    if (fields.zone) {
        writer.value(fields.zone->name());
    } else {
        writer.null();
    }
    word("dst", fields.dst);
    word("day_match", fields.days);
    writer.member("from", fields.from);
    writer.member("until", fields.until);
    writer.member("times", fields.times);
    write_milliseconds_or_null(writer, "jitter_ms", fields.jitter);
    writer.member("description", job.description);
    if (!job.schedule_error.empty()) { writer.member("schedule_error", job.schedule_error); }
}

/// Null where the program decides each time.
inline void write_retry(JsonWriter& writer, const RetryPolicy& policy) {
    writer.key("retry");
    const auto numbers = policy.backoff();
    if (!numbers) {
        writer.null();
        return;
    }
    writer.begin_object();
    writer.member("max_attempts", numbers->max_attempts);
    write_milliseconds(writer, "first_delay_ms", std::optional{numbers->first_delay});
    writer.member("factor", numbers->factor);
    write_milliseconds(writer, "max_delay_ms", std::optional{numbers->max_delay});
    writer.member("jitter", numbers->jitter);
    writer.end_object();
}

/// What a job calls. Of its headers only the names: they hold what opens other doors.
inline void write_target(JsonWriter& writer, const JobTarget& target, const ShownTexts& shown) {
    writer.member("api_url", shown("api_url", target.url));
    writer.member("http_method", target.method);
    writer.key("header_names").begin_array();
    for (const auto& header : target.headers) { writer.value(header.name); }
    writer.end_array();
}

/// @param target       What a job calls that calls a URL.
/// @param details      Null in a list.
/// @param has_webhook  Empty where the program has no webhooks.
/// @param write_more   Writes further members, behind all others.
template <class WriteMore>
void write_job(JsonWriter& writer, const JobInfo& job, const http::Redact& redact,
               const std::optional<JobTarget>& target, const JobDetails* details, std::optional<bool> has_webhook,
               const WriteMore& write_more) {
    const ShownTexts shown{redact, job};
    writer.begin_object();
    writer.member("job_id", job.id);
    writer.member("handler_id", job.handler_id);
    writer.member("method_name", job.method_name);
    if (target) { write_target(writer, *target, shown); }
    if (details != nullptr && !target) {
        writer.member("parameters", shown({}, job.parameters));
    } else if (details != nullptr && target->body) {
        writer.member("body", shown("body", *target->body));
    } else if (details != nullptr) {
        writer.key("body").null();
    }
    write_schedule(writer, job);
    writer.member("active", !job.is_paused);
    writer.member("state", to_string(job.state));
    writer.member("next_run", job.next_run);
    if (details != nullptr) {
        writer.key("next_runs").begin_array();
        for (const sys_time instant : details->next_runs) { writer.value(instant); }
        writer.end_array();
        writer.member("explain", details->explanation);
    }
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
    writer.member("execution_type", to_execution_type(job.delivery));
    write_retry(writer, job.retry);
    write_milliseconds_or_null(writer, "timeout_ms", job.timeout);
    writer.member("overlap", to_string(job.overlap));
    writer.member("misfire", to_string(job.misfire));
    write_milliseconds(writer, "misfire_grace_ms", std::optional{job.misfire_grace});
    writer.member("max_catch_up", job.max_catch_up);
    writer.member("priority", job.priority);
    writer.member("group", job.group);
    write_milliseconds_or_null(writer, "stale_after_ms", job.stale_after);
    if (has_webhook) { writer.member("has_webhook", *has_webhook); }
    writer.member("created_at", job.created_at);
    writer.member("origin", job.origin == JobOrigin::code ? "code" : "handler");
    writer.member("revision", job.revision);
    write_more();
    writer.end_object();
}

/// @copydoc write_job
inline void write_job(JsonWriter& writer, const JobInfo& job, const http::Redact& redact,
                      const std::optional<JobTarget>& target, const JobDetails* details,
                      std::optional<bool> has_webhook) {
    write_job(writer, job, redact, target, details, has_webhook, [] {});
}

/// The metadata of a name; null when there is none.
[[nodiscard]] inline const std::string* find_metadata(const ExecutionFacts& record, std::string_view name) noexcept {
    for (const auto& entry : record.metadata) {
        if (entry.first == name) { return &entry.second; }
    }
    return nullptr;
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
    const std::string* const http_status = find_metadata(record, "http_status");
    if (http_status == nullptr && is_http_handler(record.handler_id, record.method_name)) { // no answer came
        writer.key("http_status").null().key("response").null();
    } else if (http_status != nullptr) { // it called a URL
        std::uint16_t number = 0;
        const char* const end = http_status->data() + http_status->size();
        const auto read = std::from_chars(http_status->data(), end, number);
        const bool is_number = read.ec == std::errc{} && read.ptr == end; // else it has been redacted
        writer.member("http_status", is_number ? std::optional{number} : std::nullopt);
        writer.key("response");
        const std::string* const response = find_metadata(record, "response");
        if (!record.result && response != nullptr) { // of a call that failed
            writer.value(*response);
        } else {
            write_result(writer, record.result);
        }
    }
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
