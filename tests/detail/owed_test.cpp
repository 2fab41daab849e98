// SPDX-License-Identifier: MIT
#include "support/catch.hpp"

#include <daybook/detail/owed.hpp>
#include <daybook/detail/owed_intervals.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <random>
#include <stdexcept>
#include <vector>

using namespace std::chrono_literals;
using daybook::cron;
using daybook::every;
using daybook::Schedule;
using daybook::steady_time;
using daybook::sys_time;
using daybook::detail::first_interval;
using daybook::detail::Moment;
using daybook::detail::owed_intervals;
using daybook::detail::owed_occurrences;
using daybook::detail::owed_single;

namespace {

const sys_time monday{std::chrono::sys_days{std::chrono::January / 1 / 2024}};

struct Scripted {
    std::function<std::optional<sys_time>(sys_time)> script;
    [[nodiscard]] std::optional<sys_time> next(sys_time after) const { return script(after); }
};

template <class Range>
std::vector<sys_time> list(const Range& range) {
    return {range.begin(), range.end()};
}

} // namespace

TEST_CASE("what is due now is on time, and what follows is next") {
    const auto owed = owed_occurrences(cron("0 * * * * *"), monday, monday, 1s, 10);
    CHECK(list(owed.on_time) == std::vector{monday});
    CHECK(owed.late_count == 0);
    CHECK_FALSE(owed.latest);
    CHECK(owed.next == monday + 1min);
}

TEST_CASE("late occurrences are counted, and listed as far as they are wanted") {
    const auto owed = owed_occurrences(cron("0 * * * * *"), monday, monday + 5min + 30s, 1s, 2);
    CHECK(owed.late_count == 6);
    CHECK(owed.late == std::vector{monday, monday + 1min});
    CHECK(owed.latest == monday + 5min);
    CHECK(owed.on_time.empty());
    CHECK(owed.next == monday + 6min);
    CHECK_FALSE(owed.is_minimum);
}

TEST_CASE("the tolerance parts the late from those on time, inclusively") {
    const auto owed = owed_occurrences(cron("* * * * * *"), monday, monday + 5s, 2s, 10);
    CHECK(owed.late == std::vector{monday, monday + 1s, monday + 2s});
    CHECK(list(owed.on_time) == std::vector{monday + 3s, monday + 4s, monday + 5s});
    CHECK(owed.next == monday + 6s);
}

TEST_CASE("counting stops at a bound, and what is newest and next is found all the same") {
    const auto now = monday + std::chrono::years{50} + 500ms;
    const auto owed = owed_occurrences(cron("* * * * * *"), monday, now, 0s, 3);
    CHECK(owed.late_count == daybook::detail::most_counted);
    CHECK(owed.is_minimum);
    CHECK(owed.late == std::vector{monday, monday + 1s, monday + 2s});
    CHECK(owed.latest == std::chrono::floor<std::chrono::seconds>(now));
    CHECK(owed.next == std::chrono::floor<std::chrono::seconds>(now) + 1s);
}

TEST_CASE("the newest one is found where the schedule ended long before") {
    const auto owed = owed_occurrences(cron("* * * * * ? 2024"), monday, monday + std::chrono::years{70}, 1s, 1);
    CHECK(owed.latest == sys_time{std::chrono::sys_days{std::chrono::January / 1 / 2025} - 1s});
    CHECK_FALSE(owed.next);
}

TEST_CASE("the newest before a limit is the one that walking finds") {
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937 random{seed};
    for (const auto* text : {"*/7 * * * * *", "0 */13 * * * *", "15 3 4 * * *", "0 0 0 29 2 *", "1-3 0 0 1 * *"}) {
        const Schedule schedule = cron(text);
        for (int i = 0; i < 20; ++i) {
            const auto known = schedule.next(monday).value();
            auto walked = known;
            const auto steps = static_cast<int>(random() % 50);
            for (int step = 0; step < steps; ++step) { walked = schedule.next(walked).value(); }
            const auto gap = schedule.next(walked).value() - walked;
            const auto limit =
                walked + std::chrono::microseconds{1 + static_cast<std::int64_t>(random()) % gap.count()};
            const auto next = [&](sys_time after) { return schedule.next(after); };
            CHECK(daybook::detail::latest_by_next(known, limit, next) == walked);
        }
    }
}

