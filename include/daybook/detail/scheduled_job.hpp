// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_SCHEDULED_JOB_HPP
#define DAYBOOK_DETAIL_SCHEDULED_JOB_HPP

/// @file
/// A job and an occurrence of it as the scheduler holds them. All of it is guarded by the scheduler's lock, but for
/// what is set once.

#include <daybook/detail/counted_flag.hpp>
#include <daybook/detail/job_function.hpp>
#include <daybook/detail/log_core.hpp>
#include <daybook/detail/pinned_names.hpp>
#include <daybook/job/job.hpp>
#include <daybook/log/execution.hpp>
#include <daybook/log/job_store.hpp>
#include <daybook/types.hpp>

#include <chrono>
#include <cstdint>
#include <limits>
#include <list>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

namespace daybook::inline v0::detail {

struct Occurrence;

/// The policies with every default filled in.
struct JobPolicies {
    RetryPolicy retry;
    std::chrono::nanoseconds timeout{0};
    Overlap overlap = Overlap::skip;
    Misfire misfire = Misfire::run_once;
    Delivery delivery = Delivery::at_least_once;
    OnStoreFailure on_store_failure = OnStoreFailure::run_anyway;
    std::chrono::nanoseconds misfire_grace{0};
    std::uint32_t max_catch_up = 0;
    int priority = 0;
    std::chrono::nanoseconds stale_after{0};
};

struct ConcurrencyGroup;

/// What a job does and when. An update puts another in its place: it is never changed, and may be read without a lock
/// by whoever holds it.
struct JobPlan {
    std::string handler_id, method_name, parameters;
    std::string group_name; ///< as it was given
    JobOrigin origin = JobOrigin::code;
    Schedule schedule;
    JobPolicies policies;
    JobFunction function;
    std::optional<PinnedNames> names;  ///< always there; made last
    ConcurrencyGroup* group = nullptr; ///< null: unbounded

    /// As a store keeps it, without what changes while the job goes on. Null where there is no store.
    std::shared_ptr<const StoredJob> kept;
    bool is_readable = false; ///< the text in there is read as this schedule

    // In a fleet:
    bool is_anchored = false;                ///< its instants are the same in all processes, an interval's too
    std::size_t fleet_limit = 0;             ///< of its group in all processes; 0: none
    std::string fleet_group = {};            ///< whose limit that is
    std::optional<Schedule> unanchored = {}; ///< as it was given, where it counts from the epoch

    [[nodiscard]] const Schedule& given() const noexcept { return unanchored ? *unanchored : schedule; }

    /// Whether the end of one occurrence says when the next is due.
    [[nodiscard]] bool is_after_completion() const noexcept {
        const Every* every = schedule.interval();
        return every != nullptr && every->is_after_completion();
    }

    /// When a nominal time of the wall clock is waited for until. An interval waits for the instant that it counts
    /// from; its jitter is that of the steady clock's instants.
    [[nodiscard]] sys_time wall_due(sys_time nominal) const noexcept {
        return schedule.interval() != nullptr && !is_anchored ? nominal : schedule.due(nominal);
    }
};

struct Job {
    // Set once.
    std::uint32_t index = 0; ///< in the heaps
    std::string id;
    sys_time created_at{};

    std::shared_ptr<const JobPlan> plan;
    std::uint64_t revision = 0; ///< of the plan, and of whether it is paused
    CountedFlag is_paused;
    bool is_removed = false;
    bool is_over = false;                           ///< the schedule has no further occurrence
    bool is_settling = false;                       ///< the plan is being asked when the job is due next
    std::uint32_t in_progress = 0;                  ///< occurrences that have been let through and are not final
    std::uint32_t running = 0;                      ///< bodies
    std::uint32_t queued = 0;                       ///< occurrences ready or waiting
    std::list<std::shared_ptr<Occurrence>> waiting; ///< for the occurrences before; a deque would take half a KiB empty
    std::list<std::shared_ptr<Occurrence>> resumed; ///< begun by a process that is gone, for those before to be final
    std::optional<sys_time> wall_due;               ///< the nominal time the job waits for; jitter comes on top
    std::optional<steady_time> steady_due;          ///< the same for what the steady clock drives
    std::uint64_t left = std::numeric_limits<std::uint64_t>::max(); ///< occurrences there may still be; the dispatcher
                                                                    ///< reads it without the scheduler's lock
    std::optional<sys_time> last_start;
    std::optional<sys_time> last_success;
    std::optional<JobStatus> last_status;
    std::optional<sys_time> paused_since;
    SkipReason last_skip = SkipReason::none;
    std::optional<sys_time> last_skip_at; ///< its nominal time; of a manual trigger when it was refused
    CountedFlag is_stale;
    std::string schedule_error;

