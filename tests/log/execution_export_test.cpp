// SPDX-License-Identifier: MIT
#include <daybook/log/execution_export.hpp>
#include <daybook/time/manual_clock.hpp>

#include "log_test_support.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

using namespace daybook;
using namespace log_test;
using namespace std::chrono_literals;

namespace {

struct Report {
    std::string title;
};

} // namespace

template <>
struct daybook::ResultCodec<Report> {
    static void write_json(JsonWriter& writer, const Report& report) {
        writer.raw("{\n  \"title\": \"" + report.title + "\"\r\n}");
    }
    static Report limited(Report report, std::size_t) { return report; }
};

namespace {

const std::string columns = "job_id,handler_id,method_name,started_at,completed_at,duration_ms,status,result,error,"
                            "attempt_number,id,occurrence_id,scheduled_at,queued_at,is_final,trigger,"
                            "records_processed,progress_done,progress_total,progress_failed,worker,node,skip_count,"
                            "count_is_minimum,reason,dst,log_text,parameters,metadata\r\n";

template <class Result>
std::string csv(const JobExecutionLog<Result>& log, const ExecutionQuery& query = {},
                const ExportOptions& options = {}) {
    std::string all;
    const auto report = write_csv(
        log, query, [&](std::string_view piece) { all += piece; }, options);
    CHECK(report.bytes == all.size());
    return all;
}

template <class Result>
std::string json(const JobExecutionLog<Result>& log, const ExecutionQuery& query = {},
                 const ExportOptions& options = {}) {
    std::string all;
    const auto report = write_json_lines(
        log, query, [&](std::string_view piece) { all += piece; }, options);
    CHECK(report.bytes == all.size());
    return all;
}

/// The first cell of each line, but of the header.
Names first_cells(const std::string& text) {
    Names found;
    for (std::size_t line = text.find("\r\n") + 2; line < text.size(); line = text.find("\r\n", line) + 2) {
        found.push_back(text.substr(line, text.find(',', line) - line));
    }
    return found;
}

std::size_t lines(const std::string& text) {
    std::size_t count = 0;
    for (const char byte : text) { count += byte == '\n' ? 1U : 0U; }
    return count;
}

} // namespace

TEST_CASE("an export of nothing is a header, or no line at all") {
    const JobExecutionLog<> log{10};
    CHECK(csv(log) == columns);
    CHECK(json(log).empty());
}

TEST_CASE("a record is a line with a cell for every field") {
    ManualClock clock{std::chrono::sys_days{2024y / 1 / 15} + 10h};
    JobExecutionLog<> log{with_clock(clock)};
    const auto run = log.record_queued(
        {.job_id = "ding, dong", .handler_id = "bell", .method_name = "ring", .attempt_number = 2, .parameters = "{}"});
    clock.advance(1s);
    log.record_running(run, 3);
    log.record_processed(run, 7);
    clock.advance(1234567ns);
    log.record_success(run, "Ding \"Dong\"");
    CHECK(csv(log) == columns + "\"ding, dong\",bell,ring,2024-01-15T10:00:01.000000Z,2024-01-15T10:00:01.001234Z,"
                                "1.235,success,\"Ding \"\"Dong\"\"\",,2,1,1,,2024-01-15T10:00:00.000000Z,true,manual,"
                                "7,,,,3,,,,,,,{},\r\n");
}

TEST_CASE("a skip says how many it stands for, and why") {
    ManualClock clock{std::chrono::sys_days{2024y / 1 / 15}};
    JobExecutionLog<> log{with_clock(clock)};
    log.record_skip("job", SkipReason::overlap, {}, 4);
    CHECK(csv(log, {.skips = Skips::include}) ==
          columns + "job,job,,,2024-01-15T00:00:00.000000Z,,skipped,,,1,1,1,,,true,schedule,,,,,,,4,false,overlap,,,,"
                    "\r\n");
}

TEST_CASE("what a job says cannot become a formula") {
    JobExecutionLog<> log{10};
    log.record_error(log.record_start("job"), "=HYPERLINK(\"http://x\")");
    CHECK(csv(log).find(",\"'=HYPERLINK(\"\"http://x\"\")\",") != std::string::npos);
    CHECK(csv(log, {}, {.formulas = CsvFormulas::keep}).find(",\"=HYPERLINK(\"\"http://x\"\")\",") !=
          std::string::npos);
}

