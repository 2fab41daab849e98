// SPDX-License-Identifier: MIT
#include "support/catch.hpp"

#include <daybook/worker/worker_pool.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <future>
#include <latch>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <semaphore>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <pthread.h>
#endif

using daybook::WorkerPool;
using daybook::WorkerPoolOptions;

static_assert(daybook::executor<WorkerPool>);

TEST_CASE("a pool runs what is posted") {
    WorkerPool pool{{.threads = 2}};
    std::promise<int> answer;
    CHECK(pool.post([&] { answer.set_value(42); }));
    CHECK(answer.get_future().get() == 42);
}

TEST_CASE("a pool of one thread runs its tasks in the order of their arrival") {
    std::vector<int> order;
    {
        WorkerPool pool{{.threads = 1}};
        for (int i = 0; i < 1000; ++i) {
            REQUIRE(pool.post([&order, i] { order.push_back(i); }));
        }
    }
    REQUIRE(order.size() == 1000);
    CHECK(std::is_sorted(order.begin(), order.end()));
}

TEST_CASE("stopping a pool runs what is queued and refuses what comes later") {
    std::atomic<int> ran{0};
    WorkerPool pool{{.threads = 2}};
    for (int i = 0; i < 500; ++i) {
        REQUIRE(pool.post([&] { ++ran; }));
    }
    pool.stop();
    CHECK(ran == 500);
    CHECK(pool.queued() == 0);

    auto guard = std::make_shared<int>(1);
    const std::weak_ptr<int> watched = guard;
    CHECK_FALSE(pool.post([held = std::move(guard), &ran] { ++ran; }));
    CHECK(watched.expired());
    CHECK(ran == 500);
    pool.stop();
}

TEST_CASE("a request to stop does not wait") {
    std::promise<void> release;
    WorkerPool pool{{.threads = 1}};
    std::atomic<bool> ran{false};
    REQUIRE(pool.post([&] { release.get_future().wait(); }));
    REQUIRE(pool.post([&] { ran = true; }));
    pool.request_stop();
    CHECK_FALSE(pool.post([] {}));
    CHECK_FALSE(ran);
    release.set_value();
    pool.stop();
    CHECK(ran);
}

TEST_CASE("a pool can be stopped from inside a task") {
    WorkerPool pool{{.threads = 2}};
    std::promise<bool> accepted_afterwards;
    REQUIRE(pool.post([&] {
        pool.stop();
        accepted_afterwards.set_value(pool.post([] {}));
    }));
    CHECK_FALSE(accepted_afterwards.get_future().get());
}

TEST_CASE("a pool can be stopped from all its threads and from outside at once") {
    std::atomic<int> ran{0};
    WorkerPool pool{{.threads = 3}};
    std::latch all_inside{3};
    for (int i = 0; i < 3; ++i) {
        REQUIRE(pool.post([&] {
            all_inside.arrive_and_wait();
            pool.stop();
            ++ran;
        }));
    }
    std::thread other{[&] { pool.stop(); }};
    all_inside.wait();
    pool.stop();
    CHECK(ran == 3);
    other.join();
}

TEST_CASE("a task may post another one") {
    std::promise<std::thread::id> second;
    WorkerPool pool{{.threads = 1}};
    REQUIRE(pool.post([&] {
        if (!pool.post([&] { second.set_value(std::this_thread::get_id()); })) { second.set_value({}); }
    }));
    CHECK(second.get_future().get() != std::thread::id{});
}

TEST_CASE("a pool survives a task that throws, and its hook learns of it") {
    std::mutex mutex;
    std::vector<std::string> heard;
    std::atomic<bool> ran{false};
    {
        WorkerPool pool{{.threads = 1, .on_exception = [&](std::exception_ptr thrown) {
                             try {
                                 std::rethrow_exception(thrown);
                             } catch (const std::exception& error) {
                                 const std::scoped_lock lock{mutex};
                                 heard.emplace_back(error.what());
                             } catch (int) {
                                 throw; // a hook that throws is no reason to end either
                             }
                         }}};
        REQUIRE(pool.post([] { throw std::runtime_error{"first"}; }));
        REQUIRE(pool.post([] { throw 42; }));
        REQUIRE(pool.post([] { throw std::runtime_error{"second"}; }));
        REQUIRE(pool.post([&] { ran = true; }));
    }
    CHECK(ran);
    CHECK(heard == std::vector<std::string>{"first", "second"});
}

TEST_CASE("a pool without a hook drops what a task throws") {
    std::atomic<bool> ran{false};
    {
        WorkerPool pool{{.threads = 1}};
        REQUIRE(pool.post([] { throw std::runtime_error{"nobody hears"}; }));
        REQUIRE(pool.post([&] { ran = true; }));
    }
    CHECK(ran);
}

