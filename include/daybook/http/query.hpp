// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_HTTP_QUERY_HPP
#define DAYBOOK_HTTP_QUERY_HPP

/// @file
/// A request target taken apart: the segments of its path and the parameters of its query, decoded.

#include <daybook/detail/url.hpp>
#include <daybook/http/message.hpp>
#include <daybook/text/timestamp.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace daybook::inline v0::http {

/// The parameters of a query. What nobody asks for is ignored, so that a client may add what it likes (a cache buster).
class Query {
public:
    Query() = default;

    /// How many a query may have, unless a router says otherwise.
    static constexpr std::size_t max_parameters = 100;

    /// @param text  What stands after the `?`, not decoded.
    /// @throws Error  400: a bad escape, a NUL, or more than `most` parameters.
    explicit Query(std::string_view text, std::size_t most = max_parameters) {
        while (!text.empty()) {
            const auto piece = text.substr(0, text.find('&'));
            text.remove_prefix(std::min(text.size(), piece.size() + 1));
            if (piece.empty()) { continue; }
            if (parameters_.size() == most) {
                throw Error{400, "the query has too many parameters: " + std::to_string(most) + " are allowed"};
            }
            const auto name_end = std::min(piece.find('='), piece.size());
            auto name = detail::percent_decode(piece.substr(0, name_end), detail::PlusSign::is_space);
            if (!name) { throw Error{400, "the name of a query parameter is not properly percent-encoded"}; }
            auto value =
                detail::percent_decode(piece.substr(std::min(piece.size(), name_end + 1)), detail::PlusSign::is_space);
            if (!value) { throw Error{400, *name + " is not properly percent-encoded"}; }
            parameters_.emplace_back(std::move(*name), std::move(*value));
        }
    }

    /// The value of a parameter; empty when it was not given. Points into this object.
    /// @throws Error  400: it was given more than once.
    [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const {
        std::optional<std::string_view> found;
        for (const auto& parameter : parameters_) {
            if (parameter.first != name) { continue; }
            if (found) { throw Error{400, std::string{name} + " is given more than once: give it once"}; }
            found = parameter.second;
        }
        return found;
    }

    /// As `find`, for a text that must not be empty.
    /// @throws Error  400: it was given more than once, or is empty.
    [[nodiscard]] std::string text(std::string_view name) const {
        const auto value = find(name);
        if (value && value->empty()) {
            throw Error{400, std::string{name} + " must not be empty: leave it out to have them all"};
        }
        return std::string{value.value_or("")};
    }

    /// A whole number from 0 up, in decimal digits; one that does not fit is the largest that does.
    /// @throws Error  400: it was given more than once, or is something else.
    [[nodiscard]] std::uint64_t whole_number(std::string_view name, std::uint64_t otherwise) const {
        const auto value = find(name);
        if (!value) { return otherwise; }
        std::uint64_t number = 0;
        const auto* const end = value->data() + value->size();
        const auto result = std::from_chars(value->data(), end, number);
        if (result.ptr != end || result.ec == std::errc::invalid_argument) {
            throw Error{400, std::string{name} + " must be a whole number, 0 or more"};
        }
        return result.ec == std::errc{} ? number : std::numeric_limits<std::uint64_t>::max();
    }

    /// An instant as RFC 3339 has it, or a day, which begins at midnight UTC. Digits past the microsecond are dropped.
    /// @throws Error  400: it was given more than once, or is something else.
    [[nodiscard]] std::optional<sys_time> instant(std::string_view name) const {
        const auto value = find(name);
        if (!value) { return std::nullopt; }
        const auto found = detail::parse_instant_or_day(*value);
        if (!found) {
            throw Error{400, std::string{name} + " must be an instant such as 2024-01-15T10:30:00Z (the + of an "
                                                 "offset is written %2B), or a day such as 2024-01-15"};
        }
        return found;
    }

    /// A number of milliseconds from 0 up, with decimals or without; digits past the nanosecond are dropped, and one
    /// that does not fit is the largest that does.
    /// @throws Error  400: it was given more than once, or is something else.
    [[nodiscard]] std::optional<std::chrono::nanoseconds> milliseconds(std::string_view name) const {
        const auto value = find(name);
        if (!value) { return std::nullopt; }
        const auto point = std::min(value->find('.'), value->size());
        const auto decimals = value->substr(std::min(value->size(), point + 1));
        const auto is_number = [](std::string_view text) {
            return !text.empty() &&
                   std::all_of(text.begin(), text.end(), [](char digit) { return digit >= '0' && digit <= '9'; });
        };
        if (!is_number(value->substr(0, point)) || (point != value->size() && !is_number(decimals))) {
            throw Error{400, std::string{name} + " must be a number of milliseconds, 0 or more, such as 1500 or 0.25"};
        }
        constexpr std::int64_t in_nanoseconds = 1'000'000;
        constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max() / in_nanoseconds - 1;
        std::int64_t whole = 0;
        const auto result = std::from_chars(value->data(), value->data() + point, whole);
        if (result.ec != std::errc{} || whole > largest) { return std::chrono::nanoseconds::max(); }
        std::int64_t part = 0;
        std::int64_t unit = in_nanoseconds / 10;
        for (const char digit : decimals) {
            part += (digit - '0') * unit;
            unit /= 10;
        }
        return std::chrono::nanoseconds{whole * in_nanoseconds + part};
    }

private:
    std::vector<std::pair<std::string, std::string>> parameters_;
};

/// A request target, taken apart.
struct Target {
    std::vector<std::string> segments = {}; ///< what stands between the slashes of the path; "/" has one empty segment
    Query query = {};

    /// Longer ones are refused, unless a router says otherwise.
    static constexpr std::size_t max_length = 8192;

    /// Understands `/path?query`, and `http://host/path?query` as RFC 9112 (3.2.2) demands of servers. Segments are
    /// parted before they are decoded, so one may hold an encoded slash.
    /// @throws Error  400: not a path, badly encoded, or too many parameters; 414: longer than `most_bytes`.
    [[nodiscard]] static Target parse(std::string_view text, std::size_t most_bytes = max_length,
                                      std::size_t most_parameters = Query::max_parameters) {
        if (text.size() > most_bytes) {
            throw Error{414, "the request target is longer than " + std::to_string(most_bytes) + " bytes"};
        }
        const auto parts = detail::split_target(text);
        auto path = parts.path;
        if (!path.starts_with('/')) { throw Error{400, "the request target must be a path that begins with /"}; }

        Target target;
        while (!path.empty()) {
            path.remove_prefix(1);
            const auto segment = path.substr(0, path.find('/'));
            path.remove_prefix(segment.size());
            auto decoded = detail::percent_decode(segment, detail::PlusSign::is_itself);
            if (!decoded) { throw Error{400, "the path is not properly percent-encoded"}; }
            target.segments.push_back(std::move(*decoded));
        }
        target.query = Query{parts.query, most_parameters};
        return target;
    }
};

} // namespace daybook::inline v0::http

#endif
