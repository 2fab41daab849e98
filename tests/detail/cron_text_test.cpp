// SPDX-License-Identifier: MIT

/// @file
/// Texts that are hard to write back.

#include <daybook/schedule/cron.hpp>

#include "support/catch.hpp"

#include <string>

using daybook::cron;

TEST_CASE("a step in the second stays one where H stands everywhere else") {
    const auto schedule = cron("0-2/7 H H H H H");
    CHECK(to_string(schedule) == "0-0 H H H H H");
    CHECK(cron(to_string(schedule)) == schedule);
    CHECK(cron(to_string(schedule.bound_to("job"))) == schedule.bound_to("job"));
}
