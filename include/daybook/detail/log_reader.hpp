// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_LOG_READER_HPP
#define DAYBOOK_DETAIL_LOG_READER_HPP

/// @file
/// Asking the log: pages, single records, figures. What is found is copied under the lock and built outside it.

#include <daybook/detail/log_core.hpp>
#include <daybook/log/execution_query.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

/// A page before its records have been built.
struct RawPage {
    std::vector<RawRecord> records;
    Total total;
    bool has_more = false;
    std::string next_cursor;
};

/// "order.id" of the last record of a page, in decimal.
inline std::string to_cursor(SortKey key) { return std::to_string(key.order) + '.' + std::to_string(key.id); }

inline SortKey parse_cursor(std::string_view text) {
    SortKey key;
    const char* end = text.data() + text.size();
    const auto order = std::from_chars(text.data(), end, key.order);
    if (order.ec == std::errc{} && order.ptr != end && *order.ptr == '.') {
        const auto id = std::from_chars(order.ptr + 1, end, key.id);
        if (id.ec == std::errc{} && id.ptr == end) { return key; }
    }
    throw std::invalid_argument{"ExecutionQuery: cursor must be the next_cursor of an earlier page"};
}

class LogReader {
public:
    explicit LogReader(const LogCore& core) : core_{core}, pool_{core.pool_}, index_{core.index_} {}

    [[nodiscard]] std::optional<RawRecord> find(ExecutionId id) const {
        const std::scoped_lock lock{core_.mutex_};
        const std::uint32_t index = core_.ids_.find(id);
        if (index == no_slot) { return std::nullopt; }
        return copy(index);
    }

    [[nodiscard]] StatsSnapshot stats() const {
        const std::scoped_lock lock{core_.mutex_};
        StatsSnapshot all = core_.stats_.snapshot();
        all.queued = index_.count(JobStatus::queued);
        all.running = index_.count(JobStatus::running);
        all.retained = core_.finished_.size();
        all.buffer_utilization =
            static_cast<double>(core_.finished_.size()) / static_cast<double>(core_.options_.capacity);
        for (const JobStatus status : all_statuses) { all.by_status.emplace(to_string(status), index_.count(status)); }
        return all;
    }

    /// Walks the list with the fewest records that holds every match, newest first; what the list does not say by
    /// itself is looked up in each record. A list that needs no such look knows its total, and is entered at the
    /// cursor.
    /// @throws std::invalid_argument  The cursor is malformed.
    [[nodiscard]] RawPage query(const ExecutionQuery& query) const {
        Statuses statuses = query.skips == Skips::include ? every_status : executions;
        if (query.status) { statuses = bit(*query.status); }
        return run(query, statuses);
    }

    /// The newest failures that match, final or not.
    /// @throws std::invalid_argument  The cursor is malformed.
    [[nodiscard]] RawPage failures(const ExecutionQuery& query) const {
        return run(query, bit(JobStatus::error) | bit(JobStatus::timeout) | bit(JobStatus::abandoned));
    }

private:
    using Statuses = std::uint32_t; ///< one bit for each
    static constexpr Statuses bit(JobStatus status) noexcept { return 1U << static_cast<unsigned>(status); }
    static constexpr Statuses every_status = (1U << status_count) - 1;
    static constexpr Statuses executions = every_status & ~(1U << static_cast<unsigned>(JobStatus::skipped));
    static constexpr std::array all_statuses{JobStatus::queued,    JobStatus::running, JobStatus::success,
                                             JobStatus::error,     JobStatus::timeout, JobStatus::cancelled,
                                             JobStatus::abandoned, JobStatus::skipped};

    /// Records looked at before the lock is given to others for a moment.
    static constexpr std::size_t slice = 4096;

    enum class ListKind : std::uint8_t { everything, of_status, of_job, of_handler, skips, job_skips, handler_skips };

    /// A place in one list.
    struct Stream {
        ListKind kind = ListKind::everything;
        JobStatus status = JobStatus::success;
        std::uint32_t at = no_slot;
    };

