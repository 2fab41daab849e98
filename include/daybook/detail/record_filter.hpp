// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_RECORD_FILTER_HPP
#define DAYBOOK_DETAIL_RECORD_FILTER_HPP

/// @file
/// What a query asks of one record, all but its text.

#include <daybook/detail/execution_index.hpp>
#include <daybook/detail/execution_slot.hpp>
#include <daybook/detail/query_cursor.hpp>
#include <daybook/detail/time_blocks.hpp>
#include <daybook/log/execution_query.hpp>
#include <daybook/types.hpp>

#include <array>
#include <cstdint>

namespace daybook::inline v0::detail {

inline constexpr std::array all_statuses{JobStatus::queued,    JobStatus::running, JobStatus::success,
                                         JobStatus::error,     JobStatus::timeout, JobStatus::cancelled,
                                         JobStatus::abandoned, JobStatus::skipped};

/// The statuses that a query lists.
[[nodiscard]] inline StatusSet statuses_of(const ExecutionQuery& query) noexcept {
    if (!query.status.empty()) { return query.status; }
    StatusSet all{JobStatus::queued,  JobStatus::running,   JobStatus::success,  JobStatus::error,
                  JobStatus::timeout, JobStatus::cancelled, JobStatus::abandoned};
    if (query.skips == Skips::include) { all.insert(JobStatus::skipped); }
    return all;
}

class RecordFilter {
public:
    /// @param query  Must outlive the filter.
    RecordFilter(const ExecutionQuery& query, StatusSet wanted) noexcept : statuses{wanted}, query_{query} {
        if (query.started_from) { times.from = query.started_from->time_since_epoch().count(); }
        if (query.started_to) { times.to = query.started_to->time_since_epoch().count(); }
        asks_rest_ = query.attempt_number || query.finality || query.min_duration || query.max_duration ||
                     !query.metadata_key.empty() || query.occurrence_id != 0 || !is_by_start(query.sort);
        asks_more_ = asks_rest_ || query.attempts == Attempts::last;
    }

    /// Whether nothing is asked but what the choice of a list can answer: names, statuses, times.
    [[nodiscard]] bool is_of_lists() const noexcept { return !asks_more_ && method == no_slot; }

    /// Whether nothing is asked but statuses, and for the last attempts of these.
    [[nodiscard]] bool is_of_last_attempts() const noexcept {
        return query_.attempts == Attempts::last && !asks_rest_ && times.is_everything() && job == no_slot &&
               handler == no_slot && method == no_slot;
    }

    [[nodiscard]] bool matches(const ExecutionSlot& slot) const noexcept {
        return (job == no_slot || slot.job == job) && (handler == no_slot || slot.handler == handler) &&
               statuses.contains(slot.status) && (times.is_everything() || times.contains(began_at(slot))) &&
               (method == no_slot || slot.method == method) && (!asks_more_ || matches_rest(slot));
    }

    StatusSet statuses;
    TimeRange times;

    // Names as the log's tables number them, valid while its lock is held; `no_slot` where none is asked for.
    std::uint32_t job = no_slot;
    std::uint32_t handler = no_slot;
    std::uint32_t method = no_slot;
    std::uint32_t handler_in_place = no_slot; ///< of MissingMetadata::handler_id

private:
    [[nodiscard]] bool matches_rest(const ExecutionSlot& slot) const noexcept {
        if (query_.attempts == Attempts::last && is_finished(slot.status) && !slot.is_final) { return false; }
        if (query_.occurrence_id != 0 && slot.occurrence_id != query_.occurrence_id) { return false; }
        if (query_.attempt_number && slot.attempt_number != *query_.attempt_number) { return false; }
        if (query_.finality) {
            const bool wants_final = *query_.finality == Finality::final_attempt;
            if (!is_finished(slot.status) || slot.is_final != wants_final) { return false; }
        }
        if (query_.min_duration || query_.max_duration) {
            if (!slot.ran || !is_finished(slot.status)) { return false; }
            if (query_.min_duration && slot.steady < query_.min_duration->count()) { return false; }
            if (query_.max_duration && slot.steady > query_.max_duration->count()) { return false; }
        }
        return has_metadata(slot) && sort_value(query_.sort, slot).has_value();
    }

    [[nodiscard]] bool has_metadata(const ExecutionSlot& slot) const noexcept {
        if (query_.metadata_key.empty()) { return true; }
        const bool has_place = query_.missing_metadata == MissingMetadata::handler_id;
        if (slot.extras) {
            for (const auto& entry : slot.extras->metadata) {
                if (entry.first != query_.metadata_key || (has_place && entry.second.empty())) { continue; }
                return !query_.metadata_value || entry.second == *query_.metadata_value;
            }
        }
        return has_place && (!query_.metadata_value || slot.handler == handler_in_place);
    }

    const ExecutionQuery& query_;
    bool asks_rest_ = false;
    bool asks_more_ = false; ///< that, or for last attempts
};

} // namespace daybook::inline v0::detail

#endif
