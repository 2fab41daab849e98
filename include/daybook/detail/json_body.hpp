// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_JSON_BODY_HPP
#define DAYBOOK_DETAIL_JSON_BODY_HPP

/// @file
/// The JSON object in the body of a request, read member by member; what is wrong is refused by a sentence that names
/// the member and says what is allowed.

#include <daybook/detail/utf8.hpp>
#include <daybook/http/json_reader.hpp>
#include <daybook/http/message.hpp>
#include <daybook/text/timestamp.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace daybook::inline v0::detail {

/// A body that has bytes must be called JSON or not be called anything: a form, or plain text, is what a page of
/// another site could send without the browser asking first.
/// @throws http::Error  415.
inline void require_json_type(const http::Request& request) {
    const std::string* const header = request.header("Content-Type");
    if (header == nullptr || request.body.empty()) { return; }
    std::string_view type = std::string_view{*header}.substr(0, header->find(';'));
    while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) { type.remove_suffix(1); }
    constexpr std::string_view suffix = "+json";
    if (type.empty() || http::is_same_name(type, "application/json") ||
        (type.size() > suffix.size() && http::is_same_name(type.substr(type.size() - suffix.size()), suffix))) {
        return;
    }
    throw http::Error{415, "the body must be JSON: send it with Content-Type: application/json"};
}

/// Whether a text may be a name: UTF-8 without control characters.
[[nodiscard]] inline bool is_clean_text(std::string_view text) noexcept {
    while (!text.empty()) {
        const auto byte = static_cast<unsigned char>(text.front());
        const auto step = utf8_step(text);
        if (!step.is_valid || byte < 0x20 || byte == 0x7F) { return false; }
        text.remove_prefix(step.length);
    }
    return true;
}

/// Members that are null count as absent, unless it is asked for them.
template <class Json>
class JsonBody {
public:
    using Value = typename Json::Value;

    /// @throws http::Error  400 or 415: the body is no JSON object.
    explicit JsonBody(const http::Request& request) {
        require_json_type(request);
        auto parsed = Json::parse(request.body);
        if (!parsed.document) { throw http::Error{400, "the body is refused: " + parsed.error}; }
        if (Json::kind(*parsed.document) != http::JsonKind::object) {
            throw http::Error{400, "the body must be a JSON object"};
        }
        document_ = std::move(parsed.document);
        object_ = &*document_;
    }

    /// A part of a body. @param name  With which members are named in refusals, for instance "retry".
    JsonBody(const Value& object, std::string name) : object_{&object}, prefix_{std::move(name) + '.'} {
        if (Json::kind(object) != http::JsonKind::object) { refuse("", "must be a JSON object"); }
    }
    JsonBody(const JsonBody&) = delete;
    JsonBody& operator=(const JsonBody&) = delete;

    /// @param is_known   Says whether a member may be there.
    /// @param all_known  For the message.
    /// @throws http::Error  400: there is another one.
    template <class IsKnown>
    void allow_only(const IsKnown& is_known, std::string_view all_known) const {
        Json::for_each_member(*object_, [&](std::string_view name, const Value&) {
            if (is_known(name)) { return; }
            throw http::Error{400,
                              "the field " + quoted(name) + " is not known; the fields are " + std::string{all_known}};
        });
    }

    [[nodiscard]] const Value* find(std::string_view name) const { return Json::find(*object_, name); }
    [[nodiscard]] bool has(std::string_view name) const { return find(name) != nullptr; }
    /// Whether it is there, as null.
    [[nodiscard]] bool is_null(std::string_view name) const {
        const Value* const value = find(name);
        return value != nullptr && Json::kind(*value) == http::JsonKind::null;
    }
    /// Whether it is there, and not null.
    [[nodiscard]] bool gives(std::string_view name) const { return has(name) && !is_null(name); }

    [[nodiscard]] std::optional<std::string> text(std::string_view name) const {
        if (!gives(name)) { return std::nullopt; }
        const auto text = Json::text(*find(name));
        if (!text) { refuse(name, "must be a text"); }
        return std::string{*text};
    }

