// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_FLEET_MEMBER_HPP
#define DAYBOOK_DETAIL_FLEET_MEMBER_HPP

/// @file
/// A process's place in its fleet: renews the lease, finds out when it is lost, and takes over what others leave.

#include <daybook/detail/store_journal.hpp>
#include <daybook/detail/store_retry.hpp>
#include <daybook/detail/thread.hpp>
#include <daybook/log/any_store.hpp>
#include <daybook/log/fleet_options.hpp>
#include <daybook/log/fleet_store.hpp>
#include <daybook/log/log_options.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

/// Whoever runs something in a fleet. Called on the fleet's thread, one call at a time, under no lock; a call may use
/// the member's store. What it throws counts as a failed renewal: it is told, and the call comes again. While it takes
/// its time the lease is not renewed: a call should be back within a fraction of `FleetOptions::lease`.
class FleetWork {
public:
    FleetWork() = default;
    FleetWork(const FleetWork&) = delete;
    FleetWork& operator=(const FleetWork&) = delete;

    /// Whether it goes on with what others leave; else it is left to those who do.
    [[nodiscard]] virtual bool takes_over() const { return true; }

    /// What other processes have left is this one's now; once. Must not throw but for want of memory.
    virtual void taken_over(std::vector<TakenOver> left) = 0;

    /// Does what there is to do: after `wake`, after news, when its time has come, and after a failure.
    /// @param news       What nobody has dealt with; comes again if this call throws.
    /// @param is_seated  Whether `may_start` holds. While the store does not answer, it is called to say that it does
    ///                   no more, and with nothing else.
    /// @returns When it wants to be called next, at the latest.
    virtual StoreDeadline round(const FleetNews& news, bool is_seated) = 0;

    /// Another process has taken over what this one had; it has another seat now.
    /// @param first_id  Ids below it are those of the seats before.
    virtual void seat_lost(ExecutionId first_id) = 0;

protected:
    ~FleetWork() = default;
};

/// What a member asks of the log that it belongs to.
class FleetHost {
public:
    FleetHost() = default;
    FleetHost(const FleetHost&) = delete;
    FleetHost& operator=(const FleetHost&) = delete;

    /// Joins under a new name, so that nothing of before is written under it. @throws StoreError
    virtual FleetSeat rejoin(const FleetOpening& opening, StoreDeadline deadline) = 0;

    /// Whether the ids it has are running out.
    [[nodiscard]] virtual bool needs_ids() const = 0;
    virtual void add_ids(const IdBlock& block) = 0;

    /// Ends for good what others have left.
    virtual void end_left(std::vector<TakenOver> left) = 0;

    /// Something has failed, or all is well again (empty).
    virtual void tell_of_fleet(std::string_view error) noexcept = 0;

protected:
    ~FleetHost() = default;
};

/// What becomes of what others leave, while no work is attached.
enum class Leftovers : std::uint8_t {
    ended,    ///< by the log: there is nobody to go on with it
    for_work, ///< left alone until there is some; so it is in any case once there was
};

/// @par Thread safety
/// Safe, every member.
class FleetMember {
public:
    /// Joins. @throws StoreError  It cannot, or the clocks do not agree.
    FleetMember(const AnyStore& store, const LogOptions& options, std::string name, Leftovers leftovers,
                FleetHost& host);
    FleetMember(const FleetMember&) = delete;
    FleetMember& operator=(const FleetMember&) = delete;
    ~FleetMember() { stop(); }

    /// What was joined; for the host alone, before `start`.
    [[nodiscard]] const FleetSeat& first_seat() const noexcept { return first_seat_; }

    /// Begins to renew. Once. @throws std::system_error  There is no thread left.
    void start() {
        thread_ = NamedThread{"daybook-fleet", {}, [this] { run(); }};
    }

    /// Renews no more. Not on the fleet's own thread.
    void stop() noexcept;

    /// There is one work at a time; it must be there until `detach` is back.
    void attach(FleetWork* work);

    /// Waits until no call is under way; on the fleet's own thread it does not.
    void detach() noexcept;

    /// `round` is to be called. Cheap: may be called under a lock.
    void wake() noexcept {
        if (!is_woken_.exchange(true)) { store_.wake(); }
    }

    /// Whether what is claimed may start: the lease runs, counted from when it was asked for, and the clock is right.
    [[nodiscard]] bool may_start() const noexcept { return is_clock_right_.load() && has_lease(); }

