// SPDX-License-Identifier: MIT
#include "support/catch.hpp"

#include <daybook/detail/execution_slot.hpp>
#include <daybook/detail/page_rows.hpp>
#include <daybook/detail/record_facts.hpp>
#include <daybook/log/job_execution_log.hpp>
#include <daybook/time/manual_clock.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

namespace {

using namespace daybook;
using namespace std::chrono_literals;

template <class Result>
using Records = std::vector<JobExecutionRecord<Result>>;

template <class Result>
Records<Result> records_of(const detail::PageRows<Result>& rows) {
    Records<Result> records;
    rows.for_each([&](const JobExecutionRecord<Result>& record) { records.push_back(record); });
    return records;
}

auto parts_of(const ExecutionFacts& of) {
    return std::tuple{of.id,
                      of.occurrence_id,
                      of.job_id,
                      of.handler_id,
                      of.method_name,
                      of.queued_at,
                      of.scheduled_at,
                      of.started_at,
                      of.completed_at,
                      of.duration,
                      of.status,
                      of.error,
                      of.attempt_number,
                      of.is_final,
                      of.trigger,
                      of.progress,
                      of.worker,
                      of.reason,
                      of.skip_count,
                      of.skip_count_is_minimum,
                      of.parameters,
                      of.log_text,
                      of.metadata,
                      of.dst,
                      of.node,
                      of.records_processed};
}

template <class Result>
bool is_same(const JobExecutionRecord<Result>& one, const JobExecutionRecord<Result>& other) {
    return parts_of(one) == parts_of(other) && one.result == other.result;
}

/// That both ways of asking give the same; how many records that were.
template <class Result>
std::size_t compare(const JobExecutionLog<Result>& log, const ExecutionQuery& query) {
    const auto page = log.query(query);
    const detail::PageRows<Result> rows{log, query};
    const auto records = records_of(rows);
    REQUIRE(rows.size() == page.records.size());
    REQUIRE(records.size() == page.records.size());
    for (std::size_t index = 0; index < records.size(); ++index) {
        CAPTURE(index);
        CHECK(is_same(records[index], page.records[index]));
    }
    CHECK(rows.facts().records.empty());
    CHECK(rows.facts().total.count == page.total.count);
    CHECK(rows.facts().total.is_exact == page.total.is_exact);
    CHECK(rows.facts().offset == page.offset);
    CHECK(rows.facts().has_more == page.has_more);
    CHECK(rows.facts().next_cursor == page.next_cursor);
    CHECK(rows.facts().scanned == page.scanned);
    CHECK(rows.facts().complete == page.complete);
    CHECK(rows.facts().passed == page.passed);
    return records.size();
}

/// Neighbours differ in everything that one may have and the next not.
JobExecutionLog<> mixed_log(ManualClock& clock) {
    JobExecutionLog<> log{LogOptions{.capacity = 1000, .clock = clock}};
    for (std::size_t number = 0; number < 300; ++number) {
        const auto text = std::to_string(number);
        ExecutionStart start{.job_id = "job", .handler_id = "handler"};
        const auto parameters = "parameters of " + text;
        const auto long_name = std::string(number % 250, 'n') + text;
        if (number % 3 == 0) { start.job_id = long_name; }
        if (number % 5 == 0) { start.method_name = long_name; }
        if (number % 2 == 0) { start.scheduled_at = clock.now(); }
        if (number % 7 == 0) { start.parameters = parameters; }
        clock.advance(1s);
        if (number % 11 == 0) {
            log.record_skip(start, SkipReason::overlap, number + 1);
            continue;
        }
        if (number % 13 == 0) {
            log.record_queued(start);
            continue;
        }
        const auto execution = log.record_start(start);
        if (number % 17 == 0) { continue; } // runs
        if (number % 4 == 0) { log.record_processed(execution, number); }
        clock.advance(1500us);
        switch (number % 6) {
        case 0: log.record_success(execution); break;
        case 1: log.record_success(execution, "a result of some length: " + text); break;
        case 2: log.record_error(execution, "an error of some length: " + text, Finality::retry_follows); break;
        case 3: log.record_timeout(execution); break;
        case 4: log.record_success(execution, ""); break;
        default: log.record_cancelled(execution, "why: " + text); break;
        }
    }
    return log;
}

TEST_CASE("the rows of a page are the records of the same page") {
    ManualClock clock;
    const auto log = mixed_log(clock);
    CHECK(compare(log, {.limit = 1000}) > 250);
    CHECK(compare(log, {.skips = Skips::include, .limit = 1000}) == 300);
    CHECK(compare(log, {.skips = Skips::include, .sort = SortBy::oldest, .limit = 1000}) == 300);
    CHECK(compare(log, {.sort = SortBy::longest, .limit = 50}) == 50);
    CHECK(compare(log, {.text = "some length", .limit = 20}) == 20);
    CHECK(compare(log, {.limit = 7, .offset = 90}) == 7);
    CHECK(compare(log, {.limit = 0}) == 0);
    CHECK(compare(log, {.job_id = "nobody"}) == 0);
    CHECK(compare(log, {.limit = 5, .max_scanned = 1}) == 5);
}

TEST_CASE("pages of rows are followed by their cursors") {
    ManualClock clock;
    const auto log = mixed_log(clock);
    ExecutionQuery query{.skips = Skips::include, .limit = 33};
    std::size_t seen = 0;
    do {
        seen += compare(log, query);
        query.cursor = detail::PageRows<std::string>{log, query}.facts().next_cursor;
    } while (!query.cursor.empty());
    CHECK(seen == 300);
}

TEST_CASE("rows are what was asked for, whatever becomes of the log") {
    ManualClock clock;
    auto log = mixed_log(clock);
    const ExecutionQuery query{.skips = Skips::include, .limit = 1000};
    const auto page = log.query(query);
    const detail::PageRows<std::string> rows{log, query};
    log.clear();
    for (int number = 0; number < 400; ++number) {
        log.record_success(log.record_start("another job with a long name"), "another result, which is long");
    }
    for (int round = 0; round < 2; ++round) {
        const auto records = records_of(rows);
        REQUIRE(records.size() == page.records.size());
        for (std::size_t index = 0; index < records.size(); ++index) {
            CHECK(is_same(records[index], page.records[index]));
        }
    }
}

TEST_CASE("nothing of the record before is left in a record that is overwritten") {
    detail::ExecutionSlot slot;
    slot.status = JobStatus::success;
    slot.ran = true;
    slot.id = slot.occurrence_id = slot.count = slot.worker = 3;
    slot.started_at = slot.queued_at = slot.scheduled_at = slot.steady = 1'000'000;
    slot.extras = std::make_unique<detail::ExecutionExtras>();
    slot.extras->progress = Progress{1, 2, 3};
    slot.extras->log_text = slot.extras->parameters = "text";
    slot.extras->metadata = {{"key", "value"}};
    ExecutionFacts facts;
    detail::copy_facts(slot, {"job", "handler", "method"}, facts);
    CHECK(facts.duration == 1ms);
    CHECK(facts.records_processed == 3);
    CHECK(facts.progress == Progress{1, 2, 3});
    CHECK(facts.metadata.size() == 1);

    for (const JobStatus status : {JobStatus::queued, JobStatus::running, JobStatus::skipped}) {
        detail::ExecutionSlot other;
        other.status = status;
        ExecutionFacts fresh;
        auto used = facts;
        detail::copy_facts(other, {"another", "", ""}, fresh);
        detail::copy_facts(other, {"another", "", ""}, used);
        CHECK(parts_of(used) == parts_of(fresh));
    }
}

TEST_CASE("rows have results of any type") {
    JobExecutionLog<int> numbers{10};
    numbers.record_success(numbers.record_start("counted"), 42);
    numbers.record_success(numbers.record_start("nothing returned"));
    numbers.record_success(numbers.record_start("counted again"), 7);
    CHECK(compare(numbers, {}) == 3);
    CHECK(records_of(detail::PageRows<int>{numbers, {}})[1].result == std::nullopt);

    JobExecutionLog<std::monostate> nothing{10};
    nothing.record_success(nothing.record_start("job"));
    CHECK(compare(nothing, {}) == 1);
}

TEST_CASE("a cursor that is none is refused for rows as well") {
    const JobExecutionLog<> log{10};
    CHECK_THROWS_AS((detail::PageRows<std::string>{log, {.cursor = "x"}}), std::invalid_argument);
}

} // namespace
