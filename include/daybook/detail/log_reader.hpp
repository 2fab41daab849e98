// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_LOG_READER_HPP
#define DAYBOOK_DETAIL_LOG_READER_HPP

/// @file
/// Asking the log: pages, single records, figures. What is found is copied under the lock and built outside it.

#include <daybook/detail/log_core.hpp>
#include <daybook/detail/log_mutex.hpp>
#include <daybook/detail/query_cursor.hpp>
#include <daybook/detail/query_scan.hpp>
#include <daybook/detail/record_facts.hpp>
#include <daybook/detail/record_filter.hpp>
#include <daybook/detail/record_streams.hpp>
#include <daybook/detail/stats_sum.hpp>
#include <daybook/detail/text_search.hpp>
#include <daybook/log/execution_query.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

/// A page before its records have been built.
struct PageFacts {
    Total total;
    bool has_more = false;
    std::string next_cursor;
    std::uint64_t scanned = 0;
    bool complete = true;
    std::size_t passed = 0;
    SortKey front = {}; ///< the end of the list as it was looked at: newer ones were not there
};

class LogReader {
public:
    /// How many records there are.
    struct Stock {
        std::array<std::uint64_t, status_count> by_status{};
        std::size_t retained = 0;

        void show(StatsSnapshot& all, std::size_t capacity) const {
            const auto count = [&](JobStatus status) { return by_status[static_cast<std::size_t>(status)]; };
            all.queued = count(JobStatus::queued);
            all.running = count(JobStatus::running);
            all.retained = retained;
            all.buffer_utilization = static_cast<double>(retained) / static_cast<double>(capacity);
            for (const JobStatus status : all_statuses) { all.by_status.emplace(to_string(status), count(status)); }
        }
    };

    explicit LogReader(const LogCore& core)
        : core_{core},
          view_{core.pool_, core.index_, core.ids_, core.jobs_, core.handlers_, core.methods_, core.mutex_},
          pool_{core.pool_},
          index_{core.index_} {}

    [[nodiscard]] std::optional<RawRecord> find(ExecutionId id) const {
        const ReadingTurn lock{core_.mutex_};
        const std::uint32_t index = core_.ids_.find(id);
        if (index == no_slot) { return std::nullopt; }
        std::optional<RawRecord> found{RawRecord{{}, {pool_[index].result, pool_[index].error}}};
        copy_facts(pool_[index], core_.names_of(pool_[index]), found->facts);
        return found;
    }

    [[nodiscard]] StatsSnapshot stats() const {
        const ClockReading now = core_.options_.clock.read();
        Stock stock;
        StatsSnapshot all = core_.stats_.snapshot(now.wall, now.steady, [&](auto&& work) {
            const ReadingTurn lock{core_.mutex_};
            if (!work()) { return; }
            stock = {};
            add_to(stock);
        });
        stock.show(all, core_.options_.capacity);
        return all;
    }

    /// Adds what has been counted here, and how many records there are if that is wanted. In one turn.
    void add_stats(StatsSum& sum, Stock* stock) const {
        const ReadingTurn lock{core_.mutex_};
        sum.add(core_.stats_);
        if (stock != nullptr) { add_to(*stock); }
    }

    /// How late executions started, and how long they waited. O(1).
    void read_latencies(LatencySummary& drift, LatencySummary& queue_delay) const {
        const ReadingTurn lock{core_.mutex_};
        drift = core_.stats_.drift();
        queue_delay = core_.stats_.queue_delay();
    }

    [[nodiscard]] RangeStats stats(sys_time from, sys_time to) const {
        return core_.stats_.range(from, to, core_.options_.clock.now(), [&](auto&& work) {
            const ReadingTurn lock{core_.mutex_};
            work();
        });
    }

