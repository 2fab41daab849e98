// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_HELD_STORE_HPP
#define DAYBOOK_DETAIL_HELD_STORE_HPP

/// @file
/// A store without its type, which is called once at a time.

#include <daybook/log/execution_store.hpp>
#include <daybook/log/fleet_store.hpp>
#include <daybook/log/job_store.hpp>

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

/// See execution_store, job_store and fleet_store.
class HeldStore {
public:
    HeldStore() = default;
    HeldStore(const HeldStore&) = delete;
    HeldStore& operator=(const HeldStore&) = delete;
    virtual ~HeldStore() = default;
    virtual void open(const StoreOpening& opening, StoreDeadline deadline) = 0;
    virtual void close() noexcept = 0;
    virtual void write(const StoreBatch& batch, StoreDeadline deadline) = 0;
    virtual StoredPage read(const StoreQuery& query, StoreDeadline deadline) = 0;
    virtual std::uint64_t count(const StoreQuery& query, std::uint64_t up_to, StoreDeadline deadline) = 0;
    virtual std::optional<StoredExecution> find(ExecutionId id, StoreDeadline deadline) = 0;
    virtual std::vector<StoredExecution> unfinished(StoreDeadline deadline) = 0;
    virtual std::vector<StoredCounters> counters(StoreDeadline deadline) = 0;
    virtual void fold_counters(std::span<const StoredCounters> rows, StoreDeadline deadline) = 0;
    virtual std::uint64_t retained(StoreDeadline deadline) = 0;
    virtual std::uint64_t clear(StoreDeadline deadline) = 0;
    virtual std::uint64_t prune(const StoreRetention& retention, StoreDeadline deadline) = 0;
    virtual std::vector<StoredJob> jobs(StoreDeadline deadline) = 0;
    virtual void save(const StoredJob& job, StoreDeadline deadline) = 0;
    virtual bool erase(std::string_view id, StoreDeadline deadline) = 0;
    [[nodiscard]] virtual bool is_shared() const noexcept = 0;
    virtual FleetSeat join(const FleetOpening& opening, StoreDeadline deadline) = 0;
    virtual FleetBeat beat(StoreDeadline deadline) = 0;
    virtual LockedJobs lock(std::span<const JobLock> jobs, LockWait wait, StoreDeadline deadline) = 0;
    virtual void commit(const ClaimBatch& batch, StoreDeadline deadline) = 0;
    virtual void unlock() noexcept = 0;
    virtual ClaimNews look(StoreDeadline deadline) = 0;
    virtual std::vector<TakenOver> take_over(StoreDeadline deadline) = 0;
    virtual IdBlock reserve_ids(StoreDeadline deadline) = 0;
    virtual void tidy_counters(const CounterFold& fold, StoreDeadline deadline) = 0;
    virtual FleetNews await(StoreDeadline until) = 0;
    virtual void wake() noexcept = 0;
};

/// One call at a time. Not a std::timed_mutex: what it calls escapes the thread sanitizer of g++ 12.
class CallGate {
public:
    class Turn {
    public:
        /// @throws StoreError  It was not free in time.
        Turn(CallGate& gate, StoreDeadline deadline) : gate_{gate} {
            std::unique_lock lock{gate_.mutex_};
            const bool is_free = gate_.free_.wait_until(lock, deadline, [&] { return !gate_.is_taken_; });
            if (!is_free) { throw StoreError{StoreFailure::busy, "the store is busy with another call"}; }
            gate_.is_taken_ = true;
        }
        /// Waits for as long as it takes.
        explicit Turn(CallGate& gate) noexcept : gate_{gate} {
            std::unique_lock lock{gate_.mutex_};
            gate_.free_.wait(lock, [&] { return !gate_.is_taken_; });
            gate_.is_taken_ = true;
        }
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;
        ~Turn() {
            {
                const std::scoped_lock lock{gate_.mutex_};
                gate_.is_taken_ = false;
            }
            gate_.free_.notify_one();
        }

    private:
        CallGate& gate_;
    };

private:
    std::mutex mutex_;
    std::condition_variable free_;
    bool is_taken_ = false; // guarded by mutex_: whose turn it is has the store
};

