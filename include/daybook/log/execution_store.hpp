// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_LOG_EXECUTION_STORE_HPP
#define DAYBOOK_LOG_EXECUTION_STORE_HPP

/// @file
/// What a log asks of the place where its records last: rows in batches, each call with a deadline.

#include <daybook/log/execution_query.hpp>
#include <daybook/log/job_execution_record.hpp>
#include <daybook/log/stored_counters.hpp>
#include <daybook/types.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace daybook::inline v0 {

/// What kind of failure a store reports: it decides whether the same is worth being tried again.
enum class StoreFailure : std::uint8_t {
    unavailable, ///< nobody answers, the connection broke, the deadline passed: later it may work
    busy,        ///< somebody else holds what is needed: later it may work
    full,        ///< no space is left, or it may not be written to: later it may work
    refused,     ///< wrong settings, rights, schema or data: it will not work by itself
    unseated,    ///< in a fleet: another process has taken over what this one had, see fleet_store
    cleared,     ///< in a fleet: another process has cleared the history, and counts begin anew
};

/// The lower-case word for health reports, for instance "unavailable".
[[nodiscard]] constexpr std::string_view to_string(StoreFailure failure) noexcept {
    switch (failure) {
    case StoreFailure::unavailable: return "unavailable";
    case StoreFailure::busy: return "busy";
    case StoreFailure::full: return "full";
    case StoreFailure::refused: return "refused";
    case StoreFailure::unseated: return "unseated";
    case StoreFailure::cleared: return "cleared";
    }
    return "unknown";
}

/// A store could not do what it was asked; what it was asked to write is not written, or may have been (a commit that
/// died with its connection): writing the same again is harmless.
class StoreError : public std::runtime_error {
public:
    StoreError(StoreFailure failure, const std::string& what) : std::runtime_error{what}, failure_{failure} {}

    [[nodiscard]] StoreFailure failure() const noexcept { return failure_; }

private:
    StoreFailure failure_;
};

/// One execution as a store keeps it: the record, with the result as the JSON text that its ResultCodec writes.
struct StoredExecution : ExecutionFacts {
    std::optional<std::string> result = {};

    /// Microseconds since the epoch: where it stands in the order of the log. That of the start (queued ones: of the
    /// hand-over; skips: of when the first was counted), but never less than that of what came before: the wall clock
    /// may be set back. Ties are decided by the id.
    std::int64_t position = 0;
};

/// The place of a record in a list, to go on after it. Those with the same key follow each other by id: the larger one
/// first, but in a list that is sorted by `SortBy::oldest` the smaller one.
struct StorePlace {
    std::int64_t key = 0; ///< what the list is sorted by, see store_key
    ExecutionId id = 0;

    friend bool operator==(const StorePlace&, const StorePlace&) = default;
};

/// What a list that is sorted so is sorted by: `position`, the duration in nanoseconds, or the drift in microseconds.
/// Empty: the record is not in such a list.
[[nodiscard]] inline std::optional<std::int64_t> store_key(const StoredExecution& execution, SortBy sort) {
    switch (sort) {
    case SortBy::newest:
    case SortBy::oldest: return execution.position;
    case SortBy::longest:
    case SortBy::shortest:
        return execution.duration ? std::optional{std::int64_t{execution.duration->count()}} : std::nullopt;
    case SortBy::most_drift:
    case SortBy::least_drift:
        const auto drift = execution.drift();
        return drift ? std::optional{std::int64_t{drift->count()}} : std::nullopt;
    }
    return std::nullopt;
}

/// Which records a store is to list.
struct StoreQuery {
    /// All of it counts but `cursor`, `limit`, `offset`, `status`, `skips` and `totals`: those are settled here.
    /// A range of time is one of `position`.
    ExecutionQuery filter = {};
    StatusSet status = {}; ///< never empty: only these
    std::optional<StorePlace> after = {};
    std::size_t offset = 0;
    std::size_t limit = 100;
};

/// What a store has found.
struct StoredPage {
    std::vector<StoredExecution> executions = {}; ///< in the order asked for