    // Where there is a store:
    std::shared_ptr<const StoredJob> stored; ///< what an earlier process has left of it, until its schedule begins
    std::optional<sys_time> accounted;       ///< where its schedule begins to count, until the store is told
    sys_time counted_to{};                   ///< the last nominal time that `left` has counted
    bool has_begun = false;                  ///< its schedule, so that what is counted of it means something
    bool is_to_keep = false;                 ///< it has changed since the store was told

    std::uint32_t elsewhere = 0; ///< in a fleet: in progress in other processes, when it was asked last

    /// Whether all that was let through here is final.
    [[nodiscard]] bool is_idle() const noexcept { return in_progress == 0 && waiting.empty() && resumed.empty(); }
};

/// An occurrence from the moment it is let through until it is final.
struct Occurrence {
    enum class Phase : std::uint8_t {
        waiting,  ///< for an earlier occurrence of the job
        ready,    ///< for a worker
        running,  ///< the body runs, or is on its way out after its record has ended
        retrying, ///< for the next attempt
        dropped,  ///< it will not run any more
    };

    std::shared_ptr<Job> job;
    std::shared_ptr<const JobPlan> plan;       ///< the job's when it was let through
    std::optional<std::string> own_parameters; ///< of a trigger that gave some
    OccurrenceId id = 0;                       ///< that of the first attempt's execution
    std::uint32_t index = 0;                   ///< in the heap of deadlines and retries
    std::uint32_t attempt = 1;
    std::uint32_t abandoned = 0; ///< attempts in a row that ended so
    std::optional<sys_time> nominal;
    Trigger trigger = Trigger::schedule;
    ClockChange dst = ClockChange::none;
    Phase phase = Phase::ready;
    SkipReason dropped_for = SkipReason::none;

    // Of the present attempt:
    steady_time arrival{}; ///< when it began to wait for a worker
    Execution execution;
    std::stop_source stop{std::nostopstate};
    std::thread::id thread;
    steady_time started{};
    bool is_recorded = false;  ///< the log knows the execution
    bool is_ended = false;     ///< its record has ended, or is about to; the body's return changes nothing
    bool is_retried = false;   ///< it ended before its body returned, and another attempt is owed
    bool is_cancelled = false; ///< a newer occurrence takes its place: no further attempt
    bool is_deciding = false;  ///< the program is being asked whether another attempt is owed
    bool has_returned = false; ///< the body returned meanwhile: whoever asks sees to the rest
    bool is_claimed = false;   ///< in a fleet: the store holds it for this process
    bool is_unleased = false;  ///< in a fleet: it was asked to stop because others may take over
    bool is_barred = false;    ///< in a fleet: it waits for what other processes have in progress
    bool is_resumed = false;   ///< it stands in Job::resumed
    bool is_replaced = false;  ///< its body goes on after a timeout, and another worker was started for it
    std::chrono::nanoseconds retry_delay{0}; ///< where another attempt is owed

    [[nodiscard]] const std::string& parameters() const noexcept {
        return own_parameters ? *own_parameters : plan->parameters;
    }
};

/// What was decided under the lock, to be done outside it: recording may destroy results, and stopping calls back.
struct Decision {
    enum class Kind : std::uint8_t {
        hand_over,    ///< record the attempt as queued, then let it go on
        skip,         ///< record a skip
        skip_queued,  ///< the attempt that is recorded as queued becomes a skip
        time_out,     ///< record the timeout, ask the body to stop
        cancel,       ///< record the cancellation, of an attempt that waits or runs; ask the body to stop
        cancel_retry, ///< record a cancelled attempt in place of the one that will not come
        ask_to_stop,  ///< ask the body to stop; it is recorded as it ends
    };
    Kind kind = Kind::hand_over;
    std::shared_ptr<Job> job = {};            ///< of a skip
    std::shared_ptr<const JobPlan> plan = {}; ///< the same
    std::shared_ptr<Occurrence> occurrence = {};
    SkipStart skip = {};
    ExecutionId claim = 0;                   ///< of a skip in a fleet: until its record is written
    std::optional<sys_time> accounted = {};  ///< once it is done, what came due up to then has its record
    JobStatus status = JobStatus::cancelled; ///< of a cancellation: or `abandoned`
    Finality finality = Finality::final_attempt;
    std::uint32_t attempt = 1;
    bool replaces_worker = false;
    // Of the attempt that was meant: by the time it is done, the occurrence may be at its next one.
    Execution execution = {};
    std::stop_source stop{std::nostopstate};

    /// About the present attempt of an occurrence.
    [[nodiscard]] static Decision about(Kind kind, const std::shared_ptr<Occurrence>& occurrence) {
        Decision decision{.kind = kind, .occurrence = occurrence};
        decision.execution = occurrence->execution;
        decision.stop = occurrence->stop;
        return decision;
    }
};

} // namespace daybook::inline v0::detail

#endif
