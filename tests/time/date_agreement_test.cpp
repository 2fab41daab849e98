// SPDX-License-Identifier: MIT

/// @file
/// Agreement with Howard Hinnant's date library, in every zone that it finds on this system. CMake leaves this file out
/// where the library is missing.
///
/// As Debian builds it, the library reads the same files, but not the rule in their footers: after the last transition
/// of a file its offset stays as it is. So the comparison ends with that transition, or in 2037 where there is none
/// later in Daybook's reading either. Beyond, time_zone_test.cpp compares with the C library, which knows the rule.

#include <daybook/detail/chrono_zone.hpp>
#include <daybook/detail/zone_data.hpp>
#include <daybook/time/time_zone.hpp>

#include "support/catch.hpp"

#include <date/tz.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using daybook::LocalInfo;
using daybook::LocalKind;
using daybook::TimeZone;
using std::chrono::local_seconds;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::sys_seconds;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__OPTIMIZE__)
constexpr int random_instants = 200;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr int random_instants = 200;
#else
constexpr int random_instants = 10'000;
#endif
#else
constexpr int random_instants = 10'000;
#endif

constexpr sys_seconds first_instant{sys_days{1800y / 1 / 1}};
constexpr sys_seconds last_instant{sys_days{2037y / 12 / 31}};

date::sys_seconds theirs(sys_seconds instant) { return date::sys_seconds{instant.time_since_epoch()}; }

/// One zone as both libraries see it.
struct Pair {
    const date::time_zone* reference = nullptr;
    TimeZone zone = {};
    std::vector<sys_seconds> transitions = {}; ///< those of the reference from 1800 on
    sys_seconds reach = {};                    ///< the comparison is good up to here

    [[nodiscard]] std::string at(std::int64_t second) const {
        return reference->name() + " at " + std::to_string(second) + "\n";
    }
};

const std::vector<Pair>& all_pairs() {
    static const std::vector<Pair> pairs = [] {
        std::vector<Pair> result;
        for (const date::time_zone& reference : date::get_tzdb().zones) {
            Pair pair{.reference = &reference, .zone = TimeZone::find(reference.name())};
            sys_seconds end = first_instant;
            while (true) {
                end = sys_seconds{reference.get_info(theirs(end)).end.time_since_epoch()};
                if (end >= sys_days{2500y / 1 / 1}) { break; } // for good
                pair.transitions.push_back(end);
            }
            const sys_seconds last = pair.transitions.empty() ? first_instant : pair.transitions.back();
            const bool ends_there = pair.zone.offset_at(last).end == sys_seconds::max();
            pair.reach = ends_there ? std::max(last, last_instant) : last;
            result.push_back(std::move(pair));
        }
        return result;
    }();
    return pairs;
}

bool same_offset(const Pair& pair, sys_seconds instant) {
    return pair.zone.offset_at(instant).offset == pair.reference->get_info(theirs(instant)).offset;
}

/// What the reference says of a local time, in Daybook's words.
LocalInfo reference_info(const Pair& pair, local_seconds local) {
    const date::local_info info = pair.reference->get_info(date::local_seconds{local.time_since_epoch()});
    const sys_seconds first{local.time_since_epoch() - info.first.offset};
    switch (info.result) {
    case date::local_info::nonexistent: {
        const sys_seconds end{info.first.end.time_since_epoch()};
        return {.kind = LocalKind::gap, .first = end, .second = end};
    }
    case date::local_info::ambiguous:
        return {.kind = LocalKind::twice,
                .first = first,
                .second = sys_seconds{local.time_since_epoch() - info.second.offset}};
    default: return {.kind = LocalKind::unique, .first = first, .second = first};
    }
}

bool same_local(const Pair& pair, local_seconds local) {
    return pair.zone.to_sys(local) == reference_info(pair, local);
}

/// Calls `check(pair, instant)` at random instants from 1970 to the end of the comparison.
template <class Check>
void at_random(std::uint64_t seed, Check check) {
    std::mt19937_64 random{seed};
    const std::int64_t earliest = 0;
    for (const Pair& pair : all_pairs()) {
        const std::int64_t latest = (pair.reach - 2 * 24h).time_since_epoch().count();
        if (latest <= earliest) { continue; }
        for (int i = 0; i < random_instants; ++i) {
            const auto offset = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(latest - earliest));
            check(pair, earliest + offset);
        }
    }
}

TEST_CASE("the date library and Daybook see the same zones to compare") {
    REQUIRE(all_pairs().size() > 300);
    std::size_t full = 0;
    for (const Pair& pair : all_pairs()) { full += pair.reach >= sys_days{2030y / 1 / 1} ? 1U : 0U; }
    INFO(full << " of " << all_pairs().size() << " can be compared beyond 2030");
    CHECK(full > 0);
}

