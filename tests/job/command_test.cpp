// SPDX-License-Identifier: MIT
#include <daybook/job/command.hpp>

#include "support/catch.hpp"

#if !defined(_WIN32)

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace std::chrono_literals;
using daybook::CommandOptions;
using daybook::CommandOutcome;
using daybook::Interruption;

namespace {

CommandOutcome run(std::string_view text, const CommandOptions& options = {}) {
    return daybook::run_command(options, text);
}

std::size_t open_descriptors() {
    const std::filesystem::directory_iterator all{"/dev/fd"};
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

bool has_children() {
    siginfo_t info = {};
    return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

// A running process counts, a zombie that nobody has reaped yet does not.
bool is_alive(const std::string& pid) {
    std::ifstream status{"/proc/" + pid + "/stat"};
    std::string line;
    std::getline(status, line);
    const auto name_end = line.rfind(')');
    return name_end != std::string::npos && line.at(name_end + 2) != 'Z';
}

bool comes_true_within(std::chrono::milliseconds patience, const auto& condition) {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > until) { return false; }
        std::this_thread::sleep_for(5ms);
    }
    return true;
}

/// A file name that is free, and removed in the end.
struct TemporaryFile {
    TemporaryFile() {
        std::string name = std::filesystem::temp_directory_path() / "daybook-command-XXXXXX";
        ::close(::mkstemp(name.data()));
        path = name;
    }
    ~TemporaryFile() { std::filesystem::remove(path); }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;

    [[nodiscard]] std::string text() const {
        std::ifstream file{path};
        std::string line;
        std::getline(file, line);
        return line;
    }
    std::string path = {};
};

/// Runs a command that writes to `mark` when it is ready, then stops it.
CommandOutcome run_and_stop(std::string_view text, const TemporaryFile& mark, CommandOptions options = {}) {
    options.environment.emplace_back("MARK", mark.path);
    std::stop_source stop;
    CommandOutcome outcome;
    std::thread runner{[&] { outcome = daybook::run_command(options, text, stop.get_token()); }};
    const auto is_ready = comes_true_within(20s, [&] { return !mark.text().empty(); });
    stop.request_stop();
    runner.join();
    REQUIRE(is_ready);
    return outcome;
}

std::string error_of(const auto& action) {
    try {
        action();
    } catch (const std::exception& error) { return error.what(); }
    return "no error";
}

} // namespace

TEST_CASE("a command's output is its result, without the newlines at its end") {
    CHECK(daybook::command("echo one; echo two >&2; echo").run() == "one\ntwo");
}

TEST_CASE("an outcome keeps status, output and its length") {
    const auto outcome = run("echo hello; exit 3");
    CHECK(outcome.exit_status == 3);
    CHECK_FALSE(outcome.signal.has_value());
    CHECK_FALSE(outcome.succeeded());
    CHECK(outcome.interruption == Interruption::none);
    CHECK(outcome.output == "hello\n");
    CHECK(outcome.output_bytes == 6);
}

TEST_CASE("a status that is not 0 is an error that says the status and the output") {
    CHECK(error_of([] { daybook::command("echo disk full >&2; exit 3").run(); }) == "exit status 3: disk full");
    CHECK(error_of([] { daybook::command("exit 1").run(); }) == "exit status 1");
}

TEST_CASE("a command that a signal ends is an error that says the signal") {
    CHECK(error_of([] { daybook::command("echo bye; kill -KILL $$").run(); }) == "killed by signal 9 (Killed): bye");
    CHECK(run("kill -TERM $$").signal == SIGTERM);
}

TEST_CASE("an error carries its outcome") {
    try {
        daybook::command("exit 7").run();
        FAIL("it should have thrown");
    } catch (const daybook::CommandError& error) { CHECK(error.outcome().exit_status == 7); }
}

TEST_CASE("an error's text stays within the limit and keeps the end of the output") {
    const auto text =
        error_of([] { daybook::command("seq 1 5000; echo the last line; exit 1", {.max_output_bytes = 200}).run(); });
    CHECK(text.size() <= 200);
    CHECK(text.starts_with("exit status 1: [cut: "));
    CHECK(text.ends_with("5000\nthe last line"));
}

