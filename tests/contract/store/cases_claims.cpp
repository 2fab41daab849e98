// SPDX-License-Identifier: MIT
#include "contract/store/fleet_contract.hpp"
#include "contract/store/store_contract.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <chrono>
#include <future>
#include <limits>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace daybook;
using namespace store_contract;
using namespace std::chrono_literals;

namespace {

using Ids = std::vector<ExecutionId>;
using Names = std::vector<std::string>;

/// Two members and three jobs.
struct Pair : Fleet {
    Member one = join("one");
    Member other = join("other");

    Pair() {
        for (const char* id : {"a", "b", "c"}) { one.store.save({.id = id, .schedule = "every 1s"}, soon()); }
    }
    [[nodiscard]] JobStanding standing(const std::string& job, const std::string& group = {}) const {
        const auto locked = one.lock({{job, group}});
        one.store.unlock();
        REQUIRE(locked.jobs.size() == 1);
        return locked.jobs[0];
    }
    [[nodiscard]] StoredJob job(const std::string& id) const {
        for (const StoredJob& one_job : one.store.jobs(soon())) {
            if (one_job.id == id) { return one_job; }
        }
        FAIL("there is no job " << id);
        return {};
    }
};

Claim waiting(Claim claim) {
    claim.is_waiting = true;
    return claim;
}
Claim skip_of(const std::string& job, ExecutionId id) {
    Claim claim = claim_of(job, id);
    claim.kind = Claim::Kind::skip;
    claim.reason = SkipReason::overlap;
    claim.skip_count = 1;
    return claim;
}

} // namespace

TEST_CASE("what one has locked is left out for the others until it is unlocked") {
    Pair two;
    CHECK(ids_of(two.one.lock({{"b", {}}, {"a", {}}})) == Names{"a", "b"}); // ordered by id
    CHECK(ids_of(two.other.lock({{"c", {}}, {"b", {}}, {"a", {}}})) == Names{"c"});
    two.one.store.unlock();
    CHECK(ids_of(two.other.lock({{"c", {}}, {"b", {}}, {"a", {}}})) == Names{"a", "b", "c"});
    two.one.store.unlock(); // of nothing
    CHECK(two.one.lock({{"a", {}}}).jobs.empty());
}

TEST_CASE("a lock says which jobs the store does not have") {
    Pair two;
    const auto locked = two.one.lock({{"unknown", {}}, {"a", {}}, {"", {}}, {"it's unknown", "group"}});
    CHECK(ids_of(locked) == Names{"a"});
    auto unknown = locked.unknown;
    std::sort(unknown.begin(), unknown.end());
    CHECK(unknown == Names{"", "it's unknown", "unknown"});
    CHECK(two.other.lock({{"unknown", {}}, {"a", {}}}).unknown == Names{"unknown"}); // what is locked is known
}

TEST_CASE("nothing is asked for, nothing is locked") {
    Pair two;
    REQUIRE(two.one.lock({{"a", {}}}).jobs.size() == 1);
    const auto locked = two.one.lock({});
    CHECK(locked.jobs.empty());
    CHECK(locked.unknown.empty());
    CHECK(two.other.lock({{"a", {}}}).jobs.size() == 1); // it was unlocked
    CHECK(failure_of([&] { two.one.commit({claim_of("a", 1)}); }) == StoreFailure::busy);
}

TEST_CASE("a lock unlocks what was locked before") {
    Pair two;
    CHECK(ids_of(two.one.lock({{"a", {}}})) == Names{"a"});
    CHECK(ids_of(two.one.lock({{"a", {}}, {"b", {}}})) == Names{"a", "b"});
    CHECK(ids_of(two.one.lock({{"c", {}}})) == Names{"c"});
    CHECK(ids_of(two.other.lock({{"a", {}}, {"b", {}}, {"c", {}}})) == Names{"a", "b"});
}

