// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_SCHEDULER_HPP
#define DAYBOOK_SCHEDULER_HPP

/// @file
/// The one object a program owns: its jobs, the threads that run them, and the log of what happened.

#include <daybook/detail/job_function.hpp>
#include <daybook/detail/scheduler_configure.hpp>
#include <daybook/detail/scheduler_fleet.hpp>
#include <daybook/detail/scheduler_stop.hpp>
#include <daybook/detail/scheduler_takeover.hpp>
#include <daybook/fwd.hpp>
#include <daybook/job/handlers.hpp>
#include <daybook/job/job.hpp>
#include <daybook/job/job_query.hpp>
#include <daybook/log/job_execution_log.hpp>
#include <daybook/schedule/schedule.hpp>
#include <daybook/scheduler_handle.hpp>
#include <daybook/scheduler_options.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace daybook::inline v0 {

/// Everything about a scheduler that does not depend on what its jobs return. Functions that take any scheduler take
/// this.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: safe, every member. All but `wait_idle` and the destructor may be called
/// from inside a job.
class AnyScheduler {
public:
    AnyScheduler(const AnyScheduler&) = delete;
    AnyScheduler& operator=(const AnyScheduler&) = delete;

    /// Starts the threads; schedules begin to count now. A second call does nothing.
    ///
    /// With a store (SchedulerOptions::store), what an earlier process has left is taken up first:
    /// - Jobs that came as data and have not been added again are made of their handlers. One that cannot be made
    ///   stays in the store, and is told (`on_diagnostic`).
    /// - A job is known by its id, however it was made. Its schedule, if its text is still the same, goes on where it
    ///   was: what came due while nobody ran is owed, and the misfire policy decides; what is over stays over, what
    ///   `times` has left is left. Another text is told, and counts from now. An interval counts from now as well,
    ///   unless it has `from`; so does a schedule of the program's own. A job that was paused stays so, and what it
    ///   owes is skipped as `paused`.
    /// - Executions that did not end are recorded as `abandoned`. Under `at_least_once` the next attempt comes at once,
    ///   before anything else of the job and beside its overlap policy, unless that was the third in a row. A retry
    ///   that was promised comes at once, too, if the policy still allows it; else a `cancelled` record says that it
    ///   does not. So do executions of jobs that are not there at the start.
    ///
    /// Waits until the store has the jobs, at most for StoringOptions::timeout.
    /// @throws std::logic_error   The scheduler has been stopped; it stays so.
    /// @throws std::system_error  The system has not that many threads.
    void start() { core_->start(); }

    /// Admits nothing more; lets what runs and what waits go on for `grace`; then skips what still waits (`shutdown`),
    /// asks what runs to stop, and waits `stop_patience` for it. Nothing runs afterwards but what the report names: a
    /// body that ignores its stop token, or the one that made the call. A second call, also a concurrent one, shortens
    /// the first.
    StopReport stop(std::chrono::nanoseconds grace) { return core_->stop(grace); }

    /// The same, with the options' `stop_grace`.
    StopReport stop() { return core_->stop(core_->options().stop_grace); }

    /// Admits nothing more, skips what waits, asks what runs to stop, and returns at once.
    void request_stop() { core_->request_stop(); }

    /// Runs a job now, beside its schedule: also while it is paused or before the start, but under its overlap policy.
    TriggerReport trigger(std::string_view id, TriggerOptions options = {}) {
        return core_->trigger(id, std::move(options));
    }

    /// Adds a job that is made of the handler with its `handler_id` (its id, if that is empty) and `method_name`: for
    /// jobs that come as data. See Scheduler::handlers.
    ///
    /// With a store it is there when this returns, and the same holds for what the other commands change of a job; but
    /// they wait at most for StoringOptions::timeout, not at all inside hooks and schedules, and where the store does
    /// not answer they tell `on_diagnostic`, and it is written later. A retry policy's callables, a schedule of the
    /// program's own and `on_store_failure` are not kept.
    /// @throws std::invalid_argument  There is no such handler, and the message says which there are; else as the other
    ///   forms of `add`.
    void add(JobOptions options) { core_->add_named(std::move(options)); }

    /// Gives a job a new schedule and new policies; its callable, its history and what is in progress stay, and so do
    /// `handler_id`, `method_name`, `parameters` and `group` where the options leave them empty. Its schedule begins to
    /// count now; how long it has not succeeded goes on counting. What has come due by now is still settled by the old
    /// one. Waits for a schedule that is being asked.
    /// @returns Whether there is such a job.
    /// @throws std::invalid_argument  An option is out of its range.
    bool update(JobOptions options) { return core_->update(std::move(options)); }

