// SPDX-License-Identifier: MIT

/// @file
/// A program with the page, for tests to open. Prints its port, does what standard input says, and ends when that does.
///
///     page_server [--port N] [--prefix /PATH] [--changes none|all|token|password] [--jobs N] [--capacity N]
///     [--hostile] [--past HOURS] page_server --only-log ...        without a scheduler: the executions alone
///
/// Commands, one a line, each answered with a line: `trigger ID`, `record N` (successes), `fail N`, `step` (of what
/// waits at the gate), `open` (the gate), `shut`, `clear`, `idle` (waits until nothing runs).

#include "jobs.hpp"
#include "shop.hpp"

#include <daybook/adapters/httplib.hpp>
#include <daybook/adapters/nlohmann_json.hpp>
#include <daybook/daybook.hpp>
#include <daybook/http.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <sys/socket.h>

namespace {

namespace http = daybook::http;
using namespace std::chrono_literals;
using Scheduler = daybook::Scheduler<nlohmann::json>;

struct Options {
    int port = 0;
    std::string prefix = {};
    std::string changes = "none";
    std::size_t jobs = 0;
    std::size_t capacity = 20'000;
    std::chrono::hours past = 0h;
    bool has_hostile = false;
    bool has_scheduler = true;
};

Options parse(const std::vector<std::string>& arguments) {
    Options options;
    for (std::size_t index = 0; index < arguments.size(); ++index) {
        const auto& name = arguments[index];
        const auto value = [&]() -> const std::string& { return arguments.at(++index); };
        if (name == "--port") {
            options.port = std::stoi(value());
        } else if (name == "--prefix") {
            options.prefix = value();
        } else if (name == "--changes") {
            options.changes = value();
        } else if (name == "--jobs") {
            options.jobs = std::stoul(value());
        } else if (name == "--capacity") {
            options.capacity = std::stoul(value());
        } else if (name == "--past") {
            options.past = std::chrono::hours{std::stoi(value())};
        } else if (name == "--hostile") {
            options.has_hostile = true;
        } else if (name == "--only-log") {
            options.has_scheduler = false;
        } else {
            throw std::invalid_argument{"unknown option " + name};
        }
    }
    return options;
}

http::Authorize authorize(const std::string& changes) {
    if (changes == "all") { return http::allow_changes(); }
    if (changes == "token") { return http::changes_with_token("open sesame"); }
    if (changes == "password") { return http::basic_passwords({{.name = "ali", .secret = "open sesame"}}); }
    return {};
}

/// Moves a clock as time passes.
class Ticker {
public:
    explicit Ticker(daybook::ManualClock clock)
        : thread_{[this, clock]() mutable {
              for (auto before = std::chrono::steady_clock::now(); !is_over_;) {
                  std::this_thread::sleep_for(1ms);
                  const auto now = std::chrono::steady_clock::now();
                  clock.advance(now - before);
                  before = now;
              }
          }} {}
    Ticker(const Ticker&) = delete;
    Ticker& operator=(const Ticker&) = delete;
    ~Ticker() {
        is_over_ = true;
        thread_.join();
    }

private:
    std::atomic<bool> is_over_ = false;
    std::thread thread_;
};

/// Until nothing runs, and no retry is about to.
bool settle(Scheduler& scheduler) {
    for (std::uint64_t before = 0;;) {
        if (!scheduler.wait_idle(10s)) { return false; }
        const auto stats = scheduler.log().stats();
        const auto now = stats.lifetime_executions + stats.retry_count;
        if (now == before) { return true; }
        before = now;
        std::this_thread::sleep_for(20ms);
    }
}

bool obey(const std::string& line, Scheduler& scheduler, jobs::Gate& gate) {
    const auto word = line.substr(0, line.find(' '));
    const auto rest = word.size() == line.size() ? std::string{} : line.substr(word.size() + 1);
    auto& log = scheduler.log();
    if (word == "trigger") {
        if (scheduler.trigger(rest).outcome == daybook::TriggerOutcome::unknown_job) { return false; }
    } else if (word == "record" || word == "fail") {
        for (auto count = std::stoul(rest); count != 0; --count) {
            const auto number = std::to_string(count % 20);
            const auto run = log.record_start("bulk_" + number, "bulk", "load");
            if (word == "fail") {
                log.record_error(run, "bulk failure " + std::to_string(count));
            } else {
                log.record_success(run, "bulk result " + std::to_string(count));
            }
        }
    } else if (word == "step") {
        ++gate.done;
    } else if (word == "open") {
        gate.done = jobs::Gate::steps;
    } else if (word == "shut") {
        gate.done = 0;
    } else if (word == "clear") {
        log.clear();
    } else if (word == "idle") {
        return settle(scheduler);
    } else {
        return false;
    }
    return true;
}

void serve(const Options& options) {
    const bool has_past = options.past > 0h;
    daybook::ManualClock clock{daybook::SystemClock{}.now() - options.past};
    Scheduler scheduler{{.workers = 4,
                         .log = {.capacity = options.capacity},
                         .stop_grace = 0s,
                         .clock = has_past ? daybook::AnyClock{clock} : daybook::AnyClock{}}};
    const auto gate = std::make_shared<jobs::Gate>();
    std::optional<Ticker> ticker;
    if (has_past) {
        shop::Past{scheduler, clock, options.past}.happen();
        ticker.emplace(clock);
        shop::open(scheduler);
    } else {
        if (options.has_hostile) {
            jobs::add_hostile(scheduler);
        } else {
            jobs::add(scheduler, gate);
        }
        scheduler.start();
    }
    jobs::add_many(scheduler, options.jobs);

    http::Router router{{.prefix = options.prefix, .authorize = authorize(options.changes)}};
    router.add(http::executions_api(scheduler.log()));
    if (options.has_scheduler) {
        router.add(http::jobs_api<daybook::nlohmann_json>(scheduler));
        router.add(http::health_api(scheduler));
    }
    router.add(http::dashboard());
    httplib::Server server;
    server.set_socket_options([](socket_t socket) { // the default lets two programs share a port
        const int on = 1;
        ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    });
    server.set_tcp_nodelay(true);
    server.set_keep_alive_timeout(1);
    daybook::mount(server, router);
    const int port = options.port == 0                                ? server.bind_to_any_port("127.0.0.1")
                     : server.bind_to_port("127.0.0.1", options.port) ? options.port
                                                                      : -1;
    if (port < 0) { throw std::runtime_error{"the port is taken"}; }
    std::thread listener{[&] { server.listen_after_bind(); }};
    std::cout << "port " << port << std::endl;
    for (std::string line; std::getline(std::cin, line);) {
        std::cout << (obey(line, scheduler, *gate) ? "done" : "unknown") << std::endl;
    }
    server.stop();
    listener.join();
    gate->done = jobs::Gate::steps;
    scheduler.stop(0s);
}

} // namespace

int main(int argc, char* argv[]) {
    try {
        serve(parse({argv + 1, argv + argc}));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
