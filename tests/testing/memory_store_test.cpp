// SPDX-License-Identifier: MIT
#include <daybook/testing/memory_store.hpp>
#include <daybook/time/manual_clock.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <vector>

using namespace daybook;
using namespace std::chrono_literals;
using daybook::testing::MemoryCalls;
using daybook::testing::MemoryStore;

namespace {

StoreDeadline soon() { return std::chrono::steady_clock::now() + 20s; }

template <class Call>
std::optional<StoreFailure> failure_of(Call&& call) {
    try {
        call();
        return std::nullopt;
    } catch (const StoreError& error) { return error.failure(); }
}

/// Two members, of which the test keeps both, and a store to look on.
struct Pair {
    MemoryStore store;
    ManualClock clock;
    MemoryStore one = store;
    MemoryStore other = store;
    FleetSeat seat;

    Pair() {
        store.set_clock(clock);
        seat = one.join({.name = "one", .lease = 10s, .max_idle = 5s}, soon());
        static_cast<void>(other.join({.name = "other", .lease = 10s, .max_idle = 5s}, soon()));
        store.save({.id = "job"}, soon());
    }
    void claim(MemoryStore& by, ExecutionId id) {
        const std::vector<JobLock> jobs{{"job", {}}};
        Claim claim;
        claim.id = id;
        claim.job_id = "job";
        const std::vector<Claim> claims{claim};
        REQUIRE(by.lock(jobs, LockWait::no, soon()).jobs.size() == 1);
        by.commit({.claims = claims}, soon());
    }
    [[nodiscard]] bool beats(MemoryStore& by) { return by.beat(soon()).is_seated; }
};

} // namespace

TEST_CASE("what is to fail can be the calls of a fleet alone, those of the log alone, or its writing") {
    Pair two;
    const auto beat = [&] { static_cast<void>(two.one.beat(soon())); };
    const auto write = [&] { two.one.write({}, soon()); };
    two.store.fail_next(StoreFailure::busy, 1, MemoryCalls::log);
    two.store.fail_next(StoreFailure::full, 2, MemoryCalls::fleet);
    CHECK(failure_of(beat) == StoreFailure::full);
    CHECK(failure_of(write) == StoreFailure::busy);
    CHECK_FALSE(failure_of(write).has_value());
    CHECK(failure_of(beat) == StoreFailure::full);
    CHECK_FALSE(failure_of(beat).has_value());
    two.store.fail_next(StoreFailure::refused);
    CHECK(failure_of(write) == StoreFailure::refused);
    CHECK_FALSE(failure_of(beat).has_value());
    two.store.pass_next(1, MemoryCalls::fleet);
    two.store.fail_next(StoreFailure::full, 1, MemoryCalls::fleet);
    CHECK_FALSE(failure_of(beat).has_value());
    two.store.recover();
    CHECK_FALSE(failure_of(beat).has_value());
    two.store.fail_next(StoreFailure::full, 2, MemoryCalls::write);
    CHECK_FALSE(failure_of([&] { static_cast<void>(two.one.jobs(soon())); }).has_value());
    CHECK(failure_of(write) == StoreFailure::full);
    CHECK(failure_of(write) == StoreFailure::full);
    CHECK_FALSE(failure_of(write).has_value());
}

TEST_CASE("a commit in doubt is done, and unlocks") {
    Pair two;
    const std::vector<JobLock> jobs{{"job", {}}};
    Claim claim;
    claim.id = 7;
    claim.job_id = "job";
    const std::vector<Claim> claims{claim};
    REQUIRE(two.one.lock(jobs, LockWait::no, soon()).jobs.size() == 1);
    two.store.doubt_next(1, MemoryCalls::fleet);
    CHECK(failure_of([&] { two.one.commit({.claims = claims}, soon()); }) == StoreFailure::unavailable);
    CHECK(two.one.lock(jobs, LockWait::no, soon()).jobs.at(0).own == std::vector<ExecutionId>{7});
    two.store.fail_next(StoreFailure::unavailable);
    CHECK(failure_of([&] { two.one.commit({.claims = claims}, soon()); }) == StoreFailure::unavailable);
    CHECK(two.other.lock(jobs, LockWait::no, soon()).jobs.size() == 1); // it was unlocked all the same
}

