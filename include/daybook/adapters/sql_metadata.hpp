// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_ADAPTERS_SQL_METADATA_HPP
#define DAYBOOK_ADAPTERS_SQL_METADATA_HPP

/// @file
/// Metadata as a column holds it: a JSON array of [key, value] pairs, so that their order and repeated keys last. Also
/// how a result is searched, which is JSON too.

#include <daybook/log/execution_store.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace daybook::inline v0::sql {

using Metadata = std::vector<std::pair<std::string, std::string>>;

/// Appends a JSON string. Bytes that are not UTF-8 stay as they are, and come back so.
inline void write_quoted(std::string& out, std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    out += '"';
    std::size_t begin = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto byte = static_cast<unsigned char>(text[at]);
        if (byte >= 0x20 && byte != '"' && byte != '\\') { continue; }
        out.append(text, begin, at - begin);
        begin = at + 1;
        if (byte >= 0x20) {
            out += '\\';
            out += text[at];
        } else {
            out += "\\u00";
            out += digits[byte >> 4U];
            out += digits[byte & 0xFU];
        }
    }
    out.append(text, begin);
    out += '"';
}

/// Appends `[["key","value"],…]`.
inline void write_metadata(std::string& out, const Metadata& metadata) {
    out += '[';
    for (const auto& entry : metadata) {
        if (&entry != metadata.data()) { out += ','; }
        out += '[';
        write_quoted(out, entry.first);
        out += ',';
        write_quoted(out, entry.second);
        out += ']';
    }
    out += ']';
}

/// Takes JSON strings and the marks between them from a text, one after the other.
class QuotedReader {
public:
    explicit QuotedReader(std::string_view text) noexcept : text_{text} {}

    /// Passes over a mark, and blanks before it. False: something else comes.
    [[nodiscard]] bool takes(char mark) noexcept {
        skip_blanks();
        if (at_ == text_.size() || text_[at_] != mark) { return false; }
        ++at_;
        return true;
    }

    [[nodiscard]] bool is_at_end() noexcept {
        skip_blanks();
        return at_ == text_.size();
    }

    /// Appends what a string says. False: there is no string, or it is not well-formed.
    [[nodiscard]] bool take_string(std::string& out) {
        if (!takes('"')) { return false; }
        while (at_ < text_.size()) {
            const std::size_t special = std::min(text_.find_first_of("\"\\", at_), text_.size());
            out.append(text_, at_, special - at_);
            at_ = special + 1;
            if (special == text_.size()) { return false; }
            if (text_[special] == '"') { return true; }
            if (!take_escape(out)) { return false; }
        }
        return false;
    }

private:
    void skip_blanks() noexcept {
        while (at_ < text_.size() && std::string_view{" \t\r\n"}.find(text_[at_]) != std::string_view::npos) { ++at_; }
    }

    bool take_escape(std::string& out) {
        if (at_ >= text_.size()) { return false; }
        const char letter = text_[at_++];
        constexpr std::string_view letters = "\"\\/bfnrt";
        constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
        if (const auto known = letters.find(letter); known != std::string_view::npos) {
            out += meanings[known];
            return true;
        }
        auto code = letter == 'u' ? take_unit() : std::nullopt;
        if (!code) { return false; }
        if (*code >= 0xD800 && *code < 0xDC00 && text_.substr(at_, 2) == "\\u") {
            const std::size_t before = at_;
            at_ += 2;
            const auto low = take_unit();
            if (low && *low >= 0xDC00 && *low < 0xE000) {
                code = 0x10000U + ((*code - 0xD800U) << 10U) + (*low - 0xDC00U);
            } else {
                at_ = before;
            }
        }
        append_utf8(out, *code);
        return true;
    }

    [[nodiscard]] std::optional<std::uint32_t> take_unit() noexcept {
        if (text_.size() - at_ < 4) { return std::nullopt; }
        std::uint32_t unit = 0;
        for (const char letter : text_.substr(at_, 4)) {
            const auto digit = std::string_view{"0123456789abcdef"}.find(
                letter >= 'A' && letter <= 'F' ? static_cast<char>(letter - 'A' + 'a') : letter);
            if (digit == std::string_view::npos) { return std::nullopt; }
            unit = unit * 16 + static_cast<std::uint32_t>(digit);
        }
        at_ += 4;
        return unit;
    }

    static void append_utf8(std::string& out, std::uint32_t code) {
        const auto tail = [&](unsigned shift) { out += static_cast<char>(0x80U | ((code >> shift) & 0x3FU)); };
        if (code < 0x80) {
            out += static_cast<char>(code);
        } else if (code < 0x800) {
            out += static_cast<char>(0xC0U | (code >> 6U));
            tail(0);
        } else if (code < 0x10000) {
            out += static_cast<char>(0xE0U | (code >> 12U));
            tail(6);
            tail(0);
        } else {
            out += static_cast<char>(0xF0U | (code >> 18U));
            tail(12);
            tail(6);
            tail(0);
        }
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

/// The pairs of a column, in their order.
/// @throws StoreError  It is no array of pairs of strings (`refused`).
[[nodiscard]] inline Metadata read_metadata(std::string_view json) {
    Metadata metadata;
    if (json == "[]") { return metadata; }
    const auto read = [&] {
        QuotedReader reader{json};
        if (!reader.takes('[')) { return false; }
        if (reader.takes(']')) { return reader.is_at_end(); }
        do {
            auto& entry = metadata.emplace_back();
            if (!reader.takes('[') || !reader.take_string(entry.first) || !reader.takes(',') ||
                !reader.take_string(entry.second) || !reader.takes(']')) {
                return false;
            }
        } while (reader.takes(','));
        return reader.takes(']') && reader.is_at_end();
    };
    if (!read()) { throw StoreError{StoreFailure::refused, "the column metadata holds no array of pairs of strings"}; }
    return metadata;
}

/// Whether a text has a part; ASCII letters match in either case.
/// @param part  ASCII letters of it in lower case.
[[nodiscard]] inline bool contains(std::string_view text, std::string_view part) noexcept {
    const auto lower = [](char letter) {
        return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
    };
    for (std::size_t at = 0; at + part.size() <= text.size(); ++at) {
        std::size_t same = 0;
        while (same < part.size() && lower(text[at + same]) == part[same]) { ++same; }
        if (same == part.size()) { return true; }
    }
    return false;
}

/// The same of a result: of a JSON string what it says is searched, of everything else how it is written.
/// @param scratch  For what it says.
[[nodiscard]] inline bool result_contains(std::string_view json, std::string_view part, std::string& scratch) {
    scratch.clear();
    QuotedReader reader{json};
    const bool is_string = reader.take_string(scratch) && reader.is_at_end();
    return contains(is_string ? std::string_view{scratch} : json, part);
}

} // namespace daybook::inline v0::sql

#endif
