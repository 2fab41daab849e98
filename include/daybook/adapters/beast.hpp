// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_ADAPTERS_BEAST_HPP
#define DAYBOOK_ADAPTERS_BEAST_HPP

/// @file
/// A router in a program's own server made of Boost.Beast, or in a small ready one (Boost 1.74 and later).

#include <daybook/http/message.hpp>
#include <daybook/http/router.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <vector>

namespace daybook::inline v0 {

using BeastRequest = boost::beast::http::request<boost::beast::http::string_body>;
using BeastResponse = boost::beast::http::response<boost::beast::http::string_body>;

/// The router's answer to a request that was read whole, ready to be written; for a program that has its own server.
///
/// Read with a parser whose `body_limit` is `router.max_body_bytes() + 1`, so that the router can refuse what is
/// larger.
///
/// @param remote  The peer's address, for hooks; may be empty.
/// @throws std::bad_alloc; std::length_error, std::invalid_argument: a handler of the program's made a header or a
///         status that Beast does not take.
[[nodiscard]] inline BeastResponse answer(const http::Router& router, BeastRequest request, std::string remote = {}) {
    namespace beast = boost::beast;
    const auto text = [](beast::string_view view) { return std::string{view.data(), view.size()}; };
    const bool is_head = request.method() == beast::http::verb::head;

    http::Request translated{.method = text(request.method_string()),
                             .target = text(request.target()),
                             .headers = {},
                             .body = std::move(request.body()),
                             .remote = std::move(remote)};
    for (const auto& field : request) {
        translated.headers.push_back({text(field.name_string()), text(field.value())});
    }
    auto answered = router.handle(translated);

    BeastResponse response;
    response.version(request.version());
    response.result(static_cast<unsigned>(answered.status));
    for (const auto& header : answered.headers) {
        response.insert(beast::string_view{header.name.data(), header.name.size()},
                        beast::string_view{header.value.data(), header.value.size()});
    }
    response.keep_alive(request.keep_alive());
    if (answered.status == 204 || answered.status == 304) { return response; }
    response.content_length(answered.body.size());
    if (!is_head) { response.body() = std::move(answered.body); }
    return response;
}

/// How a BeastServer listens.
struct BeastServerOptions {
    std::string address = "127.0.0.1"; ///< the interface's, in numbers: `0.0.0.0` and `::` are all
    std::uint16_t port = 8080;         ///< 0: any that is free; `port()` says which

    /// For a request to come in whole, from the moment that the one before was answered, and for an answer to be taken;
    /// then the connection is closed.
    std::chrono::milliseconds timeout = std::chrono::seconds{30};

    std::uint32_t max_header_bytes = 16384; ///< of the request line and the headers; more is answered with 431
    std::size_t max_connections = 1000;     ///< at once; more wait until one ends
};

/// A small HTTP/1.1 server, for a program that has an io_context but no server. It keeps connections and bounds them,
/// their headers, bodies and time. It has no TLS: put a proxy before it.
///
/// Handlers run on the threads that run the context. The context is destroyed after the server.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: safe, every member.
class BeastServer {
public:
    /// Listens at once; answers as soon as the context is run.
    /// @throws boost::system::system_error  The address is not one, or the port is not free.
    BeastServer(boost::asio::io_context& context, http::Router router, BeastServerOptions options = {})
        : listener_{std::make_shared<Listener>(context, std::move(router), std::move(options))} {
        listener_->accept();
    }
    BeastServer(const BeastServer&) = delete;
    BeastServer& operator=(const BeastServer&) = delete;
    ~BeastServer() { listener_->stop(); }

    [[nodiscard]] std::uint16_t port() const noexcept { return listener_->port; }

    /// Takes no more connections and ends those that wait for a request; what is being answered is sent to its end.
    /// Returns at once. The context's `run()` returns when the last connection has ended, if it has no other work.
    void stop() noexcept { listener_->stop(); }

private:
    using tcp = boost::asio::ip::tcp;
    using ErrorCode = boost::beast::error_code;
    class Session;

    struct Listener : std::enable_shared_from_this<Listener> {
        Listener(boost::asio::io_context& io, http::Router routes, BeastServerOptions wanted)
            : router{std::move(routes)},
              options{std::move(wanted)},
              context{io},
              strand{io.get_executor()},
              acceptor{strand, tcp::endpoint{boost::asio::ip::make_address(options.address), options.port}},
              pause{strand},
              port{acceptor.local_endpoint().port()} {}

