// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_LOG_ANY_STORE_HPP
#define DAYBOOK_LOG_ANY_STORE_HPP

/// @file
/// Any store as a value in the options.

#include <daybook/detail/held_store.hpp>
#include <daybook/log/execution_store.hpp>
#include <daybook/log/fleet_store.hpp>
#include <daybook/log/job_store.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace daybook::inline v0 {

/// Where executions and jobs last beyond the process, or nothing: the default keeps them in memory alone.
///
/// A handle: copies share one store, which serves one log at a time.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: safe, every member but assignment: calls come to the store one at a time,
/// those of fleet_store beside the others.
class AnyStore {
public:
    AnyStore() noexcept = default;

    template <class Store>
    requires(!std::same_as<std::remove_cvref_t<Store>, AnyStore> && execution_store<std::remove_cvref_t<Store>> &&
             job_store<std::remove_cvref_t<Store>>)
        AnyStore(Store&& store) // NOLINT(google-explicit-constructor): a store is given where one is asked for
        : held_{std::make_shared<detail::StoreModel<std::remove_cvref_t<Store>>>(std::forward<Store>(store))} {}

    [[nodiscard]] explicit operator bool() const noexcept { return held_ != nullptr; }

    // See execution_store.
    void open(const StoreOpening& opening, StoreDeadline deadline) const { return held_->open(opening, deadline); }
    void close() const noexcept { held_->close(); }
    void write(const StoreBatch& batch, StoreDeadline deadline) const { return held_->write(batch, deadline); }
    [[nodiscard]] StoredPage read(const StoreQuery& query, StoreDeadline deadline) const {
        return held_->read(query, deadline);
    }
    [[nodiscard]] std::uint64_t count(const StoreQuery& query, std::uint64_t up_to, StoreDeadline deadline) const {
        return held_->count(query, up_to, deadline);
    }
    [[nodiscard]] std::optional<StoredExecution> find(ExecutionId id, StoreDeadline deadline) const {
        return held_->find(id, deadline);
    }
    [[nodiscard]] std::vector<StoredExecution> unfinished(StoreDeadline deadline) const {
        return held_->unfinished(deadline);
    }
    [[nodiscard]] std::vector<StoredCounters> counters(StoreDeadline deadline) const {
        return held_->counters(deadline);
    }
    void fold_counters(std::span<const StoredCounters> rows, StoreDeadline deadline) const {
        return held_->fold_counters(rows, deadline);
    }
    [[nodiscard]] std::uint64_t retained(StoreDeadline deadline) const { return held_->retained(deadline); }
    std::uint64_t clear(StoreDeadline deadline) const { return held_->clear(deadline); }
    std::uint64_t prune(const StoreRetention& retention, StoreDeadline deadline) const {
        return held_->prune(retention, deadline);
    }

    // See job_store.
    [[nodiscard]] std::vector<StoredJob> jobs(StoreDeadline deadline) const { return held_->jobs(deadline); }
    void save(const StoredJob& job, StoreDeadline deadline) const { return held_->save(job, deadline); }
    bool erase(std::string_view id, StoreDeadline deadline) const { return held_->erase(id, deadline); }

    /// Whether several processes can share it: it models fleet_store.
    [[nodiscard]] bool is_shared() const noexcept { return held_ != nullptr && held_->is_shared(); }

    // See fleet_store. Of a store that cannot be shared they throw StoreFailure::refused. They do not wait for the
    // calls above, but for each other; `join` and `close` wait for all.
    FleetSeat join(const FleetOpening& opening, StoreDeadline deadline) const { return held_->join(opening, deadline); }
    FleetBeat beat(StoreDeadline deadline) const { return held_->beat(deadline); }
    LockedJobs lock(std::span<const JobLock> jobs, LockWait wait, StoreDeadline deadline) const {
        return held_->lock(jobs, wait, deadline);
    }
    void commit(const ClaimBatch& batch, StoreDeadline deadline) const { held_->commit(batch, deadline); }
    void unlock() const noexcept { held_->unlock(); }
    [[nodiscard]] ClaimNews look(StoreDeadline deadline) const { return held_->look(deadline); }
    [[nodiscard]] std::vector<TakenOver> take_over(StoreDeadline deadline) const { return held_->take_over(deadline); }
    [[nodiscard]] IdBlock reserve_ids(StoreDeadline deadline) const { return held_->reserve_ids(deadline); }
    void tidy_counters(const CounterFold& fold, StoreDeadline deadline) const { held_->tidy_counters(fold, deadline); }
    [[nodiscard]] FleetNews await(StoreDeadline until) const { return held_->await(until); }
    void wake() const noexcept { held_->wake(); }

private:
    std::shared_ptr<detail::HeldStore> held_;
};

} // namespace daybook::inline v0

#endif
