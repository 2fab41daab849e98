// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_JOB_SETTINGS_HPP
#define DAYBOOK_DETAIL_JOB_SETTINGS_HPP

/// @file
/// The settings of a job, read from the body of a request: all of them for one that is made, and those that are given
/// for one that is there.

#include <daybook/detail/job_json.hpp>
#include <daybook/detail/job_schedule.hpp>
#include <daybook/detail/job_target.hpp>
#include <daybook/detail/json_body.hpp>
#include <daybook/http/http_url.hpp>
#include <daybook/http/jobs_api_options.hpp>
#include <daybook/http/message.hpp>
#include <daybook/http/redaction.hpp>
#include <daybook/job/handlers.hpp>
#include <daybook/job/job.hpp>
#include <daybook/policy/delivery.hpp>
#include <daybook/policy/misfire.hpp>
#include <daybook/policy/overlap.hpp>
#include <daybook/policy/retry.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace daybook::inline v0::detail {

/// @param name  The field that it stands in.
/// @throws http::Error  400: it is no URL; 403: it may not be reached.
inline void require_allowed_url(const http::JobsApiOptions& options, std::string_view name, std::string_view text) {
    http::HttpUrl url;
    try {
        url = http::parse_http_url(text);
    } catch (const std::invalid_argument& error) {
        throw http::Error{400, std::string{name} + " is refused: " + error.what()};
    }
    if (!options.allow_url) {
        throw http::Error{403, "reaching URLs is closed here: to open it, give the API a hook that says which may be "
                               "reached (JobsApiOptions::allow_url)"};
    }
    if (!options.allow_url(url)) {
        throw http::Error{403, std::string{name} + " may not be reached from here: JobsApiOptions::allow_url does not "
                                                   "allow it"};
    }
}

template <class Json>
class SettingsReader {
public:
    SettingsReader(const JsonBody<Json>& body, const http::JobsApiOptions& options, const AnyHandlers& handlers,
                   const http::Redact& redact)
        : body_{&body}, options_{&options}, handlers_{&handlers}, redact_{&redact} {}

    /// The options of a job that is to be made; without an id where none is given.
    /// @throws http::Error  400 or 403.
    [[nodiscard]] JobOptions make() const {
        for (const auto name : told_names) {
            if (body_->has(name)) { body_->refuse(name, "cannot be given: it is what the scheduler says of a job"); }
        }
        allow_known();
        JobOptions job;
        if (const auto id = body_->name("job_id", 1, max_name_bytes)) {
            if (*id == "." || *id == "..") { body_->refuse("job_id", "must not be . or .., which paths leave out"); }
            job.id = *id;
        }
        job.delivery = Delivery::at_least_once;
        job.retry = options_->at_least_once;
        job.schedule = ScheduleReader<Json>{*body_}.make();
        read_work(job, nullptr);
        read_policies(job, nullptr);
        return job;
    }

    /// The options of a job as it is to be: what is not given stays.
    /// @throws http::Error  400, 403 or 409.
    [[nodiscard]] JobOptions change(const JobInfo& present) const {
        allow_known();
        JobOptions job = present.options();
        if (const auto id = body_->text("job_id"); id && *id != present.id) {
            body_->refuse("job_id", "cannot be changed: make another job");
        }
        job.schedule = ScheduleReader<Json>{*body_}.change(present.when);
        read_work(job, &present);
        read_policies(job, &present);
        return job;
    }

    /// Where the job's events are to be sent; an empty text: nowhere any more. Empty when nothing is said.
    /// @throws http::Error  400 or 403.
    [[nodiscard]] std::optional<std::string> webhook() const {
        if (!body_->has("webhook_url")) { return std::nullopt; }
        auto url = body_->text("webhook_url").value_or("");
        if (url.empty()) { return url; }
        if (!options_->set_webhook) {
            body_->refuse("webhook_url", "has no use here: the program has given the API no webhooks "
                                         "(JobsApiOptions::set_webhook)");
        }
        require_allowed_url(*options_, "webhook_url", url);
        return url;
    }

private:
    static constexpr std::size_t max_name_bytes = 255;
    static constexpr std::string_view all_names =
        "job_id, schedule, time_zone, dst, day_match, from, until, times, jitter_ms, handler_id, method_name, "
        "parameters, api_url, http_method, headers, body, execution_type, active, timeout_ms, retry, overlap, misfire, "
        "misfire_grace_ms, max_catch_up, priority, group, stale_after_ms, webhook_url";
    static constexpr std::string_view retry_names = "max_attempts, first_delay_ms, factor, max_delay_ms, jitter";
    /// What a job is shown with and cannot be given; whoever sends a job back that was read may leave them in.
    static constexpr std::array<std::string_view, 17> told_names{
        "created_at",     "description",  "state",       "next_run",     "next_runs", "last_start",
        "last_status",    "last_success", "stale",       "running",      "queued",    "origin",
        "schedule_error", "revision",     "has_webhook", "header_names", "explain"};

