// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_WEBHOOK_WORDS_HPP
#define DAYBOOK_DETAIL_WEBHOOK_WORDS_HPP

/// @file
/// What a webhook says, and what the answer says about trying again.

#include <daybook/http/webhook_options.hpp>
#include <daybook/scheduler_hooks.hpp>
#include <daybook/text/json_writer.hpp>
#include <daybook/text/timestamp.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace daybook::inline v0::detail {

/// One thing to tell to one URL.
struct WebhookDelivery {
    http::WebhookEvent event = http::WebhookEvent::failure;
    JobEvent job = {};
    std::string_view status = {}; ///< of a failure
    std::string url = {};
    bool is_job_target = false;
    sys_time at = {};
    steady_time begin = {};
    std::uint32_t attempts = 0;
    std::string id = {};
    std::string body = {}; ///< made for the first attempt
    std::string last_error = {};
};

/// The JSON that is told.
/// @param error  As it may be shown; none: there is none, or it could not be made presentable.
[[nodiscard]] inline std::string webhook_body(const WebhookDelivery& delivery,
                                              const std::optional<std::string>& error) {
    const auto& job = delivery.job;
    const bool is_failure = delivery.event == http::WebhookEvent::failure;
    std::string body;
    JsonWriter writer{body};
    writer.begin_object();
    writer.member("event", to_string(delivery.event)).member("delivery_id", delivery.id);
    writer.member("job_id", job.job_id).member("handler_id", job.handler_id);
    writer.member("execution_id",
                  job.execution_id == 0 ? std::optional<ExecutionId>{} : std::optional{job.execution_id});
    writer.member("attempt", job.attempt_number);
    if (is_failure) {
        writer.member("is_final", job.is_final).member("status", delivery.status);
    } else {
        writer.member("last_success", job.last_success);
    }
    writer.member("scheduled_at", job.scheduled_at).member("error", error).member("at", delivery.at);
    writer.end_object();
    return body;
}

/// Seconds since 1970 of an instant such as `Sun, 06 Nov 1994 08:49:37 GMT`, the one form that is sent today
/// (IMF-fixdate, RFC 9110, 5.6.7); empty for anything else.
[[nodiscard]] inline std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text) {
    using namespace std::chrono;
    constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
    constexpr std::size_t length = 29;
    if (text.size() != length || text.substr(3, 2) != ", " || !text.ends_with(" GMT")) { return std::nullopt; }
    const auto month_at = months.find(text.substr(8, 3));
    if (month_at == std::string_view::npos || month_at % 3 != 0) { return std::nullopt; }
    const auto two = [](std::size_t number) { return std::string{two_digits.data() + 2 * number, 2}; };
    // What is left to check is what a timestamp consists of.
    auto stamp = std::string{text.substr(12, 4)} + "-" + two(month_at / 3 + 1) + "-" + std::string{text.substr(5, 2)};
    stamp += "T" + std::string{text.substr(17, 8)} + "Z";
    const auto instant = parse_timestamp(stamp);
    if (!instant || text[7] != ' ' || text[11] != ' ' || text[16] != ' ') { return std::nullopt; }
    return floor<seconds>(*instant);
}

/// How long a `Retry-After` header (RFC 9110, 10.2.3) asks to wait, at most `most`; 0 where it says nothing.
[[nodiscard]] inline std::chrono::nanoseconds retry_after(const std::string* header, sys_time now,
                                                          std::chrono::nanoseconds most) {
    using namespace std::chrono;
    if (header == nullptr || header->empty()) { return nanoseconds::zero(); }
    if (std::all_of(header->begin(), header->end(), [](char byte) { return byte >= '0' && byte <= '9'; })) {
        seconds asked{0};
        for (const char digit : *header) {
            asked = asked * 10 + seconds{digit - '0'};
            if (asked > floor<seconds>(most)) { return most; }
        }
        return asked;
    }
    const auto until = parse_http_date(*header);
    if (!until || *until <= now) { return nanoseconds::zero(); }
    const auto asked = *until - now;
    return asked > floor<microseconds>(most) ? most : duration_cast<nanoseconds>(asked);
}

/// Whether another attempt may help.
[[nodiscard]] inline bool is_worth_retrying(const http::HttpReply& reply) noexcept {
    if (reply.outcome == http::HttpOutcome::answered) { return reply.status == 429 || reply.status >= 500; }
    return reply.outcome != http::HttpOutcome::refused;
}

/// What went wrong; never empty.
[[nodiscard]] inline std::string describe_failure(const http::HttpReply& reply) {
    if (reply.outcome == http::HttpOutcome::answered) { return "HTTP " + std::to_string(reply.status); }
    return reply.error.empty() ? "there is no answer" : reply.error;
}

} // namespace daybook::inline v0::detail

#endif