TEST_CASE("a grown pool works around a thread that is stuck") {
    std::promise<void> stuck;
    std::promise<void> release;
    WorkerPool pool{{.threads = 1}};
    REQUIRE(pool.post([&] {
        stuck.set_value();
        release.get_future().wait();
    }));
    stuck.get_future().wait();
    std::promise<std::optional<std::uint32_t>> worker;
    REQUIRE(pool.post([&] { worker.set_value(WorkerPool::current_worker()); }));
    CHECK(pool.threads() == 1);
    CHECK(pool.grow());
    CHECK(pool.threads() == 2);
    CHECK(worker.get_future().get() == 1U);
    release.set_value();
    pool.stop();
    CHECK_FALSE(pool.grow());
    CHECK(pool.threads() == 2);
}

TEST_CASE("a pool can be grown from inside a task") {
    std::promise<bool> grown;
    WorkerPool pool{{.threads = 1}};
    REQUIRE(pool.post([&] { grown.set_value(pool.grow(2)); }));
    CHECK(grown.get_future().get());
    CHECK(pool.threads() == 3);
}

TEST_CASE("a thread that retires ends after its task, and the others go on") {
    WorkerPool pool{{.threads = 2}};
    std::promise<std::thread::id> retired;
    std::promise<std::size_t> left;
    REQUIRE(pool.post([&] {
        pool.retire();
        left.set_value(pool.threads());
        retired.set_value(std::this_thread::get_id());
    }));
    CHECK(left.get_future().get() == 1);
    const auto gone = retired.get_future().get();
    std::vector<std::thread::id> used;
    for (int i = 0; i < 100; ++i) {
        REQUIRE(pool.post([&used] { used.push_back(std::this_thread::get_id()); })); // one thread is left
    }
    pool.stop();
    CHECK(used.size() == 100);
    CHECK(std::count(used.begin(), used.end(), gone) == 0);
    CHECK(pool.threads() == 1);
}

TEST_CASE("retiring twice in one task, or outside any task, does no more than once") {
    WorkerPool pool{{.threads = 3}};
    WorkerPool other{{.threads = 2}};
    pool.retire();
    CHECK(pool.threads() == 3);
    std::promise<void> done;
    REQUIRE(pool.post([&] {
        other.retire();
        pool.retire();
        pool.retire();
        done.set_value();
    }));
    done.get_future().wait();
    CHECK(pool.threads() == 2);
    CHECK(other.threads() == 2);
}

TEST_CASE("the last thread of a pool does not retire") {
    std::atomic<int> ran{0};
    WorkerPool pool{{.threads = 2}};
    for (int i = 0; i < 100; ++i) {
        REQUIRE(pool.post([&] {
            pool.retire();
            ++ran;
        }));
    }
    pool.stop();
    CHECK(ran == 100);
    CHECK(pool.threads() == 1);
}

TEST_CASE("a stuck thread is replaced, and leaves when it comes back") {
    std::promise<void> stuck;
    std::promise<void> release;
    std::promise<void> back;
    WorkerPool pool{{.threads = 1}};
    REQUIRE(pool.post([&] {
        stuck.set_value();
        release.get_future().wait();
        pool.retire();
        back.set_value();
    }));
    stuck.get_future().wait();
    REQUIRE(pool.grow());
    CHECK(pool.threads() == 2);
    release.set_value();
    back.get_future().wait();
    CHECK(pool.threads() == 1);
    std::promise<std::optional<std::uint32_t>> worker;
    REQUIRE(pool.post([&] { worker.set_value(WorkerPool::current_worker()); }));
    CHECK(worker.get_future().get() == 1U);
}

TEST_CASE("a thread that retired is waited for when the pool stops") {
    std::atomic<bool> ended{false};
    WorkerPool pool{{.threads = 2}};
    std::promise<void> retired;
    REQUIRE(pool.post([&] {
        pool.retire();
        retired.set_value();
        std::this_thread::sleep_for(std::chrono::milliseconds{20});
        ended = true;
    }));
    retired.get_future().wait();
    pool.stop();
    CHECK(ended);
}

TEST_CASE("a thread may retire from its start hook") {
    std::atomic<int> ran{0};
    WorkerPool* shared = nullptr;
    std::promise<void> is_set;
    auto set = is_set.get_future().share();
    std::atomic<int> starts{0};
    WorkerPool pool{{.threads = 2, .on_thread_start = [&, set] {
                         set.wait();
                         if (++starts == 1) { shared->retire(); }
                     }}};
    shared = &pool;
    is_set.set_value();
    for (int i = 0; i < 10; ++i) {
        REQUIRE(pool.post([&] { ++ran; }));
    }
    pool.stop();
    CHECK(ran == 10);
    CHECK(pool.threads() == 1);
}

