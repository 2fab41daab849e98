// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_RESULT_TEXT_HPP
#define DAYBOOK_DETAIL_RESULT_TEXT_HPP

/// @file
/// A result as the JSON text that a store keeps, and back.

#include <daybook/detail/ref.hpp>
#include <daybook/detail/result_block.hpp>
#include <daybook/log/result_codec.hpp>
#include <daybook/text/json_writer.hpp>

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <variant>

namespace daybook::inline v0::detail {

/// Writes a job's result as JSON.
using ResultText = void (*)(std::string& out, const RefCounted& result);

/// Null where there is nothing to write: a job that returns nothing, or a type without a codec.
template <class Result>
[[nodiscard]] constexpr ResultText result_text() noexcept {
    if constexpr (std::is_same_v<Result, std::string>) {
        return [](std::string& out, const RefCounted& result) {
            JsonWriter{out}.value(static_cast<const TextBlock&>(result).text());
        };
    } else if constexpr (!std::is_same_v<Result, std::monostate> &&
                         requires(JsonWriter & writer, const Result& result) {
                             ResultCodec<Result>::write_json(writer, result);
                         }) {
        return [](std::string& out, const RefCounted& result) {
            JsonWriter writer{out};
            ResultCodec<Result>::write_json(writer, static_cast<const ValueBlock<Result>&>(result).value());
        };
    } else {
        return nullptr;
    }
}

/// The text of a JSON string (RFC 8259, 7), which must be one from end to end; empty for anything else. Half of a
/// surrogate pair alone becomes U+FFFD.
[[nodiscard]] inline std::optional<std::string> parse_json_string(std::string_view json) {
    if (json.size() < 2 || json.front() != '"' || json.back() != '"') { return std::nullopt; }
    json = json.substr(1, json.size() - 2);
    std::string text;
    text.reserve(json.size());
    const auto append = [&](std::uint32_t point) {
        if (point < 0x80) {
            text += static_cast<char>(point);
        } else if (point < 0x800) {
            text += static_cast<char>(0xC0U | point >> 6U);
            text += static_cast<char>(0x80U | (point & 0x3FU));
        } else if (point < 0x10000) {
            text += static_cast<char>(0xE0U | point >> 12U);
            text += static_cast<char>(0x80U | (point >> 6U & 0x3FU));
            text += static_cast<char>(0x80U | (point & 0x3FU));
        } else {
            text += static_cast<char>(0xF0U | point >> 18U);
            text += static_cast<char>(0x80U | (point >> 12U & 0x3FU));
            text += static_cast<char>(0x80U | (point >> 6U & 0x3FU));
            text += static_cast<char>(0x80U | (point & 0x3FU));
        }
    };
    const auto unit_at = [&](std::size_t at) -> std::optional<std::uint32_t> { // of "\uXXXX"
        if (at + 6 > json.size() || json[at] != '\\' || json[at + 1] != 'u') { return std::nullopt; }
        std::uint32_t unit = 0;
        const char* const begin = json.data() + at + 2;
        const auto [end, error] = std::from_chars(begin, begin + 4, unit, 16);
        return error == std::errc{} && end == begin + 4 ? std::optional{unit} : std::nullopt;
    };
    for (std::size_t at = 0; at < json.size();) {
        const char letter = json[at];
        if (letter == '"' || static_cast<unsigned char>(letter) < 0x20) { return std::nullopt; }
        if (letter != '\\') {
            text += letter;
            ++at;
            continue;
        }
        if (at + 1 == json.size()) { return std::nullopt; }
        constexpr std::string_view escapes = "\"\\/bfnrt";
        constexpr std::string_view meant = "\"\\/\b\f\n\r\t";
        if (const auto which = escapes.find(json[at + 1]); which != std::string_view::npos) {
            text += meant[which];
            at += 2;
            continue;
        }
        const auto unit = unit_at(at);
        if (!unit) { return std::nullopt; }
        at += 6;
        if (*unit < 0xD800 || *unit > 0xDFFF) {
            append(*unit);
            continue;
        }
        const auto low = *unit < 0xDC00 ? unit_at(at) : std::nullopt;
        if (low && *low >= 0xDC00 && *low <= 0xDFFF) {
            append(0x10000 + ((*unit - 0xD800) << 10U) + (*low - 0xDC00));
            at += 6;
        } else {
            append(0xFFFD);
        }
    }
    return text;
}

/// What a result was before it was written; empty where its type cannot tell: then the record comes without one.
template <class Result>
[[nodiscard]] std::optional<Result> parse_result(std::string_view json) {
    if constexpr (std::is_same_v<Result, std::string>) {
        return parse_json_string(json);
    } else if constexpr (requires {
                             { ResultCodec<Result>::parse_json(json) } -> std::convertible_to<std::optional<Result>>;
                         }) {
        return ResultCodec<Result>::parse_json(json);
    } else if constexpr (std::is_same_v<Result, bool>) {
        return json == "true" ? std::optional{true} : json == "false" ? std::optional{false} : std::nullopt;
    } else if constexpr (std::is_arithmetic_v<Result>) {
        Result value{};
        const auto [end, error] = std::from_chars(json.data(), json.data() + json.size(), value);
        return error == std::errc{} && end == json.data() + json.size() ? std::optional{value} : std::nullopt;
    } else {
        return std::nullopt;
    }
}

} // namespace daybook::inline v0::detail

#endif
