// SPDX-License-Identifier: MIT
#include <daybook/http.hpp>
#include <daybook/log/job_execution_log.hpp>
#include <daybook/text/timestamp.hpp>
#include <daybook/time/manual_clock.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <string>
#include <thread>
#include <variant>

namespace http = daybook::http;
using namespace std::chrono_literals;

namespace {

/// A log under a clock of its own, and a router that shows it.
struct Fixture {
    daybook::ManualClock clock{std::chrono::sys_days{2024y / 1 / 15} + 10h + 30min + 123456us};
    daybook::JobExecutionLog<> log{daybook::LogOptions{.capacity = 1000, .clock = clock}};
    http::Router router{{.authorize = http::allow_changes()}};

    Fixture() { router.add(http::executions_api(log)); }

    [[nodiscard]] http::Response get(std::string target) const { return router.handle({.target = std::move(target)}); }

    [[nodiscard]] std::string body(std::string target) const {
        const auto response = get(std::move(target));
        CHECK(response.status == 200);
        CHECK(*response.header("Content-Type") == "application/json");
        return response.body;
    }

    /// What a refusal says, without its JSON around it.
    [[nodiscard]] std::string refusal(std::string target) const {
        const auto response = get(std::move(target));
        const std::string before = R"({"error":{"code":400,"message":")";
        CHECK(response.status == 400);
        REQUIRE(response.body.starts_with(before));
        REQUIRE(response.body.ends_with("\"}}"));
        return response.body.substr(before.size(), response.body.size() - before.size() - 3);
    }

    void succeed(std::string_view job, std::string_view handler = {}, std::string result = {}) {
        const auto run = log.record_start(job, handler, "run");
        clock.advance(1ms);
        log.record_success(run, std::move(result));
    }

    void fail(std::string_view job, std::string_view handler = {}) {
        const auto run = log.record_start(job, handler, "run");
        clock.advance(1ms);
        log.record_error(run, "it broke");
    }
};

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) { ++found; }
    return found;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

} // namespace

TEST_CASE("an empty log is an empty page") {
    const Fixture api;
    CHECK(api.body("/api/executions") ==
          R"({"count":0,"limit":100,"records":[],"total":0,"total_is_exact":true,"offset":0,"has_more":false,)"
          R"("next_cursor":null,"scanned":0,"complete":true})");
}

TEST_CASE("a record has the fields of the format first and in its order, then ours") {
    Fixture api;
    const auto run = api.log.record_start("dingdong_1", "dingdong", "ding");
    api.clock.advance(333333us);
    api.log.record_success(run, "Ding!");
    const auto id = std::to_string(run.id);
    CHECK(contains(api.body("/api/executions"),
                   R"("records":[{"job_id":"dingdong_1","handler_id":"dingdong","method_name":"ding",)"
                   R"("started_at":"2024-01-15T10:30:00.123456Z","completed_at":"2024-01-15T10:30:00.456789Z",)"
                   R"("duration_ms":333,"status":"success","result":"Ding!","error":null,"attempt_number":1,)"
                   R"("id":)" +
                       id + R"(,"occurrence_id":)"));
}

TEST_CASE("an execution that is running has neither an end nor a duration") {
    Fixture api;
    api.log.record_start("slow");
    const auto body = api.body("/api/executions?status=running");
    CHECK(contains(body, R"("completed_at":null,"duration_ms":null,"status":"running","result":null,"error":null)"));
}

TEST_CASE("an execution without a handler is its own") {
    Fixture api;
    api.succeed("alone");
    CHECK(contains(api.body("/api/executions"), R"("job_id":"alone","handler_id":"alone")"));
}

TEST_CASE("filters apply before the limit") {
    Fixture api;
    for (int round = 0; round < 5; ++round) {
        api.succeed("wanted", "first");
        api.fail("other", "second");
    }
    CHECK(contains(api.body("/api/executions?job_id=wanted&limit=3"), R"({"count":3,"limit":3,)"));
    CHECK(contains(api.body("/api/executions?job_id=wanted&limit=3"), R"("total":5,)"));
    CHECK(contains(api.body("/api/executions?handler_id=second"), R"({"count":5,"limit":100,)"));
    CHECK(contains(api.body("/api/executions?status=error"), R"({"count":5,)"));
    CHECK(contains(api.body("/api/executions?status=error&job_id=wanted"), R"({"count":0,)"));
    CHECK(contains(api.body("/api/executions?job_id=nobody"), R"({"count":0,)"));
}

