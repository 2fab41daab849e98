// SPDX-License-Identifier: MIT
#include <daybook/http/history_api.hpp>
#include <daybook/http/router.hpp>
#include <daybook/job/job_context.hpp>
#include <daybook/scheduler.hpp>
#include <daybook/time/manual_clock.hpp>

#include "support/catch.hpp"

#include <time.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>

namespace http = daybook::http;
using daybook::JobContext;
using namespace std::chrono_literals;

namespace {

/// A scheduler under a clock of its own, polled by the test, and a router that shows its history.
/// The clock stands at 2025-11-02T15:33:41.25Z, the Unix time 1762097621.
struct HistoryFixture {
    daybook::ManualClock clock{std::chrono::sys_days{2025y / 11 / 2} + 15h + 33min + 41s + 250ms};
    daybook::Scheduler<> scheduler;
    http::Router router;

    explicit HistoryFixture(http::RouterOptions options = {}, http::HistoryOptions history = {},
                            daybook::LogOptions log = {.capacity = 1000})
        : scheduler{{.workers = 0, .log = std::move(log), .clock = clock}}, router{std::move(options)} {
        router.add(http::history_api(scheduler, std::move(history)));
        scheduler.start();
    }

    /// Runs a job once, which takes a while.
    template <class Body>
    void run(const std::string& id, std::chrono::nanoseconds took, Body body, daybook::JobOptions options = {}) {
        options.id = id;
        scheduler.add_or_replace(std::move(options), [this, took, body](JobContext& job) {
            clock.advance(took);
            return body(job);
        });
        scheduler.trigger(id);
        scheduler.poll();
    }
    void succeed(const std::string& id, std::chrono::nanoseconds took = 1s) {
        run(id, took, [](JobContext&) {});
    }
    void succeed_as(const std::string& id, const std::string& model) {
        run(id, 1s, [model](JobContext& job) { job.metadata("model", model); });
    }
    void fail(const std::string& id, std::chrono::nanoseconds took = 1s) {
        run(id, took, [](JobContext&) -> void { throw std::runtime_error{"it broke"}; });
    }

    [[nodiscard]] http::Response get(std::string target) const { return router.handle({.target = std::move(target)}); }

    [[nodiscard]] std::string body(std::string target) const {
        const auto response = get(std::move(target));
        CHECK(response.status == 200);
        CHECK(*response.header("Content-Type") == "application/json");
        return response.body;
    }

    [[nodiscard]] std::string refusal(std::string target, int status = 400) const {
        const auto response = get(std::move(target));
        const std::string before = R"({"error":{"code":)" + std::to_string(status) + R"(,"message":")";
        CHECK(response.status == status);
        REQUIRE(response.body.starts_with(before));
        return response.body.substr(before.size(), response.body.size() - before.size() - 3);
    }
};

bool tells(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::size_t times_in(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) { ++found; }
    return found;
}

/// What follows `"name":"` up to the next quote.
std::string text_of(const std::string& body, const std::string& name) {
    const auto before = "\"" + name + "\":\"";
    const auto at = body.find(before);
    if (at == std::string::npos) { return {}; }
    return body.substr(at + before.size(), body.find('"', at + before.size()) - at - before.size());
}

/// The whole hours that a timeline shows, and in which something ended.
std::size_t hours_of(const std::string& body) { return times_in(body, R"("timestamp":)"); }

const std::string history = "/v1/jobs/history";
const std::string figures = "/v1/jobs/stats";

} // namespace

TEST_CASE("a history without jobs is an empty page") {
    const HistoryFixture api;
    CHECK(api.body(history) ==
          R"({"jobs":[],"total":0,"limit":50,"offset":0,"has_more":false,"total_is_exact":true,"next_cursor":null,)"
          R"("scanned":0,"complete":true})");
}

