// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_RECORD_STREAMS_HPP
#define DAYBOOK_DETAIL_RECORD_STREAMS_HPP

/// @file
/// The lists of a log that together hold every match of a query, read as one, in either direction.

#include <daybook/detail/execution_index.hpp>
#include <daybook/detail/execution_slot.hpp>
#include <daybook/detail/id_index.hpp>
#include <daybook/detail/log_entries.hpp>
#include <daybook/detail/log_mutex.hpp>
#include <daybook/detail/name_table.hpp>
#include <daybook/detail/record_filter.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace daybook::inline v0::detail {

/// The parts of a log that a reader goes through.
struct LogView {
    const SlotPool& pool;
    const ExecutionIndex& index;
    const IdIndex& ids;
    const NameTable<NameEntry<&ExecutionSlot::by_job>>& jobs;
    const NameTable<NameEntry<&ExecutionSlot::by_handler>>& handlers;
    const NameTable<char>& methods;
    LogMutex& mutex; ///< guards all of them
};

enum class Direction : std::uint8_t { older, newer };

/// Whether a list by job or handler may be chosen. Where the place in one is not found, the ring has it.
enum class ListChoice : std::uint8_t { shortest, ring };

/// Where a walk stands while it does not hold the lock.
struct WalkPlace {
    SortKey bound; ///< the next record lies beyond this
    // What stood right beyond it, in each kind of list, so that no list has to be searched for the place.
    ExecutionId next_execution = 0;
    ExecutionId next_skip = 0;
};

/// Valid while the log's lock is held.
class RecordStreams {
public:
    RecordStreams(const LogView& log, const RecordFilter& filter, Direction direction, ListChoice choice)
        : log_{log}, filter_{filter}, direction_{direction} {
        if (!filter.times.is_everything()) { find_times(); }
        choose(choice);
    }

    /// Records in these lists.
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

    /// Whether the lists hold nothing but matches, the order of the log's own ring apart.
    [[nodiscard]] bool are_all_matches() const noexcept { return are_all_matches_; }

    /// Whether one of them is the list of a job or a handler.
    [[nodiscard]] bool is_named() const noexcept { return is_named_; }

    /// @returns False: the place in one of the lists could not be found in reasonable time.
    [[nodiscard]] bool enter(const WalkPlace& place) noexcept {
        for (std::size_t i = 0; i < count_; ++i) {
            const auto at = enter(streams_[i], place);
            if (!at) { return false; }
            streams_[i].at = *at;
        }
        return true;
    }

    /// The next record in the direction of the walk, or `no_slot`.
    [[nodiscard]] std::uint32_t take() noexcept {
        Stream* best = nullptr;
        for (std::size_t i = 0; i < count_; ++i) {
            Stream& stream = streams_[i];
            if (stream.at == no_slot) { continue; }
            if (best == nullptr || comes_before(stream.at, best->at)) { best = &stream; }
        }
        if (best == nullptr) { return no_slot; }
        const std::uint32_t index = best->at;
        best->at = next(*best);
        return index;
    }

    /// Notes where the walk stands after it has taken the record at `index`.
    void leave(std::uint32_t index, WalkPlace& place) const noexcept {
        place.bound = log_.index.key_of(index);
        place.next_execution = place.next_skip = 0;
        // What is not wanted in the overtaken list now may be later, when the ring has overtaken the bound as well.
        if (const auto& overtaken = log_.index.overtaken(); !is_named_ && overtaken.newest != no_slot) {
            place.next_execution = log_.pool[overtaken.newest].id;
        }
        for (std::size_t i = 0; i < count_; ++i) {
            const Stream& stream = streams_[i];
            if (stream.at == no_slot || stream.kind == Kind::in_ring) { continue; }
            (is_of_skips(stream.kind) ? place.next_skip : place.next_execution) = log_.pool[stream.at].id;
        }
    }

private:
    enum class Kind : std::uint8_t { in_ring, overtaken, of_job, of_handler, skips, job_skips, handler_skips };

    struct Stream {
        Kind kind = Kind::in_ring;
        const PositionSet* set = nullptr; ///< of a stream in the ring
        std::uint32_t at = no_slot;
    };

