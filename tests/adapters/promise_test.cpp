// SPDX-License-Identifier: MIT
//
// What the README promises, as a program would write it: each test begins with the promise's own lines.
#include <daybook/daybook.hpp>

#include <daybook/adapters/httplib.hpp>
#include <daybook/adapters/nlohmann_json.hpp>
#include <daybook/http.hpp>

#include "support/catch.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>
#include <thread>

using namespace std::chrono_literals;

namespace {

struct Sessions {
    std::atomic<std::size_t> expired{7};
    std::size_t erase_expired() { return expired.exchange(0); }
};

} // namespace

TEST_CASE("the promise: a scheduler that a program owns") {
    Sessions sessions;
    std::atomic<int> sent{0};
    const auto send_report = [&] {
        ++sent;
        return "sent";
    };

    daybook::Scheduler scheduler{{.workers = 4}};

    scheduler.add("cleanup_sessions", daybook::cron("0 */5 * * * *"),
                  [&](daybook::JobContext& job) { job.records_processed(sessions.erase_expired()); });

    scheduler.add({.id = "daily_report",
                   .handler_id = "reports",
                   .method_name = "daily",
                   .schedule = daybook::cron("0 0 9 * * MON-FRI", "Europe/Berlin"),
                   .retry = daybook::exponential_backoff({.max_attempts = 3, .first_delay = 2s}),
                   .timeout = 30s,
                   .overlap = daybook::Overlap::skip,
                   .misfire = daybook::Misfire::run_once},
                  send_report);

    scheduler.start();
    CHECK(scheduler.trigger("daily_report"));
    CHECK(scheduler.trigger("cleanup_sessions"));
    REQUIRE(scheduler.wait_idle(10s));
    auto page = scheduler.log().query({.job_id = "daily_report", .limit = 50});
    auto stats = scheduler.log().stats();
    CHECK(scheduler.stop(10s).has_stopped());

    CHECK(sent == 1);
    REQUIRE(page.records.size() == 1);
    CHECK(page.records[0].handler_id == "reports");
    CHECK(page.records[0].method_name == "daily");
    CHECK(page.records[0].result == "sent");
    CHECK(stats.success_count >= 2);
    const auto cleanup = scheduler.log().query({.job_id = "cleanup_sessions"});
    REQUIRE_FALSE(cleanup.records.empty());
    CHECK(cleanup.records.back().records_processed == 7U);
}

TEST_CASE("the promise: the log on its own, beside a scheduler that the program already has") {
    daybook::JobExecutionLog log{1000};
    auto run = log.record_start("dingdong_1", "dingdong", "ding");
    log.record_success(run, "Ding!");

    const auto page = log.query({.job_id = "dingdong_1"});
    REQUIRE(page.records.size() == 1);
    CHECK(page.records[0].result == "Ding!");
    CHECK(log.record_error(run, "too late") == daybook::Finish::too_late);
}

TEST_CASE("the promise: jobs, history and page on the server that the program already has") {
    httplib::Server server;
    server.Get("/sessions", [](const httplib::Request&, httplib::Response& response) {
        response.set_content("the program's own", "text/plain");
    });
    daybook::Scheduler scheduler;
    scheduler.add("ding", daybook::cron("0 0 3 * * *"), [] { return "Ding!"; });

    daybook::http::Router router;
    router.add(daybook::http::executions_api(scheduler.log()));
    router.add(daybook::http::jobs_api<daybook::nlohmann_json>(scheduler));
    router.add(daybook::http::dashboard());
    daybook::mount(server, router);

    scheduler.start();
    scheduler.trigger("ding");
    REQUIRE(scheduler.wait_idle(10s));
    const int port = server.bind_to_any_port("127.0.0.1");
    REQUIRE(port > 0);
    std::thread thread{[&] { server.listen_after_bind(); }};
    while (!server.is_running()) { std::this_thread::yield(); }
    httplib::Client client{"127.0.0.1", port};
    const auto get = [&](const char* path) {
        const auto answer = client.Get(path);
        return answer && answer->status == 200 ? answer->body : std::string{};
    };
    const auto executions = nlohmann::json::parse(get("/api/executions"), nullptr, false);
    const auto jobs = nlohmann::json::parse(get("/api/v1/jobs"), nullptr, false);
    const auto page = get("/");
    const auto script = get("/history/daybook.js");
    const auto own = get("/sessions");
    const auto refused = client.Post("/api/v1/jobs/ding/run", "", "application/json");
    server.stop();
    thread.join();

    CHECK(executions.at("records").at(0).at("result") == "Ding!");
    CHECK(jobs.at("jobs").at(0).at("job_id") == "ding");
    CHECK(page.starts_with("<!DOCTYPE html>"));
    CHECK(script.find("import") != std::string::npos);
    CHECK(own == "the program's own");
    CHECK((refused && refused->status == 403));
}

TEST_CASE("the promise: a schedule that the compiler checks") {
    constexpr auto nightly = daybook::cron("0 0 3 * * *");
    const daybook::sys_time evening = std::chrono::sys_days{std::chrono::year{2024} / 1 / 15} + 20h;
    CHECK(nightly.next(evening) == evening + 7h);
}