TEST_CASE("only the end of long output is kept, with a mark that says so") {
    const auto outcome = run("seq 1 100000", {.max_output_bytes = 100});
    CHECK(outcome.output_bytes == 588'895);
    CHECK(outcome.output.size() <= 100);
    CHECK(outcome.output.starts_with("[cut: 588895 bytes in all] … "));
    CHECK(outcome.output.ends_with("\n99999\n100000\n"));
}

TEST_CASE("output that just fits is kept whole") {
    CHECK(run("printf 0123456789", {.max_output_bytes = 10}).output == "0123456789");
    CHECK(run("printf 0123456789", {.max_output_bytes = 9}).output == "123456789");
    CHECK(run("printf 0123456789", {.max_output_bytes = 0}).output.empty());
}

TEST_CASE("output is never cut inside a UTF-8 sequence") {
    const auto outcome = run("printf 'äöüäöü'", {.max_output_bytes = 5});
    CHECK(outcome.output == "öü");
}

TEST_CASE("a gigabyte of output neither blocks the command nor fills the memory") {
    const auto outcome = run("head -c 1000000000 /dev/zero; echo end");
    CHECK(outcome.succeeded());
    CHECK(outcome.output_bytes == 1'000'000'004);
    CHECK(outcome.output.size() <= 4096);
    CHECK(outcome.output.ends_with("end\n"));
}

TEST_CASE("a command reads an empty input unless one is given") {
    CHECK(daybook::command("cat").run().empty());
    CHECK(daybook::command("cat", {.standard_input = "a\nb\n"}).run() == "a\nb");
}

TEST_CASE("an input larger than a pipe that nobody reads does no harm") {
    CHECK(daybook::command("true", {.standard_input = std::string(1'000'000, 'x')}).run().empty());
    CHECK(daybook::command("wc -c", {.standard_input = std::string(1'000'000, 'x')}).run() == "1000000");
}

TEST_CASE("an environment that replaces is all that the command sees") {
    ::setenv("DAYBOOK_OUTSIDE", "1", 1);
    CommandOptions options{.environment_from = daybook::CommandEnvironment::replace,
                           .environment = {{"A", "1"}, {"A", "2"}, {"PATH", "/usr/bin:/bin"}}};
    CHECK(daybook::command("echo $A $DAYBOOK_OUTSIDE", options).run() == "2");
    options.environment_from = daybook::CommandEnvironment::inherit;
    CHECK(daybook::command("echo $A $DAYBOOK_OUTSIDE", options).run() == "2 1");
    ::unsetenv("DAYBOOK_OUTSIDE");
}

TEST_CASE("a command runs in the directory and the shell that were asked for") {
    CHECK(daybook::command("pwd", {.working_directory = "/usr"}).run() == "/usr");
    CHECK(daybook::command("ignored", {.shell = "/bin/echo"}).run() == "-c ignored");
}

TEST_CASE("a shell or a directory that does not exist is an error that names it") {
    CHECK(error_of([] { daybook::command("true", {.shell = "/no/such/shell"}).run(); }) ==
          "cannot start /no/such/shell: No such file or directory");
    CHECK(error_of([] { daybook::command("true", {.working_directory = "/no/such"}).run(); }) ==
          "cannot start /bin/sh in /no/such: No such file or directory");
}

TEST_CASE("what no program can be given is refused at once") {
    CHECK_THROWS_AS(daybook::command(std::string{"a\0b", 3}), std::invalid_argument);
    CHECK_THROWS_AS(daybook::command("true", {.shell = ""}), std::invalid_argument);
    CHECK_THROWS_AS(daybook::command("true", {.environment = {{"A=B", "1"}}}), std::invalid_argument);
    CHECK_THROWS_AS(daybook::command("true", {.environment = {{"", "1"}}}), std::invalid_argument);
}

TEST_CASE("a stop sends SIGTERM to the whole group") {
    const TemporaryFile mark;
    const auto outcome = run_and_stop("sleep 60 & echo started; echo $! > $MARK; wait", mark, {.term_grace = 30s});
    CHECK(outcome.signal == SIGTERM);
    CHECK(outcome.interruption == Interruption::terminated);
    CHECK(outcome.output == "started\n");
    CHECK(comes_true_within(5s, [&] { return !is_alive(mark.text()); }));
    CHECK(daybook::describe(outcome) == "stopped by request, killed by signal 15 (Terminated): started");
}

TEST_CASE("a command that ends well after it was asked to stop has succeeded") {
    const TemporaryFile mark;
    const auto outcome = run_and_stop("trap 'echo tidied up; exit 0' TERM; echo x > $MARK; while :; do :; done", mark);
    CHECK(outcome.succeeded());
    CHECK(outcome.interruption == Interruption::terminated);
    CHECK(outcome.output == "tidied up\n");
}

TEST_CASE("a command that ignores SIGTERM gets SIGKILL after the grace") {
    const TemporaryFile mark;
    const auto outcome = run_and_stop("trap '' TERM; echo stubborn; echo x > $MARK; while :; do sleep 0.02; done", mark,
                                      {.term_grace = 50ms});
    CHECK(outcome.signal == SIGKILL);
    CHECK(outcome.interruption == Interruption::killed);
    CHECK(daybook::describe(outcome) ==
          "stopped by request and killed when its grace was over, killed by signal 9 (Killed): stubborn");
}

TEST_CASE("a member of the group that ignores SIGTERM is killed though its shell has ended") {
    const TemporaryFile mark;
    const auto outcome = run_and_stop("sh -c 'trap \"\" TERM; echo $$ > $MARK; exec sleep 60 > /dev/null 2>&1' & wait",
                                      mark, {.term_grace = 100ms});
    CHECK(outcome.interruption == Interruption::killed);
    CHECK(comes_true_within(5s, [&] { return !is_alive(mark.text()); }));
}

TEST_CASE("a stopped process is woken to hear its SIGTERM") {
    const TemporaryFile mark;
    const auto outcome = run_and_stop("echo x > $MARK; kill -STOP $$", mark, {.term_grace = 30s});
    CHECK(outcome.signal == SIGTERM);
}

TEST_CASE("a command that was stopped before it began is not started") {
    std::stop_source stop;
    stop.request_stop();
    const TemporaryFile mark;
    const auto outcome =
        daybook::run_command({.environment = {{"MARK", mark.path}}}, "echo x > $MARK", stop.get_token());
    CHECK(outcome.interruption == Interruption::before_start);
    CHECK(mark.text().empty());
    CHECK(error_of([&] { daybook::command("true").run(stop.get_token()); }) == "stopped by request before it started");
}

TEST_CASE("what a command leaves in the background is neither waited for nor killed") {
    const auto before = std::chrono::steady_clock::now();
    const auto outcome = run("sleep 30 & echo $!", {.linger = 50ms});
    CHECK(std::chrono::steady_clock::now() - before < 20s);
    REQUIRE(outcome.succeeded());
    const auto pid = outcome.output.substr(0, outcome.output.find('\n'));
    CHECK(is_alive(pid));
    ::kill(static_cast<pid_t>(std::stol(pid)), SIGKILL);
}

TEST_CASE("a background process that writes without end does not keep the command from ending") {
    const auto outcome = run("yes & echo $!", {.linger = 20ms});
    CHECK(outcome.succeeded());
}

TEST_CASE("a command that closes its output is still waited for") {
    CHECK(run("exec > /dev/null 2>&1; sleep 0.05; exit 4").exit_status == 4);
}

TEST_CASE("a command inherits neither blocked nor ignored signals") {
    sigset_t all;
    sigset_t old;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &old);
    auto* const old_handler = std::signal(SIGTERM, SIG_IGN);
    const auto outcome = run("kill -TERM $$; sleep 30");
    static_cast<void>(std::signal(SIGTERM, old_handler));
    ::pthread_sigmask(SIG_SETMASK, &old, nullptr);
    CHECK(outcome.signal == SIGTERM);
}

TEST_CASE("a command inherits no descriptor but the standard three") {
    const int leaky = ::open("/dev/null", O_RDONLY); // NOLINT: not close-on-exec, that is the point
    const auto outcome = run("test -e /dev/fd/" + std::to_string(leaky));
    ::close(leaky);
    CHECK(outcome.exit_status == 1);
}

TEST_CASE("a command leads a process group of its own") {
    // Field 5 of /proc/<pid>/stat is the process group, field 1 the process; the command is the shell itself.
    CHECK(daybook::command("read pid name state parent group rest < /proc/$$/stat; test $group -eq $$").run().empty());
}

TEST_CASE("a command works in a program that has closed its standard input") {
    const int saved = ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 10);
    ::close(STDIN_FILENO);
    const auto quiet = run("cat; echo done");
    const auto fed = run("cat", {.standard_input = "fed"});
    ::dup2(saved, STDIN_FILENO);
    ::close(saved);
    CHECK(quiet.output == "done\n");
    CHECK(fed.output == "fed");
}

