// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_JOB_COMMANDS_HPP
#define DAYBOOK_DETAIL_JOB_COMMANDS_HPP

/// @file
/// What the jobs API does with jobs: shows, makes, changes, removes and runs them.

#include <daybook/detail/cron_fields.hpp>
#include <daybook/detail/hex.hpp>
#include <daybook/detail/job_etag.hpp>
#include <daybook/detail/job_json.hpp>
#include <daybook/detail/job_settings.hpp>
#include <daybook/detail/json_body.hpp>
#include <daybook/detail/latest_runs.hpp>
#include <daybook/detail/paging.hpp>
#include <daybook/detail/url.hpp>
#include <daybook/http/api.hpp>
#include <daybook/http/jobs_api_options.hpp>
#include <daybook/job/handlers.hpp>
#include <daybook/job/job.hpp>
#include <daybook/job/job_query.hpp>
#include <daybook/log/job_execution_log.hpp>
#include <daybook/scheduler_handle.hpp>
#include <daybook/time/wall_clock.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

[[noreturn]] inline void refuse_unknown_job() { throw http::Error{404, "there is no job with this id"}; }

[[noreturn]] inline void refuse_restless_job() {
    throw http::Error{409, "others change the job all the time: try again"};
}

/// What the scheduler says of options, without the call that its own callers know.
[[nodiscard]] inline std::string without_command(std::string_view message) {
    const auto begin = message.find("\"): ");
    return std::string{begin == std::string_view::npos ? message : message.substr(begin + 4)};
}

/// See the file's description. One of these is shared by all routes of an API.
template <class Json, class Result>
class JobCommands {
public:
    JobCommands(SchedulerHandle scheduler, JobExecutionLog<Result> log, AnyHandlers handlers,
                http::JobsApiOptions options)
        : scheduler_{std::move(scheduler)},
          log_{std::move(log)},
          handlers_{std::move(handlers)},
          options_{std::move(options)} {}

    [[nodiscard]] const JobExecutionLog<Result>& log() const noexcept { return log_; }

    [[nodiscard]] http::Response list(const http::Call& call) const {
        const http::Query& query = call.query();
        JobQuery wanted{.handler_id = query.text("handler_id"),
                        .text = query.text("text"),
                        .limit = take_limit(query, 100, 1000),
                        .offset = take_offset(query),
                        .cursor = query.text("cursor")};
        refuse_two_places(wanted.cursor, wanted.offset);
        if (const auto word = query.find("state")) { wanted.state = read_state(*word); }
        if (const auto word = query.find("active")) {
            if (*word != "true" && *word != "false") { throw http::Error{400, "active must be true or false"}; }
            wanted.is_paused = *word == "false";
        }
        const std::size_t runs = take_runs(query, 0);
        if (runs != 0) { wanted.limit = std::min<std::size_t>(wanted.limit, 200); } // each of them asks the log
        const auto page = take_page_of([&] { return scheduler_.jobs(wanted); });
        std::string document;
        JsonWriter writer{document};
        writer.begin_object();
        writer.member("count", page.jobs.size());
        writer.member("limit", wanted.limit);
        writer.key("jobs").begin_array();
        for (const JobInfo& job : page.jobs) {
            write_job(writer, job, call.redact(), target_of(job), nullptr, has_webhook(job.id), [&] {
                if (runs != 0) { write_latest_runs(writer, log_, job.id, runs); }
            });
        }
        writer.end_array();
        writer.member("total", page.total);
        writer.member("offset", wanted.offset);
        writer.member("has_more", page.has_more);
        write_next_cursor(writer, page.next_cursor);
        writer.end_object();
        return http::json_response(200, std::move(document));
    }

    [[nodiscard]] http::Response show(const http::Call& call) const {
        auto response = show(call, call.path_parameter("id"), 200, asked_runs(call));
        if (!response) { refuse_unknown_job(); }
        return std::move(*response);
    }

