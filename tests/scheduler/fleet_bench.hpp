// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_SCHEDULER_FLEET_BENCH_HPP
#define DAYBOOK_TESTS_SCHEDULER_FLEET_BENCH_HPP

/// @file
/// Several schedulers on one store, as if each were a process of its own, on one wall clock that the test moves.

#include "scheduler_bench.hpp"
#include "support/catch.hpp"

#include <daybook/daybook.hpp>
#include <daybook/testing/memory_store.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace bench {

/// The store's clock: the wall is the test's, but leases take their time.
struct StoreClock {
    daybook::ManualClock manual;
    [[nodiscard]] daybook::sys_time now() const noexcept { return manual.now(); }
    [[nodiscard]] daybook::steady_time steady_now() const noexcept { return std::chrono::steady_clock::now(); }
};

struct Fleet {
    /// One process.
    struct Member {
        Member(Fleet& fleet, const std::string& member_name,
               const std::function<void(daybook::SchedulerOptions&)>& adjust)
            : name{member_name}, scheduler{[&] {
                  auto options = driven(fleet.clock);
                  options.store = daybook::testing::MemoryStore{fleet.store};
                  options.fleet = daybook::FleetOptions{.lease = fleet.lease};
                  options.log.storing.node = member_name;
                  options.log.storing.flush_interval = 1ms;
                  options.log.storing.timeout = 2s; // who is cut off ends sooner
                  options.hooks.on_diagnostic = [this](std::string_view what) {
                      const std::scoped_lock lock{mutex};
                      told.emplace_back(what);
                  };
                  if (adjust) { adjust(options); }
                  return options;
              }()} {}

        bool was_told(std::string_view what) {
            const std::scoped_lock lock{mutex};
            return std::ranges::any_of(told, [&](const auto& text) { return text.find(what) != std::string::npos; });
        }

        std::string name;
        std::mutex mutex;
        std::vector<std::string> told; // guarded by mutex
        daybook::Scheduler<> scheduler;
    };

    explicit Fleet(std::chrono::milliseconds lease_time = std::chrono::hours{1}) : lease{lease_time} {
        store.set_clock(daybook::AnyClock{StoreClock{clock}});
    }

    Member& join(const std::string& name, const std::function<void(daybook::SchedulerOptions&)>& adjust = {}) {
        members.push_back(std::make_unique<Member>(*this, name, adjust));
        return *members.back();
    }

    void start() {
        for (const auto& member : members) { member->scheduler.start(); }
    }

    void poll() {
        for (const auto& member : members) { member->scheduler.poll(); }
    }

    /// Lets time pass in steps; after each all members do what there is to do, another one first each time.
    void pass(std::chrono::nanoseconds time, std::chrono::nanoseconds step = 1s) {
        for (; time > 0s; time -= step) {
            clock.advance(std::min(time, step));
            settle();
            if (members.size() > 1) { std::rotate(members.begin(), members.begin() + 1, members.end()); }
        }
    }

    /// Until nobody has anything to do, and what has ended is known to all.
    void settle() {
        const auto is_idle = [](const auto& member) { return member->scheduler.wait_idle(0s); };
        CHECK(eventually([&] { return std::ranges::all_of(members, is_idle) && (is_busy || store.claims().empty()); }));
    }

    /// A job called "job" that ends when the test says so.
    static void add_open(Member& member, std::optional<daybook::Completion<std::string>>& open,
                         daybook::JobOptions options) {
        options.id = "job";
        member.scheduler.add(std::move(options), [&open](daybook::JobContext&, daybook::Completion<std::string> done) {
            open = std::move(done);
        });
    }

    /// Until the fleet's threads have nothing to ask.
    void settle_claims() const { std::this_thread::sleep_for(50ms); }

    /// Whether the history of the job comes to be that, as all members tell it.
    bool tells(std::string_view job, std::string_view wanted) {
        return eventually([&] {
            return std::ranges::all_of(
                members, [&](const auto& member) { return story(member->scheduler.log(), job) == wanted; });
        });
    }

    /// Polls until it holds; false where that never happens.
    template <class Holds>
    bool eventually(const Holds& holds) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{20};
        poll();
        while (!holds()) {
            if (std::chrono::steady_clock::now() > end) { return false; }
            poll();
            std::this_thread::sleep_for(1ms);
        }
        return true;
    }

    bool is_busy = false; ///< something is in progress all the time
    std::chrono::milliseconds lease;
    daybook::ManualClock clock;
    daybook::testing::MemoryStore store;
    std::vector<std::unique_ptr<Member>> members;
};

} // namespace bench

#endif
