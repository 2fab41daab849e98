// SPDX-License-Identifier: MIT
#include "support/catch.hpp"

#include "odd_server.hpp"

#include <daybook/adapters/httplib_client.hpp>
#include <daybook/adapters/openssl.hpp>
#include <daybook/daybook.hpp>
#include <daybook/http/webhook.hpp>

#include <httplib.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using daybook::http::WebhookNotifier;

namespace {

/// Receives webhooks, checks their signatures, and answers with one status after the other; with 200 after the last.
class WebhookReceiver {
public:
    explicit WebhookReceiver(std::vector<int> statuses) {
        server_.Post("/", [this, statuses](const httplib::Request& request, httplib::Response& response) {
            const std::scoped_lock lock{mutex_};
            response.status = seen_.size() < statuses.size() ? statuses[seen_.size()] : 200;
            response.set_header("Retry-After", "0");
            const auto verdict =
                daybook::verify_signature("secret", request.get_header_value("Daybook-Signature"), request.body);
            seen_.push_back((verdict == daybook::SignatureVerdict::valid ? "valid " : "wrong ") +
                            request.get_header_value("Daybook-Event") + " " +
                            request.get_header_value("Daybook-Delivery"));
        });
        port_ = server_.bind_to_any_port("127.0.0.1");
        thread_ = std::thread{[this] { server_.listen_after_bind(); }};
        while (!server_.is_running()) { std::this_thread::yield(); }
    }
    WebhookReceiver(const WebhookReceiver&) = delete;
    WebhookReceiver& operator=(const WebhookReceiver&) = delete;
    ~WebhookReceiver() {
        server_.stop();
        thread_.join();
    }
    [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
    [[nodiscard]] std::vector<std::string> seen() const {
        const std::scoped_lock lock{mutex_};
        return seen_;
    }

private:
    httplib::Server server_;
    mutable std::mutex mutex_;
    std::vector<std::string> seen_; // guarded by mutex_
    int port_ = -1;
    std::thread thread_;
};

daybook::http::WebhookOptions delivering_to(const std::string& url) {
    return {.url = url,
            .send = daybook::httplib_send(),
            .sign = daybook::openssl_hmac_sha256("secret"),
            .retry = daybook::fixed_backoff({.max_attempts = 5, .delay = 1ms})};
}

} // namespace

TEST_CASE("a webhook arrives, signed, however often it takes") {
    const WebhookReceiver receiver{{500, 429, 503}};
    WebhookNotifier webhooks{delivering_to(receiver.url())};
    webhooks.hooks().on_error({.job_id = "backup", .error = "disk full"});
    REQUIRE(webhooks.flush(60s));
    const auto seen = receiver.seen();
    REQUIRE(seen.size() == 4);
    CHECK(seen[0].starts_with("valid failure "));
    for (const auto& each : seen) { CHECK(each == seen[0]); }
    CHECK(webhooks.stats().sent == 1);
    CHECK(webhooks.stats().retried == 3);
}

TEST_CASE("a webhook whose server is away is told when it is back") {
    const int listener = OddServer::listen_anywhere();
    const int port = OddServer::port_of(listener);
    ::close(listener);
    std::atomic<int> tries{0};
    auto options = delivering_to("http://127.0.0.1:" + std::to_string(port));
    options.retry = daybook::RetryPolicy{[&](const daybook::Failure&) -> std::optional<std::chrono::nanoseconds> {
        ++tries;
        return 5ms;
    }};
    WebhookNotifier webhooks{options};
    webhooks.hooks().on_error({.job_id = "backup"});
    while (tries < 2) { std::this_thread::sleep_for(1ms); }
    httplib::Server server;
    std::atomic<int> told{0};
    server.Post("/", [&](const httplib::Request&, httplib::Response&) { ++told; });
    REQUIRE(server.bind_to_port("127.0.0.1", port));
    std::thread thread{[&] { server.listen_after_bind(); }};
    CHECK(webhooks.flush(60s));
    CHECK(told == 1);
    server.stop();
    thread.join();
}

TEST_CASE("a webhook's server that hangs holds up neither hooks nor the end of the program") {
    std::atomic<bool> is_asked{false};
    const OddServer server{[&](const OddServer::Peer& peer) {
        is_asked = true;
        peer.hang();
    }};
    auto options = delivering_to(server.url());
    options.request_timeout = 10min;
    const auto begin = std::chrono::steady_clock::now();
    {
        WebhookNotifier webhooks{options};
        const auto hooks = webhooks.hooks();
        for (int count = 0; count < 100; ++count) { hooks.on_error({.job_id = "backup"}); }
        while (!is_asked) { std::this_thread::sleep_for(1ms); }
        CHECK(webhooks.stop(10ms).undelivered.size() == 100);
    }
    {
        is_asked = false;
        WebhookNotifier webhooks{options};
        webhooks.hooks().on_error({.job_id = "backup"});
        while (!is_asked) { std::this_thread::sleep_for(1ms); }
    } // destroyed while it delivers
    CHECK(std::chrono::steady_clock::now() - begin < 60s);
}

TEST_CASE("a webhook does not follow a redirect") {
    const WebhookReceiver elsewhere{{}};
    const OddServer server{"HTTP/1.1 307 Elsewhere\r\nLocation: " + elsewhere.url() + "/\r\nContent-Length: 0\r\n\r\n"};
    WebhookNotifier webhooks{delivering_to(server.url())};
    webhooks.hooks().on_error({.job_id = "backup"});
    REQUIRE(webhooks.flush(60s));
    CHECK(webhooks.stats().failed == 1);
    CHECK(elsewhere.seen().empty());
}