TEST_CASE("a row has the fields of the format first and in its order, then ours") {
    HistoryFixture api;
    api.run("batch", 10s, [](JobContext& job) {
        job.metadata("model", "google/gemma-3-4b-it");
        job.progress(10, 10);
    });
    CHECK(tells(api.body(history), R"({"jobs":[{"batch_id":"1","status":"completed","model":"google/gemma-3-4b-it",)"
                                   R"("created_at":1762097621,"completed_at":1762097631,"failed_at":null,)"
                                   R"("cancelled_at":null,"total_requests":10,"completed_requests":10,)"
                                   R"("failed_requests":0,"duration":10.0,"throughput":1.0,"priority":0,)"
                                   R"("webhook_url":false,"has_errors":false,"execution_id":1,"job_id":"batch",)"
                                   R"("handler_id":"batch","method_name":"","status_detail":"success",)"
                                   R"("attempt_number":1,"trigger":"manual","scheduled_at":null,)"
                                   R"("queued_at":1762097621,"started_at":1762097621,"error":null}],"total":1,)"));
}

TEST_CASE("a failure says when, and that it has errors") {
    HistoryFixture api;
    api.fail("broken", 2500ms);
    const auto body = api.body(history);
    CHECK(tells(body, R"("status":"failed")"));
    CHECK(tells(body, R"("completed_at":null,"failed_at":1762097623,"cancelled_at":null,)"));
    CHECK(tells(body, R"("total_requests":1,"completed_requests":0,"failed_requests":1,"duration":2.5,)"));
    CHECK(tells(body, R"("throughput":0.0,)"));
    CHECK(tells(body, R"("has_errors":true)"));
    CHECK(tells(body, R"("error":"it broke")"));
}

TEST_CASE("a job that completed with failed requests has errors") {
    HistoryFixture api;
    api.run("batch", 1s, [](JobContext& job) { job.progress(8, 10, 2); });
    CHECK(tells(api.body(history), R"("total_requests":10,"completed_requests":8,"failed_requests":2,)"));
    CHECK(tells(api.body(history), R"("has_errors":true)"));
}

TEST_CASE("a total that the job did not know is what it has done") {
    HistoryFixture api;
    api.run("batch", 1s, [](JobContext& job) { job.progress(8, 0, 2); });
    CHECK(tells(api.body(history), R"("total_requests":10,"completed_requests":8,)"));
}

TEST_CASE("what is queued or in progress has neither an end nor a duration") {
    HistoryFixture api;
    auto& log = api.scheduler.log();
    log.record_queued({.job_id = "waits"});
    log.record_start("runs");
    const auto queued = api.body(history + "?status=queued");
    CHECK(tells(queued, R"("status":"queued","model":"waits","created_at":1762097621,"completed_at":null,)"));
    CHECK(tells(queued, R"("duration":null,"throughput":null)"));
    const auto running = api.body(history + "?status=in_progress");
    CHECK(tells(running, R"("status":"in_progress","model":"runs")"));
    CHECK(tells(running, R"("total_requests":1,"completed_requests":0,"failed_requests":0,)"));
}

TEST_CASE("a cancelled job says when") {
    HistoryFixture api;
    auto& log = api.scheduler.log();
    const auto run = log.record_start("stopped");
    api.clock.advance(3s);
    log.record_cancelled(run, "no longer wanted");
    CHECK(tells(api.body(history), R"("status":"cancelled")"));
    CHECK(tells(api.body(history), R"("failed_at":null,"cancelled_at":1762097624,)"));
}

TEST_CASE("what was cancelled before it ran is dated by its hand-over") {
    HistoryFixture api;
    auto& log = api.scheduler.log();
    const auto waiting = log.record_queued({.job_id = "waits"});
    log.record_cancelled(waiting);
    CHECK(tells(api.body(history), R"("created_at":1762097621,"completed_at":null,"failed_at":null,)"
                                   R"("cancelled_at":1762097621,)"));
}

