// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_ADAPTERS_PISTACHE_HPP
#define DAYBOOK_ADAPTERS_PISTACHE_HPP

/// @file
/// A router in a program's own Pistache server (0.0.5 of September 2022, which Debian 12 has).

#include <daybook/http/framing.hpp>
#include <daybook/http/message.hpp>
#include <daybook/http/router.hpp>

#include <pistache/http.h>
#include <pistache/router.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <iterator>
#include <memory>
#include <ostream>
#include <string>
#include <utility>

namespace daybook::inline v0 {

/// Translates between Pistache and http::Router. Use `mount`; the member is for programs with a handler of their own.
///
/// For trusted clients only: put a proxy before it. Pistache answers some malformed requests with 500 and the text of
/// an exception, keeps a connection open after it has said that it closes it, and of two lengths takes one.
/// What it does not hand on cannot reach the router: parameters of a query come in any order and the first of
/// those with one name alone, and of headers with one name the last alone. The answer to HEAD has the length 0, or
/// Pistache would send the body.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: safe, every member.
class PistacheAdapter {
public:
    explicit PistacheAdapter(http::Router router) : router_{std::make_shared<const http::Router>(std::move(router))} {}

    /// Sends the answer.
    void answer(const Pistache::Http::Request& request, Pistache::Http::ResponseWriter response) const {
        http::Response answered;
        try {
            const auto translated = translate(request);
            answered = http::has_doubtful_length(translated.headers) ? http::doubtful_length_response()
                                                                     : router_->handle(translated);
        } catch (const std::exception&) { // no memory
            response.send(Pistache::Http::Code::Internal_Server_Error);
            return;
        }
        for (auto header = answered.headers.begin(); header != answered.headers.end(); ++header) {
            const auto is_same = [&](const http::Header& each) { return http::is_same_name(each.name, header->name); };
            if (std::any_of(answered.headers.begin(), header, is_same)) { continue; }
            std::string values = header->value;
            for (auto again = std::next(header); again != answered.headers.end(); ++again) {
                if (is_same(*again)) { values += "\r\n" + again->name + ": " + again->value; }
            }
            response.headers().add(std::make_shared<Line>(header->name, std::move(values)));
        }
        const bool has_body =
            request.method() != Pistache::Http::Method::Head && answered.status != 204 && answered.status != 304;
        response.send(static_cast<Pistache::Http::Code>(answered.status), has_body ? answered.body : std::string{});
    }

private:
    /// Pistache sends no headers but those that are objects, and one of each name.
    class Line : public Pistache::Http::Header::Header {
    public:
        Line(std::string name, std::string value) : name_{std::move(name)}, value_{std::move(value)} {}
        [[nodiscard]] const char* name() const override { return name_.c_str(); }
        void write(std::ostream& stream) const override { stream << value_; }
        [[nodiscard]] std::uint64_t hash() const override { return 0; } // none of Pistache's own types

    private:
        std::string name_;
        std::string value_;
    };

    [[nodiscard]] static http::Request translate(const Pistache::Http::Request& request) {
        http::Request translated{.method = Pistache::Http::methodString(request.method()),
                                 .target = request.resource() + request.query().as_str()};
        for (const auto& header : request.headers().rawList()) {
            translated.headers.push_back({header.second.name(), header.second.value()});
        }
        translated.body = request.body();
        translated.remote = request.address().host();
        return translated;
    }

    std::shared_ptr<const http::Router> router_;
};

/// Lets the router answer whatever the program has no route of its own for. The server keeps a copy of the router.
///
/// Pistache refuses requests of more than 4096 bytes: give the endpoint's options a `maxRequestSize` of the router's
/// `max_body_bytes()` and 32 KiB. It keeps connections open for those clients only that ask for it.
inline void mount(Pistache::Rest::Router& server, http::Router router) {
    server.addNotFoundHandler([adapter = PistacheAdapter{std::move(router)}](const Pistache::Rest::Request& request,
                                                                             Pistache::Http::ResponseWriter response) {
        adapter.answer(request, std::move(response));
        return Pistache::Rest::Route::Result::Ok;
    });
}

} // namespace daybook::inline v0

#endif