        void accept() {
            acceptor.async_accept(boost::asio::make_strand(context),
                                  [self = shared_from_this()](ErrorCode error, tcp::socket socket) {
                                      self->on_accept(error, std::move(socket));
                                  });
        }

        void on_accept(ErrorCode error, tcp::socket socket);

        /// Tries again a little later: at once would only burn the processor.
        void accept_later() {
            pause.expires_after(std::chrono::milliseconds{20});
            pause.async_wait([self = shared_from_this()](ErrorCode) {
                if (!self->acceptor.is_open()) { return; }
                self->is_full() ? self->accept_later() : self->accept();
            });
        }

        [[nodiscard]] bool is_full() {
            const std::lock_guard lock{mutex};
            return sessions.size() >= options.max_connections;
        }

        void stop() noexcept;

        const http::Router router;
        const BeastServerOptions options;
        boost::asio::io_context& context;
        boost::asio::strand<boost::asio::io_context::executor_type> strand;
        tcp::acceptor acceptor;          // used in the strand, as the timer
        boost::asio::steady_timer pause; // until the next accept
        const std::uint16_t port;
        std::mutex mutex;
        std::unordered_set<Session*> sessions; // guarded by mutex
        bool is_stopping = false;              // guarded by mutex
    };

    std::shared_ptr<Listener> listener_;
};

/// One connection: reads a request, answers it, and so on. Everything happens in the strand of its stream.
class BeastServer::Session : public std::enable_shared_from_this<Session> {
    /// `step(*this, results…)` as a completion handler that keeps the session. An exception, which can only be that
    /// there is no memory, ends the connection and not the program.
    template <class Step>
    [[nodiscard]] auto then(Step step) {
        return [self = shared_from_this(), step](const auto&... results) -> void {
            try {
                if constexpr (std::is_invocable_v<const Step&, Session&>) {
                    step(*self);
                } else if constexpr (sizeof...(results) > 0) {
                    step(*self, std::get<0>(std::tie(results...)));
                }
            } catch (const std::exception&) { self->stream_.close(); }
        };
    }

public:
    Session(std::shared_ptr<Listener> listener, tcp::socket socket)
        : listener_{std::move(listener)}, stream_{std::move(socket)} {
        ErrorCode ignored;
        stream_.socket().set_option(tcp::no_delay{true}, ignored);
        if (const auto peer = stream_.socket().remote_endpoint(ignored); !ignored) {
            remote_ = peer.address().to_string();
        }
        const std::lock_guard lock{listener_->mutex};
        is_stopping_ = listener_->is_stopping;
        listener_->sessions.insert(this);
    }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session() {
        const std::lock_guard lock{listener_->mutex};
        listener_->sessions.erase(this);
    }

    void start() {
        boost::asio::dispatch(stream_.get_executor(), then([](Session& self) { self.read_header(); }));
    }

    void stop() {
        boost::asio::post(stream_.get_executor(), then([](Session& self) {
                              self.is_stopping_ = true;
                              ErrorCode ignored; // a read ends now; a write does not
                              self.stream_.socket().shutdown(tcp::socket::shutdown_receive, ignored);
                          }));
    }

private:
    using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

    void read_header() {
        if (is_stopping_) { return; }
        parser_.emplace();
        parser_->header_limit(listener_->options.max_header_bytes);
        parser_->body_limit(listener_->router.max_body_bytes() + 1);
        stream_.expires_after(listener_->options.timeout);
        boost::beast::http::async_read_header(
            stream_, buffer_, *parser_, then([](Session& self, const ErrorCode& error) { self.on_header(error); }));
    }

    void on_header(const ErrorCode& error) {
        namespace beast = boost::beast;
        if (error) { return refuse(error); }
        const auto& request = parser_->get();
        // Something that encodes a body which Beast does not know, and so would take for the next request.
        if (request.count(beast::http::field::transfer_encoding) != 0 && !parser_->chunked()) {
            return refuse(beast::http::error::bad_transfer_encoding);
        }
        if (!parser_->is_done() && beast::iequals(request[beast::http::field::expect], "100-continue")) {
            static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
            return boost::asio::async_write(stream_, boost::asio::buffer(go_on),
                                            then([](Session& self, const ErrorCode& failure) {
                                                if (!failure) { self.read_body(); }
                                            }));
        }
        read_body();
    }

