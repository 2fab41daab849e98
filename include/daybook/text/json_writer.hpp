// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TEXT_JSON_WRITER_HPP
#define DAYBOOK_TEXT_JSON_WRITER_HPP

/// @file
/// JSON as it is written: a stream of values appended to a string, without a document in between.

#include <daybook/detail/json_text.hpp>
#include <daybook/detail/timestamp_memo.hpp>
#include <daybook/detail/utf8.hpp>
#include <daybook/text/timestamp.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace daybook::inline v0 {

namespace detail {
class JsonMembers;
}

/// Appends JSON (RFC 8259) to a string; puts the commas by itself.
///
/// The string is complete whenever no object or array is open, and once the writer is gone; in between it has bytes at
/// its end that mean nothing, and must be left alone. What is written is valid as long as the calls form a document:
/// every member is a `key` and then one value, every `begin_` has its `end_`. This is not checked.
/// Texts may hold any bytes: what is not UTF-8 is written as U+FFFD, so that no reader has to refuse the document.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: unsafe.
class JsonWriter {
public:
    /// @param out  Is appended to, and must outlive the writer.
    explicit JsonWriter(std::string& out) noexcept : out_{&out}, cursor_{out.data() + out.size()}, end_{cursor_} {}
    JsonWriter(const JsonWriter&) = delete;
    JsonWriter& operator=(const JsonWriter&) = delete;
    ~JsonWriter() { finish(); }

    /// Makes room for about so many bytes that are to come, so that they need not be moved as the document grows.
    JsonWriter& expect(std::size_t bytes) {
        const auto used = static_cast<std::size_t>(cursor_ - out_->data());
        const auto room = static_cast<std::size_t>(end_ - cursor_);
        out_->reserve(used + bytes);
        cursor_ = out_->data() + used;
        end_ = cursor_ + room;
        return *this;
    }

    JsonWriter& begin_object() { return open('{'); }
    JsonWriter& end_object() { return close('}'); }
    JsonWriter& begin_array() { return open('['); }
    JsonWriter& end_array() { return close(']'); }

    /// The name of the member whose value comes next.
    JsonWriter& key(std::string_view name) {
        append_string(name);
        *cursor_++ = ':'; // append_string leaves room for it
        needs_comma_ = false;
        return *this;
    }

    /// A string.
    JsonWriter& value(std::string_view text) {
        append_string(text);
        return completed();
    }

    JsonWriter& null() { return raw("null"); }
    JsonWriter& value(std::nullptr_t) { return null(); }

    /// `true` or `false`. A template, so that no pointer to characters turns into a truth value.
    template <class Bool>
    requires std::same_as<Bool, bool> JsonWriter& value(Bool truth) { return raw(truth ? "true" : "false"); }

    template <class Integer>
    requires(std::integral<Integer> && !std::same_as<Integer, bool>) JsonWriter& value(Integer number) {
        char digits[24];
        if constexpr (std::is_signed_v<Integer>) {
            const auto end = std::to_chars(digits, digits + sizeof digits, static_cast<std::int64_t>(number)).ptr;
            return raw({digits, static_cast<std::size_t>(end - digits)});
        } else {
            const auto end = std::to_chars(digits, digits + sizeof digits, static_cast<std::uint64_t>(number)).ptr;
            return raw({digits, static_cast<std::size_t>(end - digits)});
        }
    }

    /// The shortest digits that read back as the same number, with `.0` where it is whole; `null` for NaN and
    /// infinities, which JSON does not have. A `long double` is written as a `double`.
    template <std::floating_point Number>
    JsonWriter& value(Number number) {
        if (!std::isfinite(number)) { return null(); }
        char digits[40];
        char* end = nullptr;
        if constexpr (std::same_as<Number, float>) {
            end = std::to_chars(digits, digits + 32, number).ptr;
        } else {
            end = std::to_chars(digits, digits + 32, static_cast<double>(number)).ptr;
        }
        if (std::all_of(digits, end, [](char digit) { return digit == '-' || (digit >= '0' && digit <= '9'); })) {
            *end++ = '.';
            *end++ = '0';
        }
        return raw({digits, static_cast<std::size_t>(end - digits)});
    }

    /// An instant as write_timestamp has it, in quotes.
    JsonWriter& value(sys_time instant) {
        char text[timestamp_length + 2];
        text[0] = '"';
        *instants_.write(text + 1, instant) = '"';
        return raw({text, sizeof text});
    }

