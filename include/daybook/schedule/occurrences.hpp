// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_SCHEDULE_OCCURRENCES_HPP
#define DAYBOOK_SCHEDULE_OCCURRENCES_HPP

/// @file
/// The occurrences of a schedule between two instants, as a range that finds one after the other.

#include <daybook/types.hpp>

#include <chrono>
#include <cstddef>
#include <iterator>
#include <optional>
#include <utility>

namespace daybook::inline v0 {

/// An input range of `sys_time`, ascending, from `begin` (included) to `end` (not included), so that ranges that follow
/// one another have no instant twice. Made by the members called `occurrences`.
///
/// ```cpp
/// for (const daybook::sys_time due : daybook::cron("0 9 * * MON").occurrences(now, now + weeks{4})) { … }
/// ```
///
/// Nothing is stored: each step asks the schedule once. A copy of the schedule lives in the range, so that it may be
/// made from a temporary.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: safe, every const member, if the schedule's `next` is.
template <class Type>
class Occurrences {
public:
    class Iterator {
    public:
        using value_type = sys_time;
        using difference_type = std::ptrdiff_t;

        constexpr Iterator() = default;

        [[nodiscard]] constexpr sys_time operator*() const { return *current_; }
        constexpr Iterator& operator++() {
            current_ = owner_->within(owner_->schedule_.next(*current_));
            return *this;
        }
        constexpr Iterator operator++(int) {
            Iterator before = *this;
            ++*this;
            return before;
        }
        friend constexpr bool operator==(const Iterator& left, const Iterator& right) {
            return left.current_ == right.current_;
        }
        friend constexpr bool operator==(const Iterator& at, std::default_sentinel_t) { return !at.current_; }

    private:
        friend class Occurrences;
        constexpr Iterator(const Occurrences& owner, std::optional<sys_time> current)
            : owner_{&owner}, current_{current} {}

        const Occurrences* owner_ = nullptr;
        std::optional<sys_time> current_ = {};
    };

    constexpr Occurrences(Type schedule, sys_time begin, sys_time end)
        : schedule_{std::move(schedule)}, begin_{begin}, end_{end} {}

    [[nodiscard]] constexpr Iterator begin() const {
        if (begin_ >= end_) { return {*this, std::nullopt}; }
        if (begin_ == sys_time::min()) { return {*this, within(schedule_.next(begin_))}; } // nothing is before it
        return {*this, within(schedule_.next(begin_ - std::chrono::microseconds{1}))};
    }
    [[nodiscard]] constexpr std::default_sentinel_t end() const noexcept { return {}; }

private:
    [[nodiscard]] constexpr std::optional<sys_time> within(std::optional<sys_time> found) const {
        return found && *found < end_ ? found : std::nullopt;
    }

    Type schedule_;
    sys_time begin_;
    sys_time end_;
};

} // namespace daybook::inline v0

#endif
