// SPDX-License-Identifier: MIT

/// @file
/// Memory runs out, at every single allocation in turn: what was to be done is done later, or was never asked for.

#include "scheduler_bench.hpp"
#include "support/catch.hpp"

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>

// A sanitizer has an allocator of its own.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define DAYBOOK_TESTS_OWN_ALLOCATOR 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define DAYBOOK_TESTS_OWN_ALLOCATOR 0
#endif
#endif
#ifndef DAYBOOK_TESTS_OWN_ALLOCATOR
#define DAYBOOK_TESTS_OWN_ALLOCATOR 1
#endif

#if DAYBOOK_TESTS_OWN_ALLOCATOR

namespace {

thread_local std::size_t fails_in = 0;    // 0: never; 1: the next one
thread_local bool fails_on = false;       // and all that follow
thread_local bool is_poor = false;        // this thread gets nothing now and then,
std::atomic<std::size_t> poor_get_nth{0}; // every so many times; 0: always
std::atomic<std::int64_t> living{0};

void* limited(std::size_t bytes) noexcept {
    if (fails_in != 0 && --fails_in == 0) {
        fails_in = fails_on ? 1 : 0;
        return nullptr;
    }
    if (is_poor && poor_get_nth != 0) {
        static thread_local std::size_t asked = 0;
        if (++asked % poor_get_nth == 0) { return nullptr; }
    }
    living.fetch_add(1, std::memory_order_relaxed);
    return std::malloc(bytes == 0 ? 1 : bytes);
}

void* limited_or_throw(std::size_t bytes) {
    if (void* memory = limited(bytes)) { return memory; }
    throw std::bad_alloc{};
}

void release(void* memory) noexcept {
    if (memory == nullptr) { return; }
    living.fetch_sub(1, std::memory_order_relaxed);
    std::free(memory);
}

} // namespace

#if defined(__GNUC__) && !defined(__clang__)
// Once these are inlined, g++ sees malloc and operator delete meet, and takes it for a mistake.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif

