// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_SCHEDULER_STOP_HPP
#define DAYBOOK_DETAIL_SCHEDULER_STOP_HPP

/// @file
/// Driving by hand, waiting, and the end: admit no more, drain, ask, report, join.

#include <daybook/detail/scheduler_attempt.hpp>
#include <daybook/detail/scheduler_explain.hpp>
#include <daybook/detail/scheduler_settle.hpp>
#include <daybook/detail/scheduler_start.hpp>
#include <daybook/detail/scheduler_watch.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

namespace daybook::inline v0::detail {

inline std::size_t SchedulerCore::poll() {
    if (options_.workers != 0) { throw std::logic_error{"poll: only for a scheduler without workers"}; }
    await_due();
    std::size_t ran = 0;
    while (true) {
        while (run_one()) { ++ran; }
        {
            const Lock lock{mutex_};
            if (!std::exchange(has_begun_resumed_, false)) { return ran; }
        }
        dispatch();
    }
}

inline std::chrono::nanoseconds SchedulerCore::until_due() const {
    const sys_time wall = options_.clock.now();
    const steady_time steady = options_.clock.steady_now();
    auto wait = std::chrono::nanoseconds::max();
    const Lock lock{mutex_};
    if (is_short_) { wait = std::chrono::milliseconds{100}; }
    if (fleet_ != nullptr) { // the fleet's thread may have something for a poll at any moment
        const bool is_asking = !to_claim_.empty() || claiming_ != 0 || !asked_for_.empty() || waits_elsewhere_;
        wait = is_asking ? std::chrono::milliseconds{20} : std::chrono::milliseconds{1000};
        if (!may_start() && !ready_.empty()) { return std::chrono::milliseconds{20}; }
    }
    if (!ready_.empty() || ((!left_behind_.empty() || !postponed_.empty()) && !is_short_)) {
        return std::chrono::nanoseconds::zero();
    }
    if (!wall_due_.empty()) {
        const auto micros = saturating_difference(wall_due_.top().key, wall);
        if (micros < std::chrono::floor<std::chrono::microseconds>(wait)) { wait = micros; }
    }
    for (const auto* heap : {&steady_due_, &attempts_due_, &stale_due_}) {
        if (!heap->empty()) { wait = std::min(wait, saturating_difference(heap->top().key, steady)); }
    }
    return std::max(wait, std::chrono::nanoseconds::zero());
}

inline bool SchedulerCore::is_idle(const Lock& /*lock*/) const {
    if (busy_ != 0 || queued_ != 0 || running_ != 0) { return false; }
    if (!left_behind_.empty() || !postponed_.empty()) { return false; }
    if (!to_claim_.empty() || claiming_ != 0 || !asked_for_.empty()) { return false; }
    if (state_ != State::started) { return true; }
    const sys_time wall = options_.clock.now();
    const steady_time steady = options_.clock.steady_now();
    return (wall_due_.empty() || wall_due_.top().key > wall) &&
           (steady_due_.empty() || steady_due_.top().key > steady) &&
           (attempts_due_.empty() || attempts_due_.top().key > steady);
}

inline bool SchedulerCore::wait_idle(std::chrono::nanoseconds timeout) {
    Lock lock{mutex_};
    return changed_.wait_until(lock, saturating_add(std::chrono::steady_clock::now(), timeout),
                               [&] { return is_idle(lock); });
}

/// From here on nothing comes due any more; retries that wait get the cancelled record of the attempt that will not
/// come, and what waited for them goes on.
/// @returns How many became ready, which the caller has to post.
inline std::size_t SchedulerCore::close_admission(StopReport& report, Decisions& decisions, const Lock& lock) {
    std::size_t posts = 0;
    if (state_ == State::started) { // where the caller could not dispatch: what has come due by now still counts as due
        const Moment at = now();
        for (const auto& [id, job] : jobs_) {
            if (job->is_settling || has_come(*job, at, lock)) { leave_behind(job, at, lock); }
        }
    }
    const auto is_retrying = [](const OccurrencePtr& occurrence) {
        return occurrence && occurrence->phase == Occurrence::Phase::retrying;
    };
    for (const OccurrencePtr& occurrence : occurrences_) {
        if (is_retrying(occurrence)) { decide_end(occurrence, SkipReason::shutdown, decisions); }
    }
    state_ = State::stopping; // nothing fails from here on
    wall_due_.clear();
    steady_due_.clear();
    stale_due_.clear();
    for (auto& [id, job] : jobs_) {
        job->wall_due.reset();
        job->steady_due.reset();
    }
    for (std::size_t i = 0; i < occurrences_.size(); ++i) {
        const OccurrencePtr occurrence = occurrences_[i];
        if (is_retrying(occurrence)) {
            ++report.cancelled;
            drop(occurrence, SkipReason::shutdown, lock);
            if (release_next(occurrence->job, lock)) { ++posts; }
        }
    }
    return posts;
}

/// What waits is skipped, and what runs is asked to stop.
inline void SchedulerCore::abandon_queue(StopReport& report, Decisions& decisions, const Lock& lock) {
    const auto waits = [](const OccurrencePtr& occurrence) {
        return occurrence &&
               (occurrence->phase == Occurrence::Phase::ready || occurrence->phase == Occurrence::Phase::waiting);
    };
    Decisions asked; // last
    ask_all_to_stop(asked, lock);
    for (const OccurrencePtr& occurrence : occurrences_) {
        if (waits(occurrence)) { decide_end(occurrence, SkipReason::shutdown, decisions); }
    }
    decisions.splice(decisions.end(), asked); // nothing fails from here on
    for (std::size_t i = 0; i < occurrences_.size(); ++i) {
        const OccurrencePtr occurrence = occurrences_[i];
        if (waits(occurrence)) {
            ++(occurrence->attempt == 1 ? report.skipped : report.cancelled);
            drop(occurrence, SkipReason::shutdown, lock);
        }
    }
}

inline void SchedulerCore::ask_all_to_stop(Decisions& decisions, const Lock& /*lock*/) {
    for (const OccurrencePtr& occurrence : occurrences_) {
        if (occurrence && occurrence->phase == Occurrence::Phase::running) {
            decisions.push_back(Decision::about(Decision::Kind::ask_to_stop, occurrence));
        }
    }
}

inline bool SchedulerCore::is_started() const {
    const Lock lock{mutex_};
    return state_ == State::started;
}

inline void SchedulerCore::request_stop() {
    if (!AtWork::is_inside(*this) && is_started()) { dispatch_due(); } // what has come due by now still counts as due
    StopReport report;
    Decisions decisions;
    {
        const Lock lock{mutex_};
        close_admission(report, decisions, lock);
        abandon_queue(report, decisions, lock);
        ++busy_;
    }
    carry_out(decisions);
    flush_posts();
}

/// Whether nothing is left to wait for. A body that makes the call cannot be waited for by itself; two bodies that both
/// make it do not wait for each other, and where they hold all workers none is left for what is ready.
inline bool SchedulerCore::is_drained(const Lock& /*lock*/) const {
    if (busy_ != 0 || claiming_ != 0 || (!postponed_.empty() && open_pool_ != nullptr)) { return false; }
    const auto is_inside_stop = [&](std::thread::id thread) {
        return std::ranges::find(stopping_threads_, thread) != stopping_threads_.end();
    };
    const bool is_called_by_body = std::ranges::any_of(
        occurrences_, [&](const auto& occurrence) { return occurrence && is_own_thread(*occurrence); });
    if (!is_called_by_body) {
        return std::ranges::all_of(occurrences_, [](const auto& occurrence) { return !occurrence; });
    }
    std::size_t stopping = 0;
    std::size_t others = 0;
    for (const OccurrencePtr& occurrence : occurrences_) {
        if (!occurrence) { continue; }
        const bool is_running = occurrence->phase == Occurrence::Phase::running;
        ++(is_running && is_inside_stop(occurrence->thread) ? stopping : others);
    }
    return others == 0 || (open_pool_ != nullptr && stopping == options_.workers + replaced_);
}

/// While this thread is inside `stop`, whatever way it leaves; it is among `stopping_threads_` already.
class SchedulerCore::Stopping {
public:
    explicit Stopping(SchedulerCore& core) noexcept : core_{core} {}
    Stopping(const Stopping&) = delete;
    Stopping& operator=(const Stopping&) = delete;
    ~Stopping() {
        const Lock lock{core_.mutex_};
        auto& all = core_.stopping_threads_;
        all.erase(std::ranges::find(all, std::this_thread::get_id()));
    }

private:
    SchedulerCore& core_;
};

inline StopReport SchedulerCore::stop(std::chrono::nanoseconds grace) {
    StopReport report = halt(grace);
    if (const StoreWriter* const writer = log_->store_writer(); writer != nullptr && AtWork::is_inside(*this)) {
        report.unwritten = writer->waiting();
        report.is_written = report.unwritten == 0;
    } else {
        write_last(report);
    }
    return report;
}

inline StopReport SchedulerCore::halt(std::chrono::nanoseconds grace) {
    const auto now = std::chrono::steady_clock::now; // real time: a clock that stands still must not hang a stop
    const bool is_called_back = AtWork::is_inside(*this);
    if (!is_called_back && is_started()) { await_due(); } // what has come due by now still counts as due
    StopReport report;
    Decisions decisions;
    std::size_t posts = 0;
    bool can_drain = false;
    bool is_left_behind = false;
    {
        const Lock lock{mutex_};
        stopping_threads_.reserve(stopping_threads_.size() + 1);
        posts = close_admission(report, decisions, lock);
        is_left_behind = !left_behind_.empty() || !postponed_.empty();
        // Without workers somebody else may be at it with poll().
        can_drain = !is_called_back && (open_pool_ != nullptr || is_executor_open_ || running_ != 0);
        stopping_threads_.push_back(std::this_thread::get_id());
        ++busy_;
    }
    const Stopping stopping{*this};
    post(posts);
    carry_out(decisions);
    decisions.clear();
    flush_posts();
    if (is_left_behind && !is_called_back) { dispatch_due(); }
    const auto wait = [&](Lock& lock, std::chrono::nanoseconds time) {
        const auto until = saturating_add(now(), std::max(time, time.zero()));
        changed_.wait_until(lock, until, [&] { return is_drained(lock); });
    };
    {
        Lock lock{mutex_};
        changed_.notify_all(); // another body may have waited for this one
        if (can_drain) { wait(lock, grace); }
        abandon_queue(report, decisions, lock);
        ++busy_;
    }
    carry_out(decisions);
    {
        Lock lock{mutex_};
        if (!is_called_back) { wait(lock, options_.stop_patience); }
        for (const OccurrencePtr& occurrence : occurrences_) {
            if (occurrence && occurrence->phase == Occurrence::Phase::running) {
                report.still_running.push_back(occurrence->job->id);
            }
        }
    }
    // A thread of ours has to end before anybody can wait for it: the destructor does, or a stop from elsewhere.
    const WorkerPool* const pool = open_pool_;
    const bool is_own_thread =
        is_called_back || AtTimer::is_inside(*this) || (pool != nullptr && pool->is_own_thread());
    if (report.has_stopped() && !is_own_thread) { join(); }
    return report;
}

/// Ends the threads. Waits for bodies that still run; never called on one of the threads.
inline void SchedulerCore::join() {
    const std::scoped_lock joining{join_mutex_};
    if (pool_) { pool_->stop(); }
    {
        const Lock lock{mutex_};
        timer_may_end_ = true;
    }
    clock_token_.reset();
    alarm_.wake();
    timer_.join();
}

/// The end of the scheduler, though a handle may keep the core: waits for every body, and lets go of the jobs.
inline void SchedulerCore::close() {
    for (bool is_closed = false; !is_closed;) {
        try {
            halt(options_.stop_grace);
            is_closed = true;
        } catch (const std::bad_alloc&) { std::this_thread::sleep_for(std::chrono::milliseconds{100}); }
    }
    {
        Lock lock{mutex_}; // bodies on the program's executor, and open ones, have no thread of ours to join
        changed_.wait(lock, [&] { return running_ == 0; });
    }
    join();
    leave_fleet();
    bool is_first = false;
    {
        const Lock lock{mutex_};
        is_first = !std::exchange(is_written_last_, true);
    }
    if (StopReport report; is_first) {
        write_last(report);
        if (!report.is_written) { diagnose("the store does not have the last records when the scheduler ends"); }
    }
    decltype(jobs_) jobs; // destroyed outside the lock: the callables are the program's own
    decltype(by_index_) by_index;
    decltype(ready_) ready;
    std::map<std::string, ReadyQueue, std::less<>> parked;
    for (const auto& [name, group] : groups_) { parked[name]; }
    const Lock lock{mutex_};
    for (auto& [name, group] : groups_) { std::swap(parked.find(name)->second, group.parked); }
    for (const auto& [id, job] : jobs_) { job->is_removed = true; }
    jobs.swap(jobs_);
    by_index.swap(by_index_);
    std::swap(ready, ready_);
}

inline SchedulerCore::~SchedulerCore() { close(); }

} // namespace daybook::inline v0::detail

#endif
