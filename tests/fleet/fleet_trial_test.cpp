// SPDX-License-Identifier: MIT
#include "support/catch.hpp"
#include "trial.hpp"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

using namespace std::chrono_literals;

namespace {

[[nodiscard]] std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
    const char* const text = std::getenv(variable);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

[[nodiscard]] bool is_possible() {
    if (std::getenv("DAYBOOK_FLEET_WORKER") == nullptr) {
        WARN("there is no worker to test: DAYBOOK_FLEET_WORKER is not set");
        return false;
    }
    if (!daybook_test::PostgresqlServer::is_installed()) {
        WARN("there is no PostgreSQL server on this machine");
        return false;
    }
    return true;
}

[[nodiscard]] fleet::TrialSettings settings() {
    return {.program = std::getenv("DAYBOOK_FLEET_WORKER"),
            .seed = number_from("DAYBOOK_SEED", std::random_device{}())};
}

void judge(fleet::Trial& trial) {
    const fleet::Verdict verdict = trial.end();
    const std::string text = verdict.text();
    std::printf("%s", text.c_str());
    INFO(text);
    CHECK(verdict.figures.at("occurrences, success") > 0);
    CHECK(verdict.problems.empty());
}

} // namespace

TEST_CASE("a fleet accounts for every occurrence, whatever becomes of its processes") {
    if (!is_possible()) { return; }
    const fleet::TrialSettings with = settings();
    INFO("DAYBOOK_SEED=" << with.seed);
    fleet::Trial trial{with};
    trial.pass(2s);
    trial.kill_one();
    trial.pass(1s);
    trial.stop_one();
    trial.pass(2s);
    trial.cut_off_one(fleet::LinkState::cut);
    trial.pass(3s);
    judge(trial);
}

// See README.md.
TEST_CASE("a fleet accounts for every occurrence, for as long as one likes") {
    const std::uint64_t minutes = number_from("DAYBOOK_FLEET_MINUTES", 0);
    if (minutes == 0 || !is_possible()) { return; }
    fleet::TrialSettings with = settings();
    with.workers = number_from("DAYBOOK_FLEET_WORKERS", 8);
    with.jobs = number_from("DAYBOOK_FLEET_JOBS", 200);
    with.servers = number_from("DAYBOOK_FLEET_SERVERS", 3);
    with.lease = std::chrono::milliseconds{number_from("DAYBOOK_FLEET_LEASE_MS", 3000)};
    INFO("DAYBOOK_SEED=" << with.seed);
    fleet::Trial trial{with};
    std::mt19937_64 random{with.seed + 1};
    const auto begin = std::chrono::steady_clock::now();
    auto next_fail_over = begin + 30s;
    while (std::chrono::steady_clock::now() - begin < std::chrono::minutes{minutes}) {
        trial.pass(std::chrono::milliseconds{500 + random() % 2500});
        trial.do_something();
        if (std::chrono::steady_clock::now() >= next_fail_over) {
            trial.fail_over();
            next_fail_over = std::chrono::steady_clock::now() + 60s;
        }
    }
    judge(trial);
}