    void read_body() {
        boost::beast::http::async_read(stream_, buffer_, *parser_, then([](Session& self, const ErrorCode& error) {
                                           if (error) { return self.refuse(error); }
                                           self.write(self.respond(self.parser_->release()));
                                       }));
    }

    [[nodiscard]] BeastResponse respond(BeastRequest request) {
        const bool is_kept = request.keep_alive();
        const auto version = request.version();
        try {
            return answer(listener_->router, std::move(request), remote_);
        } catch (const std::exception&) { return plain(500, "the answer could not be made", version, is_kept); }
    }

    [[nodiscard]] static BeastResponse plain(unsigned status, std::string_view message, unsigned version,
                                             bool is_kept) {
        const auto error = http::error_response(static_cast<int>(status), message);
        BeastResponse response{boost::beast::http::int_to_status(status), version, error.body};
        for (const auto& header : error.headers) { response.set(header.name, header.value); }
        response.keep_alive(is_kept);
        response.prepare_payload();
        return response;
    }

    /// Answers what could not be read, where there is somebody to be answered, and ends the connection.
    void refuse(const ErrorCode& error) {
        using Reason = boost::beast::http::error;
        if (error == Reason::body_limit) {
            // The router knows whether there is such a path at all, and what a refusal looks like.
            auto request = std::move(parser_->get());
            request.body().assign(listener_->router.max_body_bytes() + 1, '\0');
            request.keep_alive(false);
            return write(respond(std::move(request)));
        }
        if (error == Reason::header_limit || error == Reason::buffer_overflow) {
            return write(plain(431, "the request line and the headers are too large", 11, false));
        }
        const bool is_malformed = error.category() == make_error_code(Reason::bad_method).category();
        if (is_malformed && error != Reason::end_of_stream && error != Reason::partial_message) {
            return write(plain(400, "this is not a request of HTTP/1.1", 11, false));
        }
    }

    void write(BeastResponse response) {
        response_ = std::move(response);
        stream_.expires_after(listener_->options.timeout);
        boost::beast::http::async_write(stream_, response_, then([](Session& self, const ErrorCode& error) {
                                            if (error) { return; }
                                            if (!self.response_.need_eof()) { return self.read_header(); }
                                            ErrorCode ignored;
                                            self.stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
                                            self.stream_.expires_after(std::chrono::seconds{2});
                                            self.drain();
                                        }));
    }

    /// Reads what the client still sends, for a while: closing over it would take the answer from the client as well.
    void drain() {
        stream_.async_read_some(boost::asio::buffer(unread_), then([](Session& self, const ErrorCode& error) {
                                    if (!error && !self.is_stopping_) { self.drain(); }
                                }));
    }

    const std::shared_ptr<Listener> listener_;
    boost::beast::tcp_stream stream_;
    std::string remote_ = {};
    boost::beast::flat_buffer buffer_ = {};
    std::optional<Parser> parser_ = {}; // a new one for each request
    BeastResponse response_ = {};
    std::array<char, 4096> unread_ = {};
    bool is_stopping_ = false;
};

inline void BeastServer::Listener::on_accept(ErrorCode error, tcp::socket socket) {
    if (!acceptor.is_open()) { return; }
    try {
        if (!error) { std::make_shared<Session>(shared_from_this(), std::move(socket))->start(); }
        error || is_full() ? accept_later() : accept();
    } catch (const std::exception&) { accept_later(); } // no memory for one more connection
}

inline void BeastServer::Listener::stop() noexcept {
    try {
        boost::asio::post(strand, [self = shared_from_this()] {
            ErrorCode ignored;
            self->acceptor.close(ignored);
            self->pause.cancel();
        });
        std::vector<std::shared_ptr<Session>> stopped; // released outside of the lock, which a session's end takes
        {
            const std::lock_guard lock{mutex};
            is_stopping = true;
            for (auto* const session : sessions) {
                if (auto owned = session->weak_from_this().lock()) { stopped.push_back(std::move(owned)); }
            }
        }
        for (const auto& session : stopped) { session->stop(); }
    } catch (const std::exception&) { // no memory: connections end by their timeouts
    }
}

} // namespace daybook::inline v0

#endif
