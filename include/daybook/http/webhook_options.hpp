// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_HTTP_WEBHOOK_OPTIONS_HPP
#define DAYBOOK_HTTP_WEBHOOK_OPTIONS_HPP

/// @file
/// What a webhook notifier is told, and what it tells about itself.

#include <daybook/http/http_send.hpp>
#include <daybook/http/http_url.hpp>
#include <daybook/http/message.hpp>
#include <daybook/http/redaction.hpp>
#include <daybook/http/webhook_signature.hpp>
#include <daybook/policy/retry.hpp>
#include <daybook/time/wall_clock.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace daybook::inline v0::http {

/// What a webhook tells.
enum class WebhookEvent : std::uint8_t {
    failure,   ///< an attempt ended as an error or a timeout
    stale,     ///< a job has not succeeded for JobOptions::stale_after
    recovered, ///< a stale job has succeeded
};

/// The word of the wire format, for instance "failure".
[[nodiscard]] constexpr std::string_view to_string(WebhookEvent event) noexcept {
    switch (event) {
    case WebhookEvent::failure: return "failure";
    case WebhookEvent::stale: return "stale";
    case WebhookEvent::recovered: return "recovered";
    }
    return "unknown";
}

/// Which failures are told.
enum class WebhookFailures : std::uint8_t {
    final_only,    ///< those after which no retry follows
    every_attempt, ///< those before a retry too
    none,
};

/// Whether `stale` and `recovered` are told.
enum class WebhookStaleness : std::uint8_t { told, not_told };

/// What gives way when the queue is full.
enum class WebhookOverflow : std::uint8_t {
    drop_newest, ///< what would have been added
    drop_oldest, ///< what has waited longest, for its first attempt or another one
};

/// How a WebhookNotifier is set up.
struct WebhookOptions {
    /// Where everything is told that has no target of its own; empty: nowhere.
    std::string url = {};
    /// Makes the requests, for instance `daybook::httplib_send()`; on the notifier's thread.
    HttpSend send = {};
    /// Makes the header `Daybook-Signature`, see signature_header; empty: there is none.
    Sign sign = {};
    /// Which URLs a job's own target may have, asked by `set_job_target` and before each delivery; empty: none.
    AllowUrl allow_url = {};
    /// Sent along each time, see is_sendable_header.
    Headers headers = {};
    /// Gives what is sent in place of `error`, on the notifier's thread; empty: the error as it is. Where it throws,
    /// the error is left out.
    Redact redact = {};
    WebhookFailures failures = WebhookFailures::final_only;
    WebhookStaleness staleness = WebhookStaleness::told;
    /// Deliveries that may wait, for their first attempt or another one; 1 to 1,000,000. Each holds what it tells,
    /// which is mostly the error's text.
    std::size_t capacity = 1000;
    WebhookOverflow overflow = WebhookOverflow::drop_newest;
    /// What follows an attempt without an answer, or with a status of 429 or from 500 on. A callable of the program
    /// runs on the notifier's thread; what it throws counts as no retry.
    RetryPolicy retry =
        exponential_backoff({.max_attempts = 6, .first_delay = std::chrono::seconds{2}, .factor = 4.0, .jitter = 0.2});
    /// A `Retry-After` of the answer makes the wait longer, but not longer than this; 0: it is not regarded.
    std::chrono::nanoseconds max_retry_after = std::chrono::minutes{10};
    /// One attempt may take so long; more than 0.
    std::chrono::nanoseconds request_timeout = std::chrono::seconds{10};
    /// So long after the event it is no longer told; more than 0.
    std::chrono::nanoseconds delivery_timeout = std::chrono::hours{1};
    /// Told of each delivery that was given up, and how many were dropped, on the notifier's thread. Of URLs it gets
    /// the origin only. It may call the notifier; `flush` and `stop` do not wait then.
    std::function<void(std::string_view)> on_diagnostic = {};
    /// What times are told and waits measured by; requests take real time.
    AnyClock clock = {};
};

/// Counts since the notifier was made.
struct WebhookStats {
    std::uint64_t sent = 0;    ///< deliveries answered with a status from 200 to 299
    std::uint64_t failed = 0;  ///< deliveries given up
    std::uint64_t retried = 0; ///< attempts beyond the first of each delivery
    std::uint64_t dropped = 0; ///< deliveries without a place in the queue, in memory, or before the end of `stop`
    std::size_t queued = 0;    ///< deliveries that wait, and the one that is under way; now
};

/// A delivery that did not happen.
struct UndeliveredWebhook {
    std::string delivery_id = {};
    WebhookEvent event = WebhookEvent::failure;
    std::string job_id = {};
    std::string url = {};
    std::uint32_t attempts = 0;
    std::string last_error = {}; ///< empty: it was not attempted
};

/// What a `stop` found.
struct WebhookStopReport {
    std::vector<UndeliveredWebhook> undelivered = {}; ///< oldest first
};

} // namespace daybook::inline v0::http

#endif