TEST_CASE("more on time than are listed are counted as late") {
    const Schedule each_microsecond = Scripted{[](sys_time after) { return after + 1us; }};
    const auto owed = owed_occurrences(each_microsecond, monday, monday + 1999us, 1s, 1);
    CHECK(owed.on_time.size() == daybook::detail::most_on_time);
    CHECK(owed.on_time.back() == monday + 1999us);
    CHECK(owed.late_count == 1000);
    CHECK(owed.late == std::vector{monday});
    CHECK(owed.latest == monday + 999us);
}

TEST_CASE("a schedule that throws, or returns the past, keeps what had come until then") {
    const Schedule throwing = Scripted{[](sys_time) -> std::optional<sys_time> { throw std::runtime_error{"no"}; }};
    const auto owed = owed_occurrences(throwing, monday, monday, 1s, 1);
    CHECK(list(owed.on_time) == std::vector{monday});
    CHECK(owed.thrown);
    CHECK_FALSE(owed.next);

    const Schedule stuck = Scripted{[](sys_time after) { return after; }};
    const auto late = owed_occurrences(stuck, monday, monday + 1h, 1s, 1);
    CHECK(late.late_count == 1);
    CHECK(late.latest == monday);
    CHECK(late.thrown);
    CHECK_FALSE(late.next);
}