TEST_CASE("hundreds of commands from several threads leave no zombie and no descriptor") {
    static_cast<void>(run("true"));
    const auto before = open_descriptors();
    std::atomic<int> wrong = 0;
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (int thread = 0; thread < 4; ++thread) {
        threads.emplace_back([&wrong, thread] {
            for (int turn = 0; turn < 50; ++turn) {
                const auto expected = std::to_string(thread) + "." + std::to_string(turn);
                if (run("echo " + expected).output != expected + "\n") { ++wrong; }
                if (run("exit 9").exit_status != 9) { ++wrong; }
            }
        });
    }
    for (auto& thread : threads) { thread.join(); }
    CHECK(wrong == 0);
    CHECK(open_descriptors() == before);
    CHECK_FALSE(has_children());
}

TEST_CASE("a stop at any moment leaves no zombie and no descriptor") {
    const auto before = open_descriptors();
    for (int turn = 0; turn < 60; ++turn) {
        std::stop_source stop;
        std::thread stopper{[&stop, turn] {
            std::this_thread::sleep_for(turn * 100us);
            stop.request_stop();
        }};
        const auto outcome = daybook::run_command({}, "sleep 0.003; echo x", stop.get_token());
        stopper.join();
        CHECK((outcome.interruption != Interruption::none || outcome.output == "x\n"));
    }
    CHECK(open_descriptors() == before);
    CHECK_FALSE(has_children());
}

