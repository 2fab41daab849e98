// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_CRON_TIME_WORDS_HPP
#define DAYBOOK_DETAIL_CRON_TIME_WORDS_HPP

/// @file
/// The second, minute and hour fields of a cron expression in words: "every 5 minutes from 09:00 to 17:55".

#include <daybook/detail/cron_fields.hpp>
#include <daybook/detail/time_words.hpp>
#include <daybook/detail/value_words.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace daybook::inline v0::detail {

/// Every form it chooses can be read back as one set of times only; which of them is a matter of taste: up to three
/// times are listed, then a regular distance is named, then up to six times are listed, and what is left is told as
/// minutes of hours.
class CronTimeWords {
public:
    /// @param wraps  Whether hours go on after midnight, because the day after is one of the schedule's, too.
    CronTimeWords(const CronFields& fields, bool wraps)
        : seconds_{fields.seconds},
          minutes_{fields.minutes},
          hours_{fields.hours},
          second_hash_{fields.hashes[static_cast<std::size_t>(CronFieldId::second)]},
          minute_hash_{fields.hashes[static_cast<std::size_t>(CronFieldId::minute)]},
          hour_hash_{fields.hashes[static_cast<std::size_t>(CronFieldId::hour)]},
          wraps_{wraps} {}

    [[nodiscard]] std::string write() const {
        if (minute_hash_.used || hour_hash_.used) { return chosen_minutes() + seconds_clause(); }
        if (second_hash_.used) { return chosen_second(); }
        if (bit_count(seconds_) == 1) { return exact_minutes(); }
        return several_seconds();
    }

private:
    using Id = CronFieldId;

    static constexpr std::uint64_t all_60 = bit_range(0, 59);
    static constexpr std::uint64_t all_24 = bit_range(0, 23);

    [[nodiscard]] bool every_minute() const noexcept { return minutes_ == all_60 && hours_ == all_24; }
    [[nodiscard]] bool one_second() const noexcept { return !second_hash_.used && bit_count(seconds_) == 1; }
    [[nodiscard]] bool full_minute() const noexcept { return one_second() && seconds_ == 1; }

    /// "09:00", or "09:00:15" where the second is another than 0; `minute` is one of the day.
    [[nodiscard]] std::string clock(unsigned minute) const {
        if (!one_second() || full_minute()) { return clock_of_minute(minute); }
        return clock(minute, lowest(seconds_));
    }
    [[nodiscard]] static std::string clock(unsigned minute, unsigned second) {
        return clock_of_minute(minute) + ':' + padded(second, 2);
    }
    [[nodiscard]] static std::string clock_of_minute(unsigned minute) {
        return padded(minute / 60, 2) + ':' + padded(minute % 60, 2);
    }

    [[nodiscard]] static std::string distance(unsigned step, std::string_view unit) {
        if (step == 1) { return "every " + std::string{unit}; }
        return "every " + std::to_string(step) + ' ' + std::string{unit} + 's';
    }

    [[nodiscard]] std::vector<ValueRun> minute_runs() const {
        return runs_of(0, 1439, wraps_, [this](unsigned minute) {
            return has_bit(hours_, minute / 60) && has_bit(minutes_, minute % 60);
        });
    }
    [[nodiscard]] std::vector<ValueRun> hour_runs() const { return runs_of(hours_, 0, 23, wraps_); }

    [[nodiscard]] std::string hours_noun() const {
        const std::string words = numbered_words(hours_, 0, 23, "hour");
        return bit_count(hours_) == 1 ? words : "the " + words;
    }

    /// "at 09:00, 12:30 and 18:00"; with each of `seconds` where there are any.
    [[nodiscard]] std::string listed_times(std::uint64_t seconds) const {
        std::vector<std::string> times;
        for (std::uint64_t hours = hours_; hours != 0; hours &= hours - 1) {
            for (std::uint64_t minutes = minutes_; minutes != 0; minutes &= minutes - 1) {
                const unsigned minute = lowest(hours) * 60 + lowest(minutes);
                if (seconds == 0) { times.push_back(clock(minute)); }
                for (std::uint64_t left = seconds; left != 0; left &= left - 1) {
                    times.push_back(clock(minute, lowest(left)));
                }
            }
        }
        return "at " + join_words(times);
    }

