// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_HTTP_WEBHOOK_HPP
#define DAYBOOK_HTTP_WEBHOOK_HPP

/// @file
/// Tells a URL when jobs fail, go stale, and recover.

#include <daybook/detail/thread.hpp>
#include <daybook/detail/webhook_core.hpp>
#include <daybook/http/webhook_options.hpp>
#include <daybook/scheduler_hooks.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace daybook::inline v0::http {

/// Sends a POST for what happens to jobs, from a thread of its own.
///
/// @code
/// daybook::http::WebhookNotifier webhooks{{.url = "https://ops.example.com/jobs",
///                                          .send = daybook::httplib_send(),
///                                          .sign = daybook::openssl_hmac_sha256(secret)}};
/// daybook::Scheduler scheduler{{.hooks = webhooks.hooks()}};
/// @endcode
///
/// The body is JSON: `{"event":"failure","delivery_id":"…","job_id":"backup","handler_id":"backup","execution_id":42,
/// "attempt":3,"is_final":true,"status":"error","scheduled_at":"2024-01-15T10:30:00.000000Z","error":"disk full",
/// "at":"2024-01-15T10:30:07.000000Z"}`. `event` is `failure`, `stale` or `recovered`; the latter two have
/// `last_success` instead of `is_final` and `status` (`error`, `timeout`). What is not known is null. The headers
/// `Daybook-Event` and `Daybook-Delivery` repeat the event and the id of the delivery, which is the same each time it
/// is tried; `Daybook-Timestamp` is when it was sent, in seconds since 1970; `Daybook-Signature` is explained at
/// signature_header. A receiver should answer with a status from 200 to 299 at once, and expect to be told twice and in
/// another order: an answer may get lost.
///
/// A job is never held up: a hook copies what happened into a bounded queue, which takes about as long as copying the
/// error's text, and goes on. What is queued is lost with the process. One thread sends it all, so a target that hangs
/// holds up the others for WebhookOptions::request_timeout at a time.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: safe, every member but the destructor. No user code runs under a lock.
class WebhookNotifier {
public:
    /// @throws std::invalid_argument  There is nothing to send with, `options.url` is no URL, a header cannot be sent,
    /// or
    ///                                a number is out of range; says which.
    /// @throws std::system_error      The system has no thread left.
    explicit WebhookNotifier(WebhookOptions options)
        : core_{std::make_shared<detail::WebhookCore>(checked(std::move(options)))} {
        clock_changes_ = core_->options().clock.on_change([core = std::weak_ptr{core_}] {
            if (const auto held = core.lock()) { held->on_clock_change(); }
        });
        thread_ = detail::NamedThread{"daybook-webhook", {}, [core = core_] { core->run(); }};
    }

    WebhookNotifier(const WebhookNotifier&) = delete;
    WebhookNotifier& operator=(const WebhookNotifier&) = delete;

    /// `stop(0s)`. Waits for a transport that does not heed its stop token. Must not run on the notifier's own thread.
    ~WebhookNotifier() {
        core_->end();
        join();
    }

    /// What a scheduler is to be given: these hooks queue what the options ask for, and call those of the program after
    /// that. They may outlive the notifier, and count as dropped what comes then.
    [[nodiscard]] SchedulerHooks hooks(SchedulerHooks then = {}) const {
        const auto& options = core_->options();
        if (options.failures != WebhookFailures::none) {
            then.on_error = telling_failure("error", std::move(then.on_error));
            then.on_timeout = telling_failure("timeout", std::move(then.on_timeout));
        }
        if (options.staleness == WebhookStaleness::told) {
            then.on_stale = telling(WebhookEvent::stale, std::move(then.on_stale));
            then.on_recovered = telling(WebhookEvent::recovered, std::move(then.on_recovered));
        }
        return then;
    }