    [[nodiscard]] http::Response make(const http::Call& call) {
        const auto runs = asked_runs(call);
        const JsonBody<Json> body{call.request()};
        const SettingsReader<Json> settings{body, options_, handlers_, call.redact()};
        JobOptions wanted = settings.make();
        const auto webhook = settings.webhook();
        const auto id = insert(std::move(wanted), webhook.value_or(""));
        call.note("made the job " + id);
        auto response = show_done(call, id, 201, runs);
        response.set_header("Location",
                            std::string{split_target(call.request().target).path} + '/' + encoded_segment(id));
        return response;
    }

    [[nodiscard]] http::Response change(const http::Call& call) {
        const auto id = call.path_parameter("id");
        if (!scheduler_.job(id)) { refuse_unknown_job(); }
        const auto runs = asked_runs(call);
        const JsonBody<Json> body{call.request()};
        const SettingsReader<Json> settings{body, options_, handlers_, call.redact()};
        constexpr int patience = 100;
        for (int tries = 0;; ++tries) {
            const auto present = scheduler_.job(id);
            if (!present) { refuse_unknown_job(); }
            if (!may_change(call.request(), present->revision)) { refuse_changed_job(); }
            const auto webhook = settings.webhook();
            const auto outcome = configure(settings.change(*present), *present, webhook);
            if (outcome == JobChange::unknown_job) { refuse_unknown_job(); }
            if (outcome == JobChange::done) { return show_done(call, id, 200, runs); }
            // Once more, from what it is now: a tag that the client sent does not hold any more, `*` does.
            if (tries == patience) { refuse_restless_job(); }
        }
    }

    [[nodiscard]] http::Response remove(const http::Call& call) {
        const auto id = call.path_parameter("id");
        const std::scoped_lock lock{changing_};
        for (auto outcome = JobChange::changed_meanwhile; outcome != JobChange::done;) {
            const auto present = scheduler_.job(id);
            if (!present) { refuse_unknown_job(); }
            if (!may_change(call.request(), present->revision)) { refuse_changed_job(); }
            outcome = scheduler_.remove_if(id, present->revision);
        }
        drop_webhook(id);
        return {.status = 204};
    }

    enum class Pause : std::uint8_t { pause, resume };
    [[nodiscard]] http::Response set_paused(const http::Call& call, Pause pause) const {
        const auto id = call.path_parameter("id");
        const auto runs = asked_runs(call);
        const bool is_known = pause == Pause::pause ? scheduler_.pause(id) : scheduler_.resume(id);
        if (!is_known) { refuse_unknown_job(); }
        return show_done(call, id, 200, runs);
    }

    /// The job of the path, with parameters of its own where the body names some.
    [[nodiscard]] http::Response run(const http::Call& call) const {
        std::optional<std::string> parameters;
        if (!call.request().body.empty()) {
            const JsonBody<Json> body{call.request()};
            body.allow_only([](std::string_view name) { return name == "parameters"; }, "parameters");
            parameters = read_parameters(body);
        }
        return run(call.path_parameter("id"), parameters);
    }

    /// The job that the body names.
    [[nodiscard]] http::Response execute(const http::Call& call) const {
        const JsonBody<Json> body{call.request()};
        body.allow_only([](std::string_view name) { return name == "job_id" || name == "parameters"; },
                        "job_id, parameters");
        const auto id = body.text("job_id").value_or("");
        if (id.empty()) { body.refuse("job_id", "must be the id of a job"); }
        call.note("the job " + limited_text(id, HashedNames::max_bytes));
        return run(id, read_parameters(body));
    }

    [[nodiscard]] http::Response refresh() const {
        const auto refreshed = scheduler_.refresh();
        std::string document;
        JsonWriter writer{document};
        writer.begin_object();
        writer.member("status", "ok");
        writer.member("jobs", scheduler_.job_count());
        writer.member("refreshed", refreshed);
        writer.end_object();
        return http::json_response(200, std::move(document));
    }

