// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_HTTP_HTTP_JOB_HPP
#define DAYBOOK_HTTP_HTTP_JOB_HPP

/// @file
/// Jobs that are requests to other servers, made of data: the handler `("http", "request")`.

#include <daybook/detail/http_handler_names.hpp>
#include <daybook/http/http_send.hpp>
#include <daybook/http/http_url.hpp>
#include <daybook/http/json_reader.hpp>
#include <daybook/http/message.hpp>
#include <daybook/job/handlers.hpp>
#include <daybook/job/job_context.hpp>
#include <daybook/time/wall_clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace daybook::inline v0::http {

/// What such a job asks for, as its parameters have it.
struct HttpJob {
    std::string url = {};
    std::string method = "POST";
    Headers headers = {};
    std::string body = {};
};

/// How the handler runs them.
struct HttpJobOptions {
    /// Which addresses may be asked, at every execution and at each redirect; empty: none. See allow_hosts.
    AllowUrl allow_url = {};
    /// What is kept of an answer's body; the log may keep less, see LogOptions::max_text_bytes.
    std::size_t max_response_bytes = 4096;
    /// One request may take so long, redirects included; the job's own timeout may end it earlier. More than 0.
    std::chrono::nanoseconds timeout = std::chrono::seconds{30};
    /// For one connection; more than 0. Heeded by the adapter's own transport.
    std::chrono::nanoseconds connect_timeout = std::chrono::seconds{5};
    /// How often a redirect is followed; after that it is the answer.
    std::size_t max_redirects = 0;
    /// The scheduler's, so that its deadlines can be told.
    AnyClock clock = {};
};

/// Thrown by the handler: there is no answer, or it has a status from 400 on. For RetryPolicy::only_if.
class HttpJobError : public std::runtime_error {
public:
    HttpJobError(const std::string& what, HttpOutcome outcome, int status)
        : std::runtime_error{what}, outcome_{outcome}, status_{status} {}

    [[nodiscard]] HttpOutcome outcome() const noexcept { return outcome_; }
    [[nodiscard]] int status() const noexcept { return status_; } ///< 0: no answer

private:
    HttpOutcome outcome_;
    int status_;
};

/// Reads `{"url":"…","method":"POST","headers":{"Name":"value"},"body":"…"}`; all but the URL may be left out. To
/// refuse a job when it is added, and not when it runs.
/// @tparam Json  A json_reader.
/// @throws std::invalid_argument  A sentence for people that names the member and says what is allowed.
template <json_reader Json>
[[nodiscard]] HttpJob parse_http_job(std::string_view parameters) {
    const auto refuse = [](const std::string& why) {
        throw std::invalid_argument{"the parameters of an HTTP job " + why};
    };
    const auto parsed = Json::parse(parameters);
    if (!parsed.document) { refuse("must be JSON: " + parsed.error); }
    if (Json::kind(*parsed.document) != JsonKind::object) { refuse("must be a JSON object"); }
    HttpJob job;
    const auto take = [&](std::string_view name, const typename Json::Value& value, std::string& to) {
        const auto text = Json::text(value);
        if (!text) { refuse("have something as " + std::string{name} + " that is no string"); }
        to = *text;
    };
    Json::for_each_member(*parsed.document, [&](std::string_view name, const typename Json::Value& value) {
        if (name == "url") {
            take(name, value, job.url);
        } else if (name == "method") {
            take(name, value, job.method);
        } else if (name == "body") {
            take(name, value, job.body);
        } else if (name == "headers") {
            if (Json::kind(value) != JsonKind::object) { refuse("have something as headers that is no object"); }
            Json::for_each_member(value, [&](std::string_view header, const typename Json::Value& content) {
                std::string text;
                take("a header", content, text);
                job.headers.push_back({std::string{header}, std::move(text)});
            });
        } else {
            refuse("may have url, method, headers and body, and nothing else");
        }
    });
    if (job.url.empty()) { refuse("must have a url"); }
    (void)parse_http_url(job.url);
    if (!is_sendable_method(job.method)) {
        refuse("have another method than DELETE, GET, HEAD, OPTIONS, PATCH, POST and PUT");
    }
    constexpr std::size_t max_headers = 100;
    if (job.headers.size() > max_headers) { refuse("have more than 100 headers"); }
    for (const auto& header : job.headers) {
        if (!is_sendable_header(header.name, header.value)) {
            refuse("have a header that may not be sent: no control characters, at most 8192 bytes, and none that "
                   "belongs to the connection, such as Host or Content-Length");
        }
    }
    return job;
}

