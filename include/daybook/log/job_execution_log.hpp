// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_LOG_JOB_EXECUTION_LOG_HPP
#define DAYBOOK_LOG_JOB_EXECUTION_LOG_HPP

/// @file
/// What happened: the bounded record of every execution.

#include <daybook/detail/heap_bytes.hpp>
#include <daybook/detail/log_core.hpp>
#include <daybook/detail/log_shards.hpp>
#include <daybook/detail/log_upkeep.hpp>
#include <daybook/detail/outcome_tally.hpp>
#include <daybook/detail/parts_reader.hpp>
#include <daybook/detail/record_filter.hpp>
#include <daybook/detail/ref.hpp>
#include <daybook/detail/result_block.hpp>
#include <daybook/detail/result_text.hpp>
#include <daybook/detail/store_writing.hpp>
#include <daybook/detail/stored_reader.hpp>
#include <daybook/detail/text_search.hpp>
#include <daybook/fwd.hpp>
#include <daybook/log/execution.hpp>
#include <daybook/log/execution_feed.hpp>
#include <daybook/log/execution_query.hpp>
#include <daybook/log/job_execution_record.hpp>
#include <daybook/log/log_options.hpp>
#include <daybook/log/scoped_execution.hpp>
#include <daybook/stats/stats_snapshot.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace daybook::inline v0::detail {

template <class Result>
class PageRows;

} // namespace daybook::inline v0::detail

namespace daybook::inline v0 {

/// The newest executions of a program's jobs: everything in flight, and up to `capacity()` finished ones, the one that
/// finished first being evicted first; within the capacity some places belong to the newest failures (LogOptions).
///
/// A handle: copies share one log, which lives as long as the last of them.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: safe, every member but assignment. No user code runs under the lock; results
/// are copied and destroyed outside it.
template <class Result>
class JobExecutionLog {
    static_assert(std::is_copy_constructible_v<Result>,
                  "Result must be copyable: every query hands out a copy of what a job returned");
    static_assert(!std::is_pointer_v<Result> && !std::is_same_v<Result, std::string_view>,
                  "Result must own what it shows: std::string instead of const char* or std::string_view");

public:
    using result_type = Result;

    /// @param capacity  Finished records kept (a count, not bytes).
    /// @throws std::invalid_argument  `capacity` is 0.
    explicit JobExecutionLog(std::size_t capacity) : JobExecutionLog{LogOptions{.capacity = capacity}} {}

    /// @throws std::invalid_argument  An option is out of its range; says which.
    /// @throws StoreError             The store cannot be opened.
    explicit JobExecutionLog(const LogOptions& options) : JobExecutionLog{make_core(options)} {
        // Who could finish what an earlier process has begun is gone; a scheduler knows what to do about it.
        if (detail::StoreWriter* const writer = core_->store_writer()) { writer->abandon_unfinished(); }
    }

    /// Records that an execution begins, now. O(1). Of each name the first 255 bytes count: what is longer is cut,
    /// between two characters, without a mark.
    /// @param handler_id  Empty: the job id.
    /// @throws std::bad_alloc  Nothing was recorded.
    Execution record_start(std::string_view job_id, std::string_view handler_id = {}, std::string_view method_name = {},
                           std::uint32_t attempt_number = 1) {
        return record_start(
            {.job_id = job_id, .handler_id = handler_id, .method_name = method_name, .attempt_number = attempt_number});
    }

    /// @copydoc record_start
    Execution record_start(const ExecutionStart& start) {
        return part().start(detail::HashedNames{start.job_id, start.handler_id, start.method_name}, start,
                            JobStatus::running);
    }

    /// Records that an execution was handed over and waits for a worker, now. O(1).
    Execution record_queued(const ExecutionStart& start) {
        return part().start(detail::HashedNames{start.job_id, start.handler_id, start.method_name}, start,
                            JobStatus::queued);
    }

    /// Records that a worker has taken a queued execution, now. O(1).
    /// @returns Whether it was waiting.
    bool record_running(const Execution& execution, std::optional<std::uint32_t> worker = {}) {
        return part(execution).begin(execution, worker, core_->options().clock.read());
    }

    /// Records the end of an execution. Only the first end of it counts. O(1).
    Finish record_success(const Execution& execution) {
        return part(execution).finish(execution, JobStatus::success, {}, {}, Finality::final_attempt);
    }