/// Any store, and whose turn it is.
template <class Store>
class StoreModel final : public HeldStore {
    using Turn = CallGate::Turn;

public:
    explicit StoreModel(Store store) : store_{std::move(store)} {}
    void open(const StoreOpening& opening, StoreDeadline deadline) override {
        const Turn mine = turn(deadline);
        store_.open(opening, deadline);
    }
    void close() noexcept override {
        const Turn mine{calls_};
        const Turn fleets{fleet_calls_};
        store_.close();
    }
    void write(const StoreBatch& batch, StoreDeadline deadline) override {
        const Turn mine = turn(deadline);
        store_.write(batch, deadline);
    }
    StoredPage read(const StoreQuery& query, StoreDeadline deadline) override {
        const Turn mine = turn(deadline);
        return store_.read(query, deadline);
    }
    std::uint64_t count(const StoreQuery& query, std::uint64_t up_to, StoreDeadline deadline) override {
        const Turn mine = turn(deadline);
        return store_.count(query, up_to, deadline);
    }
    std::optional<StoredExecution> find(ExecutionId id, StoreDeadline deadline) override {
        const Turn mine = turn(deadline);
        return store_.find(id, deadline);
    }
    std::vector<StoredExecution> unfinished(StoreDeadline deadline) override {
        const Turn mine = turn(deadline);
        return store_.unfinished(deadline);
    }
    std::vector<StoredCounters> counters(StoreDeadline deadline) override {
        const Turn mine = turn(deadline);
        return store_.counters(deadline);
    }
    void fold_counters(std::span<const StoredCounters> rows, StoreDeadline deadline) override {
        const Turn mine = turn(deadline);
        store_.fold_counters(rows, deadline);
    }
    std::uint64_t retained(StoreDeadline deadline) override {
        const Turn mine = turn(deadline);
        return store_.retained(deadline);
    }
    std::uint64_t clear(StoreDeadline deadline) override {
        const Turn mine = turn(deadline);
        return store_.clear(deadline);
    }
    std::uint64_t prune(const StoreRetention& retention, StoreDeadline deadline) override {
        const Turn mine = turn(deadline);
        return store_.prune(retention, deadline);
    }
    std::vector<StoredJob> jobs(StoreDeadline deadline) override {
        const Turn mine = turn(deadline);
        return store_.jobs(deadline);
    }
    void save(const StoredJob& job, StoreDeadline deadline) override {
        const Turn mine = turn(deadline);
        store_.save(job, deadline);
    }
    bool erase(std::string_view id, StoreDeadline deadline) override {
        const Turn mine = turn(deadline);
        return store_.erase(id, deadline);
    }

    [[nodiscard]] bool is_shared() const noexcept override { return fleet_store<Store>; }
    FleetSeat join([[maybe_unused]] const FleetOpening& opening, [[maybe_unused]] StoreDeadline deadline) override {
        if constexpr (fleet_store<Store>) {
            const Turn mine = turn(deadline);
            const Turn fleets{fleet_calls_, deadline};
            return store_.join(opening, deadline);
        } else {
            refuse();
        }
    }
    FleetBeat beat([[maybe_unused]] StoreDeadline deadline) override {
        if constexpr (fleet_store<Store>) {
            const Turn mine{fleet_calls_, deadline};
            return store_.beat(deadline);
        } else {
            refuse();
        }
    }
    LockedJobs lock([[maybe_unused]] std::span<const JobLock> jobs, [[maybe_unused]] LockWait wait,
                    [[maybe_unused]] StoreDeadline deadline) override {
        if constexpr (fleet_store<Store>) {
            const Turn mine{fleet_calls_, deadline};
            return store_.lock(jobs, wait, deadline);
        } else {
            refuse();
        }
    }
    void commit([[maybe_unused]] const ClaimBatch& batch, [[maybe_unused]] StoreDeadline deadline) override {
        if constexpr (fleet_store<Store>) {
            const Turn mine{fleet_calls_, deadline};
            store_.commit(batch, deadline);
        } else {
            refuse();
        }
    }
    void unlock() noexcept override {
        if constexpr (fleet_store<Store>) {
            const Turn mine{fleet_calls_};
            store_.unlock();
        }
    }
    ClaimNews look([[maybe_unused]] StoreDeadline deadline) override {
        if constexpr (fleet_store<Store>) {
            const Turn mine{fleet_calls_, deadline};
            return store_.look(deadline);
        } else {
            refuse();
        }
    }
    std::vector<TakenOver> take_over([[maybe_unused]] StoreDeadline deadline) override {
        if constexpr (fleet_store<Store>) {
            const Turn mine{fleet_calls_, deadline};
            return store_.take_over(deadline);
        } else {
            refuse();
        }
    }
    IdBlock reserve_ids([[maybe_unused]] StoreDeadline deadline) override {
        if constexpr (fleet_store<Store>) {
            const Turn mine{fleet_calls_, deadline};
            return store_.reserve_ids(deadline);
        } else {
            refuse();
        }
    }
    void tidy_counters([[maybe_unused]] const CounterFold& fold, [[maybe_unused]] StoreDeadline deadline) override {
        if constexpr (fleet_store<Store>) {
            const Turn mine = turn(deadline);
            store_.tidy_counters(fold, deadline);
        } else {
            refuse();
        }
    }
    FleetNews await([[maybe_unused]] StoreDeadline until) override {
        if constexpr (fleet_store<Store>) {
            const Turn mine{fleet_calls_, until};
            return store_.await(until);
        } else {
            refuse();
        }
    }
    void wake() noexcept override {
        if constexpr (fleet_store<Store>) { store_.wake(); }
    }

private:
    [[nodiscard]] Turn turn(StoreDeadline deadline) { return Turn{calls_, deadline}; }
    [[noreturn]] static void refuse() {
        throw StoreError{StoreFailure::refused, "this store is one that several processes cannot share"};
    }

    CallGate calls_;
    CallGate fleet_calls_; // taken after calls_
    Store store_;
};

} // namespace daybook::inline v0::detail

#endif
