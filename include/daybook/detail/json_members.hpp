// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_JSON_MEMBERS_HPP
#define DAYBOOK_DETAIL_JSON_MEMBERS_HPP

/// @file
/// Many members of one object at a time, for what is written a thousand times over.

#include <daybook/detail/json_text.hpp>
#include <daybook/text/json_writer.hpp>
#include <daybook/types.hpp>

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string_view>

namespace daybook::inline v0::detail {

/// Writes into the object that a JsonWriter has open, through a pointer of its own and into room that was made once:
/// that is a third of the time of one member after the other. A name is given with its quotes, its colon, and the comma
/// before it unless it is the first one here. The writer must be left alone meanwhile.
class JsonMembers {
public:
    /// @param room  At least the bytes of all that will be written, but what escapes add to texts.
    JsonMembers(JsonWriter& writer, std::size_t room) : writer_{writer}, room_{room + 1} {
        writer_.reserve(room_);
        writer_.separate();
        to_ = writer_.cursor_;
    }
    JsonMembers(const JsonMembers&) = delete;
    JsonMembers& operator=(const JsonMembers&) = delete;

    /// Gives the writer back. Until then, an exception leaves the writer without any of these members.
    void done() noexcept { writer_.cursor_ = to_; }

    /// The same after a name: the writer writes its value.
    void done_before_value() noexcept {
        done();
        writer_.needs_comma_ = false;
    }

    template <std::size_t Size, class Value>
    JsonMembers& member(const char (&name)[Size], const Value& content) {
        return literal(name).value(content);
    }

    /// JSON as it is.
    template <std::size_t Size>
    JsonMembers& literal(const char (&text)[Size]) noexcept {
        std::memcpy(to_, text, Size - 1);
        to_ += Size - 1;
        return *this;
    }

    /// Inlined on demand: the calls alone would be an eighth of the time of a page.
    [[gnu::always_inline]] JsonMembers& value(std::string_view text) {
        *to_++ = '"';
        const std::size_t plain = copy_plain(to_, text);
        to_ += plain;
        if (plain != text.size()) { to_ = append_special(writer_, to_, text.substr(plain), room_); }
        *to_++ = '"';
        return *this;
    }
    template <std::integral Integer>
    JsonMembers& value(Integer number) noexcept {
        if constexpr (std::same_as<Integer, bool>) {
            return number ? literal("true") : literal("false");
        } else if (number >= 0 && number < 10) { // most are
            *to_++ = static_cast<char>('0' + number);
            return *this;
        } else {
            to_ = std::to_chars(to_, to_ + max_digits, number).ptr;
            return *this;
        }
    }
    JsonMembers& value(sys_time instant) noexcept {
        *to_++ = '"';
        to_ = writer_.instants_.write(to_, instant);
        *to_++ = '"';
        return *this;
    }
    template <class Value>
    JsonMembers& value(const std::optional<Value>& maybe) {
        return maybe ? value(*maybe) : literal("null");
    }

private:
    static constexpr std::size_t max_digits = 20; // of 64 bits, with a sign

    /// Static, so that nobody outside the functions above has the address of this object, and `to_` is a register.
    static char* append_special(JsonWriter& writer, char* to, std::string_view text, std::size_t room) {
        writer.cursor_ = to;
        writer.append_special(text);
        writer.reserve(room);
        return writer.cursor_;
    }

    JsonWriter& writer_;
    const std::size_t room_;
    char* to_ = nullptr;
};

} // namespace daybook::inline v0::detail

#endif
