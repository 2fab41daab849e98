// SPDX-License-Identifier: MIT
#if __has_include(<httplib.h>) && __has_include(<nlohmann/json.hpp>)

#include "adapters/httplib_server.hpp"
#include "support/catch.hpp"

#include <daybook/adapters/nlohmann_json.hpp>
#include <daybook/http.hpp>
#include <daybook/http/health_api.hpp>
#include <daybook/http/history_api.hpp>
#include <daybook/job/job_context.hpp>
#include <daybook/scheduler.hpp>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace http = daybook::http;
using namespace std::chrono_literals;

namespace {

/// A server with what the scripts in tests/clients expect.
class Server {
public:
    Server() { scheduler_.start(); }

    template <class Body>
    void run(int times, const std::string& id, Body body) {
        scheduler_.add(id, daybook::cron("0 9 * * *"), std::move(body));
        for (int round = 0; round < times; ++round) {
            scheduler_.trigger(id);
            if (!scheduler_.wait_idle(60s)) { throw std::runtime_error{"the jobs do not come to an end"}; }
        }
    }

    /// 60 jobs that completed, of 3 requests each, 2 that failed, and 1 that goes on.
    void record_history() {
        run(60, "batch", [](daybook::JobContext& job) {
            job.metadata("model", "google/gemma-3-4b-it");
            job.progress(3, 3);
        });
        run(2, "broken", [] { throw std::runtime_error{"out of memory"}; });
        scheduler_.log().record_start("endless");
    }

    /// 3 executions of a job that is called as the documentation's placeholder.
    void record_jobs() {
        scheduler_.handlers().add("http", "request", [] { return std::string{"not called"}; });
        run(3, "job_id", [] {});
    }

    /// What becomes of a command that is given the server's address.
    [[nodiscard]] int client(const std::string& command) {
        http::Router router{{.authorize = http::allow_changes()}};
        http::JobsApiOptions options;
        options.allow_url = [](const http::HttpUrl&) { return true; };
        router.add(http::history_api(scheduler_)).add(http::health_api(scheduler_));
        router.add(http::jobs_api<daybook::nlohmann_json>(scheduler_, options));
        server_.emplace(router);
        return std::system(("no_proxy='*' NO_PROXY='*' " + command + " " + server_->url()).c_str());
    }

private:
    daybook::Scheduler<> scheduler_{{.workers = 1}};
    std::optional<HttplibServer> server_;
};

bool has_program(const std::string& program) {
    const auto found = std::system(("command -v " + program + " >/dev/null 2>&1").c_str()) == 0;
    if (!found) { WARN(program << " is not installed: its client was left out"); }
    return found;
}

std::string path_of(const std::string& name) {
    const auto tests = std::filesystem::path{__FILE__}.parent_path().parent_path();
    return "'" + (tests / "clients" / name).string() + "'";
}

} // namespace

TEST_CASE("the curl lines that users of the history have work") {
    if (!has_program("curl") || !has_program("jq")) { return; }
    Server server;
    server.record_history();
    CHECK(server.client("sh " + path_of("curl_history.sh")) == 0);
}

TEST_CASE("the Python lines that users of the history have work") {
    if (!has_program("python3")) { return; }
    Server server;
    server.record_history();
    CHECK(server.client("python3 " + path_of("client_history.py")) == 0);
}

TEST_CASE("the JavaScript lines that users of the history have work") {
    if (!has_program("node")) { return; }
    Server server;
    server.record_history();
    CHECK(server.client("node " + path_of("client_history.js")) == 0);
}

TEST_CASE("the curl lines that users of jobs and health have work") {
    if (!has_program("curl") || !has_program("jq")) { return; }
    Server server;
    server.record_jobs();
    CHECK(server.client("sh " + path_of("curl_jobs.sh")) == 0);
}

#endif