TEST_CASE("a thread on its way out neither grows its pool nor retires again") {
    struct AtExit {
        WorkerPool* pool = nullptr;
        std::promise<bool>* grown = nullptr;
        ~AtExit() {
            if (pool == nullptr) { return; }
            pool->retire();
            grown->set_value(pool->grow());
        }
    };
    std::promise<bool> grown;
    WorkerPool pool{{.threads = 3}};
    REQUIRE(pool.post([&] {
        static thread_local AtExit at_exit;
        at_exit.pool = &pool;
        at_exit.grown = &grown;
        pool.retire();
    }));
    CHECK_FALSE(grown.get_future().get());
    CHECK(pool.threads() == 2);
}

TEST_CASE("growing and retiring over and over uses the same places again") {
    // The bound is far above the handful of threads that may be on their way out at once.
    constexpr int rounds = 5000;
    constexpr std::uint32_t places = 200;
    WorkerPool pool{{.threads = 1}};
    std::uint32_t highest = 0;
    for (int round = 0; round < rounds; ++round) {
        REQUIRE(pool.grow());
        std::promise<std::uint32_t> worker;
        REQUIRE(pool.post([&] {
            pool.retire();
            worker.set_value(WorkerPool::current_worker().value_or(9999));
        }));
        highest = std::max(highest, worker.get_future().get());
        REQUIRE(pool.threads() == 1);
    }
    CHECK(highest < places);
}

TEST_CASE("threads that come and go while tasks are posted lose none of them") {
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937 random{seed};
    std::atomic<int> ran{0};
    int posted = 0;
    WorkerPool pool{{.threads = 2}};
    for (int round = 0; round < 300; ++round) {
        const auto more = 1 + random() % 3;
        REQUIRE(pool.grow(more));
        for (auto left = random() % 20; left != 0; --left, ++posted) {
            const bool is_last = random() % 4 == 0;
            REQUIRE(pool.post([&, is_last] {
                if (is_last) { pool.retire(); }
                ++ran;
            }));
        }
        while (pool.threads() > 4) {
            const int before = ran;
            REQUIRE(pool.post([&] {
                pool.retire();
                ++ran;
            }));
            ++posted;
            while (ran == before) { std::this_thread::yield(); }
        }
        while (ran != posted) { std::this_thread::yield(); } // a task that is lost ends in the test's time limit
    }
    CHECK(ran == posted);
    CHECK(pool.threads() >= 1);
}

TEST_CASE("a pool of which all threads sleep or retire still wakes up for each task") {
    WorkerPool pool{{.threads = 3}};
    for (int turn = 0; turn < 2000; ++turn) {
        REQUIRE(pool.grow());
        std::array<std::promise<void>, 3> done;
        for (std::size_t i = 0; i < done.size(); ++i) {
            REQUIRE(pool.post([&pool, &promise = done.at(i), retires = i == 1] {
                if (retires) { pool.retire(); }
                promise.set_value();
            }));
        }
        for (auto& promise : done) { promise.get_future().wait(); }
        REQUIRE(pool.threads() == 3);
    }
}

TEST_CASE("a pool may be stopped while its threads come and go") {
    for (int round = 0; round < 100; ++round) {
        std::atomic<int> accepted{0};
        std::atomic<int> ran{0};
        WorkerPool pool{{.threads = 1}};
        std::thread grower{[&] {
            while (pool.grow()) {
                if (pool.post([&] {
                        pool.retire();
                        ++ran;
                    })) {
                    ++accepted;
                }
            }
        }};
        for (int i = 0; i < round; ++i) {
            if (pool.post([&] { ++ran; })) { ++accepted; }
        }
        pool.stop();
        grower.join();
        REQUIRE(ran == accepted);
    }
}

TEST_CASE("every thread of a pool knows its number, and other threads have none") {
    std::mutex mutex;
    std::set<std::uint32_t> numbers;
    std::atomic<bool> all_own{true};
    {
        WorkerPool pool{{.threads = 3}};
        std::latch all_inside{3};
        for (int i = 0; i < 3; ++i) {
            REQUIRE(pool.post([&] {
                all_inside.arrive_and_wait();
                if (!pool.is_own_thread()) { all_own = false; }
                const std::scoped_lock lock{mutex};
                numbers.insert(WorkerPool::current_worker().value_or(99));
            }));
        }
        pool.stop();
        CHECK_FALSE(pool.is_own_thread());
    }
    CHECK(all_own);
    CHECK(numbers == std::set<std::uint32_t>{0, 1, 2});
    CHECK_FALSE(WorkerPool::current_worker());
}

