// SPDX-License-Identifier: MIT
#include "support/catch.hpp"

#include <daybook/detail/job_function.hpp>
#include <daybook/job/completion.hpp>
#include <daybook/job/handlers.hpp>
#include <daybook/job/job_context.hpp>

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace {

using daybook::AnyHandlers;
using daybook::HandlerInfo;
using daybook::Handlers;
using daybook::JobContext;
using daybook::detail::JobFunction;

constexpr std::size_t max_bytes = 4096;

std::string run(const JobFunction& function, std::string_view parameters = {}) {
    JobContext context{{.job_id = "job", .parameters = parameters}};
    const auto result = function.call(function.callable.get(), context, max_bytes);
    if (!result) { return "nothing"; }
    return std::string{static_cast<const daybook::detail::TextBlock*>(result.get())->text()};
}

template <class Call>
std::string complaint_of(Call&& call) {
    try {
        call();
    } catch (const std::invalid_argument& error) { return error.what(); }
    return "none";
}

std::string greet() { return "hello"; }

struct Mailer {
    std::string prefix;
    std::string operator()(JobContext& context) const { return prefix + std::string{context.parameters()}; }
};

} // namespace

TEST_CASE("a handler is found by its two names, and is given the parameters of the job") {
    Handlers<> handlers;
    handlers.add("mail", "send", [](JobContext& context) { return "sent " + std::string{context.parameters()}; });
    handlers.add("mail", "check", [] { return "checked"; });
    CHECK(run(handlers.at("mail", "send"), "letter") == "sent letter");
    CHECK(run(handlers.at("mail", "check")) == "checked");
    CHECK(handlers.contains("mail", "send"));
    CHECK_FALSE(handlers.contains("mail"));
    CHECK_FALSE(handlers.contains("send", "mail"));
    CHECK_FALSE(handlers.find("mail", "sned"));
}

TEST_CASE("a handler may return nothing, and its method name may be empty") {
    Handlers<> handlers;
    int calls = 0;
    handlers.add("count", "", [&calls] { ++calls; });
    CHECK(run(handlers.at("count")) == "nothing");
    CHECK(calls == 1);
    CHECK(handlers.contains("count", ""));
}

TEST_CASE("a handler may be a function, an object, or what cannot be copied") {
    Handlers<> handlers;
    handlers.add("function", "", greet);
    handlers.add("pointer", "", &greet);
    handlers.add("object", "", Mailer{"to "});
    handlers.add("unique", "", [held = std::make_unique<std::string>("kept")] { return *held; });
    CHECK(run(handlers.at("function")) == "hello");
    CHECK(run(handlers.at("pointer")) == "hello");
    CHECK(run(handlers.at("object"), "you") == "to you");
    CHECK(run(handlers.at("unique")) == "kept");
}

TEST_CASE("handlers return the type that they were made for") {
    Handlers<int> handlers;
    handlers.add("answer", "", [] { return 42; });
    const auto function = handlers.at("answer");
    JobContext context{JobContext::Attempt{}};
    const auto result = function.call(function.callable.get(), context, max_bytes);
    CHECK(static_cast<const daybook::detail::ValueBlock<int>*>(result.get())->value() == 42);
}

TEST_CASE("a handler may finish later, by a completion") {
    Handlers<> handlers;
    handlers.add("later", "", [](JobContext&, daybook::Completion<std::string> done) { done.success("done"); });
    const auto function = handlers.at("later");
    CHECK(function.begin != nullptr);
    CHECK(function.call == nullptr);
}

TEST_CASE("what a handler throws passes through") {
    Handlers<> handlers;
    handlers.add("broken", "", [] { throw std::runtime_error{"no"}; });
    const auto function = handlers.at("broken");
    CHECK_THROWS_AS(run(function), std::runtime_error);
}

TEST_CASE("jobs that are made of one handler share its callable") {
    Handlers<> handlers;
    handlers.add("count", "", [calls = 0]() mutable { return std::to_string(++calls); });
    const auto first = handlers.at("count");
    const auto second = handlers.at("count");
    CHECK(run(first) == "1");
    CHECK(run(second) == "2");
    CHECK(run(first) == "3");
}

TEST_CASE("a copy shares the handlers") {
    Handlers<> handlers;
    Handlers<> copy = handlers;
    const AnyHandlers any = handlers;
    copy.add("late", "", [] {});
    CHECK(handlers.contains("late"));
    CHECK(any.contains("late"));
    CHECK(handlers.remove("late"));
    CHECK_FALSE(any.contains("late"));
}

TEST_CASE("a removed handler goes on in the jobs that were made of it") {
    auto guard = std::make_shared<int>(7);
    const std::weak_ptr<int> watched = guard;
    Handlers<> handlers;
    handlers.add("old", "", [held = std::move(guard)] { return std::to_string(*held); });
    auto function = handlers.find("old");
    REQUIRE(function);
    CHECK(handlers.remove("old"));
    CHECK_FALSE(handlers.remove("old"));
    CHECK_FALSE(handlers.contains("old"));
    CHECK(run(*function) == "7");
    function.reset();
    CHECK(watched.expired());
}

TEST_CASE("a handler outlives the object that it was added to") {
    std::optional<JobFunction> function;
    {
        Handlers<> handlers;
        handlers.add("old", "", Mailer{"still "});
        function = handlers.find("old");
    }
    REQUIRE(function);
    CHECK(run(*function, "here") == "still here");
}