    struct List {
        std::uint32_t newest;
        std::uint32_t oldest;
        SlotLinks ExecutionSlot::*links;
    };

    /// Of a list that has to be searched, from both ends.
    static constexpr std::size_t max_steps = 1024;

    static constexpr bool is_of_skips(Kind kind) noexcept { return kind >= Kind::skips; }

    void add(Kind kind, const PositionSet* set = nullptr) noexcept {
        streams_[count_++] = {.kind = kind, .set = set, .at = no_slot};
    }

    /// Which positions in the ring the range of time begins and ends with.
    void find_times() noexcept {
        const ExecutionIndex& index = log_.index;
        const TimeBlocks& times = index.times();
        last_ = times.last_up_to(index.next_position() - 1, index.first_position(), filter_.times);
        first_ = times.first_from(index.first_position(), index.next_position(), filter_.times);
        if (!last_ || !first_) { last_ = first_ = std::nullopt; }
        may_be_overtaken_ = times.may_have_overtaken(filter_.times);
    }

    void choose(ListChoice choice) noexcept {
        const ExecutionIndex& index = log_.index;
        const bool skips = filter_.statuses.contains(JobStatus::skipped);
        bool any_execution = true;
        bool no_execution = true;
        std::uint64_t in_ring = 0;
        std::uint64_t overtaken = 0;
        for (const JobStatus status : all_statuses) {
            const bool is_wanted = filter_.statuses.contains(status);
            if (is_wanted) {
                in_ring += index.count(status);
                overtaken += index.count_overtaken(status);
            }
            if (status == JobStatus::skipped) { continue; }
            any_execution = any_execution && is_wanted;
            no_execution = no_execution && !is_wanted;
        }
        if (!filter_.times.is_everything()) {
            const std::uint64_t in_time = (first_ ? *last_ - *first_ + 1 : 0) + (may_be_overtaken_ ? overtaken : 0) +
                                          std::uint64_t{skips ? index.skips().size : 0};
            in_ring = std::min(in_ring, in_time);
        }
        std::uint64_t of_job = UINT64_MAX;
        std::uint64_t of_handler = UINT64_MAX;
        if (choice == ListChoice::shortest) {
            if (filter_.job != no_slot) { of_job = size_of(log_.jobs[filter_.job].lists, !no_execution, skips); }
            if (filter_.handler != no_slot) {
                of_handler = size_of(log_.handlers[filter_.handler].lists, !no_execution, skips);
            }
        }
        size_ = std::min({in_ring, of_job, of_handler});
        const bool knows_rest = filter_.is_of_lists() && filter_.times.is_everything();
        if (of_job != UINT64_MAX && size_ == of_job) {
            are_all_matches_ = knows_rest && (any_execution || no_execution) && filter_.handler == no_slot;
            is_named_ = true;
            if (!no_execution) { add(Kind::of_job); }
            if (skips) { add(Kind::job_skips); }
        } else if (of_handler != UINT64_MAX && size_ == of_handler) {
            are_all_matches_ = knows_rest && (any_execution || no_execution) && filter_.job == no_slot;
            is_named_ = true;
            if (!no_execution) { add(Kind::of_handler); }
            if (skips) { add(Kind::handler_skips); }
        } else {
            are_all_matches_ = knows_rest && filter_.job == no_slot && filter_.handler == no_slot;
            if (any_execution) {
                add(Kind::in_ring, &index.in_ring());
            } else {
                for (const JobStatus status : all_statuses) {
                    const bool is_wanted = filter_.statuses.contains(status) && status != JobStatus::skipped;
                    if (is_wanted && index.count(status) != 0) { add(Kind::in_ring, &index.in_ring(status)); }
                }
            }
            if (overtaken != 0 && may_be_overtaken_) { add(Kind::overtaken); }
            if (skips) { add(Kind::skips); }
        }
    }

    template <class Lists>
    [[nodiscard]] static std::uint64_t size_of(const Lists& lists, bool executions, bool skips) noexcept {
        return std::uint64_t{executions ? lists.executions.size : 0} + (skips ? lists.skips.size : 0);
    }

    [[nodiscard]] bool comes_before(std::uint32_t one, std::uint32_t other) const noexcept {
        return direction_ == Direction::older ? log_.index.key_of(one) > log_.index.key_of(other)
                                              : log_.index.key_of(one) < log_.index.key_of(other);
    }