TEST_CASE("who is cut off reaches nothing until it is let back, and has locked nothing") {
    Pair two;
    const std::vector<JobLock> jobs{{"job", {}}};
    REQUIRE(two.one.lock(jobs, LockWait::no, soon()).jobs.size() == 1);
    static_cast<void>(two.one.await(soon())); // at first
    REQUIRE(two.one.lock(jobs, LockWait::no, soon()).jobs.size() == 1);
    two.store.cut_off("one");
    const auto fails = [&](auto&& call) { return failure_of(call) == StoreFailure::unavailable; };
    CHECK(fails([&] { two.one.commit({}, soon()); }));
    CHECK(fails([&] { static_cast<void>(two.one.beat(soon())); }));
    CHECK(fails([&] { two.one.write({}, soon()); }));
    CHECK(fails([&] { static_cast<void>(two.one.jobs(soon())); }));
    CHECK(fails([&] { static_cast<void>(two.one.await(soon())); }));
    MemoryStore again = two.store;
    CHECK(fails([&] { static_cast<void>(again.join({.name = "one"}, soon())); }));
    CHECK(two.beats(two.other));
    CHECK(two.other.lock(jobs, LockWait::no, soon()).jobs.size() == 1);
    two.store.recover(); // that is something else
    CHECK(fails([&] { static_cast<void>(two.one.beat(soon())); }));
    two.store.let_back("one");
    CHECK(two.beats(two.one));
    CHECK(two.one.await(soon()).is_all); // news may have been lost
}

TEST_CASE("an await ends when its store is cut off") {
    Pair two;
    static_cast<void>(two.one.await(soon()));
    auto waits =
        std::async(std::launch::async, [&] { return failure_of([&] { static_cast<void>(two.one.await(soon())); }); });
    two.store.cut_off("one");
    CHECK(waits.get() == StoreFailure::unavailable);
}

TEST_CASE("who closes while it is cut off keeps its lease") {
    Pair two;
    two.claim(two.one, 1);
    two.store.cut_off("one");
    two.one.close();
    CHECK(two.other.take_over(soon()).empty());
    two.clock.advance(11s);
    CHECK(two.other.take_over(soon()).size() == 1);
}

TEST_CASE("leases and locks end by the clock that the test has given") {
    Pair two;
    const std::vector<JobLock> jobs{{"job", {}}};
    two.claim(two.one, 1);
    REQUIRE(two.one.lock(jobs, LockWait::no, soon()).jobs.size() == 1);
    two.clock.advance(4999ms);
    CHECK(two.other.lock(jobs, LockWait::no, soon()).jobs.empty());
    two.clock.advance(1ms);
    CHECK(two.other.lock(jobs, LockWait::no, soon()).jobs.size() == 1);
    CHECK(failure_of([&] { two.one.commit({}, soon()); }) == StoreFailure::busy);
    two.clock.advance(4999ms);
    two.clock.set(std::chrono::sys_days{std::chrono::May / 5 / 2031}); // a step of the wall clock ends no lease
    CHECK(two.other.take_over(soon()).empty());
    CHECK(two.other.beat(soon()).now == std::chrono::sys_days{std::chrono::May / 5 / 2031});
    two.clock.advance(1ms);
    CHECK(two.other.take_over(soon()).size() == 1);
    CHECK_FALSE(two.beats(two.one));
}

TEST_CASE("a save of a job that is locked waits until it is not") {
    Pair two;
    const std::vector<JobLock> jobs{{"job", {}}};
    REQUIRE(two.one.lock(jobs, LockWait::no, soon()).jobs.size() == 1);
    const auto save = [&] {
        two.other.save({.id = "job", .schedule = "every 1s"}, std::chrono::steady_clock::now() + 30ms);
    };
    CHECK(failure_of(save) == StoreFailure::busy);
    auto saves = std::async(std::launch::async, [&] { two.other.save({.id = "job", .schedule = "every 1s"}, soon()); });
    std::this_thread::sleep_for(20ms);
    two.one.unlock();
    saves.get();
    CHECK(two.store.jobs(soon()).at(0).schedule == "every 1s");
    REQUIRE(two.one.lock(jobs, LockWait::no, soon()).jobs.size() == 1);
    auto erases = std::async(std::launch::async, [&] { return two.other.erase("job", soon()); });
    std::this_thread::sleep_for(20ms);
    two.clock.advance(5s); // it was idle for too long
    CHECK(erases.get());
}

TEST_CASE("a test sees the seats and the claims") {
    Pair two;
    two.claim(two.one, 2);
    two.claim(two.other, 1);
    const auto seats = two.store.seats();
    REQUIRE(seats.size() == 2);
    CHECK(seats[0].name == "one");
    CHECK(seats[0].node == two.seat.node);
    CHECK(seats[0].expires_at == two.clock.steady_now() + 10s);
    two.store.end_lease("one");
    CHECK(two.store.seats()[0].expires_at == two.clock.steady_now());
    const auto claims = two.store.claims();
    REQUIRE(claims.size() == 2);
    CHECK(claims[0].claim.id == 1);
    CHECK(claims[1].node == two.seat.node);
    CHECK(claims[1].number < claims[0].number);
    CHECK_FALSE(claims[1].is_cancelled);
}
