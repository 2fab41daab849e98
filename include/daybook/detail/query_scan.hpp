// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_QUERY_SCAN_HPP
#define DAYBOOK_DETAIL_QUERY_SCAN_HPP

/// @file
/// The walk of one query through the log: in slices, so that nobody who records waits for the whole of it, and within a
/// bound.

#include <daybook/detail/execution_index.hpp>
#include <daybook/detail/execution_slot.hpp>
#include <daybook/detail/log_entries.hpp>
#include <daybook/detail/log_mutex.hpp>
#include <daybook/detail/query_cursor.hpp>
#include <daybook/detail/record_filter.hpp>
#include <daybook/detail/record_streams.hpp>
#include <daybook/detail/ref.hpp>
#include <daybook/detail/text_search.hpp>
#include <daybook/log/execution_query.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace daybook::inline v0::detail {

/// What a match is to a page.
enum class Took : std::uint8_t {
    passed,       ///< it is passed over, by the offset
    kept,         ///< it belongs to the page
    kept_as_last, ///< the same, and the page is full
    scanned,      ///< it was looked at, as what does not match is
    nothing_more  ///< it was looked at, perhaps kept, and nothing else need be
};

/// Why a walk is over.
enum class WalkEnd : std::uint8_t {
    of_list,
    of_taking, ///< nothing more was wanted
    of_budget, ///< `max_scanned` was reached
    lost,      ///< the place that the cursor names could not be found in reasonable time
};

/// A match, as it is handed to who asked.
struct Match {
    QueryPlace place;
    std::uint32_t index = no_slot; ///< while the lock is held; else `no_slot`
};

/// @par Thread safety
/// One thread.
class QueryScan {
public:
    /// @param query  Must outlive this object.
    /// @throws std::invalid_argument  The cursor is malformed.
    QueryScan(const LogView& log, const ExecutionQuery& query, StatusSet statuses, ResultSearch search)
        : log_{log},
          query_{query},
          filter_{query, statuses},
          text_{query.text},
          search_{search},
          budget_{std::max<std::size_t>(1, query.max_scanned)} {
        if (!query.cursor.empty()) { cursor_ = parse_cursor(query.sort, query.cursor); }
    }

    [[nodiscard]] const ExecutionQuery& query() const noexcept { return query_; }
    [[nodiscard]] const std::optional<QueryCursor>& cursor() const noexcept { return cursor_; }
    [[nodiscard]] bool has_text() const noexcept { return !text_.is_empty(); }

    /// How many matches there are, where the lists tell; as of the first look.
    [[nodiscard]] std::optional<std::uint64_t> known_total() const noexcept { return known_total_; }
    [[nodiscard]] std::uint64_t scanned() const noexcept { return scanned_; }

    /// Where the last walk ended, and where it stood when the page was full.
    [[nodiscard]] const WalkPlace& place() const noexcept { return place_; }
    [[nodiscard]] const WalkPlace& page_end() const noexcept { return page_end_; }

    /// Whether nothing has come to the statuses that are asked for since `begin`: who has seen `known_total` matches
    /// by then has seen all of them. Whoever calls holds the lock.
    [[nodiscard]] bool has_settled() const noexcept { return arrivals() == arrivals_; }

    /// The end of the list from which a walk in this direction begins. Executions that are placed later are not seen; a
    /// skip may be.
    [[nodiscard]] WalkPlace front(Direction direction) const noexcept {
        return {.bound = direction == Direction::older ? newest_ : SortKey{}};
    }

    /// Remembers what is the newest record, and how many match if that is known. Whoever calls holds the lock.
    /// @returns False: no record has the names that the query asks for.
    [[nodiscard]] bool begin() noexcept {
        newest_ = log_.index.newest_key();
        arrivals_ = arrivals();
        if (!find_names()) {
            known_total_ = 0;
            return false;
        }
        const RecordStreams streams{log_, filter_, Direction::older, choice_};
        if (streams.are_all_matches() && !has_text()) { known_total_ = streams.size(); }
        if (filter_.is_of_last_attempts() && !has_text()) { known_total_ = count_last_attempts(); }
        const bool has_names = filter_.job != no_slot || filter_.handler != no_slot;
        const bool is_overtaken =
            log_.index.overtaken().size != 0 && log_.index.times().may_have_overtaken(filter_.times);
        counts_by_blocks_ = !filter_.times.is_everything() && filter_.is_of_lists() && !has_names && !has_text() &&
                            !filter_.statuses.contains(JobStatus::skipped) && !is_overtaken;
        return true;
    }

