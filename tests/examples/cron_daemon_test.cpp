// SPDX-License-Identifier: MIT
#include <daybook/job/command.hpp>

#include "support/catch.hpp"
#include "support/postgresql_server.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace std::chrono_literals;

namespace {

std::string program() {
    const char* const path = std::getenv("DAYBOOK_CRON_DAEMON");
    return path == nullptr ? "" : path;
}

bool is_built() {
    if (program().empty()) { WARN("there is no cron daemon to test: DAYBOOK_CRON_DAEMON is not set"); }
    return !program().empty();
}

std::string content_of(const std::filesystem::path& path) {
    std::ifstream file{path};
    return {std::istreambuf_iterator<char>{file}, {}};
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// A run of the real program in a directory of its own.
class Daemon {
public:
    Daemon(std::string_view crontab, std::string_view arguments) {
        std::string name = std::filesystem::temp_directory_path() / "daybook-cron-XXXXXX";
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        folder = name;
        std::ofstream{folder / "crontab"} << crontab;
        const auto text = "echo $$ > pid; exec " + program() + " --crontab crontab --port 0 " + std::string{arguments} +
                          " > output 2>&1";
        runner_ = std::thread{[this, text] {
            outcome_ = daybook::run_command({.working_directory = folder.string()}, text, stop_.get_token());
        }};
    }
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;
    ~Daemon() {
        stop_.request_stop();
        if (runner_.joinable()) { runner_.join(); }
        std::filesystem::remove_all(folder);
    }

    [[nodiscard]] std::string output() const { return content_of(folder / "output"); }

    [[nodiscard]] bool says(std::string_view text) const {
        return comes_true([&] { return contains(output(), text); });
    }
    [[nodiscard]] bool has_file(std::string_view name) const {
        return comes_true([&] { return std::filesystem::exists(folder / name); });
    }

    void signal(int number) const { ::kill(static_cast<pid_t>(std::stol(content_of(folder / "pid"))), number); }

    /// Waits for its end and returns its exit status; -1: none.
    int status() {
        if (runner_.joinable()) { runner_.join(); }
        return outcome_.exit_status.value_or(-1);
    }

    /// The answer to one request, with its head.
    [[nodiscard]] std::string ask(std::string_view method, std::string_view path) const {
        const auto text = output();
        constexpr std::string_view mark = "http://127.0.0.1:";
        const auto found = text.find(mark);
        REQUIRE(found != std::string::npos);
        sockaddr_in address = {};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(text.substr(found + mark.size()))));
        const int connection = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        REQUIRE(::connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
        const auto request = std::string{method} + " " + std::string{path} +
                             " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        REQUIRE(::send(connection, request.data(), request.size(), MSG_NOSIGNAL) ==
                static_cast<ssize_t>(request.size()));
        std::string answer;
        char chunk[4096];
        for (ssize_t got = 0; (got = ::recv(connection, chunk, sizeof chunk, 0)) > 0;) {
            answer.append(chunk, static_cast<std::size_t>(got));
        }
        ::close(connection);
        return answer;
    }

    std::filesystem::path folder = {};

    static bool comes_true(const auto& condition) {
        const auto until = std::chrono::steady_clock::now() + 30s;
        while (!condition()) {
            if (std::chrono::steady_clock::now() > until) { return false; }
            std::this_thread::sleep_for(10ms);
        }
        return true;
    }

private:
    std::stop_source stop_ = {};
    daybook::CommandOutcome outcome_ = {};
    std::thread runner_ = {};
};

int status_of(const std::string& arguments) {
    return *daybook::run_command({}, program() + " " + arguments).exit_status;
}

} // namespace

TEST_CASE("the cron daemon refuses a wrong command line and explains itself") {
    if (!is_built()) { return; }
    CHECK(contains(daybook::command(program() + " --help").run(), "--crontab FILE"));
    CHECK(status_of("--no-such-option") == 2);
    CHECK(status_of("--port 1") == 2);
    CHECK(status_of("--crontab /dev/null --port 65536") == 2);
    CHECK(status_of("--crontab /no/such/file") == 2);
    CHECK(status_of("--crontab /dev/null --fleet") == 2);
}

TEST_CASE("the cron daemon reports every wrong line and runs nothing") {
    if (!is_built()) { return; }
    Daemon daemon{"@reboot touch ran\n61 * * * * true\n# daybook: timeout=soon\n* * * * * true\n", "--for 1"};
    CHECK(daemon.status() == 2);
    CHECK(contains(daemon.output(), "crontab:2:1: expected a minute"));
    CHECK(contains(daemon.output(), "crontab:3:20: expected a duration"));
    CHECK_FALSE(std::filesystem::exists(daemon.folder / "ran"));
}

TEST_CASE("the cron daemon tells of successes, retries, failures, timeouts and skips") {
    if (!is_built()) { return; }
    Daemon daemon{"# daybook: id=fine seconds\n* * * * * * echo all is well\n"
                  "# daybook: id=flaky retry=1 retry-delay=100ms seconds\n* * * * * * echo no luck >&2; exit 3\n"
                  "# daybook: id=slow timeout=200ms seconds\n* * * * * * sleep 60\n"
                  "# daybook: id=busy seconds\n* * * * * * sleep 1.3\n",
                  ""};
    CHECK(daemon.says("all is well"));
    CHECK(daemon.says("will be retried; exit status 3: no luck"));
    CHECK(daemon.says("attempt 2; exit status 3: no luck"));
    CHECK(daemon.says("timeout"));
    CHECK(daemon.says("overlap"));
    daemon.signal(SIGTERM);
    CHECK(daemon.status() == 0);
    CHECK(contains(daemon.output(), "success rate"));
    CHECK_FALSE(contains(daemon.output(), "\033"));
}

