// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_PARTS_READER_HPP
#define DAYBOOK_DETAIL_PARTS_READER_HPP

/// @file
/// Asking a log that may be kept in parts (LogOptions::shards): each part answers, and the answers become one.

#include <daybook/detail/execution_index.hpp>
#include <daybook/detail/execution_slot.hpp>
#include <daybook/detail/log_core.hpp>
#include <daybook/detail/log_entries.hpp>
#include <daybook/detail/log_reader.hpp>
#include <daybook/detail/log_shards.hpp>
#include <daybook/detail/query_cursor.hpp>
#include <daybook/detail/record_facts.hpp>
#include <daybook/detail/record_filter.hpp>
#include <daybook/detail/stats_sum.hpp>
#include <daybook/detail/text_search.hpp>
#include <daybook/log/execution_query.hpp>
#include <daybook/stats/stats_snapshot.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

/// Hands records on, and notes where they stand: in their own part, and between parts, which the wall clock decides.
class NotedRecords final : public RecordSink {
public:
    NotedRecords(RecordSink& records, SortBy sort) : records_{records}, sort_{sort} {}

    void make_room(std::size_t records) override {
        records_.make_room(records);
        places_.reserve(places_.size() + records);
    }

    void add(const ExecutionSlot& slot, const RecordNames& names) override {
        constexpr std::uint64_t middle = std::uint64_t{1} << 63; // so that what was before 1970 comes before the rest
        const std::int64_t value = sort_value(sort_, slot).value_or(0);
        const auto began = static_cast<std::uint64_t>(began_at(slot)) ^ middle;
        places_.push_back({.in_part = {value, {slot.order, slot.id}}, .in_all = {value, {began, slot.id}}});
        records_.add(slot, names);
    }

    void arrange(const std::vector<std::size_t>& order) override { records_.arrange(order); }

    struct Place {
        QueryPlace in_part;
        QueryPlace in_all;
    };
    [[nodiscard]] const std::vector<Place>& places() const noexcept { return places_; }

private:
    RecordSink& records_;
    SortBy sort_;
    std::vector<Place> places_;
};

/// @par Thread safety
/// Distinct objects: safe.
class PartsReader {
public:
    explicit PartsReader(const LogCore& log) : log_{log}, shards_{log.shards()} {}

    [[nodiscard]] std::optional<RawRecord> find(ExecutionId id) const {
        if (shards_ == nullptr) { return LogReader{log_}.find(id); }
        for (const LogCore* const part : shards_->parts()) {
            if (auto found = LogReader{*part}.find(id)) { return found; }
        }
        return std::nullopt;
    }

    [[nodiscard]] StatsSnapshot stats() const {
        if (shards_ == nullptr) { return LogReader{log_}.stats(); }
        const ClockReading now = shards_->options().clock.read();
        LogReader::Stock stock;
        const auto sum = summed(now, &stock);
        StatsSnapshot all = sum->all().snapshot(now.wall, now.steady);
        stock.show(all, shards_->options().capacity);
        return all;
    }

    [[nodiscard]] RangeStats stats(sys_time from, sys_time to) const {
        if (shards_ == nullptr) { return LogReader{log_}.stats(from, to); }
        const ClockReading now = shards_->options().clock.read();
        return summed(now, nullptr)->all().range(from, to, now.wall);
    }

    /// The records that match, in the order that the query asks for.
    /// @param search  Says whether a result has a text in it; null where results are not searched.
    /// @throws std::invalid_argument  The cursor is malformed, or a value of metadata is asked for without its key.
    [[nodiscard]] PageFacts query(const ExecutionQuery& query, RecordSink& records,
                                  ResultSearch search = nullptr) const {
        return page(query, statuses_of(query), records, search);
    }

    /// The same among the failures, final or not.
    [[nodiscard]] PageFacts failures(const ExecutionQuery& query, RecordSink& records,
                                     ResultSearch search = nullptr) const {
        return page(query, StatusSet::failures(), records, search);
    }

private:
    /// What one part has answered; the first records of it have been taken.
    struct Run {
        PageFacts page;
        std::vector<NotedRecords::Place> places;
        std::size_t first = 0; ///< the number of the first record, of those of all parts
        std::size_t taken = 0;

        [[nodiscard]] bool has_next() const noexcept { return taken != places.size(); }
        [[nodiscard]] const QueryPlace& next() const noexcept { return places[taken].in_all; }
    };

    [[nodiscard]] std::unique_ptr<StatsSum> summed(const ClockReading& now, LogReader::Stock* stock) const {
        const LogOptions& options = shards_->options();
        auto sum =
            std::make_unique<StatsSum>(options.max_tracked_handlers, options.max_tracked_jobs, now.wall, now.steady);
        for (const LogCore* const part : shards_->parts()) { LogReader{*part}.add_stats(*sum, stock); }
        return sum;
    }

