// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_SCHEDULE_PARSER_HPP
#define DAYBOOK_DETAIL_SCHEDULE_PARSER_HPP

/// @file
/// Reads what detail/schedule_text.hpp writes, and what a person would write in its place.

#include <daybook/detail/calendar_parser.hpp>
#include <daybook/schedule/schedule.hpp>
#include <daybook/schedule/schedule_error.hpp>
#include <daybook/text/timestamp.hpp>
#include <daybook/time/time_zone.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

class ScheduleParser {
public:
    ScheduleParser(std::string_view text, TimeZone zone) : text_{text}, zone_{zone} {}

    /// @throws ScheduleError  See parse_schedule.
    [[nodiscard]] Schedule parse() {
        advance();
        if (word_.empty()) { fail("a schedule, such as '*/5 * * * *', 'every 30s' or 'at 2026-01-31T09:00:00Z'"); }
        Schedule schedule = alternatives();
        if (!word_.empty()) { fail("'|', a modifier such as 'until', or the end of the text"); }
        return schedule;
    }

private:
    [[noreturn]] void fail(const std::string& expected) const { fail_at(at_, expected); }
    [[noreturn]] void fail_at(std::size_t at, const std::string& expected) const {
        const std::size_t end = std::min(text_.find_first_of(" \t", at), text_.size());
        const std::string got = at >= text_.size() ? "the end" : "'" + std::string{text_.substr(at, end - at)} + "'";
        throw ScheduleError{at + 1, "expected " + expected + ", got " + got};
    }

    /// On to the next word; braces hold one together.
    void advance() {
        at_ = std::min(text_.find_first_not_of(" \t", end_), text_.size());
        end_ = at_;
        bool is_braced = false;
        for (; end_ != text_.size() && (is_braced || (text_[end_] != ' ' && text_[end_] != '\t')); ++end_) {
            is_braced = text_[end_] == '{' || (is_braced && text_[end_] != '}');
        }
        word_ = text_.substr(at_, end_ - at_);
    }
    [[nodiscard]] bool take(std::string_view wanted) {
        if (word_ != wanted) { return false; }
        advance();
        return true;
    }

    [[nodiscard]] Schedule alternatives() {
        if (++depth_ > 16) { fail("fewer parentheses"); }
        std::vector<Schedule> parts;
        std::vector<std::size_t> columns;
        do {
            columns.push_back(at_);
            parts.push_back(modified(base()));
        } while (take("|"));
        --depth_;
        if (parts.size() == 1) { return parts.front(); }
        try {
            return any_of(std::move(parts));
        } catch (const std::invalid_argument& error) { throw ScheduleError{columns.front() + 1, error.what()}; }
    }

    [[nodiscard]] Schedule base() {
        if (take("(")) {
            Schedule inner = alternatives();
            if (!take(")")) { fail("')'"); }
            return inner;
        }
        if (take("never")) { return {}; }
        if (take("every")) { return interval(); }
        if (take("at")) { return at(instant()); }
        return expression();
    }

    [[nodiscard]] Schedule interval() {
        const std::size_t begin = at_;
        const auto period = duration();
        if (period < Every::min_period) { fail_at(begin, "a period of at least 1us"); }
        const Every every{period};
        if (!take("after")) { return every; }
        if (!take("completion")) { fail("'completion'"); }
        return every.after_completion();
    }

    [[nodiscard]] Schedule modified(Schedule schedule) {
        for (std::string seen = " ";;) { // each at most once, but for `except`
            const std::size_t begin = at_;
            if (word_ != "except" && seen.find(' ' + std::string{word_} + ' ') != std::string::npos) {
                fail("no second '" + std::string{word_} + "' for one schedule");
            }
            seen += std::string{word_} + ' ';
            try {
                if (take("from")) {
                    schedule = schedule.from(instant());
                } else if (take("until")) {
                    schedule = schedule.until(instant());
                } else if (take("times")) {
                    schedule = schedule.times(number());
                } else if (take("jitter")) {
                    const auto at_most = duration();
                    schedule = take("seed") ? schedule.jitter(at_most, number()) : schedule.jitter(at_most);
                } else if (take("except")) {
                    schedule = schedule.except(calendar());
                } else {
                    return schedule;
                }
            } catch (const ScheduleError&) { throw; } catch (const std::invalid_argument& error) {
                throw ScheduleError{begin + 1, error.what()};
            }
        }
    }

    /// Cron fields, as many words as can be some; then a zone, unless what follows has another meaning.
    [[nodiscard]] Schedule expression() {
        const std::size_t begin = at_;
        std::size_t end = at_;
        if (word_.starts_with('@')) {
            end = end_;
            advance();
        } else {
            while (is_cron_field(word_)) {
                end = end_;
                advance();
            }
        }
        if (end == begin) { fail("a cron expression, 'every', 'at' or 'never'"); }
        TimeZone zone = zone_;
        constexpr std::array<std::string_view, 9> meanings{"days",   "dst",    "from", "until", "times",
                                                           "jitter", "except", "|",    ")"};
        if (!word_.empty() && std::ranges::find(meanings, word_) == meanings.end()) {
            try {
                zone = TimeZone::find(word_);
            } catch (const std::invalid_argument& error) { throw ScheduleError{at_ + 1, error.what()}; }
            advance();
        }
        CronOptions options;
        if (take("days")) {
            if (!take("both")) { fail("'both'"); }
            options.days = DayMatch::both;
        }
        if (take("dst")) {
            if (word_ != "skip" && word_ != "twice" && word_ != "vixie") { fail("'vixie', 'skip' or 'twice'"); }
            options.dst = word_ == "skip" ? Dst::skip : word_ == "twice" ? Dst::twice : Dst::vixie;
            advance();
        }
        return cron_at(begin, end, zone, options);
    }

