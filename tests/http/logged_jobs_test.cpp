// SPDX-License-Identifier: MIT
#include <daybook/http.hpp>
#include <daybook/log/job_execution_log.hpp>
#include <daybook/time/manual_clock.hpp>

#include "jobs_fixture.hpp"

#include "support/catch.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace http = daybook::http;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

/// A log under a clock of its own, and a router that shows it.
struct Fixture {
    daybook::ManualClock clock{std::chrono::sys_days{2024y / 1 / 15} + 10h};
    daybook::JobExecutionLog<> log;
    http::Router router{};

    explicit Fixture(daybook::LogOptions options = {}) : log{with(std::move(options), clock)} {
        router.add(http::executions_api(log));
    }

    static daybook::LogOptions with(daybook::LogOptions options, const daybook::ManualClock& clock) {
        options.clock = clock;
        return options;
    }

    void run(std::string_view job, bool is_well, std::chrono::milliseconds duration = 5ms) {
        const auto execution = log.record_start(job);
        clock.advance(duration);
        if (is_well) {
            log.record_success(execution, "done");
        } else {
            log.record_error(execution, "it broke");
        }
    }

    [[nodiscard]] json get(std::string target) const {
        const auto response = router.handle({.target = std::move(target)});
        INFO(response.body);
        REQUIRE(response.status == 200);
        return json::parse(response.body);
    }

    [[nodiscard]] int status(std::string target) const { return router.handle({.target = std::move(target)}).status; }
};

std::vector<std::string> names(const json& answer) {
    std::vector<std::string> found;
    for (const auto& job : answer.at("jobs")) { found.push_back(job.at("job_id")); }
    return found;
}

} // namespace

TEST_CASE("an empty log has no jobs") {
    const Fixture api;
    const auto answer = api.get("/api/executions/jobs");
    CHECK(answer.at("jobs").empty());
    CHECK(answer.at("total") == 0);
    CHECK(answer.at("has_more") == false);
}

TEST_CASE("the job that failed last comes first, those that never failed come in the order of their names") {
    Fixture api;
    api.run("d", true);
    api.run("b", false);
    api.run("c", true);
    api.run("e", false);
    api.run("a", true);
    CHECK(names(api.get("/api/executions/jobs")) == std::vector<std::string>{"e", "b", "a", "c", "d"});
    CHECK(names(api.get("/api/executions/jobs?sort=name")) == std::vector<std::string>{"a", "b", "c", "d", "e"});
}

TEST_CASE("a failure that was retried does not put a job first") {
    Fixture api;
    api.run("a", true);
    const auto execution = api.log.record_start("b");
    api.log.record_error(execution, "once more", daybook::Finality::retry_follows);
    api.run("b", true);
    CHECK(names(api.get("/api/executions/jobs")) == std::vector<std::string>{"a", "b"});
}

TEST_CASE("each job has its counts, and its latest runs with the newest first") {
    Fixture api;
    api.run("a", true, 7ms);
    api.run("a", false, 9ms);
    const auto running = api.log.record_start("a");
    const auto answer = api.get("/api/executions/jobs?runs=2");
    const auto& job = answer.at("jobs").at(0);
    CHECK(job.at("counts").at("total_executions") == 2);
    CHECK(job.at("counts").at("error_count") == 1);
    const auto& runs = job.at("latest_runs");
    REQUIRE(runs.size() == 2);
    CHECK(runs.at(0).at("status") == "running");
    CHECK(runs.at(0).at("id") == running.id);
    CHECK(runs.at(0).at("duration_ms").is_null());
    CHECK(runs.at(1).at("status") == "error");
    CHECK(runs.at(1).at("duration_ms") == 9.0);
    CHECK(runs.at(1).at("is_final") == true);
}

TEST_CASE("skipped occurrences are among the latest runs, with their reason") {
    Fixture api;
    api.run("a", true);
    api.log.record_skip("a", daybook::SkipReason::overlap, api.clock.now());
    const auto answer = api.get("/api/executions/jobs");
    const auto& run = answer.at("jobs").at(0).at("latest_runs").at(0);
    CHECK(run.at("status") == "skipped");
    CHECK(run.at("reason") == "overlap");
}