TEST_CASE("ids with other letters are found through their escapes") {
    Fixture api;
    api.succeed("tägliche arbeit/1+1");
    CHECK(contains(api.body("/api/executions?job_id=t%C3%A4gliche+arbeit%2F1%2B1"), R"({"count":1,)"));
}

TEST_CASE("every status may be asked for") {
    const Fixture api;
    for (const auto* word : {"success", "error", "running", "timeout", "queued", "cancelled", "abandoned", "skipped"}) {
        INFO(word);
        CHECK(api.get(std::string{"/api/executions?status="} + word).status == 200);
    }
}

TEST_CASE("an unknown status is refused and the known ones are named") {
    const Fixture api;
    for (const auto* word :
         {"failed", "SUCCESS", "", "success,eror", "success%20", "success,", ",success", "success,,error"}) {
        INFO(word);
        CHECK(api.refusal(std::string{"/api/executions?status="} + word) ==
              "status must be one of success, error, running, timeout, queued, cancelled, abandoned, skipped, or "
              "several of them parted by commas");
    }
}

TEST_CASE("several statuses are one list") {
    Fixture api;
    api.succeed("a");
    api.fail("b");
    api.log.record_start("c");
    CHECK(contains(api.body("/api/executions?status=error,running"), R"({"count":2,)"));
    CHECK(contains(api.body("/api/executions?status=error%2Csuccess&job_id=a"), R"({"count":1,)"));
}

TEST_CASE("every filter narrows the list, and the errors") {
    Fixture api; // its clock stands at 2024-01-15T10:30:00.123456Z
    const auto run = api.log.record_start("report", "reports", "daily", 2);
    api.clock.advance(1500us);
    api.log.record_error(run, "Disk FULL", daybook::Finality::retry_follows);
    api.clock.advance(24h);
    for (int round = 0; round < 3; ++round) { api.succeed("other", "others", "fine"); }
    const auto both = {"/api/executions", "/api/executions/errors"};
    for (const auto* filter :
         {"method_name=daily", "started_to=2024-01-15T10:30:00.123457Z", "started_to=2024-01-16",
          "started_from=2024-01-15&started_to=2024-01-15T12:00:00%2B01:00", "text=disk+full", "attempt_number=2",
          "final=false", "min_duration_ms=1.5", "min_duration_ms=1.2&max_duration_ms=1.5", "job_id=report"}) {
        for (const auto* path : both) {
            INFO(path << ' ' << filter);
            const auto body = api.body(std::string{path} + '?' + filter);
            CHECK(contains(body, R"({"count":1,)"));
            CHECK(contains(body, R"("job_id":"report")"));
        }
    }
    for (const auto* filter : {"method_name=run", "started_from=2024-01-16", "text=FINE", "attempt_number=1",
                               "final=true", "max_duration_ms=1.499999"}) {
        INFO(filter);
        CHECK(contains(api.body(std::string{"/api/executions?"} + filter), R"({"count":3,)"));
        CHECK(contains(api.body(std::string{"/api/executions/errors?"} + filter), R"({"count":0,)"));
    }
    for (const auto* filter : {"metadata_key=model", "metadata_key=model&metadata_value=", "text=nowhere",
                               "attempt_number=0", "min_duration_ms=99999999999999999999"}) {
        INFO(filter);
        CHECK(contains(api.body(std::string{"/api/executions?"} + filter), R"({"count":0,)"));
    }
    CHECK(contains(api.body("/api/executions?max_duration_ms=99999999999999999999"), R"({"count":4,)"));
}

