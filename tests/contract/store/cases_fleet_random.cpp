// SPDX-License-Identifier: MIT
#include "contract/store/fleet_contract.hpp"
#include "contract/store/store_contract.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace daybook;
using namespace store_contract;

namespace {

/// What the store should hold, as simply as it can be said.
struct Model {
    struct Held {
        Claim claim = {};
        std::string node = {};
        std::uint64_t number = 0;
        bool is_cancelled = false;
    };
    std::map<ExecutionId, Held> claims = {};
    std::map<ExecutionId, StoredExecution> executions = {};
    std::map<std::string, sys_time> accounted = {};
    std::uint64_t claims_so_far = 0;
};

/// A member and what it has locked.
struct Actor {
    Member member = {};
    bool has_locked = false;
    std::set<std::string> locked = {};
};

class Play {
public:
    explicit Play(std::uint32_t seed) : random_{seed} {
        for (int i = 0; i < 3; ++i) { actors_.push_back({fleet_.join("actor"), false, {}}); }
        for (int i = 0; i < 4; ++i) { actors_[0].member.store.save({.id = "job " + std::to_string(i)}, soon()); }
    }

    void step() {
        Actor& actor = actors_[below(actors_.size())];
        switch (below(9)) {
        case 0:
        case 1:
        case 2: lock(actor); break;
        case 3:
        case 4: commit(actor); break;
        case 5: write(actor); break;
        case 6:
            unlock(actor);
            look(actor);
            break;
        case 7:
            unlock(actor);
            take_over(actor);
            break;
        default:
            if (below(4) == 0) {
                unlock(actor);
                replace(actor);
            }
        }
    }
    void check() {
        const Actor& watcher = actors_[0];
        const auto jobs = watcher.member.store.jobs(soon());
        REQUIRE(jobs.size() == 4);
        for (const StoredJob& job : jobs) {
            const auto known = model_.accounted.find(job.id);
            REQUIRE(job.accounted_to.has_value() == (known != model_.accounted.end()));
            if (job.accounted_to) { REQUIRE(*job.accounted_to == known->second); }
        }
        REQUIRE(watcher.member.store.retained(soon()) == model_.executions.size());
        for (const auto& [id, execution] : model_.executions) {
            auto found = watcher.member.store.find(id, soon()).value();
            found.completed_at = execution.completed_at; // by the store's clock, where it has ended it
            REQUIRE(text_of(found) == text_of(execution));
        }
    }

private:
    std::size_t below(std::size_t bound) { return static_cast<std::size_t>(random_() % bound); }
    std::string some_job() { return "job " + std::to_string(below(5)); } // one of them unknown

    /// What each of these calls does.
    static void unlock(Actor& actor) {
        actor.has_locked = false;
        actor.locked.clear();
    }

    void lock(Actor& actor) {
        std::map<std::string, std::string> wanted;
        std::vector<JobLock> jobs;
        for (std::size_t i = below(4); i > 0; --i) {
            const std::string job = some_job();
            if (wanted.try_emplace(job).second) { jobs.push_back({job, {}}); }
        }
        actor.has_locked = !jobs.empty();
        actor.locked.clear();
        std::vector<std::string> expected;
        for (const auto& [job, group] : wanted) {
            const bool is_taken = std::any_of(actors_.begin(), actors_.end(), [&, id = job](const Actor& other) {
                return &other != &actor && other.locked.contains(id);
            });
            if (job != "job 4" && !is_taken) { expected.push_back(job); }
        }
        const LockedJobs locked = actor.member.lock(jobs);
        REQUIRE(ids_of(locked) == expected);
        REQUIRE(locked.unknown.size() == (wanted.contains("job 4") ? 1 : 0));
        for (const JobStanding& standing : locked.jobs) {
            actor.locked.insert(standing.job_id);
            std::uint32_t in_progress = 0;
            std::vector<ExecutionId> own;
            for (const auto& [id, held] : model_.claims) {
                if (held.claim.job_id != standing.job_id) { continue; }
                if (held.claim.kind == Claim::Kind::run) { ++in_progress; }
                if (held.node == actor.member.seat.node) { own.push_back(id); }
            }
            auto found = standing.own;
            std::sort(found.begin(), found.end());
            REQUIRE(standing.in_progress == in_progress);
            REQUIRE(found == own);
        }
    }

