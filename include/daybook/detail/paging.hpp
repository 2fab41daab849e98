// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_PAGING_HPP
#define DAYBOOK_DETAIL_PAGING_HPP

/// @file
/// Which part of a list a request asks for: `limit`, `offset`, `cursor`, with the refusals that all lists share; and
/// where the rest of it begins.

#include <daybook/http/message.hpp>
#include <daybook/http/query.hpp>
#include <daybook/log/execution_query.hpp>
#include <daybook/log/job_execution_log.hpp>
#include <daybook/text/json_writer.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string_view>

namespace daybook::inline v0::detail {

/// @throws http::Error  400: the limit is not a whole number.
[[nodiscard]] inline std::size_t take_limit(const http::Query& query, std::size_t otherwise, std::size_t largest) {
    return static_cast<std::size_t>(std::min<std::uint64_t>(query.whole_number("limit", otherwise), largest));
}

/// @throws http::Error  400: the offset is not a whole number.
[[nodiscard]] inline std::size_t take_offset(const http::Query& query) {
    // Far beyond what any list holds, and far from where adding a limit would overflow.
    constexpr std::uint64_t largest = std::numeric_limits<std::uint32_t>::max();
    return static_cast<std::size_t>(std::min(query.whole_number("offset", 0), largest));
}

/// @throws http::Error  400: a value is wrong, or both are given.
inline void take_place(const http::Query& query, ExecutionQuery& wanted) {
    wanted.cursor = query.text("cursor");
    wanted.offset = take_offset(query);
    if (!wanted.cursor.empty() && wanted.offset != 0) {
        throw http::Error{400, "offset and cursor do not go together: give one of them"};
    }
}

/// @param ask  Gives back a page of a log.
/// @throws http::Error  400: the cursor is not one.
template <class Ask>
[[nodiscard]] auto take_page_of(Ask&& ask) {
    try {
        return ask();
    } catch (const std::invalid_argument&) {
        throw http::Error{400, "cursor must be the next_cursor of an earlier page, unchanged"};
    }
}

/// Null where there is no more.
inline void write_next_cursor(JsonWriter& writer, std::string_view cursor) {
    writer.key("next_cursor");
    if (cursor.empty()) {
        writer.null();
    } else {
        writer.value(cursor);
    }
}

/// @throws http::Error  400: the cursor is not one.
template <class Result>
[[nodiscard]] Page<Result> take_page(const JobExecutionLog<Result>& log, const ExecutionQuery& wanted) {
    return take_page_of([&] { return log.query(wanted); });
}

} // namespace daybook::inline v0::detail

#endif