    /// Where the search stopped because it had looked at `max_scanned` records: the place to go on after. Empty: there
    /// are no further matches but those past `limit`. Only for filters that no index answers. In a list that is sorted
    /// by duration or drift it is the `position` and id of the oldest record looked at, and no place to go on after:
    /// the page is right about what is newer.
    std::optional<StorePlace> stopped_at = {};
};

/// Until when everything of a job's schedule is accounted for: all nominal times up to this one have their record.
struct AccountedTime {
    std::string job_id = {};
    sys_time until = {};
};

/// What is written at once: all of it or nothing.
struct StoreBatch {
    /// Each id once. New ones are inserted. Those that are there are replaced, unless what is there has finished (but a
    /// `skipped` one is replaced by one with a larger count, and an `abandoned` one that is not final by one that is):
    /// so that writing twice is harmless.
    std::span<const StoredExecution> executions = {};
    std::span<const AccountedTime> accounted = {}; ///< never moves a job's time back; unknown jobs are left out

    /// Absolute values, for StoreOpening::node: each replaces the row with the same key.
    std::span<const StoredCounters> counters = {};

    /// In a fleet: claims of this process that are over, see Claim. Those it does not have are left out.
    std::span<const ExecutionId> released = {};
};

/// Who opens a store.
struct StoreOpening {
    std::string node = {}; ///< what the process calls itself in the records; not empty, at most 255 bytes
};

/// What may be forgotten. Only what has finished goes, the oldest by `position` first.
struct StoreRetention {
    std::optional<sys_time> finished_before = {}; ///< by `position`
    std::optional<std::uint64_t> max_records = {};
    std::size_t batch = 1000; ///< records removed by one call at most
};

/// The instant of the system's steady clock by which a call has to be back.
using StoreDeadline = std::chrono::steady_clock::time_point;

/// A place where executions last. Every call may throw StoreError, and is back by its deadline, give or take what the
/// system needs. Calls come from several threads, but one at a time: AnyStore sees to it.
///
/// | | |
/// |---|---|
/// | `open(opening, deadline)` | connects, makes or migrates its tables, and takes possession: what another process
/// writes to is refused (`busy`). First of all |
/// | `close()` | gives up what it holds, so that somebody else may open it, or this object again; does not throw | |
/// `write(batch, deadline)` | see StoreBatch | | `read(query, deadline)` | see StoreQuery, StoredPage | | `count(query,
/// up_to, deadline)` | how many match, counted up to a bound; `after`, `offset` and `limit` do not count | | `find(id,
/// deadline)` | one record | | `unfinished(deadline)` | what is `queued` or `running`; and the last attempts of
/// occurrences that have finished and are not final. Ordered by `position` | | `counters(deadline)` | all of all nodes
/// | | `fold_counters(rows, deadline)` | puts these rows in place of all there are: what nodes that are gone have
/// counted becomes one row each | | `retained(deadline)` | how many records there are; O(1) | | `clear(deadline)` |
/// removes what has finished and all counters but those of scope `lifetime`; returns how many records went | |
/// `prune(retention, deadline)` | removes one batch; returns how many went |
template <class Store>
concept execution_store = requires(Store& store, const StoreOpening& opening, const StoreBatch& batch,
                                   const StoreQuery& query, const StoreRetention& retention,
                                   std::span<const StoredCounters> rows, ExecutionId id, std::uint64_t up_to,
                                   StoreDeadline deadline) {
    store.open(opening, deadline);
    store.close();
    store.write(batch, deadline);
    { store.read(query, deadline) } -> std::same_as<StoredPage>;
    { store.count(query, up_to, deadline) } -> std::same_as<std::uint64_t>;
    { store.find(id, deadline) } -> std::same_as<std::optional<StoredExecution>>;
    { store.unfinished(deadline) } -> std::same_as<std::vector<StoredExecution>>;
    { store.counters(deadline) } -> std::same_as<std::vector<StoredCounters>>;
    store.fold_counters(rows, deadline);
    { store.retained(deadline) } -> std::same_as<std::uint64_t>;
    { store.clear(deadline) } -> std::same_as<std::uint64_t>;
    { store.prune(retention, deadline) } -> std::same_as<std::uint64_t>;
};

} // namespace daybook::inline v0

#endif