TEST_CASE("the cron daemon ends by itself after the time that it was given") {
    if (!is_built()) { return; }
    Daemon daemon{"@reboot echo hello there\n", "--for 0.3"};
    CHECK(daemon.status() == 0);
    CHECK(contains(daemon.output(), "hello there"));
}

TEST_CASE("the cron daemon gives commands the environment of a crontab and their input") {
    if (!is_built()) { return; }
    Daemon daemon{"A = \"x y\"\n@reboot echo \"$SHELL $PATH $A\"; test -n \"$LOGNAME\" && cat%fed\n", ""};
    CHECK(daemon.says("fed"));
    CHECK(contains(daemon.ask("GET", "/api/executions"), R"("result":"/bin/sh /usr/bin:/bin x y\nfed")"));
}

TEST_CASE("the cron daemon serves its history and keeps it from being cleared") {
    if (!is_built()) { return; }
    Daemon daemon{"# daybook: id=hello\n@reboot echo hello there\n", ""};
    REQUIRE(daemon.says("hello there"));
    CHECK(contains(daemon.ask("GET", "/api/executions?job_id=hello"), R"("result":"hello there")"));
    CHECK(contains(daemon.ask("GET", "/api/executions/stats"), R"("total_executions":1)"));
    CHECK(contains(daemon.ask("POST", "/api/executions/clear"), "HTTP/1.1 403"));
}

TEST_CASE("the cron daemon lets its history be cleared when told so") {
    if (!is_built()) { return; }
    Daemon daemon{"@reboot echo hello there\n", "--allow-changes"};
    REQUIRE(daemon.says("hello there"));
    CHECK(contains(daemon.ask("POST", "/api/executions/clear"), R"("records_cleared":1)"));
}

TEST_CASE("a signal drains the cron daemon: what runs is waited for") {
    if (!is_built()) { return; }
    Daemon daemon{"HOME=.\n@reboot echo > started; sleep 0.5; echo finished\n", ""};
    REQUIRE(daemon.has_file("started"));
    daemon.signal(SIGTERM);
    CHECK(daemon.status() == 0);
    CHECK(contains(daemon.output(), "finished"));
}

TEST_CASE("a second signal hurries the cron daemon: what runs is ended") {
    if (!is_built()) { return; }
    Daemon daemon{"HOME=.\n@reboot echo > started; exec sleep 60\n", ""};
    REQUIRE(daemon.has_file("started"));
    daemon.signal(SIGINT);
    REQUIRE(daemon.says("once more"));
    const auto before = std::chrono::steady_clock::now();
    daemon.signal(SIGINT);
    CHECK(daemon.status() == 0);
    CHECK(std::chrono::steady_clock::now() - before < 30s);
    CHECK(contains(daemon.output(), "stopped by request, killed by signal 15 (Terminated)"));
}

TEST_CASE("a port that is taken keeps the cron daemon from starting") {
    if (!is_built()) { return; }
    Daemon first{"@reboot true\n", ""};
    REQUIRE(first.says("http://127.0.0.1:"));
    const auto output = first.output();
    const auto port = std::stoi(output.substr(output.find("127.0.0.1:") + 10));
    Daemon second{"@reboot touch ran\n", "--port " + std::to_string(port)};
    CHECK(second.status() == 1);
    CHECK(contains(second.output(), "cannot listen on 127.0.0.1, port " + std::to_string(port)));
}

TEST_CASE("two cron daemons with one crontab and one PostgreSQL run each line once") {
    if (!is_built()) { return; }
    if (!daybook_test::PostgresqlServer::is_installed()) {
        WARN("there is no PostgreSQL server on this machine");
        return;
    }
    daybook_test::PostgresqlServer server;
    const auto store = "--fleet --store postgresql://test@127.0.0.1:" + std::to_string(server.port()) + "/postgres";
    const auto rows = [&](const std::string& condition) {
        return std::stol(server.run("SELECT count(*) FROM job_execution WHERE " + condition));
    };
    std::string name = std::filesystem::temp_directory_path() / "daybook-cron-XXXXXX";
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    const std::filesystem::path shared = name;
    const auto ran = (shared / "ran").string();
    const auto crontab = "# daybook: id=tick seconds\n* * * * * * echo x >> " + ran +
                         "\n# daybook: id=start\n@reboot echo started >> " + ran + ".reboot\n";
    {
        Daemon first{crontab, store};
        REQUIRE((first.says("http://127.0.0.1:") || contains(first.output(), "built without PostgreSQL")));
        if (contains(first.output(), "built without PostgreSQL")) {
            std::filesystem::remove_all(shared);
            return;
        }
        Daemon second{crontab, store};
        CHECK(second.says("http://127.0.0.1:"));
        CHECK(Daemon::comes_true([&] { return rows("job_id = 'tick' AND status = 'success'") >= 4; }));
        CHECK(Daemon::comes_true([&] { return rows("job_id = 'start' AND status = 'success'") == 2; }));
        first.signal(SIGTERM);
        second.signal(SIGTERM);
        CHECK(first.status() == 0);
        CHECK(second.status() == 0);
    }
    const auto text = content_of(ran);
    CHECK(std::ranges::count(text, '\n') == rows("job_id = 'tick' AND status = 'success'"));
    CHECK(server.run("SELECT scheduled_at FROM job_execution WHERE job_id = 'tick' GROUP BY 1 HAVING count(*) > 1")
              .empty());
    CHECK(content_of(ran + ".reboot") == "started\nstarted\n");
    CHECK(rows("status IN ('queued', 'running')") == 0);
    std::filesystem::remove_all(shared);
}
