// SPDX-License-Identifier: MIT

/// @file
/// Zones out of the standard library against those out of TZif files. Both come from one database where a system has
/// both; where the standard library has no zones (libstdc++ before 14, libc++), all there is to see is that it says so.

#include <daybook/detail/chrono_zone.hpp>
#include <daybook/time/time_zone.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using daybook::TimeZone;
using daybook::detail::read_chrono_zone;
using daybook::detail::ZoneData;
using daybook::detail::ZoneSpan;
using std::chrono::seconds;
using std::chrono::sys_seconds;

#if defined(__cpp_lib_chrono) && __cpp_lib_chrono >= 201907L

constexpr std::int64_t year = 31'556'952;

struct Pair {
    std::string name;
    std::unique_ptr<ZoneData> library;
    TimeZone file;
};

/// Every zone and every link that the standard library lists and that has a file too.
const std::vector<Pair>& all_pairs() {
    static const std::vector<Pair> pairs = [] {
        std::vector<std::string> names;
        for (const auto& zone : std::chrono::get_tzdb().zones) { names.emplace_back(zone.name()); }
        for (const auto& link : std::chrono::get_tzdb().links) { names.emplace_back(link.name()); }
        std::vector<Pair> result;
        for (const std::string& name : names) {
            try {
                result.push_back({name, read_chrono_zone(name), TimeZone::find(name)});
            } catch (const std::invalid_argument&) {} // Debian keeps the files of old names in another package
        }
        return result;
    }();
    return pairs;
}

std::int32_t told_by_library(const Pair& pair, std::int64_t at) {
    const auto info = std::chrono::locate_zone(pair.name)->get_info(sys_seconds{seconds{at}});
    return static_cast<std::int32_t>(info.offset.count());
}

std::int64_t told_by_file(const Pair& pair, std::int64_t at) {
    return pair.file.offset_at(sys_seconds{seconds{at}}).offset.count();
}

std::string complaint(const Pair& pair, std::int64_t at) { return pair.name + " at " + std::to_string(at) + "\n"; }

/// Both sides of every transition in the table from `begin` to `end`.
template <class Check>
void at_transitions(const Pair& pair, std::int64_t begin, std::int64_t end, Check check) {
    for (std::int64_t at = pair.library->span_at(begin).end; at < end; at = pair.library->span_at(at).end) {
        check(at - 1);
        check(at);
    }
}

TEST_CASE("the standard library has the zones that the files have") {
    CHECK(all_pairs().size() > 300);
    for (const Pair& pair : all_pairs()) {
        INFO(pair.name);
        REQUIRE(pair.library != nullptr);
        CHECK(pair.library->name() == pair.name);
    }
}

TEST_CASE("the table of a zone says what the standard library says, around every transition until 2600") {
    std::string differences;
    std::size_t compared = 0;
    for (const Pair& pair : all_pairs()) {
        at_transitions(pair, -200 * year, 630 * year, [&](std::int64_t at) {
            ++compared;
            if (pair.library->span_at(at).offset != told_by_library(pair, at)) { differences += complaint(pair, at); }
        });
    }
    CHECK(differences == "");
    CHECK(compared > 100'000);
}

TEST_CASE("the table of a zone says what the standard library says, at random instants") {
    const std::uint64_t seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937_64 random{seed};
    std::string differences;
    for (const Pair& pair : all_pairs()) {
        for (int i = 0; i < 500; ++i) {
            const auto at = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(700 * year)) - 200 * year;
            if (pair.library->span_at(at).offset != told_by_library(pair, at)) { differences += complaint(pair, at); }
        }
    }
    CHECK(differences == "");
}

// libstdc++ 14.2 is wrong by minutes to months where a zone changed its rules, because it takes the local time of such
// a change for another one (as for Abidjan in 1912, Algiers in 1979, Grand Turk in 2018). So the files remain the
// source wherever there are any, and agreement in every second can be asked for only after the last such change.

TEST_CASE("zones of the standard library agree with the files around every transition to come") {
    std::string differences;
    for (const Pair& pair : all_pairs()) {
        at_transitions(pair, 65 * year, 630 * year, [&](std::int64_t at) {
            if (pair.library->span_at(at).offset != told_by_file(pair, at)) { differences += complaint(pair, at); }
        });
    }
    CHECK(differences == "");
}

TEST_CASE("zones of the standard library agree with the files at random instants to come, for thousands of years") {
    const std::uint64_t seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937_64 random{seed};
    std::string differences;
    for (const Pair& pair : all_pairs()) {
        for (int i = 0; i < 500; ++i) {
            const std::int64_t reach = i % 2 == 0 ? 130 * year : 30'000 * year;
            const auto at = 65 * year + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(reach));
            if (pair.library->span_at(at).offset != told_by_file(pair, at)) { differences += complaint(pair, at); }
        }
    }
    CHECK(differences == "");
}

TEST_CASE("zones of the standard library agree with the files about nearly all of the past since 1970") {
    const std::uint64_t seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937_64 random{seed};
    std::size_t compared = 0;
    std::size_t different = 0;
    for (const Pair& pair : all_pairs()) {
        for (int i = 0; i < 500; ++i) {
            const auto at = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(65 * year));
            ++compared;
            different += pair.library->span_at(at).offset != told_by_file(pair, at) ? 1U : 0U;
        }
    }
    INFO(different << " of " << compared);
    CHECK(different * 100 < compared);
}

TEST_CASE("a zone of the standard library that changes no more is one stretch to the end") {
    const auto zone = read_chrono_zone("Asia/Tokyo");
    REQUIRE(zone != nullptr);
    CHECK(zone->span_at(60 * year).offset == 9 * 3600);
    CHECK(zone->span_at(60 * year).end == ZoneSpan{}.end);
}

TEST_CASE("a zone that the standard library does not know is none") {
    CHECK(read_chrono_zone("No/Such/Zone") == nullptr);
    CHECK(read_chrono_zone("") == nullptr);
    CHECK(read_chrono_zone("europe/berlin") == nullptr);
}

TEST_CASE("the machine's zone by the standard library is one of its zones, or none") {
    const std::string name = daybook::detail::chrono_zone_name();
    INFO(name);
    CHECK((name.empty() || read_chrono_zone(name) != nullptr));
}

#else

TEST_CASE("a standard library without zones has none to offer") {
    WARN("skipped: this standard library has no zones to compare");
    CHECK(read_chrono_zone("Europe/Berlin") == nullptr);
    CHECK(daybook::detail::chrono_zone_name().empty());
}

#endif

} // namespace