TEST_CASE("jobs are found by a part of their name, in either case") {
    Fixture api;
    api.run("Backup_database", true);
    api.run("report", false);
    CHECK(names(api.get("/api/executions/jobs?text=backup")) == std::vector<std::string>{"Backup_database"});
    CHECK(names(api.get("/api/executions/jobs?text=PORT")) == std::vector<std::string>{"report"});
    CHECK(names(api.get("/api/executions/jobs?text=none")).empty());
}

TEST_CASE("jobs go by pages") {
    Fixture api;
    for (const auto* job : {"a", "b", "c"}) { api.run(job, true); }
    const auto first = api.get("/api/executions/jobs?limit=2");
    CHECK(names(first) == std::vector<std::string>{"a", "b"});
    CHECK(first.at("total") == 3);
    CHECK(first.at("has_more") == true);
    const auto second = api.get("/api/executions/jobs?limit=2&offset=2");
    CHECK(names(second) == std::vector<std::string>{"c"});
    CHECK(second.at("has_more") == false);
    CHECK(names(api.get("/api/executions/jobs?offset=99")).empty());
}

TEST_CASE("how much is asked of a log at once is bounded") {
    Fixture api;
    for (int i = 0; i < 60; ++i) { api.run("a", true); }
    CHECK(api.get("/api/executions/jobs?limit=100000").at("limit") == 200);
    CHECK(api.get("/api/executions/jobs?runs=100000").at("jobs").at(0).at("latest_runs").size() == 50);
    CHECK_FALSE(api.get("/api/executions/jobs?runs=0").at("jobs").at(0).contains("latest_runs"));
}

TEST_CASE("jobs that are counted together are no job, but those of them that failed are listed") {
    Fixture api{{.capacity = 100, .max_tracked_jobs = 2}};
    api.run("a", true);
    api.run("b", true);
    api.run("c", true);
    api.run("d", false);
    const auto answer = api.get("/api/executions/jobs");
    CHECK(names(answer).front() == "d");
    CHECK(answer.at("jobs").at(0).at("counts").is_null());
    for (const auto& name : names(answer)) { CHECK(name != "other"); }
}

TEST_CASE("a wrong order of jobs is refused") {
    const Fixture api;
    CHECK(api.status("/api/executions/jobs?sort=newest") == 400);
    CHECK(api.status("/api/executions/jobs?runs=many") == 400);
    CHECK(api.status("/api/executions/jobs?text=") == 400);
}

TEST_CASE("the attempts of an occurrence are found by its id") {
    Fixture api;
    const auto first = api.log.record_start("a");
    api.log.record_error(first, "once more", daybook::Finality::retry_follows);
    api.log.record_success(api.log.record_start({.job_id = "a", .attempt_number = 2, .occurrence_id = first.id}),
                           "done");
    api.run("a", true);
    const auto answer = api.get("/api/executions?occurrence_id=" + std::to_string(first.id));
    CHECK(answer.at("total") == 2);
    CHECK(answer.at("records").at(0).at("attempt_number") == 2);
    CHECK(api.get("/api/executions?occurrence_id=999").at("total") == 0);
    CHECK(api.status("/api/executions?occurrence_id=x") == 400);
}

TEST_CASE("figures come without those of each job where they are left out") {
    Fixture api;
    api.run("a", true);
    CHECK(api.get("/api/executions/stats").at("by_job").size() == 1);
    CHECK(api.get("/api/executions/stats?by_job=include").at("by_job").size() == 1);
    const auto short_answer = api.get("/api/executions/stats?by_job=leave_out");
    CHECK(short_answer.at("by_job").empty());
    CHECK(short_answer.at("total_executions") == 1);
    CHECK(api.status("/api/executions/stats?by_job=no") == 400);
}

TEST_CASE("the list of jobs has the latest runs of each if it is asked for them") {
    jobs_test::JobsFixture fixture;
    fixture.scheduler.add("a", daybook::every(24h), [] {});
    fixture.run("a");
    fixture.run("a");
    CHECK_FALSE(fixture.get("/api/v1/jobs").at("jobs").at(0).contains("latest_runs"));
    const auto answer = fixture.get("/api/v1/jobs?runs=1&limit=1000");
    CHECK(answer.at("limit") == 200);
    REQUIRE(answer.at("jobs").at(0).at("latest_runs").size() == 1);
    CHECK(answer.at("jobs").at(0).at("latest_runs").at(0).at("status") == "success");
}