    [[nodiscard]] http::Response list_handlers(const http::Call& call) const {
        const auto limit = take_limit(call.query(), 100, 1000);
        const auto all = handlers_.list();
        const auto offset = take_offset(call.query());
        const auto begin = std::min(offset, all.size());
        const auto count = std::min(limit, all.size() - begin);
        std::string document;
        JsonWriter writer{document};
        writer.begin_object();
        writer.member("count", count);
        writer.member("limit", limit);
        writer.key("handlers").begin_array();
        for (auto index = begin; index < begin + count; ++index) {
            writer.begin_object();
            writer.member("handler_id", all[index].handler_id);
            writer.member("method_name", all[index].method_name);
            writer.member("description", all[index].description);
            writer.end_object();
        }
        writer.end_array();
        writer.member("total", all.size());
        writer.member("offset", offset);
        writer.member("has_more", begin + count < all.size());
        writer.end_object();
        return http::json_response(200, std::move(document));
    }

private:
    static void refuse_two_places(const std::string& cursor, std::size_t offset) {
        if (!cursor.empty() && offset != 0) {
            throw http::Error{400, "offset and cursor do not go together: give one of them"};
        }
    }

    [[nodiscard]] static JobState read_state(std::string_view word) {
        for (const auto state : {JobState::pending, JobState::scheduled, JobState::executing, JobState::paused,
                                 JobState::completed, JobState::failed, JobState::removed}) {
            if (to_string(state) == word) { return state; }
        }
        throw http::Error{400,
                          "state must be one of pending, scheduled, executing, paused, completed, failed, removed"};
    }

    /// What it calls, if it calls a URL.
    [[nodiscard]] static std::optional<JobTarget> target_of(const JobInfo& job) {
        return is_target_job(job) ? JobTarget::read<Json>(job.parameters) : std::nullopt;
    }

    [[nodiscard]] std::optional<bool> has_webhook(std::string_view id) const {
        return options_.has_webhook ? std::optional{options_.has_webhook(id)} : std::nullopt;
    }

    /// How many times the answer is to show. Read before anything is done: what is refused has no effect.
    [[nodiscard]] static std::size_t asked_runs(const http::Call& call) {
        constexpr std::uint64_t most_runs = 100;
        return static_cast<std::size_t>(std::min(call.query().whole_number("next", 5), most_runs));
    }

    /// The job after something was done to it; its id alone if it has ended since.
    [[nodiscard]] http::Response show_done(const http::Call& call, std::string_view id, int status,
                                           std::size_t runs) const {
        if (auto response = show(call, id, status, runs)) { return std::move(*response); }
        std::string document;
        JsonWriter writer{document};
        writer.begin_object().member("job_id", id).end_object();
        return http::json_response(status, std::move(document));
    }

    /// @returns Nothing: there is no such job.
    [[nodiscard]] std::optional<http::Response> show(const http::Call& call, std::string_view id, int status,
                                                     std::size_t runs) const {
        const auto job = scheduler_.job(id);
        if (!job) { return std::nullopt; }
        const JobDetails details{.next_runs = scheduler_.next_runs(id, runs), .explanation = scheduler_.explain(id)};
        std::string document;
        JsonWriter writer{document};
        write_job(writer, *job, call.redact(), target_of(*job), &details, has_webhook(id));
        auto tag = job_tag(job->revision, document);
        auto response = http::json_response(status, std::move(document));
        response.set_header("ETag", tag);
        response.set_header("Cache-Control", "private, no-cache"); // ask each time
        return response;
    }

