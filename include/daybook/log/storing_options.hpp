// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_LOG_STORING_OPTIONS_HPP
#define DAYBOOK_LOG_STORING_OPTIONS_HPP

/// @file
/// How a log writes to its store, and how that goes.

#include <daybook/log/execution_store.hpp>
#include <daybook/types.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace daybook::inline v0 {

/// How a log writes to its store. It writes behind, in batches, on a thread of its own; what has been written is
/// acknowledged, and lasts.
struct StoringOptions {
    /// What this process calls itself in the records; in a fleet a number is added (FleetSeat). Empty: the machine's
    /// name, the process id and the time of the start.
    std::string node = {};

    /// How long what was recorded waits at most before it is written, while the store answers; not negative. 0: it is
    /// written at once, one batch after the other.
    std::chrono::nanoseconds flush_interval = std::chrono::milliseconds{100};

    /// Records written at once at most, 1 to 100,000. As soon as so many wait, they are written.
    std::size_t batch = 1000;

    /// How long one call of the store may take, more than 0.
    std::chrono::nanoseconds timeout = std::chrono::seconds{5};

    /// Records that the log has evicted before they could be written, and that are kept until they are: a count, each
    /// with its texts. Beyond it the oldest are lost to the store, counted (StoreHealth::lost) and told (`on_error`).
    std::size_t max_buffered = 100'000;

    /// The first and the longest wait after a failure; between them it doubles each time, and a random half is taken
    /// off, so that many programs do not come back at once. More than 0.
    std::chrono::nanoseconds first_retry = std::chrono::milliseconds{100};
    std::chrono::nanoseconds longest_retry = std::chrono::seconds{30};

    /// How long records stay in the store at most, by the wall clock since they started. 0: no such limit.
    std::chrono::seconds max_age = std::chrono::seconds::zero();

    /// Finished records kept in the store. 0: no such limit.
    std::uint64_t max_records = 0;

    /// Called on the log's own thread, under no lock, when the store begins to fail, fails in another way, or answers
    /// again (`error` is empty); in a fleet also when the lease cannot be renewed, is lost, or the clocks do not agree.
    /// What it throws is dropped.
    std::function<void(const std::string& error)> on_error = {};
};

/// How a log gets on with its store.
struct StoreHealth {
    bool is_available = true;                   ///< the last call went well
    std::string error = {};                     ///< what it said when it did not
    std::optional<sys_time> failing_since = {}; ///< by the log's clock
    std::optional<sys_time> last_written = {};  ///< when something was acknowledged last
    std::size_t waiting = 0;                    ///< records that are not written yet
    std::uint64_t written = 0;                  ///< records acknowledged since start, one for each time
    std::uint64_t lost = 0;                     ///< records given up for want of room, see StoringOptions::max_buffered
};

} // namespace daybook::inline v0

#endif
