// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_CRON_TEXT_HPP
#define DAYBOOK_DETAIL_CRON_TEXT_HPP

/// @file
/// Writes sets of bits as the shortest plain cron expression that reads back as the same sets.

#include <daybook/detail/cron_fields.hpp>
#include <daybook/detail/cron_parser.hpp>
#include <daybook/detail/utf8.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace daybook::inline v0::detail {

/// The name of a byte or a character that does not show what it is; `text` begins with it.
[[nodiscard]] inline std::string describe_unprintable(std::string_view text) {
    const auto byte = [text](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const auto hexadecimal = [](std::string before, std::uint32_t value, unsigned digits) {
        while (digits-- != 0) { before += "0123456789ABCDEF"[value >> (4 * digits) & 15U]; }
        return before;
    };
    const Utf8Step step = utf8_step(text);
    if (!step.is_valid || step.length == 1) { return hexadecimal("the byte 0x", byte(0), 2); }
    std::uint32_t code = byte(0) & (0xFFU >> (step.length + 1));
    for (std::size_t at = 1; at < step.length; ++at) { code = code << 6U | (byte(at) & 0x3FU); }
    const bool is_dash = (code >= 0x2010 && code <= 0x2015) || code == 0x2212;
    return hexadecimal("the character U+", code, code > 0xFFFF ? 6 : 4) + (is_dash ? ", a dash that is not '-'" : "");
}

/// What stands at a column of a wrong expression, in quotes, or in words where there is nothing to see.
[[nodiscard]] inline std::string describe_cron_text(std::string_view text, std::size_t column) {
    const std::size_t begin = column - 1;
    if (begin >= text.size()) { return "the end"; }
    const auto is_word = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '@';
    };
    const char c = text[begin];
    if (c == ' ' || c == '\t') { return "the end of the field"; }
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7F) {
        return describe_unprintable(text.substr(begin));
    }
    std::size_t end = begin + 1;
    while (is_word(c) && end < text.size() && is_word(text[end])) { ++end; }
    constexpr std::size_t longest = 40; // who wrote it will know the rest
    const bool cut = end - begin > longest;
    return "'" + std::string{text.substr(begin, cut ? longest : end - begin)} + (cut ? "...'" : "'");
}

class CronTextWriter {
public:
    explicit CronTextWriter(const CronFields& fields) : fields_{fields} {}

    [[nodiscard]] std::string write() {
        const bool plain_second = fields_.seconds == 1 && !hash_of(CronFieldId::second).used;
        const bool five = plain_second && fields_.any_year;
        const bool wildcard = fields_.wildcard;
        if (!five) { time_field(CronFieldId::second, fields_.seconds, wildcard); }
        time_field(CronFieldId::minute, fields_.minutes, wildcard);
        time_field(CronFieldId::hour, fields_.hours, wildcard);
        if (wildcard && !shows_wildcard_) { force_range(five && (fields_.minutes != 0 || fields_.hours != 0)); }
        day_field();
        time_field(CronFieldId::month, fields_.months, true);
        weekday_field();
        if (!fields_.any_year) { year_field(); }
        return text_;
    }

private:
    [[nodiscard]] const CronHash& hash_of(CronFieldId id) const noexcept {
        return fields_.hashes[static_cast<std::size_t>(id)];
    }

    void begin_field() {
        if (!text_.empty()) { text_ += ' '; }
        begin_ = text_.size();
    }
    void begin_item() {
        if (text_.size() != begin_) { text_ += ','; }
    }

    /// Ranges only where they do not change the meaning: in a time field they make a wildcard of it.
    void values(std::uint64_t bits, bool ranges) {
        while (bits != 0) {
            const auto low = static_cast<unsigned>(std::countr_zero(bits));
            const auto run = static_cast<unsigned>(std::countr_one(bits >> low));
            const unsigned count = ranges && run >= 3 ? run : 1;
            begin_item();
            text_ += std::to_string(low);
            if (count > 1) { text_ += '-' + std::to_string(low + count - 1); }
            bits &= ~bit_range(low, low + count - 1);
        }
    }

    /// `*/n` for a whole field, or nothing.
    [[nodiscard]] static unsigned whole_step(std::uint64_t bits, unsigned low, unsigned high) noexcept {
        for (unsigned step = 2; step <= (high - low) / 2; ++step) {
            std::uint64_t multiples = 0;
            for (unsigned at = low; at <= high; at += step) { multiples |= std::uint64_t{1} << at; }
            if (bits == multiples) { return step; }
        }
        return 0;
    }

    void hash(CronFieldId id, unsigned base, unsigned low, unsigned high) {
        const CronHash& hash = hash_of(id);
        if (!hash.used) { return; }
        begin_item();
        text_ += 'H';
        if (hash.low != low || hash.high != high) {
            text_ += '(' + std::to_string(hash.low + base) + '-' + std::to_string(hash.high + base) + ')';
        }
        if (hash.step != 0) { text_ += '/' + std::to_string(hash.step); }
        if (hash.step != 0 && id <= CronFieldId::hour) { shows_wildcard_ = true; }
    }