TEST_CASE("results are cells by their type") {
    SECTION("a number is itself") {
        JobExecutionLog<double> log{10};
        log.record_success(log.record_start("job"), -1.5);
        CHECK(csv(log).find(",success,-1.5,,1,") != std::string::npos);
    }
    SECTION("nothing is an empty cell") {
        JobExecutionLog<std::monostate> log{10};
        log.record_success(log.record_start("job"), {});
        CHECK(csv(log).find(",success,,,1,") != std::string::npos);
    }
    SECTION("anything else is its JSON") {
        JobExecutionLog<Report> log{10};
        log.record_success(log.record_start("job"), Report{"x"});
        CHECK(csv(log).find(",success,\"{\n  \"\"title\"\": \"\"x\"\"\r\n}\",,1,") != std::string::npos);
    }
}

TEST_CASE("a line of JSON is the record as the list has it, on one line whatever a codec writes") {
    JobExecutionLog<Report> log{10};
    const auto run = log.record_start("job");
    log.record_success(run, Report{"x"});
    log.record_error(log.record_start("other"), "two\nlines");
    const auto text = json(log);
    CHECK(lines(text) == 2);
    CHECK(text.starts_with("{\"job_id\":\"other\",\"handler_id\":\"other\","));
    CHECK(text.find("\"error\":\"two\\nlines\"") != std::string::npos);
    CHECK(text.find("\"result\":{   \"title\": \"x\"  }") != std::string::npos);
    CHECK(text.ends_with("}\n"));
}

TEST_CASE("an export holds every match of its query, however small its pages") {
    JobExecutionLog<> log{1000};
    Names expected;
    for (int i = 0; i < 250; ++i) {
        fail(log, "other");
        const std::string job = "job" + std::to_string(i);
        succeed(log, job);
        expected.insert(expected.begin(), job);
    }
    const ExecutionQuery query{.status = JobStatus::success, .limit = 5};
    for (const std::size_t page : {0U, 1U, 7U, 250U, 500U}) {
        CHECK(first_cells(csv(log, query, {.page = page})) == expected);
        CHECK(lines(json(log, query, {.page = page})) == 250);
    }
    expected.erase(expected.begin(), expected.begin() + 10);
    CHECK(first_cells(csv(log, {.status = JobStatus::success, .offset = 10}, {.page = 7})) == expected);
}

TEST_CASE("other orders are exported in full as well") {
    ManualClock clock;
    JobExecutionLog<> log{with_clock(clock)};
    for (const int length : {3, 1, 2}) {
        const auto run = log.record_start(std::to_string(length));
        clock.advance(std::chrono::seconds{length});
        log.record_success(run);
    }
    CHECK(first_cells(csv(log, {.sort = SortBy::longest}, {.page = 1})) == Names{"3", "2", "1"});
    CHECK(first_cells(csv(log, {.sort = SortBy::oldest}, {.page = 2})) == Names{"3", "1", "2"});
}

TEST_CASE("an export that looks at many records and finds few goes on to the end") {
    JobExecutionLog<> log{5000};
    log.record_error(log.record_start("first"), "needle");
    for (int i = 0; i < 3000; ++i) { succeed(log, "job"); }
    CHECK(first_cells(csv(log, {.text = "needle", .max_scanned = 100})) == Names{"first"});
}

TEST_CASE("an export with a limit says where to go on") {
    JobExecutionLog<> log{100};
    for (int i = 0; i < 10; ++i) { succeed(log, std::to_string(i)); }
    std::string text;
    const auto sink = [&](std::string_view piece) { text += piece; };
    const auto report = write_csv(log, {}, sink, {.max_records = 4, .page = 3});
    CHECK(report.records == 4);
    CHECK(first_cells(text) == Names{"9", "8", "7", "6"});
    text.clear();
    const auto rest = write_csv(log, {.cursor = report.next_cursor}, sink);
    CHECK(rest.records == 6);
    CHECK(rest.next_cursor.empty());
    CHECK(first_cells(text) == Names{"5", "4", "3", "2", "1", "0"});
    const auto all = write_csv(log, {}, sink, {.max_records = 10});
    CHECK(all.next_cursor.empty());
    const auto none = write_csv(log, {.cursor = report.next_cursor}, sink, {.max_records = 0});
    CHECK(none.records == 0);
    CHECK(none.next_cursor == report.next_cursor);
}