// For the whole executable: every other test in it runs with these too, and only this file makes them fail.
void* operator new(std::size_t bytes) { return limited_or_throw(bytes); }
void* operator new[](std::size_t bytes) { return limited_or_throw(bytes); }
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept { return limited(bytes); }
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept { return limited(bytes); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { release(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { release(memory); }
void operator delete(void* memory) noexcept { release(memory); }
void operator delete[](void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { release(memory); }

using namespace bench;
using daybook::cron;
using daybook::JobOptions;
using daybook::Overlap;

namespace {

const std::string long_text(100, 'x');

/// What an operation of a Life may do.
struct Life : Bench {
    Life()
        : Bench{0, [this](auto& options) {
                    options.max_queue = 50;
                    options.group_limits = {{"pair", 1}};
                    options.hooks.on_start = options.hooks.on_success = options.hooks.on_error =
                        options.hooks.on_timeout = options.hooks.on_skip = options.hooks.on_stale =
                            options.hooks.on_recovered = [this](const daybook::JobEvent&) { ++told; };
                }} {
        scheduler.add(options("retried"), [this](daybook::JobContext& job) {
            if (job.attempt_number() == 1) { throw std::runtime_error{long_text}; }
            ++ran;
        });
        scheduler.add(options("all", Overlap::queue_all), [this](daybook::JobContext& job) {
            job.log(long_text);
            ++ran;
            return long_text;
        });
        auto open = options("open", Overlap::cancel_running);
        open.timeout = 5s;
        scheduler.add(open, [this](daybook::JobContext&, daybook::Completion<std::string> done) {
            if (!kept) { kept.emplace(std::move(done)); }
        });
        scheduler.start();
    }
    ~Life() { kept.reset(); }

    static JobOptions options(const char* id, Overlap overlap = Overlap::skip) {
        return {.id = id,
                .schedule = cron("*/10 * * * * *"),
                .retry = daybook::fixed_backoff({.max_attempts = 2, .delay = 1s}),
                .overlap = overlap,
                .misfire = daybook::Misfire::run_all,
                .group = id == std::string{"open"} ? "" : "pair",
                .stale_after = 15s,
                .parameters = long_text};
    }

    std::atomic<int> told{0};
    int ran = 0;
    std::optional<daybook::Completion<std::string>> kept;
    bool was_refused = false;
};

/// Nominal times that are accounted for, by an execution or a skip; none twice.
std::uint64_t accounted(const daybook::JobExecutionLog<>& log, std::string_view job) {
    std::uint64_t skipped = 0;
    std::set<daybook::sys_time> executed;
    std::set<daybook::OccurrenceId> occurrences;
    for (const auto& record : history(log, job)) {
        CHECK(is_finished(record.status));
        if (!record.scheduled_at) { continue; }
        if (record.status == JobStatus::skipped) {
            skipped += record.skip_count;
        } else if (occurrences.insert(record.occurrence_id).second) {
            CHECK(executed.insert(*record.scheduled_at).second);
        }
    }
    return skipped + executed.size();
}

/// @returns Whether memory did run out.
template <class Operation>
bool run_out(std::size_t at, bool goes_on, Operation&& operation) {
    fails_on = goes_on;
    fails_in = at;
    try {
        operation();
    } catch (const std::bad_alloc&) {
        fails_in = 0;
        return true;
    }
    const bool did = goes_on ? fails_in == 1 : fails_in == 0;
    fails_in = 0;
    return did;
}

constexpr int operations = 9;

void operate(Life& life, int operation) {
    auto& scheduler = life.scheduler;
    switch (operation) {
    case 0: scheduler.trigger("retried", {.parameters = long_text + "!"}); break;
    case 1: scheduler.trigger("open"); break;
    case 2: scheduler.poll(); break;
    case 3: scheduler.remove("all"); break;
    case 4: scheduler.update(Life::options("all", Overlap::allow)); break;
    case 5: scheduler.pause("all"); break;
    case 6: scheduler.pause_all(); break;
    case 7: scheduler.add(Life::options("new"), [] {}); break;
    default:
        scheduler.trigger("all");
        scheduler.trigger("all");
        scheduler.poll();
        break;
    }
}

} // namespace

TEST_CASE("whichever allocation fails, every occurrence is accounted for") {
    const auto goes_on = GENERATE(false, true);
    for (int operation = 0; operation < operations; ++operation) {
        std::size_t at = 0;
        for (bool did = true; did;) {
            ++at;
            INFO("operation " << operation << ", allocation " << at << (goes_on ? " and all that follow" : ""));
            Life life;
            life.clock.advance(35s); // three have come due
            if (operation % 2 == 1) {
                life.scheduler.poll(); // some are retrying, one is open
                life.clock.advance(8s);
            }
            did = run_out(at, goes_on, [&] { operate(life, operation); });
            const bool has_new = life.scheduler.job("new").has_value();
            const bool is_paused = life.scheduler.job("all") && life.scheduler.job("all")->is_paused;
            life.scheduler.resume_all();
            for (int i = 0; i < 20; ++i) {
                life.pass(1s);
                life.kept.reset();
            }
            const auto health = life.scheduler.health();
            CHECK(health.queued == 0);
            CHECK(health.running == 0);
            CHECK(life.scheduler.wait_idle(0s));
            const auto now = life.clock.now();
            const auto due = static_cast<std::uint64_t>((now - monday) / 10s);
            CHECK(accounted(life.scheduler.log(), "retried") == due);
            CHECK(accounted(life.scheduler.log(), "open") == due);
            if (life.scheduler.job("all")) { CHECK(accounted(life.scheduler.log(), "all") == due); }
            if (has_new) { CHECK(accounted(life.scheduler.log(), "new") == 2); }
            if (is_paused) { CHECK((operation == 5 || operation == 6)); }
            CHECK(life.scheduler.stop().has_stopped());
            REQUIRE(at < 3000);
        }
        CHECK(at > 1);
    }
}

TEST_CASE("a trigger that memory does not suffice for throws, and there is no such occurrence") {
    for (std::size_t at = 1;; ++at) {
        INFO("allocation " << at);
        Bench bench;
        bench.scheduler.add({.id = "job", .overlap = Overlap::queue_all}, [] { return long_text; });
        bench.scheduler.start();
        bench.scheduler.trigger("job");
        bool has_thrown = false;
        const bool did = run_out(at, true, [&] {
            try {
                bench.scheduler.trigger("job", {.parameters = long_text});
            } catch (const std::bad_alloc&) { has_thrown = true; }
        });
        if (at < 8) { CHECK(has_thrown); } // what only statistics need may be done without
        CHECK(bench.scheduler.health().queued == (has_thrown ? 1 : 2));
        bench.scheduler.poll();
        CHECK(bench.story("job") == (has_thrown ? "success" : "success success"));
        CHECK(bench.scheduler.wait_idle(0s));
        if (!did) {
            CHECK_FALSE(has_thrown);
            break;
        }
        REQUIRE(at < 100);
    }
}

TEST_CASE("threads that get no memory now and then lose nothing") {
    const auto nth = GENERATE(2U, 3U, 7U, 20U);
    INFO("every " << nth);
    std::atomic<int> ran{0};
    int triggered = 0;
    Bench bench{2, [](auto& options) {
                    options.on_thread_start = [] { is_poor = true; };
                    options.max_queue = 10'000;
                    options.group_limits = {{"few", 1}};
                }};
    bench.scheduler.add({.id = "each", .schedule = cron("* * * * * *"), .overlap = Overlap::queue_all}, [&] { ++ran; });
    bench.scheduler.add({.id = "few", .overlap = Overlap::allow, .group = "few"}, [&] { ++ran; });
    bench.scheduler.start();
    poor_get_nth = nth;
    for (int i = 0; i < 50; ++i) {
        bench.clock.advance(1s);
        for (int k = 0; k < 4; ++k) {
            if (bench.scheduler.trigger("few")) { ++triggered; }
        }
    }
    poor_get_nth = 0;
    bench.clock.advance(1ns);
    CHECK(bench.scheduler.wait_idle(patience));
    CHECK(triggered == 200);
    CHECK(bench.scheduler.log().stats().total_executions + bench.scheduler.log().stats().skipped_count == 250);
    CHECK(bench.scheduler.stop().has_stopped());
}

TEST_CASE("what was replaced while all workers hang takes no memory") {
    Hung hung;
    Bench& bench = hung.bench;
    std::int64_t before = 0;
    for (int i = 0; i < 5000; ++i) {
        if (i == 1000) { before = living; }
        const auto id = "job" + std::to_string(i % 10);
        if (i < 10) {
            bench.scheduler.add({.id = id, .overlap = Overlap::cancel_running}, [] {});
        }
        // Another priority each time: each has a line of its own.
        if (i % 10 == 0) { bench.scheduler.update({.id = id, .overlap = Overlap::cancel_running, .priority = i}); }
        bench.scheduler.trigger(id);
    }
    CHECK(living - before < 1000);
    hung.go_on.release();
    REQUIRE(bench.scheduler.wait_idle(patience));
}

#endif
