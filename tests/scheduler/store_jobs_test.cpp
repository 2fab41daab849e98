// SPDX-License-Identifier: MIT
#include "store_bench.hpp"
#include "support/catch.hpp"

#include <optional>
#include <stdexcept>
#include <string>

using namespace bench;
using daybook::cron;
using daybook::every;

namespace {

void add_handlers(Life& life, int& runs) {
    life.scheduler.handlers().add("mail", "send", [&runs](daybook::JobContext&) { ++runs; });
}

struct OwnTimes {
    [[nodiscard]] std::optional<daybook::sys_time> next(daybook::sys_time after) const { return after + 1h; }
};

} // namespace

TEST_CASE("a job that came as data is made again by the next process") {
    daybook::ManualClock clock;
    int runs = 0;
    Life before{clock};
    add_handlers(before, runs);
    before.scheduler.start();
    before.scheduler.add({.id = "job",
                          .handler_id = "mail",
                          .method_name = "send",
                          .schedule = cron("30 * * * * *").jitter(0s),
                          .retry = daybook::fixed_backoff({.max_attempts = 7}),
                          .timeout = 3s,
                          .overlap = daybook::Overlap::queue_all,
                          .priority = 5,
                          .group = "few",
                          .stale_after = 1h,
                          .parameters = "to=a"});
    Life after{clock, before.vault->copy()}; // without a flush: `add` has waited for it
    add_handlers(after, runs);
    CHECK(after.scheduler.job_count() == 0);
    after.scheduler.start();
    const auto job = after.scheduler.job("job");
    REQUIRE(job);
    CHECK(job->origin == daybook::JobOrigin::handler);
    CHECK(job->when == before.scheduler.job("job")->when);
    CHECK(job->retry.max_attempts() == 7);
    CHECK(job->timeout == 3s);
    CHECK(job->overlap == daybook::Overlap::queue_all);
    CHECK(job->misfire == daybook::Misfire::run_once);
    CHECK(job->priority == 5);
    CHECK(job->group == "few");
    CHECK(job->stale_after == 1h);
    CHECK(job->parameters == "to=a");
    after.pass(30s);
    CHECK(runs == 1);
    CHECK(after.told.empty());
}

TEST_CASE("a policy that was left empty follows the options of the process that makes the job again") {
    daybook::ManualClock clock;
    int runs = 0;
    Life before{clock};
    add_handlers(before, runs);
    before.scheduler.add({.id = "job", .handler_id = "mail", .method_name = "send", .schedule = cron("0 0 * * *")});
    Life after{clock, before.crash(), [](auto& options) { options.misfire = daybook::Misfire::run_all; }};
    add_handlers(after, runs);
    after.scheduler.start();
    CHECK(after.scheduler.job("job")->misfire == daybook::Misfire::run_all);
}

TEST_CASE("a job whose handler is missing stays in the store, and the others go on") {
    daybook::ManualClock clock;
    int runs = 0;
    Life before{clock};
    add_handlers(before, runs);
    before.scheduler.handlers().add("gone", "", [] {});
    before.scheduler.start();
    before.scheduler.add({.id = "a", .handler_id = "gone", .schedule = cron("* * * * *")});
    before.scheduler.add({.id = "b", .handler_id = "mail", .method_name = "send", .schedule = cron("* * * * *")});
    Life after{clock, before.crash()};
    add_handlers(after, runs);
    after.scheduler.start();
    CHECK(after.scheduler.job_count() == 1);
    CHECK(after.was_told("'a' cannot be made again"));
    after.pass(1min);
    CHECK(runs == 1);
    CHECK(after.vault->job("a"));
    Life later{clock, after.crash()};
    add_handlers(later, runs);
    later.scheduler.handlers().add("gone", "", [] {});
    later.scheduler.start();
    CHECK(later.scheduler.job_count() == 2);
}

TEST_CASE("a schedule that cannot be read leaves its job in the store") {
    Kept kept;
    kept.jobs["job"] = {
        .id = "job", .handler_id = "mail", .method_name = "send", .schedule = "now and then", .is_from_data = true};
    int runs = 0;
    Life life{daybook::ManualClock{}, kept};
    add_handlers(life, runs);
    life.scheduler.start();
    CHECK(life.scheduler.job_count() == 0);
    CHECK(life.was_told("'job' cannot be made again"));
    CHECK(life.crash().jobs.at("job").schedule == "now and then");
}

