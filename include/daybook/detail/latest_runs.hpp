// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_LATEST_RUNS_HPP
#define DAYBOOK_DETAIL_LATEST_RUNS_HPP

/// @file
/// The latest runs of a job, in a few words each: how they ended and how long they took.

#include <daybook/detail/execution_json.hpp>
#include <daybook/detail/stats_json.hpp>
#include <daybook/http/query.hpp>
#include <daybook/log/execution_query.hpp>
#include <daybook/log/job_execution_log.hpp>
#include <daybook/text/json_writer.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace daybook::inline v0::detail {

inline constexpr std::size_t most_latest_runs = 50;

/// How many runs of each job are wanted.
/// @throws http::Error  400: it is not a whole number.
[[nodiscard]] inline std::size_t take_runs(const http::Query& query, std::size_t otherwise) {
    return static_cast<std::size_t>(std::min<std::uint64_t>(query.whole_number("runs", otherwise), most_latest_runs));
}

/// A member `latest_runs`, newest first; what was skipped is among them. O(most).
template <class Result>
void write_latest_runs(JsonWriter& writer, const JobExecutionLog<Result>& log, std::string_view job_id,
                       std::size_t most) {
    const auto page = log.query({.job_id = std::string{job_id},
                                 .skips = Skips::include,
                                 .limit = most,
                                 .max_scanned = most,
                                 .totals = Totals::leave_out});
    const auto milliseconds = [&](std::string_view name, const std::optional<std::chrono::nanoseconds>& duration) {
        writer.key(name);
        if (duration) {
            writer.fixed(std::chrono::duration<double, std::milli>{*duration}.count(), milliseconds_decimals);
        } else {
            writer.null();
        }
    };
    writer.key("latest_runs").begin_array();
    for (const auto& record : page.records) {
        writer.begin_object();
        writer.member("id", record.id);
        writer.member("status", to_string(record.status));
        writer.member("started_at", record.started_at ? record.started_at : record.scheduled_at);
        milliseconds("duration_ms", record.duration);
        milliseconds("drift_ms", record.drift());
        writer.member("attempt_number", record.attempt_number);
        writer.member("is_final", record.is_final);
        if (record.reason != SkipReason::none) { writer.member("reason", to_string(record.reason)); }
        writer.end_object();
    }
    writer.end_array();
}

} // namespace daybook::inline v0::detail

#endif
