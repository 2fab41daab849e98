// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_MOMENT_HPP
#define DAYBOOK_DETAIL_MOMENT_HPP

/// @file
/// One instant by both clocks.

#include <daybook/detail/saturate.hpp>
#include <daybook/types.hpp>

#include <chrono>

namespace daybook::inline v0::detail {

/// Both clocks at one moment, which puts instants of the steady clock on the wall clock.
struct Moment {
    sys_time wall;
    steady_time steady;

    [[nodiscard]] sys_time on_wall(steady_time instant) const noexcept {
        return wall - std::chrono::floor<std::chrono::microseconds>(saturating_difference(steady, instant));
    }
};

} // namespace daybook::inline v0::detail

#endif