TEST_CASE("a list may be sorted, and paged through in that order") {
    Fixture api;
    for (const auto* job : {"a", "b", "c"}) { api.succeed(job); }
    const auto first = [&](const char* sort) {
        const auto body = api.body(std::string{"/api/executions?limit=1&sort="} + sort);
        const std::string before = R"("job_id":")";
        const auto at = body.find(before);
        return at == std::string::npos ? std::string{} : body.substr(at + before.size(), 1);
    };
    CHECK(first("newest") == "c");
    CHECK(first("oldest") == "a");
    CHECK(first("longest") == "c");
    CHECK(first("shortest") == "c");
    CHECK(first("most_drift").empty());
    CHECK(first("least_drift").empty());
    const auto page = api.log.query({.sort = daybook::SortBy::longest, .limit = 1});
    CHECK(contains(api.body("/api/executions?sort=longest&cursor=" + page.next_cursor), R"({"count":2,)"));
    CHECK(api.refusal("/api/executions?cursor=" + page.next_cursor) ==
          "cursor must be the next_cursor of an earlier page, unchanged");
}

TEST_CASE("a page says how far it looked, and whether that was enough") {
    Fixture api;
    for (int round = 0; round < 5; ++round) { api.succeed("job"); }
    CHECK(contains(api.body("/api/executions?limit=2"), R"("scanned":3,"complete":true})"));
    CHECK(contains(api.body("/api/executions?limit=2&text=x"), R"("scanned":5,"complete":true})"));
}

TEST_CASE("a limit that is no whole number is refused") {
    const Fixture api;
    for (const auto* path : {"/api/executions", "/api/executions/errors"}) {
        for (const auto* value : {"-1", "ten", "1.5", "", "+5", "%20", "1e2"}) {
            INFO(path << " " << value);
            CHECK(api.refusal(std::string{path} + "?limit=" + value) == "limit must be a whole number, 0 or more");
        }
        CHECK(api.refusal(std::string{path} + "?limit=1&limit=2") == "limit is given more than once: give it once");
    }
}

TEST_CASE("a limit above the largest is lowered, and the one in effect is told") {
    const Fixture api;
    CHECK(contains(api.body("/api/executions?limit=1001"), R"("limit":1000,)"));
    CHECK(contains(api.body("/api/executions?limit=99999999999999999999999"), R"("limit":1000,)"));
    CHECK(contains(api.body("/api/executions/errors?limit=501"), R"("limit":500,)"));
    CHECK(contains(api.body("/api/executions/errors"), R"("limit":50,)"));
}

TEST_CASE("a limit of 0 tells the total alone") {
    Fixture api;
    api.succeed("job");
    CHECK(contains(api.body("/api/executions?limit=0"), R"({"count":0,"limit":0,"records":[],"total":1,)"));
}

TEST_CASE("parameters that nobody knows are ignored") {
    const Fixture api;
    CHECK(api.get("/api/executions?_=1700000000&_=2&Limit=x").status == 200);
    CHECK(api.get("/api/executions/stats?limit=x").status == 200);
}

TEST_CASE("other wrong parameters are refused by name") {
    const Fixture api;
    CHECK(api.refusal("/api/executions?skips=yes") == "skips must be include or leave_out");
    CHECK(api.refusal("/api/executions?offset=-1") == "offset must be a whole number, 0 or more");
    CHECK(api.refusal("/api/executions?job_id=") == "job_id must not be empty: leave it out to have them all");
    CHECK(api.refusal("/api/executions?handler_id=") == "handler_id must not be empty: leave it out to have them all");
    CHECK(api.refusal("/api/executions?cursor=nonsense!") ==
          "cursor must be the next_cursor of an earlier page, unchanged");
    CHECK(api.refusal("/api/executions?cursor=a&offset=1") == "offset and cursor do not go together: give one of them");
    for (const auto* name : {"started_from", "started_to"}) {
        for (const auto* value : {"", "yesterday", "1700000000", "2024-02-30", "2024-01-15T10:30:00",
                                  "2024-01-15T10:30:00+02:00", "2024-1-15"}) {
            INFO(name << ' ' << value);
            CHECK(api.refusal(std::string{"/api/executions?"} + name + '=' + value) ==
                  std::string{name} + " must be an instant such as 2024-01-15T10:30:00Z (the + of an offset is written "
                                      "%2B), or a day such as 2024-01-15");
        }
    }
    CHECK(api.refusal("/api/executions?started_from=2024-01-16&started_to=2024-01-15") ==
          "started_to must not be before started_from");
    for (const auto* name : {"min_duration_ms", "max_duration_ms"}) {
        for (const auto* value : {"", "-1", "1.", ".5", "1e3", "1,5", "5ms", "1.5.2"}) {
            INFO(name << ' ' << value);
            CHECK(api.refusal(std::string{"/api/executions?"} + name + '=' + value) ==
                  std::string{name} + " must be a number of milliseconds, 0 or more, such as 1500 or 0.25");
        }
    }
    CHECK(api.refusal("/api/executions?min_duration_ms=2&max_duration_ms=1.9") ==
          "max_duration_ms must not be less than min_duration_ms");
    CHECK(api.refusal("/api/executions?attempt_number=x") == "attempt_number must be a whole number, 0 or more");
    CHECK(api.refusal("/api/executions?final=yes") == "final must be true or false");
    CHECK(api.refusal("/api/executions?metadata_value=x") == "metadata_value needs metadata_key: give both");
    CHECK(api.refusal("/api/executions?sort=-duration") ==
          "sort must be one of newest, oldest, longest, shortest, most_drift, least_drift");
    CHECK(api.refusal("/api/executions?text=") == "text must not be empty: leave it out to have them all");
    CHECK(api.refusal("/api/executions?handler_id=%4") == "handler_id is not properly percent-encoded");
    CHECK(api.refusal("/api/executions?job_id=%00") == "job_id is not properly percent-encoded");
}

