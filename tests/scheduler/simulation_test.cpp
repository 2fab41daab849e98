// SPDX-License-Identifier: MIT

/// @file
/// Random lives of random jobs in virtual time, each held against a plain model and a recount. DAYBOOK_LONG_TESTS=1
/// makes them longer, and goes on until ten million occurrences have been executed, some twenty minutes.
/// DAYBOOK_SIMULATION_SEED replays one life, of the length that DAYBOOK_LONG_TESTS says.

#include "simulation.hpp"
#include "support/catch.hpp"

#include <chrono>
#include <cstdlib>
#include <string>

namespace {

/// What went wrong, and how it came to that.
std::string replay(std::uint64_t seed, int events) {
    simulation::World world{seed, true};
    std::string text = world.run(events);
    const auto& trace = world.trace();
    for (const std::string& line : trace) { text += "\n  " + line; }
    return text;
}

std::string variable(const char* name) {
    const char* const value = std::getenv(name); // NOLINT(concurrency-mt-unsafe): nobody sets it
    return value == nullptr ? "" : value;
}

} // namespace

TEST_CASE("in any life of any jobs every occurrence is executed or skipped, once, by the rules") {
    using Clock = std::chrono::steady_clock;
    const bool is_long = variable("DAYBOOK_LONG_TESTS") == "1";
    const int events = is_long ? 6000 : 400;
    if (const std::string seed = variable("DAYBOOK_SIMULATION_SEED"); !seed.empty()) {
        simulation::World world{std::stoull(seed)};
        const std::string wrong = world.run(events);
        INFO("seed " << seed << '\n' << replay(std::stoull(seed), events));
        CHECK(wrong.empty());
        return;
    }
    const auto first = static_cast<std::uint64_t>(Clock::now().time_since_epoch().count());
    const auto begin = Clock::now();
    std::uint64_t executed = 0, skipped = 0, walked = 0, seeds = 0;
    const auto is_enough = [&] {
        return is_long ? executed >= 10'000'000 : Clock::now() - begin >= std::chrono::seconds{4};
    };
    while (!is_enough()) {
        const std::uint64_t seed = first + seeds++;
        simulation::World world{seed};
        const std::string wrong = world.run(events);
        if (!wrong.empty()) {
            FAIL((is_long ? "DAYBOOK_LONG_TESTS=1 " : "") << "DAYBOOK_SIMULATION_SEED=" << seed << ": " << wrong);
        }
        executed += world.occurrences().first;
        skipped += world.occurrences().second;
        walked += world.walked();
    }
    const std::chrono::duration<double> took = Clock::now() - begin;
    if (is_long) {
        WARN(seeds << " seeds, " << walked << " occurrences looked at one by one, " << executed << " executed and "
                   << skipped << " skipped in " << took.count() << " s");
    }
    CHECK(executed + skipped != 0);
}