    /// "from 09:00 to 17:55", for each run; `begin` and `end` say the first and last time of one.
    template <class Begin, class End>
    [[nodiscard]] static std::string limits(const std::vector<ValueRun>& runs, const Begin& begin, const End& end) {
        std::vector<std::string> parts;
        parts.reserve(runs.size());
        for (const ValueRun& run : runs) { parts.push_back("from " + begin(run.first) + " to " + end(run.last)); }
        return ' ' + join_words(parts);
    }

    // ---- minutes and hours --------------------------------------------------------------------------------------

    /// The second of minutes that were not told by the clock: ", at second 15". It is left for the caller to say where
    /// there are several.
    [[nodiscard]] std::string second_after_comma() const {
        if (!one_second() || full_minute()) { return ""; }
        return ", at second " + std::to_string(lowest(seconds_));
    }

    [[nodiscard]] std::string exact_minutes() const {
        const unsigned times = bit_count(minutes_) * bit_count(hours_);
        if (times <= 3) { return listed_times(0); }
        if (const unsigned step = cycle_step(minutes_, 60); step != 0) {
            if (std::string words = even_minutes(step); !words.empty()) { return words; }
        }
        if (bit_count(minutes_) == 1) {
            if (std::string words = one_minute(); !words.empty()) { return words; }
        }
        if (const unsigned step = even_step(minutes_);
            bit_count(hours_) == 1 && (step == 1 || (step != 0 && times > 6))) {
            const unsigned hour = lowest(hours_) * 60;
            return distance(step, "minute") + " from " + clock(hour + lowest(minutes_)) + " to " +
                   clock(hour + highest(minutes_));
        }
        if (times <= 6) { return listed_times(0); }
        const std::string minutes = numbered_words(minutes_, 0, 59, "minute");
        if (hours_ != all_24) { return "at " + minutes + " of " + hours_noun() + second_after_comma(); }
        return "every hour at " + minutes + second_after_comma();
    }

    /// Minutes that are equally distant all through the hour, or nothing where a list says it better.
    [[nodiscard]] std::string even_minutes(unsigned step) const {
        const unsigned phase = lowest(minutes_);
        const bool has_name = phase == 0 || bit_count(minutes_) >= 5;
        const std::string every =
            distance(step, "minute") + (phase == 0 ? "" : " starting at minute " + std::to_string(phase));
        if (hours_ == all_24) {
            if (!has_name) { return ""; }
            if (phase != 0 || !one_second() || full_minute()) { return every + second_after_comma(); }
            return every + " at second " + std::to_string(lowest(seconds_));
        }
        const std::vector<ValueRun> runs = hour_runs();
        if (runs.size() == 1 || (runs.size() <= 3 && bit_count(minutes_) * bit_count(hours_) > 6)) {
            return distance(step, "minute") +
                   limits(
                       runs, [this](unsigned hour) { return clock(hour * 60 + lowest(minutes_)); },
                       [this](unsigned hour) { return clock(hour * 60 + highest(minutes_)); });
        }
        if (bit_count(minutes_) * bit_count(hours_) <= 6 || !has_name) { return ""; }
        return every + " during " + hours_noun() + second_after_comma();
    }