TEST_CASE("pages follow each other by cursor, and by offset") {
    Fixture api;
    for (int number = 0; number < 7; ++number) { api.succeed("job_" + std::to_string(number)); }
    std::string seen;
    std::string target = "/api/executions?limit=3";
    for (int page = 0; page < 10; ++page) {
        const auto body = api.body(target);
        for (int number = 0; number < 7; ++number) {
            if (contains(body, R"("job_id":"job_)" + std::to_string(number))) { seen += std::to_string(number); }
        }
        seen += ' ';
        const std::string before = R"("next_cursor":")";
        const auto at = body.find(before);
        if (at == std::string::npos) {
            CHECK(contains(body, R"("has_more":false,"next_cursor":null)"));
            break;
        }
        CHECK(contains(body, R"("has_more":true)"));
        const auto cursor = body.substr(at + before.size(), body.find('"', at + before.size()) - at - before.size());
        target = "/api/executions?limit=3&cursor=" + cursor;
    }
    CHECK(seen == "456 123 0 ");
    const auto by_offset = api.body("/api/executions?limit=3&offset=6");
    CHECK(contains(by_offset, R"({"count":1,)"));
    CHECK(contains(by_offset, R"("offset":6,)"));
    CHECK(contains(api.body("/api/executions?offset=99999999999999999999"), R"({"count":0,)"));
}

TEST_CASE("a log in parts is listed and counted as one in one part is") {
    Fixture api;
    daybook::JobExecutionLog<> parts{daybook::LogOptions{.capacity = 1000, .shards = 3, .clock = api.clock}};
    http::Router other{{.authorize = http::allow_changes()}};
    other.add(http::executions_api(parts));
    for (int number = 0; number < 30; ++number) {
        const auto job = "job_" + std::to_string(number % 4);
        std::thread{[&] { // each has a part of its own, in turn
            const auto one = api.log.record_start(job, {}, "run");
            const auto another = parts.record_start(job, {}, "run");
            api.clock.advance(std::chrono::milliseconds{1 + number % 7});
            if (number % 3 == 0) {
                api.log.record_error(one, "it broke");
                parts.record_error(another, "it broke");
            } else {
                api.log.record_success(one, std::to_string(number));
                parts.record_success(another, std::to_string(number));
            }
        }}
            .join();
        api.clock.advance(1ms);
    }
    /// A body without what numbers of executions and places in a list are in it: those a log gives as it likes.
    const auto without_ids = [](std::string body) {
        for (const std::string name : {"\"id\":", "\"occurrence_id\":", "\"next_cursor\":", "\"scanned\":"}) {
            for (auto at = body.find(name); at != std::string::npos; at = body.find(name, at)) {
                at += name.size();
                body.erase(at, body.find_first_of(",}", at) - at);
            }
        }
        return body;
    };
    for (const auto* target :
         {"/api/executions?limit=12", "/api/executions?limit=12&offset=7&sort=longest", "/api/executions?sort=oldest",
          "/api/executions?job_id=job_2", "/api/executions?status=error&text=broke", "/api/executions/errors?limit=4",
          "/api/executions/stats", "/api/executions/stats/timeline"}) {
        INFO(target);
        const auto expected = api.get(target);
        const auto shown = other.handle({.target = target});
        CHECK(shown.status == expected.status);
        CHECK(without_ids(shown.body) == without_ids(expected.body));
    }
    const auto first = other.handle({.target = "/api/executions?limit=20"}).body;
    const std::string before = R"("next_cursor":")";
    const auto at = first.find(before) + before.size();
    const auto rest =
        other.handle({.target = "/api/executions?limit=20&cursor=" + first.substr(at, first.find('"', at) - at)});
    CHECK(contains(rest.body, R"({"count":10,)"));
}