TEST_CASE("any call of a member but a wake unlocks") {
    Pair two;
    const auto is_unlocked_by = [&](auto&& call) {
        REQUIRE(two.one.lock({{"a", {}}}).jobs.size() == 1);
        call(two.one.store);
        const bool is_free = two.other.lock({{"a", {}}}).jobs.size() == 1;
        two.other.store.unlock();
        return is_free;
    };
    CHECK(is_unlocked_by([](const AnyStore& store) { static_cast<void>(store.beat(soon())); }));
    CHECK(is_unlocked_by([](const AnyStore& store) { static_cast<void>(store.look(soon())); }));
    CHECK(is_unlocked_by([](const AnyStore& store) { static_cast<void>(store.take_over(soon())); }));
    CHECK(is_unlocked_by([](const AnyStore& store) { static_cast<void>(store.reserve_ids(soon())); }));
    CHECK(is_unlocked_by([](const AnyStore& store) { static_cast<void>(store.await(soon())); })); // is_all
    CHECK(is_unlocked_by([](const AnyStore& store) { store.unlock(); }));
    CHECK_FALSE(is_unlocked_by([](const AnyStore& store) { store.wake(); }));
    CHECK_FALSE(is_unlocked_by([](const AnyStore& store) {
        store.tidy_counters([](auto) { return std::nullopt; }, soon());
        static_cast<void>(store.jobs(soon()));
    }));
}

TEST_CASE("a commit unlocks, also one that has nothing to write") {
    Pair two;
    REQUIRE(two.one.lock({{"a", {}}}).jobs.size() == 1);
    two.one.commit();
    REQUIRE(two.other.lock({{"a", {}}}).jobs.size() == 1);
    two.other.commit({claim_of("a", 1)});
    CHECK(two.one.lock({{"a", {}}}).jobs.size() == 1);
}

TEST_CASE("what a dead process has locked is free") {
    Pair two;
    REQUIRE(two.one.lock({{"a", {}}}).jobs.size() == 1);
    two.one.store = {};
    CHECK(two.other.lock({{"a", {}}}, LockWait::yes).jobs.size() == 1);
}

TEST_CASE("who leaves unlocks") {
    Pair two;
    REQUIRE(two.one.lock({{"a", {}}}).jobs.size() == 1);
    two.one.store.close();
    CHECK(two.other.lock({{"a", {}}}, LockWait::yes).jobs.size() == 1);
}

TEST_CASE("who waits gets what another has locked, and sees what it has written") {
    Pair two;
    REQUIRE(two.one.lock({{"a", "group"}, {"b", {}}}).jobs.size() == 2);
    auto waits = std::async(std::launch::async, [&] {
        return two.other.store.lock(std::vector<JobLock>{{"a", "group"}, {"b", {}}, {"c", {}}}, LockWait::yes, soon());
    });
    CHECK(waits.wait_for(200ms) == std::future_status::timeout);
    JobStanding standing = {.job_id = "a", .accounted_to = at(77), .left = 3, .updated_at = at(78)};
    Claim claim = claim_of("a", 1);
    claim.group = "group";
    two.one.commit({claim}, {standing});
    const LockedJobs locked = waits.get();
    REQUIRE(ids_of(locked) == Names{"a", "b", "c"});
    CHECK(locked.jobs[0].in_progress == 1);
    CHECK(locked.jobs[0].in_group == 1);
    CHECK(locked.jobs[0].accounted_to == at(77));
    CHECK(locked.jobs[0].left == 3);
    CHECK(locked.jobs[0].updated_at == at(78));
}

TEST_CASE("who waits does so until the deadline, and then has locked nothing") {
    Pair two;
    REQUIRE(two.one.lock({{"b", {}}}).jobs.size() == 1);
    const std::vector<JobLock> jobs{{"a", {}}, {"b", {}}};
    const auto began = std::chrono::steady_clock::now();
    const auto lock = [&] { static_cast<void>(two.other.store.lock(jobs, LockWait::yes, began + 400ms)); };
    CHECK(failure_of(lock).has_value());
    CHECK(std::chrono::steady_clock::now() - began >= 200ms); // it may leave itself time to say so
    CHECK(std::chrono::steady_clock::now() - began < 10s);
    CHECK(two.one.lock({{"a", {}}}, LockWait::yes).jobs.size() == 1);
    CHECK(two.other.lock(jobs).jobs.at(0).job_id == "b"); // and it works again
}

TEST_CASE("of a group that is locked no other job is") {
    Pair two;
    REQUIRE(two.one.lock({{"a", "group"}}).jobs.size() == 1);
    CHECK(ids_of(two.other.lock({{"a", {}}, {"b", "group"}, {"c", "other group"}})) == Names{"c"});
    CHECK(ids_of(two.other.lock({{"b", {}}})) == Names{"b"}); // it was not asked about
    two.one.store.unlock();
    CHECK(ids_of(two.other.lock({{"a", "group"}, {"b", "group"}})) == Names{"a", "b"});
    const auto lock = [&] {
        static_cast<void>(two.one.store.lock(std::vector<JobLock>{{"c", "group"}}, LockWait::yes,
                                             std::chrono::steady_clock::now() + 100ms));
    };
    CHECK(failure_of(lock).has_value());
}

