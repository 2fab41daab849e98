// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_PAGE_SHOP_HPP
#define DAYBOOK_TESTS_PAGE_SHOP_HPP

/// @file
/// The jobs of a shop with two days behind them, so that there is something to look at: what works, what fails now and
/// then, an hour in which a lot went wrong, a job that has failed since this morning.

#include <daybook/adapters/nlohmann_json.hpp>
#include <daybook/daybook.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace shop {

using namespace std::chrono_literals;
using Scheduler = daybook::Scheduler<nlohmann::json>;

struct Work {
    std::string_view id;
    std::string_view handler;
    std::string_view method;
    std::string_view when;
    std::chrono::minutes interval;
    std::chrono::milliseconds takes;
    double failing;
    std::string_view error;
    std::chrono::hours failing_until = 0h; ///< before now; between these it fails always
    std::chrono::hours failing_from = 0h;
    std::uint64_t records = 0;
};

inline constexpr std::array works{
    Work{"backup_database", "backup", "full", "0 30 3 * * *", 1440min, 780s, 0, "", 0h, 0h, 4'810'223},
    Work{"charge_cards", "payments", "charge", "0 */10 * * * *", 10min, 2300ms, .03, "", 0h, 0h, 38},
    Work{"cleanup_sessions", "sessions", "expire", "0 */5 * * * *", 5min, 48ms, 0, "", 0h, 0h, 1042},
    Work{"daily_report", "reports", "daily", "0 0 9 * * MON-FRI", 1440min, 41s, 0, "", 0h, 0h, 310},
    Work{"import_orders", "orders", "import", "0 */15 * * * *", 15min, 24s, .02,
         "order 83121: unknown currency \"XTS\"", 0h, 0h, 5120},
    Work{"poll_mailbox", "mail", "poll", "0 */5 * * * *", 5min, 61ms, .01,
         "imap.shop.example: LOGIN failed: the password has expired", 0h, 5h},
    Work{"reindex_search", "search", "reindex", "0 12 * * * *", 60min, 205s, .04, "", 0h, 0h, 66'120},
    Work{"resize_images", "media", "resize", "0 */3 * * * *", 3min, 5200ms, .01,
         "IMG_2291.HEIC: not an image that this server can read", 0h, 0h, 24},
    Work{"send_reminders", "mail", "remind", "0 * * * * *", 1min, 180ms, .01, "smtp.shop.example: 451 try again later",
         0h, 0h, 7},
    Work{"sync_inventory", "inventory", "sync", "0 */2 * * * *", 2min, 910ms, .01,
         "warehouse.shop.example: connection refused\n  after 3 addresses, the last one 10.20.0.7:5432", 11h, 12h, 812},
};

inline nlohmann::json result_of(const Work& work, std::uint64_t records) {
    if (work.id == "daily_report") {
        return {
            {"day", "yesterday"}, {"orders", 310}, {"revenue", {{"EUR", 18230.5}, {"USD", 2210.0}}}, {"sent", true}};
    }
    if (work.records == 0) { return nullptr; }
    return std::string{work.method} + ": " + std::to_string(records) + " done";
}

/// What happened in the hours before now, as it would have been recorded.
class Past {
public:
    Past(Scheduler& scheduler, daybook::ManualClock clock, std::chrono::hours length)
        : scheduler_{scheduler}, clock_{std::move(clock)}, end_{clock_.now() + length} {}

    void happen() {
        const auto begin = clock_.now();
        for (const auto& work : works) {
            for (auto due = std::chrono::ceil<std::chrono::minutes>(begin); due < end_; due += 1min) {
                if (due.time_since_epoch() % work.interval == 0min) { plan(due, work, due, 1, 0); }
            }
        }
        while (!events_.empty()) {
            const auto event = events_.extract(events_.begin());
            if (event.key() >= end_) { break; }
            clock_.advance(event.key() - clock_.now());
            event.mapped()();
        }
        clock_.advance(end_ - clock_.now());
    }

private:
    void plan(daybook::sys_time when, const Work& work, daybook::sys_time due, std::uint32_t attempt,
              daybook::OccurrenceId occurrence) {
        const std::chrono::microseconds drift{std::uniform_int_distribution<>{60, 900}(random_)};
        events_.emplace(when + drift,
                        [this, &work, due, attempt, occurrence] { begin(work, due, attempt, occurrence); });
    }

    void begin(const Work& work, daybook::sys_time due, std::uint32_t attempt, daybook::OccurrenceId occurrence) {
        if (running_[work.id]) {
            scheduler_.log().record_skip(work.id, daybook::SkipReason::overlap, due);
            return;
        }
        const double spread = std::lognormal_distribution{0.0, 0.35}(random_);
        const auto takes = std::chrono::microseconds{
            static_cast<std::int64_t>(spread * static_cast<double>(std::chrono::microseconds{work.takes}.count()))};
        // What would go on now would go on for ever: nobody is left to end it.
        if (clock_.now() + takes >= end_) { return; }
        running_[work.id] = true;
        const auto run = scheduler_.log().record_start({.job_id = work.id,
                                                        .handler_id = work.handler,
                                                        .method_name = work.method,
                                                        .attempt_number = attempt,
                                                        .occurrence_id = occurrence,
                                                        .scheduled_at = due,
                                                        .trigger = daybook::Trigger::schedule});
        const auto before_end = end_ - due;
        const bool is_failing = (before_end < work.failing_from && before_end >= work.failing_until) ||
                                std::bernoulli_distribution{work.failing}(random_);
        events_.emplace(clock_.now() + takes, [this, &work, due, attempt, occurrence, run, is_failing] {
            running_[work.id] = false;
            end(work, due, attempt, occurrence == 0 ? run.id : occurrence, run, is_failing);
        });
    }

    void end(const Work& work, daybook::sys_time due, std::uint32_t attempt, daybook::OccurrenceId occurrence,
             const daybook::Execution& run, bool is_failing) {
        auto& log = scheduler_.log();
        if (is_failing && work.error.empty()) {
            log.record_timeout(run);
        } else if (is_failing) {
            const bool is_retried = attempt < 2;
            log.record_error(run, work.error,
                             is_retried ? daybook::Finality::retry_follows : daybook::Finality::final_attempt);
            if (is_retried) { plan(clock_.now() + 2s, work, due, attempt + 1, occurrence); }
        } else {
            const auto records =
                work.records == 0 ? 0 : std::uniform_int_distribution{work.records / 2, work.records}(random_);
            if (records != 0) { log.record_processed(run, records); }
            log.record_success(run, result_of(work, records));
        }
    }

    Scheduler& scheduler_;
    daybook::ManualClock clock_;
    daybook::sys_time end_;
    std::mt19937 random_{20240115};
    std::multimap<daybook::sys_time, std::function<void()>> events_ = {};
    std::map<std::string_view, bool> running_ = {};
};

/// Waits for what a stop interrupts.
inline void rest(const daybook::JobContext& job, std::chrono::milliseconds time) {
    for (const auto end = std::chrono::steady_clock::now() + time;
         !job.stop_requested() && std::chrono::steady_clock::now() < end;) {
        std::this_thread::sleep_for(std::min(time, 2ms));
    }
}

/// The same jobs from now on; each has run once, quickly, when this returns, and two go on running.
inline void open(Scheduler& scheduler) {
    for (const auto& work : works) {
        scheduler.add({.id = std::string{work.id},
                       .handler_id = std::string{work.handler},
                       .method_name = std::string{work.method},
                       .schedule = daybook::cron(work.when, work.id == "daily_report" ? "Europe/Berlin" : "UTC"),
                       .retry = daybook::exponential_backoff({.max_attempts = 2, .first_delay = 20ms}),
                       .stale_after = work.id == "poll_mailbox" ? 10ms : 26h},
                      [&work](daybook::JobContext& job) -> nlohmann::json {
                          rest(job, std::min(work.takes / 10, 40ms));
                          if (work.failing_from > 0h && work.failing_until == 0h) {
                              job.log("connecting to imap.shop.example:993\nSTARTTLS ok");
                              throw std::runtime_error{std::string{work.error}};
                          }
                          if (work.records != 0) {
                              job.progress(work.records, work.records, 0);
                              job.records_processed(work.records);
                          }
                          job.metadata("region", "eu-central");
                          job.log("read the list of what is due");
                          job.log(std::to_string(work.records) + " records, none of them twice");
                          return result_of(work, work.records);
                      });
        scheduler.trigger(work.id);
    }
    scheduler.start();
    scheduler.wait_idle(10s);
    scheduler.add({.id = "archive_logs",
                   .handler_id = "logs",
                   .method_name = "archive",
                   .schedule = daybook::cron("0 0 4 * * SUN"),
                   .is_paused = true},
                  [](daybook::JobContext&) {});
    scheduler.add({.id = "rebuild_cache", .handler_id = "cache", .method_name = "rebuild"},
                  [](daybook::JobContext& job) { rest(job, 20ms); });
    const std::pair<std::string_view, std::uint64_t> long_ones[] = {{"transcode_videos", 64}, {"migrate_invoices", 23}};
    for (const auto& [id, percent] : long_ones) {
        scheduler.add(
            {.id = std::string{id}, .handler_id = "media", .parameters = R"({"preset":"1080p","codec":"av1"})"},
            [percent = percent](daybook::JobContext& job) {
                job.records_processed(percent * 120);
                job.progress(percent * 120, 12'000, percent / 20);
                rest(job, 1h);
            });
        scheduler.trigger(id);
    }
}

} // namespace shop

#endif
