// SPDX-License-Identifier: MIT
//
// cron with a memory: runs a crontab, shows what happens, and serves the history over HTTP.
#include "crontab.hpp"
#include "options.hpp"
#include "reporter.hpp"
#include "store.hpp"
#include "web.hpp"

#include <daybook/adapters/nlohmann_json.hpp>
#include <daybook/daybook.hpp>
#include <daybook/http.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <fstream>
#include <ios>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>

namespace {

using namespace std::chrono_literals;

enum ExitStatus : int { all_well = 0, cannot_start = 1, wrong_input = 2 };

std::optional<std::string> text_of(const std::string& path) {
    std::ifstream file{path, std::ios::binary};
    if (!file.is_open()) { return std::nullopt; }
    try {
        return std::string{std::istreambuf_iterator<char>{file}, {}};
    } catch (const std::ios_base::failure&) { return std::nullopt; } // a directory can be opened, but not read
}

/// file:line:column and what was expected, then the line with a mark below that place.
void print_problem(const std::string& path, std::string_view text, const crontab::Problem& problem) {
    for (std::size_t line = 1; line < problem.line; ++line) { text.remove_prefix(text.find('\n') + 1); }
    const std::string line{text.substr(0, text.find('\n'))};
    const std::string mark(std::min<std::size_t>(problem.column - 1, 160), ' ');
    std::fprintf(stderr, "%s:%zu:%zu: %s\n    %s\n    %s^\n", path.c_str(), problem.line, problem.column,
                 problem.message.c_str(), one_line(line, 160).c_str(), mark.c_str());
}

void add_jobs(daybook::Scheduler<>& scheduler, const crontab::Crontab& table, Company company) {
    const auto now = std::chrono::steady_clock::now();
    for (const auto& job : table.jobs) {
        daybook::Schedule schedule = {}; // of `@reboot` in a fleet: see trigger_reboots
        if (job.schedule) {
            schedule = job.schedule->jitter(job.jitter);
        } else if (company == Company::alone) {
            schedule = daybook::at(now);
        }
        scheduler.add({.id = job.id,
                       .schedule = schedule,
                       .retry = job.retry,
                       .timeout = job.timeout,
                       .overlap = job.overlap,
                       .misfire = job.misfire},
                      daybook::command(job.command, job.options));
    }
}

/// In a fleet this daemon's start is an event for all of them: one of them runs what is to be run then.
void trigger_reboots(daybook::Scheduler<>& scheduler, const crontab::Crontab& table) {
    for (const auto& job : table.jobs) {
        if (!job.schedule) { scheduler.trigger(job.id); }
    }
}

void tell_store_error(const std::string& error) {
    std::fprintf(stderr, "cron_daemon: %s\n",
                 error.empty() ? "the store answers again" : ("the store: " + error).c_str());
}

/// SIGINT, SIGTERM and, when the terminal is closed, SIGHUP (unless nohup has it ignored): blocked from before the
/// first thread on and asked for from time to time.
class Signals {
public:
    Signals() {
        ::sigemptyset(&set_);
        ::sigaddset(&set_, SIGINT);
        ::sigaddset(&set_, SIGTERM);
        struct sigaction hang_up {};
        if (::sigaction(SIGHUP, nullptr, &hang_up) == 0 && hang_up.sa_handler != SIG_IGN) {
            ::sigaddset(&set_, SIGHUP);
        }
        ::pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    }

