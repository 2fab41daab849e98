// SPDX-License-Identifier: MIT
#include <daybook/job/job_context.hpp>
#include <daybook/log/execution_query.hpp>
#include <daybook/log/job_execution_log.hpp>
#include <daybook/scheduler.hpp>
#include <daybook/time/manual_clock.hpp>

#include "log/log_test_support.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using namespace daybook;
using namespace log_test;

namespace {

/// An occurrence in so many attempts, of which the last succeeds.
OccurrenceId attempt(JobExecutionLog<>& log, std::string_view job, std::uint32_t attempts) {
    OccurrenceId occurrence = 0;
    for (std::uint32_t number = 1; number <= attempts; ++number) {
        const auto run = log.record_start({.job_id = job, .attempt_number = number, .occurrence_id = occurrence});
        if (number == 1) { occurrence = run.id; }
        if (number == attempts) {
            log.record_success(run);
        } else {
            log.record_error(run, "not yet", Finality::retry_follows);
        }
    }
    return occurrence;
}

/// A scheduler that runs jobs which say of which model they are.
struct Models {
    Scheduler<> scheduler{{.workers = 0}};

    Models() { scheduler.start(); }

    ExecutionId run(const std::string& job, const std::string& key, const std::string& value) {
        scheduler.add_or_replace({.id = job}, [=](JobContext& context) { context.metadata(key, value); });
        const auto id = scheduler.trigger(job).id;
        scheduler.poll();
        return id;
    }

    [[nodiscard]] Ids find(const std::string& value, MissingMetadata missing = MissingMetadata::handler_id) const {
        return ids(scheduler.log().query({.metadata_key = "model",
                                          .metadata_value = value,
                                          .missing_metadata = missing,
                                          .attempts = Attempts::last}));
    }
};

} // namespace

TEST_CASE("the last attempts alone are one record for an occurrence") {
    JobExecutionLog<> log{100};
    attempt(log, "first", 3);  // 1, 2, 3
    attempt(log, "second", 1); // 4
    attempt(log, "third", 2);  // 5, 6
    const auto page = log.query({.attempts = Attempts::last});
    CHECK(ids(page) == Ids{6, 4, 3});
    CHECK(page.total.count == 3);
    CHECK(page.total.is_exact);
    CHECK(ids(log.query({})).size() == 6);
}

TEST_CASE("an attempt under way is the last one, one that is retried is not") {
    JobExecutionLog<> log{100};
    const auto run = log.record_start("job");
    CHECK(ids(log.query({.attempts = Attempts::last})) == Ids{1});
    log.record_error(run, "why", Finality::retry_follows);
    CHECK(ids(log.query({.attempts = Attempts::last})).empty());
    log.record_queued({.job_id = "job", .attempt_number = 2, .occurrence_id = 1});
    CHECK(ids(log.query({.attempts = Attempts::last})) == Ids{2});
}

TEST_CASE("the last attempts are paged through by cursor, with other filters") {
    JobExecutionLog<> log{1000};
    for (int round = 0; round < 50; ++round) {
        attempt(log, "wanted", 3);
        attempt(log, "other", 2);
    }
    for (const std::size_t size : {std::size_t{1}, std::size_t{7}, std::size_t{100}}) {
        INFO(size);
        CHECK(by_cursor(log, {.attempts = Attempts::last}, size).size() == 100);
        const auto wanted = by_cursor(log, {.job_id = "wanted", .attempts = Attempts::last}, size);
        REQUIRE(wanted.size() == 50);
        CHECK(wanted.front().attempt_number == 3);
    }
    CHECK(log.query({.attempts = Attempts::last, .limit = 1, .offset = 99}).records.size() == 1);
    CHECK(log.query({.attempts = Attempts::last, .limit = 1, .offset = 100}).records.empty());
    CHECK(log.errors({.attempts = Attempts::last}).records.empty());
}

TEST_CASE("how many last attempts there are is known, whatever has been evicted and cleared") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        INFO("seed " << seed);
        std::mt19937_64 random{seed};
        JobExecutionLog<> log{LogOptions{.capacity = 40, .max_running = 6}};
        std::vector<Execution> running;
        const auto check = [&](StatusSet statuses) {
            std::uint64_t expected = 0;
            for (const auto& record : log.query({.status = statuses, .limit = 1000}).records) {
                expected += !is_finished(record.status) || record.is_final ? 1 : 0;
            }
            const auto page = log.query({.status = statuses, .attempts = Attempts::last, .limit = 5});
            REQUIRE(page.total.count == expected);
            REQUIRE(page.total.is_exact);
            REQUIRE(page.records.size() == std::min<std::uint64_t>(5, expected));
            REQUIRE(page.has_more == (expected > 5));
            const std::size_t offset = random() % 50;
            const auto rest = log.query({.status = statuses, .attempts = Attempts::last, .limit = 7, .offset = offset});
            REQUIRE(rest.records.size() == std::min<std::uint64_t>(7, expected - std::min(expected, offset)));
        };
        for (int step = 0; step < 1000; ++step) {
            const auto dice = random() % 100;
            if (running.empty() || dice < 40) {
                running.push_back(random() % 2 == 0 ? log.record_start("a") : log.record_queued({.job_id = "b"}));
            } else if (dice < 98) {
                const auto which = static_cast<std::ptrdiff_t>(random() % running.size());
                const auto run = running[static_cast<std::size_t>(which)];
                running.erase(running.begin() + which);
                const auto finality = random() % 2 == 0 ? Finality::retry_follows : Finality::final_attempt;
                switch (random() % 4) {
                case 0: log.record_success(run); break;
                case 1: log.record_cancelled(run); break;
                case 2: log.record_timeout(run, finality); break;
                default: log.record_error(run, "why", finality); break;
                }
            } else {
                log.clear();
            }
            if (random() % 10 == 0) {
                check({});
                check(JobStatus::error);
                check(StatusSet::failures());
                check(JobStatus::running);
            }
        }
    }
}

TEST_CASE("the attempts of one occurrence are found") {
    JobExecutionLog<> log{100};
    attempt(log, "job", 2); // 1, 2
    const auto wanted = attempt(log, "job", 3);
    attempt(log, "job", 1);
    CHECK(ids(log.query({.occurrence_id = wanted})) == Ids{5, 4, 3});
    CHECK(ids(log.query({.job_id = "job", .attempts = Attempts::last, .occurrence_id = wanted})) == Ids{5});
    CHECK(log.query({.job_id = "other", .occurrence_id = wanted}).records.empty());
    CHECK(log.query({.occurrence_id = 99}).records.empty());
}

TEST_CASE("a handler stands in for metadata that is missing or empty, where that is asked for") {
    Models models;
    const auto large = models.run("a", "model", "large");
    const auto as_handler = models.run("large", "other", "x");
    const auto empty = models.run("large", "model", "");
    const auto small = models.run("large", "model", "small");
    CHECK(models.find("large") == Ids{empty, as_handler, large});
    CHECK(models.find("large", MissingMetadata::nothing) == Ids{large});
    CHECK(models.find("small") == Ids{small});
    CHECK(models.find("a").empty());
    CHECK(models.find("nobody").empty());
    CHECK(models.find("").empty());
    CHECK(models.find("", MissingMetadata::nothing) == Ids{empty});
}
