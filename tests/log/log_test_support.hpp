// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_LOG_LOG_TEST_SUPPORT_HPP
#define DAYBOOK_TESTS_LOG_LOG_TEST_SUPPORT_HPP

/// @file
/// What the tests of the log share: a log on a clock that stands still, and pages as something to compare.

#include <daybook/log/job_execution_log.hpp>
#include <daybook/time/manual_clock.hpp>

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace log_test {

using Ids = std::vector<daybook::ExecutionId>;
using Names = std::vector<std::string>;

template <class Result>
Ids ids(const daybook::Page<Result>& page) {
    Ids found;
    for (const auto& record : page.records) { found.push_back(record.id); }
    return found;
}

template <class Result>
Names jobs(const daybook::Page<Result>& page) {
    Names found;
    for (const auto& record : page.records) { found.push_back(record.job_id); }
    return found;
}

/// Starts and ends one execution.
inline daybook::Execution succeed(daybook::JobExecutionLog<>& log, std::string_view job) {
    const auto run = log.record_start(job);
    log.record_success(run);
    return run;
}

inline daybook::Execution fail(daybook::JobExecutionLog<>& log, std::string_view job) {
    const auto run = log.record_start(job);
    log.record_error(run, "why");
    return run;
}

/// Why a log with these options is refused.
inline std::string refusal(const daybook::LogOptions& options) {
    try {
        const daybook::JobExecutionLog<> log{options};
    } catch (const std::invalid_argument& error) { return error.what(); }
    return "accepted";
}

/// Options on a clock that only the test moves.
inline daybook::LogOptions with_clock(const daybook::ManualClock& clock, daybook::LogOptions options = {}) {
    options.clock = clock;
    return options;
}

/// Every match, gathered by the cursor in pages of `size`.
template <class Result>
std::vector<daybook::JobExecutionRecord<Result>> by_cursor(const daybook::JobExecutionLog<Result>& log,
                                                           daybook::ExecutionQuery query, std::size_t size) {
    std::vector<daybook::JobExecutionRecord<Result>> all;
    query.limit = size;
    while (true) {
        auto page = log.query(query);
        for (auto& record : page.records) { all.push_back(std::move(record)); }
        if (!page.has_more) { return all; }
        query.cursor = page.next_cursor;
    }
}

} // namespace log_test

#endif
