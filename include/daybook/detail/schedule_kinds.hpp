// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_SCHEDULE_KINDS_HPP
#define DAYBOOK_DETAIL_SCHEDULE_KINDS_HPP

/// @file
/// A schedule of the program's own behind an interface, and the arithmetic of an interval that counts from an instant.

#include <daybook/detail/saturate.hpp>
#include <daybook/schedule/every.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

namespace daybook::inline v0::detail {

/// As far as a search goes that has nothing else to end it.
inline constexpr std::chrono::microseconds search_horizon = std::chrono::years{100};

/// Called for each occurrence that a calendar excludes, with the number of those before it.
inline void refuse_endless_exceptions(std::uint32_t refused) {
    constexpr std::uint32_t most = 1'000'000;
    if (refused >= most) { throw std::runtime_error{"except: a million occurrences in a row are excluded"}; }
}

/// What `times` bounds cannot be told, as it would take too long.
struct TimesTooMany : std::invalid_argument {
    static constexpr std::uint64_t most = 1'000'000; ///< occurrences that are counted for one question
    TimesTooMany()
        : std::invalid_argument{"times: there are more than a million occurrences to count: give a later from, or "
                                "leave times out"} {}
};

struct ScheduleCount;

struct OwnInterface {
    OwnInterface() = default;
    OwnInterface(const OwnInterface&) = delete;
    OwnInterface& operator=(const OwnInterface&) = delete;
    virtual ~OwnInterface() = default;
    [[nodiscard]] virtual std::optional<sys_time> next(sys_time after) const = 0;
    [[nodiscard]] virtual std::optional<sys_time> previous(sys_time before) const = 0;
};

/// The last instant before `limit` that `next` finds, by halving: the distance may be decades of seconds.
/// @param known  One that it finds before `limit`.
template <class Next>
[[nodiscard]] sys_time latest_by_next(sys_time known, sys_time limit, const Next& next) {
    sys_time low = known; // what is next after it is before the limit, or it is the newest one itself
    sys_time high = limit;
    while (high - low > std::chrono::microseconds{1}) {
        const sys_time middle = low + (high - low) / 2;
        const std::optional<sys_time> found = next(middle);
        if (found && *found < limit) {
            low = *found;
        } else {
            high = middle;
        }
    }
    const std::optional<sys_time> found = next(low);
    return found && *found < limit ? *found : low;
}

/// The last instant before `before` that `next` finds, for what can only be asked forwards: first in growing distances
/// back, then by halving. O(log distance) questions.
template <class Next>
[[nodiscard]] std::optional<sys_time> previous_by_next(sys_time before, const Next& next) {
    using std::chrono::microseconds;
    std::optional<sys_time> low;
    for (microseconds back{2}; !low; back *= 2) {
        const sys_time from = saturating_subtract(before, std::min(back, search_horizon));
        if (const std::optional<sys_time> found = next(from); found && *found < before) { low = found; }
        if (back >= search_horizon) { break; }
    }
    if (!low) { return std::nullopt; }
    return latest_by_next(*low, before, next);
}

template <class Type>
struct OwnModel final : OwnInterface {
    explicit OwnModel(Type from) : own{std::move(from)} {}
    [[nodiscard]] std::optional<sys_time> next(sys_time after) const override {
        const std::optional<sys_time> found = own.next(after);
        if (found && *found <= after) {
            throw std::logic_error{"next() returned an instant that is not later than the one it was given"};
        }
        return found;
    }
    [[nodiscard]] std::optional<sys_time> previous(sys_time before) const override {
        if constexpr (requires {
                          { own.previous(before) } -> std::convertible_to<std::optional<sys_time>>;
                      }) {
            const std::optional<sys_time> found = own.previous(before);
            if (found && *found >= before) {
                throw std::logic_error{"previous() returned an instant that is not earlier than the one it was given"};
            }
            return found;
        } else {
            return previous_by_next(before, [this](sys_time after) { return next(after); });
        }
    }
    Type own;
};

using OwnSchedule = std::shared_ptr<const OwnInterface>;

/// The instants `from + k * period`, `k` from 0 on, rounded up to microseconds.
class AnchoredInterval {
public:
    constexpr AnchoredInterval(sys_time from, std::chrono::nanoseconds period) noexcept
        : from_{from}, period_{static_cast<std::uint64_t>(period.count())} {}

    [[nodiscard]] constexpr std::optional<sys_time> next(sys_time after) const noexcept {
        if (after < from_) { return from_; }
        const std::uint64_t index = count_until(after);
        return index == 0 ? std::nullopt : nth(index); // 0: there are more than can be counted
    }
    [[nodiscard]] constexpr std::optional<sys_time> previous(sys_time before) const noexcept {
        if (before <= from_) { return std::nullopt; }
        return nth(count_until(before - std::chrono::microseconds{1}) - 1);
    }

    /// How many there are up to `instant`, itself included.
    [[nodiscard]] constexpr std::uint64_t count_until(sys_time instant) const noexcept {
        if (instant < from_) { return 0; }
        // floor(1000 * elapsed / period), bit by bit, as the product may exceed 64 bits.
        const std::uint64_t elapsed = micros_since_from(instant);
        std::uint64_t count = 0;
        std::uint64_t rest = 0;
        for (unsigned bit = 10; bit-- != 0;) {
            count = 2 * count + (2 * rest >= period_ ? 1 : 0);
            rest = 2 * rest % period_;
            if ((1000U >> bit & 1U) != 0) {
                count += elapsed / period_ + (rest + elapsed % period_ >= period_ ? 1 : 0);
                rest = (rest + elapsed % period_) % period_;
            }
        }
        return count + 1;
    }

    /// The one with `index` before it; nothing beyond the range of sys_time.
    [[nodiscard]] constexpr std::optional<sys_time> nth(std::uint64_t index) const noexcept {
        const std::uint64_t thousands = index / 1000;
        // ceil(rest * period / 1000) in two parts, as the product may exceed 64 bits.
        const std::uint64_t rest = index % 1000;
        const std::uint64_t left = rest * (period_ / 1000) + (rest * (period_ % 1000) + 999) / 1000;
        const std::uint64_t room = micros_since_from(sys_time::max());
        if (thousands != 0 && period_ > room / thousands) { return std::nullopt; }
        const std::uint64_t distance = thousands * period_;
        if (left > room - distance) { return std::nullopt; }
        return sys_time{std::chrono::microseconds{
            static_cast<std::int64_t>(static_cast<std::uint64_t>(from_.time_since_epoch().count()) + distance + left)}};
    }

private:
    /// Unsigned, because the distance between two instants may be twice the largest signed number.
    [[nodiscard]] constexpr std::uint64_t micros_since_from(sys_time instant) const noexcept {
        return static_cast<std::uint64_t>(instant.time_since_epoch().count()) -
               static_cast<std::uint64_t>(from_.time_since_epoch().count());
    }

    sys_time from_;
    std::uint64_t period_; // nanoseconds, at least 1000
};

} // namespace daybook::inline v0::detail

#endif
