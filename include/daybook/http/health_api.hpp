// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_HTTP_HEALTH_API_HPP
#define DAYBOOK_HTTP_HEALTH_API_HPP

/// @file
/// How a scheduler is, over HTTP: for load balancers, monitors, and whoever is called at night.
///
/// - `GET /health`: `{"status":"healthy"}`.
/// - `GET /api/v1/health/scheduler`: the same in the format of the Job Management Guide, with fields of ours behind:
///   `next_scheduled_run`, `last_execution` and `execution_time_ms` (when the newest execution that has ended began,
///   and how long it ran; null when the log has none), `pending_jobs` (executions that wait; before the start, jobs).
///
/// `status` is `healthy`, `unresponsive` (something has been due for more than a second and nobody looked at it),
/// `not_started` or `stopped`; all but the first come with 503. Stuck workers, stale jobs and long queues are told, and
/// are no reason to restart a program: they change neither. With a store, `store` says how the log gets on with it
/// (`available`, `error`, `failing_since`, `last_written`, `waiting`, `written`, `lost`; see StoreHealth): jobs go on
/// while it is away, so it changes neither. In a fleet, `fleet` says how the process gets on in it (`node`, `seated`,
/// `clock_offset_ms`, `last_renewed`, `claimed`, `left_to_others`, `taken_over`, `seats_lost`; see FleetHealth).
/// Instants are UTC, to the second.
///
/// What it costs does not depend on how many jobs there are: see AnyScheduler::health.

#include <daybook/detail/stats_json.hpp>
#include <daybook/detail/time_words.hpp>
#include <daybook/http/api.hpp>
#include <daybook/log/execution_query.hpp>
#include <daybook/log/job_execution_log.hpp>
#include <daybook/scheduler.hpp>
#include <daybook/scheduler_handle.hpp>
#include <daybook/scheduler_health.hpp>
#include <daybook/types.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace daybook::inline v0::detail {

[[nodiscard]] constexpr std::string_view health_word(const SchedulerHealth& health) noexcept {
    if (health.is_stopped) { return "stopped"; }
    if (!health.is_started) { return "not_started"; }
    return health.is_responsive ? "healthy" : "unresponsive";
}

[[nodiscard]] constexpr int health_status(const SchedulerHealth& health) noexcept {
    return health.is_responsive ? 200 : 503;
}

/// `2025-10-27 09:00:00 UTC`
inline void write_instant_words(JsonWriter& writer, std::string_view name, const std::optional<sys_time>& instant) {
    writer.key(name);
    if (instant) {
        writer.value(instant_words(sys_time{std::chrono::floor<std::chrono::seconds>(*instant)}));
    } else {
        writer.null();
    }
}

[[nodiscard]] inline http::Response answer_health(const SchedulerHealth& health) {
    std::string document;
    JsonWriter writer{document};
    writer.begin_object();
    writer.member("status", health_word(health));
    writer.end_object();
    return http::json_response(health_status(health), std::move(document));
}

/// The newest execution that ran and has ended.
template <class Result>
[[nodiscard]] std::optional<JobExecutionRecord<Result>> newest_ended(const JobExecutionLog<Result>& log) {
    constexpr std::size_t few = 1000; // of those before it that never ran
    const StatusSet ended{JobStatus::success, JobStatus::error, JobStatus::timeout, JobStatus::cancelled};
    auto page = log.query({.status = ended,
                           .min_duration = std::chrono::nanoseconds{0},
                           .limit = 1,
                           .max_scanned = few,
                           .totals = Totals::leave_out});
    if (page.records.empty()) { return std::nullopt; }
    return std::move(page.records.front());
}

inline void write_store_health(JsonWriter& writer, const StoreHealth& store) {
    writer.key("store");
    writer.begin_object();
    writer.member("available", store.is_available);
    writer.key("error");
    if (store.error.empty()) {
        writer.null();
    } else {
        writer.value(store.error);
    }
    write_instant_words(writer, "failing_since", store.failing_since);
    write_instant_words(writer, "last_written", store.last_written);
    writer.member("waiting", store.waiting);
    writer.member("written", store.written);
    writer.member("lost", store.lost);
    writer.end_object();
}

inline void write_fleet_health(JsonWriter& writer, const FleetHealth& fleet) {
    writer.key("fleet");
    writer.begin_object();
    writer.member("node", fleet.node);
    writer.member("seated", fleet.is_seated);
    writer.member("clock_offset_ms", static_cast<double>(fleet.clock_offset.count()) / 1000);
    write_instant_words(writer, "last_renewed", fleet.last_renewed);
    writer.member("claimed", fleet.claimed);
    writer.member("left_to_others", fleet.left_to_others);
    writer.member("taken_over", fleet.taken_over);
    writer.member("seats_lost", fleet.seats_lost);
    writer.end_object();
}

template <class Result>
[[nodiscard]] http::Response answer_scheduler_health(const SchedulerHealth& health,
                                                     const JobExecutionLog<Result>& log) {
    const auto last = newest_ended(log);
    std::string document;
    JsonWriter writer{document};
    writer.begin_object();
    writer.member("status", health_word(health));
    write_instant_words(writer, "next_scheduled_run", health.next_run);
    write_instant_words(writer, "last_execution", last ? last->started_at : std::nullopt);
    writer.key("execution_time_ms");
    if (last && last->duration) {
        writer.value(std::chrono::floor<std::chrono::milliseconds>(*last->duration).count());
    } else {
        writer.null();
    }
    const bool has_begun = health.is_started || health.is_stopped;
    writer.member("pending_jobs", has_begun ? health.queued : health.jobs);

    writer.member("jobs", health.jobs);
    writer.member("paused_jobs", health.paused);
    writer.member("stale_jobs", health.stale);
    writer.member("running", health.running);
    writer.member("queued", health.queued);
    writer.member("workers", health.workers);
    writer.member("stuck_workers", health.stuck);
    writer.member("replacement_workers", health.replacement_workers);
    write_milliseconds(writer, "overdue_ms", std::chrono::duration<double, std::milli>{health.overdue}.count());
    write_instant_words(writer, "last_start", health.last_start);
    write_instant_words(writer, "last_success", health.last_success);
    write_latency(writer, "drift", health.drift);
    write_latency(writer, "queue_delay", health.queue_delay);
    if (const auto store = log.store_health()) { write_store_health(writer, *store); }
    if (health.fleet) { write_fleet_health(writer, *health.fleet); }
    writer.end_object();
    return http::json_response(health_status(health), std::move(document));
}

} // namespace daybook::inline v0::detail

namespace daybook::inline v0::http {

/// The routes that the file's description lists.
///
/// @param scheduler  May end before the API does: it is `stopped` then.
template <class Result>
[[nodiscard]] Api health_api(Scheduler<Result>& scheduler) {
    const auto handle = scheduler.handle();
    const JobExecutionLog<Result> log = scheduler.log();
    Api api;
    api.get("/health", [handle](const Call&) { return detail::answer_health(handle.health()); });
    api.get("/api/v1/health/scheduler",
            [handle, log](const Call&) { return detail::answer_scheduler_health(handle.health(), log); });
    return api;
}

} // namespace daybook::inline v0::http

#endif
