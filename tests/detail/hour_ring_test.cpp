// SPDX-License-Identifier: MIT
#include <daybook/detail/hour_ring.hpp>
#include <daybook/detail/model_counts.hpp>

#include "support/catch.hpp"

#include <cstdint>
#include <map>
#include <random>

using daybook::detail::HourRing;
using daybook::detail::ModelHour;
using daybook::detail::PeriodKey;

TEST_CASE("a ring of hours keeps what a map of places keeps") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        INFO("seed " << seed);
        std::mt19937_64 random{seed};
        HourRing<ModelHour> ring;
        std::map<PeriodKey, ModelHour> places;
        PeriodKey hour = -300;
        for (int step = 0; step < 2000; ++step) {
            hour += static_cast<PeriodKey>(random() % 3);
            if (random() % 50 == 0) { hour -= static_cast<PeriodKey>(random() % 400); }
            const ModelHour closed{.key = hour, .count = random() % 3};
            ModelHour& place = places[(hour % 168 + 168) % 168];
            if (place.key != hour) { place = {.key = hour}; }
            place.add(closed);
            ring.close(closed);
        }
        std::map<PeriodKey, std::uint64_t> expected;
        for (const auto& entry : places) {
            if (entry.second.is_used()) { expected[entry.second.key] = entry.second.count; }
        }
        std::map<PeriodKey, std::uint64_t> found;
        ring.for_each(INT64_MIN, INT64_MAX, [&](const ModelHour& each) { found[each.key] = each.count; });
        REQUIRE(found == expected);
        REQUIRE(ring.memory_bytes() <= HourRing<ModelHour>::memory_limit());
    }
}

TEST_CASE("hours in which nothing was counted take no room") {
    HourRing<ModelHour> ring;
    for (PeriodKey hour = 0; hour < 1000; ++hour) { ring.close({.key = hour}); }
    CHECK(ring.memory_bytes() == 0);
}
