// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_TIMER_ALARMS_HPP
#define DAYBOOK_DETAIL_TIMER_ALARMS_HPP

/// @file
/// Who is woken when: the timer's own thread and, ahead of it, a worker that has nothing else to do.

#include <daybook/detail/alarm.hpp>
#include <daybook/detail/moment.hpp>
#include <daybook/detail/saturate.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>

namespace daybook::inline v0::detail {

/// What to wait for.
struct NextDue {
    std::optional<sys_time> wall = {};
    std::optional<steady_time> steady = {};
    bool is_plain = true;  ///< a worker may see to it, see scheduler_watch.hpp
    bool is_short = false; ///< something is tried again

    /// The same, but not before `start`; it is `now`.
    [[nodiscard]] NextDue not_before(steady_time start, const Moment& now) const {
        NextDue later = *this;
        if (const auto rest = saturating_difference(start, now.steady); rest > rest.zero()) {
            const sys_time start_on_wall = saturating_add(now.wall, std::chrono::ceil<std::chrono::microseconds>(rest));
            if (later.wall) { later.wall = std::max(*later.wall, start_on_wall); }
            if (later.steady) { later.steady = std::max(*later.steady, start); }
        }
        return later;
    }

    [[nodiscard]] NextDue later_by(std::chrono::microseconds delay) const {
        NextDue later = *this;
        if (later.wall) { later.wall = saturating_add(*later.wall, delay); }
        if (later.steady) { later.steady = saturating_add(*later.steady, std::chrono::nanoseconds{delay}); }
        return later;
    }

    [[nodiscard]] bool has_come(const Moment& now) const {
        return (steady && *steady <= now.steady) || (wall && *wall <= now.wall);
    }
};

/// A worker on the watch is woken when the time comes; the timer's thread `patience` later, unless the worker has seen
/// to it by then and set both anew. While no worker is on the watch the timer's thread is woken when the time comes.
///
/// @par Thread safety
/// Every member: safe from any thread, but `open_watch`; `sleep` is the timer's thread's, `watch` the worker's.
class TimerAlarms {
public:
    enum class Waiter : std::uint8_t { timer, worker_waits, worker_leaves }; ///< who sets them
    enum class Next : std::uint8_t { sleep, soon, look_again, end };         ///< what to do now

    /// How long what is due, or what a worker has posted to itself, may be left to a worker that is not on the watch.
    static constexpr std::chrono::microseconds patience{200};

    /// Before the threads are started: from now on a worker may keep the watch, if the system allows for that.
    void open_watch() noexcept {
        worker_.emplace();
        if (!worker_->is_exact() || !timer_.is_exact()) { worker_.reset(); }
    }
    [[nodiscard]] bool has_watch() const noexcept { return worker_.has_value(); }

    /// Ends the sleep of the timer's thread, or its next one.
    void wake() noexcept { timer_.wake(); }
    void sleep() noexcept { timer_.sleep(); }

    /// Ends the present watch, or the next one.
    void call_watcher() noexcept { worker_->wake(); }
    void watch() noexcept { worker_->sleep(); }

    /// @param look        Says what is due next, or nothing where all is over: `std::optional<NextDue>(const Moment&)`.
    /// @param rests_from  When something was due: not to be woken again for a while (`coalescing`), so that a flood is
    ///                    met in batches.
    template <class Now, class Look>
    [[nodiscard]] Next set(Waiter waiter, std::optional<steady_time> rests_from, std::chrono::nanoseconds coalescing,
                           const Now& now, const Look& look) {
        const std::scoped_lock lock{mutex_}; // who looks later sets later
        const Moment at = now();
        const std::optional<NextDue> next = look(at);
        if (!next) { return Next::end; }
        if (waiter == Waiter::worker_waits) { help_at_.reset(); } // it has taken all that it posted
        if (waiter != Waiter::timer) { is_watched_ = waiter == Waiter::worker_waits; }
        if (rests_from) {
            (waiter == Waiter::timer ? timer_rests_ : worker_rests_) = saturating_add(*rests_from, coalescing);
        }
        NextDue timer = next->not_before(timer_rests_, at);
        if (is_watched_ && next->is_plain) {
            if (waiter == Waiter::worker_waits && next->has_come(at)) { return Next::soon; }
            // Awake as it is it rests for less: about what a wake-up costs.
            const auto rests = std::min(worker_rests_, saturating_add(at.steady, coalescing / 5));
            const NextDue worker = next->not_before(rests, at);
            if (!worker_->set(worker.wall, worker.steady)) {
                if (waiter == Waiter::worker_waits) { return Next::look_again; }
                worker_->wake();
            }
            timer = worker.later_by(patience);
        } else if (is_watched_) {
            if (!worker_->set({}, {})) { worker_->wake(); }
        } else if (waiter == Waiter::worker_leaves && next->is_plain) {
            timer = timer.not_before(saturating_add(at.steady, std::chrono::nanoseconds{patience}), at);
        }
        if (help_at_ && (!timer.steady || *help_at_ < *timer.steady)) { timer.steady = help_at_; }
        if (timer_.set(timer.wall, timer.steady)) { return Next::sleep; }
        if (waiter == Waiter::timer) { return Next::look_again; }
        timer_.wake();
        return Next::sleep;
    }

    /// On a clock that is not the system's, where nobody keeps the watch: the timer's thread looks again then.
    [[nodiscard]] Next set(std::optional<steady_time> steady) {
        const std::scoped_lock lock{mutex_};
        return timer_.set({}, steady) ? Next::sleep : Next::look_again;
    }

    /// The timer's thread is to see what is due; the worker has not to, until that has been done.
    void leave_to_timer() {
        const std::scoped_lock lock{mutex_};
        static_cast<void>(worker_->set({}, {}));
        timer_.wake();
    }

    /// The worker is back, and the timer's thread will set its alarm.
    void watch_after_timer() {
        const std::scoped_lock lock{mutex_};
        is_watched_ = true;
    }

    /// The timer's thread is to wake other workers, unless the one that posted is back on the watch before.
    void ask_for_help(steady_time now) {
        const std::scoped_lock lock{mutex_};
        if (!help_at_) { help_at_ = now + patience; }
    }
    void end_help() {
        const std::scoped_lock lock{mutex_};
        help_at_.reset();
    }

private:
    Alarm timer_;
    std::optional<Alarm> worker_;
    std::mutex mutex_;
    bool is_watched_ = false;                       // guarded by mutex_, as what follows
    steady_time timer_rests_ = steady_time::min();  // is not woken before
    steady_time worker_rests_ = steady_time::min(); // the same
    std::optional<steady_time> help_at_;
};

} // namespace daybook::inline v0::detail

#endif