    /// Tells this URL about the job from now on, in place of WebhookOptions::url. The job need not exist.
    /// @throws std::invalid_argument  It is no URL, see parse_http_url, or WebhookOptions::allow_url does not allow it.
    void set_job_target(std::string_view job_id, std::string_view url) {
        const auto parsed = parse_http_url(url);
        const auto& allow = core_->options().allow_url;
        if (!allow || !allow(parsed)) {
            throw std::invalid_argument{"a webhook may not go to " + parsed.origin() +
                                        ": WebhookOptions::allow_url does not allow it"};
        }
        core_->set_target(std::string{job_id}, parsed.text());
    }

    /// What is queued still goes to the old target. @returns Whether the job had one of its own.
    bool remove_job_target(std::string_view job_id) { return core_->remove_target(job_id); }

    /// Whether anything is told about the job: to its own target, or to that of all.
    [[nodiscard]] bool has_target(std::string_view job_id) const { return core_->has_target(job_id); }

    [[nodiscard]] WebhookStats stats() const { return core_->stats(); }

    /// Waits until everything is delivered or given up, retries included, but not longer than `patience` of real time.
    /// Called from user code on the notifier's own thread it does not wait.
    /// @returns Whether nothing is left.
    bool flush(std::chrono::nanoseconds patience) { return core_->wait_until_idle(patience); }

    /// Takes nothing more, waits as `flush` does, then breaks off what is under way and ends the thread. Called from
    /// user code on that thread it waits for nothing. May be called again.
    /// @returns What was not delivered; each is in the report of one call.
    WebhookStopReport stop(std::chrono::nanoseconds grace = std::chrono::nanoseconds::zero()) {
        core_->close();
        (void)core_->wait_until_idle(grace);
        core_->end();
        if (!core_->is_own_thread()) { join(); }
        return core_->take_undelivered();
    }

private:
    using Hook = std::function<void(const JobEvent&)>;

    [[nodiscard]] Hook telling_failure(std::string_view status, Hook then) const {
        const bool is_every = core_->options().failures == WebhookFailures::every_attempt;
        return [core = core_, status, is_every, then = std::move(then)](const JobEvent& event) {
            if (event.is_final || is_every) { core->push(WebhookEvent::failure, event, status); }
            if (then) { then(event); }
        };
    }

    [[nodiscard]] Hook telling(WebhookEvent what, Hook then) const {
        return [core = core_, what, then = std::move(then)](const JobEvent& event) {
            core->push(what, event, {});
            if (then) { then(event); }
        };
    }

    [[nodiscard]] static WebhookOptions checked(WebhookOptions options) {
        const auto refuse = [](const std::string& what) {
            throw std::invalid_argument{"daybook: WebhookOptions::" + what};
        };
        constexpr std::size_t max_capacity = 1'000'000;
        if (!options.send) { refuse("send must be something to send with, for instance daybook::httplib_send()"); }
        if (!options.url.empty()) { options.url = parse_http_url(options.url).text(); }
        for (const auto& header : options.headers) {
            if (!is_sendable_header(header.name, header.value)) {
                refuse("headers: this cannot be sent: " + header.name.substr(0, header.name.find_first_of("\r\n")));
            }
        }
        if (options.capacity < 1 || options.capacity > max_capacity) {
            refuse("capacity must be from 1 to 1000000, is " + std::to_string(options.capacity));
        }
        if (options.max_retry_after < options.max_retry_after.zero()) {
            refuse("max_retry_after must not be negative");
        }
        if (options.request_timeout <= options.request_timeout.zero()) {
            refuse("request_timeout must be more than 0");
        }
        if (options.delivery_timeout <= options.delivery_timeout.zero()) {
            refuse("delivery_timeout must be more than 0");
        }
        return options;
    }

    /// Two threads may stop at a time, and must not join one thread twice.
    void join() noexcept {
        const std::scoped_lock lock{join_mutex_};
        thread_.join();
    }

    std::shared_ptr<detail::WebhookCore> core_;
    std::shared_ptr<void> clock_changes_;
    std::mutex join_mutex_;
    detail::NamedThread thread_; // guarded by join_mutex_
};

} // namespace daybook::inline v0::http

#endif
