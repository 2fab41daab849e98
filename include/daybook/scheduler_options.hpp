// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_SCHEDULER_OPTIONS_HPP
#define DAYBOOK_SCHEDULER_OPTIONS_HPP

/// @file
/// How a scheduler is set up, and what its commands answer.

#include <daybook/log/any_store.hpp>
#include <daybook/log/log_options.hpp>
#include <daybook/policy/delivery.hpp>
#include <daybook/policy/misfire.hpp>
#include <daybook/policy/on_store_failure.hpp>
#include <daybook/policy/overlap.hpp>
#include <daybook/policy/retry.hpp>
#include <daybook/scheduler_hooks.hpp>
#include <daybook/time/wall_clock.hpp>
#include <daybook/types.hpp>
#include <daybook/worker/executor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace daybook::inline v0 {

/// Bounds, and the policies of jobs that do not state their own.
struct SchedulerOptions {
    /// Threads that run jobs, 0 to 4096. 0: the scheduler has no thread at all, and the program calls `poll()`.
    std::size_t workers = 4;

    /// The history. Its `clock` is the scheduler's, and its `max_running` is at least what the queue needs.
    LogOptions log = {};

    /// Where the history and the jobs last beyond the process: the same as `log.store`, of which this one is taken if
    /// both are given; `log.storing` says how it is written to. Opened by the constructor, which throws a StoreError
    /// when that fails. See AnyScheduler::start for what a restart makes of it. None: memory alone.
    AnyStore store = {};

    /// Several processes with one schedule: each occurrence is run by exactly one of those that share the store, which
    /// has to be one that can be shared (PostgreSQL). Then nothing runs that the store has not been asked about:
    ///
    /// - Jobs that were made as data are there in every process, and a change in one of them reaches the others, the
    ///   schedules and policies of jobs in code included; the callables of those are each process's own.
    /// - Intervals count from the epoch, or `from` an instant, so that every process means the same instants. An
    ///   interval after completion, one with `times` but without `from`, and an instant of the steady clock are
    ///   refused.
    /// - Overlap policies hold for all processes; limits of groups (`group_limits`) for this process alone, those of
    ///   FleetOptions for all.
    /// - A job waits where the store does not answer (`hold`), as nobody knows whether others run it.
    /// - A trigger asks the store first, and takes that long.
    /// - What a process does not finish because it dies, or cannot renew its lease, is `abandoned`, and attempted again
    ///   by another one where delivery allows. A body that goes on nevertheless is asked to stop, and its end changes
    ///   nothing.
    ///
    /// Empty: this process has its store for itself.
    std::optional<FleetOptions> fleet = {};

    /// Executions that may wait, for a busy worker or for the one before; beyond it occurrences are skipped
    /// (`queue_full`). 1 to 1,000,000,000.
    std::size_t max_queue = 1000;

    /// How many bodies of a group run at once, at least 1: by JobOptions::group, or by the handler_id of jobs that name
    /// none. What a worker could take but for that waits, and the workers go on with other jobs. Other groups are
    /// bounded by the workers alone.
    std::map<std::string, std::size_t> group_limits = {};

    /// How much waiting makes up for one level of priority; not negative. What has waited that much longer goes first,
    /// so that nothing waits for ever behind what is more urgent. 0: priorities mean nothing.
    std::chrono::nanoseconds priority_worth = std::chrono::seconds{10};

    /// How long the timer rests at least once it has been woken by something due, unless it is called; not negative. A
    /// flood of instants is met in batches then, which takes a fraction of the processor's time, and what comes due
    /// right after something else starts that much later. 0: every instant is waited for by itself.
    ///
    /// Where a worker has nothing else to do, it waits for the time, and runs what comes due itself; it rests for a
    /// fifth of this. In a flood other workers are woken for what it has not begun within 0.2 ms.
    std::chrono::nanoseconds coalescing = std::chrono::microseconds{100};