TEST_CASE("an export with a limit of bytes begins no page beyond it") {
    JobExecutionLog<> log{1000};
    for (int i = 0; i < 1000; ++i) { log.record_success(log.record_start("job"), std::string(1000, 'x')); }
    const auto report = write_json_lines(log, {}, [](std::string_view) {}, {.max_bytes = 100'000, .page = 10});
    CHECK(report.bytes > 100'000);
    CHECK(report.bytes < 120'000);
    CHECK_FALSE(report.next_cursor.empty());
}

TEST_CASE("the sink gets pieces, not all at once") {
    JobExecutionLog<> log{1000};
    for (int i = 0; i < 1000; ++i) { log.record_success(log.record_start("job"), std::string(100, 'x')); }
    std::size_t pieces = 0;
    std::size_t largest = 0;
    std::uint64_t sum = 0;
    const auto report = write_csv(log, {}, [&](std::string_view piece) {
        ++pieces;
        sum += piece.size();
        largest = std::max(largest, piece.size());
    });
    CHECK(report.records == 1000);
    CHECK(report.bytes == sum);
    CHECK(largest < 17'000);
    CHECK(pieces >= sum / largest);
}

TEST_CASE("a sink may record and ask, and what comes meanwhile is not in the export") {
    JobExecutionLog<> log{10'000};
    for (int i = 0; i < 1000; ++i) { succeed(log, "job"); }
    const auto report = write_csv(log, {}, [&](std::string_view) {
        succeed(log, "meanwhile");
        (void)log.query();
    });
    CHECK(report.records == 1000);
}

TEST_CASE("an export from the oldest on comes to an end, however fast others finish") {
    JobExecutionLog<> log{LogOptions{.capacity = 20, .max_running = 5, .max_text_bytes = 40'000}};
    const auto record = [&] { log.record_success(log.record_start("job"), std::string(20'000, 'x')); };
    for (int i = 0; i < 20; ++i) { record(); }
    const auto report = write_csv(log, {.sort = SortBy::oldest},
                                  [&](std::string_view) {
                                      record();
                                      record();
                                  },
                                  {.page = 1});
    CHECK(report.records == 25);
    CHECK_FALSE(report.next_cursor.empty());
}

TEST_CASE("what a sink throws ends the export, and a bad cursor is refused before anything is written") {
    JobExecutionLog<> log{10};
    succeed(log, "job");
    CHECK_THROWS_AS(write_csv(log, {}, [](std::string_view) { throw std::runtime_error{"full"}; }), std::runtime_error);
    std::string text;
    CHECK_THROWS_AS(write_csv(log, {.cursor = "nonsense"}, [&](std::string_view piece) { text += piece; }),
                    std::invalid_argument);
    CHECK(text.empty());
}

TEST_CASE("an export in another order is complete, however much there is to look at") {
    JobExecutionLog<> log{2000};
    for (int i = 0; i < 2000; ++i) { succeed(log, "job"); }
    const auto report = write_csv(log, {.sort = SortBy::longest, .max_scanned = 500}, [](std::string_view) {});
    CHECK(report.records == 2000);
    CHECK(report.complete);
}

TEST_CASE("an export passes over its offset once, however many pages that takes") {
    JobExecutionLog<> log{2000};
    for (int i = 0; i < 2000; ++i) { succeed(log, "job"); }
    const auto nowhere = [](std::string_view) {};
    CHECK(write_csv(log, {.attempt_number = 1, .offset = 1700, .max_scanned = 500}, nowhere).records == 300);
    CHECK(write_csv(log, {.sort = SortBy::longest, .offset = 1700}, nowhere, {.page = 7}).records == 300);
}

TEST_CASE("an export that writes no record although there are some is not complete") {
    JobExecutionLog<> log{10};
    for (int i = 0; i < 10; ++i) { succeed(log, "job"); }
    const auto nowhere = [](std::string_view) {};
    CHECK_FALSE(write_csv(log, {}, nowhere, {.max_bytes = 100}).complete);
    CHECK_FALSE(write_json_lines(log, {}, nowhere, {.max_records = 0}).complete);
    CHECK(write_json_lines(log, {}, nowhere).complete);
}

TEST_CASE("an export that stops at its limit is complete with what its cursor leads to") {
    JobExecutionLog<> log{10};
    for (int i = 0; i < 10; ++i) { succeed(log, "job"); }
    const auto report = write_json_lines(log, {}, [](std::string_view) {}, {.max_records = 4});
    CHECK(report.complete);
    CHECK_FALSE(report.next_cursor.empty());
}

TEST_CASE("an export that loses its place is not complete") {
    JobExecutionLog<> log{LogOptions{.capacity = 1000, .max_running = 10'000}};
    for (int i = 0; i < 6000; ++i) { log.record_start("long"); }
    for (int i = 0; i < 40'000; ++i) { succeed(log, "short"); }
    // An odd order is that of a skip, and there is none; so far from both ends nobody looks for its place.
    const auto report =
        write_csv(log, {.status = JobStatus::running, .cursor = "6001.99999999"}, [](std::string_view) {});
    CHECK(report.records == 0);
    CHECK(report.next_cursor.empty());
    CHECK_FALSE(report.complete);
}