TEST_CASE("what is locked for too long is free, and whoever had it writes nothing") {
    Fleet fleet;
    const Member idle = fleet.join("idle", 1h, 400ms);
    const Member other = fleet.join();
    other.store.save({.id = "a", .schedule = "every 1s"}, soon());
    REQUIRE(idle.lock({{"a", {}}}).jobs.size() == 1);
    fleet.place->pass(1200ms);
    CHECK(other.lock({{"a", {}}}, LockWait::yes).jobs.size() == 1);
    other.store.unlock();
    const JobStanding standing = {.job_id = "a", .accounted_to = at(77)};
    CHECK(failure_of([&] { idle.commit({claim_of("a", 1)}, {standing}); }) == StoreFailure::busy);
    const auto locked = other.lock({{"a", {}}});
    REQUIRE(locked.jobs.size() == 1);
    CHECK(locked.jobs[0].in_progress == 0);
    CHECK_FALSE(locked.jobs[0].accounted_to.has_value());
    other.store.unlock();
    CHECK(idle.lock({{"a", {}}}).jobs.size() == 1); // it is seated still
    idle.commit({claim_of("a", 1)});
    CHECK(idle.beat());
}

TEST_CASE("nothing is locked, nothing is written") {
    Pair two;
    REQUIRE(two.one.lock({{"a", {}}}).jobs.size() == 1);
    two.one.store.unlock();
    CHECK(failure_of([&] { two.one.commit({claim_of("a", 1)}); }) == StoreFailure::busy);
    CHECK(two.standing("a").in_progress == 0);
    REQUIRE(two.one.lock({{"a", {}}}).jobs.size() == 1);
    two.one.commit();
    CHECK(failure_of([&] { two.one.commit({claim_of("a", 1)}); }) == StoreFailure::busy); // it was unlocked
    CHECK(two.standing("a").in_progress == 0);
}