    void commit(Actor& actor) {
        std::vector<Claim> claims;
        std::vector<JobStanding> standings;
        std::vector<std::string> cancelled;
        for (const std::string& job : actor.locked) {
            if (below(4) == 0) { cancelled.push_back(job); }
            for (std::size_t i = below(3); i > 0; --i) {
                Claim claim = claim_of(job, ++last_id_);
                claim.kind = below(4) == 0 ? Claim::Kind::skip : Claim::Kind::run;
                claim.is_waiting = claim.kind == Claim::Kind::run && below(2) == 0;
                claims.push_back(claim);
            }
            standings.push_back({.job_id = job, .accounted_to = at(static_cast<std::int64_t>(++last_id_))});
        }
        const bool is_locked = actor.has_locked;
        unlock(actor);
        const auto failure = failure_of([&] { actor.member.commit(claims, standings, cancelled); });
        const std::string& node = actor.member.seat.node;
        const auto expected = gone_.contains(node) ? std::optional{StoreFailure::unseated}
                              : is_locked          ? std::optional<StoreFailure>{}
                                                   : std::optional{StoreFailure::busy};
        REQUIRE(failure == expected);
        if (failure) { return; }
        for (auto& [id, held] : model_.claims) {
            const auto& jobs = cancelled;
            if (std::find(jobs.begin(), jobs.end(), held.claim.job_id) != jobs.end()) { held.is_cancelled = true; }
        }
        for (const Claim& claim : claims) { model_.claims[claim.id] = {claim, node, ++model_.claims_so_far, false}; }
        for (const JobStanding& standing : standings) { model_.accounted[standing.job_id] = *standing.accounted_to; }
    }

    /// Begins or ends some of what it has claimed, and now and then something that it has not.
    void write(Actor& actor) {
        const std::string& node = actor.member.seat.node;
        std::vector<StoredExecution> executions;
        std::vector<ExecutionId> released;
        for (const auto& [id, held] : model_.claims) {
            if (held.node != node && below(8) != 0) { continue; }
            const std::size_t what = below(4);
            if (what == 0) { released.push_back(id); }
            if (what < 3) {
                executions.push_back(
                    execution_of(actor.member, id, what == 0 ? JobStatus::success : JobStatus::running));
            }
        }
        const auto failure = failure_of([&] { actor.member.write(executions, released); });
        REQUIRE(failure ==
                (gone_.contains(node) ? std::optional{StoreFailure::unseated} : std::optional<StoreFailure>{}));
        if (failure) { return; }
        for (const StoredExecution& one : executions) {
            const auto [there, is_new] = model_.executions.try_emplace(one.id, one);
            if (!is_new && there->second.node == one.node && !is_finished(there->second.status)) {
                there->second = one;
            }
        }
        for (const ExecutionId id : released) {
            if (model_.claims.at(id).node == node) { model_.claims.erase(id); }
        }
    }

    void look(Actor& actor) {
        ClaimNews news = actor.member.look();
        ClaimNews expected;
        for (const auto& [id, held] : model_.claims) {
            if (held.node != actor.member.seat.node) { continue; }
            if (held.is_cancelled && held.claim.kind == Claim::Kind::run) { expected.cancelled.push_back(id); }
            const bool is_first =
                std::none_of(model_.claims.begin(), model_.claims.end(), [&, &mine = held](const auto& other) {
                    return other.second.claim.kind == Claim::Kind::run &&
                           other.second.claim.job_id == mine.claim.job_id && other.second.number < mine.number;
                });
            if (held.claim.is_waiting && is_first) { expected.free.push_back(id); }
        }
        std::sort(news.cancelled.begin(), news.cancelled.end());
        std::sort(news.free.begin(), news.free.end());
        REQUIRE(news.cancelled == expected.cancelled);
        REQUIRE(news.free == expected.free);
    }

    void take_over(Actor& actor) {
        const std::string& node = actor.member.seat.node;
        std::vector<TakenOver> taken;
        const auto failure = failure_of([&] { taken = actor.member.take_over(); });
        if (gone_.contains(node)) {
            REQUIRE(failure == StoreFailure::unseated);
            return;
        }
        REQUIRE_FALSE(failure.has_value());
        std::size_t expected = 0;
        for (auto& [id, held] : model_.claims) {
            if (held.node == node || !ended_.contains(held.node)) { continue; }
            held.node = node;
            REQUIRE(expected < taken.size());
            const TakenOver& one = taken[expected++];
            REQUIRE(one.claim.has_value());
            REQUIRE(text_of(*one.claim) == text_of(held.claim));
            const auto last = model_.executions.find(id);
            REQUIRE(one.last.has_value() == (last != model_.executions.end()));
            if (!one.last) { continue; }
            REQUIRE(one.was_open == (ended_.contains(last->second.node) && last->second.node != node &&
                                     !is_finished(last->second.status)));
        }
        for (auto& [id, execution] : model_.executions) {
            const bool is_ended = ended_.contains(execution.node) && execution.node != node;
            if (!is_ended || is_finished(execution.status)) { continue; }
            execution.status = JobStatus::abandoned;
            execution.is_final = false;
            if (!model_.claims.contains(id)) { ++expected; }
        }
        REQUIRE(taken.size() == expected);
        for (auto ended = ended_.begin(); ended != ended_.end();) {
            if (*ended == node) {
                ++ended;
                continue;
            }
            gone_.insert(*ended);
            ended = ended_.erase(ended);
        }
        if (ended_.contains(node)) { // it would be renewed
            REQUIRE(actor.member.beat());
            ended_.erase(node);
        }
    }

