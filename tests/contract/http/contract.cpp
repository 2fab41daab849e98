// SPDX-License-Identifier: MIT
#include "contract/http/app.hpp"
#include "contract/http/contract_case.hpp"
#include "contract/http/runner.hpp"
#include "contract/http/server.hpp"

#include "support/catch.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace contract {

namespace {

using namespace std::chrono_literals;

[[nodiscard]] std::vector<Case> all_cases() {
    std::vector<Case> cases;
    for (const auto group : {method_cases, target_cases, execution_cases, body_cases, header_cases, answer_cases,
                             access_cases, change_cases}) {
        for (auto& each : group()) { cases.push_back(std::move(each)); }
    }
    return cases;
}

/// What came of one case.
struct Outcome {
    std::string problems;
    std::chrono::nanoseconds taken{0};
};

[[nodiscard]] Outcome timed(Runner& runner, const Case& what) {
    const auto begin = std::chrono::steady_clock::now();
    const auto* const limit = find_limit(known_limits(), what.name);
    if (limit != nullptr && limit->run == LimitRun::never) { return {"not run"}; }
    auto problems = limit != nullptr ? runner.run(what, 500ms) : runner.run(what);
    if (limit == nullptr && !problems.empty() && find_limit(known_limits(), "others' answers") != nullptr) {
        problems = runner.run(what);
    }
    return {std::move(problems), std::chrono::steady_clock::now() - begin};
}

/// Runs the cases whose name has DAYBOOK_CONTRACT_CASE in it: first those that need a connection of their own, four at
/// a time, for some servers take seconds to see that nothing more will come; then the others, one behind the other.
void run_all(std::vector<Case> cases, Server& server, Mode mode, const std::string& ping) {
    const char* const chosen = std::getenv("DAYBOOK_CONTRACT_CASE");
    std::erase_if(cases, [&](const Case& each) {
        const bool is_known = mode == Mode::keep && find_limit(known_limits(), each.name) != nullptr;
        return is_known || (chosen != nullptr && !contains(each.name, chosen));
    });
    const auto first_shared =
        std::stable_partition(cases.begin(), cases.end(), [](const Case& each) { return each.use == Use::alone; });
    const auto alone = static_cast<std::size_t>(first_shared - cases.begin());

    std::vector<Outcome> outcomes(cases.size());
    std::atomic<std::size_t> next = 0;
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread) {
        threads.emplace_back([&] {
            Runner runner{server.port(), mode, ping};
            for (auto index = next++; index < alone; index = next++) { outcomes[index] = timed(runner, cases[index]); }
        });
    }
    for (auto& thread : threads) { thread.join(); }
    Runner runner{server.port(), mode, ping};
    for (auto index = alone; index < cases.size(); ++index) { outcomes[index] = timed(runner, cases[index]); }

    std::size_t passed = 0;
    std::size_t known = 0;
    for (std::size_t index = 0; index < cases.size(); ++index) {
        const auto& name = cases[index].name;
        const auto& problems = outcomes[index].problems;
        const std::chrono::duration<double> taken = outcomes[index].taken;
        if (taken > 500ms) { std::cout << "    " << taken.count() << " s: " << name << "\n"; }
        if (const auto* const limit = find_limit(known_limits(), name)) {
            ++known;
            std::cout << server_name() << ": " << name << ": a known limit"
                      << (problems.empty() ? ", which it passes" : "") << ": " << limit->why << "\n";
            continue;
        }
        INFO(name << "\n" << problems);
        CHECK(problems.empty());
        passed += problems.empty() ? 1 : 0;
    }
    std::cout << server_name() << ", " << (mode == Mode::keep ? "kept connections" : "Connection: close") << ": "
              << passed << " of " << cases.size() << " cases passed, " << known << " are known limits, "
              << runner.reuses() << " ran on a connection that another had used\n";
    if (mode == Mode::keep && chosen == nullptr && find_limit(known_limits(), "kept connections") == nullptr) {
        CHECK(runner.reuses() * 2 > cases.size() - alone);
    }
}

} // namespace

TEST_CASE("there are more than 150 cases, each with a name of its own") {
    std::set<std::string> names;
    std::size_t count = 0;
    for (const auto& cases : {all_cases(), prefix_cases()}) {
        for (const auto& each : cases) {
            INFO(each.name);
            CHECK(names.insert(each.name).second);
            CHECK_FALSE(each.expected.empty());
            ++count;
        }
    }
    CHECK(count >= 150);
    for (const auto& limit : known_limits()) {
        INFO(limit.name);
        CHECK_FALSE(limit.why.empty());
    }
}