    /// @copydoc record_success
    /// A result larger than `max_text_bytes` is cut.
    Finish record_success(const Execution& execution, Result result) {
        return part(execution).finish(execution, JobStatus::success,
                                      detail::make_result_block(std::move(result), core_->options().max_text_bytes), {},
                                      Finality::final_attempt);
    }

    /// @copydoc record_success
    /// @param why  Cut beyond `max_text_bytes`.
    Finish record_error(const Execution& execution, std::string_view why, Finality finality = Finality::final_attempt) {
        return part(execution).finish(execution, JobStatus::error, {}, text(why), finality);
    }

    /// @copydoc record_success
    Finish record_timeout(const Execution& execution, Finality finality = Finality::final_attempt) {
        return part(execution).finish(execution, JobStatus::timeout, {}, {}, finality);
    }

    /// @copydoc record_success
    Finish record_cancelled(const Execution& execution, std::string_view why = {}) {
        return part(execution).finish(execution, JobStatus::cancelled, {},
                                      why.empty() ? detail::Ref<detail::TextBlock>{} : text(why),
                                      Finality::final_attempt);
    }

    /// Counts occurrences that were not run. Consecutive ones of one job for one reason share a record. O(1).
    /// @param occurrence  Whose they are; of several, the first.
    /// @returns The id of that record.
    /// @throws std::invalid_argument  `reason` is `none`, or `occurrences` is 0.
    ExecutionId record_skip(const ExecutionStart& occurrence, SkipReason reason, std::uint64_t occurrences = 1) {
        if (reason == SkipReason::none || occurrences == 0) {
            throw std::invalid_argument{"record_skip: a skip needs a reason, and at least one occurrence"};
        }
        const detail::HashedNames names{occurrence.job_id, occurrence.handler_id, occurrence.method_name};
        return part().skip(names, {.reason = reason,
                                   .scheduled_at = occurrence.scheduled_at,
                                   .trigger = occurrence.trigger,
                                   .occurrences = occurrences});
    }

    /// @copydoc record_skip
    ExecutionId record_skip(std::string_view job_id, SkipReason reason, std::optional<sys_time> scheduled_at = {},
                            std::uint64_t occurrences = 1) {
        return record_skip({.job_id = job_id, .scheduled_at = scheduled_at, .trigger = Trigger::schedule}, reason,
                           occurrences);
    }

    /// Says how many records a running execution has processed, instead of what was said before. No effect once it has
    /// ended.
    void record_processed(const Execution& execution, std::uint64_t records) {
        part(execution).update(execution, [&](detail::ExecutionSlot& slot) { slot.count = records; });
    }

    /// Starts an execution that ends with its scope; see ScopedExecution.
    [[nodiscard]] ScopedExecution<Result> start(std::string_view job_id, std::string_view handler_id = {},
                                                std::string_view method_name = {}, std::uint32_t attempt_number = 1) {
        return ScopedExecution<Result>{*this, record_start(job_id, handler_id, method_name, attempt_number)};
    }

    /// @copydoc start
    [[nodiscard]] ScopedExecution<Result> start(const ExecutionStart& start) {
        return ScopedExecution<Result>{*this, record_start(start)};
    }

    /// The records that match, in the order asked for; what it costs stands at ExecutionQuery. The log is held for a
    /// few microseconds at a time, and texts are searched while it is not.
    /// @throws std::invalid_argument  `cursor` did not come from a page of this query, or `metadata_value` is given
    ///                                without `metadata_key`.
    ///
    /// With a store (LogOptions::store) the answer comes from there, after what waits has been written: all processes,
    /// all times. Where it does not answer in time, the page shows what is in memory, and is not `complete`.
    /// @throws StoreError  The cursor is of a page of the store, which does not answer.
    [[nodiscard]] Page<Result> query(const ExecutionQuery& query = {}) const {
        if (auto page = stored(query, detail::statuses_of(query))) { return std::move(*page); }
        detail::RecordBuilder<Result> records;
        auto facts = reader().query(query, records, detail::result_search<Result>());
        return built(std::move(facts), query.offset, records.take());
    }

    /// The newest failures (`error`, `timeout`, `abandoned`), attempts that were retried included. O(limit).
    [[nodiscard]] Page<Result> errors(std::size_t limit = 50) const { return errors(ExecutionQuery{.limit = limit}); }

    /// The failures that match, whatever the query's `status` and `skips` say; the cost is that of `query`.
    /// @throws std::invalid_argument  As `query`.
    [[nodiscard]] Page<Result> errors(const ExecutionQuery& query) const {
        if (auto page = stored(query, StatusSet::failures())) { return std::move(*page); }
        detail::RecordBuilder<Result> records;
        auto facts = reader().failures(query, records, detail::result_search<Result>());
        return built(std::move(facts), query.offset, records.take());
    }