    /// Whether a name stands in a list that is parted by a comma and a space.
    [[nodiscard]] static bool is_listed(std::string_view list, std::string_view name) noexcept {
        while (!list.empty()) {
            const auto each = list.substr(0, list.find(", "));
            if (each == name) { return true; }
            list.remove_prefix(std::min(list.size(), each.size() + 2));
        }
        return false;
    }

    void allow_known() const {
        body_->allow_only(
            [](std::string_view name) {
                return is_listed(all_names, name) ||
                       std::find(told_names.begin(), told_names.end(), name) != told_names.end();
            },
            all_names);
    }

    /// What the job runs.
    /// @param present  Null: it is being made.
    void read_work(JobOptions& job, const JobInfo* present) const {
        const TargetReader<Json> target{*body_};
        const bool is_taken_away = present != nullptr && is_target_job(*present) && target.is_named();
        if (target.is_given() || is_taken_away) {
            read_target(job, present, target);
        } else {
            read_handler(job, present);
        }
    }

    void read_target(JobOptions& job, const JobInfo* present, const TargetReader<Json>& target) const {
        const auto refuse_beside = [&](std::string_view name) {
            body_->refuse(name,
                          "does not go together with api_url, http_method, headers and body: a job either calls a "
                          "URL or runs a handler");
        };
        if (body_->text("handler_id").value_or(std::string{http_handler}) != http_handler) {
            refuse_beside("handler_id");
        }
        if (body_->text("method_name").value_or(std::string{http_handler_method}) != http_handler_method) {
            refuse_beside("method_name");
        }
        if (body_->gives("parameters")) { refuse_beside("parameters"); }
        const bool was_target = present != nullptr && is_target_job(*present);
        if (present != nullptr && present->origin == JobOrigin::code) { refuse_code(); }
        const auto before = was_target ? JobTarget::read<Json>(present->parameters) : std::nullopt;
        const auto wanted =
            target.read(before.value_or(JobTarget{}), options_->max_parameter_bytes,
                        [&](std::string_view name, const std::string& text) {
                            return present == nullptr ? text : ShownTexts{*redact_, *present}(name, text);
                        });
        job.handler_id = http_handler;
        job.method_name = http_handler_method;
        const auto parameters = wanted.parameters();
        if (before && before->parameters() == parameters) { return; } // the same, however the program wrote it
        job.parameters = parameters;
        if (wanted.url.empty()) { body_->refuse("api_url", "must be given: it says what is called"); }
        if (job.parameters.size() > options_->max_parameter_bytes) {
            body_->refuse("body", "is too long: with the URL and the headers there may be " +
                                      std::to_string(options_->max_parameter_bytes) + " bytes");
        }
        if (!handlers_->contains(http_handler, http_handler_method)) {
            throw http::Error{403, "api_url jobs are closed here: to open them, add a handler with the id \"http\" and "
                                   "the method \"request\" to the scheduler, and say which URLs may be reached "
                                   "(JobsApiOptions::allow_url)"};
        }
        require_allowed_url(*options_, "api_url", wanted.url);
        if (before) { target.refuse_kept_secrets(*before, wanted, options_->max_parameter_bytes); }
    }

    void read_handler(JobOptions& job, const JobInfo* present) const {
        const auto handler_id = body_->name("handler_id", 1, max_name_bytes);
        const auto method_name = body_->name("method_name", 0, max_name_bytes);
        if (present == nullptr && !handler_id) {
            throw http::Error{400, "a job needs handler_id, which names one of GET /api/v1/handlers, or api_url"};
        }
        if (handler_id && *handler_id != job.handler_id) {
            job.handler_id = *handler_id;
            job.method_name.clear();
        }
        if (method_name) { job.method_name = *method_name; }
        const bool is_same =
            present != nullptr && job.handler_id == present->handler_id && job.method_name == present->method_name;
        const bool was_target = present != nullptr && is_target_job(*present);
        if (is_same && was_target) {
            if (body_->gives("parameters")) {
                body_->refuse("parameters", "of a job that calls a URL are api_url, http_method, headers and body");
            }
            return;
        }
        if (!is_same) {
            if (present != nullptr && present->origin == JobOrigin::code) { refuse_code(); }
            if (is_http_handler(job.handler_id, job.method_name)) {
                body_->refuse("handler_id", "must not be http with the method request: give api_url instead");
            }
            if (!handlers_->contains(job.handler_id, job.method_name)) { refuse_handler(job); }
            if (was_target) { job.parameters.clear(); } // they are the URL's
        }
        auto parameters = body_->text_or_json("parameters", options_->max_parameter_bytes);
        if (!parameters) { return; }
        const bool is_as_shown =
            present != nullptr && *parameters == ShownTexts{*redact_, *present}({}, present->parameters);
        if (!is_as_shown) { job.parameters = std::move(*parameters); }
    }