TEST_CASE("offsets agree with the date library at every transition, and a second before and after it") {
    std::string differences;
    std::size_t compared = 0;
    for (const Pair& pair : all_pairs()) {
        for (const sys_seconds transition : pair.transitions) {
            for (const sys_seconds instant : {transition - 1s, transition, transition + 1s}) {
                if (!same_offset(pair, instant)) { differences += pair.at(instant.time_since_epoch().count()); }
                ++compared;
            }
        }
    }
    CHECK(differences == "");
    CHECK(compared > 10'000);
}

TEST_CASE("offsets agree with the date library at random instants") {
    const std::uint64_t seed = std::random_device{}();
    INFO("seed " << seed);
    std::string differences;
    std::size_t compared = 0;
    at_random(seed, [&](const Pair& pair, std::int64_t second) {
        if (!same_offset(pair, sys_seconds{seconds{second}})) { differences += pair.at(second); }
        ++compared;
    });
    CHECK(differences == "");
    CHECK(compared > 300U * random_instants);
}

TEST_CASE("local times around every transition mean the same instants to the date library") {
    std::string differences;
    std::size_t compared = 0;
    for (const Pair& pair : all_pairs()) {
        for (const sys_seconds transition : pair.transitions) {
            const local_seconds before = pair.zone.to_local(transition - 1s) + 1s;
            const local_seconds after = pair.zone.to_local(transition);
            const local_seconds between = before + (after - before) / 2;
            for (const local_seconds local : {before, after, between}) {
                for (const seconds around : {-1s, 0s, 1s}) {
                    if (!same_local(pair, local + around)) {
                        differences += pair.at((local + around).time_since_epoch().count());
                    }
                    ++compared;
                }
            }
        }
    }
    CHECK(differences == "");
    CHECK(compared > 10'000);
}

TEST_CASE("random local times mean the same instants to the date library") {
    const std::uint64_t seed = std::random_device{}();
    INFO("seed " << seed);
    std::string differences;
    std::size_t compared = 0;
    at_random(seed, [&](const Pair& pair, std::int64_t second) {
        if (!same_local(pair, local_seconds{seconds{second}})) { differences += pair.at(second); }
        ++compared;
    });
    CHECK(differences == "");
    CHECK(compared > 300U * random_instants);
}

// What makes a table of the zones of std::chrono takes those of the date library as well: std::chrono's come from it.

std::unique_ptr<daybook::detail::ZoneData> table_of(const date::time_zone& zone) {
    return daybook::detail::read_zone_by_infos(zone.name(),
                                               [&zone](sys_seconds at) { return zone.get_info(theirs(at)); });
}

TEST_CASE("a table made of the date library's stretches says what the library says") {
    const std::uint64_t seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937_64 random{seed};
    std::string differences;
    std::size_t compared = 0;
    for (const Pair& pair : all_pairs()) {
        const auto table = table_of(*pair.reference);
        const auto check = [&](sys_seconds instant) {
            const std::int64_t at = instant.time_since_epoch().count();
            const auto info = pair.reference->get_info(theirs(instant));
            if (table->span_at(at).offset != info.offset.count()) { differences += pair.at(at); }
            ++compared;
        };
        if (table->name() != pair.reference->name()) { differences += "the name " + table->name() + "\n"; }
        for (const sys_seconds transition : pair.transitions) {
            for (const seconds around : {-1s, 0s, 1s}) { check(transition + around); }
        }
        for (int i = 0; i < 100; ++i) { check(first_instant + seconds{random() % 22'000'000'000U}); }
    }
    CHECK(differences == "");
    CHECK(compared > 50'000);
}

TEST_CASE("the table of a zone without changes, or of one whose stretches do not move on, ends") {
    struct Info {
        sys_seconds end;
        seconds offset;
    };
    const auto fixed = daybook::detail::read_zone_by_infos("fixed", [](sys_seconds) {
        return Info{sys_seconds::max(), 1h};
    });
    CHECK(fixed->span_at(0).offset == 3600);
    CHECK(fixed->span_at(0).end == daybook::detail::ZoneSpan{}.end);
    const auto stuck = daybook::detail::read_zone_by_infos("stuck", [](sys_seconds) {
        return Info{sys_days{1900y / 1 / 1}, 2h};
    });
    CHECK(stuck->span_at(0).offset == 7200);
}

TEST_CASE("a table made of stretches repeats its last 400 years for ever") {
    // An hour more from the middle of every year to its end, as a source without a last transition would tell.
    const auto table = daybook::detail::read_zone_by_infos("endless", [](sys_seconds at) {
        struct Info {
            sys_seconds end;
            seconds offset;
        };
        const auto year = std::chrono::year_month_day{std::chrono::floor<std::chrono::days>(at)}.year();
        const sys_seconds middle{sys_days{year / 7 / 1}};
        return at < middle ? Info{middle, 0h} : Info{sys_days{(year + std::chrono::years{1}) / 1 / 1}, 1h};
    });
    for (const int year : {1801, 2026, 2101, 2499, 2600, 9999, 30'000}) {
        const auto begin = sys_seconds{sys_days{std::chrono::year{year} / 7 / 1}}.time_since_epoch().count();
        CHECK(table->span_at(begin - 1).offset == 0);
        CHECK(table->span_at(begin).offset == 3600);
        CHECK(table->span_at(begin).begin == begin);
    }
}

} // namespace