    /// What is left to look for, and through which lists. Valid while the lock is held.
    struct Plan {
        std::uint32_t job = no_slot;
        std::uint32_t handler = no_slot;
        Statuses statuses = executions;
        std::array<Stream, status_count + 1> streams;
        std::size_t stream_count = 0;
        std::uint64_t size = 0; ///< records in the streams
        bool is_exact = true;   ///< every record in the streams matches
        void add(ListKind kind, JobStatus status = JobStatus::success) {
            streams[stream_count++] = {.kind = kind, .status = status};
        }
    };

    /// A walk that may be interrupted: how far it came and what it found.
    struct Walk {
        SortKey bound;            ///< the next record is older than this
        bool is_counting = false; ///< the total is not known beforehand
        std::uint64_t seen = 0;   ///< matches, while counting
        std::size_t skipped = 0;  ///< for the offset
        RawPage page;
    };

    [[nodiscard]] RawPage run(const ExecutionQuery& query, Statuses statuses) const {
        const std::optional<SortKey> cursor =
            query.cursor.empty() ? std::nullopt : std::optional{parse_cursor(query.cursor)};
        Walk walk;
        for (bool is_first = true, is_done = false; !is_done; is_first = false) {
            const std::scoped_lock lock{core_.mutex_};
            std::optional<Plan> plan = plan_for(query, statuses);
            if (!plan) { break; }
            if (is_first) {
                walk.is_counting = !plan->is_exact;
                walk.bound = index_.newest_key();
                if (cursor && !walk.is_counting) { walk.bound = std::min(walk.bound, *cursor); }
                if (!walk.is_counting) { walk.page.total.count = plan->size; }
            }
            is_done = walk_slice(query, cursor, *plan, walk);
        }
        if (!walk.page.has_more) { walk.page.next_cursor.clear(); }
        return std::move(walk.page);
    }

    /// Empty when the query names a job or handler that is not in the log.
    [[nodiscard]] std::optional<Plan> plan_for(const ExecutionQuery& query, Statuses statuses) const {
        Plan plan;
        plan.statuses = statuses;
        const bool skips = (statuses & bit(JobStatus::skipped)) != 0;
        std::uint64_t of_status = 0;
        for (const JobStatus status : all_statuses) {
            if ((statuses & bit(status)) != 0) { of_status += index_.count(status); }
        }
        std::uint64_t of_job = UINT64_MAX;
        std::uint64_t of_handler = UINT64_MAX;
        if (!query.job_id.empty()) {
            const HashedNames name{query.job_id, {}, {}};
            plan.job = core_.jobs_.find(name.job, name.job_hash);
            if (plan.job == no_slot) { return std::nullopt; }
            const auto& lists = core_.jobs_[plan.job].lists;
            of_job = lists.executions.size + std::uint64_t{skips ? lists.skips.size : 0};
        }
        if (!query.handler_id.empty()) {
            const HashedNames name{query.handler_id, {}, {}};
            plan.handler = core_.handlers_.find(name.handler, name.handler_hash);
            if (plan.handler == no_slot) { return std::nullopt; }
            const auto& lists = core_.handlers_[plan.handler].lists;
            of_handler = lists.executions.size + std::uint64_t{skips ? lists.skips.size : 0};
        }
        const bool any_execution = (statuses & executions) == executions;
        plan.size = std::min({of_status, of_job, of_handler});
        if (plan.size == of_job && of_job != UINT64_MAX) {
            plan.is_exact = any_execution && plan.handler == no_slot;
            plan.add(ListKind::of_job);
            if (skips) { plan.add(ListKind::job_skips); }
        } else if (plan.size == of_handler && of_handler != UINT64_MAX) {
            plan.is_exact = any_execution && plan.job == no_slot;
            plan.add(ListKind::of_handler);
            if (skips) { plan.add(ListKind::handler_skips); }
        } else {
            plan.is_exact = plan.job == no_slot && plan.handler == no_slot;
            if (any_execution) {
                plan.add(ListKind::everything);
            } else {
                // Looking for one that nobody has would mean to look at all that the ring has overtaken.
                for (const JobStatus status : all_statuses) {
                    const bool is_wanted = (statuses & executions & bit(status)) != 0;
                    if (is_wanted && index_.count(status) != 0) { plan.add(ListKind::of_status, status); }
                }
            }
            if (skips) { plan.add(ListKind::skips); }
        }
        return plan;
    }

