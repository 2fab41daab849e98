// SPDX-License-Identifier: MIT
#include "contract/store/store_contract.hpp"
#include "support/catch.hpp"

#include <daybook/policy/delivery.hpp>
#include <daybook/policy/misfire.hpp>
#include <daybook/policy/overlap.hpp>

#include <chrono>
#include <limits>
#include <thread>

using namespace daybook;
using namespace store_contract;
using namespace std::chrono_literals;

namespace {

StoredJob full_job() {
    StoredJob job;
    job.id = "job 'x' \xC3\xA4";
    job.handler_id = "handler";
    job.method_name = "method";
    job.schedule = "0 12 * * * Europe/Berlin";
    job.parameters = R"({"a":"it's"})";
    job.group = "group";
    job.retry = ExponentialBackoff{.max_attempts = 7,
                                   .first_delay = 1234567891ns,
                                   .factor = 1.1,
                                   .max_delay = std::chrono::nanoseconds::max(),
                                   .jitter = 0.30000000000000004};
    job.timeout = 1ns;
    job.overlap = static_cast<Overlap>(1);
    job.misfire = static_cast<Misfire>(1);
    job.delivery = static_cast<Delivery>(1);
    job.misfire_grace = 5s;
    job.max_catch_up = std::numeric_limits<std::uint32_t>::max();
    job.priority = -7;
    job.stale_after = 3h;
    job.is_from_data = true;
    job.is_paused = true;
    job.left = 12;
    job.accounted_to = at(1'700'000'000'000'001);
    job.created_at = at(1'600'000'000'000'001);
    job.updated_at = at(1'650'000'000'000'001);
    return job;
}

StoredJob job_of(const Opened& opened, const std::string& id) {
    for (const StoredJob& job : opened.store.jobs(soon())) {
        if (job.id == id) { return job; }
    }
    FAIL("there is no job " << id);
    return {};
}

StoredCounters full_counters(std::string node, CounterScope scope, std::string name, std::int64_t period) {
    StoredCounters row{.node = std::move(node), .scope = scope, .name = std::move(name), .period = at(period)};
    row.success = std::numeric_limits<std::uint64_t>::max();
    row.error = 2;
    row.timeout = 3;
    row.abandoned = 4;
    row.cancelled = 5;
    row.skipped = 6;
    row.retries = 7;
    row.requests_total = std::numeric_limits<std::uint64_t>::max() - 1;
    row.requests_completed = 9;
    row.requests_failed = 10;
    row.duration = {11, 0.1 + 0.2, -1, std::numeric_limits<std::int64_t>::max(), "1:2 3:4"};
    row.drift = {12, 1e300, 5, 6, "7:8"};
    row.queue_delay = {13, 9007199254740993.0, 7, 8, ""};
    return row;
}

template <class Call>
std::optional<StoreFailure> failure_of(Call&& call) {
    try {
        call();
        return std::nullopt;
    } catch (const StoreError& error) {
        CHECK(std::string{error.what()}.size() > 10);
        return error.failure();
    }
}

} // namespace

TEST_CASE("a job comes back as it was, also after a restart") {
    Opened opened;
    CHECK(opened.store.jobs(soon()).empty());
    StoredJob plain;
    plain.id = "a";
    opened.store.save(full_job(), soon());
    opened.store.save(plain, soon());
    opened.reopen();
    const auto jobs = opened.store.jobs(soon());
    REQUIRE(jobs.size() == 2);
    CHECK(text_of(jobs[0]) == text_of(plain)); // ordered by id
    CHECK(text_of(jobs[1]) == text_of(full_job()));
}

TEST_CASE("saving a job again replaces it, but for when it was created and what is accounted for") {
    Opened opened;
    opened.store.save(full_job(), soon());
    StoredJob changed;
    changed.id = full_job().id;
    changed.schedule = "every 5s";
    changed.created_at = at(5);
    changed.updated_at = at(6);
    opened.store.save(changed, soon());
    StoredJob expected = changed;
    expected.created_at = full_job().created_at;
    expected.accounted_to = full_job().accounted_to;
    CHECK(text_of(job_of(opened, changed.id)) == text_of(expected));
    changed.accounted_to = at(3);
    opened.store.save(changed, soon());
    CHECK(job_of(opened, changed.id).accounted_to == at(3));
    CHECK(opened.store.jobs(soon()).size() == 1);
}

TEST_CASE("each policy of a job comes back as it was") {
    Opened opened;
    for (int i = 0; i < 2; ++i) {
        StoredJob job;
        job.id = "job";
        job.overlap = static_cast<Overlap>(i);
        job.misfire = static_cast<Misfire>(i);
        job.delivery = static_cast<Delivery>(i);
        opened.store.save(job, soon());
        CHECK(text_of(job_of(opened, "job")) == text_of(job));
    }
}

TEST_CASE("a job that is erased is gone, its executions are not") {
    Opened opened;
    opened.store.save({.id = "job"}, soon());
    opened.write({execution(1, 10)});
    CHECK(opened.store.erase("job", soon()));
    CHECK_FALSE(opened.store.erase("job", soon()));
    CHECK_FALSE(opened.store.erase("", soon()));
    CHECK(opened.store.jobs(soon()).empty());
    CHECK(opened.store.find(1, soon()).has_value());
}

TEST_CASE("what is accounted for never goes back, and unknown jobs are left out") {
    Opened opened;
    opened.store.save({.id = "job"}, soon());
    const auto account = [&](std::int64_t until) {
        const std::vector<AccountedTime> times{{"unknown", at(1)}, {"job", at(until)}};
        opened.store.write({.accounted = times}, soon());
        return job_of(opened, "job").accounted_to;
    };
    CHECK_FALSE(job_of(opened, "job").accounted_to.has_value());
    CHECK(account(100) == at(100));
    CHECK(account(50) == at(100));
    CHECK(account(101) == at(101));
    CHECK(opened.store.jobs(soon()).size() == 1);
    const std::vector<AccountedTime> twice{{"job", at(200)}, {"job", at(150)}};
    opened.store.write({.accounted = twice}, soon());
    CHECK(job_of(opened, "job").accounted_to == at(200));
}

TEST_CASE("counters replace those with the same key, and stand beside all others") {
    Opened opened;
    std::vector<StoredCounters> rows;
    for (int scope = 0; scope < 10; ++scope) {
        rows.push_back(full_counters("node", static_cast<CounterScope>(scope), "name", 60'000'000));
    }
    rows.push_back(full_counters("node", CounterScope::job, "", 0));
    rows.push_back(full_counters("node", CounterScope::job, "it's \xC3\xA4", 0));
    rows.push_back(full_counters("node", CounterScope::minute, "", 120'000'000));
    rows.push_back(full_counters("other", CounterScope::minute, "", 120'000'000));
    opened.store.write({.counters = rows}, soon());
    CHECK(texts_of(opened.store.counters(soon())) == texts_of(rows));
    rows[3].success = 1;
    rows[3].duration.buckets = "5:1";
    opened.store.write({.counters = std::span{rows}.subspan(3, 1)}, soon());
    opened.reopen("another");
    CHECK(texts_of(opened.store.counters(soon())) == texts_of(rows));
}

TEST_CASE("a fold puts its rows in place of all there are") {
    Opened opened;
    const std::vector<StoredCounters> rows{full_counters("a", CounterScope::all, "", 0),
                                           full_counters("b", CounterScope::all, "", 0),
                                           full_counters("b", CounterScope::lifetime, "", 0)};
    opened.store.write({.counters = rows}, soon());
    const std::vector<StoredCounters> folded{full_counters("earlier", CounterScope::all, "", 0),
                                             full_counters("a", CounterScope::all, "", 0)};
    opened.store.fold_counters(folded, soon());
    CHECK(texts_of(opened.store.counters(soon())) == texts_of(folded));
    opened.store.fold_counters({}, soon());
    CHECK(opened.store.counters(soon()).empty());
}

TEST_CASE("a call whose deadline has passed fails at once and does nothing") {
    Opened opened;
    opened.store.save({.id = "job"}, soon());
    const auto past = std::chrono::steady_clock::now() - 1s;
    const std::vector<StoredExecution> batch{execution(1, 10)};
    const std::vector<StoredCounters> rows{full_counters("a", CounterScope::all, "", 0)};
    const StoreQuery query{.status = every_status()};
    const auto& store = opened.store;
    const auto began = std::chrono::steady_clock::now();
    CHECK(failure_of([&] { store.write({.executions = batch}, past); }).has_value());
    CHECK(failure_of([&] { static_cast<void>(store.read(query, past)); }).has_value());
    CHECK(failure_of([&] { static_cast<void>(store.count(query, 10, past)); }).has_value());
    CHECK(failure_of([&] { static_cast<void>(store.find(1, past)); }).has_value());
    CHECK(failure_of([&] { static_cast<void>(store.unfinished(past)); }).has_value());
    CHECK(failure_of([&] { static_cast<void>(store.counters(past)); }).has_value());
    CHECK(failure_of([&] { store.fold_counters(rows, past); }).has_value());
    CHECK(failure_of([&] { static_cast<void>(store.retained(past)); }).has_value());
    CHECK(failure_of([&] { store.clear(past); }).has_value());
    CHECK(failure_of([&] { store.prune({.max_records = 0}, past); }).has_value());
    CHECK(failure_of([&] { static_cast<void>(store.jobs(past)); }).has_value());
    CHECK(failure_of([&] { store.save({.id = "other"}, past); }).has_value());
    CHECK(failure_of([&] { store.erase("job", past); }).has_value());
    CHECK(std::chrono::steady_clock::now() - began < 10s);
    CHECK(store.retained(soon()) == 0); // and it works again
    CHECK(store.counters(soon()).empty());
    CHECK(store.jobs(soon()).size() == 1);
}

TEST_CASE("a second opener is refused as long as the first one has it open") {
    Opened opened;
    opened.write({execution(1, 10)});
    auto second = opened.place->store();
    const auto tried = [&] {
        return failure_of([&] { second.open({.node = "second"}, std::chrono::steady_clock::now() + 2s); });
    };
    CHECK(tried() == StoreFailure::busy);
    opened.write({execution(2, 20)}); // the first one is not disturbed
    opened.store = {};
    std::optional<StoreFailure> failure = StoreFailure::busy;
    for (int i = 0; i < 100 && failure; ++i) { // a server may take a moment to see that the first is gone
        second = opened.place->store();
        failure = tried();
        if (failure) { std::this_thread::sleep_for(20ms); }
    }
    CHECK_FALSE(failure.has_value());
    CHECK(second.retained(soon()) == 2);
}

TEST_CASE("what is not open can do nothing") {
    const auto place = new_place();
    const auto store = place->store();
    const std::vector<StoredExecution> batch{execution(1, 10)};
    CHECK(failure_of([&] { store.write({.executions = batch}, soon()); }).has_value());
}
