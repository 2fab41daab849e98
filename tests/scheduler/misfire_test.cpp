// SPDX-License-Identifier: MIT
#include "scheduler_bench.hpp"
#include "support/catch.hpp"

#include <optional>
#include <set>
#include <utility>

using namespace bench;
using daybook::at;
using daybook::cron;
using daybook::every;
using daybook::Misfire;
using daybook::Trigger;

namespace {

std::vector<std::pair<std::optional<daybook::sys_time>, Trigger>> runs(Bench& bench, std::string_view job) {
    std::vector<std::pair<std::optional<daybook::sys_time>, Trigger>> found;
    for (const auto& record : bench.history(job)) {
        if (record.status != JobStatus::skipped) { found.emplace_back(record.scheduled_at, record.trigger); }
    }
    return found;
}

daybook::JobOptions each_minute(Misfire misfire) {
    return {.id = "job", .schedule = cron("0 * * * * *"), .misfire = misfire};
}

} // namespace

TEST_CASE("run_once: of the late occurrences the newest runs, the others are one skip record") {
    Bench bench;
    bench.scheduler.add(each_minute(Misfire::run_once), [] {});
    bench.scheduler.start();
    bench.pass(330s, 330s);
    CHECK(bench.story("job") == "skipped:misfire*4 success");
    CHECK(runs(bench, "job") == decltype(runs(bench, "job")){{monday + 300s, Trigger::catch_up}});
    CHECK(bench.history("job")[0].scheduled_at == monday + 60s);
    CHECK(bench.scheduler.job("job")->next_run == monday + 360s);
}

TEST_CASE("run_once: an occurrence that is on time makes the late ones superfluous") {
    Bench bench;
    bench.scheduler.add(each_minute(Misfire::run_once), [] {});
    bench.scheduler.start();
    bench.pass(300s, 300s);
    CHECK(bench.story("job") == "skipped:misfire*4 success");
    CHECK(runs(bench, "job") == decltype(runs(bench, "job")){{monday + 300s, Trigger::schedule}});
}

TEST_CASE("run_once: what is older than the grace is skipped too") {
    Bench bench;
    bench.scheduler.add({.id = "just", .schedule = at(monday + 10s), .misfire_grace = 20s}, [] {});
    bench.scheduler.add({.id = "over", .schedule = at(monday + 10s), .misfire_grace = 19s}, [] {});
    bench.scheduler.start();
    bench.pass(30s, 30s);
    CHECK(bench.story("just") == "success");
    CHECK(bench.story("over") == "skipped:misfire");
    CHECK(bench.scheduler.job("over")->state == daybook::JobState::completed);
}

TEST_CASE("skip: late occurrences are skipped, and the job waits for its regular time") {
    Bench bench;
    bench.scheduler.add(each_minute(Misfire::skip), [] {});
    bench.scheduler.start();
    bench.pass(330s, 330s);
    CHECK(bench.story("job") == "skipped:misfire*5");
    bench.pass(30s, 30s);
    CHECK(bench.story("job") == "skipped:misfire*5 success");
}

TEST_CASE("run_all: late occurrences run one after another, the oldest first") {
    Bench bench;
    bench.scheduler.add(each_minute(Misfire::run_all), [] {});
    bench.scheduler.start();
    bench.clock.advance(200s);
    CHECK(bench.scheduler.poll() == 3);
    CHECK(runs(bench, "job") == decltype(runs(bench, "job")){{monday + 60s, Trigger::catch_up},
                                                             {monday + 120s, Trigger::catch_up},
                                                             {monday + 180s, Trigger::catch_up}});
    CHECK(bench.story("job") == "success success success");
}

TEST_CASE("run_all: what exceeds the cap is one skip record with its count") {
    Bench bench;
    auto options = each_minute(Misfire::run_all);
    options.max_catch_up = 2;
    bench.scheduler.add(options, [] {});
    bench.scheduler.start();
    bench.pass(330s, 330s);
    CHECK(bench.story("job") == "skipped:misfire*3 success success");
    CHECK(bench.history("job")[0].scheduled_at == monday + 180s);
    CHECK(runs(bench, "job") ==
          decltype(runs(bench, "job")){{monday + 60s, Trigger::catch_up}, {monday + 120s, Trigger::catch_up}});
}

