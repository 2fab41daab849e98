// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_ADAPTERS_PISTACHE_HPP
#define DAYBOOK_ADAPTERS_PISTACHE_HPP

/// @file
/// A router in a program's own Pistache server (0.0.5 of September 2022, which Debian 12 has).

#include <daybook/http/framing.hpp>
#include <daybook/http/message.hpp>
#include <daybook/http/router.hpp>

#include <pistache/async.h>
#include <pistache/http.h>
#include <pistache/http_headers.h>
#include <pistache/peer.h>
#include <pistache/router.h>

#include <poll.h>
#include <sys/socket.h>
#include <sys/types.h>

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
/// For trusted clients only: put a proxy before it that gathers bodies and hands them on with a length. Of a chunked
/// body, a size below 0, and the end of a chunk that comes in two reads, take one of Pistache's threads for ever. It
/// answers some malformed requests with 500 and the text of an exception, of two lengths takes one, and drops what a
/// client sends behind a request before the answer. Where a client has gone, a refusal of its own may go to whoever
/// gets the same descriptor next; of the router's answers hardly any does.
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
        if (answered.header("Connection") != nullptr) { // ours says only that it ends; Pistache's stands there first
            response.headers().remove<Pistache::Http::Header::Connection>();
            response.headers().add<Pistache::Http::Header::Connection>(Pistache::Http::ConnectionControl::Close);
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
        const auto peer = peer_of(response);
        if (peer == nullptr || has_gone(*peer)) { return; }
        const bool is_last = ends_connection(response);
        auto sent =
            response.send(static_cast<Pistache::Http::Code>(answered.status), has_body ? answered.body : std::string{});
        if (!is_last) { return; }
        sent.then([peer = std::weak_ptr{peer}](ssize_t) { end_sending(peer); }, Pistache::Async::IgnoreException);
    }

private:
    /// @returns Null where the connection has ended already.
    [[nodiscard]] static std::shared_ptr<Pistache::Tcp::Peer> peer_of(const Pistache::Http::ResponseWriter& response) {
        try {
            return response.peer();
        } catch (const std::exception&) { return nullptr; }
    }

    /// Whether the client has ended its side. Pistache closes the connection then, and what is still to be written goes
    /// to whoever gets the same descriptor next.
    [[nodiscard]] static bool has_gone(const Pistache::Tcp::Peer& peer) noexcept {
        pollfd socket{peer.fd(), POLLRDHUP, 0}; // an error comes unasked
        return ::poll(&socket, 1, 0) > 0;
    }

    /// Pistache says so of every connection that it was not asked to keep, and then keeps it.
    [[nodiscard]] static bool ends_connection(const Pistache::Http::ResponseWriter& response) {
        const auto header = response.headers().tryGet<Pistache::Http::Header::Connection>();
        return header != nullptr && header->control() == Pistache::Http::ConnectionControl::Close;
    }

    /// The server closes the descriptor, once the client has ended its side too.
    static void end_sending(const std::weak_ptr<Pistache::Tcp::Peer>& weak) noexcept {
        if (const auto peer = weak.lock()) { ::shutdown(peer->fd(), SHUT_WR); }
    }

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

    [[nodiscard]] static std::string trimmed(const std::string& value) {
        const auto begin = value.find_first_not_of(" \t");
        return begin == std::string::npos ? "" : value.substr(begin, value.find_last_not_of(" \t") - begin + 1);
    }

    [[nodiscard]] static http::Request translate(const Pistache::Http::Request& request) {
        http::Request translated{.method = Pistache::Http::methodString(request.method()),
                                 .target = request.resource() + request.query().as_str()};
        for (const auto& header : request.headers().rawList()) {
            translated.headers.push_back({header.second.name(), trimmed(header.second.value())});
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
