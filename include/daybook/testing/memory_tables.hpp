// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTING_MEMORY_TABLES_HPP
#define DAYBOOK_TESTING_MEMORY_TABLES_HPP

/// @file
/// What a MemoryStore holds of executions, jobs and counters, and how they are changed and searched.

#include <daybook/log/execution_store.hpp>
#include <daybook/log/job_store.hpp>
#include <daybook/testing/store_filter.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace daybook::inline v0::testing {

/// Maps, and searches from end to end.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: safe to read.
struct MemoryTables {
    using CounterKey = std::tuple<std::string, CounterScope, std::string, sys_time>;

    std::map<ExecutionId, StoredExecution> executions = {};
    std::map<std::string, StoredJob, std::less<>> jobs = {};
    std::map<CounterKey, StoredCounters> counters = {};

    // As StoreBatch says.
    void put(const StoredExecution& execution);
    void put(const AccountedTime& accounted);
    void put(const StoredCounters& row, const std::string& node);

    [[nodiscard]] StoredPage read(const StoreQuery& query) const;
    [[nodiscard]] std::uint64_t count(const StoreQuery& query, std::uint64_t up_to) const;

    /// Ordered by `position`.
    [[nodiscard]] std::vector<StoredExecution> unfinished() const;
    std::uint64_t clear();
    std::uint64_t clearings = 0; ///< times that it was called
    std::uint64_t prune(const StoreRetention& retention);

    /// Ends what a node has queued or running; returns those.
    std::vector<StoredExecution> abandon(const std::string& node, sys_time now);

    /// The one with the largest attempt_number.
    [[nodiscard]] std::optional<StoredExecution> last_attempt(ExecutionId occurrence) const;
};

inline void MemoryTables::put(const StoredExecution& execution) {
    const auto [entry, is_new] = executions.try_emplace(execution.id, execution);
    StoredExecution& there = entry->second;
    const auto are_both = [&](JobStatus status) { return there.status == status && execution.status == status; };
    const bool is_later_skip = are_both(JobStatus::skipped) && execution.skip_count > there.skip_count;
    const bool is_end = are_both(JobStatus::abandoned) && !there.is_final && execution.is_final;
    if (!is_new && (!is_finished(there.status) || is_later_skip || is_end)) { there = execution; }
}

inline void MemoryTables::put(const AccountedTime& accounted) {
    const auto job = jobs.find(accounted.job_id);
    if (job == jobs.end()) { return; }
    auto& until = job->second.accounted_to;
    until = until ? std::max(*until, accounted.until) : accounted.until;
}

inline void MemoryTables::put(const StoredCounters& row, const std::string& node) {
    StoredCounters own = row;
    if (own.node.empty()) { own.node = node; }
    counters.insert_or_assign(CounterKey{own.node, own.scope, own.name, own.period}, own);
}

inline StoredPage MemoryTables::read(const StoreQuery& query) const {
    StoredPage page;
    if (query.limit == 0) { return page; }
    const StoreFilter filter{query};
    std::vector<const StoredExecution*> list;
    for (const auto& [id, execution] : executions) {
        if (filter.is_in_list(execution) && filter.is_after(execution, executions)) { list.push_back(&execution); }
    }
    const auto by_place = [&](const StoredExecution* one, const StoredExecution* other) {
        const bool is_less = std::tuple{one->position, one->id} < std::tuple{other->position, other->id};
        return one != other && is_less == (query.filter.sort == SortBy::oldest);
    };
    std::sort(list.begin(), list.end(), by_place);
    const std::size_t most = std::max<std::size_t>(1, query.filter.max_scanned);
    const bool is_cut = filter.is_scan() && list.size() > most;
    if (is_cut) { list.resize(most); }
    const StorePlace last = is_cut ? StorePlace{list.back()->position, list.back()->id} : StorePlace{};
    std::erase_if(list, [&](const StoredExecution* execution) { return !filter.matches(*execution); });
    std::stable_sort(list.begin(), list.end(), [&](const StoredExecution* one, const StoredExecution* other) {
        return filter.comes_first(*one, *other);
    });
    for (std::size_t i = query.offset; i < list.size() && page.executions.size() < query.limit; ++i) {
        page.executions.push_back(*list[i]);
    }
    const bool is_full = filter.is_by_start() && page.executions.size() == query.limit;
    if (is_cut && !is_full) { page.stopped_at = last; }
    return page;
}

inline std::uint64_t MemoryTables::count(const StoreQuery& query, std::uint64_t up_to) const {
    const StoreFilter filter{query};
    std::uint64_t found = 0;
    for (const auto& [id, execution] : executions) {
        if (found < up_to && filter.is_in_list(execution) && filter.matches(execution)) { ++found; }
    }
    return found;
}

inline std::vector<StoredExecution> MemoryTables::unfinished() const {
    const auto is_last = [&](const StoredExecution& execution) {
        return std::none_of(executions.begin(), executions.end(), [&](const auto& other) {
            return other.second.occurrence_id == execution.occurrence_id &&
                   other.second.attempt_number > execution.attempt_number;
        });
    };
    std::vector<StoredExecution> found;
    for (const auto& [id, execution] : executions) {
        const bool may_go_on = !execution.is_final && execution.status != JobStatus::skipped;
        if (!is_finished(execution.status) || (may_go_on && is_last(execution))) { found.push_back(execution); }
    }
    std::stable_sort(found.begin(), found.end(), [](const StoredExecution& one, const StoredExecution& other) {
        return one.position < other.position;
    });
    return found;
}

inline std::uint64_t MemoryTables::clear() {
    ++clearings;
    std::erase_if(counters, [](const auto& row) { return row.second.scope != CounterScope::lifetime; });
    return std::uint64_t{std::erase_if(executions, [](const auto& entry) { return is_finished(entry.second.status); })};
}

inline std::uint64_t MemoryTables::prune(const StoreRetention& retention) {
    std::set<std::tuple<std::int64_t, ExecutionId>> finished; // the oldest first
    for (const auto& [id, execution] : executions) {
        if (is_finished(execution.status)) { finished.insert({execution.position, id}); }
    }
    std::uint64_t removed = 0;
    for (const auto& [position, id] : finished) {
        const bool is_old =
            retention.finished_before && position < retention.finished_before->time_since_epoch().count();
        const bool is_too_many = retention.max_records && executions.size() > *retention.max_records;
        if ((!is_old && !is_too_many) || removed == retention.batch) { break; }
        executions.erase(id);
        ++removed;
    }
    return removed;
}

inline std::vector<StoredExecution> MemoryTables::abandon(const std::string& node, sys_time now) {
    std::vector<StoredExecution> ended;
    for (auto& [id, execution] : executions) {
        if (execution.node != node || is_finished(execution.status)) { continue; }
        execution.status = JobStatus::abandoned;
        execution.is_final = false;
        execution.completed_at = now;
        ended.push_back(execution);
    }
    return ended;
}

inline std::optional<StoredExecution> MemoryTables::last_attempt(ExecutionId occurrence) const {
    const StoredExecution* last = nullptr;
    for (const auto& [id, execution] : executions) {
        if (execution.occurrence_id != occurrence) { continue; }
        if (last == nullptr || execution.attempt_number >= last->attempt_number) { last = &execution; }
    }
    return last == nullptr ? std::nullopt : std::optional{*last};
}

} // namespace daybook::inline v0::testing

#endif
