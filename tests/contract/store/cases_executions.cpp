// SPDX-License-Identifier: MIT
#include "contract/store/store_contract.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <limits>
#include <random>

using namespace daybook;
using namespace store_contract;

namespace {

StoredExecution full() {
    StoredExecution one = execution((ExecutionId{1} << 53U) - 1, 1'700'000'000'123'456, JobStatus::error);
    one.occurrence_id = 17;
    one.job_id = "job";
    one.handler_id = "handler";
    one.method_name = "method";
    one.scheduled_at = at(1'700'000'000'123'400);
    one.queued_at = at(1'700'000'000'123'401);
    one.duration = std::chrono::nanoseconds{123'456'789'012'345};
    one.error = "why";
    one.result = R"({"rows":[1,2,3]})";
    one.attempt_number = std::numeric_limits<std::uint32_t>::max();
    one.is_final = true;
    one.trigger = Trigger::catch_up;
    one.records_processed = 99;
    one.progress = Progress{1, 2, 3};
    one.worker = std::numeric_limits<std::uint32_t>::max() - 1;
    one.node = "some node";
    one.dst = ClockChange::second_of_two;
    one.log_text = "line 1\nline 2\r\n\ttab";
    one.parameters = R"({"a":"b"})";
    one.metadata = {{"b", "2"}, {"a", "1"}, {"b", "1"}, {"", ""}, {"q\"uote", "it's\n"}};
    return one;
}

void check_round_trip(Opened& opened, const StoredExecution& one) {
    opened.write({one});
    const auto found = opened.store.find(one.id, soon());
    REQUIRE(found.has_value());
    CHECK(text_of(*found) == text_of(one));
}

} // namespace

TEST_CASE("a record with everything in it comes back as it was, also after a restart") {
    Opened opened;
    check_round_trip(opened, full());
    opened.reopen();
    CHECK(text_of(opened.store.find(full().id, soon()).value()) == text_of(full()));
    CHECK_FALSE(opened.store.find(1, soon()).has_value());
}

TEST_CASE("a record with nothing in it comes back as it was") {
    Opened opened;
    StoredExecution one;
    one.id = one.occurrence_id = 1;
    check_round_trip(opened, one);
}

TEST_CASE("what is empty is not what is not there") {
    Opened opened;
    StoredExecution one = full();
    one.error = "";
    one.result = R"("")";
    one.progress = Progress{};
    one.records_processed = 0;
    one.worker = 0;
    one.scheduled_at = at(0);
    one.duration = std::chrono::nanoseconds{0};
    check_round_trip(opened, one);
}

TEST_CASE("the ends of every range come back as they were") {
    Opened opened;
    StoredExecution one = full();
    const auto most = std::numeric_limits<std::uint64_t>::max();
    one.records_processed = most;
    one.progress = Progress{most, most - 1, most / 2 + 1};
    one.skip_count = most;
    one.skip_count_is_minimum = true;
    one.duration = std::chrono::nanoseconds::max();
    one.scheduled_at = at(-2'208'988'800'000'001);  // 1899
    one.queued_at = at(-1);                         // 1969
    one.completed_at = at(253'402'300'799'999'999); // the end of the year 9999
    one.position = -5;
    check_round_trip(opened, one);
}

TEST_CASE("each word of each choice comes back as it was") {
    Opened opened;
    ExecutionId id = 0;
    const auto next = [&] {
        StoredExecution one = full();
        one.id = ++id;
        return one;
    };
    for (int i = 0; i < 8; ++i) {
        auto one = next();
        one.status = static_cast<JobStatus>(i);
        check_round_trip(opened, one);
    }
    for (int i = 0; i < 9; ++i) {
        auto one = next();
        one.reason = static_cast<SkipReason>(i);
        check_round_trip(opened, one);
    }
    for (int i = 0; i < 3; ++i) {
        auto one = next();
        one.trigger = static_cast<Trigger>(i);
        check_round_trip(opened, one);
    }
    for (int i = 0; i < 4; ++i) {
        auto one = next();
        one.dst = static_cast<ClockChange>(i);
        check_round_trip(opened, one);
    }
}

TEST_CASE("any text comes back as it was") {
    Opened opened;
    ExecutionId id = 0;
    const std::string texts[] = {"it's \"quoted\", \\n and \\ and \\x00",
                                 "{a,b} NULL \\N ; -- /* */ $1 ?1 :x %s",
                                 "d\xC3\xA4ybook \xE2\x82\xAC \xF0\x9F\x95\x90 \x01\x1F\x7F",
                                 std::string("a\0b\0", 4),
                                 " leading and trailing ",
                                 "\r\n\t",
                                 std::string(1 << 20, 'x') + "\xC3\xA4"};
    for (const std::string& text : texts) {
        StoredExecution one = full();
        one.id = ++id;
        one.job_id = one.handler_id = one.method_name = text.substr(0, 200);
        one.error = one.log_text = one.parameters = one.node = text;
        one.metadata = {{text, text}, {text, ""}};
        opened.write({one});
        for (std::string* field :
             {&one.job_id, &one.handler_id, &one.method_name, &*one.error, &one.log_text, &one.parameters, &one.node,
              &one.metadata[0].first, &one.metadata[0].second, &one.metadata[1].first}) {
            *field = opened.place->kept(*field);
        }
        CHECK(text_of(opened.store.find(id, soon()).value()) == text_of(one));
    }
}

TEST_CASE("what is unfinished is replaced, what has finished stays") {
    Opened opened;
    auto one = execution(1, 100, JobStatus::queued);
    opened.write({one});
    one.status = JobStatus::running;
    one.started_at = at(105);
    one.position = 105;
    check_round_trip(opened, one);
    one.progress = Progress{1, 2, 0};
    check_round_trip(opened, one);
    auto done = execution(1, 105);
    done.result = "1";
    check_round_trip(opened, done);
    opened.write({one});
    opened.write({execution(1, 105, JobStatus::error)});
    auto skipped = execution(1, 105, JobStatus::skipped);
    skipped.skip_count = 100;
    opened.write({skipped});
    CHECK(text_of(opened.store.find(1, soon()).value()) == text_of(done));
    CHECK(opened.store.retained(soon()) == 1);
}

TEST_CASE("a skip is replaced by one that counts more, and by nothing else") {
    Opened opened;
    auto skip = execution(1, 100, JobStatus::skipped);
    skip.skip_count = 3;
    opened.write({skip});
    auto more = skip;
    more.skip_count = 10; // not compared as text
    more.completed_at = at(300);
    check_round_trip(opened, more);
    opened.write({skip});
    auto done = execution(1, 100);
    done.skip_count = 100;
    opened.write({done});
    CHECK(text_of(opened.store.find(1, soon()).value()) == text_of(more));
}

TEST_CASE("what was abandoned is replaced by its end, and by nothing else") {
    Opened opened;
    auto abandoned = execution(1, 100, JobStatus::abandoned);
    abandoned.is_final = false;
    opened.write({abandoned});
    auto other = execution(1, 100, JobStatus::abandoned);
    other.is_final = false;
    other.log_text = "other";
    opened.write({other, execution(2, 100)});
    auto late = execution(1, 100); // has come back after it was given up
    opened.write({late});
    late.is_final = false;
    opened.write({late});
    opened.write({execution(1, 100, JobStatus::running)});
    CHECK(text_of(opened.store.find(1, soon()).value()) == text_of(abandoned));
    auto end = abandoned;
    end.is_final = true;
    end.error = "the process has ended";
    check_round_trip(opened, end);
    opened.write({abandoned});
    auto again = end;
    again.error = "something else";
    opened.write({again});
    CHECK(text_of(opened.store.find(1, soon()).value()) == text_of(end));
}

TEST_CASE("what nobody has claimed may be released") {
    Opened opened;
    const std::vector<StoredExecution> batch{execution(1, 100)};
    const std::vector<ExecutionId> released{1, 2};
    opened.store.write({.executions = batch, .released = released}, soon());
    opened.store.write({.released = released}, soon());
    CHECK(opened.store.retained(soon()) == 1);
}

TEST_CASE("a batch that is written twice is written once") {
    Opened opened;
    std::mt19937 random{7};
    std::vector<StoredExecution> batch;
    for (ExecutionId id = 1; id <= 50; ++id) { batch.push_back(any_execution(random, id, 1000 + std::int64_t(id))); }
    const std::vector<StoredCounters> counters{{.scope = CounterScope::lifetime, .success = 3}};
    for (int i = 0; i < 3; ++i) { opened.store.write({.executions = batch, .counters = counters}, soon()); }
    CHECK(opened.store.retained(soon()) == 50);
    for (const auto& one : batch) { CHECK(text_of(opened.store.find(one.id, soon()).value()) == text_of(one)); }
    const auto rows = opened.store.counters(soon());
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].success == 3);
    CHECK(rows[0].node == "node"); // of the opening
}

TEST_CASE("a batch in any order of ids is written, an empty one too") {
    Opened opened;
    opened.write({});
    std::vector<StoredExecution> batch;
    for (ExecutionId id = 1; id <= 2000; ++id) { batch.push_back(execution(id, std::int64_t(id) * 10)); }
    std::shuffle(batch.begin(), batch.end(), std::mt19937{3});
    opened.write(batch);
    CHECK(opened.store.retained(soon()) == 2000);
}

TEST_CASE("what is unfinished is found: in flight, and last attempts that are not final") {
    Opened opened;
    std::vector<StoredExecution> batch{execution(1, 50, JobStatus::running), execution(2, 40, JobStatus::queued),
                                       execution(3, 10), execution(4, 20, JobStatus::skipped)};
    auto retried = execution(5, 30, JobStatus::error); // a second attempt is there
    retried.is_final = false;
    auto second = execution(6, 60, JobStatus::timeout); // nobody has begun the third
    second.occurrence_id = 5;
    second.attempt_number = 2;
    second.is_final = false;
    auto lost = execution(7, 35, JobStatus::abandoned); // nobody has begun the second
    lost.is_final = false;
    auto odd = execution(8, 36, JobStatus::skipped);
    odd.is_final = false;
    for (const auto& one : {retried, second, lost, odd}) { batch.push_back(one); }
    opened.write(batch);
    const auto found = opened.store.unfinished(soon());
    CHECK(text_of(found) == text_of({lost, batch[1], batch[0], second}));
}

TEST_CASE("a clear keeps what is in flight and the lifetime's counters") {
    Opened opened;
    auto retried = execution(4, 40, JobStatus::error);
    retried.is_final = false;
    const std::vector<StoredExecution> batch{execution(1, 10, JobStatus::running), execution(2, 20, JobStatus::queued),
                                             execution(3, 30), retried, execution(5, 50, JobStatus::skipped)};
    const std::vector<StoredCounters> counters{{.scope = CounterScope::lifetime, .success = 3},
                                               {.scope = CounterScope::all, .success = 3},
                                               {.scope = CounterScope::minute, .period = at(0), .success = 3}};
    opened.store.write({.executions = batch, .counters = counters}, soon());
    opened.store.save({.id = "job", .schedule = "every 1s"}, soon());
    CHECK(opened.store.clear(soon()) == 3);
    CHECK(opened.store.retained(soon()) == 2);
    CHECK(text_of(opened.store.unfinished(soon())) == text_of({batch[0], batch[1]}));
    REQUIRE(opened.store.counters(soon()).size() == 1);
    CHECK(opened.store.counters(soon())[0].scope == CounterScope::lifetime);
    CHECK(opened.store.jobs(soon()).size() == 1);
    CHECK(opened.store.clear(soon()) == 0);
    opened.reopen();
    CHECK(opened.store.retained(soon()) == 2);
}

TEST_CASE("old records go in batches, the oldest first, and what is in flight stays") {
    Opened opened;
    std::vector<StoredExecution> batch;
    for (ExecutionId id = 1; id <= 30; ++id) { // positions from 300 down
        batch.push_back(
            execution(id, 310 - 10 * std::int64_t(id), id % 10 == 0 ? JobStatus::running : JobStatus::success));
    }
    opened.write(batch);
    const StoreRetention old{.finished_before = at(100), .batch = 5};
    CHECK(opened.store.prune(old, soon()) == 5); // positions 10 to 90, of which 10 runs
    CHECK_FALSE(opened.store.find(29, soon()).has_value());
    CHECK(opened.store.find(30, soon()).has_value());
    CHECK(opened.store.find(24, soon()).has_value()); // position 70
    CHECK(opened.store.prune(old, soon()) == 3);
    CHECK(opened.store.prune(old, soon()) == 0);
    CHECK(opened.store.find(21, soon()).has_value()); // position 100: not before
    CHECK(opened.store.retained(soon()) == 22);
    const StoreRetention few{.max_records = 10, .batch = 7};
    CHECK(opened.store.prune(few, soon()) == 7);
    CHECK(opened.store.prune(few, soon()) == 5);
    CHECK(opened.store.prune(few, soon()) == 0);
    CHECK(opened.store.retained(soon()) == 10);
    CHECK(opened.store.find(1, soon()).has_value());
    CHECK(opened.store.prune({.max_records = 0}, soon()) == 7);
    CHECK(opened.store.unfinished(soon()).size() == 3);
    CHECK(opened.store.prune({}, soon()) == 0);
}

TEST_CASE("by age and count, whatever asks for more decides") {
    for (const auto& bounds : {std::pair{at(45), 8U}, std::pair{at(85), 8U}, std::pair{at(0), 3U}}) {
        const sys_time before = bounds.first;
        const std::uint64_t most = bounds.second;
        Opened opened;
        std::vector<StoredExecution> batch;
        for (ExecutionId id = 1; id <= 10; ++id) { batch.push_back(execution(id, 10 * std::int64_t(id))); }
        opened.write(batch);
        const StoreRetention both{.finished_before = before, .max_records = most};
        std::uint64_t removed = 0;
        while (const auto some = opened.store.prune(both, soon())) { removed += some; }
        const auto old = static_cast<std::uint64_t>(
            std::count_if(batch.begin(), batch.end(), [&](const auto& one) { return at(one.position) < before; }));
        CHECK(removed == std::max<std::uint64_t>(old, 10 - most));
        CHECK(opened.store.retained(soon()) == 10 - removed);
    }
}
