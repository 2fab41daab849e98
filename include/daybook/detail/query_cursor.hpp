// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_QUERY_CURSOR_HPP
#define DAYBOOK_DETAIL_QUERY_CURSOR_HPP

/// @file
/// Where a record stands in the list that a query asks for, and that place as text.

#include <daybook/detail/execution_index.hpp>
#include <daybook/detail/execution_slot.hpp>
#include <daybook/detail/saturate.hpp>
#include <daybook/log/execution_query.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace daybook::inline v0::detail {

/// Whether a list follows the log's own order.
[[nodiscard]] constexpr bool is_by_start(SortBy sort) noexcept {
    return sort == SortBy::newest || sort == SortBy::oldest;
}

/// What a record is sorted by, 0 in a list by start; empty when it has no such thing.
[[nodiscard]] inline std::optional<std::int64_t> sort_value(SortBy sort, const ExecutionSlot& slot) noexcept {
    switch (sort) {
    case SortBy::newest:
    case SortBy::oldest: return 0;
    case SortBy::longest:
    case SortBy::shortest:
        if (!slot.ran || !is_finished(slot.status)) { return std::nullopt; }
        return slot.steady;
    case SortBy::most_drift:
    case SortBy::least_drift:
        if (slot.status == JobStatus::skipped || slot.attempt_number != 1 ||
            slot.scheduled_at == ExecutionSlot::no_instant || slot.started_at == ExecutionSlot::no_instant) {
            return std::nullopt;
        }
        return std::max<std::int64_t>(0, saturating_difference(sys_time{std::chrono::microseconds{slot.started_at}},
                                                               sys_time{std::chrono::microseconds{slot.scheduled_at}})
                                             .count());
    }
    return std::nullopt;
}

/// A place in a list: the value that it is sorted by, then the log's own order.
struct QueryPlace {
    std::int64_t value = 0;
    SortKey key;
};

/// Whether `one` comes before `other`. No two records share a place.
[[nodiscard]] inline bool comes_before(SortBy sort, const QueryPlace& one, const QueryPlace& other) noexcept {
    switch (sort) {
    case SortBy::oldest: return one.key < other.key;
    case SortBy::newest: break;
    case SortBy::longest:
    case SortBy::most_drift:
        if (one.value != other.value) { return one.value > other.value; }
        break;
    case SortBy::shortest:
    case SortBy::least_drift:
        if (one.value != other.value) { return one.value < other.value; }
        break;
    }
    return one.key > other.key;
}

/// Behind which place a page begins, and which records may stand right behind it in lists of their own.
struct QueryCursor {
    QueryPlace after;
    ExecutionId next_execution = 0;
    ExecutionId next_skip = 0;
};

/// Cursors of different lists begin differently, so that none is taken for another's.
[[nodiscard]] constexpr std::string_view cursor_letter(SortBy sort) noexcept {
    constexpr std::string_view letters = "olsdt";
    return sort == SortBy::newest ? std::string_view{} : letters.substr(static_cast<std::size_t>(sort) - 1, 1);
}

/// A letter for the order, `value.` where there is one, `order.id`, then `-next_execution-next_skip` unless both are 0,
/// the second only where it is another; decimal.
[[nodiscard]] inline std::string to_cursor(SortBy sort, const QueryCursor& cursor) {
    std::string text{cursor_letter(sort)};
    if (!is_by_start(sort)) { text += std::to_string(cursor.after.value) + '.'; }
    text += std::to_string(cursor.after.key.order) + '.' + std::to_string(cursor.after.key.id);
    if (cursor.next_execution != 0 || cursor.next_skip != 0) { text += '-' + std::to_string(cursor.next_execution); }
    if (cursor.next_skip != cursor.next_execution) { text += '-' + std::to_string(cursor.next_skip); }
    return text;
}

/// @throws std::invalid_argument  The text is no cursor of such a list.
[[nodiscard]] inline QueryCursor parse_cursor(SortBy sort, std::string_view text) {
    QueryCursor cursor;
    const std::string_view letter = cursor_letter(sort);
    bool is_right = text.starts_with(letter);
    const char* const end = text.data() + text.size();
    const char* at = is_right ? text.data() + letter.size() : end;
    const auto take_letter = [&](char wanted) {
        const bool is_there = at != end && *at == wanted;
        if (is_there) { ++at; }
        return is_there;
    };
    const auto take_number = [&](auto& number) {
        const auto result = std::from_chars(at, end, number);
        at = result.ptr;
        return result.ec == std::errc{};
    };
    if (!is_by_start(sort)) { is_right = is_right && take_number(cursor.after.value) && take_letter('.'); }
    is_right = is_right && take_number(cursor.after.key.order) && take_letter('.') && take_number(cursor.after.key.id);
    if (is_right && take_letter('-')) {
        is_right = take_number(cursor.next_execution);
        cursor.next_skip = cursor.next_execution;
        if (is_right && take_letter('-')) { is_right = take_number(cursor.next_skip); }
    }
    if (!is_right || at != end) {
        throw std::invalid_argument{"ExecutionQuery: cursor must be the next_cursor of an earlier page of this query"};
    }
    return cursor;
}

} // namespace daybook::inline v0::detail

#endif