TEST_CASE("statuses filter in the words of the format, several parted by commas") {
    HistoryFixture api;
    api.succeed("good");
    api.fail("bad");
    auto& log = api.scheduler.log();
    log.record_timeout(log.record_start("slow"));
    log.record_cancelled(log.record_start("stopped"));
    log.record_start("runs");
    log.record_queued({.job_id = "waits"});
    const auto total = [&](const char* status) {
        const auto body = api.body(history + "?status=" + status);
        return times_in(body, R"("batch_id":)");
    };
    CHECK(total("completed") == 1);
    CHECK(total("failed") == 2);
    CHECK(total("cancelled") == 1);
    CHECK(total("in_progress") == 1);
    CHECK(total("queued") == 1);
    CHECK(total("failed,cancelled,queued") == 4);
    for (const auto* word : {"success", "error", "running", "timeout", "skipped", "unknown", "", "failed,", "Failed"}) {
        INFO(word);
        CHECK(api.refusal(history + "?status=" + word) ==
              "status must be one of queued, in_progress, completed, failed, cancelled, or several of them parted by "
              "commas");
    }
}

TEST_CASE("a model is metadata, and the handler where there is none") {
    HistoryFixture api;
    api.succeed_as("first", "large");
    api.succeed_as("second", "large");
    api.succeed("large");
    api.run("third", 1s, [](JobContext& job) { job.metadata("model", ""); });
    CHECK(times_in(api.body(history + "?model=large"), R"("model":"large")") == 3);
    CHECK(tells(api.body(history + "?model=large"), R"("total":3,)"));
    CHECK(times_in(api.body(history + "?model=third"), R"("model":"third")") == 1);
    CHECK(tells(api.body(history + "?model=first"), R"("jobs":[],"total":0,)"));
    CHECK(tells(api.body(history + "?model=nobody"), R"("jobs":[],"total":0,)"));
    CHECK(api.refusal(history + "?model=") == "model must not be empty: leave it out to have them all");
}

TEST_CASE("the entry that is the model may be another one, or none") {
    {
        HistoryFixture api{{}, {}, {.capacity = 10, .model_key = "engine"}};
        api.run("job", 1s, [](JobContext& job) { job.metadata("engine", "v8"); });
        CHECK(tells(api.body(history + "?model=v8"), R"("model":"v8")"));
        CHECK(tells(api.body(figures), R"("by_model":{"v8":1})"));
    }
    HistoryFixture api{{}, {}, {.capacity = 10, .model_key = ""}};
    api.succeed_as("job", "large");
    CHECK(tells(api.body(history + "?model=job"), R"("model":"job")"));
    CHECK(tells(api.body(figures), R"("by_model":{"job":1})"));
}

TEST_CASE("dates are Unix seconds: from the first on, before the last") {
    HistoryFixture api; // at 1762097621.25
    api.succeed("early");
    api.clock.advance(99s);
    api.succeed("late"); // at 1762097721.25
    const auto shown = [&](const std::string& filter) {
        const auto body = api.body(history + "?" + filter);
        return std::string{tells(body, R"("job_id":"early")") ? "e" : ""} +
               (tells(body, R"("job_id":"late")") ? "l" : "");
    };
    CHECK(shown("start_date=1762097621") == "el");
    CHECK(shown("start_date=1762097622") == "l");
    CHECK(shown("end_date=1762097721") == "e");
    CHECK(shown("end_date=1762097722") == "el");
    CHECK(shown("start_date=1762097621&end_date=1762097622") == "e");
    CHECK(shown("start_date=1762097621&end_date=1762097621").empty());
    CHECK(shown("start_date=0") == "el");
}

TEST_CASE("a date that is none is refused") {
    const HistoryFixture api;
    for (const auto& path : {history, figures}) {
        for (const auto* name : {"start_date", "end_date"}) {
            for (const auto* value : {"", "-1", "yesterday", "2025-11-02", "1762097621.5", "1762097621000", "%201",
                                      "1e9", "0x10", "99999999999999999999"}) {
                INFO(path << ' ' << name << '=' << value);
                CHECK(api.refusal(path + "?" + name + "=" + value) ==
                      std::string{name} + " must be a Unix timestamp: whole seconds since 1970, at most 253402300799");
            }
        }
        CHECK(api.refusal(path + "?start_date=2&end_date=1") == "end_date must not be before start_date");
    }
}