    /// One execution by its id, in flight or retained. O(1). What is not in memory is looked for in the store.
    /// @throws StoreError  The store does not answer.
    [[nodiscard]] std::optional<JobExecutionRecord<Result>> find(ExecutionId id) const {
        if (auto raw = reader().find(id)) {
            auto record = detail::make_record<Result>(std::move(*raw));
            if (const auto* writer = core_->store_writer()) { record.node = writer->node_of(id); }
            return record;
        }
        detail::StoreWriter* const writer = core_->store_writer();
        return writer != nullptr ? detail::StoredReader{*core_, *writer}.template find<Result>(id) : std::nullopt;
    }

    /// Counts, distributions, rates and a timeline as of now. O(handlers + jobs tracked), whatever the capacity.
    ///
    /// Nobody who records waits longer than a few microseconds for it: figures overall and the counts of handlers are
    /// of one moment, distributions of handlers and counts of jobs are read after it and may know of more.
    ///
    /// With a store, counts are those that it keeps, of all processes since the last clear of any: no record is looked
    /// at. `by_status` counts what has ended by how it ended; rates and what is under way are this log's own. Where the
    /// store does not answer, all figures are this log's own. In a fleet, what is queued or running elsewhere is in no
    /// figure, but in the lists.
    [[nodiscard]] StatsSnapshot stats() const {
        detail::StoreWriter* const writer = core_->store_writer();
        StatsSnapshot own = reader().stats();
        return writer != nullptr ? detail::StoredReader{*core_, *writer}.stats(std::move(own)) : own;
    }

    /// What ended (was skipped) from `from` up to `to`, by handler and by hour, from hourly buckets: both are taken to
    /// the whole hours around them, and what is known reaches back a week, at most to the last clear (`is_complete`).
    /// O(handlers), whatever the capacity; evicted records count too.
    [[nodiscard]] RangeStats stats(sys_time from, sys_time to) const {
        detail::StoreWriter* const writer = core_->store_writer();
        RangeStats own = reader().stats(from, to);
        return writer != nullptr ? detail::StoredReader{*core_, *writer}.stats(from, to, std::move(own)) : own;
    }

    /// Forgets what has finished and starts all counts anew but the lifetime's; what is queued or running stays.
    /// @returns How many records were removed; of the store, if there is one.
    /// @throws StoreError  The store does not answer, or is shared with other processes; nothing was removed.
    std::size_t clear() {
        expire();
        if (detail::StoreWriter* const writer = core_->store_writer()) {
            return static_cast<std::size_t>(writer->clear());
        }
        return sum([](detail::LogCore& part) { return part.clear(); });
    }

    /// Waits until all that was recorded before the call is acknowledged by the store, at most for so long, and not
    /// while the store fails.
    /// @returns Whether it is; true without a store.
    bool flush(std::chrono::nanoseconds timeout) {
        detail::StoreWriter* const writer = core_->store_writer();
        return writer == nullptr || writer->flush(std::chrono::steady_clock::now() +
                                                  std::min<std::chrono::nanoseconds>(timeout, std::chrono::hours{24}));
    }

    /// How the log gets on with its store; empty without one.
    [[nodiscard]] std::optional<StoreHealth> store_health() const {
        const detail::StoreWriter* const writer = core_->store_writer();
        return writer != nullptr ? std::optional{writer->health()} : std::nullopt;
    }

    /// How the process gets on in its fleet; empty where there is none.
    [[nodiscard]] std::optional<FleetHealth> fleet_health() const {
        const detail::StoreWriter* const writer = core_->store_writer();
        const detail::FleetMember* const member = writer != nullptr ? writer->fleet() : nullptr;
        return member != nullptr ? std::optional{member->health()} : std::nullopt;
    }

    /// From now on, hands every record that finishes to whoever reads the feed; see ExecutionFeed. Costs those who
    /// record some nanoseconds for each feed, and never a wait.
    /// @throws std::invalid_argument  `options.capacity` is 0.
    [[nodiscard]] ExecutionFeed<Result> subscribe(const FeedOptions& options = {}) const {
        return ExecutionFeed<Result>{core_, options};
    }