    /// Makes a job what the options say, if nobody has changed it since it had that revision: for those who read it
    /// before, see JobInfo::options. Unlike `update` it obeys `is_paused`, lets a job that was made of a handler have
    /// another one, and a schedule that is equal to the present one goes on counting.
    /// @param revision  JobInfo::revision of what was read.
    /// @throws std::invalid_argument  An option is out of its range; there is no such handler; or the job was added as
    ///   code, which keeps its handler_id and method_name.
    JobChange configure(JobOptions options, std::uint64_t revision) {
        return core_->configure(std::move(options), revision);
    }

    /// Asks every schedule of the wall clock for its next time again, from now: for schedules of the program's own
    /// whose answers change. Others get the answer that they had. What has come due by now, and how many occurrences
    /// are left, stays as it is.
    /// @returns How many were asked.
    std::size_t refresh() { return core_->refresh(); }

    /// Skips the job's occurrences (`paused`) that come due from now on until `resume`; what runs, or has come due by
    /// now, goes on. Does not wait for a schedule that is being asked.
    /// @returns Whether there is such a job.
    bool pause(std::string_view id) { return core_->set_paused(id, true); }

    /// @copydoc pause
    bool resume(std::string_view id) { return core_->set_paused(id, false); }

    /// Pauses every job there is; those that are added later are not paused.
    /// @returns How many were not paused before.
    std::size_t pause_all() { return core_->set_all_paused(true); }

    /// Resumes every job.
    /// @returns How many were paused before.
    std::size_t resume_all() { return core_->set_all_paused(false); }

    /// Forgets a job. What waits is skipped (`removed`), a retry that is due later is recorded as `cancelled`, what
    /// runs finishes.
    /// @returns Whether there was such a job.
    bool remove(std::string_view id) { return core_->remove(id); }

    /// The same, if nobody has changed the job since it had that revision.
    JobChange remove_if(std::string_view id, std::uint64_t revision) { return core_->remove_if(id, revision); }

    /// All jobs, ordered by id; a removed one as long as it still runs.
    [[nodiscard]] std::vector<JobInfo> jobs() const { return core_->jobs(); }

    /// Some of them, a page at a time. O(jobs) with a filter, else O(log(jobs) + offset + limit).
    /// @throws std::invalid_argument  The cursor is not of an earlier page.
    [[nodiscard]] JobPage jobs(const JobQuery& query) const { return core_->jobs(query); }

    /// How many jobs there are, without those that were removed. O(1).
    [[nodiscard]] std::size_t job_count() const { return core_->job_count(); }

    /// When a job will be due next, by the wall clock as of now, at most `count` times. Only the next time where what
    /// follows is not known: an interval after completion, a schedule of the program's own. Empty before the start.
    /// O(count).
    [[nodiscard]] std::vector<sys_time> next_runs(std::string_view id, std::size_t count) const {
        return core_->next_runs(id, count);
    }

    /// One job; empty when there is none with this id.
    [[nodiscard]] std::optional<JobInfo> job(std::string_view id) const { return core_->job(id); }

    /// Why a job runs or does not, in sentences: not due until …, paused since …, executing since …, waiting for a
    /// worker beside 12 others, last skipped because …. For people; programs read `job(id)`.
    [[nodiscard]] std::string explain(std::string_view id) const { return core_->explain(id); }

    /// How the scheduler is. O(executions that wait or run), not O(jobs), but for those among them that are over and
    /// kept for a while.
    [[nodiscard]] SchedulerHealth health() const { return core_->health(); }

    /// For a scheduler without workers: runs all that is due by now on this thread, one after another.
    ///
    /// A loop that ends open jobs itself should ask with `request_stop()` and go on until nothing runs any more: `stop`
    /// and the destructor would wait on its thread for what only the loop can do.
    /// @returns How many attempts ran.
    /// @throws std::logic_error  The scheduler has workers.
    std::size_t poll() { return core_->poll(); }

    /// For an event loop that calls `poll()`: how long until there is something to do, 0 when there is now, the longest
    /// time there is when nothing is to come. Calling anything of the scheduler may change that, setting the wall clock
    /// does too: a timer that notices (timerfd with TFD_TIMER_CANCEL_ON_SET) or a bound of some seconds sees to it.
    /// O(1).
    [[nodiscard]] std::chrono::nanoseconds until_due() const { return core_->until_due(); }

    /// Waits until nothing is due, queued or running; what is to come later does not count. For tests and for programs
    /// that end when their work is done.
    /// @returns Whether that was so within `timeout`, by the system's steady clock.
    bool wait_idle(std::chrono::nanoseconds timeout) { return core_->wait_idle(timeout); }

