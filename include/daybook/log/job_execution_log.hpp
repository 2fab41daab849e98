// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_LOG_JOB_EXECUTION_LOG_HPP
#define DAYBOOK_LOG_JOB_EXECUTION_LOG_HPP

/// @file
/// What happened: the bounded record of every execution.

#include <daybook/detail/log_core.hpp>
#include <daybook/detail/log_reader.hpp>
#include <daybook/detail/result_block.hpp>
#include <daybook/fwd.hpp>
#include <daybook/log/execution.hpp>
#include <daybook/log/execution_query.hpp>
#include <daybook/log/job_execution_record.hpp>
#include <daybook/log/log_options.hpp>
#include <daybook/log/scoped_execution.hpp>
#include <daybook/stats/stats_snapshot.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

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
    explicit JobExecutionLog(LogOptions options) : core_{std::make_shared<detail::LogCore>(std::move(options))} {}

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
        return core_->start(detail::HashedNames{start.job_id, start.handler_id, start.method_name}, start,
                            JobStatus::running);
    }

    /// Records that an execution was handed over and waits for a worker, now. O(1).
    Execution record_queued(const ExecutionStart& start) {
        return core_->start(detail::HashedNames{start.job_id, start.handler_id, start.method_name}, start,
                            JobStatus::queued);
    }

    /// Records that a worker has taken a queued execution, now. O(1).
    /// @returns Whether it was waiting.
    bool record_running(const Execution& execution, std::optional<std::uint32_t> worker = {}) {
        return core_->begin(execution, worker);
    }

    /// Records the end of an execution. Only the first end of it counts. O(1).
    Finish record_success(const Execution& execution) {
        return core_->finish(execution, JobStatus::success, {}, {}, Finality::final_attempt);
    }

    /// @copydoc record_success
    /// A result larger than `max_text_bytes` is cut.
    Finish record_success(const Execution& execution, Result result) {
        return core_->finish(execution, JobStatus::success,
                             detail::make_result_block(std::move(result), core_->options().max_text_bytes), {},
                             Finality::final_attempt);
    }

    /// @copydoc record_success
    /// @param why  Cut beyond `max_text_bytes`.
    Finish record_error(const Execution& execution, std::string_view why, Finality finality = Finality::final_attempt) {
        return core_->finish(execution, JobStatus::error, {}, text(why), finality);
    }

    /// @copydoc record_success
    Finish record_timeout(const Execution& execution, Finality finality = Finality::final_attempt) {
        return core_->finish(execution, JobStatus::timeout, {}, {}, finality);
    }

    /// @copydoc record_success
    Finish record_cancelled(const Execution& execution, std::string_view why = {}) {
        return core_->finish(execution, JobStatus::cancelled, {},
                             why.empty() ? detail::Ref<detail::TextBlock>{} : text(why), Finality::final_attempt);
    }

    /// Counts occurrences that were not run. Consecutive ones of one job for one reason share a record. O(1).
    /// @param occurrence  Whose they are; of several, the first.
    /// @returns The id of that record.
    /// @throws std::invalid_argument  `reason` is `none`, or `occurrences` is 0.
    ExecutionId record_skip(const ExecutionStart& occurrence, SkipReason reason, std::uint64_t occurrences = 1) {
        if (reason == SkipReason::none || occurrences == 0) {
            throw std::invalid_argument{"record_skip: a skip needs a reason, and at least one occurrence"};
        }
        const detail::PinnedNames names{
            core_, detail::HashedNames{occurrence.job_id, occurrence.handler_id, occurrence.method_name}};
        return core_->skip(names.refs(), {.reason = reason,
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
        core_->update(execution, [&](detail::ExecutionSlot& slot) { slot.count = records; });
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

    /// The records that match, newest first by start (queued ones by hand-over). O(limit + offset) for at most one
    /// filter at any capacity; several filters look at each record of the shortest list that holds all matches.
    /// @throws std::invalid_argument  `cursor` did not come from a page.
    [[nodiscard]] Page<Result> query(const ExecutionQuery& query = {}) const {
        return built(detail::LogReader{*core_}.query(query), query.offset);
    }

    /// The newest failures (`error`, `timeout`, `abandoned`), attempts that were retried included. O(limit).
    [[nodiscard]] Page<Result> errors(std::size_t limit = 50) const { return errors(ExecutionQuery{.limit = limit}); }

    /// The failures that match, whatever the query's `status` and `skips` say; the cost is that of `query`.
    /// @throws std::invalid_argument  `cursor` did not come from a page.
    [[nodiscard]] Page<Result> errors(const ExecutionQuery& query) const {
        return built(detail::LogReader{*core_}.failures(query), query.offset);
    }

    /// One execution by its id, in flight or retained. O(1).
    [[nodiscard]] std::optional<JobExecutionRecord<Result>> find(ExecutionId id) const {
        auto raw = detail::LogReader{*core_}.find(id);
        if (!raw) { return std::nullopt; }
        return detail::make_record<Result>(std::move(*raw));
    }

    /// Counts and distributions as of now. O(handlers + jobs tracked), whatever the capacity.
    [[nodiscard]] StatsSnapshot stats() const { return detail::LogReader{*core_}.stats(); }

    /// Forgets what has finished and starts all counts anew but the lifetime's; what is queued or running stays.
    /// @returns How many records were removed.
    std::size_t clear() { return core_->clear(); }

    /// Finished records in the buffer; what is queued or running comes on top (`stats()` counts it).
    [[nodiscard]] std::size_t size() const { return core_->retained(); }
    [[nodiscard]] std::size_t capacity() const noexcept { return core_->options().capacity; }
    [[nodiscard]] const LogOptions& options() const noexcept { return core_->options(); }

private:
    friend class Scheduler<Result>;

    [[nodiscard]] detail::Ref<detail::TextBlock> text(std::string_view why) const {
        return detail::make_text(why, core_->options().max_text_bytes);
    }

    static Page<Result> built(detail::RawPage&& raw, std::size_t offset) {
        Page<Result> page{
            .total = raw.total, .offset = offset, .has_more = raw.has_more, .next_cursor = std::move(raw.next_cursor)};
        page.records.reserve(raw.records.size());
        for (detail::RawRecord& record : raw.records) {
            page.records.push_back(detail::make_record<Result>(std::move(record)));
        }
        return page;
    }

    std::shared_ptr<detail::LogCore> core_;
};

JobExecutionLog(std::size_t)->JobExecutionLog<>;
JobExecutionLog(LogOptions)->JobExecutionLog<>;

} // namespace daybook::inline v0

#endif
