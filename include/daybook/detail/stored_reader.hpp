// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_STORED_READER_HPP
#define DAYBOOK_DETAIL_STORED_READER_HPP

/// @file
/// Asking a log that has a store: what lasts comes from there, what is under way from the log.

#include <daybook/detail/log_reader.hpp>
#include <daybook/detail/record_filter.hpp>
#include <daybook/detail/result_text.hpp>
#include <daybook/detail/store_writing.hpp>
#include <daybook/log/execution_query.hpp>
#include <daybook/log/job_execution_record.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

/// A place in a store's lists as the text of a cursor: "S", how the list is sorted, the key and the id.
[[nodiscard]] inline std::string store_cursor(const StorePlace& place, SortBy sort) {
    return "S" + std::to_string(static_cast<unsigned>(sort)) + "." + std::to_string(place.key) + "." +
           std::to_string(place.id);
}

/// Whether a cursor is one of a store's; the log's own are others.
[[nodiscard]] constexpr bool is_store_cursor(std::string_view cursor) noexcept {
    return !cursor.empty() && cursor.front() == 'S';
}

/// @throws std::invalid_argument  It is not of a list that is sorted so.
[[nodiscard]] inline StorePlace parse_store_cursor(std::string_view cursor, SortBy sort) {
    StorePlace place;
    const char* const end = cursor.data() + cursor.size();
    unsigned sorted = 0;
    const auto first = std::from_chars(cursor.data() + std::min<std::size_t>(1, cursor.size()), end, sorted);
    if (is_store_cursor(cursor) && first.ec == std::errc{} && first.ptr != end && *first.ptr == '.') {
        const auto second = std::from_chars(first.ptr + 1, end, place.key);
        if (second.ec == std::errc{} && second.ptr != end && *second.ptr == '.') {
            const auto third = std::from_chars(second.ptr + 1, end, place.id);
            const bool is_whole = third.ec == std::errc{} && third.ptr == end;
            if (is_whole && sorted == static_cast<unsigned>(sort)) { return place; }
        }
    }
    throw std::invalid_argument{"ExecutionQuery: the cursor is not of an earlier page of this query"};
}

class StoredReader {
public:
    StoredReader(const LogCore& log, StoreWriter& writer) : log_{log}, writer_{writer} {}

    /// A page of what lasts; empty when the store does not answer.
    /// @throws std::invalid_argument  As JobExecutionLog::query.
    template <class Result>
    [[nodiscard]] std::optional<Page<Result>> query(const ExecutionQuery& query, StatusSet statuses) {
        if (query.metadata_value && query.metadata_key.empty()) {
            throw std::invalid_argument{"ExecutionQuery: metadata_value needs metadata_key"};
        }
        StoreQuery asked{.filter = query,
                         .status = statuses,
                         .offset = query.offset,
                         .limit = std::min(query.limit, std::numeric_limits<std::size_t>::max() - 1) + 1};
        if (!query.cursor.empty()) { asked.after = parse_store_cursor(query.cursor, query.sort); }
        if (query.limit == 0) { asked.limit = 0; }
        Page<Result> page;
        page.offset = query.offset;
        try {
            if (!writer_.flush(writer_.deadline())) { return std::nullopt; }
            StoredPage found;
            if (asked.limit != 0) { found = writer_.store().read(asked, writer_.deadline()); }
            turn_to(page, query, std::move(found));
            count(page, query, asked);
        } catch (const StoreError&) { return std::nullopt; }
        return page;
    }

    /// @throws StoreError  It does not answer.
    template <class Result>
    [[nodiscard]] std::optional<JobExecutionRecord<Result>> find(ExecutionId id) {
        writer_.flush(writer_.deadline()); // it may have been evicted right now
        auto found = writer_.store().find(id, writer_.deadline());
        if (!found) { return std::nullopt; }
        return record_of<Result>(std::move(*found));
    }

