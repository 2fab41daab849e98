// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_LOG_STATE_HPP
#define DAYBOOK_DETAIL_LOG_STATE_HPP

/// @file
/// The log without the type of its results: what it holds, and what may be done to it. How it is done stands in
/// log_core.hpp, which is what others include.

#include <daybook/detail/execution_index.hpp>
#include <daybook/detail/execution_slot.hpp>
#include <daybook/detail/feed_ring.hpp>
#include <daybook/detail/id_index.hpp>
#include <daybook/detail/id_supply.hpp>
#include <daybook/detail/log_clock.hpp>
#include <daybook/detail/log_entries.hpp>
#include <daybook/detail/log_mutex.hpp>
#include <daybook/detail/name_table.hpp>
#include <daybook/detail/record_facts.hpp>
#include <daybook/detail/record_memory.hpp>
#include <daybook/detail/ref.hpp>
#include <daybook/detail/retention.hpp>
#include <daybook/detail/saturate.hpp>
#include <daybook/detail/store_journal.hpp>
#include <daybook/log/execution.hpp>
#include <daybook/log/log_options.hpp>
#include <daybook/stats/stats.hpp>
#include <daybook/time/wall_clock.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

class LogShards;
class StoreWriter;

/// @par Thread safety
/// Every public member may be called from any thread. No user code runs under the lock: results are shared blocks that
/// are made before it is taken, and destroyed after it was released.
class LogCore {
public:
    explicit LogCore(LogOptions options) : LogCore{std::move(options), nullptr, 1} {}
    /// One of several parts, see log_shards.hpp.
    /// @param ids  From where all of them take theirs.
    LogCore(LogOptions options, std::atomic<ExecutionId>& ids, std::size_t parts)
        : LogCore{std::move(options), &ids, parts} {}
    LogCore(const LogCore&) = delete;
    LogCore& operator=(const LogCore&) = delete;

    [[nodiscard]] const LogOptions& options() const noexcept { return options_; }

    /// Interns three names until `release`.
    [[nodiscard]] NameRefs acquire(const HashedNames& names);
    void release(const NameRefs& names) noexcept;

    /// Starts an execution, or hands it over to wait for a worker (`status` is `running` or `queued`).
    /// @tparam Names    HashedNames, or the NameRefs of names that are interned already.
    /// @param reserved  Its id, from `reserve_id` and not older than some thousand others: that of its claim. 0: none.
    template <class Names>
    Execution start(const Names& names, const ExecutionStart& start, JobStatus status, ExecutionId reserved = 0);

    /// An id that no other record gets. @throws std::bad_alloc  All are used.
    [[nodiscard]] ExecutionId reserve_id() {
        const std::scoped_lock lock{mutex_};
        ids_left_.ready();
        return ids_left_.take();
    }

    /// A worker takes a queued execution: it moves to the front, as of `now`. @returns Whether it was still queued.
    bool begin(const Execution& execution, std::optional<std::uint32_t> worker, const ClockReading& now) noexcept;

    /// Ends an execution that is queued or running.
    Finish finish(const Execution& execution, JobStatus status, Ref<RefCounted> result, Ref<TextBlock> error,
                  Finality finality) noexcept;

    /// Turns a queued execution into a skip with a record of its own.
    Finish skip_queued(const Execution& execution, SkipReason reason) noexcept;

    /// Counts occurrences that got no execution; joins the job's last skip where nothing has come between.
    ExecutionId skip(const NameRefs& names, const SkipStart& skip);
    ExecutionId skip(const HashedNames& names, const SkipStart& skip);

    /// The seat in the fleet is lost: ids come from another block, and what others have taken over ends as `abandoned`.
    void reseat(const IdBlock& block);

    /// Calls `change(ExecutionSlot&)` for an execution that is in flight, under the lock: library code only.
    template <class Change>
    bool update(const Execution& execution, Change&& change) {
        const std::scoped_lock lock{mutex_};
        if (find_open(execution) != Finish::recorded) { return false; }
        const RecordMemory::Change counted{memory_, pool_[execution.slot]};
        change(pool_[execution.slot]);
        return true;
    }

    /// @returns How many finished records were removed.
    std::size_t clear() { return clear(std::numeric_limits<std::uint64_t>::max()); }

    /// @param up_to  The rank of what finished first of those that stay.
    std::size_t clear(std::uint64_t up_to);

    [[nodiscard]] std::size_t retained() const {
        const std::scoped_lock lock{mutex_};
        return finished_.size();
    }

    /// Which handles are its own.
    [[nodiscard]] std::uint32_t tag() const noexcept { return tag_; }

    /// Whether somebody is at it just now.
    [[nodiscard]] bool is_busy() const noexcept { return mutex_.is_taken(); }

    /// All parts of the log, of which this is the first. Null: it has no others.
    [[nodiscard]] const LogShards* shards() const noexcept { return shards_.get(); }

    /// Null where records stay in memory.
    [[nodiscard]] StoreWriter* store_writer() const noexcept { return writer_.get(); }

