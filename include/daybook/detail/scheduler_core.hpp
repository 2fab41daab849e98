// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_SCHEDULER_CORE_HPP
#define DAYBOOK_DETAIL_SCHEDULER_CORE_HPP

/// @file
/// The scheduler without the type of its results: its state, and how jobs come and go. What is due is decided in
/// scheduler_dispatch.hpp, an attempt's life is told in scheduler_attempt.hpp, the end of it all in scheduler_stop.hpp.

#include <daybook/detail/alarm.hpp>
#include <daybook/detail/indexed_heap.hpp>
#include <daybook/detail/log_core.hpp>
#include <daybook/detail/owed.hpp>
#include <daybook/detail/owed_intervals.hpp>
#include <daybook/detail/scheduled_job.hpp>
#include <daybook/detail/thread.hpp>
#include <daybook/job/job.hpp>
#include <daybook/job/job_context.hpp>
#include <daybook/log/scoped_execution.hpp>
#include <daybook/schedule/describe.hpp>
#include <daybook/schedule/schedule_text.hpp>
#include <daybook/scheduler_options.hpp>
#include <daybook/worker/worker_pool.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

/// @par Thread safety
/// Every public member may be called from any thread, also from inside a job. Under the lock things are decided; what
/// was decided is done outside it, because recording may destroy results, and stopping calls back.
class SchedulerCore {
public:
    SchedulerCore(SchedulerOptions options, std::shared_ptr<LogCore> log)
        : options_{checked(std::move(options))}, log_{std::move(log)} {}
    SchedulerCore(const SchedulerCore&) = delete;
    SchedulerCore& operator=(const SchedulerCore&) = delete;
    ~SchedulerCore();

    [[nodiscard]] static SchedulerOptions checked(SchedulerOptions options);
    [[nodiscard]] const SchedulerOptions& options() const noexcept { return options_; }

    void add(JobOptions options, JobFunction function);
    bool remove(std::string_view id);
    bool set_paused(std::string_view id, bool is_paused);
    TriggerReport trigger(std::string_view id);
    [[nodiscard]] std::vector<JobInfo> jobs() const;
    [[nodiscard]] std::optional<JobInfo> job(std::string_view id) const;

    void start();
    std::size_t poll();
    bool wait_idle(std::chrono::nanoseconds timeout);
    void request_stop();
    StopReport stop(std::chrono::nanoseconds grace);
    void close();

private:
    using Lock = std::unique_lock<std::mutex>;
    using JobPtr = std::shared_ptr<Job>;
    using OccurrencePtr = std::shared_ptr<Occurrence>;
    using Decisions = std::vector<Decision>;

    // What is due. A parameter `lock` says that the lock is held.
    void run_timer();
    void dispatch();
    void settle_due(const JobPtr& job, const Owed& owed);
    [[nodiscard]] Owed owed_by(const Job& job, std::optional<sys_time> wall_due, std::optional<steady_time> steady_due,
                               sys_time wall, steady_time steady) const;
    [[nodiscard]] Owed first_due(const Job& job, sys_time wall, steady_time steady) const;
    void begin_schedule(Job& job, const Owed& first, const Lock& lock);
    [[nodiscard]] std::vector<JobPtr> leave_timeline(sys_time wall, steady_time steady, const Lock& lock);
    void set_due(Job& job, std::optional<sys_time> wall_due, std::optional<steady_time> steady_due, const Lock& lock);
    void await_next_completion(Job& job, const Lock& lock);
    void retire_if_over(Job& job, const Lock& lock);
    void forget(const JobPtr& job, const Lock& lock);

    // One occurrence.
    OccurrencePtr admit(const JobPtr& job, std::optional<sys_time> nominal, Trigger trigger, Overlap overlap,
                        Decisions& decisions, const Lock& lock);
    void skip(const JobPtr& job, SkipReason reason, std::optional<sys_time> nominal, Trigger trigger,
              Decisions& decisions) const;
    void cancel_active(const JobPtr& job, Decisions& decisions, const Lock& lock);
    void drop_queued(const OccurrencePtr& occurrence, SkipReason reason, Decisions& decisions, const Lock& lock);
    ExecutionId carry_out(const Decisions& decisions);
    ExecutionId hand_over(const OccurrencePtr& occurrence);
    bool release_next(const JobPtr& job, const Lock& lock);
    void post(std::size_t count);
    bool run_one();
    void run_body(const OccurrencePtr& occurrence);
    void body_returned(const OccurrencePtr& occurrence, JobStatus status, Ref<RefCounted> result,
                       const std::string& error);
    void end_occurrence(const OccurrencePtr& occurrence, const Lock& lock);
    void expire(const OccurrencePtr& occurrence, Decisions& decisions, const Lock& lock);
    [[nodiscard]] std::optional<std::chrono::nanoseconds> retry_delay(const Occurrence& occurrence, const Lock& lock);
    [[nodiscard]] std::uint64_t random(const Lock& lock);

