// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_EXECUTION_SLOT_HPP
#define DAYBOOK_DETAIL_EXECUTION_SLOT_HPP

/// @file
/// One record as the log stores it, the pool of them, and lists that run through the pool.

#include <daybook/detail/heap_bytes.hpp>
#include <daybook/detail/ref.hpp>
#include <daybook/log/job_execution_record.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

inline constexpr std::uint32_t no_slot = UINT32_MAX;

struct SlotLinks {
    std::uint32_t newer = no_slot;
    std::uint32_t older = no_slot;
};

/// What few executions have, kept out of the slot.
struct ExecutionExtras {
    std::optional<Progress> progress = {};
    std::string log_text = {};
    bool log_is_cut = false;
    std::string parameters = {};
    std::vector<std::pair<std::string, std::string>> metadata = {};
};

/// Instants are microseconds since the epoch, `no_instant` where there is none.
struct ExecutionSlot {
    static constexpr std::int64_t no_instant = std::numeric_limits<std::int64_t>::min();
    static constexpr std::uint64_t not_counted = std::numeric_limits<std::uint64_t>::max();

    ExecutionId id = 0; ///< 0: free
    OccurrenceId occurrence_id = 0;
    std::uint64_t order = 0;       ///< larger is newer; see ExecutionIndex
    std::uint64_t finish_rank = 0; ///< larger finished later
    std::int64_t scheduled_at = no_instant;
    std::int64_t queued_at = no_instant;
    std::int64_t started_at = no_instant;
    std::int64_t position = 0;         ///< see StoredExecution; kept where there is a store
    std::int64_t steady = 0;           ///< ns: of the hand-over, then of the start, in the end how long it ran; of a
                                       ///< skip: how many of its occurrences the store's statistics have
    std::uint64_t count = not_counted; ///< records processed; of a skip, its occurrences
    Ref<RefCounted> result;
    Ref<TextBlock> error;
    std::unique_ptr<ExecutionExtras> extras;
    std::uint32_t job = 0;
    std::uint32_t handler = 0;
    std::uint32_t method = 0;
    std::uint32_t worker = no_slot;
    std::uint32_t attempt_number = 1;
    SlotLinks by_job;
    SlotLinks by_handler;
    SlotLinks by_order;   ///< in the skips, or in the executions that the ring has overtaken
    SlotLinks by_journal; ///< what the store does not have yet
    SlotLinks by_age;     ///< in flight by hand-over, then finished by finish; while free, `older` is the next free one
    JobStatus status = JobStatus::queued;
    SkipReason reason = SkipReason::none;
    Trigger trigger = Trigger::schedule;
    ClockChange dst = ClockChange::none;
    bool is_final = false;
    bool count_is_minimum = false;
    bool in_ring = false;
    bool is_journaled = false;         ///< in the list of what the store does not have yet
    bool start_is_counted = false;     ///< by the store's statistics
    bool is_told = false;              ///< the store has heard of it, or is about to
    bool is_claimed = false;           ///< its id is that of a claim: who takes that over records it
    bool ran = false;                  ///< `steady` is a duration once it has finished
    std::uint32_t journal_round = 0;   ///< see StoreJournal
    std::uint32_t finished_second = 0; ///< see Retention
};

/// Slots by index. Memory comes in chunks as the log fills, and stays where it is.
class SlotPool {
public:
    explicit SlotPool(std::size_t max_slots) : max_slots_{max_slots} {}

    [[nodiscard]] ExecutionSlot& operator[](std::uint32_t index) noexcept {
        return chunks_[index / chunk_size][index % chunk_size];
    }
    [[nodiscard]] const ExecutionSlot& operator[](std::uint32_t index) const noexcept {
        return chunks_[index / chunk_size][index % chunk_size];
    }

    /// Slots that exist, free ones included.
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    /// Of the slots alone; what they own is counted apart.
    [[nodiscard]] std::size_t memory_bytes() const noexcept { return memory_of(size_) + heap_bytes(chunks_); }

    /// What `memory_bytes` comes to at most.
    [[nodiscard]] static constexpr std::size_t memory_limit(std::size_t max_slots) noexcept {
        return memory_of(max_slots) + heap_bytes(2 * (max_slots / chunk_size + 1) * sizeof(void*));
    }

    /// Makes sure that `take` finds a free slot. @throws std::bad_alloc  and changes nothing.
    void reserve_one() {
        if (free_ == no_slot && size_ != max_slots_) { grow(); }
    }

    [[nodiscard]] std::uint32_t take() noexcept {
        const std::uint32_t index = free_;
        ExecutionSlot& slot = (*this)[index];
        free_ = slot.by_age.older;
        slot.by_age.older = no_slot;
        return index;
    }

    /// @pre Nothing in the slot needs to be destroyed any more.
    void give_back(std::uint32_t index) noexcept {
        // Not value-initialised, as std::construct_at would have it: that is all zeros first, a twentieth of a record.
        ExecutionSlot& slot = *::new (static_cast<void*>(&(*this)[index])) ExecutionSlot;
        slot.by_age.older = free_;
        free_ = index;
    }

private:
    static constexpr std::size_t chunk_size = 256;

    [[nodiscard]] static constexpr std::size_t memory_of(std::size_t slot_count) noexcept {
        return slot_count * sizeof(ExecutionSlot) + (slot_count / chunk_size + 1) * heap_bytes(sizeof(void*));
    }

    void grow() {
        const std::size_t fresh = std::min(chunk_size, max_slots_ - size_);
        chunks_.push_back(std::make_unique<ExecutionSlot[]>(fresh));
        for (std::size_t i = fresh; i-- > 0;) {
            chunks_.back()[i].by_age.older = free_;
            free_ = static_cast<std::uint32_t>(size_ + i);
        }
        size_ += fresh;
    }

    std::vector<std::unique_ptr<ExecutionSlot[]>> chunks_;
    std::size_t max_slots_;
    std::size_t size_ = 0;
    std::uint32_t free_ = no_slot;
};

/// A doubly linked list through one pair of links of the slots; every operation is O(1).
template <SlotLinks ExecutionSlot::*Links>
struct SlotList {
    std::uint32_t newest = no_slot;
    std::uint32_t oldest = no_slot;
    std::uint32_t size = 0;

    void push_newest(SlotPool& pool, std::uint32_t index) noexcept { push_newest(pool, index, pool[index]); }

    /// @param slot  That of `index`, for who has it at hand.
    void push_newest(SlotPool& pool, std::uint32_t index, ExecutionSlot& slot) noexcept {
        (slot.*Links) = {no_slot, newest};
        (newest == no_slot ? oldest : (pool[newest].*Links).newer) = index;
        newest = index;
        ++size;
    }

    void erase(SlotPool& pool, const ExecutionSlot& slot) noexcept {
        const SlotLinks links = slot.*Links;
        (links.newer == no_slot ? newest : (pool[links.newer].*Links).older) = links.older;
        (links.older == no_slot ? oldest : (pool[links.older].*Links).newer) = links.newer;
        --size;
    }
};

} // namespace daybook::inline v0::detail

#endif