    /// Commands and questions for others to keep, who may outlive the scheduler.
    [[nodiscard]] SchedulerHandle handle() noexcept { return SchedulerHandle{core_}; }

protected:
    explicit AnyScheduler(std::shared_ptr<detail::SchedulerCore> core) : core_{std::move(core)} {}
    ~AnyScheduler() { close(); } // handles may keep the core, but nothing that runs

    /// What the destructor does; bodies may use what belongs to the whole scheduler until it returns.
    void close() { core_->close(); }

    using IfPresent = detail::SchedulerCore::IfPresent;
    bool add_erased(JobOptions options, detail::JobFunction function, IfPresent if_present) {
        return core_->add(std::move(options), std::move(function), if_present);
    }

private:
    std::shared_ptr<detail::SchedulerCore> core_;
};

/// Runs jobs on time and keeps the record of every execution.
///
/// Each occurrence of each job is accounted for: it has an execution, or a `skipped` record with the reason. What a job
/// throws is recorded, and disturbs nothing else. Destroying the scheduler is `stop()`, and then waits for as long as
/// any body still runs; it must not happen inside a job.
///
/// @tparam Result  What jobs return: convertible to it, or void.
template <class Result>
class Scheduler final : public AnyScheduler {
public:
    /// @throws std::invalid_argument  An option is out of its range; says which.
    explicit Scheduler(SchedulerOptions options = {})
        : Scheduler{detail::SchedulerCore::checked(std::move(options)), 0} {}

    Scheduler(const Scheduler&) = delete;
    Scheduler& operator=(const Scheduler&) = delete;
    ~Scheduler() { close(); }

    using AnyScheduler::add;

    /// Adds a job: a callable that takes nothing or a `JobContext&`, and returns nothing or a `Result`; or one that
    /// takes `(JobContext&, Completion<Result>)` and finishes later. It throws to fail. Under Overlap::allow it may run
    /// on several threads at once.
    /// @throws JobExists              The id is taken.
    /// @throws std::invalid_argument  The id is empty or too long, or an option is out of its range.
    /// @throws std::logic_error       The scheduler has been stopped.
    template <class Callable>
    void add(std::string_view id, Schedule when, Callable&& callable) {
        add(JobOptions{.id = std::string{id}, .schedule = std::move(when)}, std::forward<Callable>(callable));
    }

    /// @copydoc add
    template <class Callable>
    void add(JobOptions options, Callable&& callable) {
        insert(std::move(options), std::forward<Callable>(callable), IfPresent::refuse);
    }

    /// The same, but a job with this id gets the new callable, schedule and policies; its history and what is in
    /// progress stay.
    /// @returns Whether there was one.
    template <class Callable>
    bool add_or_replace(JobOptions options, Callable&& callable) {
        return insert(std::move(options), std::forward<Callable>(callable), IfPresent::replace);
    }

    /// What happened; a handle that may outlive the scheduler.
    [[nodiscard]] JobExecutionLog<Result>& log() noexcept { return log_; }
    [[nodiscard]] const JobExecutionLog<Result>& log() const noexcept { return log_; }

    /// What jobs can be made of by name; a handle that may be kept.
    [[nodiscard]] Handlers<Result>& handlers() noexcept { return handlers_; }
    [[nodiscard]] const Handlers<Result>& handlers() const noexcept { return handlers_; }

private:
    template <class Callable>
    bool insert(JobOptions options, Callable&& callable, IfPresent if_present) {
        using Body = std::decay_t<Callable>;
        constexpr bool is_open = detail::is_open_job<Body, Result>;
        static_assert(is_open || detail::is_job<Body>,
                      "a job must be callable with nothing, with a daybook::JobContext&, or with a JobContext& and a "
                      "daybook::Completion<Result>");
        if constexpr (is_open || detail::is_job<Body>) {
            static_assert(detail::has_job_result<Body, Result>,
                          "a job must return nothing, or something that converts to the scheduler's Result "
                          "(std::string unless Scheduler<Result> says otherwise)");
            return add_erased(std::move(options), detail::make_job_function<Result>(std::forward<Callable>(callable)),
                              if_present);
        } else {
            return false;
        }
    }

    Scheduler(SchedulerOptions options, int)
        : Scheduler{
              options,
              JobExecutionLog<Result>{JobExecutionLog<Result>::make_core(options.log, detail::Leftovers::for_work)},
              Handlers<Result>{}} {}
    Scheduler(const SchedulerOptions& options, JobExecutionLog<Result> log, Handlers<Result> handlers)
        : AnyScheduler{std::make_shared<detail::SchedulerCore>(options, log.core_, handlers)},
          log_{std::move(log)},
          handlers_{std::move(handlers)} {}

    JobExecutionLog<Result> log_;
    Handlers<Result> handlers_;
};

Scheduler()->Scheduler<>;
Scheduler(SchedulerOptions)->Scheduler<>;

} // namespace daybook::inline v0

#endif
