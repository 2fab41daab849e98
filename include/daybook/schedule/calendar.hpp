// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_SCHEDULE_CALENDAR_HPP
#define DAYBOOK_SCHEDULE_CALENDAR_HPP

/// @file
/// When a schedule rests: days of a zone's calendar, a cron expression, or what a function says.

#include <daybook/detail/calendar.hpp>
#include <daybook/detail/saturate.hpp>
#include <daybook/detail/time_words.hpp>
#include <daybook/schedule/cron.hpp>
#include <daybook/time/time_zone.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace daybook::inline v0 {

namespace detail {
class CalendarWordsWriter;
}

/// The instants that a schedule leaves out, see Modifiable::except.
///
/// ```cpp
/// using namespace std::chrono;
/// const auto holidays = daybook::Calendar{"Europe/Berlin"}
///                           .add(December / 25)                        // each year
///                           .add(2026y / 12 / 27, 2027y / 1 / 3)       // the first and the last day of a range
///                           .add(Sunday);                              // each week
/// ```
///
/// @par Thread safety
/// Distinct objects: safe, unless they share a function that is not. Shared objects: safe, every const member.
class Calendar {
public:
    using Date = std::chrono::year_month_day;

    /// The days of the week as texts of calendars name them, three letters each, Sunday first.
    static constexpr std::string_view weekday_letters = "SUNMONTUEWEDTHUFRISAT";

    /// No days yet, to be counted in UTC.
    Calendar() = default;

    /// No days yet, to be counted by the clocks of `zone`.
    explicit Calendar(TimeZone zone) : zone_{zone} {}

    /// @throws std::invalid_argument  There is no such zone; see TimeZone::find.
    explicit Calendar(std::string_view zone) : zone_{TimeZone::find(zone)} {}

    /// The seconds that a cron expression names, in its zone: `* 12 * * *` is the hour from 12:00 to 12:59:59 only if
    /// it is written with its seconds, `* * 12 * * *`. An `H` counts as bound to 0.
    Calendar(Cron cron) : cron_{std::make_shared<const Cron>(cron)} {} // NOLINT(google-explicit-constructor)

    /// What a function says. It is called outside every lock, for one job on one thread at a time; what jobs share may
    /// be asked on several. What it throws, the question for the next occurrence throws.
    template <class Function>
    requires std::predicate<const Function&, sys_time> && std::copy_constructible<Function> &&
        (!std::same_as<Function, Calendar>)&&(!std::same_as<Function, Cron>)
            Calendar(Function function) // NOLINT(google-explicit-constructor)
        : function_{std::make_shared<const std::function<bool(sys_time)>>(std::move(function))} {}

    /// One day. @throws std::invalid_argument  It does not exist.
    Calendar& add(Date day) & { return add(day, day); }

    /// From the first day to the last, both included.
    /// @throws std::invalid_argument  One of them does not exist, or they are in the wrong order.
    Calendar& add(Date first, Date last) & {
        if (!first.ok() || !last.ok()) { throw std::invalid_argument{"Calendar::add: a date that does not exist"}; }
        if (last < first) { throw std::invalid_argument{"Calendar::add: the last day is before the first"}; }
        Days added{std::chrono::local_days{first}, std::chrono::local_days{last}};
        // What touches the new range becomes a part of it: the ranges stay apart, and their order is one.
        const auto before = [](const Days& left, const Days& right) {
            return left.last + std::chrono::days{1} < right.first;
        };
        const auto [begin, end] = std::equal_range(ranges_.begin(), ranges_.end(), added, before);
        if (begin != end) {
            added.first = std::min(added.first, begin->first);
            added.last = std::max(added.last, std::prev(end)->last);
        }
        ranges_.insert(ranges_.erase(begin, end), added);
        return *this;
    }

    /// A day of every year; 29 February of those that have it.
    /// @throws std::invalid_argument  No year has it.
    Calendar& add(std::chrono::month_day day) & {
        if (!day.ok()) { throw std::invalid_argument{"Calendar::add: a day that no year has"}; }
        yearly_[static_cast<unsigned>(day.month())] |= 1U << static_cast<unsigned>(day.day());
        has_yearly_ = true;
        return *this;
    }

    /// A day of every week. @throws std::invalid_argument  It is none.
    Calendar& add(std::chrono::weekday day) & {
        if (!day.ok()) { throw std::invalid_argument{"Calendar::add: no day of the week"}; }
        weekly_ = static_cast<std::uint8_t>(weekly_ | 1U << day.c_encoding());
        return *this;
    }

    /// The same on a temporary, so that a calendar can be written in one expression.
    template <class... Days>
    Calendar&& add(Days... days) && {
        add(days...);
        return std::move(*this);
    }

    [[nodiscard]] TimeZone zone() const noexcept { return zone_; }

    /// Whether the schedule rests at `instant`. O(log ranges of days).
    [[nodiscard]] bool contains(sys_time instant) const {
        return has_day(local_day(instant)) || (cron_ && cron_->matches(instant)) ||
               (function_ && (*function_)(instant));
    }