TEST_CASE("a standing says how far the job is") {
    Pair two;
    StoredJob job;
    job.id = "it's \xC3\xA4";
    job.schedule = "0 12 * * * Europe/Berlin";
    job.is_paused = true;
    job.left = 12;
    job.accounted_to = at(1'700'000'000'000'001);
    job.updated_at = at(1'650'000'000'000'001);
    two.one.store.save(job, soon());
    const JobStanding full = two.standing(job.id);
    CHECK(full.job_id == job.id);
    CHECK(full.schedule == job.schedule);
    CHECK(full.is_paused);
    CHECK(full.left == job.left);
    CHECK(full.accounted_to == job.accounted_to);
    CHECK(full.updated_at == job.updated_at);
    CHECK(full.in_progress == 0);
    CHECK(full.own.empty());
    const JobStanding plain = two.standing("a");
    CHECK_FALSE(plain.is_paused);
    CHECK_FALSE(plain.left.has_value());
    CHECK_FALSE(plain.accounted_to.has_value());
}

TEST_CASE("a standing counts the claims of all, and names one's own") {
    Pair two;
    const auto grouped = [](Claim claim, const std::string& group) {
        claim.group = group;
        return claim;
    };
    REQUIRE(two.one.lock({{"a", {}}, {"b", {}}}).jobs.size() == 2);
    two.one.commit({grouped(claim_of("a", 1), "g"), skip_of("a", 2), grouped(claim_of("b", 3), "g"),
                    grouped(waiting(claim_of("a", 4)), "other")});
    REQUIRE(two.other.lock({{"a", {}}}).jobs.size() == 1);
    two.other.commit({grouped(claim_of("a", 5), "g"), grouped(skip_of("a", 6), "g")});

    const JobStanding of_a = two.standing("a", "g");
    CHECK(of_a.in_progress == 3); // 1, 4, 5
    CHECK(of_a.in_group == 3);    // 1, 3, 5
    CHECK(of_a.own == Ids{1, 2, 4});
    CHECK(two.standing("a", "other").in_group == 1);
    CHECK(two.standing("a", "it's unknown").in_group == 0);
    CHECK(two.standing("a").in_group == 0);
    CHECK(two.standing("b", "g").in_progress == 1);
    CHECK(two.standing("c", "g").in_group == 3);
    const auto locked = two.other.lock({{"a", "g"}, {"b", {}}});
    REQUIRE(locked.jobs.size() == 2);
    CHECK(locked.jobs[0].own == Ids{5, 6});
    CHECK(locked.jobs[1].own.empty());
}

TEST_CASE("a commit writes what it says of the jobs, and nothing else of them") {
    Pair two;
    const auto before = two.job("b");
    StoredJob full = two.job("a");
    full.parameters = "some";
    full.left = 5;
    two.one.store.save(full, soon());
    auto locked = two.one.lock({{"a", {}}, {"b", {}}});
    REQUIRE(locked.jobs.size() == 2);
    JobStanding standing = locked.jobs[0];
    standing.accounted_to = at(100);
    standing.left = 4;
    standing.updated_at = at(200);
    standing.schedule = "every 2s";
    standing.is_paused = true;
    two.one.commit({}, {standing});
    StoredJob expected = full;
    expected.accounted_to = at(100);
    expected.left = 4;
    expected.updated_at = at(200);
    CHECK(text_of(two.job("a")) == text_of(expected));
    CHECK(text_of(two.job("b")) == text_of(before));

    REQUIRE(two.other.lock({{"a", {}}}).jobs.size() == 1);
    standing.left.reset();
    standing.accounted_to = at(90); // whoever has the lock knows
    two.other.commit({}, {standing});
    CHECK(two.job("a").accounted_to == at(90));
    CHECK_FALSE(two.job("a").left.has_value());
}

TEST_CASE("a claim comes back as it was") {
    Pair two;
    Claim full = skip_of("a", (ExecutionId{1} << 53U) - 1);
    full.handler_id = "handler";
    full.method_name = "it's a \xE2\x82\xAC {method}, \"quoted\" \\N NULL";
    full.scheduled_at = at(-1);
    full.trigger = Trigger::catch_up;
    full.dst = ClockChange::second_of_two;
    full.parameters = two.place->kept(std::string("a\0b", 3)) + std::string(100'000, 'x');
    full.group = "group";
    full.is_waiting = true;
    full.skip_count = std::numeric_limits<std::uint64_t>::max();
    full.skip_count_is_minimum = true;
    full.claimed_at = at(1'700'000'000'123'456);
    std::vector<Claim> claims{full};
    ExecutionId id = 0;
    for (int i = 0; i < 9; ++i) {
        claims.push_back(claim_of("a", ++id));
        claims.back().reason = static_cast<SkipReason>(i);
        claims.back().trigger = static_cast<Trigger>(i % 3);
        claims.back().dst = static_cast<ClockChange>(i % 4);
    }
    REQUIRE(two.one.lock({{"a", {}}}).jobs.size() == 1);
    two.one.commit(claims);
    two.kill(two.one);
    const auto taken = two.other.take_over();
    REQUIRE(taken.size() == claims.size());
    for (std::size_t i = 0; i < claims.size(); ++i) {
        const Claim& written = claims[(i + 1) % claims.size()]; // the first one has the largest id
        CHECK(text_of(taken[i].claim.value()) == text_of(written));
    }
}

TEST_CASE("a commit is written as a whole or not at all") {
    Pair two;
    two.one.claim(claim_of("a", 1));
    REQUIRE(two.other.lock({{"a", {}}, {"b", {}}}).jobs.size() == 2);
    const JobStanding standing = {.job_id = "a", .accounted_to = at(77)};
    const auto commit = [&] { two.other.commit({claim_of("b", 2), claim_of("a", 1)}, {standing}, {"a"}); };
    CHECK(failure_of(commit).has_value()); // there is a claim 1
    CHECK(two.standing("b").in_progress == 0);
    CHECK(two.standing("a").in_progress == 1);
    CHECK_FALSE(two.standing("a").accounted_to.has_value());
    CHECK(two.one.look().cancelled.empty());
    two.other.claim(claim_of("b", 2)); // and it works again
}

TEST_CASE("claims that are to end are told to whose they are") {
    Pair two;
    two.one.listen();
    REQUIRE(two.one.lock({{"a", {}}, {"b", {}}}).jobs.size() == 2);
    two.one.commit({claim_of("a", 1), claim_of("b", 2), skip_of("a", 3)});
    CHECK(two.one.look().cancelled.empty());
    REQUIRE(two.other.lock({{"a", {}}}).jobs.size() == 1);
    two.other.commit({claim_of("a", 4)}, {}, {"a"});
    CHECK(two.one.hears_of_claims());
    CHECK(two.one.look().cancelled == Ids{1}); // a skip does not end
    CHECK(two.other.look().cancelled.empty()); // 4 came with it
    CHECK(two.one.look().cancelled == Ids{1}); // until it is released
    two.one.write({}, {1});
    CHECK(two.one.look().cancelled.empty());
    REQUIRE(two.other.lock({{"a", {}}}).jobs.size() == 1);
    two.other.commit({}, {}, {"a"}); // one's own too
    CHECK(two.other.look().cancelled == Ids{4});
}

TEST_CASE("claims that are to end still are for who takes them over") {
    Pair two;
    two.one.claim(claim_of("a", 1));
    REQUIRE(two.other.lock({{"a", {}}}).jobs.size() == 1);
    two.other.commit({}, {}, {"a"});
    two.kill(two.one);
    REQUIRE(two.other.take_over().size() == 1);
    CHECK(two.other.look().cancelled == Ids{1});
}

TEST_CASE("a claim that waits is free when none of its job comes before it") {
    Pair two;
    two.other.listen();
    REQUIRE(two.one.lock({{"a", {}}}).jobs.size() == 1);
    two.one.commit({claim_of("a", 10)});
    REQUIRE(two.other.lock({{"a", {}}, {"b", {}}}).jobs.size() == 2);
    two.other.commit({waiting(claim_of("a", 5)), waiting(claim_of("b", 6))}); // the order is that of the commits
    CHECK(two.other.look().free == Ids{6});                                   // nobody comes before
    REQUIRE(two.one.lock({{"a", {}}}).jobs.size() == 1);
    two.one.commit({waiting(claim_of("a", 4))});
    CHECK(two.one.look().free.empty());
    two.one.write({execution_of(two.one, 10, JobStatus::success)}, {10});
    CHECK(two.other.hears_of_claims());
    CHECK(two.other.look().free == Ids{5, 6});
    CHECK(two.one.look().free.empty());
    two.other.write({}, {5, 6});
    CHECK(two.one.look().free == Ids{4});
    CHECK(two.other.look().free.empty());
}

TEST_CASE("a skip is in nobody's way") {
    Pair two;
    REQUIRE(two.one.lock({{"a", {}}}).jobs.size() == 1);
    two.one.commit({skip_of("a", 1), waiting(claim_of("a", 2))});
    CHECK(two.one.look().free == Ids{2});
}

TEST_CASE("claims of one commit come in its order") {
    Pair two;
    REQUIRE(two.one.lock({{"a", {}}}).jobs.size() == 1);
    two.one.commit({waiting(claim_of("a", 3)), waiting(claim_of("a", 1)), waiting(claim_of("a", 2))});
    CHECK(two.one.look().free == Ids{3});
    two.one.write({}, {3});
    CHECK(two.one.look().free == Ids{1});
}

TEST_CASE("a claim that is taken over keeps its place") {
    Pair two;
    two.one.claim(claim_of("a", 10));
    two.other.claim(waiting(claim_of("a", 5)));
    two.kill(two.one);
    REQUIRE(two.other.take_over().size() == 1);
    CHECK(two.other.look().free.empty());
    two.other.write({}, {10});
    CHECK(two.other.look().free == Ids{5});
}

TEST_CASE("claims are released with the records that end them, each by its own process") {
    Pair two;
    REQUIRE(two.one.lock({{"a", {}}}).jobs.size() == 1);
    two.one.commit({claim_of("a", 1), claim_of("a", 2)});
    two.other.claim(claim_of("b", 3));
    two.other.write({execution_of(two.other, 3)}, {1, 99}); // neither is its own
    CHECK(two.standing("a").in_progress == 2);
    CHECK(two.other.store.find(3, soon()).has_value());
    two.one.write({execution_of(two.one, 1, JobStatus::success)}, {1, 3, 1});
    CHECK(two.standing("a").own == Ids{2});
    CHECK(two.standing("b").in_progress == 1);
    two.one.claim(claim_of("a", 1)); // it is as if it had never been
}

TEST_CASE("in a fleet, a save keeps how far the schedule is, unless it is another schedule") {
    Pair two;
    StoredJob job = two.job("a");
    REQUIRE(two.one.lock({{"a", {}}}).jobs.size() == 1);
    two.one.commit({}, {{.job_id = "a", .accounted_to = at(100), .left = 7, .updated_at = at(200)}});
    job.parameters = "new";
    job.accounted_to = at(50);
    job.left = 9;
    job.updated_at = at(60);
    job.is_paused = true;
    two.other.store.save(job, soon());
    StoredJob expected = job;
    expected.accounted_to = at(100);
    expected.left = 7;
    expected.updated_at = at(200);
    CHECK(text_of(two.job("a")) == text_of(expected));
    job.schedule = "every 2s";
    two.other.store.save(job, soon());
    CHECK(text_of(two.job("a")) == text_of(job));
}

TEST_CASE("who saves or erases a job tells the others") {
    Pair two;
    two.other.listen();
    two.one.listen();
    const std::string id = "it's \xC3\xA4 job, \"quoted\"\n{1}";
    two.one.store.save({.id = id}, soon());
    CHECK(two.other.hears_of(id));
    two.one.store.save({.id = "a", .schedule = "every 3s"}, soon());
    CHECK(two.other.hears_of("a"));
    CHECK(two.one.store.erase(id, soon()));
    CHECK(two.other.hears_of(id));
    const FleetNews own = two.one.store.await(std::chrono::steady_clock::now() + 200ms);
    CHECK(own.jobs.empty()); // one knows what one has done
    CHECK_FALSE(own.is_all);
    CHECK_FALSE(own.has_claims);
}

TEST_CASE("of a job with a very long name the others hear as well") {
    Pair two;
    two.other.listen();
    const std::string id(9000, 'x');
    two.one.store.save({.id = id}, soon());
    CHECK(two.other.hears([&](const FleetNews& news) {
        return news.is_all || std::find(news.jobs.begin(), news.jobs.end(), id) != news.jobs.end();
    }));
}

TEST_CASE("news are told once, also those from when nobody was waiting") {
    Pair two;
    two.other.listen();
    for (const char* id : {"x", "y", "z", "x"}) { two.one.store.save({.id = id}, soon()); }
    std::set<std::string> missing{"x", "y", "z"};
    bool is_all = false;
    REQUIRE(two.other.hears([&](const FleetNews& news) {
        for (const std::string& id : news.jobs) { missing.erase(id); }
        is_all |= news.is_all;
        return missing.empty();
    }));
    CHECK_FALSE(is_all);
    static_cast<void>(two.other.store.await(std::chrono::steady_clock::now() + 200ms)); // the second x
    CHECK(two.other.store.await(std::chrono::steady_clock::now() + 100ms).jobs.empty());
}

TEST_CASE("who waits for news does so until then, and no longer") {
    Pair two;
    two.one.listen();
    const auto began = std::chrono::steady_clock::now();
    const FleetNews none = two.one.store.await(began + 300ms);
    CHECK(none.jobs.empty());
    CHECK_FALSE(none.has_claims);
    CHECK(std::chrono::steady_clock::now() - began >= 290ms);
    CHECK(std::chrono::steady_clock::now() - began < 10s);
    static_cast<void>(two.one.store.await(began)); // long past: what there is by now
    CHECK(std::chrono::steady_clock::now() - began < 10s);
}

TEST_CASE("who waits for news is woken, now or the next time") {
    Pair two;
    two.one.listen();
    const auto began = std::chrono::steady_clock::now();
    two.one.store.wake();
    two.one.store.wake();
    static_cast<void>(two.one.store.await(soon()));
    auto waits = std::async(std::launch::async, [&] { static_cast<void>(two.one.store.await(soon())); });
    CHECK(waits.wait_for(200ms) == std::future_status::timeout); // both woke the same
    two.one.store.wake();
    waits.get();
    CHECK(std::chrono::steady_clock::now() - began < 15s);
}

TEST_CASE("a member reads and writes while it waits for news or has locked jobs") {
    Pair two;
    auto waits = std::async(std::launch::async, [&] {
        static_cast<void>(two.one.store.await(soon())); // it is told that nobody has listened until now
        static_cast<void>(two.one.store.await(soon()));
    });
    two.one.write({execution_of(two.one, 1)});
    CHECK(two.one.store.find(1, soon()).has_value());
    two.one.store.wake();
    std::this_thread::sleep_for(10ms);
    two.one.store.wake(); // whichever of the two the first one has met
    waits.get();
    REQUIRE(two.one.lock({{"a", {}}}).jobs.size() == 1);
    two.one.write({execution_of(two.one, 2)});
    CHECK(two.one.store.jobs(soon()).size() == 3);
    two.one.store.save({.id = "b", .schedule = "every 9s"}, soon()); // one that is not locked
    two.one.commit({claim_of("a", 1)});
    CHECK(two.one.store.retained(soon()) == 2);
}