    [[nodiscard]] Cron cron_at(std::size_t begin, std::size_t end, TimeZone zone, CronOptions options) const {
        try {
            return cron(text_.substr(begin, end - begin), zone, options);
        } catch (const CronError& error) {
            const std::string_view message{error.what()};
            throw CronError{begin + error.column(), std::string{message.substr(message.find(": ") + 2)}};
        }
    }

    /// Digits, signs, and letters that mean something in cron: no name of a zone consists of those.
    [[nodiscard]] static bool is_cron_field(std::string_view word) noexcept {
        constexpr std::string_view signs = "0123456789*,-/?#()";
        constexpr std::string_view names = " L W H LW JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC SUN MON TUE WED "
                                           "THU FRI SAT SUNL MONL TUEL WEDL THUL FRIL SATL ";
        if (word.empty() || word == "(" || word == ")") { return false; }
        for (std::size_t at = 0; at < word.size();) {
            std::string letters = " ";
            for (; at < word.size() && is_letter(word[at]); ++at) {
                letters += static_cast<char>(word[at] >= 'a' ? word[at] - 'a' + 'A' : word[at]);
            }
            if (letters.size() > 1) {
                if (letters.size() > 5 || names.find(letters + ' ') == std::string_view::npos) { return false; }
            } else if (signs.find(word[at++]) == std::string_view::npos) {
                return false;
            }
        }
        return word.front() != '+';
    }
    [[nodiscard]] static bool is_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

    [[nodiscard]] sys_time instant() {
        const auto parsed = parse_timestamp(word_);
        if (!parsed) { fail("an instant such as 2026-01-31T09:00:00Z"); }
        advance();
        return *parsed;
    }

    [[nodiscard]] std::uint64_t number() {
        std::uint64_t value = 0;
        for (const char c : word_) {
            const auto digit = static_cast<unsigned>(c - '0');
            if (digit > 9 || value > (std::numeric_limits<std::uint64_t>::max() - digit) / 10) {
                fail("a whole number");
            }
            value = value * 10 + digit;
        }
        if (word_.empty()) { fail("a whole number"); }
        advance();
        return value;
    }

    /// "30s", "1h30m", "0.25s"; the last two digits of a fraction are those of nanoseconds.
    [[nodiscard]] std::chrono::nanoseconds duration() {
        const std::string expected = "a duration such as 30s, 1h30m or 250ms";
        struct Unit {
            std::string_view name;
            std::uint64_t nanoseconds;
        };
        constexpr std::array<Unit, 8> units{{{"ns", 1},
                                             {"us", 1'000},
                                             {"ms", 1'000'000},
                                             {"s", 1'000'000'000},
                                             {"min", 60'000'000'000},
                                             {"m", 60'000'000'000},
                                             {"h", 3'600'000'000'000},
                                             {"d", 86'400'000'000'000}}};
        constexpr auto most = static_cast<std::uint64_t>(std::chrono::nanoseconds::max().count());
        std::uint64_t total = 0;
        if (word_.empty()) { fail(expected); }
        for (std::string_view left = word_; !left.empty();) {
            std::uint64_t whole = 0;
            std::uint64_t fraction = 0;
            std::uint64_t scale = 1;
            std::size_t at = 0;
            for (; at < left.size() && is_digit(left[at]); ++at) {
                if (whole > most / 10) { fail("a duration of at most 292 years"); }
                whole = whole * 10 + static_cast<unsigned>(left[at] - '0');
            }
            if (at == 0) { fail(expected); }
            if (at < left.size() && left[at] == '.') {
                const std::size_t point = at++;
                for (; at < left.size() && is_digit(left[at]) && scale < 1'000'000'000; ++at, scale *= 10) {
                    fraction = fraction * 10 + static_cast<unsigned>(left[at] - '0');
                }
                if (at == point + 1) { fail(expected); }
            }
            left.remove_prefix(at);
            std::size_t letters = 0;
            while (letters < left.size() && is_letter(left[letters])) { ++letters; }
            const auto unit = std::ranges::find(units, left.substr(0, letters), &Unit::name);
            if (unit == units.end()) { fail(expected); }
            left.remove_prefix(letters);
            // A fraction below a nanosecond has no place: 0.5ns is 0.
            const std::uint64_t part =
                unit->nanoseconds / scale * fraction + unit->nanoseconds % scale * fraction / scale;
            if (whole > (most - part) / unit->nanoseconds) { fail("a duration of at most 292 years"); }
            const std::uint64_t amount = whole * unit->nanoseconds + part;
            if (amount > most - total) { fail("a duration of at most 292 years"); }
            total += amount;
        }
        advance();
        return std::chrono::nanoseconds{static_cast<std::int64_t>(total)};
    }
    [[nodiscard]] static bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

    [[nodiscard]] Calendar calendar() {
        const auto read_cron = [this](std::string_view text, std::size_t column) {
            // In place, so that columns count from the beginning of the whole text.
            ScheduleParser inner{text_.substr(0, column - 1 + text.size()), zone_};
            inner.end_ = column - 1;
            inner.advance();
            const Schedule inside = inner.expression();
            if (!inner.word_.empty()) { inner.fail("'}'"); }
            return Calendar{*inside.expression()};
        };
        Calendar read = CalendarParser{word_, at_ + 1}.parse(read_cron);
        advance();
        return read;
    }

    std::string_view text_;
    TimeZone zone_;
    std::string_view word_ = {};
    std::size_t at_ = 0;  // where the word begins
    std::size_t end_ = 0; // and where it ends
    unsigned depth_ = 0;
};

} // namespace daybook::inline v0::detail

#endif
