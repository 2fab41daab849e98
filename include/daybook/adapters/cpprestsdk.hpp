// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_ADAPTERS_CPPRESTSDK_HPP
#define DAYBOOK_ADAPTERS_CPPRESTSDK_HPP

/// @file
/// A router as the handler of a program's own http_listener (C++ REST SDK 2.10; tested with 2.10.18; not on Windows).

#include <daybook/http/framing.hpp>
#include <daybook/http/message.hpp>
#include <daybook/http/router.hpp>

#include <cpprest/http_listener.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <exception>
#include <iterator>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

namespace daybook::inline v0 {

/// Translates between the C++ REST SDK and http::Router. Use `mount`; the member is for programs that have a handler of
/// their own.
///
/// The SDK joins headers of one name with commas before it hands them on. The answer to HEAD has the length 0: the SDK
/// can send no other length without a body.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: safe, every member.
class CpprestsdkAdapter {
public:
    explicit CpprestsdkAdapter(http::Router router)
        : router_{std::make_shared<const http::Router>(std::move(router))} {}

    /// Answers when the body is there; one that is announced as too large is not looked at.
    void answer(web::http::http_request request) const {
        const auto adapter = *this; // outlives the wait
        const auto reply = [adapter, request](std::string body) {
            auto translated = translate(request);
            translated.body = std::move(body);
            send(http::has_doubtful_length(translated.headers) ? http::doubtful_length_response()
                                                               : adapter.router_->handle(translated),
                 request);
        };
        if (is_too_large(request)) {
            settle(pplx::create_task([reply, most = router_->max_body_bytes()] {
                reply(std::string(most + 1, '\0')); // the router knows what to say to that
            }));
            return;
        }
        settle(request.content_ready().then([reply](web::http::http_request ready) {
            const auto bytes = ready.extract_vector().get();
            reply(std::string{bytes.begin(), bytes.end()});
        }));
    }

private:
    [[nodiscard]] bool is_too_large(const web::http::http_request& request) const {
        const auto found = request.headers().find("Content-Length");
        if (found == request.headers().end()) { return false; }
        const auto& text = found->second;
        std::uint64_t length = 0;
        const auto result = std::from_chars(text.data(), text.data() + text.size(), length);
        return result.ec != std::errc{} || length > router_->max_body_bytes();
    }

    /// An exception that nobody takes from a task would end the program.
    static void settle(const pplx::task<void>& task) {
        task.then([](const pplx::task<void>& done) {
            try {
                done.get();
            } catch (const std::exception&) { // NOLINT(bugprone-empty-catch): the connection is gone, or no memory
            }
        });
    }

    [[nodiscard]] static http::Request translate(const web::http::http_request& request) {
        http::Request translated{.method = request.method(),
                                 .target = request.request_uri().to_string(),
                                 .remote = request.remote_address()};
        for (const auto& header : request.headers()) { translated.headers.push_back({header.first, header.second}); }
        return translated;
    }

    static void send(const http::Response& answer, const web::http::http_request& request) {
        web::http::http_response response{static_cast<web::http::status_code>(answer.status)};
        auto& headers = response.headers();
        const bool is_head = request.method() == web::http::methods::HEAD;
        if (!is_head && answer.status != 204 && answer.status != 304) {
            response.set_body(answer.body, "application/octet-stream"); // unless the answer says what it is
        }
        for (auto header = answer.headers.begin(); header != answer.headers.end(); ++header) {
            const auto is_same = [&](const http::Header& each) { return http::is_same_name(each.name, header->name); };
            if (std::any_of(answer.headers.begin(), header, is_same)) { continue; }
            std::string lines = header->value; // the SDK would join them with a comma, which not all headers allow
            for (auto again = std::next(header); again != answer.headers.end(); ++again) {
                if (is_same(*again)) { lines += "\r\n" + again->name + ": " + again->value; }
            }
            headers.remove(header->name);
            headers.add(header->name, lines);
        }
        settle(request.reply(response));
    }

    std::shared_ptr<const http::Router> router_;
};

/// Lets the router answer what comes to the listener, but for the methods that the program gives a handler of its own
/// with `support(method, handler)`. Paths are the whole ones: a listener at `http://host/admin` goes with a router
/// whose prefix is `/admin`. The listener keeps a copy of the router.
///
/// The SDK bounds neither headers, nor bodies, nor the time that a client takes: put a proxy before what strangers can
/// reach.
inline void mount(web::http::experimental::listener::http_listener& listener, http::Router router) {
    const auto handler = [adapter = CpprestsdkAdapter{std::move(router)}](web::http::http_request request) {
        adapter.answer(std::move(request));
    };
    listener.support(handler);
    listener.support(web::http::methods::OPTIONS, handler); // which the SDK would answer itself
    listener.support(web::http::methods::TRCE, handler);
}

} // namespace daybook::inline v0

#endif