    /// Once, before anything is recorded.
    template <class Writer>
    void attach(std::unique_ptr<Writer> writer) {
        writer_ = {writer.release(), [](StoreWriter* held) { std::default_delete<Writer>{}(held); }};
    }

private:
    friend class LogReader;   // asks; see log_reader.hpp
    friend class LogShards;   // makes logs of several parts
    friend class StoreWriter; // writes what has changed; see store_writer.hpp
    friend class LogUpkeep;   // age, memory and subscribers; see log_upkeep.hpp
    using JobTable = NameTable<NameEntry<&ExecutionSlot::by_job>>;
    using HandlerTable = NameTable<NameEntry<&ExecutionSlot::by_handler>>;
    using AgeList = SlotList<&ExecutionSlot::by_age>;
    using Discarded = detail::Discarded;
    using Owners = detail::Owners;

    // Whoever calls one of these holds the lock; `index` and `slot` are of the same execution. What every start or
    // finish goes through is inlined: a call for each step would cost as much as the steps.
    [[nodiscard]] Owners owners_of(const ExecutionSlot& slot) noexcept {
        return {jobs_[slot.job], handlers_[slot.handler]};
    }
    [[gnu::always_inline]] NameRefs acquire_locked(const HashedNames& names);
    NameRefs acquire_locked(const NameRefs& names) noexcept;
    void release_locked(const NameRefs& names) noexcept;
    void track_names(const ExecutionSlot& slot, const Owners& owners) noexcept;
    [[gnu::always_inline]] Execution start_locked(const NameRefs& names, const ExecutionStart& start, JobStatus status,
                                                  const ClockReading& now, std::unique_ptr<ExecutionExtras> extras,
                                                  ExecutionId reserved, Discarded& discarded) noexcept;
    [[nodiscard]] Finish find_open(const Execution& execution) const noexcept;
    void abandon_oldest(steady_time now, Discarded& discarded) noexcept;
    [[gnu::always_inline]] void finish_locked(std::uint32_t index, ExecutionSlot& slot, JobStatus status,
                                              Finality finality, steady_time steady, Discarded& discarded) noexcept;
    void count_start(ExecutionSlot& slot, const Owners& owners,
                     const std::optional<std::chrono::nanoseconds>& queue_delay) noexcept;
    void count_skip(const ExecutionSlot& slot, std::uint64_t occurrences) noexcept;
    [[gnu::always_inline]] void link(std::uint32_t index, ExecutionSlot& slot, const Owners& owners) noexcept;
    void link_skip(std::uint32_t index, ExecutionSlot& slot) noexcept;
    void unlink(ExecutionSlot& slot, const Owners& owners) noexcept;
    [[gnu::always_inline]] void retain(std::uint32_t index, ExecutionSlot& slot, steady_time now,
                                       Discarded& discarded) noexcept;
    /// For what finishes without having to know how long it took.
    [[nodiscard]] steady_time age_now() const noexcept {
        return finished_.has_max_age() ? options_.clock.steady_now() : steady_time{};
    }
    void evict(std::uint32_t index, Discarded& discarded) noexcept;
    [[nodiscard]] JournalEntry journal_entry(std::uint32_t index);
    [[nodiscard]] RecordNames names_of(const ExecutionSlot& slot) const noexcept {
        return {jobs_.name(slot.job), handlers_.name(slot.handler), methods_.name(slot.method)};
    }
    void note(std::uint32_t index) noexcept {
        if (journal_) { journal_->note(pool_, index); }
    }
    void place(ExecutionSlot& slot, std::int64_t at) noexcept {
        if (journal_) { slot.position = journal_->place(at); }
    }
    LogCore(LogOptions options, std::atomic<ExecutionId>* ids, std::size_t parts);
    void ready_for_one(ExecutionId reserved);
    ExecutionId next_id(ExecutionSlot& slot, ExecutionId reserved) noexcept {
        slot.is_claimed = reserved != 0;
        return reserved != 0 ? reserved : ids_left_.take();
    }

    const LogOptions options_;
    const std::uint32_t tag_;
    std::shared_ptr<const LogShards> shards_; // set once, before anything is recorded

    LogClock clock_;
    mutable LogMutex mutex_;
    SlotPool pool_; // guarded by mutex_, as is all that follows
    ExecutionIndex index_;
    IdIndex ids_;
    JobTable jobs_;
    HandlerTable handlers_;
    NameTable<char> methods_; // the payload means nothing
    std::vector<std::uint32_t> tracked_jobs_;
    std::vector<std::uint32_t> tracked_handlers_;
    Stats<> stats_;
    AgeList in_flight_; // by hand-over
    Retention finished_;
    RecordMemory memory_;
    std::unique_ptr<FeedRings> feeds_;      // null until somebody subscribes
    std::unique_ptr<StoreJournal> journal_; // null without a store
    IdSupply ids_left_;
    ExecutionId seat_id_ = 0;        // ids below it are of seats that were lost: others have what was claimed with them
    std::uint64_t cleared_rank_ = 0; // what finished before this was cleared, or is about to be

    std::unique_ptr<StoreWriter, void (*)(StoreWriter*)> writer_{nullptr, [](StoreWriter*) {}}; // not guarded; set once
};

} // namespace daybook::inline v0::detail

#endif
