// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TEXT_CSV_WRITER_HPP
#define DAYBOOK_TEXT_CSV_WRITER_HPP

/// @file
/// Comma-separated values as they are written: a stream of fields appended to a string.

#include <daybook/detail/utf8.hpp>
#include <daybook/fwd.hpp>
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

/// What becomes of a text that a spreadsheet would take for a formula.
enum class CsvFormulas : std::uint8_t {
    disarm, ///< an apostrophe is put before it, so that it is shown and not computed
    keep,   ///< as it is: for programs that read the file, which then hold the very text
};

/// Appends CSV (RFC 4180): fields parted by commas, records ended by CR LF, fields in quotes where they have to be, a
/// quote within as two.
///
/// A text that begins with `=`, `+`, `-`, `@` or their full-width forms, spaces before it left aside, may be computed
/// by the spreadsheet that opens the file, and send data away or start programs there; texts of jobs may come from
/// anybody. CsvFormulas::disarm puts an apostrophe before such a text, and also where one stands behind a `;`, a tab or
/// a line break within a text, where a spreadsheet that was told another separator begins a cell ("CSV Injection",
/// OWASP). Numbers and instants are not texts, and stay as they are.
///
/// Texts may hold any bytes: what is not UTF-8, and controls that CSV has no place for, is written as U+FFFD. There is
/// no byte order mark.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: unsafe.
class CsvWriter {
public:
    /// @param out  Is appended to, and must outlive the writer.
    explicit CsvWriter(std::string& out, CsvFormulas formulas = CsvFormulas::disarm) noexcept
        : out_{&out}, formulas_{formulas} {}

    /// A text.
    CsvWriter& field(std::string_view text) {
        separate();
        append_text(text);
        return *this;
    }

    /// `true` or `false`. A template, so that no pointer to characters turns into a truth value.
    template <class Bool>
    requires std::same_as<Bool, bool> CsvWriter& field(Bool truth) { return raw(truth ? "true" : "false"); }

    template <class Integer>
    requires(std::integral<Integer> && !std::same_as<Integer, bool>) CsvWriter& field(Integer number) {
        char digits[24];
        const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
        return raw({digits, static_cast<std::size_t>(end - digits)});
    }

    /// An instant as write_timestamp has it.
    CsvWriter& field(sys_time instant) {
        char text[timestamp_length];
        write_timestamp(text, instant);
        return raw({text, sizeof text});
    }

    /// The value, or an empty field.
    template <class Value>
    CsvWriter& field(const std::optional<Value>& maybe) {
        return maybe ? field(*maybe) : raw({});
    }

    /// A number with exactly `decimals` (0 to 9) digits after the point; an empty field for NaN and infinities.
    CsvWriter& fixed(double number, int decimals) {
        if (!std::isfinite(number)) { return raw({}); }
        char digits[336]; // the largest double has 309 digits before the point
        const auto end = std::to_chars(digits, digits + sizeof digits, number, std::chars_format::fixed, decimals).ptr;
        return raw({digits, static_cast<std::size_t>(end - digits)});
    }

    /// A field that needs neither quotes nor a look at what is in it.
    CsvWriter& raw(std::string_view text) {
        separate();
        out_->append(text);
        return *this;
    }

    /// Ends the record; the next field begins another.
    CsvWriter& end_record() {
        out_->append("\r\n");
        needs_comma_ = false;
        return *this;
    }

private:
    void separate() {
        if (needs_comma_) { out_->push_back(','); }
        needs_comma_ = true;
    }

    void append_text(std::string_view text) {
        if (is_plain(text)) {
            out_->append(text);
            return;
        }
        const std::size_t from = out_->size();
        const bool disarms = formulas_ == CsvFormulas::disarm;
        // A lone space at an end is a part of the field, but not every reader knows.
        bool needs_quotes = !text.empty() && (text.front() == ' ' || text.back() == ' ');
        bool begins_cell = true;
        while (!text.empty()) {
            const auto step = detail::utf8_step(text);
            const std::string_view character = text.substr(0, step.length);
            text.remove_prefix(step.length);
            if (disarms && begins_cell && is_formula(character)) {
                out_->push_back('\'');
                needs_quotes = true;
            }
            const char byte = character.front();
            const bool parts = byte == ';' || byte == '\t' || byte == '\r' || byte == '\n';
            begins_cell = parts || (begins_cell && (byte == ' ' || byte == '"'));
            needs_quotes = needs_quotes || parts || byte == ',' || byte == '"';
            if (!step.is_valid || is_control(byte)) {
                out_->append("\xEF\xBF\xBD");
            } else if (byte == '"') {
                out_->append("\"\"");
            } else {
                out_->append(character);
            }
        }
        if (needs_quotes) {
            out_->insert(from, 1, '"');
            out_->push_back('"');
        }
    }

    /// Whether a text stands for itself, as most do.
    [[nodiscard]] static bool is_plain(std::string_view text) noexcept {
        if (text.empty()) { return true; }
        const char first = text.front();
        return first != ' ' && first != '=' && first != '+' && first != '-' && first != '@' && text.back() != ' ' &&
               std::all_of(text.begin(), text.end(), [](char byte) {
                   return byte >= ' ' && byte <= '~' && byte != ',' && byte != '"' && byte != ';';
               });
    }

    /// Whether a cell that begins with it is computed.
    [[nodiscard]] static bool is_formula(std::string_view character) noexcept {
        if (character.size() == 1) { return std::string_view{"=+-@"}.find(character) != std::string_view::npos; }
        return character == "\xEF\xBC\x9D" || character == "\xEF\xBC\x8B" || character == "\xEF\xBC\x8D" ||
               character == "\xEF\xBC\xA0"; // U+FF1D, U+FF0B, U+FF0D, U+FF20
    }

    [[nodiscard]] static bool is_control(char byte) noexcept {
        const auto code = static_cast<unsigned char>(byte);
        return (code < 0x20 && byte != '\t' && byte != '\r' && byte != '\n') || code == 0x7F;
    }

    std::string* out_;
    CsvFormulas formulas_;
    bool needs_comma_ = false;
};

} // namespace daybook::inline v0

#endif
