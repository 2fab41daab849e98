// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_SCHEDULER_HEALTH_HPP
#define DAYBOOK_SCHEDULER_HEALTH_HPP

/// @file
/// How a scheduler is: for a health check, and for whoever is called at night.

#include <daybook/log/fleet_options.hpp>
#include <daybook/log/storing_options.hpp>
#include <daybook/stats/stats_snapshot.hpp>
#include <daybook/types.hpp>

#include <chrono>
#include <cstddef>
#include <optional>

namespace daybook::inline v0 {

/// A scheduler at one moment.
struct SchedulerHealth {
    bool is_started = false; ///< it has been started, and not been stopped
    bool is_stopped = false; ///< or is about to be
    /// It is started, and nothing has been due for more than a second without being looked at; with `poll()` that is
    /// the program's part.
    bool is_responsive = false;
    std::chrono::nanoseconds overdue{0}; ///< for how long the earliest thing has been due that nobody has looked at

    std::size_t jobs = 0;
    std::size_t paused = 0; ///< jobs
    std::size_t stale = 0;  ///< jobs that have not succeeded for their `stale_after`
    std::size_t queued = 0; ///< executions that wait, for a worker or for the one before
    std::size_t running = 0;
    std::size_t stuck = 0;   ///< bodies that go on though their execution has ended: by timeout, by cancellation
    std::size_t workers = 0; ///< threads, as the options say
    std::size_t replacement_workers = 0; ///< threads started for stuck bodies

    std::optional<sys_time> last_start = {};   ///< of an execution, also of a job that was removed
    std::optional<sys_time> last_success = {}; ///< the same
    std::optional<sys_time> next_run = {};     ///< when a job is due next, by the wall clock as of now

    LatencySummary drift = {};       ///< start against nominal time, since start or the last clear
    LatencySummary queue_delay = {}; ///< waiting for a worker, the same

    std::optional<StoreHealth> store = {}; ///< how the log gets on with its store; empty where there is none
    std::optional<FleetHealth> fleet = {}; ///< how the process gets on in its fleet; empty where there is none
};

} // namespace daybook::inline v0

#endif
