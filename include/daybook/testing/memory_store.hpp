// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTING_MEMORY_STORE_HPP
#define DAYBOOK_TESTING_MEMORY_STORE_HPP

/// @file
/// A store for tests: what it holds outlives the logs that use it, and it fails when the test says so.

#include <daybook/log/execution_store.hpp>
#include <daybook/log/fleet_store.hpp>
#include <daybook/log/job_store.hpp>
#include <daybook/testing/memory_fleet.hpp>
#include <daybook/testing/memory_tables.hpp>
#include <daybook/time/wall_clock.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace daybook::inline v0::testing {

/// Which calls of a MemoryStore go wrong: a process in a fleet makes those of the two kinds on different threads.
enum class MemoryCalls : std::uint8_t {
    all,
    log,   ///< what execution_store and job_store ask for, and `tidy_counters`
    write, ///< of these, `write` alone
    fleet, ///< what fleet_store asks for beyond that, but `unlock`, `await` and `wake`
};

/// Models fleet_store, and so execution_store and job_store, with maps and searches from end to end: slow, and easy to
/// see through.
///
/// A copy is another store on the same content, which is neither open nor joined: give one to a log, keep one to look
/// at the content and to say what goes wrong. What is open lets nobody else open or join the content until it is
/// destroyed; then another copy is the store of the program that was started again. Several copies may be joined at
/// once, as processes of a fleet: one that is destroyed without `close` is a process that died, so its seat is there
/// until its lease has ended.
///
/// @code
/// daybook::testing::MemoryStore store;
/// daybook::AnyStore given = store;
/// store.fail_next(daybook::StoreFailure::unavailable, 3);
/// @endcode
///
/// `save`, `erase` and accounted times of a job that is locked wait until it is not, also if it is their own store that
/// has locked it: as with a database.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: safe, every member but assignment.
class MemoryStore {
public:
    /// What is kept.
    class Content;

    MemoryStore() : MemoryStore{std::make_shared<Content>()} {}
    explicit MemoryStore(std::shared_ptr<Content> content) : content_{std::move(content)} {}
    MemoryStore(const MemoryStore& other) : MemoryStore{other.content_} {}
    MemoryStore(MemoryStore&&) noexcept = default;
    MemoryStore& operator=(const MemoryStore& other) { return *this = MemoryStore{other}; }
    MemoryStore& operator=(MemoryStore&&) noexcept = default;
    ~MemoryStore() = default;

    [[nodiscard]] const std::shared_ptr<Content>& content() const noexcept { return content_; }

    // What goes wrong, for all stores with this content, in the order in which it was said: each call meets the first
    // that is meant for its kind. `open` and `join` count as calls.

    /// The next calls throw that, and do nothing.
    void fail_next(StoreFailure failure, std::size_t calls = 1, MemoryCalls of = MemoryCalls::all) {
        plan(Mishap{Mishap::Kind::fail, failure, of}, calls);
    }

    /// The next calls do nothing until their deadline, and then throw `unavailable`.
    void hang_next(std::size_t calls = 1, MemoryCalls of = MemoryCalls::all) {
        plan(Mishap{.kind = Mishap::Kind::hang, .of = of}, calls);
    }

    /// The next calls do all they should, and then throw `unavailable`: a commit that died with its connection.
    void doubt_next(std::size_t calls = 1, MemoryCalls of = MemoryCalls::all) {
        plan(Mishap{.kind = Mishap::Kind::doubt, .of = of}, calls);
    }

    /// The next calls work; to be followed by others that do not.
    void pass_next(std::size_t calls = 1, MemoryCalls of = MemoryCalls::all) {
        plan(Mishap{.kind = Mishap::Kind::none, .of = of}, calls);
    }

    /// From now on all is well again; who hangs throws `unavailable` at once. Who is cut off still is.
    void recover();

    /// From now on all calls of stores that were opened or joined under this name fail, `await` too; what they have
    /// locked is free.
    void cut_off(const std::string& name);
    void let_back(const std::string& name);

    /// The lease of those that have joined under this name, or of the one with this node, ends now.
    void end_lease(const std::string& name);

    /// By which clock leases and locks end, and what `now` is. At first the system's; best changed before anybody
    /// joins. Deadlines are instants of the system's clock in any case.
    void set_clock(AnyClock clock);

    /// Calls so far, failed ones included; without `unlock`, `await` and `wake`.
    [[nodiscard]] std::uint64_t calls() const;