TEST_CASE("what a command has changed of a job lasts as soon as the command returns") {
    daybook::ManualClock clock;
    int runs = 0;
    Life life{clock};
    add_handlers(life, runs);
    life.scheduler.start();
    life.scheduler.add({.id = "job", .handler_id = "mail", .method_name = "send", .schedule = cron("* * * * *")});
    CHECK(life.vault->job("job")->is_from_data);
    life.scheduler.pause("job");
    CHECK(life.vault->job("job")->is_paused);
    life.scheduler.resume_all();
    CHECK_FALSE(life.vault->job("job")->is_paused);
    life.scheduler.update({.id = "job", .handler_id = "mail", .method_name = "send", .schedule = cron("5 * * * *")});
    CHECK(life.vault->job("job")->schedule == "5 * * * *");
    auto options = life.scheduler.job("job")->options();
    options.parameters = "new";
    options.is_paused = true;
    CHECK(life.scheduler.configure(options, life.scheduler.job("job")->revision) == daybook::JobChange::done);
    CHECK(life.vault->job("job")->parameters == "new");
    CHECK(life.vault->job("job")->is_paused);
    life.scheduler.remove("job");
    CHECK_FALSE(life.vault->job("job"));
}

TEST_CASE("a job that was added as code has a row as soon as the scheduler has started") {
    Life life{daybook::ManualClock{}};
    life.scheduler.add("job", cron("* * * * *"), [] {});
    life.scheduler.start();
    const auto row = life.vault->job("job");
    REQUIRE(row);
    CHECK_FALSE(row->is_from_data);
    CHECK(row->schedule == "* * * * *");
    CHECK(row->accounted_to == monday);
    life.pass(90s);
    CHECK(life.crash().jobs.at("job").accounted_to == monday + 1min);
    life.scheduler.remove("job");
    CHECK_FALSE(life.vault->job("job"));
}

TEST_CASE("a change while the store is away is told, and written when it is back") {
    daybook::ManualClock clock;
    int runs = 0;
    Life life{clock, {}, [](auto& options) {
                  options.log.storing.first_retry = options.log.storing.longest_retry = 1ms;
                  options.log.storing.timeout = 100ms;
              }};
    add_handlers(life, runs);
    life.scheduler.start();
    life.vault->go_away(true);
    life.scheduler.add({.id = "job", .handler_id = "mail", .method_name = "send", .schedule = cron("* * * * *")});
    CHECK(life.was_told("does not have the change of the job 'job' yet"));
    CHECK_FALSE(life.vault->job("job"));
    CHECK_FALSE(life.scheduler.health().store->is_available);
    life.vault->go_away(false);
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!life.vault->job("job") && std::chrono::steady_clock::now() < until) { std::this_thread::sleep_for(1ms); }
    CHECK(life.vault->job("job"));
}

TEST_CASE("a job of data that is over leaves the store with the scheduler, one of code stays there") {
    daybook::ManualClock clock;
    int runs = 0;
    Life life{clock, {}, [](auto& options) { options.completed_job_retention = 10s; }};
    add_handlers(life, runs);
    life.scheduler.add("code", daybook::at(monday + 5s), [] {});
    life.scheduler.start();
    life.scheduler.add(
        {.id = "data", .handler_id = "mail", .method_name = "send", .schedule = daybook::at(monday + 5s)});
    life.pass(10s);
    CHECK(life.crash().jobs.size() == 2);
    life.pass(10s);
    CHECK(life.scheduler.job_count() == 0);
    const auto left = life.crash();
    CHECK(left.jobs.size() == 1);
    CHECK(left.jobs.contains("code"));
}

TEST_CASE("a schedule of the program's own is told to be none that a store can keep") {
    daybook::ManualClock clock;
    int runs = 0;
    Life life{clock};
    add_handlers(life, runs);
    life.scheduler.add({.id = "job", .handler_id = "mail", .method_name = "send", .schedule = OwnTimes{}});
    CHECK(life.was_told("'job' cannot be made again after a restart"));
}

TEST_CASE("at most once and run anyway do not go together") {
    Life life{daybook::ManualClock{}, {}, [](auto& options) { options.delivery = daybook::Delivery::at_most_once; }};
    CHECK_THROWS_AS(life.scheduler.add({.id = "job", .on_store_failure = daybook::OnStoreFailure::run_anyway}, [] {}),
                    std::invalid_argument);
    life.scheduler.add({.id = "job"}, [] {});
    CHECK(life.scheduler.job("job")->on_store_failure == daybook::OnStoreFailure::hold);
    life.scheduler.add({.id = "other",
                        .delivery = daybook::Delivery::at_least_once,
                        .on_store_failure = daybook::OnStoreFailure::run_anyway},
                       [] {});
    CHECK(life.scheduler.job("other")->on_store_failure == daybook::OnStoreFailure::run_anyway);
}

TEST_CASE("a job that is removed and added again begins anew") {
    daybook::ManualClock clock;
    Life before{clock};
    before.scheduler.add("job", cron("* * * * *"), [] {});
    before.scheduler.start();
    before.pass(1min);
    before.scheduler.pause("job");
    before.scheduler.remove("job");
    before.scheduler.add("job", cron("* * * * *").times(2), [] {});
    const auto row = before.crash().jobs.at("job");
    CHECK_FALSE(row.is_paused);
    CHECK(row.accounted_to == monday + 1min);
    CHECK(row.left == 2);
}
