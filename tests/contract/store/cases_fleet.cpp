// SPDX-License-Identifier: MIT
#include "contract/store/fleet_contract.hpp"
#include "contract/store/store_contract.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace daybook;
using namespace store_contract;
using namespace std::chrono_literals;

namespace {

constexpr ExecutionId beyond = ExecutionId{1} << 53U;

std::uint64_t number_of(const FleetSeat& seat, const std::string& name) {
    REQUIRE(seat.node.rfind(name + '#', 0) == 0);
    const std::string number = seat.node.substr(name.size() + 1);
    REQUIRE_FALSE(number.empty());
    REQUIRE(number.find_first_not_of("0123456789") == std::string::npos);
    return std::stoull(number);
}

/// A server may take a moment to see that somebody is gone.
template <class Call>
std::optional<StoreFailure> failure_in_the_end(Call&& call) {
    std::optional<StoreFailure> failure = failure_of(call);
    for (int i = 0; i < 100 && failure; ++i) {
        std::this_thread::sleep_for(20ms);
        failure = failure_of(call);
    }
    return failure;
}

StoredCounters counters_of(const std::string& node, std::uint64_t success) {
    return {.node = node, .scope = CounterScope::all, .success = success};
}

} // namespace

TEST_CASE("a store that can be shared says so") {
    Fleet fleet;
    CHECK(fleet.place->store().is_shared());
}

TEST_CASE("a seat is called what its process wished, and has a number that no seat had before") {
    Fleet fleet;
    const Member first = fleet.join("some name");
    const Member second = fleet.join("some name");
    Member third = fleet.join("b#1");
    std::set<std::uint64_t> numbers{number_of(first.seat, "some name"), number_of(second.seat, "some name"),
                                    number_of(third.seat, "b#1")};
    third.store.close();
    numbers.insert(number_of(fleet.join("b#1").seat, "b#1"));
    fleet.kill(third);
    numbers.insert(number_of(fleet.join(std::string(230, 'x')).seat, std::string(230, 'x')));
    CHECK(numbers.size() == 5);
}