    /// The next instant worth asking about: nothing between `instant`, which the calendar contains, and this one is
    /// free. The end of the day where the day is what rests.
    [[nodiscard]] sys_time rests_until(sys_time instant) const {
        const std::chrono::local_days day = local_day(instant);
        sys_time latest = detail::saturating_add(instant, std::chrono::microseconds{1});
        using std::chrono::seconds;
        if (cron_ && instant < sys_time::max() - seconds{1} && cron_->matches(instant)) { // a whole second
            latest = std::chrono::floor<seconds>(instant) + seconds{1};
        }
        if (!has_day(day)) { return latest; }
        const OffsetInterval span = zone_.offset_at(std::chrono::floor<seconds>(inside(instant)));
        const std::chrono::sys_seconds end{(day + std::chrono::days{1}).time_since_epoch() - span.offset};
        return std::max(latest, sys_time{std::min(end, span.end)});
    }

    /// The same backwards: nothing from this instant to `instant`, which the calendar contains, is free.
    [[nodiscard]] sys_time rests_since(sys_time instant) const {
        const std::chrono::local_days day = local_day(instant);
        using std::chrono::seconds;
        sys_time earliest = instant;
        if (cron_ && instant > sys_time::min() + seconds{1} && cron_->matches(instant)) {
            earliest = std::chrono::floor<seconds>(instant);
        }
        if (!has_day(day)) { return earliest; }
        const OffsetInterval span = zone_.offset_at(std::chrono::floor<seconds>(inside(instant)));
        const std::chrono::sys_seconds begin{day.time_since_epoch() - span.offset};
        return std::min(earliest, sys_time{std::max(begin, span.begin)});
    }

    /// What parse_schedule reads behind `except`: "SAT,SUN,--12-25,2026-12-27/2027-01-02[Europe/Berlin]" with the days
    /// of every year and the ranges of days as ISO 8601 writes them, "{* * 12 * * *}" for a cron expression, "nothing"
    /// without any; "own" stands for a function, and cannot be read back.
    [[nodiscard]] friend std::string to_string(const Calendar& calendar) {
        std::string text;
        const auto item = [&]() -> std::string& { return text.empty() ? text : text += ','; };
        if (calendar.cron_) { item() += '{' + detail::cron_with_options(*calendar.cron_) + '}'; }
        for (unsigned day = 0; day < 7; ++day) {
            if ((calendar.weekly_ >> day & 1U) != 0) { item() += weekday_letters.substr(day * 3, 3); }
        }
        for (unsigned month = 1; month <= 12; ++month) {
            for (unsigned day = 1; day <= 31; ++day) {
                if ((calendar.yearly_[month] >> day & 1U) == 0) { continue; }
                item() += "--" + detail::padded(month, 2) + '-' + detail::padded(day, 2);
            }
        }
        for (const Days& range : calendar.ranges_) {
            item() += date_text(range.first);
            if (range.first != range.last) { text += '/' + date_text(range.last); }
        }
        if (calendar.function_) { item() += "own"; }
        if (text.empty()) { text = "nothing"; }
        return calendar.zone_.is_utc() ? text : text + '[' + std::string{calendar.zone_.name()} + ']';
    }

    /// Equal means the same days in the same zone, and the same function object, which copies share.
    friend bool operator==(const Calendar& left, const Calendar& right) {
        const bool same_cron = left.cron_ && right.cron_ ? *left.cron_ == *right.cron_ : left.cron_ == right.cron_;
        return same_cron && left.zone_ == right.zone_ && left.ranges_ == right.ranges_ &&
               left.yearly_ == right.yearly_ && left.weekly_ == right.weekly_ && left.function_ == right.function_;
    }

private:
    friend class detail::CalendarWordsWriter;

    struct Days {
        std::chrono::local_days first;
        std::chrono::local_days last;
        friend constexpr bool operator==(const Days&, const Days&) = default;
    };

    [[nodiscard]] static std::string date_text(std::chrono::local_days day) {
        return detail::date_words(detail::civil_from_days(day.time_since_epoch().count()));
    }

    [[nodiscard]] std::chrono::local_days local_day(sys_time instant) const noexcept {
        return std::chrono::floor<std::chrono::days>(zone_.to_local(inside(instant)));
    }
    [[nodiscard]] static sys_time inside(sys_time instant) noexcept {
        constexpr std::chrono::days margin{3}; // so that no offset and no day leaves the range of sys_time
        return std::clamp(instant, sys_time::min() + margin, sys_time::max() - margin);
    }

    [[nodiscard]] bool has_day(std::chrono::local_days day) const {
        const auto range = std::ranges::lower_bound(ranges_, day, {}, &Days::last);
        if (range != ranges_.end() && range->first <= day) { return true; }
        if ((weekly_ >> std::chrono::weekday{day}.c_encoding() & 1U) != 0) { return true; }
        if (!has_yearly_) { return false; }
        const Date date{day};
        return (yearly_[static_cast<unsigned>(date.month())] >> static_cast<unsigned>(date.day()) & 1U) != 0;
    }

    TimeZone zone_ = {};
    std::vector<Days> ranges_ = {}; // ascending, none touching the next
    std::array<std::uint32_t, 13> yearly_{};
    std::uint8_t weekly_ = 0; // bit 0: Sunday
    bool has_yearly_ = false;
    std::shared_ptr<const Cron> cron_ = {};
    std::shared_ptr<const std::function<bool(sys_time)>> function_ = {};
};

} // namespace daybook::inline v0

#endif