TEST_CASE("owed intervals are what counting one by one finds, whatever narrows them") {
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937 random{seed};
    const auto pick = [&](int below) { return static_cast<int>(random() % static_cast<unsigned>(below)); };
    for (int round = 0; round < 2000; ++round) {
        const std::chrono::milliseconds period{2 + pick(400)}; // within the tolerance: fewer than are listed
        const std::chrono::milliseconds tolerance{pick(1500)};
        const std::chrono::milliseconds elapsed{pick(3000)};
        const steady_time due{1h};
        const Moment now{monday + elapsed, due + elapsed};
        Schedule schedule = every(period);
        std::uint64_t left = std::numeric_limits<std::uint64_t>::max();
        if (pick(2) == 0) { left = static_cast<std::uint64_t>(1 + pick(20)); }
        if (pick(2) == 0) { schedule = schedule.until(monday + std::chrono::milliseconds{pick(4000)}); }
        if (pick(2) == 0) { schedule = schedule.jitter(std::chrono::milliseconds{pick(1000)}, random()); }
        if (pick(2) == 0) {
            schedule = schedule.except([](sys_time at) { return at.time_since_epoch() / 1ms % 1000 < 300; });
        }
        std::vector<sys_time> late;
        std::vector<sys_time> on_time;
        std::optional<steady_time> next;
        steady_time earliest = steady_time::min();
        for (steady_time at = due; late.size() + on_time.size() < left; at += period) {
            const sys_time wall = monday + std::chrono::floor<std::chrono::microseconds>(at - due);
            if (schedule.limits().until && wall > *schedule.limits().until) { break; }
            if (schedule.limits().excludes(wall)) { continue; }
            earliest = std::max(earliest, daybook::detail::steady_due(schedule, at));
            if (earliest > now.steady) {
                next = at;
                break;
            }
            (now.steady - earliest > tolerance ? late : on_time).push_back(wall);
        }
        const auto owed = owed_intervals(schedule, due, now, tolerance, 10'000, left);
        INFO("round " << round);
        CHECK(owed.late == late);
        CHECK(owed.late_count == late.size());
        CHECK(list(owed.on_time) == on_time);
        CHECK(owed.next_steady == next);
        CHECK(owed.latest == (late.empty() ? std::nullopt : std::optional{late.back()}));
    }
}

TEST_CASE("an interval on a grid is on it though the clocks are read one after the other") {
    const Schedule anchored = every(10ms).from(monday);
    const steady_time begin{1h};
    for (const std::chrono::microseconds skew : {-2us, 0us, 1us, 900us}) {
        const Moment now{monday + 1s + skew, begin + 1s};
        CHECK(daybook::detail::IntervalView{anchored, now}.nominal(begin + 50ms) == monday + 50ms);
    }
    const Moment stepped{monday + 1s + 4ms, begin + 1s}; // no skew any more: the clock was set
    CHECK(daybook::detail::IntervalView{anchored, stepped}.nominal(begin + 50ms) == monday + 54ms);
}

TEST_CASE("a calendar that throws keeps what had come until then") {
    const Schedule schedule = every(1h).except([](sys_time at) -> bool {
        if (at > monday + 1h) { throw std::runtime_error{"no"}; }
        return false;
    });
    const steady_time due{1h};
    const auto owed = owed_intervals(schedule, due, {monday, due}, 1s, 1);
    CHECK(list(owed.on_time) == std::vector{monday});
    CHECK_FALSE(owed.thrown);
    const auto later = owed_intervals(schedule, due + 1h, {monday + 1h, due + 1h}, 1s, 1);
    CHECK(list(later.on_time) == std::vector{monday + 1h});
    CHECK(later.thrown);
}

TEST_CASE("of more missed intervals than can be looked at, the oldest are counted") {
    const steady_time due{1h};
    const auto until = owed_intervals(every(1ms).until(monday + 10s).jitter(1us), due, {monday + 1h, due + 1h}, 1s, 3);
    CHECK(until.late_count == 10'001);
    CHECK_FALSE(until.next_steady);
    const auto bounded = owed_intervals(every(1ms).jitter(1us), due, {monday + 2h, due + 2h}, 1s, 3, 5);
    CHECK(bounded.late_count == 5);
    CHECK(bounded.late.front() == monday);
    const auto monday_only =
        owed_intervals(every(100ms).except(daybook::Calendar{}.add(std::chrono::Tuesday).add(std::chrono::Wednesday)),
                       due, {monday + 71h, due + 71h}, 1s, 3);
    CHECK(monday_only.late_count == 864'000);
    const auto beyond = owed_intervals(every(1ms).jitter(1us), due, {monday + 24h, due + 24h}, 1s, 3);
    CHECK(beyond.is_minimum);
    CHECK(beyond.late_count + beyond.on_time.size() > daybook::detail::most_walked);
    CHECK(beyond.next_steady == due + 24h + 1ms);
}

TEST_CASE("instants at the ends of the clocks are waited for, or past") {
    const steady_time now{1h};
    CHECK(first_interval(every(std::chrono::nanoseconds::max()).from(monday - 1h), {monday, now}).next_steady ==
          steady_time::max());
    CHECK(owed_single(daybook::at(steady_time::min()), steady_time::min(), {monday, now}, 1s).late_count == 1);
    const auto far = owed_intervals(every(1us).until(sys_time::max()), now, {monday + 1s, now + 1s}, 0s, 1);
    CHECK(far.late_count + far.on_time.size() == 1'000'001);
}

TEST_CASE("owed occurrences are what counting one by one finds, whatever narrows them") {
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937 random{seed};
    const auto pick = [&](int below) { return static_cast<int>(random() % static_cast<unsigned>(below)); };
    for (int round = 0; round < 1000; ++round) {
        Schedule schedule = cron("*/7,13 * * * * *");
        const sys_time now = monday + std::chrono::milliseconds{pick(300'000)};
        const std::chrono::milliseconds tolerance{pick(50'000)};
        std::uint64_t left = std::numeric_limits<std::uint64_t>::max();
        if (pick(2) == 0) { left = static_cast<std::uint64_t>(1 + pick(20)); }
        if (pick(2) == 0) { schedule = schedule.until(monday + std::chrono::seconds{pick(400)}); }
        if (pick(2) == 0) { schedule = schedule.jitter(std::chrono::seconds{pick(100)}, random()); }
        if (pick(2) == 0) { schedule = schedule.except(cron("* 1,3 * * * *")); }
        const auto first = schedule.next(monday);
        if (!first || schedule.due(*first) > now) { continue; }
        std::vector<sys_time> late;
        std::vector<sys_time> on_time;
        std::optional<sys_time> at = first;
        sys_time earliest = sys_time::min();
        for (; at && late.size() + on_time.size() < left; at = schedule.next(*at)) {
            earliest = std::max(earliest, schedule.due(*at));
            if (earliest > now) { break; }
            (earliest < now - tolerance ? late : on_time).push_back(*at);
        }
        if (late.size() + on_time.size() == left) { at.reset(); }
        const auto owed = owed_occurrences(schedule, *first, now, tolerance, 10'000, left);
        INFO("round " << round);
        CHECK(owed.late == late);
        CHECK(list(owed.on_time) == on_time);
        CHECK(owed.next == at);
        CHECK(owed.latest == (late.empty() ? std::nullopt : std::optional{late.back()}));
    }
}

TEST_CASE("intervals that were missed by the billion are counted by arithmetic") {
    const steady_time due{1h};
    const auto owed = owed_intervals(every(1us), due, {monday, due + std::chrono::years{30}}, 1s,
                                     std::numeric_limits<std::size_t>::max());
    CHECK(owed.late_count + owed.on_time.size() ==
          static_cast<std::uint64_t>(std::chrono::microseconds{std::chrono::years{30}}.count()) + 1);
    CHECK(owed.on_time.size() == daybook::detail::most_on_time);
    CHECK(owed.late.size() == daybook::detail::most_counted);
    CHECK(owed.on_time.back() == monday);
}
