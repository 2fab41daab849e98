// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_RATE_METER_HPP
#define DAYBOOK_DETAIL_RATE_METER_HPP

/// @file
/// How many lately, on the steady clock.

#include <daybook/stats/stats_snapshot.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace daybook::inline v0::detail {

/// An hour in steps of 5 s. It counts nothing itself: it is told how many there have been so far whenever a step is
/// over, and keeps the differences.
class RateMeter {
public:
    struct Count {
        std::uint64_t executions = 0;
        std::uint64_t errors = 0;
    };

    /// Whether `at` is within the step under way.
    [[nodiscard]] bool is_within_step(steady_time at) const noexcept {
        // Unsigned: what is before the step is beyond its end as well.
        return static_cast<std::uint64_t>(at.time_since_epoch().count()) - begin_ < nanoseconds_of_step;
    }

    /// Makes the step of `at` the one under way; no step back, so that what is a little late counts here.
    /// @param so_far  What there has been before `at`.
    void turn_to(steady_time at, const Count& so_far) noexcept {
        const std::int64_t step = step_of(at);
        if (step_ != none) {
            if (step <= step_) { return; }
            places_[place_of(step_)] = since(so_far);
            const std::int64_t idle = std::min(step - step_ - 1, static_cast<std::int64_t>(places_.size()));
            for (std::int64_t i = 1; i <= idle; ++i) { places_[place_of(step_ + i)] = {}; }
        }
        step_ = step;
        begin_ = static_cast<std::uint64_t>(step) * nanoseconds_of_step;
        base_ = so_far;
    }

    /// What another one has kept beside this one. @pre This one was turned to the present.
    /// @param so_far  What there has been of theirs.
    void add(const RateMeter& other, const Count& so_far) noexcept {
        if (other.step_ == none) { return; }
        const auto length = static_cast<std::int64_t>(places_.size());
        for (std::int64_t step = std::max(step_, other.step_) - length + 1; step < std::min(step_, other.step_);
             ++step) {
            add(places_[place_of(step)], other.places_[place_of(step)]);
        }
        if (other.step_ >= step_) { // what they count now, this one counts now
            add(base_, other.base_);
        } else {
            if (other.step_ > step_ - length) { add(places_[place_of(other.step_)], other.since(so_far)); }
            add(base_, so_far);
        }
    }

    /// @param so_far  What there has been up to now.
    [[nodiscard]] Rates rates(steady_time now, const Count& so_far) const noexcept {
        const std::int64_t last = step_ == none ? step_of(now) : std::max(step_of(now), step_);
        return {.last_minute = window(last, 1, so_far),
                .last_5_minutes = window(last, 5, so_far),
                .last_15_minutes = window(last, 15, so_far),
                .last_hour = window(last, 60, so_far)};
    }

    void clear() noexcept { *this = RateMeter{}; }

private:
    static constexpr std::uint64_t nanoseconds_of_step = 5'000'000'000;
    static constexpr std::int64_t steps_of_minute = 12;
    static constexpr std::int64_t none = std::numeric_limits<std::int64_t>::min();

    struct Place {
        std::uint32_t executions = 0; ///< in 5 s: no log is as fast as would be needed to overflow it
        std::uint32_t errors = 0;
    };

    template <class Figures>
    static void add(Figures& sum, const Figures& more) noexcept {
        sum.executions += more.executions;
        sum.errors += more.errors;
    }

    [[nodiscard]] static std::int64_t step_of(steady_time at) noexcept {
        using Steps = std::chrono::duration<std::int64_t, std::ratio<5>>;
        return std::chrono::floor<Steps>(at.time_since_epoch()).count();
    }
    [[nodiscard]] static std::size_t place_of(std::int64_t step) noexcept {
        constexpr std::int64_t length = 60 * steps_of_minute;
        return static_cast<std::size_t>((step % length + length) % length);
    }
    [[nodiscard]] Place since(const Count& so_far) const noexcept {
        return {.executions = static_cast<std::uint32_t>(so_far.executions - base_.executions),
                .errors = static_cast<std::uint32_t>(so_far.errors - base_.errors)};
    }

    [[nodiscard]] RateStats window(std::int64_t last, std::int64_t minutes, const Count& so_far) const noexcept {
        RateStats rate;
        if (step_ == none) { return rate; }
        const std::int64_t first = last - minutes * steps_of_minute + 1;
        const auto add = [&](const Place& place) {
            rate.executions += place.executions;
            rate.errors += place.errors;
        };
        if (step_ >= first) { add(since(so_far)); }
        const std::int64_t oldest = std::max(first, step_ - static_cast<std::int64_t>(places_.size()) + 1);
        for (std::int64_t step = oldest; step < step_; ++step) { add(places_[place_of(step)]); }
        rate.per_minute = static_cast<double>(rate.executions) / static_cast<double>(minutes);
        return rate;
    }

    std::array<Place, 60 * steps_of_minute> places_{};
    std::int64_t step_ = none;
    std::uint64_t begin_ = std::uint64_t{1} << 63; // the earliest instant there is: nobody records then
    Count base_;
};

} // namespace daybook::inline v0::detail

#endif