TEST_CASE("the limit is 50, at most 500, and told") {
    HistoryFixture api;
    for (int job = 0; job < 60; ++job) { api.succeed("job"); }
    CHECK(times_in(api.body(history), R"("batch_id":)") == 50);
    CHECK(tells(api.body(history), R"("total":60,"limit":50,"offset":0,"has_more":true,)"));
    CHECK(tells(api.body(history + "?limit=1000"), R"("total":60,"limit":500,"offset":0,"has_more":false,)"));
    CHECK(tells(api.body(history + "?limit=0"), R"({"jobs":[],"total":60,"limit":0,)"));
    CHECK(api.refusal(history + "?limit=ten") == "limit must be a whole number, 0 or more");
    CHECK(api.refusal(history + "?offset=-1") == "offset must be a whole number, 0 or more");
}

TEST_CASE("pages follow each other by offset, and by cursor") {
    HistoryFixture api;
    for (int job = 0; job < 7; ++job) { api.succeed("job_" + std::to_string(job)); }
    const auto jobs = [](const std::string& body) {
        std::string seen;
        for (auto at = body.find(R"("job_id":"job_)"); at != std::string::npos;
             at = body.find(R"("job_id":"job_)", at + 1)) {
            seen += body[at + 14];
        }
        return seen;
    };
    CHECK(jobs(api.body(history + "?limit=3")) == "654");
    CHECK(jobs(api.body(history + "?limit=3&offset=3")) == "321");
    CHECK(jobs(api.body(history + "?limit=3&offset=6")) == "0");
    CHECK(tells(api.body(history + "?limit=3&offset=6"), R"("total":7,"limit":3,"offset":6,"has_more":false,)"));
    const auto cursor = text_of(api.body(history + "?limit=3"), "next_cursor");
    api.succeed("job_7"); // comes before the page, and moves no row of the next
    CHECK(jobs(api.body(history + "?limit=3&cursor=" + cursor)) == "321");
    CHECK(api.refusal(history + "?cursor=x") == "cursor must be the next_cursor of an earlier page, unchanged");
}