    // The end.
    std::size_t close_admission(StopReport& report, Decisions& decisions, const Lock& lock);
    void abandon_queue(StopReport& report, Decisions& decisions, const Lock& lock);
    void ask_all_to_stop(Decisions& decisions, const Lock& lock);
    [[nodiscard]] bool is_drained(const Lock& lock) const;
    void join();

    [[nodiscard]] JobPtr find(std::string_view id, const Lock& lock) const;
    [[nodiscard]] JobInfo describe(const Job& job, sys_time wall, steady_time steady, const Lock& lock) const;
    static void tell_schedule(const Job& job, JobInfo& info);
    [[nodiscard]] bool is_idle(const Lock& lock) const;
    [[nodiscard]] static bool is_own_thread(const Occurrence& occurrence) noexcept {
        return occurrence.thread == std::this_thread::get_id();
    }

    /// While the scheduler's own work calls the program back on this thread (a schedule, a stop callback, a
    /// destructor): `stop` cannot wait for that work to end.
    class AtWork {
    public:
        explicit AtWork(const SchedulerCore& core) noexcept : before_{std::exchange(current(), &core)} {}
        AtWork(const AtWork&) = delete;
        AtWork& operator=(const AtWork&) = delete;
        ~AtWork() { current() = before_; }

        [[nodiscard]] static bool is_inside(const SchedulerCore& core) noexcept { return current() == &core; }

    private:
        static const SchedulerCore*& current() noexcept {
            static thread_local const SchedulerCore* core = nullptr;
            return core;
        }
        const SchedulerCore* before_;
    };

    const SchedulerOptions options_;
    const std::shared_ptr<LogCore> log_;

    mutable std::mutex mutex_;
    std::condition_variable changed_; // something ended; guarded by mutex_, as is all that follows
    std::map<std::string, JobPtr, std::less<>> jobs_;
    std::vector<JobPtr> by_index_; // the items of the two heaps of jobs
    std::vector<std::uint32_t> free_indices_;
    IndexedHeap<sys_time> wall_due_;
    IndexedHeap<steady_time> steady_due_;    // also: when to forget a job that is over
    std::vector<OccurrencePtr> occurrences_; // in progress or waiting; the items of attempts_due_
    std::vector<std::uint32_t> free_occurrences_;
    IndexedHeap<steady_time> attempts_due_; // deadlines of running ones, next attempts of failed ones
    std::deque<OccurrencePtr> ready_;       // may hold dropped ones
    std::size_t queued_ = 0;                // ready or waiting
    std::size_t running_ = 0;               // bodies
    std::size_t busy_ = 0;                  // decisions being carried out, dispatches under way
    std::uint64_t random_state_ = 0x9E3779B97F4A7C15U;
    std::optional<std::chrono::microseconds> timeline_; // how far the wall clock was ahead of the steady one at most
    std::vector<std::thread::id> stopping_threads_;     // those that are inside stop
    enum class State : std::uint8_t { pending, started, stopping } state_ = State::pending;
    bool timer_may_end_ = false;

    std::mutex dispatch_mutex_; // one dispatch at a time; taken before mutex_
    std::mutex join_mutex_;
    Alarm alarm_;
    std::shared_ptr<void> clock_token_;
    NamedThread timer_;                    // guarded by join_mutex_
    std::unique_ptr<WorkerPool> pool_;     // guarded by join_mutex_
    std::atomic<WorkerPool*> open_pool_{}; // the same one, from the start on
};