    /// @returns Whether the walk is over.
    [[nodiscard]] bool walk_slice(const ExecutionQuery& query, const std::optional<SortKey>& cursor, Plan& plan,
                                  Walk& walk) const {
        RawPage& page = walk.page;
        for (std::size_t i = 0; i < plan.stream_count; ++i) { enter(plan, plan.streams[i], walk.bound); }
        for (std::size_t looked_at = 0; looked_at < slice; ++looked_at) {
            Stream* newest = nullptr;
            for (std::size_t i = 0; i < plan.stream_count; ++i) {
                Stream& stream = plan.streams[i];
                if (stream.at == no_slot) { continue; }
                if (newest == nullptr || index_.key_of(newest->at) < index_.key_of(stream.at)) { newest = &stream; }
            }
            if (newest == nullptr) { return true; }
            const std::uint32_t index = newest->at;
            const SortKey key = index_.key_of(index);
            walk.bound = key;
            newest->at = next(*newest);
            if (!matches(plan, pool_[index])) { continue; }
            if (walk.is_counting) {
                ++walk.seen;
                page.total.is_exact = walk.seen <= Total::counted_to;
                page.total.count = std::min<std::uint64_t>(walk.seen, Total::counted_to);
            }
            if (cursor && key >= *cursor) { continue; }
            if (walk.skipped < query.offset) {
                ++walk.skipped;
            } else if (page.records.size() < query.limit) {
                page.records.push_back(copy(index));
                page.next_cursor = to_cursor(key);
            } else {
                page.has_more = true;
            }
            if (page.has_more && (!walk.is_counting || !page.total.is_exact)) { return true; }
        }
        return false;
    }

    [[nodiscard]] static bool matches(const Plan& plan, const ExecutionSlot& slot) noexcept {
        return (plan.job == no_slot || slot.job == plan.job) &&
               (plan.handler == no_slot || slot.handler == plan.handler) && (plan.statuses & bit(slot.status)) != 0;
    }

    void enter(const Plan& plan, Stream& stream, SortKey bound) const {
        switch (stream.kind) {
        case ListKind::everything: stream.at = index_.first_older(bound); break;
        case ListKind::of_status: stream.at = index_.first_older(bound, stream.status); break;
        case ListKind::skips: stream.at = seek(index_.skips(), bound); break;
        case ListKind::of_job: stream.at = seek(core_.jobs_[plan.job].lists.executions, bound); break;
        case ListKind::job_skips: stream.at = seek(core_.jobs_[plan.job].lists.skips, bound); break;
        case ListKind::of_handler: stream.at = seek(core_.handlers_[plan.handler].lists.executions, bound); break;
        case ListKind::handler_skips: stream.at = seek(core_.handlers_[plan.handler].lists.skips, bound); break;
        }
    }

    [[nodiscard]] std::uint32_t next(const Stream& stream) const {
        switch (stream.kind) {
        case ListKind::everything: return index_.next_older(stream.at);
        case ListKind::of_status: return index_.next_older(stream.at, stream.status);
        case ListKind::skips: return pool_[stream.at].by_order.older;
        case ListKind::of_job:
        case ListKind::job_skips: return pool_[stream.at].by_job.older;
        case ListKind::of_handler:
        case ListKind::handler_skips: return pool_[stream.at].by_handler.older;
        }
        return no_slot;
    }

