// SPDX-License-Identifier: MIT
#include "support/catch.hpp"

#include <daybook/worker/executor.hpp>

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <new>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace {

using daybook::AnyExecutor;
using daybook::Task;

// Counts the uses of its own operator new, which is what a task uses for a callable that does not fit.
template <std::size_t Bytes>
struct Counted {
    std::array<std::byte, Bytes> payload{};
    static inline int allocations = 0;
    static void* operator new(std::size_t size) {
        ++allocations;
        return ::operator new(size);
    }
    static void* operator new(std::size_t, void* at) noexcept { return at; }
    static void operator delete(void* from) { ::operator delete(from); }
    static void operator delete(void*, void*) noexcept {}
    void operator()() const {}
};

// Tells how many of it are alive, and whether it was called.
struct Tracked {
    explicit Tracked(int& alive_, int& calls_) : alive{&alive_}, calls{&calls_} { ++*alive; }
    Tracked(Tracked&& other) noexcept : alive{other.alive}, calls{other.calls} { ++*alive; }
    Tracked& operator=(Tracked&&) = delete;
    ~Tracked() { --*alive; }
    void operator()() { ++*calls; }
    int* alive;
    int* calls;
};

struct LargeTracked : Tracked {
    using Tracked::Tracked;
    std::array<std::byte, 100> ballast{};
};

// Executors as strangers write them.
struct Immediate {
    void post(Task task) { task(); }
};
struct Refusing {
    bool post(const Task& /* dropped */) { return false; }
};
struct Immovable {
    Immovable() = default;
    Immovable(const Immovable&) = delete;
    Immovable& operator=(const Immovable&) = delete;
    int posts = 0;
    bool post(Task task) {
        ++posts;
        task();
        return true;
    }
};

static_assert(daybook::executor<Immediate> && daybook::executor<Refusing> && daybook::executor<Immovable>);
static_assert(daybook::executor<AnyExecutor>);
static_assert(!daybook::executor<int>);
static_assert(std::is_nothrow_move_constructible_v<Task> && std::is_nothrow_move_assignable_v<Task>);
static_assert(!std::is_copy_constructible_v<Task>);
static_assert(!std::is_constructible_v<Task, int>);
static_assert(sizeof(Task) <= 64);

} // namespace

TEST_CASE("a task calls what it was made from and is empty afterwards") {
    int calls = 0;
    Task task{[&] { ++calls; }};
    REQUIRE(task);
    task();
    CHECK(calls == 1);
    CHECK_FALSE(task);
    CHECK_THROWS_AS(task(), std::bad_function_call);
    CHECK(calls == 1);
}

TEST_CASE("an empty task says so when it is called") {
    Task task;
    CHECK_FALSE(task);
    CHECK_THROWS_AS(task(), std::bad_function_call);
}

TEST_CASE("a task takes a callable that cannot be copied") {
    auto value = std::make_unique<int>(41);
    int seen = 0;
    Task task{[held = std::move(value), &seen] { seen = *held + 1; }};
    Task moved{std::move(task)};
    moved();
    CHECK(seen == 42);
}

TEST_CASE("a task takes functions, function objects with a result, and other callables") {
    static int calls = 0;
    calls = 0;
    Task from_function{+[] { ++calls; }};
    Task from_result{[] { return ++calls; }};
    const std::function<void()> function = [] { ++calls; };
    Task from_std_function{function};
    from_function();
    from_result();
    from_std_function();
    CHECK(calls == 3);
}

TEST_CASE("a callable of 48 bytes needs no allocation, a larger one needs one") {
    Task small{Counted<48>{}};
    Task large{Counted<49>{}};
    Task moved_small{std::move(small)};
    Task moved_large{std::move(large)};
    moved_small();
    moved_large();
    CHECK(Counted<48>::allocations == 0);
    CHECK(Counted<49>::allocations == 1);
}

TEST_CASE("a callable is destroyed exactly once, whatever happens to its task") {
    int alive = 0;
    int calls = 0;
    const auto check = [&](auto make) {
        { const Task dropped{make()}; }
        CHECK(alive == 0);
        {
            Task called{make()};
            called();
            CHECK(alive == 0);
        }
        {
            Task first{make()};
            Task second{make()};
            second = std::move(first);
            CHECK(alive == 1);
            Task& same = second;
            second = std::move(same);
            CHECK(second);
            second.reset();
            CHECK(alive == 0);
            first = Task{make()};
            CHECK(alive == 1);
        }
        CHECK(alive == 0);
    };
    SECTION("kept inside") {
        check([&] { return Tracked{alive, calls}; });
    }
    SECTION("kept on the heap") {
        check([&] { return LargeTracked{alive, calls}; });
    }
    CHECK(calls == 1);
}

TEST_CASE("a callable that throws is destroyed, and its exception comes through") {
    auto guard = std::make_shared<int>(1);
    const std::weak_ptr<int> watched = guard;
    Task task{[held = std::move(guard)] { throw std::runtime_error{"no"}; }};
    CHECK_THROWS_AS(task(), std::runtime_error);
    CHECK(watched.expired());
    CHECK_FALSE(task);
}

TEST_CASE("a task may replace itself while it runs") {
    int calls = 0;
    Task task;
    task = Task{[&] { task = Task{[&] { calls += 10; }}; }};
    task();
    REQUIRE(task);
    task();
    CHECK(calls == 10);
}

TEST_CASE("an erased executor accepts for one that says nothing") {
    int calls = 0;
    const AnyExecutor executor = Immediate{};
    CHECK(executor.post([&] { ++calls; }));
    CHECK(calls == 1);
}

TEST_CASE("an erased executor tells of a refusal and destroys the task") {
    auto guard = std::make_shared<int>(1);
    const std::weak_ptr<int> watched = guard;
    const AnyExecutor executor = Refusing{};
    CHECK_FALSE(executor.post([held = std::move(guard)] {}));
    CHECK(watched.expired());
}

TEST_CASE("an erased executor shares one that the program owns") {
    const auto owned = std::make_shared<Immovable>();
    const AnyExecutor executor = owned;
    const AnyExecutor copy = executor; // NOLINT(performance-unnecessary-copy-initialization): the copy is the point
    CHECK(executor.post([] {}));
    CHECK(copy.post([] {}));
    CHECK(owned->posts == 2);
}

TEST_CASE("no executor is no executor") {
    CHECK_FALSE(AnyExecutor{});
    CHECK_FALSE(AnyExecutor{std::shared_ptr<Immovable>{}});
    CHECK(AnyExecutor{Immediate{}});
    CHECK_THROWS_AS(static_cast<void>(AnyExecutor{}.post([] {})), std::bad_function_call);
}
