// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_LOG_EXECUTION_QUERY_HPP
#define DAYBOOK_LOG_EXECUTION_QUERY_HPP

/// @file
/// What one may ask a log for, and the page that answers.

#include <daybook/fwd.hpp>
#include <daybook/log/execution.hpp>
#include <daybook/log/job_execution_record.hpp>
#include <daybook/types.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

namespace daybook::inline v0 {

/// Some of the statuses, or none.
class StatusSet {
public:
    constexpr StatusSet() noexcept = default;
    constexpr StatusSet(JobStatus status) noexcept : bits_{bit(status)} {} // NOLINT(google-explicit-constructor)
    constexpr StatusSet(std::initializer_list<JobStatus> statuses) noexcept {
        for (const JobStatus status : statuses) { insert(status); }
    }

    /// What statistics count as failures: `error`, `timeout` and `abandoned`.
    [[nodiscard]] static constexpr StatusSet failures() noexcept {
        return {JobStatus::error, JobStatus::timeout, JobStatus::abandoned};
    }

    constexpr void insert(JobStatus status) noexcept { bits_ |= bit(status); }
    [[nodiscard]] constexpr bool contains(JobStatus status) const noexcept { return (bits_ & bit(status)) != 0; }
    [[nodiscard]] constexpr bool empty() const noexcept { return bits_ == 0; }

    /// Those of both.
    constexpr StatusSet& operator|=(StatusSet others) noexcept {
        bits_ |= others.bits_;
        return *this;
    }

    friend constexpr bool operator==(StatusSet, StatusSet) noexcept = default;

private:
    static constexpr std::uint32_t bit(JobStatus status) noexcept { return 1U << static_cast<unsigned>(status); }

    std::uint32_t bits_ = 0;
};

/// Whether skipped occurrences appear between the executions of a list.
enum class Skips : std::uint8_t {
    leave_out, ///< executions only; asking for the status `skipped` finds them all the same
    include,   ///< both, in one order
};

/// Which attempts of an occurrence are listed.
enum class Attempts : std::uint8_t {
    all,
    last, ///< not those that another one follows: one record for an occurrence, none while it waits for the next
};

/// What counts for `metadata_value` where an execution has no entry `metadata_key`.
enum class MissingMetadata : std::uint8_t {
    nothing,    ///< it does not match
    handler_id, ///< its handler's id, also in place of an entry that is empty
};

/// In which order the matches come. The first two follow the log's own order, by start (queued ones by hand-over),
/// which does not run backwards when the wall clock does; the others look at every match, equal ones come newest first.
enum class SortBy : std::uint8_t {
    newest,
    oldest,
    longest,     ///< by duration; what has not ended, or never ran, is left out
    shortest,    ///< the same, the other way round
    most_drift,  ///< by drift; what has none (JobExecutionRecord::drift) is left out
    least_drift, ///< the same, the other way round
};

/// Whether the matches are counted beyond the page.
enum class Totals : std::uint8_t {
    count,     ///< up to Total::counted_to, where the log does not know the number
    leave_out, ///< only where the log knows the number: the cheaper one for who wants every page
};

/// Which executions to list. All filters given must match; an empty field does not filter.
///
/// What it costs: with no filter, with `job_id`, `handler_id` or `status` alone, in the order of the log, a page takes
/// O(limit + offset) at any capacity; with `attempts` alone or beside `status` the same, and the retried attempts that
/// lie between. A range of time, alone or with `status`, takes O(log(capacity) + limit), and
/// after a wall clock that was set back a little more. Everything else looks at the records of the shortest list that
/// holds all matches, one after the other, up to `max_scanned`, and says in the page how far it came.
struct ExecutionQuery {
    std::string job_id = {};
    std::string handler_id = {};
    std::string method_name = {};
    StatusSet status = {}; ///< one of these: `JobStatus::error`, or `{JobStatus::error, JobStatus::timeout}`

    /// Started at this instant or later, on the wall clock; what never started counts by its hand-over, a skip by when
    /// it was last counted.
    std::optional<sys_time> started_from = {};
    std::optional<sys_time> started_to = {}; ///< started before this instant, which is itself outside

    /// Part of the error, or of the result as its ResultCodec writes it (a result that is a string: of the string
    /// itself). ASCII letters match in either case, everything else byte by byte. Results of a type without a codec
    /// are not searched.
    std::string text = {};

    std::optional<std::uint32_t> attempt_number = {};
    std::optional<Finality> finality = {};                     ///< only what has ended, and in this way
    std::optional<std::chrono::nanoseconds> min_duration = {}; ///< this long or longer; only what ran and has ended
    std::optional<std::chrono::nanoseconds> max_duration = {}; ///< this long or shorter; only what ran and has ended
    std::string metadata_key = {};                             ///< has an entry of this name
    std::optional<std::string> metadata_value = {};            ///< with exactly this value; needs `metadata_key`
    MissingMetadata missing_metadata = MissingMetadata::nothing;

    Attempts attempts = Attempts::all;
    OccurrenceId occurrence_id = 0; ///< attempts of this occurrence; 0: of all

    Skips skips = Skips::leave_out;
    SortBy sort = SortBy::newest;
    std::size_t limit = 100; ///< records in the page; 0 asks for the total alone

    /// Matches to pass over, counted from the cursor where both are given; prefer the cursor, which stays right while
    /// records arrive. Whoever goes on by the cursor of a page gives what is left of the offset with it, if anything:
    /// `offset` less Page::passed.
    std::size_t offset = 0;
    std::string cursor = {}; ///< `next_cursor` of the page before, of the same query; empty: from the first

    /// Records looked at, beyond those in the page, before the page is handed out as it is; 0 counts as 1. 100,000 take
    /// about 5 ms, for which the log is not held. What `offset` passes over counts, unless the log knows the list.
    std::size_t max_scanned = 100'000;
    Totals totals = Totals::count;
};

/// A number of matches that is not counted to the end.
struct Total {
    std::uint64_t count = 0;
    bool is_exact = true; ///< false: there are at least `count`

    /// Counting stops here when it has to look at each match.
    static constexpr std::uint64_t counted_to = 10'000;
};

/// The matches of one query, in the order that it asked for.
///
/// A page is no snapshot: the log goes on between one look and the next. Whoever follows the cursors sees every
/// execution that was there all the time exactly once, except one that a worker took meanwhile: it moved to the front.
template <class Result>
struct Page {
    std::vector<JobExecutionRecord<Result>> records = {};
    Total total = {};
    std::size_t offset = 0;

    /// There is another page, or, if not `complete`, there may be.
    bool has_more = false;

    /// Give it to the next query. Empty when there is no more. A page that is not complete may be short, or empty, and
    /// nevertheless have one: it goes on where this one stopped.
    std::string next_cursor = {};

    std::uint64_t scanned = 0; ///< records looked at, those in the page included

    /// False: `max_scanned` was reached before the page was full. What was not looked at comes after `next_cursor`; in
    /// a list that is sorted otherwise than by start it is the oldest, and the page is right about the newest
    /// `scanned`. With an empty `next_cursor`: the place that the query's cursor names could not be found in reasonable
    /// time, which happens to cursors that are made up, and to those that are so old that the records on both sides of
    /// the place are gone.
    bool complete = true;

    /// Matches that `offset` has passed over in this page: less than it where `max_scanned` was reached before.
    std::size_t passed = 0;
};

} // namespace daybook::inline v0

#endif