    /// All counts from the store, of all processes; what is queued or running, and the rates, are this process's own.
    /// @param own  This log's figures, which are the answer where the store does not answer.
    [[nodiscard]] StatsSnapshot stats(StatsSnapshot own) {
        try {
            if (!writer_.flush(writer_.deadline())) { return own; }
            StatsSnapshot all = snapshot_of(writer_.store().counters(writer_.deadline()), log_.options().clock.now());
            all.retained = writer_.store().retained(writer_.deadline());
            all.queued = own.queued;
            all.running = own.running;
            all.buffer_utilization = own.buffer_utilization;
            all.rates = own.rates;
            all.by_status = {{"queued", own.queued},
                             {"running", own.running},
                             {"success", all.success_count},
                             {"error", all.error_count - all.timeout_count - all.abandoned_count},
                             {"timeout", all.timeout_count},
                             {"cancelled", all.cancelled_count},
                             {"abandoned", all.abandoned_count},
                             {"skipped", all.skipped_count}};
            if (all.counted_since == sys_time{}) { all.counted_since = own.counted_since; }
            return all;
        } catch (const StoreError&) { return own; }
    }

    /// @copydoc stats
    [[nodiscard]] RangeStats stats(sys_time from, sys_time to, RangeStats own) {
        try {
            if (!writer_.flush(writer_.deadline())) { return own; }
            return range_of(writer_.store().counters(writer_.deadline()), from, to, log_.options().clock.now());
        } catch (const StoreError&) { return own; }
    }

private:
    /// Where it takes too long, or is not asked for, the page tells what it knows.
    template <class Result>
    void count(Page<Result>& page, const ExecutionQuery& query, const StoreQuery& asked) {
        const bool is_whole = query.limit != 0 && query.cursor.empty() && !page.has_more && page.complete;
        page.total = {.count = page.records.size() + (page.records.empty() ? 0 : query.offset),
                      .is_exact = is_whole && (query.offset == 0 || !page.records.empty())};
        if (query.totals == Totals::count && !page.total.is_exact) {
            try {
                const std::uint64_t found = writer_.store().count(asked, Total::counted_to + 1, writer_.deadline());
                page.total = {.count = std::min(found, Total::counted_to), .is_exact = found <= Total::counted_to};
            } catch (const StoreError&) { page.total.is_exact = false; }
        }
        if (query.limit == 0) { page.has_more = page.total.count > query.offset; }
    }

    template <class Result>
    void turn_to(Page<Result>& page, const ExecutionQuery& query, StoredPage found) {
        const bool is_cut = found.executions.size() > query.limit;
        if (is_cut) { found.executions.resize(query.limit); }
        if (is_cut && !found.executions.empty()) {
            const StoredExecution& last = found.executions.back();
            page.next_cursor = store_cursor({store_key(last, query.sort).value_or(0), last.id}, query.sort);
        } else if (found.stopped_at && is_by_start(query.sort)) {
            page.next_cursor = store_cursor(*found.stopped_at, query.sort);
            page.complete = false;
        }
        if (found.stopped_at && !is_by_start(query.sort)) { page.complete = false; }
        page.has_more = !page.next_cursor.empty();
        page.scanned = found.stopped_at ? query.max_scanned : found.executions.size();
        page.passed = !page.complete && found.executions.empty() ? 0 : query.offset;
        page.records.reserve(found.executions.size());
        for (StoredExecution& execution : found.executions) {
            page.records.push_back(record_of<Result>(std::move(execution)));
        }
    }

    template <class Result>
    [[nodiscard]] JobExecutionRecord<Result> record_of(StoredExecution&& execution) const {
        if (!is_finished(execution.status) && execution.node == writer_.node_of(execution.id)) {
            // the log knows how far it is
            auto raw = LogReader{log_}.find(execution.id);
            if (raw && raw->facts.status == execution.status) { // else it would not be in this list
                auto record = make_record<Result>(std::move(*raw));
                record.node = execution.node;
                return record;
            }
        }
        JobExecutionRecord<Result> record{static_cast<ExecutionFacts&&>(execution), {}};
        if (execution.result) { record.result = parse_result<Result>(*execution.result); }
        return record;
    }

    const LogCore& log_;
    StoreWriter& writer_;
};

} // namespace daybook::inline v0::detail

#endif