TEST_CASE("an offset past a hundred thousand rows still makes a whole page") {
    HistoryFixture api{{}, {}, {.capacity = 120'000}};
    auto& log = api.scheduler.log();
    for (int job = 0; job < 120'000; ++job) { log.record_success(log.record_start("job")); }
    const auto body = api.body(history + "?limit=1&offset=119999");
    CHECK(tells(body, R"("batch_id":"1")"));
    CHECK(tells(body, R"("complete":true)"));
}

TEST_CASE("an occurrence is one row, however many attempts it took") {
    HistoryFixture api;
    int attempts = 0;
    api.run("flaky", 1s,
            [&](JobContext&) {
                if (++attempts < 3) { throw std::runtime_error{"not yet"}; }
            },
            {.retry = daybook::RetryPolicy{daybook::FixedBackoff{.max_attempts = 3, .delay = 10s}}});
    const auto waiting = api.body(history);
    CHECK(tells(waiting, R"({"jobs":[],"total":0,)")); // until its next attempt is handed over
    for (int round = 0; round < 2; ++round) {
        api.clock.advance(10s);
        api.scheduler.poll();
    }
    const auto body = api.body(history);
    CHECK(tells(body, R"("total":1,)"));
    CHECK(tells(body, R"("batch_id":"1","status":"completed")"));
    CHECK(tells(body, R"("attempt_number":3)"));
    CHECK(tells(api.body(figures), R"("total_jobs":1,)"));
    CHECK(tells(api.body(figures), R"("total_requests":1,"completed_requests":1,)"));
}

TEST_CASE("the details of an occurrence are found by its batch_id") {
    HistoryFixture api;
    api.run("batch", 2s, [](JobContext& job) -> std::string {
        job.metadata("team", "search");
        job.log("half way");
        job.progress(4, 4);
        return "done";
    });
    const auto body = api.body(history + "/1");
    CHECK(tells(body, R"({"batch_id":"1","status":"completed","model":"batch",)"));
    CHECK(tells(body, R"("result":"done","queue_delay":0.0,"records_processed":null,"log_text":"half way\n",)"));
    CHECK(tells(body, R"("parameters":"","metadata":{"team":"search"},"attempts":[{"execution_id":1,)"));
    CHECK(tells(body, R"("attempts_complete":true})"));
    CHECK(times_in(body, R"("attempt_number")") == 2);
}

TEST_CASE("the details list the attempts, and say when the next one is awaited") {
    HistoryFixture api;
    api.run("flaky", 1s, [](JobContext&) -> void { throw std::runtime_error{"not yet"}; },
            {.retry = daybook::RetryPolicy{daybook::FixedBackoff{.max_attempts = 3, .delay = 10s}}});
    CHECK(tells(api.body(history + "/1"), R"("status":"queued","model":"flaky","created_at":1762097621,)"
                                          R"("completed_at":null,"failed_at":null,)"));
    CHECK(tells(api.body(history + "/1"), R"("has_errors":true)"));
    api.clock.advance(10s);
    api.scheduler.poll();
    const auto body = api.body(history + "/1");
    CHECK(times_in(body, R"("error":"not yet")") == 3); // of the occurrence and of both attempts
    CHECK(tells(body, R"("attempts":[{"execution_id":2,"attempt_number":2,"status":"failed",)"));
    CHECK(tells(body, R"({"execution_id":1,"attempt_number":1,"status":"failed","created_at":1762097621,)"));
    const std::string unknown = "there is no job with this batch_id; it may have been evicted or cleared";
    CHECK(api.refusal(history + "/2", 404) == unknown); // an attempt, not an occurrence
    for (const auto* id : {"0", "3", "x", "1x", "-1", "99999999999999999999"}) {
        INFO(id);
        CHECK(api.refusal(history + "/" + id, 404) == unknown);
    }
}

TEST_CASE("an occurrence whose first attempt was evicted is found by its last") {
    HistoryFixture api{{}, {}, {.capacity = 4, .error_capacity = 2}};
    api.run("flaky", 1s, [](JobContext&) -> void { throw std::runtime_error{"never"}; },
            {.retry = daybook::RetryPolicy{daybook::FixedBackoff{.max_attempts = 2, .delay = 10s}}});
    api.clock.advance(10s);
    api.scheduler.poll();
    for (int job = 0; job < 8; ++job) { api.succeed("others"); }
    REQUIRE_FALSE(api.scheduler.log().find(1));
    const auto body = api.body(history + "/1");
    CHECK(tells(body, R"("status":"failed")"));
    CHECK(times_in(body, R"("status_detail")") == 1);
    CHECK(tells(body, R"("attempts":[{"execution_id":2,)"));
}

TEST_CASE("skipped occurrences are no rows") {
    HistoryFixture api;
    const auto skip = api.scheduler.log().record_skip("job", daybook::SkipReason::overlap);
    CHECK(tells(api.body(history), R"("total":0,)"));
    CHECK(api.get(history + "/" + std::to_string(skip)).status == 404);
    CHECK(tells(api.body(figures), R"("total_jobs":0,)"));
}

TEST_CASE("priorities and webhooks are told by those who know") {
    HistoryFixture api{{}, {.has_webhook = [](std::string_view job) { return job == "told"; }}};
    api.run("told", 1s, [](JobContext&) {}, {.priority = 7});
    api.succeed("silent");
    CHECK(tells(api.body(history + "?job_id=told"), R"("priority":7,"webhook_url":true,)"));
    CHECK(tells(api.body(history + "?job_id=silent"), R"("priority":0,"webhook_url":false,)"));
    api.scheduler.remove("told");
    CHECK(tells(api.body(history + "?job_id=told"), R"("priority":0,)"));
}

TEST_CASE("a history may be sorted") {
    HistoryFixture api;
    api.succeed("short", 1s);
    api.succeed("long", 9s);
    api.succeed("middle", 5s);
    CHECK(text_of(api.body(history + "?sort=longest&limit=1"), "job_id") == "long");
    CHECK(text_of(api.body(history + "?sort=oldest&limit=1"), "job_id") == "short");
    CHECK(tells(api.refusal(history + "?sort=duration"), "sort must be one of"));
}

TEST_CASE("figures of nothing are zeros, and a rate of one") {
    const HistoryFixture api;
    const auto body = api.body(figures);
    CHECK(body.starts_with(
        R"({"total_jobs":0,"by_status":{"completed":0,"failed":0,"cancelled":0,"in_progress":0,"queued":0},)"
        R"("by_model":{},"success_rate":1.0,"avg_duration":0.0,"total_requests":0,"completed_requests":0,)"
        R"("timeline":[{"timestamp":1762012800,"jobs":0},)"));
    CHECK(hours_of(body) == 24);
    CHECK(tells(body, R"({"timestamp":1762095600,"jobs":0}],"failed_requests":0,"counted_since":1762097621,)"
                      R"("lifetime_jobs":0})"));
}

TEST_CASE("figures count what has ended and what goes on") {
    HistoryFixture api;
    for (int job = 0; job < 50; ++job) {
        api.run("good", 2s, [](JobContext& context) {
            context.metadata("model", "large");
            context.progress(2, 2);
        });
    }
    api.fail("bad", 4s);
    auto& log = api.scheduler.log();
    log.record_cancelled(log.record_start("stopped"));
    log.record_start("runs");
    log.record_queued({.job_id = "waits"});
    const auto body = api.body(figures);
    CHECK(body.starts_with(
        R"({"total_jobs":54,"by_status":{"completed":50,"failed":1,"cancelled":1,"in_progress":1,"queued":1},)"
        R"("by_model":{"bad":1,"large":50,"stopped":1},"success_rate":0.9804,"avg_duration":2.039216,)"
        R"("total_requests":102,"completed_requests":100,"timeline":[)"));
    CHECK(tells(body, R"({"timestamp":1762095600,"jobs":52}],"failed_requests":1,)"));
}

TEST_CASE("figures count what was evicted as well") {
    HistoryFixture api{{}, {}, {.capacity = 5}};
    for (int job = 0; job < 20; ++job) { api.succeed("job"); }
    CHECK(tells(api.body(history), R"("total":5,)"));
    CHECK(tells(api.body(figures), R"("total_jobs":20,)"));
}

TEST_CASE("figures of a range are of the hours around it, and say so") {
    HistoryFixture api; // 15:33:41
    api.succeed_as("early", "small");
    api.clock.advance(2h);
    api.fail("late", 3s); // 17:33
    api.scheduler.log().record_start("runs");
    const auto late = api.body(figures + "?start_date=1762102800&end_date=1762106400"); // 17:00 to 18:00
    CHECK(late.starts_with(R"({"total_jobs":1,"by_status":{"completed":0,"failed":1,"cancelled":0},)"
                           R"("by_model":{"late":1},"success_rate":0.0,"avg_duration":3.0,"total_requests":1,)"
                           R"("completed_requests":0,"timeline":[{"timestamp":1762102800,"jobs":1}],)"
                           R"("failed_requests":1,"from":1762102800,"to":1762106400,"resolution_seconds":3600,)"
                           R"("is_complete":true})"));
    const auto between = api.body(figures + "?start_date=1762095600&end_date=1762102801");
    CHECK(tells(between, R"("total_jobs":2,)"));
    CHECK(tells(between, R"("timeline":[{"timestamp":1762095600,"jobs":1},{"timestamp":1762099200,"jobs":0},)"
                         R"({"timestamp":1762102800,"jobs":1}])"));
    const auto week = api.body(figures + "?start_date=1"); // further back than is kept
    CHECK(hours_of(week) == 168);
    CHECK(tells(week, R"("is_complete":false)"));
    CHECK(tells(api.body(figures + "?end_date=1"), R"("timeline":[],)"));
}

TEST_CASE("figures do not depend on the zone of the machine") {
    const char* const before = std::getenv("TZ");
    const std::string zone = before == nullptr ? "" : before;
    std::string answers[2];
    for (int round = 0; round < 2; ++round) {
        ::setenv("TZ", round == 0 ? "UTC" : "America/New_York", 1); // whose clocks went back on 2025-11-02 at 06:00 UTC
        ::tzset();
        HistoryFixture api;
        api.clock.step(-10h);
        for (int hour = 0; hour < 4; ++hour) { // 05:33, 06:33, …: 01:33 comes twice there
            api.succeed("job", 0s);
            api.clock.advance(1h);
        }
        answers[round] = api.body(figures) + api.body(history) +
                         api.body(history + "?start_date=1762061621&end_date=1762065221") +
                         api.body(figures + "?start_date=1762061621&end_date=1762065221");
    }
    before == nullptr ? ::unsetenv("TZ") : ::setenv("TZ", zone.c_str(), 1);
    ::tzset();
    CHECK(answers[0] == answers[1]);
    CHECK(tells(answers[0], R"({"timestamp":1762059600,"jobs":1},{"timestamp":1762063200,"jobs":1},)"));
}

TEST_CASE("a client that has the figures is sent them again only when they have changed") {
    HistoryFixture api;
    api.succeed("job");
    for (const auto& target : {figures, history}) {
        const auto first = api.get(target);
        REQUIRE(first.header("ETag") != nullptr);
        const http::Request again{.target = target, .headers = {{"If-None-Match", *first.header("ETag")}}};
        CHECK(api.router.handle(again).status == 304);
        api.succeed("job");
        CHECK(api.router.handle(again).status == 200);
    }
}

TEST_CASE("a clear starts the figures anew") {
    HistoryFixture api;
    api.succeed("job");
    api.scheduler.log().clear();
    CHECK(tells(api.body(figures), R"("total_jobs":0,)"));
    CHECK(tells(api.body(figures), R"("by_model":{},)"));
    CHECK(tells(api.body(figures), R"("lifetime_jobs":1})"));
}

TEST_CASE("what a hook hides is nowhere in the history") {
    HistoryFixture api{{.redact = http::redact_everything()}};
    api.run("job", 1s, [](JobContext& job) -> std::string {
        job.metadata("model", "secret-model");
        job.log("secret log");
        return "secret result";
    });
    api.run("job", 1s, [](JobContext&) -> std::string { throw std::runtime_error{"secret error"}; },
            {.parameters = "secret parameters"});
    for (const auto& target : {history, history + "/1", history + "/2", figures, figures + "?start_date=0"}) {
        INFO(target);
        CHECK_FALSE(tells(api.body(target), "secret"));
    }
    CHECK(tells(api.body(history + "/1"), R"("model":"[redacted]")"));
    CHECK(tells(api.body(figures), R"("by_model":{"job":1,"other":1})"));
    for (const auto* guess : {"secret-model", "wrong-guess", "job"}) {
        CHECK(api.refusal(history + "?model=" + guess) ==
              "model cannot be searched for here, where texts of records may be hidden");
    }
}

TEST_CASE("a hook that hides one job's metadata gives nothing of it away in what stands for many") {
    HistoryFixture api{{.redact = [](const http::RedactedText& text) {
        return text.job_id == "payroll" ? std::string{"[hidden]"} : std::string{text.text};
    }}};
    api.succeed_as("payroll", "secret-model");
    api.succeed_as("report", "large");
    CHECK_FALSE(tells(api.body(figures), "secret"));
    CHECK_FALSE(tells(api.body(history), "secret"));
    CHECK(tells(api.body(history), R"("model":"large")"));
    CHECK(api.get(history + "?model=secret-model&job_id=payroll").status == 400);
}

TEST_CASE("models that are no secret are shown and searched for, whatever a hook hides") {
    HistoryFixture api{{.redact = http::redact_everything()}, {.model_names = http::ModelNames::are_public}};
    api.run("job", 1s, [](JobContext& job) {
        job.metadata("model", "large");
        job.metadata("token", "secret");
    });
    CHECK(tells(api.body(history + "?model=large"), R"("model":"large")"));
    CHECK(tells(api.body(history + "/1"), R"("model":"large")"));
    CHECK(tells(api.body(history + "/1"), R"("metadata":{"model":"[redacted]","token":"[redacted]"})"));
    CHECK(tells(api.body(figures), R"("by_model":{"large":1})"));
    CHECK(tells(api.body(figures + "?start_date=0"), R"("by_model":{"large":1})"));
}

TEST_CASE("the history of a log needs no scheduler") {
    daybook::JobExecutionLog<> log{10};
    http::Router router;
    router.add(http::history_api(log, {.priority = [](std::string_view) { return 3; }}));
    log.record_success(log.record_start("job"));
    CHECK(tells(router.handle({.target = history}).body, R"("priority":3,)"));
}
