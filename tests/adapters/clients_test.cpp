// SPDX-License-Identifier: MIT
#if __has_include(<httplib.h>)

#include "adapters/httplib_server.hpp"
#include "support/catch.hpp"

#include <daybook/http.hpp>
#include <daybook/log/job_execution_log.hpp>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace http = daybook::http;

namespace {

/// A server with the history that the scripts in tests/clients expect: 66 executions that ended and one that runs.
class SampleServer {
public:
    SampleServer() {
        record(60, "dingdong_1", "dingdong", "ding");
        record(3, "my_scheduled_task", {}, "run");
        for (int round = 0; round < 2; ++round) {
            log_.record_error(log_.record_start("problematic_task", "discord_bot", "send_message", round == 0 ? 1 : 3),
                              "Connection timeout after 5000ms");
        }
        log_.record_timeout(log_.record_start("slow_task", "discord_bot", "sync"));
        log_.record_start("endless", "my_scheduled_task", "run");
        http::Router router{{.authorize = http::allow_changes()}};
        router.add(http::executions_api(log_));
        server_.emplace(router);
    }

    /// What becomes of a command that is given the server's address.
    [[nodiscard]] int run(const std::string& command) const {
        return std::system(("no_proxy='*' NO_PROXY='*' " + command + " " + server_->url()).c_str());
    }

private:
    void record(int times, std::string_view job, std::string_view handler, std::string_view method) {
        for (int round = 0; round < times; ++round) {
            log_.record_success(log_.record_start(job, handler, method), "Ding!");
        }
    }

    daybook::JobExecutionLog<> log_{1000};
    std::optional<HttplibServer> server_;
};

bool is_installed(const std::string& program) {
    const auto found = std::system(("command -v " + program + " >/dev/null 2>&1").c_str()) == 0;
    if (!found) { WARN(program << " is not installed: its client was left out"); }
    return found;
}

std::string script(const std::string& name) {
    const auto tests = std::filesystem::path{__FILE__}.parent_path().parent_path();
    return "'" + (tests / "clients" / name).string() + "'";
}

} // namespace

TEST_CASE("the curl lines that users have work") {
    if (!is_installed("curl") || !is_installed("jq")) { return; }
    CHECK(SampleServer{}.run("sh " + script("curl.sh")) == 0);
}

TEST_CASE("the Python client that users have works") {
    if (!is_installed("python3")) { return; }
    CHECK(SampleServer{}.run("python3 " + script("client.py")) == 0);
}

TEST_CASE("the browser script that users have works") {
    if (!is_installed("node")) { return; }
    CHECK(SampleServer{}.run("node " + script("client.js")) == 0);
}

#endif
