// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_CONTRACT_STORE_FLEET_CONTRACT_HPP
#define DAYBOOK_TESTS_CONTRACT_STORE_FLEET_CONTRACT_HPP

/// @file
/// What every store that several processes can share is held to. Here each of them is an object with sessions of its
/// own: one that is destroyed without `close` is a process that died.

#include "contract/store/store_contract.hpp"
#include "support/catch.hpp"

#include <daybook/log/any_store.hpp>
#include <daybook/log/fleet_store.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace store_contract {

/// Where stores of a kind last that can be shared.
class SharedPlace : public Place {
public:
    /// Lets time pass on the store's clock.
    virtual void pass(std::chrono::milliseconds time) = 0;

    /// Now, by the store's clock, or nearly so.
    [[nodiscard]] virtual daybook::sys_time now() = 0;

    /// Ends the lease of a seat as if its time had passed.
    virtual void end_lease(const std::string& node) = 0;
};

/// The entry defines it.
[[nodiscard]] std::unique_ptr<SharedPlace> new_shared_place();

template <class Call>
[[nodiscard]] std::optional<daybook::StoreFailure> failure_of(Call&& call) {
    try {
        call();
        return std::nullopt;
    } catch (const daybook::StoreError& error) {
        CHECK(std::string{error.what()}.size() > 10);
        return error.failure();
    }
}

/// One process. A handle: as long as a copy is there, it is not dead.
struct Member {
    daybook::AnyStore store = {};
    daybook::FleetSeat seat = {};

    [[nodiscard]] daybook::LockedJobs lock(const std::vector<daybook::JobLock>& jobs,
                                           daybook::LockWait wait = daybook::LockWait::no) const {
        return store.lock(jobs, wait, soon());
    }
    /// All that are there.
    [[nodiscard]] daybook::LockedJobs lock_all() const {
        std::vector<daybook::JobLock> all;
        for (const auto& job : store.jobs(soon())) { all.push_back({job.id, job.group}); }
        return lock(all);
    }
    void commit(const std::vector<daybook::Claim>& claims = {}, const std::vector<daybook::JobStanding>& standings = {},
                const std::vector<std::string>& cancelled = {}) const {
        store.commit({.claims = claims, .standings = standings, .cancelled = cancelled}, soon());
    }
    void claim(const daybook::Claim& claim) const {
        REQUIRE(lock({{claim.job_id, {}}}).jobs.size() == 1);
        commit({claim});
    }
    void write(const std::vector<daybook::StoredExecution>& executions,
               const std::vector<daybook::ExecutionId>& released = {}) const {
        store.write({.executions = executions, .released = released}, soon());
    }
    [[nodiscard]] daybook::ClaimNews look() const { return store.look(soon()); }
    [[nodiscard]] bool beat() const { return store.beat(soon()).is_seated; }

    /// Those with a claim first; by its id, or that of the execution.
    [[nodiscard]] std::vector<daybook::TakenOver> take_over() const {
        auto taken = store.take_over(soon());
        const auto key = [](const daybook::TakenOver& one) {
            return std::pair{!one.claim, one.claim ? one.claim->id : one.last.value().id};
        };
        std::sort(taken.begin(), taken.end(),
                  [&](const auto& left, const auto& right) { return key(left) < key(right); });
        return taken;
    }

    /// Reads news until some of them are what was waited for.
    template <class Is>
    [[nodiscard]] bool hears(Is&& is) const {
        for (const auto until = soon(); std::chrono::steady_clock::now() < until;) {
            const daybook::FleetNews news = store.await(until);
            if (is(news)) { return true; }
        }
        return false;
    }
    [[nodiscard]] bool hears_of_claims() const {
        return hears([](const daybook::FleetNews& news) { return news.has_claims; });
    }
    [[nodiscard]] bool hears_of(const std::string& job) const {
        return hears([&](const daybook::FleetNews& news) {
            return std::find(news.jobs.begin(), news.jobs.end(), job) != news.jobs.end();
        });
    }
    /// What there is to say at first, when nobody has listened until then.
    void listen() const {
        REQUIRE(hears([](const daybook::FleetNews& news) { return news.is_all; }));
    }
};

/// A place with members.
struct Fleet {
    std::unique_ptr<SharedPlace> place = new_shared_place();

    [[nodiscard]] Member join(const std::string& name = "a", std::chrono::milliseconds lease = std::chrono::hours{1},
                              std::chrono::milliseconds max_idle = std::chrono::hours{1}) const {
        Member member{place->store(), {}};
        member.seat = member.store.join({.name = name, .lease = lease, .max_idle = max_idle}, soon());
        return member;
    }

    /// As when its process is killed, long ago.
    void kill(Member& member) const {
        member.store = {};
        place->end_lease(member.seat.node);
    }
};

[[nodiscard]] inline daybook::Claim claim_of(const std::string& job, daybook::ExecutionId id) {
    daybook::Claim claim;
    claim.id = id;
    claim.job_id = claim.handler_id = job;
    return claim;
}

/// Of an occurrence that its first attempt has begun.
[[nodiscard]] inline daybook::StoredExecution execution_of(const Member& member, daybook::ExecutionId id,
                                                           daybook::JobStatus status = daybook::JobStatus::running) {
    auto one = execution(id, 1'700'000'000'000'000 + static_cast<std::int64_t>(id % 1'000'000), status);
    one.node = member.seat.node;
    return one;
}

[[nodiscard]] std::string text_of(const daybook::Claim& claim);
[[nodiscard]] std::vector<std::string> ids_of(const daybook::LockedJobs& locked);

} // namespace store_contract

#endif
