// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_TIMELINE_RECORDER_HPP
#define DAYBOOK_DETAIL_TIMELINE_RECORDER_HPP

/// @file
/// Counts by minute; hours, days and the whole are made of minutes that are over.

#include <daybook/detail/outcome_tally.hpp>
#include <daybook/detail/period_ring.hpp>
#include <daybook/stats/latency_histogram.hpp>
#include <daybook/stats/timeline.hpp>
#include <daybook/types.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace daybook::inline v0::detail {

/// What is under way: the minute in full, and all that is longer without it.
template <std::size_t SubBuckets>
struct OpenPeriods {
    using Period = OpenPeriod<SubBuckets>;

    Period minute;
    Period hour;
    Period day;
    Period total;
    PeriodKey minute_key = no_period;
    PeriodKey hour_key = no_period;
    PeriodKey day_key = no_period;

    void clear() noexcept {
        for (Period* period : {&minute, &hour, &day, &total}) { period->clear(); }
        minute_key = hour_key = day_key = no_period;
    }

    /// Takes over another one; costs the buckets in use. @pre This one is new or cleared.
    void assign(const OpenPeriods& other) noexcept {
        minute.add(other.minute);
        hour.add(other.hour);
        day.add(other.day);
        total.add(other.total);
        minute_key = other.minute_key;
        hour_key = other.hour_key;
        day_key = other.day_key;
    }

    /// Puts the minute into all that is longer.
    void add_minute() noexcept {
        for (Period* period : {&hour, &day, &total}) { period->add(minute); }
    }

    /// As it would be closed now. @pre The minute has been added.
    [[nodiscard]] ClosedPeriod closed(TimelineResolution resolution) const noexcept {
        switch (resolution) {
        case TimelineResolution::minute: return ClosedPeriod::from(minute_key, minute);
        case TimelineResolution::hour: return ClosedPeriod::from(hour_key, hour);
        case TimelineResolution::day: return ClosedPeriod::from(day_key, day);
        }
        return {};
    }
};

/// Whoever records counts in `minute()`, and in nothing else: that is why a timeline costs nothing but the question
/// whether the minute is over. Everything longer is brought up to date when it is.
template <std::size_t SubBuckets>
class TimelineRecorder {
public:
    /// Whether what ended at `at` belongs in `minute()`.
    [[nodiscard]] bool is_within_minute(sys_time at) const noexcept {
        // Unsigned: what is before the minute is beyond its end as well.
        const auto since_begin = static_cast<std::uint64_t>(at.time_since_epoch().count()) -
                                 static_cast<std::uint64_t>(minute_begin_.time_since_epoch().count());
        return since_begin < static_cast<std::uint64_t>(one_minute.count());
    }

    /// Makes `minute()` the one that `at` belongs to; a time that is at most a minute before it is taken for late.
    void turn_to(sys_time at) noexcept {
        at = limited_instant(at);
        const bool is_first = open_.minute_key == no_period;
        if (!is_first && at < minute_begin_ && minute_begin_ - at <= one_minute) { return; }
        const PeriodKey minute = period_of(at, minutes_.width());
        const PeriodKey hour = period_of(at, hours_.width());
        const PeriodKey day = period_of(at, days_.width());
        if (!is_first) {
            minutes_.close(open_.closed(TimelineResolution::minute));
            open_.add_minute();
            open_.minute.clear();
            if (hour != open_.hour_key) { close(hours_, TimelineResolution::hour, open_.hour); }
            if (day != open_.day_key) { close(days_, TimelineResolution::day, open_.day); }
        }
        open_.minute_key = minute;
        open_.hour_key = hour;
        open_.day_key = day;
        minute_begin_ = begin_of(minute, minutes_.width());
    }

    /// What another one has counted beside this one. @pre This one was turned to the present.
    void add(const TimelineRecorder& other) noexcept {
        for (const auto ring : {&TimelineRecorder::minutes_, &TimelineRecorder::hours_, &TimelineRecorder::days_}) {
            (this->*ring).add(other.*ring);
        }
        const OpenPeriods<SubBuckets>& theirs = other.open_;
        if (theirs.minute_key == no_period) { return; }
        // Their minute may be over; they have not put it into anything longer yet.
        const bool is_over = theirs.minute_key != open_.minute_key;
        if (is_over) {
            minutes_.add(theirs.closed(TimelineResolution::minute));
        } else {
            open_.minute.add(theirs.minute);
        }
        const auto add_longer = [&](OpenPeriod<SubBuckets>& mine, const OpenPeriod<SubBuckets>& period) {
            mine.add(period);
            if (is_over) { mine.add(theirs.minute); }
        };
        const auto add_or_close = [&](PeriodKey mine_key, OpenPeriod<SubBuckets>& mine, PeriodKey key,
                                      const OpenPeriod<SubBuckets>& period, PeriodRing& ring) {
            if (mine_key == key) { return add_longer(mine, period); }
            OpenPeriod<SubBuckets> over;
            add_longer(over, period);
            ring.add(ClosedPeriod::from(key, over));
        };
        add_or_close(open_.hour_key, open_.hour, theirs.hour_key, theirs.hour, hours_);
        add_or_close(open_.day_key, open_.day, theirs.day_key, theirs.day, days_);
        add_longer(open_.total, theirs.total);
    }

    [[nodiscard]] OpenPeriod<SubBuckets>& minute() noexcept { return open_.minute; }
    [[nodiscard]] const OpenPeriods<SubBuckets>& open() const noexcept { return open_; }

    /// Everything since the last clear.
    [[nodiscard]] OutcomeTally total_tally() const noexcept {
        OutcomeTally all = open_.total.tally;
        return all += open_.minute.tally;
    }

    /// What is closed.
    [[nodiscard]] const PeriodRing& ring(TimelineResolution resolution) const noexcept {
        switch (resolution) {
        case TimelineResolution::minute: return minutes_;
        case TimelineResolution::hour: return hours_;
        case TimelineResolution::day: return days_;
        }
        return minutes_;
    }

    void clear() noexcept {
        open_.clear();
        minute_begin_ = never;
        for (PeriodRing* ring : {&minutes_, &hours_, &days_}) { ring->clear(); }
    }

    /// Outside of the object itself.
    [[nodiscard]] std::size_t memory_bytes() const noexcept {
        return minutes_.memory_bytes() + hours_.memory_bytes() + days_.memory_bytes();
    }

private:
    static constexpr sys_time::duration one_minute = width_of(TimelineResolution::minute);
    static constexpr sys_time never = sys_time::min(); // nobody records within a minute of it

    void close(PeriodRing& ring, TimelineResolution resolution, OpenPeriod<SubBuckets>& period) noexcept {
        ring.close(open_.closed(resolution));
        period.clear();
    }

    OpenPeriods<SubBuckets> open_;
    sys_time minute_begin_ = never;
    PeriodRing minutes_{TimelineResolution::minute};
    PeriodRing hours_{TimelineResolution::hour};
    PeriodRing days_{TimelineResolution::day};
};

} // namespace daybook::inline v0::detail

#endif