    /// The value, or `null`.
    template <class Value>
    JsonWriter& value(const std::optional<Value>& maybe) {
        return maybe ? value(*maybe) : null();
    }

    /// A number rounded to at most `decimals` (1 to 9) digits after the point, of which trailing zeros are dropped but
    /// one digit stays: 97.77, 245.3, 100.0. `null` for NaN and infinities.
    JsonWriter& fixed(double number, int decimals) {
        if (!std::isfinite(number)) { return null(); }
        char digits[336]; // the largest double has 309 digits before the point
        auto* end =
            std::to_chars(digits, digits + sizeof digits, number, std::chars_format::fixed, std::clamp(decimals, 1, 9))
                .ptr;
        while (end[-1] == '0' && end[-2] != '.') { --end; }
        std::string_view text{digits, static_cast<std::size_t>(end - digits)};
        if (text == "-0.0") { text.remove_prefix(1); }
        return raw(text);
    }

    /// A value that is JSON already; it is not looked at.
    JsonWriter& raw(std::string_view text) {
        reserve(text.size() + 1);
        separate();
        append_bytes(text);
        return completed();
    }

    /// `key` and `value` in one.
    template <class Value>
    JsonWriter& member(std::string_view name, const Value& content) {
        return key(name).value(content);
    }

private:
    friend class detail::JsonMembers;

    /// Makes room for so many bytes. The string is written through a pointer, and is longer than what it holds
    /// meanwhile: that is half the time of appending to it.
    void reserve(std::size_t bytes) {
        if (static_cast<std::size_t>(end_ - cursor_) < bytes) { grow(bytes); }
    }

    void grow(std::size_t bytes) {
        const auto used = static_cast<std::size_t>(cursor_ - out_->data());
        auto wanted = std::max({used + bytes, used * 2, std::size_t{256}});
        if (used + bytes <= out_->capacity()) { wanted = std::min(wanted, out_->capacity()); }
        out_->resize(wanted);
        cursor_ = out_->data() + used;
        end_ = out_->data() + out_->size();
    }

    /// Cuts off the room that was not needed. Shrinking does not throw.
    void finish() noexcept {
        if (cursor_ == end_) { return; }
        out_->resize(static_cast<std::size_t>(cursor_ - out_->data()));
        end_ = cursor_;
    }

    JsonWriter& completed() {
        if (depth_ == 0) { finish(); }
        return *this;
    }

    /// Needs room for one byte.
    void separate() noexcept {
        if (needs_comma_) { *cursor_++ = ','; }
        needs_comma_ = true;
    }

    JsonWriter& open(char bracket) {
        reserve(2);
        separate();
        *cursor_++ = bracket;
        needs_comma_ = false;
        ++depth_;
        return *this;
    }

    JsonWriter& close(char bracket) {
        reserve(1);
        *cursor_++ = bracket;
        needs_comma_ = true;
        --depth_;
        return completed();
    }

    /// Leaves room for one byte more.
    void append_string(std::string_view text) {
        reserve(text.size() + 4); // comma, two quotes, and the colon of a key
        separate();
        *cursor_++ = '"';
        const auto plain = detail::copy_plain(cursor_, text);
        cursor_ += plain;
        if (plain < text.size()) { append_special(text.substr(plain)); }
        *cursor_++ = '"';
    }

    /// Leaves room for two bytes more.
    void append_special(std::string_view text) {
        while (!text.empty()) {
            reserve(text.size() + 8); // the longest replacement of a byte has six
            std::size_t length = 1;
            if (static_cast<unsigned char>(text.front()) >= 0x80) {
                const auto step = detail::utf8_step(text);
                append_bytes(step.is_valid ? text.substr(0, step.length) : std::string_view{"\xEF\xBF\xBD"});
                length = step.length;
            } else if (detail::is_plain(text.front())) {
                length = detail::copy_plain(cursor_, text);
                cursor_ += length;
            } else {
                cursor_ = detail::write_escape(cursor_, text.front());
            }
            text.remove_prefix(length);
        }
        reserve(2);
    }

    /// Needs room.
    void append_bytes(std::string_view bytes) noexcept { cursor_ = std::copy(bytes.begin(), bytes.end(), cursor_); }

    std::string* out_;
    detail::TimestampMemo instants_;
    char* cursor_;          ///< where the next byte goes
    char* end_;             ///< of the string, room included
    std::size_t depth_ = 0; ///< objects and arrays that are open
    bool needs_comma_ = false;
};

} // namespace daybook::inline v0

#endif