    /// @param webhook  Empty: none.
    /// @returns The id, made if none was given.
    [[nodiscard]] std::string insert(JobOptions wanted, const std::string& webhook) {
        const bool is_named = !wanted.id.empty();
        // One at a time, so that the bound holds.
        const std::scoped_lock lock{changing_};
        if (scheduler_.job_count() >= options_.max_jobs) {
            throw http::Error{409, "there are " + std::to_string(options_.max_jobs) +
                                       " jobs already, and no more are allowed: delete one first"};
        }
        while (true) {
            if (!is_named) { wanted.id = make_id(); }
            try {
                if (scheduler_.job(wanted.id)) { throw JobExists{wanted.id}; } // whose target must stay
                place_webhook(wanted.id, webhook); // before the job: it may run at once, and this may be refused
                try {
                    scheduler_.add(wanted);
                } catch (...) {
                    restore_webhook(wanted.id, {});
                    throw;
                }
                return std::move(wanted.id);
            } catch (const JobExists&) {
                if (is_named) { throw http::Error{409, "there is a job with this job_id already"}; }
            } catch (const std::invalid_argument& error) {
                throw http::Error{400, "the job is refused: " + without_command(error.what())};
            } catch (const std::logic_error&) {
                throw http::Error{503, "the scheduler has been stopped, or is about to: it takes no more jobs"};
            }
        }
    }

    /// In the form of a UUID (RFC 9562, version 8): of the time and a count, so that another life of the program does
    /// not give a job the history of an earlier one.
    [[nodiscard]] static std::string make_id() {
        static std::atomic<std::uint64_t> count{0};
        const auto time = std::chrono::system_clock::now().time_since_epoch().count();
        const auto steady = std::chrono::steady_clock::now().time_since_epoch().count();
        std::uint64_t left = mix_bits(static_cast<std::uint64_t>(time));
        std::uint64_t right = mix_bits(left ^ mix_bits(static_cast<std::uint64_t>(steady)) ^ mix_bits(++count));
        std::string id = "xxxxxxxx-xxxx-8xxx-9xxx-xxxxxxxxxxxx";
        for (char& letter : id) {
            if (letter != 'x') { continue; }
            letter = hex_digits[right & 15U];
            right = right >> 4U | (left & 15U) << 60U;
            left >>= 4U;
        }
        return id;
    }

    /// @param webhook  Nothing: it stays; empty: none any more.
    [[nodiscard]] JobChange configure(JobOptions wanted, const JobInfo& present,
                                      const std::optional<std::string>& webhook) {
        const std::scoped_lock lock{changing_};
        const bool is_placed = webhook && !webhook->empty();
        std::string before;
        if (is_placed) {
            const auto now = scheduler_.job(present.id);
            if (!now || now->revision != present.revision) { return JobChange::changed_meanwhile; }
            if (const auto found = webhooks_.find(present.id); found != webhooks_.end()) { before = found->second; }
            place_webhook(present.id, *webhook);
        }
        try {
            const auto outcome = scheduler_.configure(std::move(wanted), present.revision);
            if (is_placed && outcome != JobChange::done) {
                restore_webhook(present.id, outcome == JobChange::unknown_job ? std::string{} : before);
            }
            if (webhook && webhook->empty() && outcome == JobChange::done) { drop_webhook(present.id); }
            return outcome;
        } catch (const std::invalid_argument& error) {
            if (is_placed) { restore_webhook(present.id, before); }
            throw http::Error{400, "the change is refused: " + without_command(error.what())};
        } catch (...) {
            if (is_placed) { restore_webhook(present.id, before); }
            throw;
        }
    }

    /// @param url  Empty: none. @throws http::Error  400.
    void place_webhook(const std::string& id, const std::string& url) {
        if (url.empty()) {
            drop_webhook(id);
            return;
        }
        forget_ended_webhooks();
        auto known = url; // what needs memory comes first
        const auto [place, is_new] = webhooks_.try_emplace(id);
        try {
            options_.set_webhook(id, url);
        } catch (const std::invalid_argument& error) {
            if (is_new) { webhooks_.erase(place); }
            throw http::Error{400, "webhook_url is refused: " + std::string{error.what()}};
        } catch (...) {
            if (is_new) { webhooks_.erase(place); }
            throw;
        }
        place->second = std::move(known);
    }

