// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_ADAPTERS_NLOHMANN_JSON_HPP
#define DAYBOOK_ADAPTERS_NLOHMANN_JSON_HPP

/// @file
/// nlohmann::json as what jobs return, and as the library that reads the bodies of requests.

#include <daybook/http/json_reader.hpp>
#include <daybook/log/result_codec.hpp>
#include <daybook/text/json_writer.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace daybook::inline v0 {

/// Results as a nlohmann::basic_json: `Scheduler<nlohmann::json>`. A result whose text is longer than the log allows,
/// or that is nested too deeply to be written, becomes `{"truncated":true}`.
template <class Json>
struct NlohmannResultCodec {
    static void write_json(JsonWriter& writer, const Json& result) { writer.raw(text(result)); }

    [[nodiscard]] static Json limited(Json result, std::size_t max_bytes) {
        if (!is_deeper_than(result, max_depth) && text(result).size() <= max_bytes) { return result; }
        auto mark = Json::object();
        mark["truncated"] = true;
        return mark;
    }

private:
    static constexpr std::size_t max_depth = 256; // the library writes by recursion

    [[nodiscard]] static bool is_deeper_than(const Json& value, std::size_t depth) {
        if (!value.is_structured()) { return false; }
        return depth == 0 || std::any_of(value.begin(), value.end(),
                                         [&](const Json& part) { return is_deeper_than(part, depth - 1); });
    }

    /// Bytes that are not UTF-8 are replaced, and a value that the library calls discarded is null: both would
    /// otherwise be no JSON.
    [[nodiscard]] static std::string text(const Json& value) {
        if (value.is_discarded()) { return "null"; }
        return value.dump(-1, ' ', false, Json::error_handler_t::replace);
    }
};

template <>
struct ResultCodec<nlohmann::json> : NlohmannResultCodec<nlohmann::json> {};
template <>
struct ResultCodec<nlohmann::ordered_json> : NlohmannResultCodec<nlohmann::ordered_json> {};

/// The JSON reader: `jobs_api<daybook::nlohmann_json>(scheduler)`. See http::json_reader for what the members do.
struct nlohmann_json { // NOLINT(readability-identifier-naming): named after the library
    using Value = nlohmann::json;

    [[nodiscard]] static http::JsonParsed<Value> parse(std::string_view text) {
        if (nesting(text) > http::max_json_depth) {
            return {.document = {}, .error = "JSON nested deeper than 64 levels is not taken"};
        }
        http::JsonParsed<Value> parsed;
        try {
            NamesOnce names;
            parsed.document.emplace(Value::parse(text, std::ref(names)));
            if (names.twice) {
                parsed.document.reset();
                parsed.error = "an object has the name \"" + *names.twice + "\" twice";
            }
        } catch (const Value::parse_error& error) {
            parsed.error = "not JSON at " + place(text, error.byte);
        } catch (const Value::exception&) { parsed.error = "not JSON: a number in it is out of range"; }
        return parsed;
    }

    [[nodiscard]] static http::JsonKind kind(const Value& value) {
        if (value.is_boolean()) { return http::JsonKind::boolean; }
        if (value.is_number()) { return http::JsonKind::number; }
        if (value.is_string()) { return http::JsonKind::string; }
        if (value.is_array()) { return http::JsonKind::array; }
        if (value.is_object()) { return http::JsonKind::object; }
        return http::JsonKind::null;
    }

    [[nodiscard]] static std::optional<bool> truth(const Value& value) {
        const auto* const found = value.get_ptr<const Value::boolean_t*>();
        return found == nullptr ? std::nullopt : std::optional<bool>{*found};
    }

    [[nodiscard]] static std::optional<std::int64_t> whole_number(const Value& value) {
        // An unsigned number answers to both questions, so it is asked first.
        if (const auto* const found = value.get_ptr<const Value::number_unsigned_t*>()) {
            constexpr auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
            return *found > largest ? std::nullopt : std::optional{static_cast<std::int64_t>(*found)};
        }
        if (const auto* const found = value.get_ptr<const Value::number_integer_t*>()) { return *found; }
        return std::nullopt;
    }

    [[nodiscard]] static std::optional<double> number(const Value& value) {
        return value.is_number() ? std::optional{value.get<double>()} : std::nullopt;
    }

    [[nodiscard]] static std::optional<std::string_view> text(const Value& value) {
        const auto* const found = value.get_ptr<const Value::string_t*>();
        return found == nullptr ? std::nullopt : std::optional<std::string_view>{*found};
    }

    [[nodiscard]] static const Value* find(const Value& value, std::string_view name) {
        if (!value.is_object()) { return nullptr; }
        const auto found = value.find(std::string{name});
        return found == value.end() ? nullptr : &*found;
    }

    [[nodiscard]] static std::size_t size(const Value& value) { return value.is_array() ? value.size() : 0; }
    [[nodiscard]] static const Value& at(const Value& value, std::size_t index) { return value[index]; }

    template <class Visit>
    static void for_each_member(const Value& value, Visit&& visit) {
        if (!value.is_object()) { return; }
        for (auto member = value.begin(); member != value.end(); ++member) {
            visit(std::string_view{member.key()}, *member);
        }
    }

    [[nodiscard]] static std::string dump(const Value& value) {
        return value.dump(-1, ' ', false, Value::error_handler_t::replace);
    }

private:
    /// Watches what is parsed for a name that an object has twice; the library would keep the last of them.
    struct NamesOnce {
        std::vector<std::set<std::string>> open = {}; ///< the names of each object that has begun
        std::optional<std::string> twice = {};        ///< the first such name, cut where it is long

        bool operator()(int /*depth*/, Value::parse_event_t event, const Value& value) {
            if (event == Value::parse_event_t::object_start) { open.emplace_back(); }
            if (event == Value::parse_event_t::object_end) { open.pop_back(); }
            if (event == Value::parse_event_t::key && !open.back().insert(value.get<std::string>()).second) {
                constexpr std::size_t most = 64;
                if (!twice) { twice = value.get<std::string>().substr(0, most); }
            }
            return true;
        }
    };

    /// How deep the brackets outside strings go. The library parses without recursion, but writes and compares with it.
    [[nodiscard]] static std::size_t nesting(std::string_view text) noexcept {
        std::size_t depth = 0;
        std::size_t deepest = 0;
        bool is_in_string = false;
        for (std::size_t index = 0; index < text.size(); ++index) {
            const char byte = text[index];
            if (is_in_string) {
                if (byte == '\\') { ++index; }
                is_in_string = byte != '"';
            } else if (byte == '"') {
                is_in_string = true;
            } else if (byte == '[' || byte == '{') {
                deepest = std::max(deepest, ++depth);
            } else if ((byte == ']' || byte == '}') && depth > 0) {
                --depth;
            }
        }
        return deepest;
    }

    /// @param byte  Of the last one read, from 1, as the library counts.
    [[nodiscard]] static std::string place(std::string_view text, std::size_t byte) {
        const auto before = text.substr(0, byte == 0 ? 0 : byte - 1);
        const auto line = std::count(before.begin(), before.end(), '\n') + 1;
        const auto line_start = before.rfind('\n') + 1; // npos + 1 is 0
        return "line " + std::to_string(line) + ", column " + std::to_string(before.size() - line_start + 1);
    }
};

static_assert(http::json_reader<nlohmann_json>);

} // namespace daybook::inline v0

#endif