    [[nodiscard]] bool is_beyond(std::uint32_t index, SortKey bound) const noexcept {
        return direction_ == Direction::older ? log_.index.key_of(index) < bound : log_.index.key_of(index) > bound;
    }

    [[nodiscard]] std::optional<std::uint32_t> enter(const Stream& stream, const WalkPlace& place) const noexcept {
        if (stream.kind == Kind::in_ring) { return enter_ring(*stream.set, place.bound); }
        const ExecutionId hint = is_of_skips(stream.kind) ? place.next_skip : place.next_execution;
        const auto at = enter_list(stream.kind, moved_to_times(stream.kind, place.bound), hint);
        return at ? within_times(stream.kind, *at) : at;
    }

    [[nodiscard]] std::uint32_t next(const Stream& stream) const noexcept {
        if (stream.kind == Kind::in_ring) { return enter_ring(*stream.set, log_.index.key_of(stream.at)); }
        return within_times(stream.kind, beyond(log_.pool[stream.at].*links_of(stream.kind)));
    }

    /// O(1); with a range of time O(log n) and a step for each stretch of the ring that has nothing in it.
    [[nodiscard]] std::uint32_t enter_ring(const PositionSet& set, SortKey bound) const noexcept {
        const ExecutionIndex& index = log_.index;
        const bool is_timed = !filter_.times.is_everything();
        if (is_timed && !first_) { return no_slot; }
        if (direction_ == Direction::older) {
            std::uint64_t end = (bound.order + 1) / 2;
            while (end != 0) {
                const std::uint32_t found = index.last_up_to(set, end - 1);
                if (found == no_slot || !is_timed) { return found; }
                const std::uint64_t position = log_.pool[found].order / 2;
                const auto nearest = index.times().last_up_to(position, index.first_position(), filter_.times);
                if (!nearest) { return no_slot; }
                if (*nearest == position) { return found; }
                end = *nearest + 1;
            }
            return no_slot;
        }
        for (std::uint64_t first = bound.order / 2 + 1;;) {
            const std::uint32_t found = index.first_from(set, first);
            if (found == no_slot || !is_timed) { return found; }
            const std::uint64_t position = log_.pool[found].order / 2;
            const auto nearest = index.times().first_from(position, index.next_position(), filter_.times);
            if (!nearest) { return no_slot; }
            if (*nearest == position) { return found; }
            first = *nearest;
        }
    }

    /// A list of one name is entered where the range of time begins; a list of skips does not know where that is.
    [[nodiscard]] SortKey moved_to_times(Kind kind, SortKey bound) const noexcept {
        if (!is_bounded_by_times(kind) || !first_) { return bound; }
        if (direction_ == Direction::older) { return std::min(bound, SortKey{2 * *last_ + 1, UINT64_MAX}); }
        return may_be_overtaken_ || *first_ == 0 ? bound : std::max(bound, SortKey{2 * *first_ - 1, 0});
    }

    /// Ends a list behind the range of time.
    [[nodiscard]] std::uint32_t within_times(Kind kind, std::uint32_t at) const noexcept {
        if (at == no_slot || !is_bounded_by_times(kind)) { return at; }
        const ExecutionSlot& slot = log_.pool[at];
        if (!slot.in_ring) { return may_be_overtaken_ || direction_ == Direction::newer ? at : no_slot; }
        if (direction_ == Direction::older) {
            return may_be_overtaken_ || (first_ && slot.order / 2 >= *first_) ? at : no_slot;
        }
        return last_ && slot.order / 2 <= *last_ ? at : no_slot;
    }

    [[nodiscard]] bool is_bounded_by_times(Kind kind) const noexcept {
        return !filter_.times.is_everything() && (kind == Kind::of_job || kind == Kind::of_handler);
    }