TEST_CASE("errors are listed under errors, the newest first, and without a result") {
    Fixture api;
    api.fail("a");
    api.succeed("b");
    api.log.record_timeout(api.log.record_start("c"));
    const auto body = api.body("/api/executions/errors?limit=10");
    CHECK(body.starts_with(R"({"count":2,"limit":10,"errors":[{"job_id":"c",)"));
    CHECK(contains(body, R"("duration_ms":1,"status":"error","error":"it broke","attempt_number":1,)"));
    CHECK_FALSE(contains(body, "\"result\""));
    CHECK_FALSE(contains(body, "\"records\""));
}

TEST_CASE("errors have a cursor and an offset, and can be filtered") {
    Fixture api;
    for (const auto* job : {"a", "b", "a"}) { api.fail(job); }
    const auto page = api.log.errors(1);
    const auto rest = api.body("/api/executions/errors?limit=5&cursor=" + page.next_cursor);
    CHECK(contains(rest, R"({"count":2,)"));
    CHECK(contains(api.body("/api/executions/errors?offset=2"), R"({"count":1,)"));
    CHECK(contains(api.body("/api/executions/errors?job_id=b"), R"({"count":1,)"));
    CHECK(contains(api.body("/api/executions/errors?handler_id=none"), R"({"count":0,)"));
    CHECK(api.refusal("/api/executions/errors?cursor=x").starts_with("cursor must be the next_cursor"));
}

TEST_CASE("an error that is retried is listed as not final") {
    Fixture api;
    api.log.record_error(api.log.record_start("flaky", {}, {}, 2), "again", daybook::Finality::retry_follows);
    const auto body = api.body("/api/executions/errors");
    CHECK(contains(body, R"("attempt_number":2,)"));
    CHECK(contains(body, R"("is_final":false,)"));
}

TEST_CASE("figures of nothing are a rate of 100 and averages of 0") {
    const Fixture api;
    CHECK(api.body("/api/executions/stats")
              .starts_with(R"({"total_executions":0,"success_count":0,"error_count":0,"success_rate":100.0,)"
                           R"("average_duration_ms":0.0,"by_handler":{},"buffer_utilization":0.0,)"));
}

TEST_CASE("figures have the fields of the format, in all and by handler, with both names for the counts") {
    Fixture api;
    api.succeed("a", "good");
    api.succeed("b", "mixed");
    api.fail("b", "mixed");
    const auto body = api.body("/api/executions/stats");
    CHECK(body.starts_with(R"({"total_executions":3,"success_count":2,"error_count":1,"success_rate":66.67,)"
                           R"("average_duration_ms":1.0,"by_handler":{"good":{"total":1,"success":1,"error":0,)"
                           R"("success_rate":100.0,"avg_duration_ms":1.0,"total_executions":1,"success_count":1,)"
                           R"("error_count":0,)"));
    CHECK(contains(body, R"("mixed":{"total":2,"success":1,"error":1,"success_rate":50.0,"avg_duration_ms":1.0,)"));
    CHECK(contains(body, R"(,"buffer_utilization":0.003,)"));
    for (const auto* field : {"running", "queued", "timeout_count", "abandoned_count", "cancelled_count",
                              "skipped_count", "retry_count", "retained", "lifetime_executions", "p50_ms", "p95_ms",
                              "p99_ms", "drift", "queue_delay", "by_job", "by_status"}) {
        INFO(field);
        CHECK(count(body, std::string{"\""} + field + "\":") >= 1);
    }
}