    /// Dies, leaves, or does not answer for a while; and somebody comes. Who was taken over joins again.
    void replace(Actor& actor) {
        const std::string node = actor.member.seat.node;
        REQUIRE(actor.member.beat() == !gone_.contains(node));
        ended_.erase(node);
        const std::size_t how = below(3);
        if (how == 2 && !gone_.contains(node)) {
            fleet_.place->end_lease(node);
            ended_.insert(node);
            return;
        }
        if (how == 0) {
            actor.member.store.close();
        } else {
            fleet_.kill(actor.member);
        }
        if (!gone_.contains(node)) { ended_.insert(node); }
        actor = {fleet_.join("actor"), false, {}};
    }

    Fleet fleet_;
    std::mt19937 random_;
    std::vector<Actor> actors_;
    std::set<std::string> ended_; // leases that have ended, of those nobody has taken over
    std::set<std::string> gone_;
    Model model_;
    ExecutionId last_id_ = 0;
};

} // namespace

TEST_CASE("whatever members do, the store holds what a simple model does") {
    for (int i = 0; i < 4; ++i) {
        const std::uint32_t seed = std::random_device{}();
        INFO("seed " << seed);
        Play play{seed};
        for (int step = 0; step < 150; ++step) { play.step(); }
        play.check();
    }
}

TEST_CASE("of members that race for the same nominal times one claims each") {
    constexpr std::size_t members = 4;
    constexpr std::size_t jobs = 50;
    constexpr std::int64_t times = 20;
    Fleet fleet;
    std::vector<Member> racing;
    for (std::size_t i = 0; i < members; ++i) { racing.push_back(fleet.join("racer")); }
    std::vector<JobLock> all;
    for (std::size_t i = 0; i < jobs; ++i) {
        all.push_back({"job " + std::to_string(i), {}});
        racing[0].store.save({.id = all.back().job_id}, soon());
    }
    std::vector<std::vector<Claim>> claimed(members);
    std::vector<std::string> errors(members);
    const auto race = [&](std::size_t me) {
        const Member& member = racing[me];
        std::mt19937 random{static_cast<std::uint32_t>(me)};
        ExecutionId id = member.seat.first_id;
        const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{60};
        for (std::size_t over = 0; over < jobs && std::chrono::steady_clock::now() < until;) {
            std::vector<JobLock> some;
            for (const JobLock& job : all) {
                if (random() % 4 == 0) { some.push_back(job); }
            }
            const LockWait wait = random() % 8 == 0 ? LockWait::yes : LockWait::no;
            std::vector<Claim> claims;
            std::vector<JobStanding> standings = member.lock(some, wait).jobs;
            std::erase_if(standings, [](const JobStanding& standing) { return standing.accounted_to == at(times); });
            for (JobStanding& standing : standings) {
                const sys_time next = standing.accounted_to.value_or(at(0)) + std::chrono::microseconds{1};
                standing.accounted_to = next;
                claims.push_back(claim_of(standing.job_id, id++));
                claims.back().scheduled_at = next;
            }
            member.commit(claims, standings);
            claimed[me].insert(claimed[me].end(), claims.begin(), claims.end());
            if (!claims.empty()) { continue; }
            const auto there = member.store.jobs(soon());
            over = static_cast<std::size_t>(std::count_if(
                there.begin(), there.end(), [](const StoredJob& job) { return job.accounted_to == at(times); }));
        }
    };
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < members; ++i) {
        threads.emplace_back([&, i] {
            try {
                race(i);
            } catch (const std::exception& error) { errors[i] = error.what(); }
        });
    }
    for (std::thread& thread : threads) { thread.join(); }
    std::set<std::pair<std::string, std::int64_t>> occurrences;
    std::size_t claims = 0;
    for (std::size_t i = 0; i < members; ++i) {
        CHECK(errors[i].empty());
        claims += claimed[i].size();
        for (const Claim& claim : claimed[i]) {
            occurrences.insert({claim.job_id, claim.scheduled_at.value().time_since_epoch().count()});
        }
    }
    CHECK(claims == jobs * static_cast<std::size_t>(times)); // none twice
    CHECK(occurrences.size() == claims);
    std::uint32_t in_progress = 0;
    for (const JobStanding& standing : racing[0].lock_all().jobs) { in_progress += standing.in_progress; }
    CHECK(in_progress == claims);
}
