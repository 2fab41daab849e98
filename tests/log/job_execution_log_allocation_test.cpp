// SPDX-License-Identifier: MIT
#include <daybook/log/job_execution_log.hpp>

#include "allocation_counter.hpp"
#include "support/catch.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <string>
#include <utility>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace {

thread_local std::size_t allocations = 0;
thread_local std::int64_t live = 0;

/// What the allocator has set aside for a block, as near as one can ask it.
std::int64_t size_of(void* memory) {
#if defined(__GLIBC__)
    return memory == nullptr ? 0 : static_cast<std::int64_t>(malloc_usable_size(memory) + sizeof(std::size_t));
#else
    (void)memory;
    return 0;
#endif
}

void* counted(std::size_t bytes) noexcept {
    ++allocations;
    void* memory = std::malloc(bytes == 0 ? 1 : bytes);
    live += size_of(memory);
    return memory;
}

void* counted_or_throw(std::size_t bytes) {
    if (void* memory = counted(bytes)) { return memory; }
    throw std::bad_alloc{};
}

void freed(void* memory) noexcept {
    live -= size_of(memory);
    std::free(memory);
}

} // namespace

std::int64_t log_test::live_bytes() { return live; }

bool log_test::can_count_bytes() {
    const auto before = live;
    ::operator delete(::operator new(1000));
    void* block = ::operator new(1000);
    const auto with = live;
    ::operator delete(block);
    return with >= before + 1000 && live == before;
}

#if defined(__GNUC__) && !defined(__clang__)
// Once these are inlined, g++ sees malloc and operator delete meet, and takes it for a mistake.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif

// For the whole executable: every other test in it runs with these too, and only this file asks for the count.
void* operator new(std::size_t bytes) { return counted_or_throw(bytes); }
void* operator new[](std::size_t bytes) { return counted_or_throw(bytes); }
// What the standard library would call the others for; a sanitizer's own would not.
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept { return counted(bytes); }
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept { return counted(bytes); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { freed(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { freed(memory); }
void operator delete(void* memory) noexcept { freed(memory); }
void operator delete[](void* memory) noexcept { freed(memory); }
void operator delete(void* memory, std::size_t) noexcept { freed(memory); }
void operator delete[](void* memory, std::size_t) noexcept { freed(memory); }

using namespace daybook;

namespace {

/// How many allocations `body` costs.
template <class Body>
std::size_t cost_of(Body&& body) {
    const std::size_t before = allocations;
    body();
    return allocations - before;
}

constexpr int many = 1000;

/// A log that has been full for some time, and knows the names.
JobExecutionLog<> full_log() {
    JobExecutionLog<> log{LogOptions{.capacity = 100}};
    for (int i = 0; i < 500; ++i) {
        log.record_error(log.record_start("a job of some length", "a handler of some length", "method"), "why");
        log.record_success(log.record_start("a job of some length", "a handler of some length", "method"));
        log.record_skip("a job of some length", SkipReason::overlap);
    }
    // And long enough for the protected failures to have been overtaken by what came after them.
    for (int i = 0; i < 10'000; ++i) {
        log.record_success(log.record_start("a job of some length", "a handler of some length", "method"));
    }
    return log;
}

} // namespace

TEST_CASE("a full log records an execution without a result and allocates nothing") {
    auto log = full_log();
    CHECK(cost_of([&] {
              for (int i = 0; i < many; ++i) {
                  log.record_success(log.record_start("a job of some length", "a handler of some length", "method"));
              }
          }) == 0);
}

TEST_CASE("a full log hands over, starts, times out and skips, and allocates nothing") {
    auto log = full_log();
    CHECK(cost_of([&] {
              for (int i = 0; i < many; ++i) {
                  const auto run = log.record_queued({.job_id = "a job of some length"});
                  log.record_running(run, 1);
                  log.record_processed(run, 5);
                  log.record_timeout(run);
                  log.record_skip("a job of some length", SkipReason::overlap);
              }
          }) == 0);
}

TEST_CASE("a result of 40 bytes costs one allocation beyond the caller's own") {
    auto log = full_log();
    const std::string result(40, 'x');
    const std::size_t own = cost_of([&] { std::string copy = result; });
    for (int i = 0; i < many; ++i) {
        const auto run = log.record_start("a job of some length", "a handler of some length", "method");
        const std::size_t cost = cost_of([&] { log.record_success(run, result); });
        REQUIRE(cost == own + 1);
    }
}

TEST_CASE("a result that is moved in costs one allocation") {
    auto log = full_log();
    for (int i = 0; i < many; ++i) {
        const auto run = log.record_start("a job of some length", "a handler of some length", "method");
        std::string result(40, 'x');
        const std::size_t cost = cost_of([&] { log.record_success(run, std::move(result)); });
        REQUIRE(cost == 1);
    }
}

TEST_CASE("an error costs one allocation for its text") {
    auto log = full_log();
    for (int i = 0; i < many; ++i) {
        const auto run = log.record_start("a job of some length", "a handler of some length", "method");
        const std::size_t cost = cost_of([&] { log.record_error(run, "a reason that is longer than a small string"); });
        REQUIRE(cost == 1);
    }
}

TEST_CASE("names that come and go in a full log allocate nothing once they have their places") {
    JobExecutionLog<> log{LogOptions{.capacity = 20, .max_tracked_handlers = 0, .max_tracked_jobs = 0}};
    std::string name(30, 'n');
    const auto record = [&](int i) {
        name[0] = static_cast<char>('a' + i % 26);
        name[1] = static_cast<char>('a' + i / 26 % 26);
        log.record_success(log.record_start(name));
    };
    for (int i = 0; i < many; ++i) { record(i); }
    CHECK(cost_of([&] {
              for (int i = 0; i < many; ++i) { record(i); }
          }) == 0);
}

TEST_CASE("a log with a reader that waits for what finishes allocates nothing either") {
    auto log = full_log();
    auto feed = log.subscribe({.capacity = 64});
    CHECK(cost_of([&] {
              for (int i = 0; i < many; ++i) {
                  log.record_success(log.record_start("a job of some length", "a handler of some length", "method"));
              }
          }) == 0);
    CHECK(feed.dropped() == many - 64);
}

TEST_CASE("a log with a largest age allocates nothing either") {
    JobExecutionLog<> log{LogOptions{.capacity = 100, .max_age = std::chrono::hours{1}}};
    const auto record = [&] {
        for (int i = 0; i < many; ++i) { log.record_success(log.record_start("job", "handler", "method")); }
    };
    record();
    CHECK(cost_of(record) == 0);
}