inline SchedulerOptions SchedulerCore::checked(SchedulerOptions options) {
    const auto refuse = [](const std::string& what) { throw std::invalid_argument{"SchedulerOptions: " + what}; };
    if (options.workers > WorkerPool::max_threads) { refuse("workers must be 0 to 4096"); }
    if (options.max_queue < 1) { refuse("max_queue must be at least 1"); }
    const auto zero = std::chrono::nanoseconds::zero();
    if (options.timeout < zero) { refuse("timeout must not be negative; 0 is none"); }
    if (options.misfire_tolerance < zero) { refuse("misfire_tolerance must not be negative"); }
    if (options.misfire_grace < zero) { refuse("misfire_grace must not be negative"); }
    if (options.completed_job_retention < zero) { refuse("completed_job_retention must not be negative"); }
    options.log.clock = options.clock;
    // Whatever waits or runs must find its record in flight; a retry is recorded before the place it waits in is known.
    options.log.max_running = std::max(options.log.max_running, 2 * options.max_queue + 2 * options.workers + 16);
    return options;
}

inline void SchedulerCore::add(JobOptions from, JobFunction function) {
    const auto refuse = [&](const std::string& what) {
        throw std::invalid_argument{"add(\"" + from.id + "\"): " + what};
    };
    if (from.id.empty() || from.id.size() > HashedNames::max_bytes) { refuse("the id must have 1 to 255 bytes"); }
    if (from.handler_id.size() > HashedNames::max_bytes) { refuse("handler_id must have at most 255 bytes"); }
    if (from.method_name.size() > HashedNames::max_bytes) { refuse("method_name must have at most 255 bytes"); }
    const auto zero = std::chrono::nanoseconds::zero();
    if (from.timeout.value_or(zero) < zero) { refuse("timeout must not be negative; 0 is none"); }
    if (from.misfire_grace.value_or(zero) < zero) { refuse("misfire_grace must not be negative"); }

    auto job = std::make_shared<Job>();
    job->id = from.id;
    job->handler_id = from.handler_id.empty() ? from.id : from.handler_id;
    job->method_name = from.method_name;
    job->parameters = from.parameters;
    job->schedule = from.schedule.bound_to(from.id);
    job->policies = {.retry = from.retry.value_or(options_.retry),
                     .timeout = from.timeout.value_or(options_.timeout),
                     .overlap = from.overlap.value_or(options_.overlap),
                     .misfire = from.misfire.value_or(options_.misfire),
                     .misfire_grace = from.misfire_grace.value_or(options_.misfire_grace),
                     .max_catch_up = from.max_catch_up.value_or(options_.max_catch_up)};
    job->function = std::move(function);
    job->names = std::make_unique<PinnedNames>(log_, HashedNames{job->id, job->handler_id, job->method_name});

    const Owed first = first_due(*job, options_.clock.now(), options_.clock.steady_now());
    const Lock lock{mutex_};
    if (state_ == State::stopping) { throw std::logic_error{"add(\"" + from.id + "\"): the scheduler has stopped"}; }
    if (jobs_.contains(from.id)) { refuse("there is a job with this id already"); }
    if (free_indices_.empty()) {
        by_index_.push_back(nullptr);
        const auto items = static_cast<std::uint32_t>(by_index_.size());
        wall_due_.reserve(items);
        steady_due_.reserve(items);
        free_indices_.push_back(items - 1);
    }
    jobs_.emplace(job->id, job);
    job->index = free_indices_.back();
    free_indices_.pop_back();
    by_index_[job->index] = job;
    if (state_ == State::started) { begin_schedule(*job, first, lock); }
}

inline SchedulerCore::JobPtr SchedulerCore::find(std::string_view id, const Lock& /*lock*/) const {
    const auto found = jobs_.find(id);
    return found == jobs_.end() ? nullptr : found->second;
}

/// Out of the heaps and the map; occurrences that go on keep it alive.
inline void SchedulerCore::forget(const JobPtr& job, const Lock& /*lock*/) {
    wall_due_.erase(job->index);
    steady_due_.erase(job->index);
    by_index_[job->index] = nullptr;
    free_indices_.push_back(job->index);
    jobs_.erase(job->id);
    job->is_removed = true;
}

inline bool SchedulerCore::remove(std::string_view id) {
    Decisions decisions;
    JobPtr job;
    {
        const Lock lock{mutex_};
        job = find(id, lock);
        if (!job) { return false; }
        forget(job, lock);
        for (const OccurrencePtr& occurrence : std::vector<OccurrencePtr>{occurrences_}) {
            if (!occurrence || occurrence->job != job) { continue; }
            if (occurrence->phase == Occurrence::Phase::retrying) {
                decisions.push_back({.kind = Decision::Kind::cancel_retry, .occurrence = occurrence});
                end_occurrence(occurrence, lock);
            } else if (occurrence->phase != Occurrence::Phase::running) {
                drop_queued(occurrence, SkipReason::removed, decisions, lock);
            }
        }
        ++busy_;
    }
    carry_out(decisions);
    return true;
}

