// SPDX-License-Identifier: MIT
#include <daybook/detail/log_mutex.hpp>

#include "support/catch.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

using daybook::detail::LogMutex;
using daybook::detail::ReadingTurn;

TEST_CASE("four who record and two who ask count under the log's lock without losing one") {
    constexpr std::size_t each = 20'000;
    LogMutex mutex;
    std::size_t count = 0; // no atomic: the lock is what is tested
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&] {
                for (std::size_t k = 0; k < each; ++k) {
                    const std::scoped_lock lock{mutex};
                    ++count;
                }
            });
        }
        for (int i = 0; i < 2; ++i) {
            threads.emplace_back([&] {
                for (std::size_t k = 0; k < each; ++k) {
                    const ReadingTurn lock{mutex};
                    ++count;
                }
            });
        }
    }
    CHECK(count == 6 * each);
    CHECK(!mutex.is_wanted());
}

TEST_CASE("whoever holds the log's lock learns that somebody who records waits, and not of who asks") {
    using namespace std::chrono_literals;
    LogMutex mutex;
    mutex.lock();
    CHECK(!mutex.is_wanted());
    std::atomic<bool> has_asked{false};
    std::atomic<bool> has_recorded{false};
    std::jthread asks{[&] {
        const ReadingTurn lock{mutex};
        has_asked = true;
    }};
    std::this_thread::sleep_for(1ms); // too short a sleep misses what is wrong, and finds nothing wrong that is not
    CHECK(!mutex.is_wanted());
    CHECK(!has_asked);
    std::jthread records{[&] {
        const std::scoped_lock lock{mutex};
        has_recorded = true;
    }};
    while (!mutex.is_wanted()) { std::this_thread::yield(); }
    CHECK(!has_recorded);
    mutex.unlock();
    records.join();
    asks.join();
    CHECK(has_recorded);
    CHECK(has_asked);
    CHECK(!mutex.is_wanted());
}

TEST_CASE("who asks gets the log's lock although somebody who records waits for it for long") {
    LogMutex mutex;
    std::atomic<bool> is_over{false};
    std::vector<std::jthread> record;
    for (int i = 0; i < 3; ++i) {
        record.emplace_back([&] {
            while (!is_over) { const std::scoped_lock lock{mutex}; }
        });
    }
    for (int i = 0; i < 100; ++i) { const ReadingTurn lock{mutex}; } // the test ends, then
    is_over = true;
}