    void time_field(CronFieldId id, std::uint64_t bits, bool ranges) {
        const CronFieldRules& rules = cron_rules[static_cast<std::size_t>(id)];
        begin_field();
        const bool is_time = id <= CronFieldId::hour;
        if (ranges && bits == bit_range(rules.low, rules.high)) {
            text_ += '*';
        } else if (const unsigned step = ranges ? whole_step(bits, rules.low, rules.high) : 0; step != 0) {
            text_ += "*/" + std::to_string(step);
        } else {
            values(bits, ranges);
        }
        const std::string_view written = std::string_view{text_}.substr(begin_);
        if (is_time && written.find_first_of("*-/") != std::string_view::npos) { shows_wildcard_ = true; }
        hash(id, 0, rules.low, rules.high);
    }

    /// A wildcard whose sets show none, such as `0 9-9 * * *`: one value is written as a range to keep it one; that of
    /// the second where `H` stands everywhere else.
    void force_range(bool five) {
        text_.clear();
        if (!five) { force_field(CronFieldId::second, fields_.seconds); }
        force_field(CronFieldId::minute, fields_.minutes);
        force_field(CronFieldId::hour, fields_.hours);
    }

    void force_field(CronFieldId id, std::uint64_t bits) {
        const CronFieldRules& rules = cron_rules[static_cast<std::size_t>(id)];
        begin_field();
        if (!shows_wildcard_ && bits != 0) {
            const auto low = static_cast<unsigned>(std::countr_zero(bits));
            text_ += std::to_string(low) + '-' + std::to_string(low);
            bits &= bits - 1;
            shows_wildcard_ = true;
        }
        values(bits, true);
        hash(id, 0, rules.low, rules.high);
    }

    /// A day field that began with a star begins with one again: its smallest step that the set allows.
    void starred(std::uint64_t bits, unsigned low, unsigned high) {
        unsigned step = 1;
        std::uint64_t multiples = 0;
        for (;; ++step) {
            multiples = 0;
            for (unsigned at = low; at <= high; at += step) { multiples |= std::uint64_t{1} << at; }
            if ((multiples & ~bits) == 0) { break; }
        }
        text_ += step == 1 ? "*" : "*/" + std::to_string(step);
        values(bits & ~multiples, true);
    }

    void numbered(std::uint32_t bits, std::string_view before, std::string_view after) {
        for (; bits != 0; bits &= bits - 1) {
            const int value = std::countr_zero(bits);
            begin_item();
            text_ += before;
            if (value != 0) { text_ += (before.empty() ? "" : "-") + std::to_string(value); }
            text_ += after;
        }
    }

    void day_field() {
        begin_field();
        if (fields_.starred_day) {
            starred(fields_.days, 1, 31);
        } else {
            values(fields_.days, true);
        }
        hash(CronFieldId::day, 0, 1, 28);
        numbered(fields_.days_from_end, "L", "");
        numbered(fields_.workday_from_end, "L", "W");
        numbered(fields_.workday_near, "", "W");
    }

    void weekday_field() {
        begin_field();
        if (fields_.starred_week) {
            starred(fields_.weekdays, 0, 6);
        } else {
            values(fields_.weekdays, true);
        }
        hash(CronFieldId::weekday, 0, 0, 6);
        for (unsigned left = fields_.last_weekdays; left != 0; left &= left - 1) {
            begin_item();
            text_ += std::to_string(std::countr_zero(left)) + 'L';
        }
        for (std::uint64_t left = fields_.nth_weekdays; left != 0; left &= left - 1) {
            const int bit = std::countr_zero(left);
            begin_item();
            text_ += std::to_string(bit % 8) + '#' + std::to_string(bit / 8 + 1);
        }
    }

    void year_field() {
        begin_field();
        for (unsigned year = first_cron_year; year <= last_cron_year; ++year) {
            if (!fields_.has_year(year)) { continue; }
            unsigned last = year;
            while (last < last_cron_year && fields_.has_year(last + 1)) { ++last; }
            begin_item();
            text_ += std::to_string(year);
            if (last != year) { text_ += '-' + std::to_string(last); }
            year = last;
        }
        hash(CronFieldId::year, first_cron_year, 0, last_cron_year - first_cron_year);
    }

    const CronFields& fields_;
    std::string text_;
    std::size_t begin_ = 0;
    bool shows_wildcard_ = false;
};

[[nodiscard]] inline std::string cron_text(const CronFields& fields) { return CronTextWriter{fields}.write(); }

} // namespace daybook::inline v0::detail

#endif