    /// Whether nobody else may take over what this one has in progress.
    [[nodiscard]] bool has_lease() const noexcept {
        return !is_lost_.load() && Clock::now().time_since_epoch().count() < lease_end_.load();
    }

    /// The store has said that the seat is gone (StoreFailure::unseated).
    void note_unseated() noexcept;

    void note_claimed(std::uint64_t occurrences) noexcept { claimed_ += occurrences; }
    void note_left(std::uint64_t jobs) noexcept { left_ += jobs; }

    [[nodiscard]] FleetHealth health() const;
    [[nodiscard]] std::string node() const {
        const std::scoped_lock lock{mutex_};
        return node_;
    }
    [[nodiscard]] const AnyStore& store() const noexcept { return store_; }
    [[nodiscard]] const FleetOptions& options() const noexcept { return *options_.fleet; }

    /// When a call of the fleet's thread that begins now has to be back.
    [[nodiscard]] StoreDeadline deadline() const {
        return Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                  std::min<std::chrono::nanoseconds>(options_.storing.timeout, third()));
    }
    [[nodiscard]] bool is_own_thread() const noexcept { return std::this_thread::get_id() == own_thread_.load(); }

private:
    using Clock = std::chrono::steady_clock;
    static_assert(std::is_same_v<Clock::period, std::nano>);

    [[nodiscard]] std::chrono::nanoseconds third() const noexcept {
        return std::chrono::nanoseconds{options_.fleet->lease} / 3;
    }
    void run() noexcept;
    void step();
    void beat();
    void rejoin();
    void take_over();
    void judge_clock(sys_time before, sys_time by_store, sys_time after);
    [[nodiscard]] bool has_jumped() const;
    void leased_from(Clock::time_point sent) noexcept {
        lease_end_ = (sent + options_.fleet->lease).time_since_epoch().count();
    }
    void failed(const char* what, bool is_cut_off) noexcept;
    void tell(const std::string& error) noexcept;
    void add(FleetNews&& news);

    /// Calls the work, if there is one. @returns Whether there was.
    template <class Call>
    bool with_work(Call&& call) {
        FleetWork* work = nullptr;
        {
            const std::scoped_lock lock{mutex_};
            work = work_;
            is_calling_ = work != nullptr;
        }
        if (work == nullptr) { return false; }
        const Called called{*this};
        call(*work);
        return true;
    }
    struct Called {
        explicit Called(FleetMember& owner) : member{owner} {}
        Called(const Called&) = delete;
        Called& operator=(const Called&) = delete;
        ~Called() {
            {
                const std::scoped_lock lock{member.mutex_};
                member.is_calling_ = false;
            }
            member.called_.notify_all();
        }
        FleetMember& member;
    };

    const AnyStore store_;
    const LogOptions& options_;
    const FleetOpening opening_;
    FleetHost& host_;
    WakeUp awake_; // from the rest after a failure
    std::atomic<bool> is_woken_{false};
    std::atomic<bool> is_ending_{false};
    std::atomic<bool> is_lost_{false};
    std::atomic<bool> is_clock_right_{false};
    std::atomic<std::int64_t> lease_end_{0}; // of the steady clock, in nanoseconds
    std::atomic<std::uint64_t> claimed_{0};
    std::atomic<std::uint64_t> left_{0};
    std::atomic<std::uint64_t> seats_lost_{0};
    std::atomic<std::thread::id> own_thread_{};

    FleetSeat first_seat_;
    StoreRetry retry_; // the fleet's thread alone, as what follows
    Clock::time_point next_beat_{};
    std::optional<Clock::time_point> connected_since_;
    ClockReading read_at_beat_ = {};
    FleetNews news_;
    std::string told_; // what is wrong, as it was told

    mutable std::mutex mutex_;
    std::condition_variable called_;
    FleetWork* work_ = nullptr; // guarded by mutex_, as is what follows
    Leftovers leftovers_;
    bool is_calling_ = false;
    std::string node_;
    std::chrono::microseconds clock_offset_{0};
    std::optional<sys_time> last_renewed_;
    std::uint64_t taken_over_ = 0;

    NamedThread thread_;
};

