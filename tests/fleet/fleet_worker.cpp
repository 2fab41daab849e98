// SPDX-License-Identifier: MIT
/// @file
/// One process of the fleet trial: the jobs of fleet_jobs.hpp, and a journal of what it has run. It goes on until it is
/// told to end by SIGTERM.
///
///     fleet_worker --conninfo TEXT --schema NAME --journal FILE [--name NAME] [--jobs 40] [--threads 16]
///                  [--lease-ms 2000] [--timeout-ms 2000]
///
/// Ends with 0 when all it had recorded is written, 3 when it is not, 1 when it cannot start.

#include "fleet_jobs.hpp"
#include "journal.hpp"

#include <daybook/adapters/postgresql.hpp>
#include <daybook/daybook.hpp>

#include <signal.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

namespace {

using namespace std::chrono_literals;
using fleet::Entry;

struct Settings {
    std::string conninfo = {};
    std::string schema = {};
    std::string journal = {};
    std::string name = "worker";
    std::size_t jobs = 40;
    std::size_t threads = 16;
    std::chrono::milliseconds lease{2000};
    std::chrono::milliseconds timeout{2000};
};

[[nodiscard]] Settings settings_of(int count, char** arguments) {
    std::map<std::string, std::string> given;
    for (int index = 1; index + 1 < count; index += 2) { given[arguments[index]] = arguments[index + 1]; }
    Settings settings;
    const auto take = [&](const char* name, auto assign) {
        if (const auto found = given.extract(name)) { assign(found.mapped()); }
    };
    take("--conninfo", [&](const std::string& value) { settings.conninfo = value; });
    take("--schema", [&](const std::string& value) { settings.schema = value; });
    take("--journal", [&](const std::string& value) { settings.journal = value; });
    take("--name", [&](const std::string& value) { settings.name = value; });
    take("--jobs", [&](const std::string& value) { settings.jobs = std::stoul(value); });
    take("--threads", [&](const std::string& value) { settings.threads = std::stoul(value); });
    take("--lease-ms", [&](const std::string& value) { settings.lease = std::chrono::milliseconds{std::stol(value)}; });
    take("--timeout-ms",
         [&](const std::string& value) { settings.timeout = std::chrono::milliseconds{std::stol(value)}; });
    if (!given.empty()) { throw std::invalid_argument{"unknown option " + given.begin()->first}; }
    return settings;
}

/// With the time, so that it can be read beside the journals.
void tell(std::string_view what) {
    std::printf("%.6f %.*s\n", static_cast<double>(fleet::monotonic_us()) / 1e6, static_cast<int>(what.size()),
                what.data());
    std::fflush(stdout);
}

/// The same for each attempt, whoever runs it, and different from the next.
[[nodiscard]] std::uint64_t chance(std::string_view job, std::int64_t nominal_us, std::uint32_t attempt) {
    std::uint64_t hash = 14'695'981'039'346'656'037U; // FNV-1a
    const auto mix = [&](std::uint64_t value) { hash = (hash ^ value) * 1'099'511'628'211U; };
    for (const char letter : job) { mix(static_cast<unsigned char>(letter)); }
    mix(static_cast<std::uint64_t>(nominal_us));
    mix(attempt);
    return hash >> 20U;
}

/// What all jobs do.
void work(const fleet::Journal& journal, const fleet::Kind& kind, daybook::JobContext& context) {
    Entry entry{.what = Entry::What::begin,
                .job = std::string{context.job_id()},
                .execution = context.execution_id(),
                .attempt = context.attempt_number(),
                .nominal_us = context.scheduled_at() ? context.scheduled_at()->time_since_epoch().count() : 0,
                .at_us = fleet::monotonic_us()};
    journal.write(entry);
    const std::uint64_t dice = chance(entry.job, entry.nominal_us, entry.attempt);
    const auto until = std::chrono::steady_clock::now() +
                       std::chrono::milliseconds{kind.longest_ms == 0 ? 0 : dice % (kind.longest_ms + 1)};
    entry.word = kind.attempts > 1 && dice % 4 == 0 ? "error" : "success";
    while (std::chrono::steady_clock::now() < until) {
        if (kind.obedience == fleet::Obedience::obeys && context.stop_requested()) {
            entry.word = "stopped";
            break;
        }
        std::this_thread::sleep_for(10ms);
    }
    entry.what = Entry::What::end;
    entry.at_us = fleet::monotonic_us();
    journal.write(entry);
    if (entry.word != "success") { throw std::runtime_error{entry.word}; }
}

[[nodiscard]] daybook::SchedulerOptions options_of(const Settings& settings) {
    daybook::SchedulerOptions options;
    options.workers = settings.threads;
    options.max_queue = 10'000;
    options.log.capacity = 10'000;
    options.log.storing.node = settings.name;
    options.log.storing.timeout = settings.timeout;
    options.log.storing.longest_retry = 1s;
    options.log.storing.on_error = [](const std::string& error) {
        tell(error.empty() ? "the store answers again" : "the store: " + error);
    };
    options.store = daybook::PostgresqlStore{
        {.conninfo = settings.conninfo, .schema = settings.schema, .connect_timeout = std::chrono::milliseconds{1000}}};
    options.fleet = daybook::FleetOptions{.lease = settings.lease,
                                          .refresh_interval = 5s,
                                          .group_limits = {{std::string{fleet::group_name}, fleet::group_limit}}};
    options.hooks.on_diagnostic = [](std::string_view what) { tell(what); };
    options.stop_grace = 30s;
    return options;
}

/// Whether SIGTERM comes within the time.
[[nodiscard]] bool is_ended_within(const sigset_t& signals, std::chrono::seconds time) {
    const timespec wait{.tv_sec = time.count(), .tv_nsec = 0};
    return ::sigtimedwait(&signals, nullptr, &wait) > 0;
}

/// A server that is away when the process starts is waited for; null: it was told to end meanwhile.
[[nodiscard]] std::unique_ptr<daybook::Scheduler<>> make_scheduler(const Settings& settings, const sigset_t& signals) {
    while (true) {
        try {
            return std::make_unique<daybook::Scheduler<>>(options_of(settings));
        } catch (const daybook::StoreError& error) {
            tell(error.what());
            if (is_ended_within(signals, 1s)) { return nullptr; }
        }
    }
}

int run(const Settings& settings) {
    sigset_t signals;
    ::sigemptyset(&signals);
    ::sigaddset(&signals, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    const fleet::Journal journal{settings.journal};
    const auto made = make_scheduler(settings, signals);
    if (!made) { return 0; }
    daybook::Scheduler<>& scheduler = *made;
    for (std::size_t number = 0; number < settings.jobs; ++number) {
        const fleet::Kind& kind = fleet::kind_of(number);
        daybook::JobOptions job{.id = fleet::job_id(number), .handler_id = std::string{kind.name}};
        job.schedule = daybook::cron("* * * * * *");
        if (kind.is_interval) { job.schedule = daybook::every(1s); }
        job.overlap = kind.overlap;
        job.misfire = kind.misfire;
        job.max_catch_up = 5;
        job.delivery = kind.delivery;
        job.group = kind.group;
        if (kind.attempts > 1) { job.retry = daybook::fixed_backoff({.max_attempts = kind.attempts, .delay = 100ms}); }
        scheduler.add(std::move(job), [&](daybook::JobContext& context) { work(journal, kind, context); });
    }
    scheduler.start();
    journal.write({.what = Entry::What::start, .nominal_us = fleet::wall_us(), .at_us = fleet::monotonic_us()});
    tell("started");
    while (!is_ended_within(signals, 3600s)) {}
    tell("asked to end");
    const auto report = scheduler.stop(30s);
    journal.write({.what = Entry::What::stop,
                   .nominal_us = fleet::wall_us(),
                   .at_us = fleet::monotonic_us(),
                   .word = report.is_written ? "written" : "unwritten"});
    tell("stopped: " + std::to_string(report.still_running.size()) + " running, " + std::to_string(report.skipped) +
         " skipped, " + std::to_string(report.cancelled) + " cancelled, " + std::to_string(report.unwritten) +
         " unwritten");
    return report.is_written ? 0 : 3;
}

} // namespace

int main(int count, char** arguments) {
    try {
        return run(settings_of(count, arguments));
    } catch (const std::exception& error) {
        tell(error.what());
        return 1;
    }
}