TEST_CASE("a thread of one pool can stop another pool") {
    WorkerPool outer{{.threads = 1}};
    std::promise<bool> done;
    REQUIRE(outer.post([&] {
        WorkerPool inner{{.threads = 1}};
        bool ran = false;
        const bool accepted = inner.post([&] { ran = true; });
        inner.stop();
        done.set_value(accepted && ran && outer.is_own_thread() && !inner.is_own_thread());
    }));
    CHECK(done.get_future().get());
}

TEST_CASE("the start hook of a pool runs first on every thread, which knows its number by then") {
    std::mutex mutex;
    std::multiset<std::uint32_t> started;
    WorkerPool pool{{.threads = 2, .on_thread_start = [&] {
                         const std::scoped_lock lock{mutex};
                         started.insert(WorkerPool::current_worker().value_or(99));
                         throw std::runtime_error{"dropped"};
                     }}};
    REQUIRE(pool.grow());
    pool.stop();
    CHECK(started == std::multiset<std::uint32_t>{0, 1, 2});
}

TEST_CASE("a pool says which number of threads it cannot have") {
    for (const std::size_t threads : {std::size_t{0}, std::size_t{4097}}) {
        std::string message;
        try {
            const WorkerPool pool{{.threads = threads}};
        } catch (const std::invalid_argument& error) { message = error.what(); }
        CHECK(message == "WorkerPoolOptions::threads must be from 1 to 4096, is " + std::to_string(threads));
    }
}

TEST_CASE("a pool reports what waits for a thread") {
    std::promise<void> started;
    std::promise<void> release;
    WorkerPool pool{{.threads = 1}};
    REQUIRE(pool.post([&] {
        started.set_value();
        release.get_future().wait();
    }));
    started.get_future().wait();
    REQUIRE(pool.post([] {}));
    REQUIRE(pool.post([] {}));
    CHECK(pool.queued() == 2);
    release.set_value();
    pool.stop();
    CHECK(pool.queued() == 0);
}

TEST_CASE("tasks that many threads post are each run once") {
    constexpr std::size_t posters = 4;
    constexpr std::size_t each = 5000;
    std::vector<std::atomic<int>> runs(posters * each);
    std::atomic<int> refused{0};
    {
        WorkerPool pool{{.threads = 3}};
        std::vector<std::thread> threads;
        for (std::size_t poster = 0; poster < posters; ++poster) {
            threads.emplace_back([&, poster] {
                for (std::size_t i = 0; i < each; ++i) {
                    auto& run = runs[poster * each + i];
                    if (!pool.post([&run] { ++run; })) { ++refused; }
                }
            });
        }
        for (auto& thread : threads) { thread.join(); }
    }
    CHECK(refused == 0);
    CHECK(std::all_of(runs.begin(), runs.end(), [](const auto& run) { return run == 1; }));
}

TEST_CASE("posts that race with a stop are run or refused, never lost") {
    for (int round = 0; round < 50; ++round) {
        std::atomic<int> accepted{0};
        std::atomic<int> ran{0};
        WorkerPool pool{{.threads = 2}};
        std::thread poster{[&] {
            while (pool.post([&] { ++ran; })) { ++accepted; }
        }};
        pool.stop();
        poster.join();
        REQUIRE(ran == accepted);
    }
}

TEST_CASE("copies of a task that are posted at once all run, and wake the threads that sleep") {
    WorkerPool pool{{.threads = 3}};
    for (int round = 0; round < 200; ++round) {
        std::counting_semaphore<> ran{0};
        std::barrier<> all_three{3};
        // Three wait for each other: one thread alone would not get through.
        REQUIRE(pool.post_copies(3, [&] {
            all_three.arrive_and_wait();
            ran.release();
        }));
        for (int i = 0; i < 3; ++i) { ran.acquire(); }
    }
    REQUIRE(pool.post_copies(0, [] {}));
    pool.stop();
    CHECK_FALSE(pool.post_copies(2, [] {}));
}

TEST_CASE("a pool whose threads sleep and wake all the time loses no task") {
    WorkerPool pool{{.threads = 3}};
    for (int turn = 0; turn < 5000; ++turn) {
        std::promise<int> answer;
        REQUIRE(pool.post([&answer, turn] { answer.set_value(turn); }));
        REQUIRE(answer.get_future().get() == turn);
    }
}

#if defined(__linux__)

TEST_CASE("the threads of a pool carry its name and their number") {
    const auto name_of_worker = [](const std::string& pool_name) {
        std::array<char, 32> name{};
        WorkerPool pool{{.threads = 1, .name = pool_name}};
        if (pool.post([&] { ::pthread_getname_np(::pthread_self(), name.data(), name.size()); })) { pool.stop(); }
        return std::string{name.data()};
    };
    CHECK(name_of_worker("reports") == "reports-0");
    CHECK(name_of_worker("a name that is too long") == "a name that i-0");
    CHECK(name_of_worker("") == "-0");
}

#endif
