// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_LOG_EXECUTION_FEED_HPP
#define DAYBOOK_LOG_EXECUTION_FEED_HPP

/// @file
/// Finished records as they come, for a program that wants to hear of each without asking again and again.

#include <daybook/detail/feed_ring.hpp>
#include <daybook/detail/feed_source.hpp>
#include <daybook/detail/log_core.hpp>
#include <daybook/detail/result_block.hpp>
#include <daybook/fwd.hpp>
#include <daybook/log/execution_query.hpp>
#include <daybook/log/job_execution_record.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <utility>
#include <vector>

namespace daybook::inline v0 {

/// What a feed is to hear of, and how far it may fall behind.
struct FeedOptions {
    /// Records (a count) that may wait to be read, at least 1; 8 bytes each, taken at once. When so many wait, the
    /// oldest makes room, and is counted as dropped. More than the log's own capacity is of no use.
    std::size_t capacity = 1024;

    /// Which outcomes; empty: all but `skipped`. `queued` and `running` never come.
    StatusSet status = {};

    /// Where `status` is empty: whether skips come as well. A run of skips comes once, when it begins; its count is
    /// that of the moment when it is read.
    Skips skips = Skips::leave_out;
};

/// The records that have finished since it was opened, each once, in the order in which they finished; attempts that
/// are retried included. Comes from JobExecutionLog::subscribe.
///
/// Whoever records is never held up by it: what finishes leaves its id in a ring, and the record is built when it is
/// read. A record that the log has evicted, cleared or expired by then is counted as dropped, like one that the ring
/// had no place for.
///
/// Closed when destroyed. It keeps the log's records alive, so it may outlive the last handle of the log; it does not
/// notice that nobody is left to record.
///
/// @code
/// std::jthread watcher{[feed = log.subscribe({.status = JobStatus::error})](std::stop_token stop) mutable {
///     feed.run(stop, [](const auto& record) { alert(record.job_id); });
/// }};
/// @endcode
///
/// @par Thread safety
/// Distinct objects: safe, several feeds of one log included. Shared objects: safe, every member but assignment, swap
/// and destruction; two threads that read one feed share its records out between them.
template <class Result>
class ExecutionFeed {
public:
    using Record = JobExecutionRecord<Result>;

    /// The record that finished first of those that wait, or nothing. O(1). What copying a result throws comes out
    /// here, and its record counts as dropped.
    [[nodiscard]] std::optional<Record> try_next() {
        if (!source_) { return std::nullopt; }
        source_->expire();
        while (const auto arrival = source_->next()) {
            try {
                if (auto raw = arrival->find()) { return detail::make_record<Result>(std::move(*raw)); }
            } catch (...) {
                arrival->count_dropped();
                throw;
            }
            arrival->count_dropped();
        }
        return std::nullopt;
    }

    /// Up to `max` records, those that finished first. O(records). Does not wait.
    [[nodiscard]] std::vector<Record> take(std::size_t max = std::numeric_limits<std::size_t>::max()) {
        std::vector<Record> records;
        drain(max, [&](Record& record) { records.push_back(std::move(record)); });
        return records;
    }

    /// Waits until a record waits, but not longer than `timeout` by the system's steady clock, and not once `stop` is
    /// requested.
    /// @returns Whether there is one; it may be dropped before it is read.
    [[nodiscard]] bool wait_for(std::chrono::nanoseconds timeout, const std::stop_token& stop = {}) {
        if (!source_) { return false; }
        const auto now = std::chrono::steady_clock::now();
        const auto room = steady_time::max() - now;
        return source_->wait(stop, timeout < room ? now + timeout : steady_time::max());
    }

    /// Calls `callback(record)` with each record, on the calling thread and outside every lock, until `stop` is
    /// requested; then with what still waits. What the callback throws ends it and comes out here; the record is gone.
    template <class Callback>
    void run(std::stop_token stop, Callback callback) {
        bool is_over = false;
        while (!is_over) {
            is_over = stop.stop_requested() || !source_;
            (void)wait_for(std::chrono::nanoseconds::max(), stop);
            drain(std::numeric_limits<std::size_t>::max(), [&](const Record& record) { callback(record); });
        }
    }

    /// How many records wait to be read, as of now.
    [[nodiscard]] std::uint64_t waiting() const {
        return ask([](const detail::FeedRing& ring) { return ring.size(); });
    }

    /// How many records were lost to this feed so far: those that found the ring full, those that were gone from the
    /// log when they were to be read, and those whose result could not be copied.
    [[nodiscard]] std::uint64_t dropped() const {
        return ask([](const detail::FeedRing& ring) { return ring.dropped(); });
    }

private:
    friend class JobExecutionLog<Result>;

    ExecutionFeed(std::shared_ptr<detail::LogCore> core, const FeedOptions& options)
        : source_{std::make_unique<detail::FeedSource>(std::move(core), capacity_of(options), wanted_of(options))} {}

    static std::size_t capacity_of(const FeedOptions& options) {
        if (options.capacity == 0) { throw std::invalid_argument{"FeedOptions: capacity must be at least 1"}; }
        return options.capacity;
    }

    static StatusSet wanted_of(const FeedOptions& options) {
        if (!options.status.empty()) { return options.status; }
        StatusSet wanted{JobStatus::success, JobStatus::error, JobStatus::timeout, JobStatus::cancelled,
                         JobStatus::abandoned};
        if (options.skips == Skips::include) { wanted.insert(JobStatus::skipped); }
        return wanted;
    }

    /// What comes meanwhile may be more than the reader can follow: it ends with what waits now.
    template <class Use>
    void drain(std::size_t max, Use&& use) {
        for (std::uint64_t left = std::min<std::uint64_t>(max, waiting()); left > 0; --left) {
            auto record = try_next();
            if (!record) { return; }
            use(*record);
        }
    }

    template <class Ask>
    [[nodiscard]] std::uint64_t ask(Ask&& question) const {
        return source_ ? source_->sum(question) : 0;
    }

    std::unique_ptr<detail::FeedSource> source_; // none once it was moved from
};

} // namespace daybook::inline v0

#endif