    /// One minute of several hours, or nothing where a list says it better.
    [[nodiscard]] std::string one_minute() const {
        const unsigned minute = lowest(minutes_);
        const unsigned step = cycle_step(hours_, 24);
        if (step != 0 && step <= 6 && lowest(hours_) == 0) {
            const std::string every = distance(step, "hour");
            if (!one_second()) { return every + " at minute " + std::to_string(minute); }
            const std::string second = full_minute() ? "" : " and second " + std::to_string(lowest(seconds_));
            return minute == 0 && full_minute() ? every : every + " at minute " + std::to_string(minute) + second;
        }
        const auto at = [this, minute](unsigned hour) { return clock(hour * 60 + minute); };
        const std::vector<ValueRun> runs = hour_runs();
        if (runs.size() == 1) { return "every hour" + limits(runs, at, at); }
        if (bit_count(hours_) <= 6) { return ""; }
        if (const unsigned distant = even_step(hours_); distant > 1) {
            return distance(distant, "hour") + " from " + at(lowest(hours_)) + " to " + at(highest(hours_));
        }
        std::vector<ValueRun> ranges;
        std::vector<std::string> singles;
        for (const ValueRun& run : runs) {
            const unsigned length = (run.last + 24 - run.first) % 24 + 1;
            if (length >= 3) {
                ranges.push_back(run);
            } else {
                singles.push_back(at(run.first));
                if (length == 2) { singles.push_back(at(run.last)); }
            }
        }
        if (ranges.empty() || ranges.size() > 3 || singles.size() > 3) { return ""; }
        return "every hour" + limits(ranges, at, at) + (singles.empty() ? "" : ", and at " + join_words(singles));
    }

    // ---- seconds ------------------------------------------------------------------------------------------------

    [[nodiscard]] std::string several_seconds() const {
        const unsigned minutes = bit_count(minutes_) * bit_count(hours_);
        const unsigned times = minutes * bit_count(seconds_);
        if (times <= 3) { return listed_times(seconds_); }
        if (const unsigned step = cycle_step(seconds_, 60); step != 0) {
            if (std::string words = even_seconds(step); !words.empty()) { return words; }
        }
        if (const unsigned step = even_step(seconds_); minutes == 1 && (step == 1 || (step != 0 && times > 6))) {
            const unsigned minute = lowest(hours_) * 60 + lowest(minutes_);
            return distance(step, "second") + " from " + clock(minute, lowest(seconds_)) + " to " +
                   clock(minute, highest(seconds_));
        }
        if (times <= 6) { return listed_times(seconds_); }
        return exact_minutes() + (every_minute() ? " at " : ", at ") + numbered_words(seconds_, 0, 59, "second");
    }

    [[nodiscard]] std::string even_seconds(unsigned step) const {
        const unsigned phase = lowest(seconds_);
        const bool has_name = phase == 0 || bit_count(seconds_) >= 5;
        const std::string every =
            distance(step, "second") + (phase == 0 ? "" : " starting at second " + std::to_string(phase));
        if (every_minute()) { return has_name ? every : ""; }
        const std::vector<ValueRun> runs = minute_runs();
        const unsigned times = bit_count(minutes_) * bit_count(hours_) * bit_count(seconds_);
        if (runs.size() == 1 || (runs.size() <= 3 && times > 6)) {
            return distance(step, "second") + limits(
                                                  runs,
                                                  [this](unsigned minute) { return clock(minute, lowest(seconds_)); },
                                                  [this](unsigned minute) { return clock(minute, highest(seconds_)); });
        }
        if (times <= 6 || !has_name) { return ""; }
        std::string during = " during ";
        if (minutes_ != all_60) {
            during += numbered_words(minutes_, 0, 59, "minute") + " of " + (hours_ == all_24 ? "every hour" : "");
        }
        return every + during + (hours_ == all_24 ? "" : hours_noun());
    }

    // ---- what an H will choose ----------------------------------------------------------------------------------