inline FleetMember::FleetMember(const AnyStore& store, const LogOptions& options, std::string name, Leftovers leftovers,
                                FleetHost& host)
    : store_{store},
      options_{options},
      opening_{.name = std::move(name),
               .lease = options.fleet->lease,
               .max_idle = std::clamp(options.fleet->lease / 2, std::chrono::milliseconds{100},
                                      std::chrono::milliseconds{5'000})},
      host_{host},
      retry_{options.storing.first_retry, std::min<std::chrono::nanoseconds>(options.storing.longest_retry, third())},
      leftovers_{leftovers} {
    const auto sent = Clock::now();
    first_seat_ = store_.join(opening_, sent + std::chrono::duration_cast<Clock::duration>(options_.storing.timeout));
    try {
        node_ = first_seat_.node;
        leased_from(sent);
        connected_since_ = Clock::now();
        beat();
        if (!told_.empty()) { throw StoreError{StoreFailure::refused, told_}; }
    } catch (...) {
        store_.close();
        throw;
    }
}

inline void FleetMember::stop() noexcept {
    is_ending_ = true;
    awake_.wake();
    store_.wake();
    thread_.join();
}

inline void FleetMember::attach(FleetWork* work) {
    {
        const std::scoped_lock lock{mutex_};
        work_ = work;
        leftovers_ = Leftovers::for_work;
    }
    wake();
}

inline void FleetMember::detach() noexcept {
    std::unique_lock lock{mutex_};
    work_ = nullptr;
    if (is_own_thread()) { return; }
    called_.wait(lock, [this] { return !is_calling_; });
}

inline void FleetMember::note_unseated() noexcept {
    lease_end_ = 0;
    if (!is_lost_.exchange(true)) { ++seats_lost_; }
    awake_.wake();
    wake();
}

inline FleetHealth FleetMember::health() const {
    FleetHealth health{.is_seated = may_start(),
                       .claimed = claimed_.load(),
                       .left_to_others = left_.load(),
                       .seats_lost = seats_lost_.load()};
    const std::scoped_lock lock{mutex_};
    health.node = node_;
    health.clock_offset = clock_offset_;
    health.last_renewed = last_renewed_;
    health.taken_over = taken_over_;
    return health;
}

inline void FleetMember::run() noexcept {
    own_thread_ = std::this_thread::get_id();
    while (!is_ending_) {
        try {
            step();
            continue;
        } catch (const StoreError& error) {
            if (error.failure() == StoreFailure::unseated) { note_unseated(); }
            failed(error.what(), error.failure() == StoreFailure::unavailable);
        } catch (const std::exception& error) { failed(error.what(), false); } catch (...) {
            failed("the fleet's work has thrown something that is no exception", false);
        }
        const bool is_new = retry_.failures() == 1 && is_lost_; // the store answers, after all
        if (!is_new) { awake_.sleep(Clock::now() + retry_.delay()); }
    }
}

inline void FleetMember::step() {
    if (is_lost_) { rejoin(); }
    const bool is_due = Clock::now() >= next_beat_ || has_jumped();
    if (is_due) {
        beat();
        if (is_lost_) { return; }
    }
    if (is_due) {
        if (host_.needs_ids()) { host_.add_ids(store_.reserve_ids(deadline())); }
    }
    if (is_due) { take_over(); }
    is_woken_ = false;
    StoreDeadline next = next_beat_;
    with_work([&](FleetWork& work) { next = std::min(next, work.round(news_, may_start())); });
    news_ = {};
    retry_.succeeded();
    if (is_clock_right_) { tell({}); }
    if (!is_ending_) { add(store_.await(next)); }
}

/// The lease is counted from when it was asked for: whatever the answer took, the store counts from later on.
inline void FleetMember::beat() {
    const auto sent = Clock::now();
    const sys_time before = options_.clock.now();
    const FleetBeat seen = store_.beat(deadline());
    const sys_time after = options_.clock.now();
    if (!seen.is_seated) {
        note_unseated();
        tell("another process has taken over what this one had");
        return;
    }
    if (!connected_since_) { connected_since_ = sent; }
    next_beat_ = sent + std::chrono::duration_cast<Clock::duration>(third());
    judge_clock(before, seen.now, after);
    read_at_beat_ = options_.clock.read();
    leased_from(sent);
    const std::scoped_lock lock{mutex_};
    last_renewed_ = after;
}

/// Whether the wall clock was set, or the machine slept, since the store's clock was seen.
inline bool FleetMember::has_jumped() const {
    const ClockReading now = options_.clock.read();
    const std::chrono::nanoseconds by_wall = now.wall - read_at_beat_.wall;
    const std::chrono::nanoseconds by_steady = now.steady - read_at_beat_.steady;
    return std::max(by_wall - by_steady, by_steady - by_wall) > options_.fleet->max_clock_offset;
}

/// Somewhere between `before` and `after` the store read its clock: only what no such moment explains is an offset.
inline void FleetMember::judge_clock(sys_time before, sys_time by_store, sys_time after) {
    const std::chrono::microseconds offset = before - by_store + (after - before) / 2;
    {
        const std::scoped_lock lock{mutex_};
        clock_offset_ = offset;
    }
    const std::chrono::microseconds most = options_.fleet->max_clock_offset;
    const bool is_ahead = before - by_store > most;
    const bool is_behind = by_store - after > most;
    is_clock_right_ = !is_ahead && !is_behind;
    if (is_clock_right_) { return; }
    const auto off = std::chrono::ceil<std::chrono::milliseconds>(is_ahead ? offset : -offset);
    const std::string how_far = is_ahead ? " ms ahead of" : " ms behind";
    const std::string where = "; more than " + std::to_string(options_.fleet->max_clock_offset.count()) + " ms";
    tell("this machine's clock is " + std::to_string(off.count()) + how_far + " the store's" + where);
}

inline void FleetMember::rejoin() {
    const auto sent = Clock::now();
    const FleetSeat seat =
        host_.rejoin(opening_, sent + std::chrono::duration_cast<Clock::duration>(options_.storing.timeout));
    {
        const std::scoped_lock lock{mutex_};
        node_ = seat.node;
    }
    // Nothing may start before the work has let go of what it had.
    with_work([&](FleetWork& work) { work.seat_lost(seat.first_id); });
    news_.is_all = true;
    connected_since_ = Clock::now();
    next_beat_ = {};
    is_lost_ = false;
    leased_from(sent);
}

/// Not before everybody who was cut off has had the time of a lease to come back: after an outage all leases are over.
inline void FleetMember::take_over() {
    if (!connected_since_ || Clock::now() - *connected_since_ < options_.fleet->lease) { return; }
    const auto take = [this] {
        std::vector<TakenOver> left;
        try {
            // More time than for others: it costs the seat if it does not come back.
            left = store_.take_over(Clock::now() +
                                    std::chrono::duration_cast<Clock::duration>(
                                        std::min<std::chrono::nanoseconds>(options_.storing.timeout, 2 * third())));
        } catch (const StoreError& error) {
            // What may be this seat's by now, unknown to it, would be done by nobody: another seat, and all is known.
            if (error.failure() == StoreFailure::unavailable) { note_unseated(); }
            throw;
        }
        const std::scoped_lock lock{mutex_};
        taken_over_ += left.size();
        return left;
    };
    const bool is_work = with_work([&](FleetWork& work) {
        if (!work.takes_over()) { return; }
        if (auto left = take(); !left.empty()) { work.taken_over(std::move(left)); }
    });
    if (is_work) { return; }
    {
        const std::scoped_lock lock{mutex_};
        if (leftovers_ == Leftovers::for_work) { return; }
    }
    if (auto left = take(); !left.empty()) { host_.end_left(std::move(left)); }
}

inline void FleetMember::failed(const char* what, bool is_cut_off) noexcept {
    retry_.failed();
    if (is_cut_off) { connected_since_.reset(); }
    next_beat_ = {};
    try {
        tell(what);
        if (!may_start()) {
            with_work([](FleetWork& work) { work.round({}, false); });
        }
    } catch (...) { // NOLINT(bugprone-empty-catch): it comes again
    }
}

/// What was told is not told again.
inline void FleetMember::tell(const std::string& error) noexcept {
    if (told_ == error) { return; }
    try {
        told_ = error;
    } catch (...) { told_.clear(); }
    if (is_own_thread()) { host_.tell_of_fleet(error); }
}

inline void FleetMember::add(FleetNews&& news) {
    news_.jobs.insert(news_.jobs.end(), std::make_move_iterator(news.jobs.begin()),
                      std::make_move_iterator(news.jobs.end()));
    news_.is_all = news_.is_all || news.is_all;
    news_.has_claims = news_.has_claims || news.has_claims;
}

} // namespace daybook::inline v0::detail

#endif