inline bool SchedulerCore::set_paused(std::string_view id, bool is_paused) {
    const Lock lock{mutex_};
    const JobPtr job = find(id, lock);
    if (job) { job->is_paused = is_paused; }
    return job != nullptr;
}

inline TriggerReport SchedulerCore::trigger(std::string_view id) {
    Decisions decisions;
    OccurrencePtr occurrence;
    {
        const Lock lock{mutex_};
        if (state_ == State::stopping) { return {.outcome = TriggerOutcome::stopped}; }
        const JobPtr job = find(id, lock);
        if (!job) { return {.outcome = TriggerOutcome::unknown_job}; }
        occurrence = admit(job, std::nullopt, Trigger::manual, job->policies.overlap, decisions, lock);
        ++busy_;
    }
    const ExecutionId id_given = carry_out(decisions);
    return {.outcome = occurrence ? TriggerOutcome::queued : TriggerOutcome::skipped, .id = id_given};
}

inline JobInfo SchedulerCore::describe(const Job& job, sys_time wall, steady_time steady, const Lock& /*lock*/) const {
    JobInfo info;
    info.id = job.id;
    info.handler_id = job.handler_id;
    info.method_name = job.method_name;
    info.last_start = job.last_start;
    info.last_status = job.last_status;
    info.running = job.running;
    info.queued = job.queued;
    info.is_paused = job.is_paused;
    info.retry = job.policies.retry;
    info.timeout = job.policies.timeout;
    info.overlap = job.policies.overlap;
    info.misfire = job.policies.misfire;
    info.schedule_error = job.schedule_error;
    if (!job.is_over && !job.is_removed) {
        if (job.wall_due) { info.next_run = job.schedule.due(*job.wall_due); }
        if (job.steady_due) {
            const auto wait = steady_due(job.schedule, *job.steady_due) - steady;
            info.next_run = wall + std::chrono::ceil<std::chrono::microseconds>(wait);
        }
    }
    const bool failed = !job.schedule_error.empty() || (job.last_status && *job.last_status != JobStatus::success);
    info.state = job.is_removed                    ? JobState::removed
                 : job.running != 0                ? JobState::executing
                 : job.is_paused                   ? JobState::paused
                 : state_ == State::pending        ? JobState::pending
                 : info.queued != 0                ? JobState::pending
                 : job.is_over && !job.in_progress ? (failed ? JobState::failed : JobState::completed)
                                                   : JobState::scheduled;
    return info;
}

/// Outside the lock: the schedule is set once, and words take their time.
inline void SchedulerCore::tell_schedule(const Job& job, JobInfo& info) {
    info.schedule = to_string(job.schedule);
    info.description = daybook::describe(job.schedule);
}

inline std::vector<JobInfo> SchedulerCore::jobs() const {
    const sys_time wall = options_.clock.now();
    const steady_time steady = options_.clock.steady_now();
    std::vector<JobInfo> all;
    std::vector<JobPtr> described;
    {
        const Lock lock{mutex_};
        all.reserve(jobs_.size());
        described.reserve(jobs_.size());
        const auto add = [&](const JobPtr& job) {
            all.push_back(describe(*job, wall, steady, lock));
            described.push_back(job);
        };
        for (const auto& [id, job] : jobs_) { add(job); }
        std::set<const Job*> leaving;
        for (const OccurrencePtr& occurrence : occurrences_) {
            if (occurrence && occurrence->job->is_removed && leaving.insert(occurrence->job.get()).second) {
                add(occurrence->job);
            }
        }
    }
    for (std::size_t i = 0; i < all.size(); ++i) { tell_schedule(*described[i], all[i]); }
    std::ranges::stable_sort(all, {}, &JobInfo::id);
    return all;
}

inline std::optional<JobInfo> SchedulerCore::job(std::string_view id) const {
    const sys_time wall = options_.clock.now();
    const steady_time steady = options_.clock.steady_now();
    JobPtr job;
    JobInfo info;
    {
        const Lock lock{mutex_};
        job = find(id, lock);
        if (!job) { return std::nullopt; }
        info = describe(*job, wall, steady, lock);
    }
    tell_schedule(*job, info);
    return info;
}

} // namespace daybook::inline v0::detail

#endif