    /// The bytes that the log takes: records with their texts and results, names, indexes, statistics, subscribers,
    /// with what the allocator adds (as glibc's does). Of a result of a type of the program's own, what its codec tells
    /// (ResultCodec). O(handlers + jobs tracked).
    [[nodiscard]] std::size_t memory_bytes() const {
        return sum([](detail::LogCore& part) { return detail::LogUpkeep{part}.memory_bytes(); });
    }

    /// What `memory_bytes()` never exceeds, whatever the jobs do: every record there may be, each with the longest
    /// texts and names there may be. Computed from the options alone, so a log of short results stays far below. The
    /// names of a scheduler's jobs, the rings of subscribers and what waits for a store (StoringOptions::max_buffered)
    /// come on top; `SIZE_MAX` when `max_text_bytes` is above 1 GB.
    [[nodiscard]] std::size_t memory_limit() const noexcept {
        constexpr bool is_text = std::is_same_v<Result, std::string> || std::is_same_v<Result, std::monostate>;
        const std::size_t result = is_text ? 0 : detail::heap_bytes(sizeof(detail::ValueBlock<Result>));
        return sum([&](detail::LogCore& part) { return detail::LogUpkeep{part}.memory_limit(result); });
    }

    /// Finished records in the buffer; what is queued or running comes on top (`stats()` counts it).
    [[nodiscard]] std::size_t size() const {
        expire();
        return sum([](detail::LogCore& part) { return part.retained(); });
    }
    [[nodiscard]] std::size_t capacity() const noexcept { return options().capacity; }
    [[nodiscard]] const LogOptions& options() const noexcept { return detail::options_of(*core_); }

private:
    friend class Scheduler<Result>;
    friend class detail::PageRows<Result>;

    explicit JobExecutionLog(std::shared_ptr<detail::LogCore> core) : core_{std::move(core)} {}

    [[nodiscard]] static std::shared_ptr<detail::LogCore>
    make_core(const LogOptions& options, detail::Leftovers leftovers = detail::Leftovers::ended) {
        return detail::make_log_core(options, detail::result_text<Result>(), leftovers);
    }

    /// Where the calling thread records, and where an execution was recorded.
    [[nodiscard]] detail::LogCore& part() noexcept { return detail::part_of_thread(*core_); }
    [[nodiscard]] detail::LogCore& part(const Execution& execution) noexcept {
        return detail::part_of(*core_, execution);
    }

    /// The sum of `of(part)`, or the largest number there is.
    template <class Of>
    [[nodiscard]] std::size_t sum(Of&& of) const {
        std::size_t sum = 0;
        detail::for_each_part(*core_, [&](detail::LogCore& part) { sum = detail::saturating_sum(sum, of(part)); });
        return sum;
    }

    void expire() const noexcept {
        detail::for_each_part(*core_, [](detail::LogCore& part) { detail::LogUpkeep{part}.expire(); });
    }

    /// What has grown too old is evicted first: nobody who asks is shown it.
    [[nodiscard]] detail::PartsReader reader() const {
        expire();
        return detail::PartsReader{*core_};
    }

    [[nodiscard]] detail::Ref<detail::TextBlock> text(std::string_view why) const {
        return detail::make_text(why, core_->options().max_text_bytes);
    }

    /// What the store answers; empty where there is none, or it does not answer.
    [[nodiscard]] std::optional<Page<Result>> stored(const ExecutionQuery& query, StatusSet statuses) const {
        detail::StoreWriter* const writer = core_->store_writer();
        const bool is_of_store = detail::is_store_cursor(query.cursor);
        if (writer == nullptr || !(query.cursor.empty() || is_of_store)) { return std::nullopt; }
        auto page = detail::StoredReader{*core_, *writer}.template query<Result>(query, statuses);
        if (!page && is_of_store) {
            throw StoreError{StoreFailure::unavailable, "the store of the executions does not answer"};
        }
        return page;
    }

    Page<Result> built(detail::PageFacts&& facts, std::size_t offset,
                       std::vector<JobExecutionRecord<Result>> records) const {
        return {.records = std::move(records),
                .total = facts.total,
                .offset = offset,
                .has_more = facts.has_more,
                .next_cursor = std::move(facts.next_cursor),
                .scanned = facts.scanned,
                .complete = facts.complete && core_->store_writer() == nullptr,
                .passed = facts.passed};
    }

    std::shared_ptr<detail::LogCore> core_;
};

JobExecutionLog(std::size_t)->JobExecutionLog<>;
JobExecutionLog(LogOptions)->JobExecutionLog<>;

} // namespace daybook::inline v0

#endif