    /// The records with these statuses that match, in the order that the query asks for.
    /// @param search  Says whether a result has a text in it; null where results are not searched.
    /// @throws std::invalid_argument  The cursor is malformed, or a value of metadata is asked for without its key.
    [[nodiscard]] PageFacts page(const ExecutionQuery& query, StatusSet statuses, RecordSink& records,
                                 ResultSearch search) const {
        if (query.metadata_value && query.metadata_key.empty()) {
            throw std::invalid_argument{"ExecutionQuery: metadata_value needs metadata_key"};
        }
        QueryScan scan{view_, query, statuses, search};
        PageFacts page;
        std::vector<QueryPlace> in_flight;
        bool are_few = is_about_flight(statuses) && !scan.has_text();
        if (are_few) { in_flight.reserve(few); } // not under the lock
        {
            const ReadingTurn lock{core_.mutex_};
            const bool has_names = scan.begin();
            page.front = scan.front(Direction::older).bound;
            if (!has_names) { return page; }
            if (scan.known_total() && query.offset >= *scan.known_total()) {
                page.total.count = *scan.known_total();
                if (!scan.cursor()) { page.passed = static_cast<std::size_t>(*scan.known_total()); }
                return page;
            }
            are_few = are_few && core_.in_flight_.size <= few && core_.in_flight_.size < index_.overtaken().size;
            if (are_few) { find_in_flight(scan, in_flight, page); }
        }
        if (are_few) {
            cut(scan, std::move(in_flight), page, records);
        } else if (is_by_start(query.sort)) {
            fill_in_order(scan, page, records);
        } else {
            fill_sorted(scan, page, records);
        }
        page.scanned += scan.scanned();
        return page;
    }

private:
    /// Executions in flight that may be looked at without giving the lock to others in between.
    static constexpr std::size_t few = 512;

    /// Whoever calls holds the lock.
    void add_to(Stock& stock) const noexcept {
        stock.retained += core_.finished_.size();
        for (const JobStatus status : all_statuses) {
            stock.by_status[static_cast<std::size_t>(status)] += index_.count(status);
        }
    }

    /// Where these are few, it is better to look at them than to walk past everything that the ring has overtaken.
    [[nodiscard]] static bool is_about_flight(StatusSet statuses) noexcept {
        return std::none_of(all_statuses.begin(), all_statuses.end(),
                            [&](JobStatus status) { return is_finished(status) && statuses.contains(status); });
    }

    /// Whoever calls holds the lock.
    void find_in_flight(const QueryScan& scan, std::vector<QueryPlace>& matches, PageFacts& page) const {
        for (std::uint32_t at = core_.in_flight_.newest; at != no_slot; at = pool_[at].by_age.older) {
            ++page.scanned;
            if (!scan.matches(pool_[at])) { continue; }
            matches.push_back({sort_value(scan.query().sort, pool_[at]).value_or(0), index_.key_of(at)});
        }
        page.total.count = matches.size();
    }

    void fill_in_order(QueryScan& scan, PageFacts& page, RecordSink& records) const {
        const ExecutionQuery& query = scan.query();
        const bool is_down = query.sort == SortBy::newest;
        const Direction direction = is_down ? Direction::older : Direction::newer;
        WalkPlace from = scan.front(direction);
        if (scan.cursor()) {
            const SortKey after = scan.cursor()->after.key;
            from = {is_down ? std::min(from.bound, after) : after, scan.cursor()->next_execution,
                    scan.cursor()->next_skip};
        }
        const SortKey last = is_down ? SortKey{} : scan.front(Direction::older).bound;
        const bool wants_count = !scan.known_total() && query.totals == Totals::count;
        const bool is_counting = wants_count && !scan.counts_by_blocks();
        std::vector<ExecutionId> ids; // of what was found outside the lock
        std::size_t passed = 0;
        std::size_t kept = 0;
        std::uint64_t seen = 0;
        bool is_full = false;  // and there is more
        bool has_last = false; // there is no more
        const auto place = [&](const Match& match) {
            if (!is_full) {
                if (passed < query.offset) {
                    ++passed;
                    return scan.known_total() ? Took::passed : Took::scanned;
                }
                if (kept < query.limit) {
                    ++kept;
                    if (match.index != no_slot) {
                        copy_to(records, match.index);
                    } else {
                        ids.push_back(match.place.key.id);
                    }
                    return kept == query.limit ? Took::kept_as_last : Took::kept;
                }
                is_full = true;
            }
            return is_counting && seen <= Total::counted_to ? Took::scanned : Took::nothing_more;
        };
        const auto take = [&](const Match& match) {
            ++seen;
            const Took took = place(match);
            // Where all are found already, what is left of the lists need not be gone through.
            has_last = !scan.cursor() && seen == scan.known_total() && scan.has_settled();
            return has_last ? Took::nothing_more : took;
        };
        std::size_t room = 0;
        const auto make_room = [&] {
            if (room >= kept + QueryScan::kept_slice || room >= query.limit) { return; }
            // Most pages are full, and most lists longer than a page: twice as many as before, from a usual page on.
            const std::size_t usual = std::max<std::size_t>(128, room);
            const std::size_t more = std::min(query.limit - room, usual);
            records.make_room(room + more - kept); // what is kept by now is less than there is room for
            room += more;
        };
        const auto walk = [&](const WalkPlace& begin, SortKey to) {
            return scan.has_text() ? scan.walk_outside(direction, begin, to, take)
                                   : scan.walk(direction, begin, to, take, make_room);
        };
        WalkEnd end = walk(from, last);
        page.passed = passed;
        page.complete = is_full || has_last || end == WalkEnd::of_list;
        page.has_more = is_full || end == WalkEnd::of_budget;
        if (page.has_more && query.limit != 0) {
            const WalkPlace& at = is_full ? scan.page_end() : scan.place();
            page.next_cursor = to_cursor(query.sort, {{0, at.bound}, at.next_execution, at.next_skip});
        }
        if (is_counting && scan.cursor() && end == WalkEnd::of_list) { // what comes before the cursor
            is_full = true;
            end = walk(scan.front(direction), scan.cursor()->after.key);
        }
        const bool saw_all = end == WalkEnd::of_list && (is_counting || !scan.cursor());
        if (scan.known_total()) {
            page.total = {*scan.known_total(), true};
        } else if (wants_count && !saw_all && scan.counts_by_blocks()) {
            page.total = scan.count_by_blocks();
            page.total.count = std::max(page.total.count, std::min(seen, Total::counted_to));
        } else {
            page.total = {std::min(seen, Total::counted_to), saw_all && seen <= Total::counted_to};
        }
        fetch(scan, ids, records);
    }