TEST_CASE("handlers are listed by id, then by method, with their descriptions") {
    Handlers<> handlers;
    handlers.add("b", "y", [] {});
    handlers.add(
        "a", "z", [] {}, "the last of a");
    handlers.add(
        "b", "", [] {}, "the first of b");
    handlers.add("a", "x", [] {});
    CHECK(handlers.list() ==
          std::vector<HandlerInfo>{
              {"a", "x", ""}, {"a", "z", "the last of a"}, {"b", "", "the first of b"}, {"b", "y", ""}});
    CHECK(Handlers<>{}.list().empty());
}

TEST_CASE("names that are taken are refused, and the first handler stays") {
    auto guard = std::make_shared<int>(1);
    const std::weak_ptr<int> watched = guard;
    Handlers<> handlers;
    handlers.add("mail", "send", [] { return "first"; });
    handlers.add("mail", "", [] {});
    CHECK(complaint_of([&] { handlers.add("mail", "send", [held = std::move(guard)] {}); }) ==
          "there is a handler already with the id \"mail\" and the method \"send\"");
    CHECK(complaint_of([&] { handlers.add("mail", "", [] {}); }) ==
          "there is a handler already with the id \"mail\" and no method");
    CHECK(watched.expired());
    CHECK(run(handlers.at("mail", "send")) == "first");
    CHECK(handlers.list().size() == 2);
}

TEST_CASE("names and descriptions have their limits") {
    Handlers<> handlers;
    const std::string longest(255, 'n');
    CHECK(complaint_of([&] {
              handlers.add(
                  longest, longest, [] {}, std::string(1024, 'd'));
          }) == "none");
    CHECK(handlers.contains(longest, longest));
    CHECK(complaint_of([&] { handlers.add("", "method", [] {}); }) ==
          "a handler id must have 1 to 255 bytes, is empty");
    CHECK(complaint_of([&] { handlers.add(longest + 'n', "", [] {}); }) ==
          "a handler id must have 1 to 255 bytes, has 256");
    CHECK(complaint_of([&] { handlers.add("id", longest + 'n', [] {}); }) ==
          "a method name must have at most 255 bytes, has 256");
    CHECK(complaint_of([&] {
              handlers.add(
                  "id", "", [] {}, std::string(1025, 'd'));
          }) == "a handler's description must have at most 1024 bytes, has 1025");
    CHECK_FALSE(handlers.contains("id"));
}

TEST_CASE("a handler that is empty is refused") {
    Handlers<> handlers;
    CHECK(complaint_of([&] { handlers.add("empty", "", std::function<void()>{}); }) ==
          "a handler must be something to call, is empty: \"empty\"");
    CHECK(complaint_of([&] { handlers.add("null", "", static_cast<void (*)()>(nullptr)); }) ==
          "a handler must be something to call, is empty: \"null\"");
}

TEST_CASE("a handler that is missing is an error that says which there are") {
    Handlers<> handlers;
    CHECK(complaint_of([&] { static_cast<void>(handlers.at("mail", "send")); }) ==
          "there is no handler with the id \"mail\" and the method \"send\"; none has been added");
    handlers.add("reports", "", [] {});
    handlers.add("mail", "check", [] {});
    handlers.add("mail", "send", [] {});
    CHECK(complaint_of([&] { static_cast<void>(handlers.at("mial", "send")); }) ==
          "there is no handler with the id \"mial\" and the method \"send\"; the handlers are \"mail\", \"reports\"");
    CHECK(complaint_of([&] { static_cast<void>(handlers.at("mail")); }) ==
          "there is no handler with the id \"mail\" and no method; its methods are \"check\", \"send\"");
    CHECK(complaint_of([&] { static_cast<void>(handlers.at("reports", "write")); }) ==
          "there is no handler with the id \"reports\" and the method \"write\"; its methods are \"\"");
}

TEST_CASE("the error about a missing handler is bounded") {
    Handlers<> handlers;
    for (int i = 100; i < 200; ++i) {
        handlers.add(std::to_string(i) + std::string(252, 'n'), "", [] {});
    }
    const auto complaint = complaint_of([&] { static_cast<void>(handlers.at(std::string(100'000, 'x'))); });
    CHECK(complaint.size() < 3000);
    const std::string_view end = " and 92 more";
    REQUIRE(complaint.size() > end.size());
    CHECK(complaint.substr(complaint.size() - end.size()) == end);
}

TEST_CASE("handlers may be added, found, run and removed on several threads at once") {
    Handlers<> handlers;
    std::atomic<int> runs{0};
    std::atomic<int> wrong{0};
    handlers.add("shared", "", [&runs] { ++runs; });
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&, name = std::to_string(i)] {
            for (int turn = 0; turn < 200; ++turn) {
                handlers.add(name, "own", [name] { return name; });
                if (run(handlers.at(name, "own")) != name) { ++wrong; }
                run(handlers.at("shared"));
                if (handlers.list().empty() || !handlers.remove(name, "own")) { ++wrong; }
                static_cast<void>(handlers.find(std::to_string(turn % 4), "own"));
            }
        });
    }
    for (auto& thread : threads) { thread.join(); }
    CHECK(wrong == 0);
    CHECK(runs == 800);
    CHECK(handlers.list().size() == 1);
}
