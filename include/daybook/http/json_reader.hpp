// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_HTTP_JSON_READER_HPP
#define DAYBOOK_HTTP_JSON_READER_HPP

/// @file
/// How an API reads the body of a request: through a trait, so that a program uses the JSON library that it has.

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace daybook::inline v0::http {

/// What a JSON value is.
enum class JsonKind : std::uint8_t { null, boolean, number, string, array, object };

/// What a reader gives back: a document, or a sentence that says where the text stops being JSON.
template <class Document>
struct JsonParsed {
    std::optional<Document> document = {};
    std::string error = {}; ///< for the client; empty when there is a document
};

/// Documents nested deeper than this are refused by every reader.
inline constexpr std::size_t max_json_depth = 64;

/// A way to read JSON. All functions are static; only `parse` and `dump` may allocate, and none throws but
/// std::bad_alloc.
///
/// - `Value`: a document or a part of one.
/// - `parse(text)`: the whole text is one value, not nested deeper than `max_json_depth`; an object that has a name
///   twice is refused, because readers disagree which of the two counts.
/// - `kind(value)`; `truth`, `whole_number`, `number`, `text`: the value, if it is of that kind and fits.
/// - `find(value, name)`: the member of an object, or null. `size(value)`, `at(value, index)`: of an array.
/// - `for_each_member(value, f)`: `f(std::string_view, const Value&)` for each member of an object.
/// - `dump(value)`: as compact JSON.
template <class Reader>
concept json_reader = requires(std::string_view text, const typename Reader::Value& value, std::size_t index,
                               void (*visit)(std::string_view, const typename Reader::Value&)) {
    { Reader::parse(text) } -> std::same_as<JsonParsed<typename Reader::Value>>;
    { Reader::kind(value) } -> std::same_as<JsonKind>;
    { Reader::truth(value) } -> std::same_as<std::optional<bool>>;
    { Reader::whole_number(value) } -> std::same_as<std::optional<std::int64_t>>;
    { Reader::number(value) } -> std::same_as<std::optional<double>>;
    { Reader::text(value) } -> std::same_as<std::optional<std::string_view>>;
    { Reader::find(value, text) } -> std::same_as<const typename Reader::Value*>;
    { Reader::size(value) } -> std::same_as<std::size_t>;
    { Reader::at(value, index) } -> std::same_as<const typename Reader::Value&>;
    Reader::for_each_member(value, visit);
    { Reader::dump(value) } -> std::same_as<std::string>;
};

} // namespace daybook::inline v0::http

#endif