TEST_CASE("figures say since when they count, what was ever counted, and how much there was lately") {
    Fixture api;
    api.succeed("a");
    api.log.record_skip("a", daybook::SkipReason::overlap, {}, 3);
    api.log.clear();
    api.fail("a");
    const auto body = api.body("/api/executions/stats");
    CHECK(contains(body,
                   R"("lifetime_executions":2,"lifetime":{"total_executions":2,"success_count":1,"error_count":1,)"));
    CHECK(contains(body, R"("counted_since":")" + daybook::format_timestamp(api.log.stats().counted_since)));
    CHECK(contains(body, R"("skips_by_reason":{"cancelled_while_queued":0,)"));
    CHECK(contains(body, R"("rates":{"last_minute":{"executions":1,"errors":1,"per_minute":1.0},"last_5_minutes":{)"));
    CHECK(contains(body, R"("last_hour":{"executions":1,"errors":1,"per_minute":0.017}})"));
    CHECK(count(body, R"("p999_ms":)") >= 4);
}

TEST_CASE("the timeline has the resolution and the length that one asks for") {
    Fixture api;
    api.succeed("a");
    api.clock.advance(1h);
    api.succeed("a");
    const auto stats = api.log.stats();
    REQUIRE(stats.timeline.hours.size() == 2);
    const auto begin = daybook::format_timestamp(stats.timeline.hours[1].begin);
    const auto body = api.body("/api/executions/stats");
    CHECK(contains(body, R"("timeline_resolution":"hour","timeline":[{"timestamp":)"));
    CHECK(count(body, R"("timestamp":)") == 2);
    CHECK(contains(body, R"({"timestamp":")" + begin + R"(","total_executions":1,"success_count":1,"error_count":0,)"));
    CHECK(count(api.body("/api/executions/stats?buckets=1"), R"("timestamp":)") == 1);
    CHECK(contains(api.body("/api/executions/stats?buckets=1"), begin));
    CHECK(contains(api.body("/api/executions/stats?buckets=0"), R"("timeline":[])"));
    CHECK(contains(api.body("/api/executions/stats?timeline=minute"), R"("timeline_resolution":"minute")"));
    CHECK(contains(api.body("/api/executions/stats?timeline=day"), R"("timeline_resolution":"day")"));
    CHECK(!contains(api.body("/api/executions/stats?timeline=none"), "timeline"));
    CHECK(api.refusal("/api/executions/stats?timeline=week") == "timeline must be minute, hour, day or none");
    CHECK(api.refusal("/api/executions/stats?buckets=x") == "buckets must be a whole number, 0 or more");
}

TEST_CASE("figures of a range of time come from whole hours, and say so") {
    Fixture api;
    api.succeed("a", "good");
    api.clock.advance(2h);
    api.fail("b", "bad");
    const auto hour = daybook::sys_time{std::chrono::floor<std::chrono::hours>(api.clock.now())};
    const auto from = daybook::format_timestamp(hour);
    const auto body = api.body("/api/executions/stats?from=" + from);
    CHECK(body.starts_with(R"({"total_executions":1,"success_count":0,"error_count":1,"success_rate":0.0,)"
                           R"("average_duration_ms":1.0,"by_handler":{"bad":{"total":1,"success":0,"error":1,)"));
    CHECK(contains(body, R"("from":")" + from + R"(","to":")" + daybook::format_timestamp(hour + 1h) +
                             R"(","resolution_seconds":3600,"is_complete":true,)"));
    CHECK(contains(body, R"("timeline_resolution":"hour","timeline":[{"timestamp":")" + from));
    const auto before = api.body("/api/executions/stats?to=" + from);
    CHECK(before.starts_with(R"({"total_executions":1,"success_count":1,)"));
    CHECK(contains(before, R"("is_complete":false)"));
    CHECK(api.refusal("/api/executions/stats?from=2024-01-02&to=2024-01-01") == "to must not be before from");
    CHECK(api.refusal("/api/executions/stats?from=yesterday").starts_with("from must be an instant such as"));
}

TEST_CASE("one execution is found by its id") {
    Fixture api;
    const auto run = api.log.record_start("one");
    api.log.record_success(run, "done");
    const auto path = "/api/executions/" + std::to_string(run.id);
    CHECK(api.body(path).starts_with(R"({"job_id":"one",)"));
    CHECK(contains(api.body(path), R"("result":"done")"));
}

TEST_CASE("an id that no execution has is 404") {
    Fixture api;
    api.succeed("one");
    for (const auto* id : {"0", "999999", "x", "-1", "1x", "99999999999999999999999", "1%20"}) {
        INFO(id);
        CHECK(api.get(std::string{"/api/executions/"} + id).status == 404);
    }
}

TEST_CASE("clear answers with how many records it removed, and the next page is empty") {
    Fixture api;
    for (int round = 0; round < 3; ++round) { api.succeed("job"); }
    const auto response = api.router.handle({.method = "POST", .target = "/api/executions/clear"});
    CHECK(response.status == 200);
    CHECK(response.body == R"({"status":"success","message":"Execution history cleared","records_cleared":3})");
    CHECK(contains(api.body("/api/executions"), R"({"count":0,)"));
    CHECK(api.body("/api/executions/stats").starts_with(R"({"total_executions":0,)"));
}

TEST_CASE("clear keeps what is running") {
    Fixture api;
    api.log.record_start("slow");
    CHECK(contains(api.router.handle({.method = "POST", .target = "/api/executions/clear"}).body,
                   R"("records_cleared":0)"));
    CHECK(contains(api.body("/api/executions"), R"({"count":1,)"));
}

TEST_CASE("clear is closed until a hook opens it, and is a POST") {
    Fixture api;
    api.succeed("job");
    http::Router closed;
    closed.add(http::executions_api(api.log));
    CHECK(closed.handle({.method = "POST", .target = "/api/executions/clear"}).status == 403);
    CHECK(api.log.size() == 1);
    for (const auto* method : {"GET", "PUT", "DELETE"}) {
        INFO(method);
        const auto response = api.router.handle({.method = method, .target = "/api/executions/clear"});
        CHECK(response.status == 405);
        CHECK(*response.header("Allow") == "POST, OPTIONS");
    }
    CHECK(api.log.size() == 1);
}

TEST_CASE("skips are left out of lists unless asked for") {
    Fixture api;
    api.log.record_skip("busy", daybook::SkipReason::overlap, {}, 3);
    CHECK(contains(api.body("/api/executions"), R"({"count":0,)"));
    for (const auto* query : {"?skips=include", "?status=skipped"}) {
        INFO(query);
        const auto body = api.body(std::string{"/api/executions"} + query);
        CHECK(contains(body, R"({"count":1,)"));
        CHECK(contains(body, R"("started_at":null,)"));
        CHECK(contains(body, R"("status":"skipped",)"));
        CHECK(contains(body, R"("skip_count":3,"count_is_minimum":false,"reason":"overlap")"));
    }
}

TEST_CASE("a router outlives the log that it shows") {
    http::Router router;
    {
        daybook::JobExecutionLog log{10};
        router.add(http::executions_api(log));
        log.record_success(log.record_start("gone"), "still here");
    }
    CHECK(contains(router.handle({.target = "/api/executions"}).body, "still here"));
}

TEST_CASE("what jobs say cannot break out of the document") {
    Fixture api;
    api.succeed("job\"},{\"x\":\"", "h\n", "\xFF\"]}");
    const auto body = api.body("/api/executions");
    CHECK(contains(body, R"("job_id":"job\"},{\"x\":\"",)"));
    CHECK(contains(body, R"("handler_id":"h\n",)"));
    CHECK(contains(body, "\"result\":\"\xEF\xBF\xBD\\\"]}\""));
    CHECK(contains(api.body("/api/executions/stats"), R"("by_handler":{"h\n":{)"));
}

TEST_CASE("a job that returns nothing has null for a result") {
    daybook::JobExecutionLog<std::monostate> log{10};
    http::Router router;
    router.add(http::executions_api(log));
    log.record_success(log.record_start("quiet"), std::monostate{});
    CHECK(contains(router.handle({.target = "/api/executions"}).body, R"("result":null,)"));
}

TEST_CASE("two logs stand side by side under different prefixes only") {
    daybook::JobExecutionLog one{10};
    http::Router router;
    router.add(http::executions_api(one));
    CHECK_THROWS_AS(router.add(http::executions_api(one)), std::invalid_argument);
}