TEST_CASE("each case passes on a connection of its own") {
    const App app;
    const auto server = start_server(app.open_router());
    run_all(all_cases(), *server, Mode::close, "/ping");
    CHECK(app.exceptions() <= 4); // those of the cases that ask for one
}

TEST_CASE("the cases pass one behind the other on kept connections") {
    const App app;
    const auto server = start_server(app.open_router());
    run_all(all_cases(), *server, Mode::keep, "/ping");
    CHECK(app.exceptions() <= 4);
}

TEST_CASE("a router with a prefix, and open for reading only, passes its cases") {
    const App app;
    const auto server = start_server(app.prefixed_router());
    for (const auto mode : {Mode::close, Mode::keep}) { run_all(prefix_cases(), *server, mode, "/admin/ping"); }
    CHECK(app.exceptions() == 0);
}

TEST_CASE("many clients at once each get their own answers") {
    const App app;
    const auto server = start_server(app.open_router());
    const int port = server->port();
    std::atomic<int> wrong = 0;
    std::vector<std::thread> clients;
    for (int client = 0; client < 4; ++client) {
        clients.emplace_back([&wrong, port, client] {
            std::unique_ptr<Connection> connection;
            for (int round = 0; round < 50; ++round) {
                const bool is_kept = client % 2 == 0;
                const auto word = std::to_string(client) + "-" + std::to_string(round);
                const std::string lines = is_kept ? "" : "Connection: close\r\n";
                const auto text = repeated("b" + word, 20);
                const auto bytes = "PUT /echo/" + word + " HTTP/1.1\r\nHost: contract.test\r\n" + lines +
                                   "Content-Length: " + std::to_string(text.size()) + "\r\n\r\n" + text;
                if (connection == nullptr) { connection = std::make_unique<Connection>(port); }
                connection->send(bytes);
                const auto answer = connection->receive();
                const bool is_right = answer.status == 200 && answer.problem.empty() &&
                                      contains(answer.body, "word=[" + word + "]") &&
                                      contains(answer.body, "body_hash=[" + std::to_string(hash_of(text)) + "]");
                wrong += is_right ? 0 : 1;
                if (!is_kept || answer.is_last || !is_right) { connection.reset(); }
            }
        });
    }
    for (auto& client : clients) { client.join(); }
    CHECK(wrong == 0);
}

TEST_CASE("clients that are slow, idle or gone do not hold up the others") {
    const App app;
    const auto server = start_server(app.open_router());
    std::vector<std::unique_ptr<Connection>> others;
    for (const auto* bytes :
         {"", "GET /pi", "GET /ping HTTP/1.1\r\nHost: contract.test\r\nX-Half:",
          "POST /echo/x HTTP/1.1\r\nHost: contract.test\r\nContent-Length: 1000\r\n\r\nten bytes.",
          "POST /echo/x HTTP/1.1\r\nHost: contract.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
          "GET /large HTTP/1.1\r\nHost: contract.test\r\n\r\n", "GET /slow HTTP/1.1\r\nHost: contract.test\r\n\r\n"}) {
        others.push_back(std::make_unique<Connection>(server->port()));
        others.back()->send(bytes);
    }
    const auto begin = std::chrono::steady_clock::now();
    Connection quick{server->port()};
    quick.send("GET /ping HTTP/1.1\r\nHost: contract.test\r\nConnection: close\r\n\r\n");
    const auto answer = quick.receive();
    CHECK(answer.status == 200);
    CHECK(answer.body == "pong");
    CHECK(std::chrono::steady_clock::now() - begin < 2s);
    others[5].reset(); // goes before it has read what it asked for
    others[6].reset();
    others[3].reset();
    Connection later{server->port()};
    later.send("GET /ping HTTP/1.1\r\nHost: contract.test\r\nConnection: close\r\n\r\n");
    CHECK(later.receive().body == "pong");
}

TEST_CASE("a server stops while clients hold connections open") {
    const App app;
    auto server = start_server(app.open_router());
    Connection idle{server->port()};
    Connection half{server->port()};
    half.send("GET /pi");
    Connection used{server->port()};
    used.send("GET /ping HTTP/1.1\r\nHost: contract.test\r\n\r\n");
    CHECK(used.receive().body == "pong");
    const auto begin = std::chrono::steady_clock::now();
    server.reset();
    const auto taken = std::chrono::steady_clock::now() - begin;
    std::cout << server_name() << ": stopped within "
              << std::chrono::duration_cast<std::chrono::milliseconds>(taken).count() << " ms\n";
    if (find_limit(known_limits(), "stop") == nullptr) { CHECK(taken < 6s); }
}

} // namespace contract