    /// A text that is a name of something.
    [[nodiscard]] std::optional<std::string> name(std::string_view name, std::size_t least, std::size_t most) const {
        auto found = text(name);
        if (found && (found->size() < least || found->size() > most || !is_clean_text(*found))) {
            refuse(name, "must be a text of " + std::to_string(least) + " to " + std::to_string(most) +
                             " bytes without control characters");
        }
        return found;
    }

    [[nodiscard]] std::optional<bool> truth(std::string_view name) const {
        if (!gives(name)) { return std::nullopt; }
        const auto truth = Json::truth(*find(name));
        if (!truth) { refuse(name, "must be true or false"); }
        return truth;
    }

    [[nodiscard]] std::optional<std::int64_t> whole_number(std::string_view name, std::int64_t least,
                                                           std::int64_t most) const {
        if (!gives(name)) { return std::nullopt; }
        const auto number = Json::whole_number(*find(name));
        if (!number || *number < least || *number > most) {
            refuse(name, "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
        }
        return number;
    }

    [[nodiscard]] std::optional<double> number(std::string_view name, double least, double most,
                                               const char* allowed) const {
        if (!gives(name)) { return std::nullopt; }
        const auto number = Json::number(*find(name));
        if (!number || !(*number >= least && *number <= most)) { refuse(name, allowed); }
        return number;
    }

    /// A number of milliseconds, with decimals or without.
    [[nodiscard]] std::optional<std::chrono::nanoseconds> milliseconds(std::string_view name) const {
        constexpr double century = 3'155'760'000'000.0;
        const auto found =
            number(name, 0.0, century, "must be a number of milliseconds from 0 to 3155760000000, which is 100 years");
        if (!found) { return std::nullopt; }
        return std::chrono::nanoseconds{std::llround(*found * 1e6)};
    }

    /// RFC 3339, or a day, which begins at midnight UTC.
    [[nodiscard]] std::optional<sys_time> instant(std::string_view name) const {
        const auto found = text(name);
        if (!found) { return std::nullopt; }
        const auto instant = parse_instant_or_day(*found);
        if (!instant) { refuse(name, "must be an instant such as 2024-01-15T10:30:00Z, or a day such as 2024-01-15"); }
        return instant;
    }

    /// One of some words.
    /// @param parse  From a text to an optional choice.
    template <class Parse>
    [[nodiscard]] auto choice(std::string_view name, const Parse& parse, std::string_view words) const
        -> decltype(parse(name)) {
        const auto found = text(name);
        if (!found) { return std::nullopt; }
        const auto choice = parse(std::string_view{*found});
        if (!choice) { refuse(name, "must be one of " + std::string{words}); }
        return choice;
    }

    /// A text as it is, anything else as JSON, null as nothing.
    [[nodiscard]] std::optional<std::string> text_or_json(std::string_view name, std::size_t most) const {
        const Value* const value = find(name);
        if (value == nullptr) { return std::nullopt; }
        if (Json::kind(*value) == http::JsonKind::null) { return std::string{}; }
        const auto text = Json::text(*value);
        std::string found = text ? std::string{*text} : Json::dump(*value);
        if (found.size() > most) { refuse(name, "must have at most " + std::to_string(most) + " bytes"); }
        return found;
    }

    /// @throws http::Error  400: always.
    [[noreturn]] void refuse(std::string_view name, std::string_view what) const {
        std::string path = prefix_ + std::string{name};
        if (name.empty() && !path.empty()) { path.pop_back(); }
        throw http::Error{400, path + ' ' + std::string{what}};
    }

    /// For a message, cut where it is long.
    [[nodiscard]] static std::string quoted(std::string_view text) {
        constexpr std::size_t most = 64;
        return '"' + limited_text(std::string{text}, most) + '"';
    }

private:
    std::optional<Value> document_ = {};
    const Value* object_ = nullptr;
    std::string prefix_ = {};
};

} // namespace daybook::inline v0::detail

#endif
