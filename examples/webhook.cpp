// SPDX-License-Identifier: MIT
//
// A job that fails, and a URL that is told about it. Usage: webhook [URL]; without one the program receives it itself,
// and checks the signature.
#include <daybook/adapters/httplib_client.hpp>
#include <daybook/adapters/openssl.hpp>
#include <daybook/daybook.hpp>
#include <daybook/http/webhook.hpp>

#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <thread>

using namespace std::chrono_literals;

int main(int argc, char* argv[]) {
    const std::string secret = "a long random text that both sides know";

    httplib::Server receiver; // elsewhere, as a rule
    receiver.Post("/jobs", [&](const httplib::Request& request, httplib::Response& response) {
        const auto verdict =
            daybook::verify_signature(secret, request.get_header_value("Daybook-Signature"), request.body);
        response.status = verdict == daybook::SignatureVerdict::valid ? 204 : 401;
        std::printf("%d for %s\n", response.status, request.body.c_str());
    });
    const int port = receiver.bind_to_any_port("127.0.0.1");
    std::thread listener{[&] { receiver.listen_after_bind(); }};

    daybook::http::WebhookNotifier webhooks{
        {.url = argc > 1 ? argv[1] : "http://127.0.0.1:" + std::to_string(port) + "/jobs",
         .send = daybook::httplib_send(),
         .sign = daybook::openssl_hmac_sha256(secret)}};
    daybook::Scheduler scheduler{{.hooks = webhooks.hooks()}};
    scheduler.add("backup", daybook::every(1h), []() -> std::string { throw std::runtime_error{"the disk is full"}; });
    scheduler.start();
    scheduler.trigger("backup");
    while (scheduler.log().stats().error_count == 0) { std::this_thread::sleep_for(10ms); }
    scheduler.stop(1s);

    const auto report = webhooks.stop(10s);
    for (const auto& lost : report.undelivered) { std::printf("not told: %s\n", lost.job_id.c_str()); }
    receiver.stop();
    listener.join();
    return report.undelivered.empty() ? 0 : 1;
}