    [[nodiscard]] PageFacts page(const ExecutionQuery& query, StatusSet statuses, RecordSink& records,
                                 ResultSearch search) const {
        if (shards_ == nullptr) { return LogReader{log_}.page(query, statuses, records, search); }
        const std::size_t count = shards_->parts().size();
        const std::vector<std::string> cursors = parted(query.cursor, count);
        const std::size_t most = query.limit + std::min(query.offset, SIZE_MAX - query.limit);
        ExecutionQuery asked = query;
        asked.offset = 0;
        asked.limit = most;
        asked.max_scanned = std::max<std::size_t>(1, query.max_scanned / count);
        std::vector<Run> runs(count);
        std::size_t first = 0;
        for (std::size_t at = 0; at < count; ++at) {
            NotedRecords noted{records, query.sort};
            asked.cursor = cursors[at];
            runs[at].page = LogReader{*shards_->parts()[at]}.page(asked, statuses, noted, search);
            runs[at].places = noted.places();
            runs[at].first = std::exchange(first, first + noted.places().size());
        }
        return merged(query, cursors, runs, most, records);
    }

    [[nodiscard]] static PageFacts merged(const ExecutionQuery& query, const std::vector<std::string>& cursors,
                                          std::vector<Run>& runs, std::size_t most, RecordSink& records) {
        std::vector<std::size_t> order;
        std::optional<QueryPlace> last;
        while (order.size() < most) {
            Run* const best = next_of(runs, query.sort);
            if (best == nullptr) { break; }
            last = best->next();
            order.push_back(best->first + best->taken++);
        }
        PageFacts page;
        page.passed = std::min(query.offset, order.size());
        order.erase(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(page.passed));
        records.arrange(order);
        for (const Run& run : runs) {
            page.has_more = page.has_more || run.has_next() || run.page.has_more;
            page.scanned += run.page.scanned;
            page.complete = page.complete && run.page.complete;
            page.total.count += run.page.total.count;
            page.total.is_exact = page.total.is_exact && run.page.total.is_exact;
        }
        if (!page.total.is_exact) { page.total.count = std::min(page.total.count, Total::counted_to); }
        if (page.has_more && query.limit != 0) {
            for (std::size_t at = 0; at < runs.size(); ++at) {
                if (at != 0) { page.next_cursor += between_cursors; }
                page.next_cursor += cursor_behind(runs[at], cursors[at], query.sort, last);
            }
        }
        return page;
    }

    /// Whose record comes next. Null: none, or it is not known, because a part has not looked far enough.
    [[nodiscard]] static Run* next_of(std::vector<Run>& runs, SortBy sort) {
        Run* best = nullptr;
        for (Run& run : runs) {
            if (run.has_next()) {
                if (best == nullptr || comes_before(sort, run.next(), best->next())) { best = &run; }
            } else if (run.page.has_more) {
                return nullptr;
            }
        }
        return best;
    }

    /// @param before  The cursor that this part was asked with.
    /// @param last    The last record of the page, between parts.
    [[nodiscard]] static std::string cursor_behind(const Run& run, const std::string& before, SortBy sort,
                                                   const std::optional<QueryPlace>& last) {
        if (!run.has_next() && run.page.has_more) { return run.page.next_cursor; }
        if (run.taken != 0) { return to_cursor(sort, {run.places[run.taken - 1].in_part}); }
        if (!before.empty() || sort == SortBy::oldest) { return before; }
        // Nothing of this part belongs to the page: what comes to it from now on does not either.
        if (sort == SortBy::newest) { return to_cursor(sort, {{0, run.page.front}}); }
        constexpr auto any = std::numeric_limits<std::uint64_t>::max();
        return last ? to_cursor(sort, {{last->value, {any, any}}}) : before;
    }

    /// The cursors of the parts.
    [[nodiscard]] static std::vector<std::string> parted(std::string_view cursor, std::size_t count) {
        std::vector<std::string> parts(count);
        if (cursor.empty()) { return parts; }
        for (std::size_t at = 0; at < count; ++at) {
            const std::size_t end = cursor.find(between_cursors);
            if ((end == std::string_view::npos) != (at + 1 == count)) {
                throw std::invalid_argument{
                    "ExecutionQuery: cursor must be the next_cursor of an earlier page of this query"};
            }
            parts[at] = cursor.substr(0, end);
            if (at + 1 != count) { cursor.remove_prefix(end + 1); }
        }
        return parts;
    }

    static constexpr char between_cursors = '~';

    const LogCore& log_;
    const LogShards* shards_;
};

} // namespace daybook::inline v0::detail

#endif