    [[nodiscard]] std::vector<MemorySeat> seats() const;   ///< by node
    [[nodiscard]] std::vector<MemoryClaim> claims() const; ///< by id

    // What follows is execution_store.

    void open(const StoreOpening& opening, StoreDeadline deadline);
    void close() noexcept;
    void write(const StoreBatch& batch, StoreDeadline deadline);
    [[nodiscard]] StoredPage read(const StoreQuery& query, StoreDeadline deadline);
    [[nodiscard]] std::uint64_t count(const StoreQuery& query, std::uint64_t up_to, StoreDeadline deadline);
    [[nodiscard]] std::optional<StoredExecution> find(ExecutionId id, StoreDeadline deadline);
    [[nodiscard]] std::vector<StoredExecution> unfinished(StoreDeadline deadline);
    [[nodiscard]] std::vector<StoredCounters> counters(StoreDeadline deadline);
    void fold_counters(std::span<const StoredCounters> rows, StoreDeadline deadline);
    [[nodiscard]] std::uint64_t retained(StoreDeadline deadline);
    std::uint64_t clear(StoreDeadline deadline);
    std::uint64_t prune(const StoreRetention& retention, StoreDeadline deadline);

    // What follows is job_store.

    [[nodiscard]] std::vector<StoredJob> jobs(StoreDeadline deadline);
    void save(const StoredJob& job, StoreDeadline deadline);
    bool erase(std::string_view id, StoreDeadline deadline);

    // What follows is fleet_store.

    [[nodiscard]] FleetSeat join(const FleetOpening& opening, StoreDeadline deadline);
    [[nodiscard]] FleetBeat beat(StoreDeadline deadline);
    [[nodiscard]] LockedJobs lock(std::span<const JobLock> jobs, LockWait wait, StoreDeadline deadline);
    void commit(const ClaimBatch& batch, StoreDeadline deadline);
    void unlock() noexcept;
    [[nodiscard]] ClaimNews look(StoreDeadline deadline);
    [[nodiscard]] std::vector<TakenOver> take_over(StoreDeadline deadline);
    [[nodiscard]] IdBlock reserve_ids(StoreDeadline deadline);
    void tidy_counters(const CounterFold& fold, StoreDeadline deadline); ///< `fold` must not call a store
    [[nodiscard]] FleetNews await(StoreDeadline until);
    void wake() noexcept;

private:
    struct Mishap {
        enum class Kind : std::uint8_t { none, fail, hang, doubt };
        Kind kind = Kind::none;
        StoreFailure failure = StoreFailure::unavailable;
        MemoryCalls of = MemoryCalls::all;
    };

    void plan(Mishap mishap, std::size_t calls);

    /// Does one call, or what is planned in its place. While it waits for something, it lets others go on.
    template <class Work>
    auto call(MemoryCalls kind, StoreDeadline deadline, Work&& work) {
        return call(
            kind, deadline, [] { return true; }, std::forward<Work>(work));
    }
    template <class IsFree, class Work>
    auto call(MemoryCalls kind, StoreDeadline deadline, IsFree&& is_free, Work&& work);

    void check_connection() const;
    void check_joined() const;
    [[nodiscard]] static bool is_of(MemoryCalls kind, MemoryCalls wanted) noexcept;

    std::shared_ptr<Content> content_;
    std::shared_ptr<MemoryMember> me_ = std::make_shared<MemoryMember>(); // guarded by the content's mutex_
};

class MemoryStore::Content {
    friend class MemoryStore;

    [[nodiscard]] steady_time steady_now() const noexcept { return clock_.steady_now(); }

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    MemoryTables tables_; // guarded by mutex_, as is all that follows
    MemoryFleet fleet_;
    AnyClock clock_;
    std::weak_ptr<MemoryMember> opened_by_;
    std::set<std::string> cut_off_;
    std::vector<std::pair<Mishap, std::size_t>> mishaps_; // the next one first; of how many calls
    std::uint64_t calls_ = 0;
    std::uint64_t recoveries_ = 0;
};

inline void MemoryStore::plan(Mishap mishap, std::size_t calls) {
    const std::scoped_lock lock{content_->mutex_};
    if (calls != 0) { content_->mishaps_.emplace_back(mishap, calls); }
}