TEST_CASE("intervals know misfires too") {
    Bench bench;
    bench.scheduler.add({.id = "once", .schedule = every(1min), .misfire = Misfire::run_once}, [] {});
    bench.scheduler.add({.id = "skip", .schedule = every(1min), .misfire = Misfire::skip}, [] {});
    bench.scheduler.add({.id = "all", .schedule = every(1min), .misfire = Misfire::run_all}, [] {});
    bench.scheduler.start();
    bench.pass(210s, 210s);
    CHECK(bench.story("once") == "skipped:misfire*2 success");
    CHECK(bench.story("skip") == "skipped:misfire*3");
    CHECK(bench.story("all") == "success success success");
    CHECK(bench.scheduler.job("once")->next_run == monday + 240s);
}

TEST_CASE("what starts within the tolerance is not late") {
    Bench bench;
    bench.scheduler.add({.id = "job", .schedule = cron("0 * * * * *"), .misfire = Misfire::skip}, [] {});
    bench.scheduler.start();
    bench.pass(61s, 61s);
    CHECK(bench.story("job") == "success");
    bench.pass(60s + 1us, 60s + 1us);
    CHECK(bench.story("job") == "success skipped:misfire");
}

TEST_CASE("a wall clock that is set forward is a misfire") {
    Bench bench;
    bench.scheduler.add(each_minute(Misfire::run_once), [] {});
    bench.scheduler.start();
    bench.clock.step(330s);
    bench.scheduler.poll();
    CHECK(bench.story("job") == "skipped:misfire*4 success");
}

TEST_CASE("a wall clock that is set back runs nothing twice") {
    Bench bench;
    bench.scheduler.add(each_minute(Misfire::run_once), [] {});
    bench.scheduler.start();
    bench.pass(10min);
    bench.clock.step(-5min);
    bench.pass(10min);
    std::set<daybook::sys_time> nominal;
    for (const auto& record : bench.history("job")) {
        CHECK(record.status == JobStatus::success);
        CHECK(nominal.insert(record.scheduled_at.value()).second);
    }
    CHECK(nominal.size() == 15);
}

TEST_CASE("a wall clock that is set back by more than three hours begins a new timeline") {
    Bench bench;
    bench.scheduler.add(each_minute(Misfire::run_once), [] {});
    bench.scheduler.add("once", at(monday + 1min), [] {});
    bench.scheduler.add("later", at(monday + 1h), [] {});
    bench.scheduler.start();
    bench.pass(2min);
    bench.clock.step(-4h);
    bench.scheduler.poll();
    CHECK(bench.scheduler.job("job")->next_run == monday + 2min - 4h + 1min);
    CHECK(bench.scheduler.job("later")->next_run == monday + 1h);
    bench.pass(2min);
    CHECK(bench.story("job") == "success success success success");
    CHECK(bench.story("once") == "success");
}

TEST_CASE("small steps back add up to a new timeline") {
    Bench bench;
    bench.scheduler.add(each_minute(Misfire::run_once), [] {});
    bench.scheduler.start();
    for (int i = 0; i < 3; ++i) {
        bench.clock.step(-1h);
        bench.scheduler.poll();
    }
    CHECK(bench.scheduler.job("job")->next_run == monday + 1min);
    bench.clock.step(-1s);
    bench.scheduler.poll();
    CHECK(bench.scheduler.job("job")->next_run == monday - 3h);
}

TEST_CASE("intervals are untouched by steps of the wall clock") {
    Bench bench;
    bench.scheduler.add("job", every(1min), [] {});
    bench.scheduler.start();
    bench.clock.step(std::chrono::hours{24 * 365});
    CHECK(bench.scheduler.poll() == 0);
    bench.clock.step(-std::chrono::hours{24 * 700});
    bench.pass(60s);
    CHECK(bench.story("job") == "success");
}