    void fill_sorted(QueryScan& scan, PageFacts& page, RecordSink& records) const {
        const ExecutionQuery& query = scan.query();
        const auto is_earlier = [&](const QueryPlace& one, const QueryPlace& other) {
            return comes_before(query.sort, one, other);
        };
        const std::size_t limit = std::min(query.limit, SIZE_MAX - 1);
        const std::size_t most = std::min(query.offset, SIZE_MAX - 1 - limit) + limit + 1;
        std::vector<QueryPlace> best; // a heap, the last of them on top
        std::uint64_t seen = 0;
        const auto take = [&](const Match& match) {
            ++seen;
            if (scan.cursor() && !is_earlier(scan.cursor()->after, match.place)) { return Took::scanned; }
            if (best.size() == most) {
                if (!is_earlier(match.place, best.front())) { return Took::scanned; }
                std::pop_heap(best.begin(), best.end(), is_earlier);
                best.pop_back();
            }
            best.push_back(match.place);
            std::push_heap(best.begin(), best.end(), is_earlier);
            return Took::scanned;
        };
        const WalkEnd end = scan.walk_outside(Direction::older, scan.front(Direction::older), SortKey{}, take);
        page.complete = end == WalkEnd::of_list;
        page.total = {seen, page.complete};
        cut(scan, std::move(best), page, records);
    }

    /// The part of the matches that the page asks for.
    void cut(QueryScan& scan, std::vector<QueryPlace> matches, PageFacts& page, RecordSink& records) const {
        const ExecutionQuery& query = scan.query();
        const auto is_earlier = [&](const QueryPlace& one, const QueryPlace& other) {
            return comes_before(query.sort, one, other);
        };
        if (scan.cursor()) {
            std::erase_if(matches, [&](const auto& match) { return !is_earlier(scan.cursor()->after, match); });
        }
        std::sort(matches.begin(), matches.end(), is_earlier);
        const std::size_t first = std::min(query.offset, matches.size());
        const std::size_t size = std::min(query.limit, matches.size() - first);
        page.passed = first;
        page.has_more = first + size < matches.size();
        if (page.has_more && size != 0) { page.next_cursor = to_cursor(query.sort, {matches[first + size - 1]}); }
        std::vector<ExecutionId> ids;
        ids.reserve(size);
        for (std::size_t i = first; i < first + size; ++i) { ids.push_back(matches[i].key.id); }
        fetch(scan, ids, records);
    }

    /// Copies the records that are still there and still match.
    void fetch(QueryScan& scan, const std::vector<ExecutionId>& ids, RecordSink& records) const {
        records.make_room(ids.size()); // not under the lock
        for (std::size_t i = 0; i < ids.size();) {
            const ReadingTurn lock{core_.mutex_};
            if (!scan.find_names()) { return; }
            const std::size_t end = std::min(ids.size(), i + QueryScan::kept_slice);
            do {
                const std::uint32_t index = core_.ids_.find(ids[i]);
                if (index != no_slot && scan.matches(pool_[index])) { copy_to(records, index); }
            } while (++i < end && !core_.mutex_.is_wanted());
        }
    }

    void copy_to(RecordSink& records, std::uint32_t index) const {
        records.add(pool_[index], core_.names_of(pool_[index]));
    }

    const LogCore& core_;
    LogView view_;
    const SlotPool& pool_;
    const ExecutionIndex& index_;
};

} // namespace daybook::inline v0::detail

#endif
