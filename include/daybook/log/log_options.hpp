// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_LOG_LOG_OPTIONS_HPP
#define DAYBOOK_LOG_LOG_OPTIONS_HPP

/// @file
/// The bounds of a log. Whatever the jobs do, its memory stays within them.

#include <daybook/time/wall_clock.hpp>

#include <cstddef>
#include <optional>

namespace daybook::inline v0 {

/// All sizes are counts of records unless said otherwise. The index is made at once, 10 to 21 bytes for each of
/// `capacity` and `max_running`; all other memory is taken as records arrive, and kept.
struct LogOptions {
    /// Finished records kept, skips included; 1 to 100 million.
    std::size_t capacity = 1000;

    /// Of these, how many places belong to the newest final failures, which successes cannot evict. Less than
    /// `capacity`. Empty: a tenth, rounded down.
    std::optional<std::size_t> error_capacity = {};

    /// Of `capacity`, how many places skips may take at most; at least 1, at most `capacity`. Empty: a tenth, at
    /// least 1.
    std::optional<std::size_t> skip_capacity = {};

    /// Executions queued or running at once, on top of `capacity`; beyond it the oldest is recorded as `abandoned`.
    /// 1 to 100 million.
    std::size_t max_running = 1024;

    /// Bytes of one result, one error or one log text; what is longer is cut, with a mark that says so. At least 64.
    std::size_t max_text_bytes = 4096;

    /// Handlers with counts and a histogram (5 KB) of their own since the last clear; the rest is `other`. 0: none.
    std::size_t max_tracked_handlers = 128;

    /// Jobs with counts of their own since the last clear; the rest is `other`. 0: none.
    std::size_t max_tracked_jobs = 1024;

    AnyClock clock = {};
};

} // namespace daybook::inline v0

#endif
