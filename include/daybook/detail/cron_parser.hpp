// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_CRON_PARSER_HPP
#define DAYBOOK_DETAIL_CRON_PARSER_HPP

/// @file
/// Reads a cron expression into sets of bits, in one pass and at compile time too.

#include <daybook/detail/cron_fields.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace daybook::inline v0::detail {

struct CronMistake {
    std::size_t column = 0;         ///< from 1, in bytes; 0: no mistake
    const char* expected = nullptr; ///< what would have been right there
    std::size_t field = 0;          ///< CronFieldId, or cron_field_count for the whole expression
};

struct CronFieldRules {
    unsigned low;
    unsigned high;     ///< the highest value a text may name
    unsigned size;     ///< how many different values there are
    unsigned max_step; ///< a larger one would leave the field
    const char* value;
    const char* step;
    const char* after_value;
};

inline constexpr std::array<CronFieldRules, cron_field_count> cron_rules{{
    {0, 59, 60, 59, "a second 0-59", "a step of 1-59 seconds", "a comma, '-', '/' or the end of the second field"},
    {0, 59, 60, 59, "a minute 0-59", "a step of 1-59 minutes", "a comma, '-', '/' or the end of the minute field"},
    {0, 23, 24, 23, "an hour 0-23", "a step of 1-23 hours", "a comma, '-', '/' or the end of the hour field"},
    {1, 31, 31, 31, "a day of the month 1-31", "a step of 1-31 days",
     "a comma, '-', '/', W or the end of the day-of-month field"},
    {1, 12, 12, 12, "a month 1-12 or JAN-DEC", "a step of 1-12 months",
     "a comma, '-', '/' or the end of the month field"},
    {0, 7, 7, 7, "a day of the week 0-7 or SUN-SAT", "a step of 1-7 days",
     "a comma, '-', '/', '#', L or the end of the day-of-week field"},
    {first_cron_year, last_cron_year, last_cron_year - first_cron_year + 1, last_cron_year - first_cron_year,
     "a year 1970-2199", "a step of 1-229 years", "a comma, '-', '/' or the end of the year field"},
}};

class CronParser {
public:
    constexpr CronParser(std::string_view text, CronFields& fields) noexcept : text_{text}, fields_{fields} {}

    /// The first mistake in the text, or none. The fields must be fresh, and are unspecified after a mistake.
    [[nodiscard]] constexpr CronMistake parse() noexcept {
        if (!expression()) {
            blame_blank();
            return mistake_;
        }
        fields_.derive();
        return {};
    }

private:
    using Id = CronFieldId;

