// SPDX-License-Identifier: MIT
#include <daybook/log/job_execution_log.hpp>
#include <daybook/log/scoped_execution.hpp>

#include "log/log_test_support.hpp"
#include "support/catch.hpp"

#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

using namespace daybook;
using namespace log_test;

namespace {

struct AtUnwinding {
    JobExecutionLog<>& log;
    ~AtUnwinding() { log.start("cleanup").success("done"); }
};

} // namespace

TEST_CASE("a scope that succeeds is a success") {
    JobExecutionLog<> log{10};
    {
        auto run = log.start("a", "h", "m", 2);
        CHECK(log.find(run.execution().id)->status == JobStatus::running);
        run.records_processed(7);
        CHECK(run.success("done") == Finish::recorded);
        CHECK(run.success("again") == Finish::unknown);
    }
    const auto record = log.query().records.at(0);
    CHECK(record.status == JobStatus::success);
    CHECK(record.result == "done");
    CHECK(record.handler_id == "h");
    CHECK(record.attempt_number == 2);
    CHECK(record.records_processed == 7U);
    CHECK(log.size() == 1);
}

TEST_CASE("a scope may end in every other way") {
    JobExecutionLog<> log{10};
    log.start("a").success();
    log.start("a").error("why");
    log.start("a").error("why", Finality::retry_follows);
    log.start("a").timeout();
    log.start({.job_id = "a", .trigger = Trigger::schedule}).error(std::make_exception_ptr(std::runtime_error{"boom"}));
    const auto records = log.query().records;
    REQUIRE(records.size() == 5);
    CHECK(records[0].error == "boom");
    CHECK(records[0].trigger == Trigger::schedule);
    CHECK(records[1].status == JobStatus::timeout);
    CHECK_FALSE(records[2].is_final);
    CHECK(records[3].error == "why");
    CHECK(records[4].status == JobStatus::success);
}

TEST_CASE("a scope that is left without a result is an error") {
    JobExecutionLog<> log{10};
    { const auto run = log.start("a"); }
    const auto record = log.query().records.at(0);
    CHECK(record.status == JobStatus::error);
    CHECK(record.error == "the scope was left without a result");
}

TEST_CASE("a scope that is left by an exception is an error that says so") {
    JobExecutionLog<> log{10};
    try {
        const auto run = log.start("a");
        throw std::runtime_error{"boom"};
    } catch (const std::runtime_error&) {}
    CHECK(log.query().records.at(0).error == "the scope was left by an exception");
}

TEST_CASE("a scope that begins while another exception passes by is not blamed for it") {
    JobExecutionLog<> log{10};
    try {
        const AtUnwinding cleanup{log};
        throw std::runtime_error{"boom"};
    } catch (const std::runtime_error&) {}
    CHECK(log.query().records.at(0).status == JobStatus::success);
}

TEST_CASE("run records what the body returns, and returns it") {
    JobExecutionLog<> log{10};
    CHECK(log.start("a").run([] { return std::string{"done"}; }) == "done");
    CHECK(log.query().records.at(0).result == "done");
}

TEST_CASE("run records a body without a result") {
    JobExecutionLog<> log{10};
    int calls = 0;
    log.start("a").run([&] { ++calls; });
    CHECK(calls == 1);
    CHECK(log.query().records.at(0).status == JobStatus::success);
    CHECK_FALSE(log.query().records.at(0).result);
}

TEST_CASE("run records the text of an exception, and lets it pass") {
    JobExecutionLog<> log{10};
    CHECK_THROWS_AS(log.start("a").run([] { throw std::out_of_range{"no such row"}; }), std::out_of_range);
    CHECK(log.query().records.at(0).status == JobStatus::error);
    CHECK(log.query().records.at(0).error == "no such row");
    CHECK(log.size() == 1);
}

TEST_CASE("anything that is thrown is described") {
    const auto text = [](auto thrown) { return describe_exception(std::make_exception_ptr(thrown)); };
    CHECK(text(std::logic_error{"what"}) == "what");
    CHECK(text(static_cast<const char*>("words")) == "words");
    CHECK(text(static_cast<const char*>(nullptr)) == "an exception that is a null pointer");
    CHECK(text(std::string{"string"}) == "string");
    CHECK(text(42) == "an exception that is not a std::exception");
    CHECK(describe_exception(nullptr) == "no exception");
}

TEST_CASE("a guard that was moved from ends nothing") {
    JobExecutionLog<> log{10};
    {
        auto run = log.start("a");
        auto moved = std::move(run);
        CHECK(run.success() == Finish::unknown); // NOLINT(bugprone-use-after-move): what is tested
        CHECK(log.size() == 0);
        CHECK(moved.success("done") == Finish::recorded);
    }
    CHECK(log.size() == 1);
    CHECK(log.query().records.at(0).result == "done");
}

TEST_CASE("a scope that was ended from elsewhere changes nothing") {
    JobExecutionLog<> log{10};
    {
        const auto run = log.start("a");
        log.record_timeout(run.execution());
    }
    CHECK(log.query().records.at(0).status == JobStatus::timeout);
    CHECK(log.stats().total_executions == 1);
}

TEST_CASE("a guard may outlive the handle it came from") {
    auto run = JobExecutionLog<>{10}.start("a");
    CHECK(run.success() == Finish::recorded);
}