/// Registers the handler `("http", "request")` over any transport; `daybook::add_http_handler` brings one along.
///
/// A job of it sends its request, by default a POST, and succeeds with the answer's body, cut at
/// HttpJobOptions::max_response_bytes, as its result. It fails where there is no answer, or one with a status from 400
/// on; what the answer said is then kept as the metadata `response`. The record's metadata also say `http_status`,
/// `latency_ms` (whole milliseconds, redirects included) and, where the body was cut, `response_is_cut`. A body goes as
/// `application/json` unless a header says otherwise. The job's stop token ends the request, and so does its
/// timeout.
/// @throws std::invalid_argument  The names are taken, there is nothing to send with, or a timeout is not more than 0.
template <json_reader Json, class Result>
void add_http_handler(Handlers<Result>& handlers, HttpSend send, HttpJobOptions options) {
    const auto zero = std::chrono::nanoseconds::zero();
    if (options.timeout <= zero || options.connect_timeout <= zero) {
        throw std::invalid_argument{"daybook: the timeouts of HttpJobOptions must be more than 0"};
    }
    auto ask =
        following_redirects(std::move(send), {.max_redirects = options.max_redirects, .allow_url = options.allow_url});
    handlers.add(
        detail::http_handler, detail::http_handler_method,
        [ask = std::move(ask), options = std::move(options)](JobContext& context) -> std::string {
            auto job = parse_http_job<Json>(context.parameters());
            HttpCall call{.method = std::move(job.method),
                          .url = std::move(job.url),
                          .headers = std::move(job.headers),
                          .body = std::move(job.body),
                          .timeout = options.timeout,
                          .max_response_bytes = options.max_response_bytes,
                          .stop = context.stop_token()};
            if (!call.body.empty() && find_header(call.headers, "Content-Type") == nullptr) {
                call.headers.push_back({"Content-Type", "application/json"});
            }
            const auto begin = options.clock.steady_now();
            if (const auto deadline = context.deadline()) {
                // A little later, so that it is the scheduler that finds the timeout, and records it as one.
                const auto left = *deadline - begin + std::chrono::seconds{1};
                call.timeout = std::min(call.timeout, std::max(left, std::chrono::nanoseconds{1}));
            }
            auto reply = ask(call);
            const auto latency =
                std::chrono::duration_cast<std::chrono::milliseconds>(options.clock.steady_now() - begin);
            context.metadata("latency_ms", std::to_string(latency.count()));
            if (reply.status != 0) { context.metadata("http_status", std::to_string(reply.status)); }
            if (reply.is_cut) { context.metadata("response_is_cut", "true"); }
            if (reply.outcome == HttpOutcome::answered && reply.status < 400) { return std::move(reply.body); }
            if (!reply.body.empty()) { context.metadata("response", reply.body); }
            const bool is_answer = reply.outcome == HttpOutcome::answered;
            throw HttpJobError{is_answer             ? "the answer was HTTP " + std::to_string(reply.status)
                               : reply.error.empty() ? "there was no answer"
                                                     : reply.error,
                               reply.outcome, is_answer ? reply.status : 0};
        },
        "Sends an HTTP request; parameters: {\"url\", \"method\", \"headers\", \"body\"}");
}

} // namespace daybook::inline v0::http

#endif