    [[nodiscard]] constexpr bool done() const noexcept { return at_ == text_.size(); }
    [[nodiscard]] constexpr char peek() const noexcept { return done() ? '\0' : text_[at_]; }
    [[nodiscard]] static constexpr bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }
    [[nodiscard]] static constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
    [[nodiscard]] static constexpr char lower(char c) noexcept {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    [[nodiscard]] static constexpr bool is_letter(char c) noexcept { return lower(c) >= 'a' && lower(c) <= 'z'; }
    [[nodiscard]] constexpr bool at_field_end() const noexcept { return done() || is_blank(text_[at_]); }
    [[nodiscard]] constexpr bool at_item_end() const noexcept { return at_field_end() || text_[at_] == ','; }
    [[nodiscard]] constexpr bool take(char wanted) noexcept {
        if (done() || text_[at_] != wanted) { return false; }
        ++at_;
        return true;
    }
    /// A letter that is not the first of a longer word.
    [[nodiscard]] constexpr bool take_letter(char wanted) noexcept {
        if (lower(peek()) != wanted || (at_ + 1 < text_.size() && is_letter(text_[at_ + 1]))) { return false; }
        ++at_;
        return true;
    }
    [[nodiscard]] constexpr const CronFieldRules& rules() const noexcept {
        return cron_rules[static_cast<std::size_t>(id_)];
    }

    constexpr bool fail(std::size_t at, const char* expected) noexcept {
        mistake_ = {.column = at + 1, .expected = expected, .field = field_};
        return false;
    }

    constexpr void skip_blanks() noexcept {
        while (!done() && is_blank(text_[at_])) { ++at_; }
    }

    [[nodiscard]] constexpr std::size_t count_fields(std::size_t from) const noexcept {
        std::size_t count = 0;
        bool inside = false;
        for (std::size_t i = from; i < text_.size(); ++i) {
            const bool blank = is_blank(text_[i]);
            if (!blank && !inside) { ++count; }
            inside = !blank;
        }
        return count;
    }

    /// `MON - FRI`: every field after the blank would be blamed for not being the one that it is taken for.
    constexpr void blame_blank() noexcept {
        constexpr std::size_t fewest = 5 + 2; // two of them are one that was torn apart
        if (count_fields(0) < fewest) { return; }
        bool first = true;
        for (std::size_t i = 0; i + 2 < text_.size(); ++i) {
            if (is_blank(text_[i])) { continue; }
            const bool alone = (i == 0 || is_blank(text_[i - 1])) && is_blank(text_[i + 1]);
            if (alone && !first && count_fields(i + 1) != 0) {
                field_ = cron_field_count;
                switch (text_[i]) {
                case '-': fail(i, "no blank before or after '-'"); return;
                case ',': fail(i, "no blank before or after a comma"); return;
                case '/': fail(i, "no blank before or after '/'"); return;
                default: break;
                }
            }
            first = false;
        }
    }

    [[nodiscard]] constexpr bool expression() noexcept {
        skip_blanks();
        if (done()) { return fail(at_, "a cron expression of 5, 6 or 7 fields, or a macro such as @daily"); }
        if (text_[at_] == '@') { return macro(); }
        const std::size_t count = count_fields(at_);
        if (count <= 5) { fields_.seconds = 1; }
        auto next = static_cast<std::size_t>(count <= 5 ? Id::minute : Id::second);
        const std::size_t end = next + (count < 7 ? count : 7);
        for (; next < end; ++next) {
            id_ = static_cast<Id>(next);
            field_ = next;
            if (!field()) { return false; }
            skip_blanks();
        }
        field_ = cron_field_count;
        if (count > 7) { return fail(at_, "the end of the text after 7 fields"); }
        switch (count) {
        case 1: return fail(at_, "an hour 0-23 next (an expression has 5, 6 or 7 fields)");
        case 2: return fail(at_, "a day of the month 1-31 next (an expression has 5, 6 or 7 fields)");
        case 3: return fail(at_, "a month 1-12 or JAN-DEC next (an expression has 5, 6 or 7 fields)");
        case 4: return fail(at_, "a day of the week 0-7 or SUN-SAT next (an expression has 5, 6 or 7 fields)");
        default: return true;
        }
    }

    [[nodiscard]] constexpr bool macro() noexcept {
        struct Macro {
            std::string_view name;
            std::string_view expression;
        };
        constexpr std::array<Macro, 9> macros{{{"@yearly", "0 0 1 1 *"},
                                               {"@annually", "0 0 1 1 *"},
                                               {"@monthly", "0 0 1 * *"},
                                               {"@weekly", "0 0 * * 0"},
                                               {"@daily", "0 0 * * *"},
                                               {"@midnight", "0 0 * * *"},
                                               {"@hourly", "0 * * * *"},
                                               {"@every_minute", "* * * * *"},
                                               {"@every_second", "* * * * * *"}}};
        const std::size_t begin = at_++;
        while (is_letter(peek()) || peek() == '_') { ++at_; }
        const std::string_view word = text_.substr(begin, at_ - begin);
        skip_blanks();
        for (const Macro& candidate : macros) {
            bool same = word.size() == candidate.name.size();
            for (std::size_t i = 0; same && i < word.size(); ++i) { same = lower(word[i]) == candidate.name[i]; }
            if (!same) { continue; }
            if (!done()) { return fail(at_, "the end of the text after a macro"); }
            return CronParser{candidate.expression, fields_}.expression();
        }
        if (word.size() == 6 && lower(word[1]) == 'e' && lower(word[2]) == 'v' && lower(word[3]) == 'e' &&
            lower(word[4]) == 'r' && lower(word[5]) == 'y') {
            return fail(begin, "a macro such as @hourly (an interval is no cron expression: every(5min), or the text "
                               "'every 5m')");
        }
        return fail(begin, "@yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly, @every_minute or "
                           "@every_second");
    }

    [[nodiscard]] constexpr bool field() noexcept {
        bits_ = 0;
        all_years_ = false;
        if (peek() == '*' || peek() == '?') {
            if (id_ == Id::day) { fields_.starred_day = true; }
            if (id_ == Id::weekday) { fields_.starred_week = true; }
        }
        do {
            if (!item()) { return false; }
        } while (take(','));
        switch (id_) {
        case Id::second: fields_.seconds = bits_; break;
        case Id::minute: fields_.minutes = bits_; break;
        case Id::hour: fields_.hours = static_cast<std::uint32_t>(bits_); break;
        case Id::day: fields_.days = static_cast<std::uint32_t>(bits_); break;
        case Id::month: fields_.months = static_cast<std::uint16_t>(bits_); break;
        case Id::weekday: fields_.weekdays = static_cast<std::uint8_t>((bits_ & 127U) | (bits_ >> 7U & 1U)); break;
        case Id::year:
            fields_.any_year = all_years_;
            if (all_years_) {
                fields_.years = {};
                fields_.hashes[static_cast<std::size_t>(Id::year)] = {};
                fields_.hashed = false;
                for (const CronHash& hash : fields_.hashes) { fields_.hashed = fields_.hashed || hash.used; }
            }
            break;
        }
        return true;
    }

    /// One item of a list, up to its comma or the end of the field.
    [[nodiscard]] constexpr bool item() noexcept {
        const char c = peek();
        if (c == '*' || (c == '?' && (id_ == Id::day || id_ == Id::weekday))) {
            ++at_;
            if (at_item_end() && id_ == Id::year) { all_years_ = true; }
            mark_wildcard();
            return span(rules().low, id_ == Id::weekday ? 6 : rules().high);
        }
        if (take_letter('h')) { return hash(); }
        if (id_ == Id::day && (lower(c) == 'l')) { return from_month_end(); }
        if (id_ == Id::weekday && take_letter('l')) {
            return fail(at_ - 1, "a day of the week before L, as in 5L or FRIL");
        }
        unsigned first = 0;
        if (const std::size_t begin = at_; !value(first)) {
            const char* const expected = in_place_of_value(begin);
            return expected != nullptr && fail(begin, expected);
        }
        if (at_item_end()) {
            put(first);
            return true;
        }
        if (take('-')) {
            unsigned last = 0;
            if (const std::size_t begin = at_; !value(last)) {
                const char* const expected = in_place_of_last(begin);
                return expected != nullptr && fail(begin, expected);
            } else if (id_ == Id::year && last < first) {
                return fail(begin, "a year that is not before the first of the range");
            }
            mark_wildcard();
            if (id_ == Id::weekday && first == 7 && last != 7) { first = 0; }
            return span(first, last);
        }
        if (peek() == '/') {
            mark_wildcard();
            return span(id_ == Id::weekday ? first % 7 : first, id_ == Id::weekday ? 6 : rules().high);
        }
        return suffix(first);
    }

    /// What the mistakes of people who know another dialect, or of a slip of the hand, are answered with; else null.
    [[nodiscard]] constexpr const char* in_place_of_value(std::size_t at) const noexcept {
        const std::string_view rest = text_.substr(at);
        if (rest.empty() || is_blank(rest[0])) {
            return at != 0 && text_[at - 1] == ',' ? "a value right after ','" : nullptr;
        }
        switch (rest[0]) {
        case '?': return "'*' instead (a '?' stands in the day fields only)";
        case '/': return "'*' or a value before '/'";
        case '-': return "a value before '-'";
        case ',': return "a value before ','";
        default: break;
        }
        if (rest.starts_with("TZ=") || rest.starts_with("CRON_TZ=")) {
            return "no time zone within the expression (it is given beside it)";
        }
        return nullptr;
    }

    /// The same for the last value of a range.
    [[nodiscard]] constexpr const char* in_place_of_last(std::size_t at) const noexcept {
        const bool is_l =
            at < text_.size() && lower(text_[at]) == 'l' && (at + 1 == text_.size() || !is_letter(text_[at + 1]));
        if (!is_l) { return nullptr; }
        if (id_ == Id::day) { return "a day of the month 1-31 after '-' (a range cannot end with L)"; }
        return id_ == Id::weekday ? "a day of the week after '-' (the last one of a month is written FRIL)" : nullptr;
    }

    [[nodiscard]] constexpr bool suffix(unsigned value) noexcept {
        if (id_ == Id::day && take_letter('w')) {
            fields_.workday_near |= 1U << value;
            return end_item();
        }
        if (id_ == Id::weekday && take_letter('l')) {
            fields_.last_weekdays = static_cast<std::uint8_t>(fields_.last_weekdays | 1U << (value % 7));
            return end_item();
        }
        if (id_ == Id::weekday && take('#')) {
            unsigned nth = 0;
            if (!number(nth, 1, 5, "a week 1-5 after '#'")) { return false; }
            fields_.nth_weekdays |= std::uint64_t{1} << (8 * (nth - 1) + value % 7);
            return end_item();
        }
        return fail(at_, rules().after_value);
    }

    /// `L`, `LW`, `L-n`, `L-nW`.
    [[nodiscard]] constexpr bool from_month_end() noexcept {
        const std::size_t begin = at_++;
        unsigned back = 0;
        bool workday = take_letter('w');
        if (!workday && is_letter(peek())) { return fail(begin, "a day of the month 1-31, L or LW"); }
        if (!workday && take('-')) {
            if (!number(back, 1, 30, "1-30 days before the last day of the month")) { return false; }
            workday = take_letter('w');
        }
        (workday ? fields_.workday_from_end : fields_.days_from_end) |= 1U << back;
        if (workday || at_item_end()) { return end_item(); }
        return fail(at_, back == 0 ? "'-', W, a comma or the end of the field after L"
                                   : "W, a comma or the end of the field after L and its number");
    }

    /// What follows an `H`: `(a-b)` and `/n`, both optional.
    [[nodiscard]] constexpr bool hash() noexcept {
        CronHash& hash = fields_.hashes[static_cast<std::size_t>(id_)];
        if (hash.used) { return fail(at_ - 1, "no second H in one field"); }
        unsigned low = rules().low;
        unsigned high = id_ == Id::day ? 28 : id_ == Id::weekday ? 6 : rules().high; // every month has a 28th
        const char* after = "a comma, '(', '/' or the end of the field";
        if (take('(')) {
            after = "a comma, '/' or the end of the field";
            if (!value(low)) { return false; }
            if (!take('-')) { return fail(at_, "'-' and the end of the range of H"); }
            const std::size_t begin = at_;
            if (!value(high)) { return false; }
            if (id_ == Id::year && high < low) {
                return fail(begin, "a year that is not before the first of the range");
            }
            if (!take(')')) { return fail(at_, "')' after the range of H"); }
            if (id_ == Id::weekday) {
                if (high == 7) { high = low == 0 ? 6 : 0; } // 0-7 is the whole week, 7-7 is Sunday
                low %= 7;
            }
        }
        unsigned step = 0;
        if (take('/')) {
            if (!number(step, 1, rules().max_step, rules().step)) { return false; }
            mark_wildcard();
            after = "a comma or the end of the field";
        }
        const unsigned base = id_ == Id::year ? first_cron_year : 0;
        hash = {.low = static_cast<std::uint8_t>(low - base),
                .high = static_cast<std::uint8_t>(high - base),
                .step = static_cast<std::uint8_t>(step),
                .used = true};
        fields_.hashed = true;
        if (at_item_end()) { return true; }
        return fail(at_, after);
    }

    /// `first` to `last`, around the end of the field where they are in that order, with the step that may follow.
    [[nodiscard]] constexpr bool span(unsigned first, unsigned last) noexcept {
        unsigned step = 1;
        if (take('/')) {
            if (!number(step, 1, rules().max_step, rules().step)) { return false; }
            if (!at_item_end()) { return fail(at_, "a comma or the end of the field"); }
        } else if (!at_item_end()) {
            const char c = lower(peek());
            if (id_ == Id::day && c == 'w') {
                return fail(at_, "a single day of the month before W, not a range or '*'");
            }
            if (id_ == Id::weekday && c == 'l') {
                return fail(at_, "a single day of the week before L, not a range or '*'");
            }
            if (id_ == Id::weekday && c == '#') {
                return fail(at_, "a single day of the week before '#', not a range or '*'");
            }
            return fail(at_, "a comma, '/' or the end of the field");
        }
        if (step == 1 && first <= last && id_ != Id::year) {
            bits_ |= bit_range(first, last);
            return true;
        }
        const unsigned end = first <= last ? last : last + rules().size;
        const unsigned highest = rules().low + rules().size - 1;
        for (unsigned at = first; at <= end; at += step) { put(at > highest && first > last ? at - rules().size : at); }
        return true;
    }

    constexpr void put(unsigned value) noexcept {
        if (id_ == Id::year) {
            fields_.add(Id::year, value);
        } else {
            bits_ |= std::uint64_t{1} << value;
        }
    }

    constexpr void mark_wildcard() noexcept { fields_.wildcard = fields_.wildcard || id_ <= Id::hour; }

    [[nodiscard]] constexpr bool end_item() noexcept {
        return at_item_end() || fail(at_, "a comma or the end of the field");
    }

    [[nodiscard]] constexpr bool number(unsigned& result, unsigned low, unsigned high, const char* expected) noexcept {
        const std::size_t begin = at_;
        unsigned value = 0;
        for (; !done() && is_digit(text_[at_]); ++at_) {
            value = value < 10'000 ? value * 10 + static_cast<unsigned>(text_[at_] - '0') : value;
        }
        result = value;
        if (at_ != begin && value >= low && value <= high) { return true; }
        const bool year =
            id_ == Id::weekday && expected == rules().value && value >= first_cron_year && value <= last_cron_year;
        return fail(begin, year ? "a day of the week 0-7 or SUN-SAT (a year is the last of 7 fields)" : expected);
    }

    [[nodiscard]] constexpr bool value(unsigned& result) noexcept {
        if (is_letter(peek()) && (id_ == Id::month || id_ == Id::weekday)) { return name(result); }
        return number(result, rules().low, rules().high, rules().value);
    }

    [[nodiscard]] constexpr bool name(unsigned& result) noexcept {
        constexpr std::string_view months = "janfebmaraprmayjunjulaugsepoctnovdec";
        constexpr std::string_view weekdays = "sunmontuewedthufrisat";
        const std::size_t begin = at_;
        while (is_letter(peek())) { ++at_; }
        std::size_t size = at_ - begin;
        if (size == 4 && id_ == Id::weekday && lower(text_[at_ - 1]) == 'l') {
            --at_; // FRIL
            --size;
        }
        const std::string_view names = id_ == Id::month ? months : weekdays;
        for (std::size_t i = 0; size >= 3 && i < names.size(); i += 3) {
            if (lower(text_[begin]) == names[i] && lower(text_[begin + 1]) == names[i + 1] &&
                lower(text_[begin + 2]) == names[i + 2]) {
                if (size != 3) {
                    return fail(begin, id_ == Id::month ? "a month by the three letters of JAN-DEC"
                                                        : "a day of the week by the three letters of SUN-SAT");
                }
                result = static_cast<unsigned>(i / 3) + rules().low;
                return true;
            }
        }
        return fail(begin, rules().value);
    }

    std::string_view text_;
    CronFields& fields_;
    std::size_t at_ = 0;
    Id id_ = Id::minute;
    std::size_t field_ = cron_field_count; // what a mistake is blamed on
    std::uint64_t bits_ = 0;
    bool all_years_ = false;
    CronMistake mistake_ = {};
};

} // namespace daybook::inline v0::detail

#endif