TEST_CASE("each seat has ids of its own, larger than all before and below 2 to the power of 53") {
    Fleet fleet;
    ExecutionId free = 1;
    const auto check = [&](ExecutionId first_id, std::uint64_t id_count) {
        CHECK(first_id >= free);
        CHECK(id_count >= 1'000'000);
        CHECK(first_id + id_count <= beyond);
        free = first_id + id_count;
    };
    const Member first = fleet.join();
    check(first.seat.first_id, first.seat.id_count);
    const Member second = fleet.join();
    check(second.seat.first_id, second.seat.id_count);
    const IdBlock more = first.store.reserve_ids(soon());
    check(more.first_id, more.id_count);
    const IdBlock even_more = second.store.reserve_ids(soon());
    check(even_more.first_id, even_more.id_count);
    first.write({execution_of(first, free + 1'000'000'000)});
    free += 1'000'000'001;
    const Member third = fleet.join();
    check(third.seat.first_id, third.seat.id_count);
}

TEST_CASE("whoever wants the store alone is refused while somebody is joined, and the other way round") {
    Fleet fleet;
    auto alone = fleet.place->store();
    const auto open = [&] { alone.open({.node = "alone"}, std::chrono::steady_clock::now() + 2s); };
    const auto join = [&] { static_cast<void>(fleet.join("late")); };
    {
        const Member first = fleet.join();
        const Member second = fleet.join();
        CHECK(failure_of(open) == StoreFailure::busy);
        first.store.close();
        CHECK(failure_of(open) == StoreFailure::busy);
        CHECK(second.beat());
    }
    CHECK_FALSE(failure_in_the_end(open).has_value());
    CHECK(failure_of(join) == StoreFailure::busy);
    alone.close();
    CHECK_FALSE(failure_in_the_end(join).has_value());
}

TEST_CASE("a beat says what time it is for the store") {
    Fleet fleet;
    const Member member = fleet.join();
    const FleetBeat beat = member.store.beat(soon());
    CHECK(beat.is_seated);
    CHECK(std::chrono::abs(beat.now - fleet.place->now()) < 15s);
}

TEST_CASE("nobody takes over what has a lease, and a beat renews it") {
    Fleet fleet;
    const Member renewed = fleet.join("renewed", 4s);
    Member silent = fleet.join("silent", 4s);
    const Member other = fleet.join();
    other.store.save({.id = "job"}, soon());
    renewed.claim(claim_of("job", 1));
    silent.claim(claim_of("job", 2));
    silent.store = {}; // dead, but who would know
    CHECK(other.take_over().empty());
    fleet.place->pass(2500ms);
    CHECK(renewed.beat());
    fleet.place->pass(2500ms);
    const auto taken = other.take_over();
    REQUIRE(taken.size() == 1);
    CHECK(taken[0].claim.value().id == 2);
}

TEST_CASE("a seat whose lease has ended is one until somebody takes over") {
    Fleet fleet;
    const Member late = fleet.join();
    const Member other = fleet.join();
    other.store.save({.id = "job"}, soon());
    fleet.place->end_lease(late.seat.node);
    late.write({execution_of(late, 1)});
    late.claim(claim_of("job", 1));
    CHECK(late.beat());
    CHECK(other.take_over().empty()); // it was renewed
    CHECK(other.store.find(1, soon()).has_value());
    fleet.place->end_lease(late.seat.node);
    CHECK(late.take_over().empty()); // nobody takes over from himself
    CHECK(late.beat());
}

TEST_CASE("a process that was taken over writes nothing any more") {
    Fleet fleet;
    const Member late = fleet.join();
    const Member other = fleet.join();
    other.store.save({.id = "job"}, soon());
    late.claim(claim_of("job", 1));
    late.write({execution_of(late, 1)});
    REQUIRE(late.lock({{"job", {}}}).jobs.size() == 1);
    fleet.place->end_lease(late.seat.node);
    CHECK(other.take_over().size() == 1);

    CHECK_FALSE(late.beat());
    const std::vector<StoredExecution> done{execution_of(late, 1, JobStatus::success), execution_of(late, 2)};
    const std::vector<StoredCounters> counters{counters_of({}, 5)};
    const std::vector<AccountedTime> accounted{{"job", at(5)}};
    const std::vector<ExecutionId> released{1};
    const auto write = [&] {
        late.store.write({.executions = done, .counters = counters, .released = released}, soon());
    };
    CHECK(failure_of(write) == StoreFailure::unseated);
    JobStanding standing;
    standing.job_id = "job";
    standing.accounted_to = at(7);
    CHECK(failure_of([&] { late.commit({claim_of("job", 3)}, {standing}, {"job"}); }) == StoreFailure::unseated);
    CHECK(failure_of([&] { late.store.write({.accounted = accounted}, soon()); }) == StoreFailure::unseated);
    CHECK(failure_of([&] { static_cast<void>(late.take_over()); }) == StoreFailure::unseated);
    CHECK(late.look().cancelled.empty());
    CHECK_FALSE(late.beat()); // also later

    CHECK(other.store.find(1, soon()).value().status == JobStatus::abandoned);
    CHECK_FALSE(other.store.find(2, soon()).has_value());
    CHECK(other.store.counters(soon()).empty());
    CHECK_FALSE(other.store.jobs(soon())[0].accounted_to.has_value());
    const auto locked = other.lock({{"job", {}}});
    REQUIRE(locked.jobs.size() == 1);
    CHECK(locked.jobs[0].own == std::vector<ExecutionId>{1});
    CHECK(locked.jobs[0].in_progress == 1);
    CHECK(other.look().cancelled.empty());
}

TEST_CASE("who has lost the seat can join again, and is somebody else") {
    Fleet fleet;
    Member late = fleet.join("late");
    const Member other = fleet.join();
    const FleetSeat before = late.seat;
    fleet.place->end_lease(before.node);
    CHECK(other.take_over().empty()); // it had nothing
    CHECK_FALSE(late.beat());
    late.seat = late.store.join({.name = "late", .lease = 1h, .max_idle = 1h}, soon());
    CHECK(late.seat.node != before.node);
    CHECK(late.seat.first_id >= before.first_id + before.id_count);
    CHECK(late.beat());
    late.write({execution_of(late, late.seat.first_id)});
    CHECK(other.store.retained(soon()) == 1);
}

TEST_CASE("who leaves gives at once what is left to do") {
    Fleet fleet;
    Member leaving = fleet.join("leaving");
    const Member other = fleet.join();
    other.store.save({.id = "job"}, soon());
    leaving.claim(claim_of("job", 1));
    leaving.write({execution_of(leaving, 2)}); // nobody has claimed it
    leaving.store.close();
    const auto taken = other.take_over();
    REQUIRE(taken.size() == 2);
    CHECK(taken[0].claim.value().id == 1);
    CHECK_FALSE(taken[1].claim.has_value());
    CHECK(taken[1].last.value().id == 2);
    CHECK(other.take_over().empty());
}

TEST_CASE("who leaves with nothing to do leaves nothing") {
    Fleet fleet;
    Member leaving = fleet.join("leaving");
    const Member other = fleet.join();
    other.store.save({.id = "job"}, soon());
    leaving.claim(claim_of("job", 1));
    leaving.write({execution_of(leaving, 1, JobStatus::success)}, {1});
    leaving.store.close();
    CHECK(other.take_over().empty());
    CHECK(other.lock({{"job", {}}}).jobs.at(0).in_progress == 0);
    leaving.store.close(); // twice is once
    CHECK(failure_of([&] { static_cast<void>(leaving.beat()); }).has_value());
}

TEST_CASE("who takes over gets the claims with their last attempts, ended by now") {
    Fleet fleet;
    Member dead = fleet.join("dead");
    const Member alive = fleet.join("alive");
    const Member taker = fleet.join("taker");
    taker.store.save({.id = "job"}, soon());
    for (ExecutionId id = 10; id <= 50; id += 10) { dead.claim(claim_of("job", id)); }
    alive.claim(claim_of("job", 60));
    // 10: nothing is written. 20: runs. 30: the second attempt is queued. 40: a retry was promised. 50: done, but not
    // released.
    auto failed = execution_of(dead, 30, JobStatus::error);
    failed.is_final = false;
    auto second = execution_of(dead, 31, JobStatus::queued);
    second.occurrence_id = 30;
    second.attempt_number = 2;
    auto promised = execution_of(dead, 40, JobStatus::timeout);
    promised.is_final = false;
    const auto done = execution_of(dead, 50, JobStatus::success);
    dead.write({execution_of(dead, 20), failed, second, promised, done});
    alive.write({execution_of(alive, 60)});
    fleet.kill(dead);
    const sys_time before = fleet.place->now();

    const auto taken = taker.take_over();
    REQUIRE(taken.size() == 5);
    for (std::size_t i = 0; i < 5; ++i) {
        CHECK(text_of(taken[i].claim.value()) == text_of(claim_of("job", 10 * (i + 1))));
        CHECK(taken[i].node == dead.seat.node);
    }
    CHECK_FALSE(taken[0].last.has_value());
    CHECK_FALSE(taken[0].was_open);
    for (const std::size_t i : {1U, 2U}) {
        const StoredExecution last = taken[i].last.value();
        CHECK(last.id == (i == 1 ? 20U : 31U));
        CHECK(taken[i].was_open);
        CHECK(last.status == JobStatus::abandoned);
        CHECK_FALSE(last.is_final);
        CHECK(last.node == dead.seat.node);
        CHECK(last.attempt_number == i);
        REQUIRE(last.completed_at.has_value());
        CHECK(std::chrono::abs(*last.completed_at - before) < 15s);
        CHECK(text_of(taker.store.find(last.id, soon()).value()) == text_of(last));
    }
    CHECK(text_of(taken[3].last.value()) == text_of(promised));
    CHECK_FALSE(taken[3].was_open);
    CHECK(text_of(taken[4].last.value()) == text_of(done));
    CHECK_FALSE(taken[4].was_open);
    CHECK(text_of(taker.store.find(30, soon()).value()) == text_of(failed));
    CHECK(taker.store.find(60, soon()).value().status == JobStatus::running);
    CHECK(taker.lock({{"job", {}}}).jobs.at(0).own == std::vector<ExecutionId>{10, 20, 30, 40, 50});
    CHECK(alive.take_over().empty());
}

TEST_CASE("who takes over is told of executions that nobody has claimed") {
    Fleet fleet;
    Member dead = fleet.join();
    const Member taker = fleet.join();
    dead.write(
        {execution_of(dead, 1), execution_of(dead, 2, JobStatus::queued), execution_of(dead, 3, JobStatus::error)});
    fleet.kill(dead);
    const auto taken = taker.take_over();
    REQUIRE(taken.size() == 2);
    for (const TakenOver& one : taken) {
        CHECK_FALSE(one.claim.has_value());
        CHECK(one.node == dead.seat.node);
        CHECK(one.was_open);
        CHECK(one.last.value().status == JobStatus::abandoned);
    }
    CHECK(taken[0].last.value().id == 1);
    CHECK(taken[1].last.value().id == 2);
}

TEST_CASE("what was taken over can be taken over again, all attempts of it") {
    Fleet fleet;
    Member first = fleet.join("first");
    Member second = fleet.join("second");
    const Member third = fleet.join("third");
    third.store.save({.id = "job"}, soon());
    first.claim(claim_of("job", 1));
    first.write({execution_of(first, 1)});
    fleet.kill(first);
    REQUIRE(second.take_over().size() == 1);
    auto attempt = execution_of(second, 2);
    attempt.occurrence_id = 1;
    attempt.attempt_number = 2;
    second.write({attempt});
    fleet.kill(second);
    const auto taken = third.take_over();
    REQUIRE(taken.size() == 1);
    CHECK(taken[0].claim.value().id == 1);
    CHECK(taken[0].node == second.seat.node);
    CHECK(taken[0].last.value().id == 2);
    CHECK(taken[0].was_open);
    third.write({}, {1});
    CHECK(third.lock({{"job", {}}}).jobs.at(0).in_progress == 0);
}

TEST_CASE("of several that take over, one gets each") {
    Fleet fleet;
    std::vector<Member> takers;
    for (int i = 0; i < 4; ++i) { takers.push_back(fleet.join("taker")); }
    takers[0].store.save({.id = "job"}, soon());
    ExecutionId id = 0;
    for (int i = 0; i < 5; ++i) {
        Member dead = fleet.join("dead");
        REQUIRE(dead.lock({{"job", {}}}).jobs.size() == 1);
        std::vector<Claim> claims;
        for (int j = 0; j < 20; ++j) { claims.push_back(claim_of("job", ++id)); }
        dead.commit(claims);
        fleet.kill(dead);
    }
    std::vector<std::vector<TakenOver>> taken(takers.size());
    std::vector<std::string> errors(takers.size());
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < takers.size(); ++i) {
        threads.emplace_back([&, i] {
            try {
                for (int round = 0; round < 3; ++round) {
                    for (auto& one : takers[i].store.take_over(soon())) { taken[i].push_back(std::move(one)); }
                }
            } catch (const std::exception& error) { errors[i] = error.what(); }
        });
    }
    for (std::thread& thread : threads) { thread.join(); }
    std::multiset<ExecutionId> all;
    for (std::size_t i = 0; i < takers.size(); ++i) {
        CHECK(errors[i].empty());
        for (const TakenOver& one : taken[i]) { all.insert(one.claim.value().id); }
        CHECK(takers[i].lock({{"job", {}}}).jobs.at(0).own.size() == taken[i].size());
        takers[i].store.unlock();
    }
    CHECK(all.size() == 100);
    CHECK(std::set<ExecutionId>(all.begin(), all.end()).size() == 100);
}

TEST_CASE("records are counted once, whoever has written or taken them over") {
    Fleet fleet;
    Member first = fleet.join();
    Member second = fleet.join();
    const Member third = fleet.join();
    const auto counted = [&](std::uint64_t number) {
        CHECK(third.store.retained(soon()) == number);
        CHECK(third.store.count({.status = every_status()}, 1000, soon()) == number);
    };
    first.write({execution_of(first, 1, JobStatus::success), execution_of(first, 2), execution_of(first, 3)});
    second.write({execution_of(second, 4, JobStatus::success)});
    counted(4);
    fleet.kill(first);
    REQUIRE(third.take_over().size() == 2);
    counted(4);
    CHECK(second.store.prune({.max_records = 1}, soon()) == 3); // more than it has written
    counted(1);
    second.store.close();
    static_cast<void>(third.take_over());
    counted(1);
    third.write({execution_of(third, 5, JobStatus::success)});
    CHECK(third.store.clear(soon()) == 2);
    counted(0);
}

TEST_CASE("who has not heard of a clear is told so once, when it writes counters, and has written nothing") {
    Fleet fleet;
    const Member first = fleet.join();
    const Member second = fleet.join();
    daybook::StoredCounters counted;
    counted.scope = daybook::CounterScope::all;
    counted.success = 1;
    const daybook::StoreBatch batch{.counters = {&counted, 1}};
    first.store.write(batch, soon());
    second.store.write(batch, soon());
    first.store.clear(soon());
    CHECK(first.store.counters(soon()).empty());
    first.store.write(batch, soon()); // it knows
    CHECK(failure_of([&] { second.store.write(batch, soon()); }) == daybook::StoreFailure::cleared);
    CHECK(first.store.counters(soon()).size() == 1);
    second.store.write(batch, soon());
    CHECK(first.store.counters(soon()).size() == 2);
}

TEST_CASE("in a fleet too, records are pruned, the oldest first") {
    Fleet fleet;
    const Member first = fleet.join();
    const Member second = fleet.join();
    for (ExecutionId id = 1; id <= 5; ++id) {
        first.write({execution_of(first, 2 * id, JobStatus::success)});
        second.write({execution_of(second, 2 * id + 1, JobStatus::success)});
    }
    CHECK(first.store.prune({.max_records = 4, .batch = 5}, soon()) == 5);
    CHECK(second.store.prune({.max_records = 4, .batch = 5}, soon()) == 1);
    CHECK_FALSE(second.store.find(7, soon()).has_value());
    CHECK(second.store.find(8, soon()).has_value());
}

TEST_CASE("what is unfinished is of those that have no seat and no claim") {
    Fleet fleet;
    {
        const auto alone = fleet.place->store(); // of the time before
        alone.open({.node = "alone"}, soon());
        auto one = execution(1, 10, JobStatus::running);
        one.node = "alone";
        alone.write({.executions = std::vector{one}}, soon());
        alone.close();
    }
    Fleet& same = fleet;
    Member dead = same.join("dead");
    const Member other = same.join();
    other.store.save({.id = "job"}, soon());
    auto promised = execution_of(dead, 30, JobStatus::error);
    promised.is_final = false;
    dead.claim(claim_of("job", 20));
    dead.write({execution_of(dead, 20), promised, execution_of(dead, 40)});
    const auto ids = [&](const Member& member) {
        std::vector<ExecutionId> found;
        for (const auto& one : member.store.unfinished(soon())) { found.push_back(one.id); }
        return found;
    };
    CHECK(ids(other) == std::vector<ExecutionId>{1});
    CHECK(ids(dead) == std::vector<ExecutionId>{1});
    same.kill(dead);
    CHECK(other.take_over().size() == 2);
    CHECK(ids(other) == std::vector<ExecutionId>{1, 30, 40}); // the taker goes on with 20
}

TEST_CASE("who has the store alone finds what a fleet has left") {
    Fleet fleet;
    Member dead = fleet.join();
    dead.store.save({.id = "job"}, soon());
    Claim run = claim_of("job", 2);
    run.scheduled_at = at(77);
    run.parameters = "some";
    run.claimed_at = at(5);
    Claim skip = claim_of("job", 3);
    skip.kind = Claim::Kind::skip;
    skip.reason = SkipReason::overlap;
    skip.skip_count = 4;
    skip.claimed_at = at(6);
    for (const Claim& claim : {claim_of("job", 1), run, skip}) { dead.claim(claim); }
    dead.write({execution_of(dead, 1)});
    dead.store = {};

    const auto alone = fleet.place->store();
    CHECK_FALSE(failure_in_the_end([&] { alone.open({.node = "alone"}, soon()); }).has_value());
    const auto unfinished = alone.unfinished(soon());
    REQUIRE(unfinished.size() == 2);
    CHECK(unfinished[0].id == 2); // claimed, and never begun
    CHECK(unfinished[0].occurrence_id == 2);
    CHECK(unfinished[0].status == JobStatus::abandoned);
    CHECK(unfinished[0].attempt_number == 1);
    CHECK(unfinished[0].job_id == "job");
    CHECK(unfinished[0].parameters == "some");
    CHECK(unfinished[0].scheduled_at == at(77));
    CHECK(unfinished[0].queued_at == at(5));
    CHECK(unfinished[0].completed_at.has_value());
    CHECK(unfinished[1].id == 1);
    CHECK(unfinished[1].status == JobStatus::running);
    const auto skipped = alone.find(3, soon());
    REQUIRE(skipped.has_value());
    CHECK(skipped->status == JobStatus::skipped);
    CHECK(skipped->reason == SkipReason::overlap);
    CHECK(skipped->skip_count == 4);
    CHECK(skipped->is_final);
    CHECK(alone.retained(soon()) == 3);
    alone.close();
    std::optional<Member> later;
    CHECK_FALSE(failure_in_the_end([&] { later = fleet.join(); }).has_value());
    CHECK(later.value().take_over().empty());
    CHECK(later->lock({{"job", {}}}).jobs.at(0).in_progress == 0);
}

TEST_CASE("an execution is only replaced by one of the same node") {
    Fleet fleet;
    const Member first = fleet.join();
    const Member second = fleet.join();
    const auto before = execution_of(first, 1);
    first.write({before});
    auto other = before;
    other.node = second.seat.node;
    other.log_text = "mine";
    second.write({other, execution_of(second, 2)});
    CHECK(text_of(second.store.find(1, soon()).value()) == text_of(before));
    CHECK(second.store.find(2, soon()).has_value());              // the others of the batch are written
    const auto done = execution_of(first, 1, JobStatus::success); // whoever writes it
    second.write({done});
    CHECK(text_of(second.store.find(1, soon()).value()) == text_of(done));
}

TEST_CASE("who took over ends for good what was abandoned") {
    Fleet fleet;
    Member dead = fleet.join();
    const Member taker = fleet.join();
    dead.write({execution_of(dead, 1)});
    fleet.kill(dead);
    auto last = taker.take_over().at(0).last.value();
    last.is_final = true;
    taker.write({last});
    CHECK(text_of(taker.store.find(1, soon()).value()) == text_of(last));
    CHECK(taker.store.unfinished(soon()).empty());
}

TEST_CASE("counters are the seat's, and stand beside those of others") {
    Fleet fleet;
    const Member first = fleet.join();
    const Member second = fleet.join();
    const std::vector<StoredCounters> one{counters_of({}, 1)};
    const std::vector<StoredCounters> two{counters_of({}, 2)};
    first.store.write({.counters = one}, soon());
    second.store.write({.counters = two}, soon());
    CHECK(texts_of(first.store.counters(soon())) ==
          texts_of({counters_of(first.seat.node, 1), counters_of(second.seat.node, 2)}));
}

TEST_CASE("counters of those that are gone, and one's own, are put together") {
    Fleet fleet;
    Member gone = fleet.join("gone");
    const Member seated = fleet.join("seated");
    const Member own = fleet.join("own");
    for (const Member& member : {gone, seated, own}) {
        const std::vector<StoredCounters> rows{counters_of({}, member.seat.node.size())};
        member.store.write({.counters = rows}, soon());
    }
    const std::vector<StoredCounters> earlier{counters_of("earlier", 100)}; // of a node that never had a seat
    own.store.write({.counters = earlier}, soon());
    gone.store.close();
    static_cast<void>(own.take_over());

    std::vector<StoredCounters> given;
    const auto keep = [&](std::vector<StoredCounters> rows) -> std::optional<std::vector<StoredCounters>> {
        given = std::move(rows);
        return std::nullopt;
    };
    const auto before = texts_of(own.store.counters(soon()));
    own.store.tidy_counters(keep, soon());
    CHECK(texts_of(own.store.counters(soon())) == before);
    CHECK(texts_of(given) == texts_of({counters_of("earlier", 100), counters_of(gone.seat.node, gone.seat.node.size()),
                                       counters_of(own.seat.node, own.seat.node.size())}));

    const std::vector<StoredCounters> folded{counters_of("earlier", 200), counters_of(own.seat.node, 3)};
    own.store.tidy_counters([&](auto) { return std::optional{folded}; }, soon());
    CHECK(texts_of(own.store.counters(soon())) ==
          texts_of({folded[0], folded[1], counters_of(seated.seat.node, seated.seat.node.size())}));
    own.store.tidy_counters([](auto) { return std::optional<std::vector<StoredCounters>>{std::in_place}; }, soon());
    CHECK(texts_of(own.store.counters(soon())) == texts_of({counters_of(seated.seat.node, seated.seat.node.size())}));
}

TEST_CASE("a fold that throws changes nothing") {
    Fleet fleet;
    const Member own = fleet.join();
    const std::vector<StoredCounters> rows{counters_of({}, 1)};
    own.store.write({.counters = rows}, soon());
    const auto fold = [](auto) -> std::optional<std::vector<StoredCounters>> { throw std::length_error{"no memory"}; };
    CHECK_THROWS_AS(own.store.tidy_counters(fold, soon()), std::length_error);
    CHECK(own.store.counters(soon()).size() == 1);
    own.store.tidy_counters([](auto) { return std::optional<std::vector<StoredCounters>>{std::in_place}; }, soon());
    CHECK(own.store.counters(soon()).empty());
}

TEST_CASE("a call of a member whose deadline has passed fails at once and does nothing") {
    Fleet fleet;
    const Member member = fleet.join();
    Member dead = fleet.join();
    member.store.save({.id = "job"}, soon());
    dead.claim(claim_of("job", 1));
    fleet.kill(dead);
    const auto past = std::chrono::steady_clock::now() - 1s;
    const std::vector<JobLock> jobs{{"job", {}}};
    const std::vector<Claim> claims{claim_of("job", 2)};
    const auto& store = member.store;
    const auto began = std::chrono::steady_clock::now();
    CHECK(failure_of([&] { static_cast<void>(store.beat(past)); }).has_value());
    CHECK(failure_of([&] { static_cast<void>(store.look(past)); }).has_value());
    CHECK(failure_of([&] { static_cast<void>(store.take_over(past)); }).has_value());
    CHECK(failure_of([&] { static_cast<void>(store.reserve_ids(past)); }).has_value());
    CHECK(failure_of([&] { store.tidy_counters([](auto) { return std::nullopt; }, past); }).has_value());
    CHECK(failure_of([&] { static_cast<void>(store.lock(jobs, LockWait::yes, past)); }).has_value());
    REQUIRE(member.lock(jobs).jobs.size() == 1);
    CHECK(failure_of([&] { store.commit({.claims = claims}, past); }).has_value());
    CHECK(failure_of([&] { static_cast<void>(fleet.place->store().join({.name = "x"}, past)); }).has_value());
    CHECK(std::chrono::steady_clock::now() - began < 10s);
    CHECK(member.beat()); // and it works again
    CHECK(member.lock(jobs).jobs.at(0).in_progress == 1);
    CHECK(member.take_over().size() == 1);
}

TEST_CASE("what is not joined is no member") {
    Fleet fleet;
    const auto store = fleet.place->store();
    CHECK(failure_of([&] { static_cast<void>(store.beat(soon())); }).has_value());
    CHECK(failure_of([&] { static_cast<void>(store.look(soon())); }).has_value());
    CHECK(failure_of([&] { static_cast<void>(store.take_over(soon())); }).has_value());
    CHECK(failure_of([&] { static_cast<void>(store.lock({}, LockWait::no, soon())); }).has_value());
    CHECK(failure_of([&] { store.commit({}, soon()); }).has_value());
    store.unlock();
    store.wake();
    store.close();
}
