// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_LOG_FLEET_OPTIONS_HPP
#define DAYBOOK_LOG_FLEET_OPTIONS_HPP

/// @file
/// How a process takes part in a fleet: several processes with one schedule and one history.

#include <daybook/types.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace daybook::inline v0 {

/// How a process takes part in a fleet.
struct FleetOptions {
    /// How long the others wait for a process that does not answer before they take over what it had: 200 ms to 1 h. It
    /// is renewed three times as often. A process that cannot renew it starts nothing any more once it has ended, and
    /// asks what it runs to stop.
    std::chrono::milliseconds lease{10'000};

    /// How often all jobs are read again, in case news of a change was lost: 100 ms to 24 h.
    std::chrono::milliseconds refresh_interval{30'000};

    /// How far this machine's wall clock may be from the store's, more than 0. Beyond it the scheduler's constructor
    /// throws a StoreError, and a process that runs starts nothing until the clocks agree again.
    std::chrono::milliseconds max_clock_offset{1'000};

    /// How many executions of a group may be in progress in all processes together, waits for a worker or for the next
    /// attempt included; at least 1. What is due waits for room; of several occurrences that a job owes at once, what
    /// exceeds it is skipped (`queue_full`), as is a trigger. By JobOptions::group, or by the handler_id of jobs that
    /// name none.
    std::map<std::string, std::size_t> group_limits = {};
};

/// How a process gets on in its fleet.
struct FleetHealth {
    std::string node = {};                     ///< what it is called in the records
    bool is_seated = false;                    ///< its lease runs, and its clock is right: it starts what it can claim
    std::chrono::microseconds clock_offset{0}; ///< this machine's wall clock minus the store's, when measured last
    std::optional<sys_time> last_renewed = {}; ///< the lease, by this machine's clock
    std::uint64_t claimed = 0;                 ///< occurrences run or skipped by this process
    std::uint64_t left_to_others = 0;          ///< times that a due job was another process's by then
    std::uint64_t taken_over = 0;              ///< occurrences that other processes left
    std::uint64_t seats_lost = 0;              ///< times that another process has taken over what this one had
};

} // namespace daybook::inline v0

#endif