    [[noreturn]] static void refuse_code() {
        throw http::Error{409,
                          "this job is code of the program, so what it runs cannot be changed from here; it may be "
                          "run, paused and rescheduled"};
    }

    [[noreturn]] void refuse_handler(const JobOptions& job) const {
        std::string why;
        try {
            static_cast<void>(handlers_->at(job.handler_id, job.method_name));
        } catch (const std::invalid_argument& error) { why = error.what(); }
        throw http::Error{400, "handler_id and method_name must name one of GET /api/v1/handlers: " + why};
    }

    void read_policies(JobOptions& job, const JobInfo* present) const {
        const auto delivery = body_->choice("execution_type", parse_execution_type, "AT_LEAST_ONCE, AT_MOST_ONCE");
        if (delivery && delivery != job.delivery) { // then it decides about the retries, unless they are given
            job.delivery = delivery;
            job.on_store_failure.reset(); // at most once has no choice
            job.retry = *delivery == Delivery::at_most_once ? RetryPolicy{} : options_->at_least_once;
        }
        read_retry(job, present);
        if (const auto active = body_->truth("active")) { job.is_paused = !*active; }
        if (body_->has("timeout_ms")) { job.timeout = body_->milliseconds("timeout_ms").value_or(no_time); }
        if (body_->has("stale_after_ms")) { job.stale_after = body_->milliseconds("stale_after_ms").value_or(no_time); }
        if (const auto grace = body_->milliseconds("misfire_grace_ms")) { job.misfire_grace = grace; }
        const auto overlap =
            body_->choice("overlap", parse_overlap, "skip, queue_one, queue_all, allow, cancel_running");
        if (overlap) { job.overlap = overlap; }
        if (const auto misfire = body_->choice("misfire", parse_misfire, "run_once, skip, run_all")) {
            job.misfire = misfire;
        }
        constexpr std::int64_t most_in_a_row = 100'000;
        if (const auto most = body_->whole_number("max_catch_up", 0, most_in_a_row)) {
            job.max_catch_up = static_cast<std::uint32_t>(*most);
        }
        constexpr std::int64_t most_urgent = 1'000'000;
        if (const auto priority = body_->whole_number("priority", -most_urgent, most_urgent)) {
            job.priority = static_cast<int>(*priority);
        }
        if (body_->has("group")) { job.group = body_->name("group", 0, max_name_bytes).value_or(""); }
    }

    void read_retry(JobOptions& job, const JobInfo* present) const {
        if (body_->gives("retry")) {
            const JsonBody<Json> retry{*body_->find("retry"), "retry"};
            retry.allow_only([](std::string_view name) { return is_listed(retry_names, name); },
                             std::string{retry_names} + " in retry");
            const auto before = job.retry ? job.retry->backoff() : std::nullopt;
            const auto wanted = read_backoff(retry, before.value_or(ExponentialBackoff{}));
            // Numbers that stay leave a condition that the program has set.
            if (!before || RetryPolicy{wanted} != RetryPolicy{*before}) { job.retry = RetryPolicy{wanted}; }
        }
        const bool is_asked = body_->gives("retry") || body_->gives("execution_type") || present == nullptr;
        if (is_asked && job.delivery == Delivery::at_most_once && job.retry && job.retry->max_attempts() > 1) {
            body_->refuse("retry.max_attempts", "must be 1 for AT_MOST_ONCE: a retry would run the job once more");
        }
    }

    [[nodiscard]] static ExponentialBackoff read_backoff(const JsonBody<Json>& retry, ExponentialBackoff numbers) {
        constexpr std::int64_t most_attempts = 1'000'000;
        if (const auto attempts = retry.whole_number("max_attempts", 1, most_attempts)) {
            numbers.max_attempts = static_cast<std::uint32_t>(*attempts);
        }
        if (const auto delay = retry.milliseconds("first_delay_ms")) { numbers.first_delay = *delay; }
        if (const auto factor = retry.number("factor", 1.0, 1e6, "must be a number from 1 to 1000000")) {
            numbers.factor = *factor;
        }
        if (const auto delay = retry.milliseconds("max_delay_ms")) {
            if (*delay < numbers.first_delay) { retry.refuse("max_delay_ms", "must not be less than first_delay_ms"); }
            numbers.max_delay = *delay;
        }
        numbers.max_delay = std::max(numbers.max_delay, numbers.first_delay);
        if (const auto jitter = retry.number("jitter", 0.0, 1.0, "must be a number from 0 to 1")) {
            numbers.jitter = *jitter;
        }
        return numbers;
    }

    static constexpr std::chrono::nanoseconds no_time{0};

    const JsonBody<Json>* body_;
    const http::JobsApiOptions* options_;
    const AnyHandlers* handlers_;
    const http::Redact* redact_;
};

} // namespace daybook::inline v0::detail

#endif
