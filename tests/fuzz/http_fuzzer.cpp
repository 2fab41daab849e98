// SPDX-License-Identifier: MIT

/// @file
/// Any bytes as a request: the method and the target up to the first line break, a header on each line up to an empty
/// one, then the body. Read by the query parser, and answered by a router with every API, to somebody who may do
/// everything.

#include "require.hpp"

#include <daybook/adapters/nlohmann_json.hpp>
#include <daybook/daybook.hpp>
#include <daybook/http.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

namespace http = daybook::http;
using fuzz::require;
using namespace std::chrono_literals;

/// What a router is asked about: made anew for each input, so that an input is a whole reproduction.
struct Program {
    daybook::ManualClock clock{daybook::sys_time{1'700'000'000s}};
    daybook::Scheduler<> scheduler{{.clock = clock}};
    http::Router router = {};

    Program() {
        scheduler.handlers().add("reports", "daily", [] { return std::string{"sent"}; });
        scheduler.add("cleanup", daybook::every(1h), [] {});
        auto log = scheduler.log();
        const auto ran = log.record_start("cleanup", "cleanup", "");
        log.record_success(ran, "3 \xE2\x82\xAC");
        log.record_error(log.record_start("daily_report", "reports", "daily"), "no \"paper\"");
        (void)log.record_start("daily_report", "reports", "daily");
        router = http::Router{{.authorize = http::allow_changes()}};
        router.add(http::executions_api(log));
        router.add(http::jobs_api<daybook::nlohmann_json>(scheduler));
        router.add(http::dashboard());
        router.add(http::audit_api(router.audit()));
    }
};

http::Request request_of(std::string_view text) {
    const auto take_line = [&] {
        const auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        return line;
    };
    const auto first = take_line();
    const auto space = std::min(first.find(' '), first.size());
    http::Request request{.method = std::string{first.substr(0, space)},
                          .target = std::string{first.substr(std::min(first.size(), space + 1))}};
    for (auto line = take_line(); !line.empty(); line = take_line()) {
        const auto colon = std::min(line.find(": "), line.size());
        request.headers.push_back(
            {std::string{line.substr(0, colon)}, std::string{line.substr(std::min(line.size(), colon + 2))}});
    }
    request.body = text;
    return request;
}

std::string encoded(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string escaped;
    for (const char letter : text) {
        const auto byte = static_cast<unsigned char>(letter);
        escaped += {'%', digits[byte >> 4U], digits[byte & 0xFU]};
    }
    return escaped;
}

/// What the parser read must be read again when it is written out with every byte escaped.
void check_target(const http::Request& request) {
    try {
        const auto target = http::Target::parse(request.target);
        require(!target.segments.empty(), "a path has a segment");
        std::string written;
        for (const auto& segment : target.segments) {
            require(segment.find('\0') == std::string::npos, "no NUL comes through");
            written += "/" + encoded(segment);
        }
        const auto again = http::Target::parse(written, written.size());
        require(again.segments == target.segments, "a path that is written out parses back");
    } catch (const http::Error& error) {
        require(error.status() == 400 || error.status() == 414, "a bad target is 400 or 414");
        require(std::string_view{error.what()}.size() < 9000, "a refusal is not longer than what was sent");
    }
}

void check_response(const http::Response& response) {
    require(response.status >= 200 && response.status < 600, "a status is one");
    require(response.status != 500, "no input is a 500");
    require(response.header("X-Content-Type-Options") != nullptr, "every answer carries the security headers");
    for (const auto& header : response.headers) {
        require(header.value.find_first_of(std::string_view{"\r\n\0", 3}) == std::string::npos,
                "no header begins another");
    }
    require(response.status != 304 || response.body.empty(), "304 has no body");
    if (response.status >= 400) {
        require(daybook::nlohmann_json::parse(response.body).document.has_value(), "a refusal is JSON");
    }
    if (response.status == 405) { require(response.header("Allow") != nullptr, "405 says what is allowed"); }
    const auto* const type = response.header("Content-Type");
    if (type != nullptr && *type == "application/json" && !response.body.empty()) {
        require(daybook::nlohmann_json::parse(response.body).document.has_value(), "what is called JSON is JSON");
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto request = request_of({reinterpret_cast<const char*>(data), size});
    check_target(request);
    const Program program;
    check_response(program.router.handle(request));
    return 0;
}