    /// Looks for the names that the query has. Whoever calls holds the lock. @returns Whether records have them.
    [[nodiscard]] bool find_names() noexcept {
        const auto is_found = [](const auto& table, const std::string& name, std::uint32_t& number) {
            if (name.empty()) { return true; }
            const std::string_view limited = HashedNames::limited(name);
            number = table.find(limited, hash_name(limited));
            return number != no_slot;
        };
        filter_.handler_in_place = no_slot;
        if (query_.missing_metadata == MissingMetadata::handler_id && query_.metadata_value) {
            is_found(log_.handlers, *query_.metadata_value, filter_.handler_in_place); // or it is nobody's
        }
        return is_found(log_.jobs, query_.job_id, filter_.job) &&
               is_found(log_.handlers, query_.handler_id, filter_.handler) &&
               is_found(log_.methods, query_.method_name, filter_.method);
    }

    /// Whether a record matches, all but its text. Whoever calls has found the names, and holds the lock since.
    [[nodiscard]] bool matches(const ExecutionSlot& slot) const noexcept { return filter_.matches(slot); }

    /// Asks `take` about each match beyond `from` up to and with `to`, under the lock; before it is taken each time,
    /// calls `prepare()`, which makes room for `kept_slice` records.
    template <class Take, class Prepare>
    WalkEnd walk(Direction direction, const WalkPlace& from, SortKey to, Take&& take, Prepare&& prepare) {
        place_ = from;
        const auto ask = [&](const Match& match, const RecordStreams& streams) {
            const Took took = take(match);
            if (took == Took::kept_as_last) { streams.leave(match.index, page_end_); }
            return took;
        };
        while (budget_ != 0) {
            prepare();
            const ReadingTurn lock{log_.mutex};
            if (const auto end = walk_slice(direction, to, slice, ask)) { return *end; }
        }
        return WalkEnd::of_budget;
    }

    /// The same, outside the lock, for matches that have the text as well.
    template <class Take>
    WalkEnd walk_outside(Direction direction, const WalkPlace& from, SortKey to, Take&& take) {
        place_ = from;
        std::vector<Candidate> candidates;
        candidates.reserve(slice);
        const auto note = [&](const Match& match, const RecordStreams& streams) {
            Candidate& noted = candidates.emplace_back();
            noted.place = match.place;
            streams.leave(match.index, noted.stand);
            if (has_text()) {
                noted.result = log_.pool[match.index].result;
                noted.error = log_.pool[match.index].error;
            }
            return Took::scanned;
        };
        std::string scratch;
        while (budget_ != 0) {
            std::optional<WalkEnd> end;
            {
                const ReadingTurn lock{log_.mutex};
                end = walk_slice(direction, to, std::min(slice, budget_), note);
            }
            for (const Candidate& candidate : candidates) {
                if (has_text() && !is_in(candidate, scratch)) { continue; }
                const Took took = take(Match{candidate.place});
                if (took == Took::nothing_more) { return WalkEnd::of_taking; }
                if (took == Took::kept_as_last) { page_end_ = candidate.stand; }
                if (took != Took::scanned) { ++budget_; }
            }
            candidates.clear();
            if (end && end != WalkEnd::of_budget) { return *end; }
        }
        return WalkEnd::of_budget;
    }

    /// Whether `count_by_blocks` may be asked: for a range of time, alone or with statuses, unless the ring has
    /// overtaken a part of it.
    [[nodiscard]] bool counts_by_blocks() const noexcept { return counts_by_blocks_; }

    /// How many match, by blocks of the ring, of which only those at the ends of the range are looked into.
    [[nodiscard]] Total count_by_blocks() {
        const ExecutionIndex& index = log_.index;
        Total total;
        std::uint64_t end = (newest_.order + 1) / 2;
        while (true) {
            const ReadingTurn lock{log_.mutex};
            for (std::size_t blocks = 0; blocks < block_slice; ++blocks) {
                if (end == 0) { return total; }
                const auto last = index.times().last_up_to(end - 1, index.first_position(), filter_.times);
                if (!last) { return total; }
                total.is_exact = count_block(*last, total.count) && total.count <= Total::counted_to;
                if (!total.is_exact) {
                    total.count = std::min(total.count, Total::counted_to);
                    return total;
                }
                end = *last / 64 * 64;
                if (log_.mutex.is_wanted()) { break; }
            }
        }
    }