TEST_CASE("a command that cannot start leaks no descriptor") {
    const auto before = open_descriptors();
    for (int turn = 0; turn < 20; ++turn) {
        CHECK_THROWS_AS(run("true", {.shell = "/no/such", .standard_input = "x"}), std::system_error);
    }
    CHECK(open_descriptors() == before);
}

TEST_CASE("the end of a command is noticed by polling where there is no pidfd") {
    const CommandOptions options;
    using daybook::detail::CommandRun;
    using daybook::detail::ExitWatch;
    const auto short_one = CommandRun{options, "echo a; exit 5", ExitWatch::polling}.finish({});
    CHECK(short_one.exit_status == 5);
    CHECK(short_one.output == "a\n");
    const auto silent = CommandRun{options, "exec > /dev/null 2>&1; sleep 0.05; exit 4", ExitWatch::polling}.finish({});
    CHECK(silent.exit_status == 4);
}

TEST_CASE("a program that ignores SIGCHLD gets no status, and no hang") {
    auto* const old_handler = std::signal(SIGCHLD, SIG_IGN);
    const auto outcome = run("echo a; exit 1");
    static_cast<void>(std::signal(SIGCHLD, old_handler));
    CHECK(outcome.output == "a\n");
    CHECK_FALSE(outcome.exit_status.has_value());
    CHECK(daybook::describe(outcome) == "exit status unknown (is SIGCHLD ignored?): a");
}

#endif