    /// The newest member older than `bound`. O(1) when the record that `bound` was made from is still where it was, as
    /// the last of a page mostly is; else the way to it from the nearer end.
    template <SlotLinks ExecutionSlot::*Links>
    [[nodiscard]] std::uint32_t seek(const SlotList<Links>& list, SortKey bound) const {
        if (list.newest == no_slot || index_.key_of(list.newest) < bound) { return list.newest; }
        const std::uint32_t known = core_.ids_.find(bound.id);
        if (known != no_slot && index_.key_of(known) == bound && is_member(list, known)) {
            return (pool_[known].*Links).older;
        }
        std::uint32_t from_newest = list.newest;
        std::uint32_t from_oldest = list.oldest;
        if (index_.key_of(from_oldest) >= bound) { return no_slot; }
        while (true) {
            from_newest = (pool_[from_newest].*Links).older;
            if (index_.key_of(from_newest) < bound) { return from_newest; }
            const std::uint32_t newer = (pool_[from_oldest].*Links).newer;
            if (index_.key_of(newer) >= bound) { return from_oldest; }
            from_oldest = newer;
        }
    }

    /// Whether the record at `index` is in exactly this list, and not in another through the same links.
    template <SlotLinks ExecutionSlot::*Links>
    [[nodiscard]] bool is_member(const SlotList<Links>& list, std::uint32_t index) const {
        const ExecutionSlot& slot = pool_[index];
        const bool is_skip = slot.status == JobStatus::skipped;
        if constexpr (Links == &ExecutionSlot::by_job) {
            const auto& lists = core_.jobs_[slot.job].lists;
            return &list == (is_skip ? &lists.skips : &lists.executions);
        } else if constexpr (Links == &ExecutionSlot::by_handler) {
            const auto& lists = core_.handlers_[slot.handler].lists;
            return &list == (is_skip ? &lists.skips : &lists.executions);
        } else {
            return is_skip;
        }
    }

    [[nodiscard]] static std::optional<sys_time> instant(std::int64_t microseconds) {
        if (microseconds == ExecutionSlot::no_instant) { return std::nullopt; }
        return sys_time{std::chrono::microseconds{microseconds}};
    }

    [[nodiscard]] RawRecord copy(std::uint32_t index) const {
        const ExecutionSlot& slot = pool_[index];
        RawRecord raw;
        ExecutionFacts& facts = raw.facts;
        facts.id = slot.id;
        facts.occurrence_id = slot.occurrence_id;
        facts.job_id = core_.jobs_.name(slot.job);
        facts.handler_id = core_.handlers_.name(slot.handler);
        facts.method_name = core_.methods_.name(slot.method);
        facts.scheduled_at = instant(slot.scheduled_at);
        facts.queued_at = instant(slot.queued_at);
        facts.status = slot.status;
        facts.attempt_number = slot.attempt_number;
        facts.is_final = slot.is_final;
        facts.trigger = slot.trigger;
        facts.reason = slot.reason;
        facts.dst = slot.dst;
        if (slot.worker != no_slot) { facts.worker = slot.worker; }
        if (slot.status == JobStatus::skipped) {
            facts.completed_at = instant(slot.started_at);
            facts.skip_count = slot.count;
            facts.skip_count_is_minimum = slot.count_is_minimum;
        } else {
            facts.started_at = instant(slot.started_at);
            if (slot.count != ExecutionSlot::not_counted) { facts.records_processed = slot.count; }
        }
        if (slot.ran && is_finished(slot.status)) {
            facts.duration = std::chrono::nanoseconds{slot.steady};
            facts.completed_at = *facts.started_at + std::chrono::floor<std::chrono::microseconds>(*facts.duration);
        }
        if (slot.extras) {
            facts.progress = slot.extras->progress;
            facts.log_text = slot.extras->log_text;
            facts.parameters = slot.extras->parameters;
            facts.metadata = slot.extras->metadata;
        }
        raw.result = slot.result;
        raw.error = slot.error;
        return raw;
    }

    const LogCore& core_;
    const SlotPool& pool_;
    const ExecutionIndex& index_;
};

} // namespace daybook::inline v0::detail

#endif
