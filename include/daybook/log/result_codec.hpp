// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_LOG_RESULT_CODEC_HPP
#define DAYBOOK_LOG_RESULT_CODEC_HPP

/// @file
/// How a job's result is kept within bounds, and how it is written as JSON.

#include <daybook/detail/utf8.hpp>
#include <daybook/fwd.hpp>
#include <daybook/text/json_writer.hpp>

#include <concepts>
#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

namespace daybook::inline v0 {

/// What a log has to know of the type that its jobs return. A program specialises it for a type of its own, before the
/// first log of that type:
///
/// @code
/// template <>
/// struct daybook::ResultCodec<Report> {
///     static void write_json(daybook::JsonWriter& writer, const Report& report) { writer.value(report.title); }
///     static Report limited(Report report, std::size_t max_bytes) { return report; }
/// };
/// @endcode
///
/// `write_json` writes exactly one value. `limited` returns a result that takes about `max_bytes` bytes at most and
/// says, where it can, that it was cut. A codec may also have `static std::size_t memory_bytes(const Report&)`: what a
/// result owns beyond its own size, in bytes, for the log to count among its memory. None is called under a lock.
/// There is no definition for other types: one that others could use unawares would change with what is included.
template <class Result>
struct ResultCodec;

/// A type that a log can keep: copyable, with a ResultCodec.
template <class Result>
concept job_result = std::copyable<Result> && requires(JsonWriter& writer, const Result& result, Result own) {
    ResultCodec<Result>::write_json(writer, result);
    { ResultCodec<Result>::limited(std::move(own), std::size_t{1}) } -> std::convertible_to<Result>;
};

/// Text: a JSON string, cut between two characters with a mark that says so.
template <>
struct ResultCodec<std::string> {
    static void write_json(JsonWriter& writer, const std::string& result) { writer.value(result); }
    [[nodiscard]] static std::string limited(std::string result, std::size_t max_bytes) {
        return detail::limited_text(std::move(result), max_bytes);
    }
};

/// What a job that returns nothing returns: `null`.
template <>
struct ResultCodec<std::monostate> {
    static void write_json(JsonWriter& writer, std::monostate) { writer.null(); }
    [[nodiscard]] static std::monostate limited(std::monostate result, std::size_t) noexcept { return result; }
};

/// Numbers and truth values, as themselves.
template <class Number>
requires std::is_arithmetic_v<Number>
struct ResultCodec<Number> {
    static void write_json(JsonWriter& writer, Number result) { writer.value(result); }
    [[nodiscard]] static Number limited(Number result, std::size_t) noexcept { return result; }
};

} // namespace daybook::inline v0

#endif