inline void MemoryStore::recover() {
    const std::scoped_lock lock{content_->mutex_};
    content_->mishaps_.clear();
    ++content_->recoveries_;
    content_->changed_.notify_all();
}

inline void MemoryStore::cut_off(const std::string& name) {
    const std::scoped_lock lock{content_->mutex_};
    content_->cut_off_.insert(name);
    content_->fleet_.lose_connection(name);
    content_->changed_.notify_all();
}

inline void MemoryStore::let_back(const std::string& name) {
    const std::scoped_lock lock{content_->mutex_};
    content_->cut_off_.erase(name);
}

inline void MemoryStore::end_lease(const std::string& name) {
    const std::scoped_lock lock{content_->mutex_};
    content_->fleet_.end_lease(name, content_->steady_now());
}

inline void MemoryStore::set_clock(AnyClock clock) {
    const std::scoped_lock lock{content_->mutex_};
    content_->clock_ = std::move(clock);
}

inline std::uint64_t MemoryStore::calls() const {
    const std::scoped_lock lock{content_->mutex_};
    return content_->calls_;
}

inline std::vector<MemorySeat> MemoryStore::seats() const {
    const std::scoped_lock lock{content_->mutex_};
    std::vector<MemorySeat> all;
    for (const auto& [node, seat] : content_->fleet_.seats()) { all.push_back(seat); }
    return all;
}

inline std::vector<MemoryClaim> MemoryStore::claims() const {
    const std::scoped_lock lock{content_->mutex_};
    std::vector<MemoryClaim> all;
    for (const auto& [id, claim] : content_->fleet_.claims()) { all.push_back(claim); }
    return all;
}

inline void MemoryStore::check_connection() const {
    if (!me_->name.empty() && content_->cut_off_.contains(me_->name)) {
        throw StoreError{StoreFailure::unavailable, "the store \"" + me_->name + "\" is cut off"};
    }
}

inline bool MemoryStore::is_of(MemoryCalls kind, MemoryCalls wanted) noexcept {
    return wanted == MemoryCalls::all || wanted == kind || (wanted == MemoryCalls::log && kind == MemoryCalls::write);
}

inline void MemoryStore::check_joined() const {
    if (!me_->is_joined) { throw StoreError{StoreFailure::refused, "the store is not joined"}; }
}

template <class IsFree, class Work>
auto MemoryStore::call(MemoryCalls kind, StoreDeadline deadline, IsFree&& is_free, Work&& work) {
    Content& content = *content_;
    std::unique_lock lock{content.mutex_};
    ++content.calls_;
    Mishap mishap;
    const auto planned = std::find_if(content.mishaps_.begin(), content.mishaps_.end(),
                                      [&](const auto& one) { return is_of(kind, one.first.of); });
    if (planned != content.mishaps_.end()) {
        mishap = planned->first;
        if (--planned->second == 0) { content.mishaps_.erase(planned); }
    }
    check_connection();
    if (mishap.kind == Mishap::Kind::hang) {
        const std::uint64_t before = content.recoveries_;
        content.changed_.wait_until(lock, deadline, [&] { return content.recoveries_ != before; });
        throw StoreError{StoreFailure::unavailable, "the store did not answer in time"};
    }
    if (mishap.kind == Mishap::Kind::fail) {
        throw StoreError{mishap.failure, "the store is to fail: " + std::string{to_string(mishap.failure)}};
    }
    if (std::chrono::steady_clock::now() >= deadline) {
        throw StoreError{StoreFailure::unavailable, "there was no time left for the store"};
    }
    while (!is_free()) {
        // Locks end by the content's clock as well, and stores are destroyed: nobody tells.
        const auto now = std::chrono::steady_clock::now();
        if (now >= deadline) { throw StoreError{StoreFailure::busy, "another process has locked the job"}; }
        content.changed_.wait_until(lock, std::min(deadline, now + std::chrono::milliseconds{5}));
        check_connection();
    }
    const auto finish = [&] {
        content.changed_.notify_all();
        if (mishap.kind != Mishap::Kind::doubt) { return; }
        throw StoreError{StoreFailure::unavailable, "the connection broke; what was asked for may have been done"};
    };
    if constexpr (std::is_void_v<decltype(work(content))>) {
        work(content);
        finish();
    } else {
        auto result = work(content);
        finish();
        return result;
    }
}

} // namespace daybook::inline v0::testing

#include <daybook/testing/memory_store_calls.hpp>

#endif