    /// Records looked at, and records kept (and copied), before the lock is given to others for a moment; fewer as soon
    /// as somebody wants it.
    static constexpr std::size_t slice = 128;
    static constexpr std::size_t kept_slice = 8;
    static constexpr std::size_t block_slice = 64;

private:
    struct Candidate {
        QueryPlace place;
        WalkPlace stand;
        Ref<RefCounted> result;
        Ref<TextBlock> error;
    };

    /// Adds the matches in the block of `last`, up to there. Whoever calls holds the lock. @returns Whether it could
    /// look at all of them.
    [[nodiscard]] bool count_block(std::uint64_t last, std::uint64_t& count) {
        const ExecutionIndex& index = log_.index;
        if (last % 64 == 63 && index.times().is_inside(last, filter_.times)) {
            for (const JobStatus status : all_statuses) {
                if (filter_.statuses.contains(status)) { count += index.count_around(index.in_ring(status), last); }
            }
            return true;
        }
        for (std::uint64_t end = last + 1; end > last / 64 * 64;) {
            const std::uint32_t found = index.last_up_to(index.in_ring(), end - 1);
            if (found == no_slot || log_.pool[found].order / 2 < last / 64 * 64) { return true; }
            if (budget_ == 0) { return false; }
            --budget_;
            ++scanned_;
            end = log_.pool[found].order / 2;
            if (filter_.matches(log_.pool[found])) { ++count; }
        }
        return true;
    }

    [[nodiscard]] std::uint64_t count_last_attempts() const noexcept {
        std::uint64_t sum = 0;
        for (const JobStatus status : all_statuses) {
            if (!filter_.statuses.contains(status)) { continue; }
            sum += log_.index.count(status) - log_.index.count_retried(status);
        }
        return sum;
    }

    [[nodiscard]] std::uint64_t arrivals() const noexcept {
        std::uint64_t sum = 0;
        for (const JobStatus status : all_statuses) {
            if (filter_.statuses.contains(status)) { sum += log_.index.arrivals(status); }
        }
        return sum;
    }

    [[nodiscard]] bool is_in(const Candidate& candidate, std::string& scratch) const {
        return (candidate.error && text_.is_in(candidate.error->text())) ||
               (candidate.result && search_ != nullptr && search_(*candidate.result, text_, scratch));
    }

    /// Goes on from `place_`. Whoever calls holds the lock. @returns Why the walk is over, if it is.
    template <class Take>
    std::optional<WalkEnd> walk_slice(Direction direction, SortKey to, std::size_t most, Take&& take) {
        if (!find_names()) { return WalkEnd::of_list; }
        RecordStreams streams{log_, filter_, direction, choice_};
        if (!streams.enter(place_)) {
            if (!streams.is_named()) { return WalkEnd::lost; }
            choice_ = ListChoice::ring;
            return std::nullopt;
        }
        std::size_t kept = 0;
        for (std::size_t looked_at = 0; looked_at < most; ++looked_at) {
            const std::uint32_t index = streams.take();
            if (index == no_slot) { return WalkEnd::of_list; }
            const SortKey key = log_.index.key_of(index);
            if (direction == Direction::older ? key < to : key > to) { return WalkEnd::of_list; }
            ++scanned_;
            const ExecutionSlot& slot = log_.pool[index];
            Took took = Took::scanned;
            if (filter_.matches(slot)) {
                took = take(Match{{sort_value(query_.sort, slot).value_or(0), key}, index}, streams);
                if (took == Took::nothing_more) {
                    --budget_;
                    return WalkEnd::of_taking;
                }
            }
            const bool is_over = took == Took::scanned && --budget_ == 0;
            const bool is_kept = took == Took::kept || took == Took::kept_as_last;
            const bool is_wanted = (is_kept || looked_at % 16 == 15) && log_.mutex.is_wanted();
            if (is_over || (is_kept && ++kept == kept_slice) || looked_at + 1 == most || is_wanted) {
                streams.leave(index, place_);
                return is_over ? std::optional{WalkEnd::of_budget} : std::nullopt;
            }
        }
        return std::nullopt;
    }

    const LogView& log_;
    const ExecutionQuery& query_;
    RecordFilter filter_;
    TextSearch text_;
    ResultSearch search_;
    std::optional<QueryCursor> cursor_;
    std::size_t budget_; ///< what may still be scanned
    ListChoice choice_ = ListChoice::shortest;
    SortKey newest_;
    std::uint64_t arrivals_ = 0;
    std::optional<std::uint64_t> known_total_;
    bool counts_by_blocks_ = false;
    std::uint64_t scanned_ = 0;
    WalkPlace place_;
    WalkPlace page_end_;
};

} // namespace daybook::inline v0::detail

#endif
