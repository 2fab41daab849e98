// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_HTTP_JOBS_API_OPTIONS_HPP
#define DAYBOOK_HTTP_JOBS_API_OPTIONS_HPP

/// @file
/// What the jobs API takes from a program: its bounds, and what it opens.

#include <daybook/http/http_url.hpp>
#include <daybook/policy/retry.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <string_view>

namespace daybook::inline v0::http {

/// Hooks are called from whatever threads the program's server has, all at once unless it says otherwise; what they
/// throw but an Error is a 500.
struct JobsApiOptions {
    /// Jobs there may be, those of the program's own included; over HTTP no further one is made.
    std::size_t max_jobs = 10'000;

    /// Bytes that the `parameters` of a job may have, or what an `api_url` job sends.
    std::size_t max_parameter_bytes = std::size_t{64} << 10U;

    /// The retries of a job that asks for AT_LEAST_ONCE, or says nothing, and names none: three more attempts after 2,
    /// 4 and 8 seconds.
    RetryPolicy at_least_once =
        exponential_backoff({.max_attempts = 4, .first_delay = std::chrono::seconds{2}, .factor = 2.0});

    /// Whether jobs that are made over HTTP may call this URL, and webhooks be sent there: who may make a job decides
    /// otherwise what is called from inside the program's network. For instance allow_hosts; empty: none. The handler
    /// asks again whenever it runs, see HttpJobOptions::allow_url.
    AllowUrl allow_url = {};

    /// Where the events of one job are sent, for instance by the webhook notifier. Without `set_webhook` a
    /// `webhook_url` is refused. A std::invalid_argument that `set_webhook` throws is told to the client, and nothing
    /// is made or changed. It is called before the job is made or changed, and may be called for one that is not made
    /// after all: then `remove_webhook` follows, or `set_webhook` with the URL that this API had set before.
    ///
    /// `remove_webhook` is called for a job that is deleted here, and for one that is made here without `webhook_url`,
    /// so that nobody inherits the target of an earlier job of the same id. Targets of jobs that end by themselves, or
    /// that the program removes, stay until then, or until the program removes them
    /// (WebhookNotifier::remove_job_target).
    ///
    /// Both are called under a mutex of the API, one at a time: they must not call this API.
    std::function<void(std::string_view job_id, std::string_view url)> set_webhook = {};
    std::function<void(std::string_view job_id)> remove_webhook = {};
    std::function<bool(std::string_view job_id)> has_webhook = {};
};

} // namespace daybook::inline v0::http

#endif