    RetryPolicy retry = {};
    std::chrono::nanoseconds timeout{0}; ///< of one attempt; 0: none
    Overlap overlap = Overlap::skip;
    Misfire misfire = Misfire::run_once;
    Delivery delivery = Delivery::at_least_once;

    /// Of jobs that are `at_least_once`; the others hold.
    OnStoreFailure on_store_failure = OnStoreFailure::run_anyway;

    /// What starts later than this is late, and the misfire policy decides; not negative.
    std::chrono::nanoseconds misfire_tolerance = std::chrono::seconds{1};

    /// How late an occurrence may be that Misfire::run_once still makes good; not negative.
    std::chrono::nanoseconds misfire_grace = std::chrono::hours{24};

    /// Occurrences made good in a row under Misfire::run_all.
    std::uint32_t max_catch_up = 100;

    /// How long the destructor, and a `stop()` that does not say, let jobs go on before asking them to stop.
    std::chrono::nanoseconds stop_grace = std::chrono::seconds{10};

    /// How long `stop` waits for jobs to return once it has asked them; the destructor waits for as long as it takes.
    std::chrono::nanoseconds stop_patience = std::chrono::seconds{1};

    /// How long a job whose schedule is over stays in `jobs()`; not negative.
    std::chrono::nanoseconds completed_job_retention = std::chrono::hours{1};

    /// Where bodies run, in place of the scheduler's own threads: anything with `post(Task)`. It decides how many run
    /// at once; `workers` only says, to the bound of the queue, how many that may be, and must not be 0. What
    /// is behind it has to outlive the scheduler; tasks that it still holds when that is gone do nothing. None:
    /// `workers` threads.
    AnyExecutor executor = {};

    /// Threads started in place of those whose bodies go on after a timeout, one for each; they leave again as the
    /// bodies return. 0: none, a body that ignores its timeout keeps its worker. Of the scheduler's own threads only.
    std::size_t max_replacement_workers = 4;

    SchedulerHooks hooks = {};

    /// Called first on every thread that the scheduler starts; what it throws is dropped.
    std::function<void()> on_thread_start = {};

    AnyClock clock = {};
};

/// What `stop` had to leave undone.
struct StopReport {
    std::vector<std::string> still_running = {}; ///< ids of jobs whose bodies had not returned, one for each body
    std::size_t skipped = 0;                     ///< executions that waited, and are skipped now (`shutdown`)
    std::size_t cancelled = 0;                   ///< retries that will not come

    /// Whether all that was recorded by then is in the store, as far as there is one. If not, it goes on being tried
    /// for as long as there is a handle of the log.
    bool is_written = true;
    std::size_t unwritten = 0; ///< records that were not in the store yet

    /// Whether nothing of the scheduler runs any more.
    [[nodiscard]] bool has_stopped() const noexcept { return still_running.empty(); }
};

/// What a `trigger` may say beyond the job.
struct TriggerOptions {
    std::optional<std::string> parameters = {}; ///< for this occurrence, in place of the job's own
    /// JobInfo::revision that the job must still have, for those who decided by what they read; none: any.
    std::optional<std::uint64_t> revision = {};
};

/// What came of a `trigger`.
enum class TriggerOutcome : std::uint8_t {
    queued,            ///< handed over; it has a record and an id
    skipped,           ///< refused by a policy; there is a `skipped` record that says why
    unknown_job,       ///< no job has that id
    stopped,           ///< the scheduler has been stopped, or is about to
    changed_meanwhile, ///< nothing was done: the job has another revision than TriggerOptions asks for
};

struct TriggerReport {
    TriggerOutcome outcome = TriggerOutcome::unknown_job;
    ExecutionId id = 0; ///< of the execution, or of the skip; 0 when there is neither

    /// Whether it was queued.
    [[nodiscard]] explicit operator bool() const noexcept { return outcome == TriggerOutcome::queued; }
};

} // namespace daybook::inline v0

#endif