    void drop_webhook(std::string_view id) {
        if (const auto found = webhooks_.find(id); found != webhooks_.end()) { webhooks_.erase(found); }
        if (options_.remove_webhook) { options_.remove_webhook(id); }
    }

    /// After something else has failed, which is what is told. @param before  Empty: none.
    void restore_webhook(const std::string& id, const std::string& before) noexcept {
        try {
            place_webhook(id, before);
        } catch (...) {
            try {
                drop_webhook(id);
            } catch (...) { return; } // nothing is left to try
        }
    }

    /// Now and then, so that what is known does not grow with jobs that have ended by themselves.
    void forget_ended_webhooks() {
        if (webhooks_.size() < forget_at_) { return; }
        std::erase_if(webhooks_, [&](const auto& entry) { return !scheduler_.job(entry.first); });
        forget_at_ = std::max(forget_at_, 2 * webhooks_.size());
    }

    [[nodiscard]] std::optional<std::string> read_parameters(const JsonBody<Json>& body) const {
        if (!body.gives("parameters")) { return std::nullopt; }
        return body.text_or_json("parameters", options_.max_parameter_bytes);
    }

    /// Parameters go to the job that was looked at, or to none: who may run a job that calls a URL would choose what it
    /// calls. @throws http::Error  400, 409.
    [[nodiscard]] TriggerReport trigger(std::string_view id, const std::optional<std::string>& parameters) const {
        if (!parameters) { return scheduler_.trigger(id); }
        constexpr int patience = 100;
        for (int tries = 0; tries <= patience; ++tries) {
            const auto job = scheduler_.job(id);
            if (job && is_target_job(*job)) {
                throw http::Error{400, "parameters cannot be given for a job that calls a URL"};
            }
            constexpr std::uint64_t no_revision = 0; // a job that comes now is looked at first
            const auto report =
                scheduler_.trigger(id, {.parameters = parameters, .revision = job ? job->revision : no_revision});
            if (report.outcome != TriggerOutcome::changed_meanwhile) { return report; }
        }
        refuse_restless_job();
    }

    [[nodiscard]] http::Response run(std::string_view id, const std::optional<std::string>& parameters) const {
        const auto report = trigger(id, parameters);
        if (report.outcome == TriggerOutcome::unknown_job) { refuse_unknown_job(); }
        if (report.outcome == TriggerOutcome::stopped) {
            throw http::Error{503, "the scheduler has been stopped, or is about to: it runs nothing more"};
        }
        std::string document;
        JsonWriter writer{document};
        writer.begin_object();
        if (report.outcome == TriggerOutcome::queued) {
            writer.member("job_id", id);
            writer.member("execution_id", report.id);
            writer.member("status", to_execution_word(JobStatus::queued));
            writer.end_object();
            return http::json_response(202, std::move(document));
        }
        const auto skip = log_.find(report.id);
        const auto reason = skip ? skip->reason : SkipReason::none; // none: the log has dropped it already
        std::string message = "the job was not run: ";
        switch (reason) {
        case SkipReason::overlap: message += "it is in progress, and its overlap policy refuses another run"; break;
        case SkipReason::queue_full: message += "too many executions wait for a worker"; break;
        default: message += "a policy refused it"; break;
        }
        writer.key("error").begin_object();
        writer.member("code", 409);
        writer.member("message", message);
        writer.member("reason", to_string(reason));
        writer.end_object();
        writer.end_object();
        return http::json_response(409, std::move(document));
    }

    const SchedulerHandle scheduler_;
    const JobExecutionLog<Result> log_;
    const AnyHandlers handlers_;
    const http::JobsApiOptions options_;
    std::mutex changing_; // a job and its webhook are made, changed and removed as one
    std::map<std::string, std::string, std::less<>> webhooks_ = {}; // set here, by id; guarded by changing_
    std::size_t forget_at_ = 1000;                                  // guarded by changing_
};

} // namespace daybook::inline v0::detail

#endif
