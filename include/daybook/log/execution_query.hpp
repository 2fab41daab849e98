// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_LOG_EXECUTION_QUERY_HPP
#define DAYBOOK_LOG_EXECUTION_QUERY_HPP

/// @file
/// What one may ask a log for, and the page that answers.

#include <daybook/fwd.hpp>
#include <daybook/log/job_execution_record.hpp>
#include <daybook/types.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace daybook::inline v0 {

/// Whether skipped occurrences appear between the executions of a list.
enum class Skips : std::uint8_t {
    leave_out, ///< executions only; asking for the status `skipped` finds them all the same
    include,   ///< both, in one order
};

/// Which executions to list. All filters given must match; an empty field does not filter.
struct ExecutionQuery {
    std::string job_id = {};
    std::string handler_id = {};
    std::optional<JobStatus> status = {};
    Skips skips = Skips::leave_out;
    std::size_t limit = 100; ///< records in the page; 0 asks for the total alone
    std::size_t offset = 0;  ///< matches to pass over; prefer `cursor`, which stays right while records arrive
    std::string cursor = {}; ///< `next_cursor` of the page before; empty: from the newest
};

/// A number of matches that is not counted to the end.
struct Total {
    std::uint64_t count = 0;
    bool is_exact = true; ///< false: there are at least `count`

    /// Counting stops here when it has to look at each match.
    static constexpr std::uint64_t counted_to = 10'000;
};

/// The matches of one query, newest first by start (queued ones by hand-over).
template <class Result>
struct Page {
    std::vector<JobExecutionRecord<Result>> records = {};
    Total total = {};
    std::size_t offset = 0;
    bool has_more = false;
    std::string next_cursor = {}; ///< give it to the next query; empty after the last page, and of an empty one
};

} // namespace daybook::inline v0

#endif