    /// Whether one has come since the last call.
    [[nodiscard]] bool take_one() const {
        sigset_t pending;
        ::sigpending(&pending);
        int signal = 0;
        for (const int wanted : {SIGINT, SIGTERM, SIGHUP}) {
            const bool has_come = ::sigismember(&set_, wanted) == 1 && ::sigismember(&pending, wanted) == 1;
            if (has_come) { return ::sigwait(&set_, &signal) == 0; }
        }
        return false;
    }

private:
    sigset_t set_ = {};
};

/// Shows the news until it is time to stop.
void watch(Reporter& reporter, const Signals& signals, std::optional<std::chrono::milliseconds> run_for) {
    const auto begin = std::chrono::steady_clock::now();
    while (!signals.take_one() && !(run_for && std::chrono::steady_clock::now() - begin >= *run_for)) {
        reporter.tell_news();
        std::this_thread::sleep_for(50ms);
    }
}

/// Starts nothing more, and waits for what runs: until it has ended, a signal comes or `grace` is over. Then ends it.
void drain(daybook::Scheduler<>& scheduler, Reporter& reporter, const Signals& signals,
           std::optional<std::chrono::milliseconds> grace) {
    std::printf("stopping: waiting for the jobs that run; interrupt once more to end them\n");
    std::fflush(stdout);
    const auto begin = std::chrono::steady_clock::now();
    std::atomic<bool> is_over = false;
    std::thread stopper{[&] {
        scheduler.stop(24h);
        is_over = true;
    }};
    bool is_hurried = false;
    while (!is_over) {
        reporter.tell_news();
        std::this_thread::sleep_for(20ms);
        const bool is_enough = signals.take_one() || (grace && std::chrono::steady_clock::now() - begin >= *grace);
        if (is_enough && !is_hurried) {
            std::printf("ending the jobs that run\n");
            scheduler.request_stop();
            is_hurried = true;
        }
    }
    stopper.join();
    reporter.tell_news();
}

int run(const Options& options) {
    const auto text = text_of(options.crontab);
    if (!text) {
        std::fprintf(stderr, "cron_daemon: cannot read %s\n", options.crontab.c_str());
        return wrong_input;
    }
    const auto table = crontab::read(*text, crontab::current_account(), daybook::local_zone());
    for (const auto& problem : table.problems) { print_problem(options.crontab, *text, problem); }
    if (!table.problems.empty()) { return wrong_input; }

    const Signals signals;
    daybook::Scheduler<> scheduler{
        {.workers = options.workers,
         .log = {.capacity = options.capacity, .storing = {.on_error = tell_store_error}},
         .store = store_of(options.store),
         .fleet = options.company == Company::fleet ? std::optional{daybook::FleetOptions{}} : std::nullopt,
         .stop_patience = 10s}};
    add_jobs(scheduler, table, options.company);
    const auto authorize =
        options.changes == Changes::allowed ? daybook::http::allow_changes() : daybook::http::read_only();
    daybook::http::Router router{{.authorize = authorize}};
    router.add(daybook::http::executions_api(scheduler.log()));
    router.add(daybook::http::jobs_api<daybook::nlohmann_json>(scheduler));
    router.add(daybook::http::history_api(scheduler));
    router.add(daybook::http::health_api(scheduler));
    router.add(daybook::http::audit_api(router.audit()));
    router.add(daybook::http::dashboard());
    const Web web{router, options.bind, options.port};

    std::printf("%zu jobs of %s; their history: http://%s:%d/history and /api/executions\n", table.jobs.size(),
                options.crontab.c_str(), options.bind.c_str(), web.port());
    Reporter reporter{scheduler.log(), colour_of_standard_output()};
    scheduler.start();
    if (options.company == Company::fleet) { trigger_reboots(scheduler, table); }
    watch(reporter, signals, options.run_for);
    drain(scheduler, reporter, signals, options.run_for ? std::optional{10s} : std::nullopt);
    reporter.tell_summary();
    return all_well;
}

} // namespace

int main(int count, char** arguments) {
    Options options;
    try {
        options = parse_options({arguments, static_cast<std::size_t>(count)});
    } catch (const std::exception& error) {
        std::fprintf(stderr, "cron_daemon: %s\n\n%s", error.what(), usage.data());
        return wrong_input;
    }
    if (options.action == Action::show_help) {
        std::printf("%s", usage.data());
        return all_well;
    }
    try {
        return run(options);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "cron_daemon: %s\n", error.what());
        return cannot_start;
    }
}