TEST_CASE("a wall clock that is set forward by decades is settled at once, with a count that is a minimum") {
    Bench bench;
    for (const auto misfire : {Misfire::run_once, Misfire::skip, Misfire::run_all}) {
        bench.scheduler.add({.id = std::string{to_string(misfire)},
                             .schedule = cron("* * * * * *"),
                             .misfire = misfire,
                             .max_catch_up = 3},
                            [] {});
    }
    bench.scheduler.start();
    bench.clock.step(std::chrono::hours{24 * 365 * 60} + 500ms);
    bench.clock.step(std::chrono::hours{24}); // nothing is on time
    bench.scheduler.poll();
    const auto now = bench.clock.now();
    CHECK(bench.story("run_all").find(" success success success") != std::string::npos);
    for (const auto* job : {"run_once", "skip", "run_all"}) {
        const auto skip = bench.history(job).at(0);
        CHECK(skip.reason == SkipReason::misfire);
        CHECK(skip.skip_count_is_minimum);
        CHECK(skip.skip_count >= 9'990);
        CHECK(bench.scheduler.job(job)->next_run == std::chrono::floor<std::chrono::seconds>(now) + 1s);
    }
}

TEST_CASE("a schedule that ended long before a step of decades still runs its newest occurrence within the grace") {
    Bench bench;
    bench.scheduler.add({.id = "job", .schedule = cron("* * * * * ? 2024"), .misfire_grace = std::chrono::years{100}},
                        [] {});
    bench.scheduler.start();
    bench.clock.step(std::chrono::years{60});
    bench.scheduler.poll();
    const daybook::sys_time last{std::chrono::sys_days{std::chrono::January / 1 / 2025} - 1s};
    CHECK(runs(bench, "job") == decltype(runs(bench, "job")){{last, Trigger::catch_up}});
    CHECK(bench.scheduler.job("job")->state == daybook::JobState::completed);
}

TEST_CASE("an instant in the past is due at once, under the misfire policy") {
    Bench bench;
    bench.scheduler.add("recent", at(monday - 1h), [] {});
    bench.scheduler.add("old", at(monday - 25h), [] {});
    bench.scheduler.add("ancient", at(daybook::sys_time::min()), [] {});
    bench.scheduler.add("historic", at(std::chrono::sys_days{std::chrono::January / 1 / 1600}), [] {});
    bench.scheduler.add({.id = "skip", .schedule = at(monday - 1h), .misfire = Misfire::skip}, [] {});
    bench.scheduler.add({.id = "all", .schedule = at(monday - 100h), .misfire = Misfire::run_all}, [] {});
    bench.scheduler.add("steady", at(bench.clock.steady_now() - 1min), [] {});
    bench.scheduler.add("never", at(daybook::sys_time::max()), [] {});
    bench.scheduler.start();
    bench.scheduler.poll();
    CHECK(bench.story("recent") == "success");
    CHECK(bench.story("old") == "skipped:misfire");
    CHECK(bench.story("ancient") == "skipped:misfire");
    CHECK(bench.story("historic") == "skipped:misfire");
    CHECK(bench.story("skip") == "skipped:misfire");
    CHECK(bench.story("all") == "success");
    CHECK(bench.story("steady") == "success");
    CHECK(bench.scheduler.job("never")->next_run == daybook::sys_time::max());
    CHECK(bench.scheduler.poll() == 0);
}

TEST_CASE("occurrences that were late while the job was paused are skipped as paused") {
    Bench bench;
    bench.scheduler.add(each_minute(Misfire::run_all), [] {});
    bench.scheduler.start();
    bench.scheduler.pause("job");
    bench.pass(330s, 330s);
    CHECK(bench.story("job") == "skipped:paused*5");
}

TEST_CASE("a catch-up goes on while the job overlaps itself") {
    Bench bench;
    bench.scheduler.add(
        {.id = "job", .schedule = cron("0 * * * * *"), .overlap = daybook::Overlap::skip, .misfire = Misfire::run_all},
        [] {});
    bench.scheduler.start();
    bench.clock.advance(180s);
    CHECK(bench.scheduler.poll() == 2);
    CHECK(bench.story("job") == "success success skipped:overlap");
}