    [[nodiscard]] static bool is_whole(const CronHash& hash, unsigned size) noexcept {
        return hash.low == 0 && hash.high == size - 1;
    }
    [[nodiscard]] static std::string limits_of(const CronHash& hash, unsigned size) {
        if (is_whole(hash, size)) { return ""; }
        return " from " + std::to_string(hash.low) + " to " + std::to_string(hash.high);
    }
    [[nodiscard]] static std::string field_noun(std::uint64_t bits, const CronHash& hash, unsigned size,
                                                std::string_view unit) {
        std::string text;
        if (bits != 0) { text = numbered_words(bits, 0, size - 1, unit) + (hash.used ? " and " : ""); }
        if (hash.used) { text += chosen_value_words(hash.step, unit, limits_of(hash, size)); }
        return text;
    }
    /// One choice, and nothing else.
    [[nodiscard]] static bool is_simple(std::uint64_t bits, const CronHash& hash) noexcept {
        return hash.used && hash.step == 0 && bits == 0;
    }
    /// "every 15 minutes", where the choice is only where to begin; else nothing.
    [[nodiscard]] static std::string chosen_phase(std::uint64_t bits, const CronHash& hash, std::string_view unit) {
        if (bits != 0 || hash.step == 0 || 60 % hash.step != 0 || !is_whole(hash, 60)) { return ""; }
        return distance(hash.step, unit);
    }
    [[nodiscard]] static std::string chosen_start(std::string_view unit) {
        return " starting at a " + std::string{unit} + ' ' + std::string{chosen_words};
    }

    [[nodiscard]] std::string chosen_second() const {
        if (every_minute()) {
            if (const std::string every = chosen_phase(seconds_, second_hash_, "second"); !every.empty()) {
                return every + chosen_start("second");
            }
        }
        return exact_minutes() + (every_minute() ? " at " : ", at ") + field_noun(seconds_, second_hash_, 60, "second");
    }

    [[nodiscard]] bool all_simple() const noexcept {
        return is_simple(minutes_, minute_hash_) && is_simple(hours_, hour_hash_);
    }

    [[nodiscard]] std::string chosen_minutes() const {
        const std::string minutes = field_noun(minutes_, minute_hash_, 60, "minute");
        if (hour_hash_.used) {
            const std::string hours = field_noun(hours_, hour_hash_, 24, "hour");
            if (all_simple()) {
                std::vector<std::string> units{"an hour" + limits_of(hour_hash_, 24),
                                               "a minute" + limits_of(minute_hash_, 60)};
                if (is_simple(seconds_, second_hash_)) { units.push_back("a second" + limits_of(second_hash_, 60)); }
                return "at " + join_words(units) + ' ' + std::string{chosen_words};
            }
            const unsigned step = minute_hash_.used || lowest(minutes_) != 0 ? 0 : cycle_step(minutes_, 60);
            if (step != 0) { return distance(step, "minute") + " during " + hours; }
            return "at " + minutes + " of " + hours;
        }
        const std::string every = chosen_phase(minutes_, minute_hash_, "minute");
        if (hours_ == all_24) { return every.empty() ? "every hour at " + minutes : every + chosen_start("minute"); }
        const std::vector<ValueRun> runs = hour_runs();
        const bool is_one_hour = bit_count(hours_) == 1;
        if (runs.size() != 1 || bit_count(hours_) == 2) { return "in each of " + hours_noun() + " at " + minutes; }
        const std::string hours = limits(
            runs, [](unsigned hour) { return clock_of_minute(hour * 60); },
            [](unsigned hour) { return clock_of_minute(hour * 60 + 59); });
        if (!every.empty()) { return every + hours + chosen_start("minute"); }
        if (is_one_hour) {
            return "between " + clock_of_minute(lowest(hours_) * 60) + " and " +
                   clock_of_minute(lowest(hours_) * 60 + 59) + " at " + minutes;
        }
        return "every hour" + hours + " at " + minutes;
    }

    /// The seconds after minutes that an `H` chooses.
    [[nodiscard]] std::string seconds_clause() const {
        if (full_minute() || (all_simple() && is_simple(seconds_, second_hash_))) { return ""; }
        if (!second_hash_.used && seconds_ == all_60) { return ", at every second"; }
        return ", at " + field_noun(seconds_, second_hash_, 60, "second");
    }

    std::uint64_t seconds_;
    std::uint64_t minutes_;
    std::uint64_t hours_;
    CronHash second_hash_;
    CronHash minute_hash_;
    CronHash hour_hash_;
    bool wraps_;
};

} // namespace daybook::inline v0::detail

#endif