    /// The first member beyond `bound`. O(1) when it, or the record that `bound` is made of, is where it was; else the
    /// way to it from the nearest of the hinted record and the two ends, and empty when that is too long.
    [[nodiscard]] std::optional<std::uint32_t> enter_list(Kind kind, SortKey bound, ExecutionId hint) const noexcept {
        const List list = list_of(kind);
        std::uint32_t from_front = direction_ == Direction::older ? list.newest : list.oldest;
        std::uint32_t from_back = direction_ == Direction::older ? list.oldest : list.newest;
        if (from_front == no_slot || is_beyond(from_front, bound)) { return from_front; }
        if (!is_beyond(from_back, bound)) { return no_slot; }
        const auto& links_at = [&](std::uint32_t index) -> const SlotLinks& { return log_.pool[index].*list.links; };
        if (const std::uint32_t known = log_.ids.find(bound.id);
            known != no_slot && log_.index.key_of(known) == bound && is_in(kind, known)) {
            return beyond(links_at(known));
        }
        std::uint32_t from_hint = hint == 0 ? no_slot : log_.ids.find(hint);
        if (from_hint != no_slot && !is_in(kind, from_hint)) { from_hint = no_slot; }
        const bool is_hint_beyond = from_hint != no_slot && is_beyond(from_hint, bound);
        for (std::size_t step = 0; step < max_steps; ++step) {
            if (is_hint_beyond) {
                const std::uint32_t before = back(links_at(from_hint));
                if (!is_beyond(before, bound)) { return from_hint; }
                from_hint = before;
            } else if (from_hint != no_slot) {
                from_hint = beyond(links_at(from_hint));
                if (is_beyond(from_hint, bound)) { return from_hint; }
            }
            from_front = beyond(links_at(from_front));
            if (is_beyond(from_front, bound)) { return from_front; }
            const std::uint32_t before = back(links_at(from_back));
            if (!is_beyond(before, bound)) { return from_back; }
            from_back = before;
        }
        return std::nullopt;
    }

    [[nodiscard]] std::uint32_t beyond(const SlotLinks& links) const noexcept {
        return direction_ == Direction::older ? links.older : links.newer;
    }
    [[nodiscard]] std::uint32_t back(const SlotLinks& links) const noexcept {
        return direction_ == Direction::older ? links.newer : links.older;
    }

    [[nodiscard]] static SlotLinks ExecutionSlot::*links_of(Kind kind) noexcept {
        if (kind == Kind::of_job || kind == Kind::job_skips) { return &ExecutionSlot::by_job; }
        if (kind == Kind::of_handler || kind == Kind::handler_skips) { return &ExecutionSlot::by_handler; }
        return &ExecutionSlot::by_order;
    }

    [[nodiscard]] List list_of(Kind kind) const noexcept {
        const auto made = [kind](const auto& list) { return List{list.newest, list.oldest, links_of(kind)}; };
        switch (kind) {
        case Kind::of_job: return made(log_.jobs[filter_.job].lists.executions);
        case Kind::job_skips: return made(log_.jobs[filter_.job].lists.skips);
        case Kind::of_handler: return made(log_.handlers[filter_.handler].lists.executions);
        case Kind::handler_skips: return made(log_.handlers[filter_.handler].lists.skips);
        case Kind::skips: return made(log_.index.skips());
        case Kind::in_ring:
        case Kind::overtaken: break;
        }
        return made(log_.index.overtaken());
    }

    /// Whether the record at `index` is in exactly this list, and not in another through the same links.
    [[nodiscard]] bool is_in(Kind kind, std::uint32_t index) const noexcept {
        const ExecutionSlot& slot = log_.pool[index];
        if ((slot.status == JobStatus::skipped) != is_of_skips(kind)) { return false; }
        switch (kind) {
        case Kind::of_job:
        case Kind::job_skips: return slot.job == filter_.job;
        case Kind::of_handler:
        case Kind::handler_skips: return slot.handler == filter_.handler;
        case Kind::skips: return true;
        case Kind::in_ring:
        case Kind::overtaken: break;
        }
        return !slot.in_ring;
    }

    const LogView& log_;
    const RecordFilter& filter_;
    Direction direction_;
    std::array<Stream, status_count + 1> streams_;
    std::size_t count_ = 0;
    std::uint64_t size_ = 0;
    bool are_all_matches_ = false;
    bool is_named_ = false;
    bool may_be_overtaken_ = true;
    std::optional<std::uint64_t> first_;
    std::optional<std::uint64_t> last_;
};

} // namespace daybook::inline v0::detail

#endif
