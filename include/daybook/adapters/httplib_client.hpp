// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_ADAPTERS_HTTPLIB_CLIENT_HPP
#define DAYBOOK_ADAPTERS_HTTPLIB_CLIENT_HPP

/// @file
/// Requests to other servers by cpp-httplib's client (0.11.4 and later, POSIX systems): for webhooks, and for jobs that
/// are requests.

#include <daybook/http/http_job.hpp>
#include <daybook/http/http_send.hpp>
#include <daybook/http/http_url.hpp>
#include <daybook/http/json_reader.hpp>
#include <daybook/job/handlers.hpp>

#include <httplib.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>

namespace daybook::inline v0 {

/// How httplib_send connects.
struct HttplibSendOptions {
    /// For one connection, and for one step of TLS; more than 0. The call's own timeout may end it earlier.
    std::chrono::nanoseconds connect_timeout = std::chrono::seconds{5};
    /// Whom to believe over https: a file of certificates in PEM; empty: whom the system does.
    std::string ca_certificates = {};
};

/// What keeps one call within its bounds, where the library does not. Not for programs.
namespace httplib_client {

/// While it lives, writing to a closed connection raises no SIGPIPE on the calling thread, which would end the process;
/// and threads that are started meanwhile take no signals of the host.
class SignalsHeld {
public:
    SignalsHeld() noexcept {
        sigset_t pending;
        ::sigpending(&pending);
        was_pending_ = ::sigismember(&pending, SIGPIPE) == 1;
        sigset_t held;
        ::sigfillset(&held);
        for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) { ::sigdelset(&held, fault); }
        ::pthread_sigmask(SIG_SETMASK, &held, &before_);
    }
    SignalsHeld(const SignalsHeld&) = delete;
    SignalsHeld& operator=(const SignalsHeld&) = delete;
    ~SignalsHeld() {
        sigset_t pending;
        ::sigpending(&pending);
        if (!was_pending_ && ::sigismember(&pending, SIGPIPE) == 1) {
            sigset_t pipe;
            ::sigemptyset(&pipe);
            ::sigaddset(&pipe, SIGPIPE);
            int taken = 0;
            ::sigwait(&pipe, &taken);
        }
        ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }

private:
    sigset_t before_;
    bool was_pending_ = false;
};

/// A descriptor that is no connection yet: what is to watch one has it from the beginning, so that the deadline holds
/// when descriptors run out.
struct Descriptor {
    Descriptor() noexcept : number{::open("/dev/null", O_RDWR | O_CLOEXEC)} {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (number >= 0) { ::close(number); }
    }

    const int number; ///< below 0: the system has given none
};

/// Ends a call at its deadline, or when it is told to stop. The library's own timeouts are for each step, so a server
/// that sends a byte now and then would hold the call for ever; and its `stop` waits for a connection to be made. So
/// this shuts down the socket itself, by a descriptor of its own, which no other thread closes.
class Watch {
public:
    /// @param watched  Becomes the connection; outlives this.
    /// @throws std::system_error  The system has no thread left.
    Watch(const Descriptor& watched, std::chrono::steady_clock::time_point deadline, const std::stop_token& stop)
        : watched_{watched.number}, thread_{[this, deadline, stop] { run(deadline, stop); }} {}
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    ~Watch() {
        {
            const std::scoped_lock lock{mutex_};
            is_over_ = true;
        }
        changed_.notify_all();
        thread_.join();
    }

    /// The library connects by this socket from now on.
    void watch(int socket) noexcept {
        const std::scoped_lock lock{mutex_};
#if defined(__APPLE__)
        while (::dup2(socket, watched_) < 0 && (errno == EINTR || errno == EBUSY)) {}
        ::fcntl(watched_, F_SETFD, FD_CLOEXEC);
#else
        while (::dup3(socket, watched_, O_CLOEXEC) < 0 && (errno == EINTR || errno == EBUSY)) {}
#endif
    }

    /// What ended the call; `answered` if nothing did.
    [[nodiscard]] http::HttpOutcome ended_by() const noexcept { return ended_by_.load(); }

private:
    void run(std::chrono::steady_clock::time_point deadline, const std::stop_token& stop) {
        std::unique_lock lock{mutex_};
        if (changed_.wait_until(lock, stop, deadline, [&] { return is_over_; })) { return; }
        ended_by_ = stop.stop_requested() ? http::HttpOutcome::stopped : http::HttpOutcome::timed_out;
        while (!is_over_) { // again and again: the library may be about to try the host's next address
            ::shutdown(watched_, SHUT_RDWR);
            changed_.wait_for(lock, std::chrono::milliseconds{5});
        }
    }

    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::atomic<http::HttpOutcome> ended_by_{http::HttpOutcome::answered};
    const int watched_;    // what it stands for is guarded by mutex_
    bool is_over_ = false; // guarded by mutex_
    std::thread thread_;
};

/// A connection that reads no more lines than an answer may have. Releases before 0.20.1 collect lines of any length,
/// and match the first one by a recursion as deep as it is long: one of 50 KB ends the process. They read lines byte by
/// byte and bodies in larger pieces, which tells the two apart.
class LimitedStream : public httplib::Stream {
public:
    /// @param ssl  Null: plain text.
    /// @param max_line_bytes  Of all lines together: status, headers, and what stands between the chunks of a body.
    LimitedStream(socket_t socket, void* ssl, std::size_t max_line_bytes)
        : socket_{socket}, ssl_{ssl}, left_{max_line_bytes} {}

    [[nodiscard]] bool is_readable() const override { return true; }
    [[nodiscard]] bool is_writable() const override { return true; }

    ssize_t read(char* to, std::size_t size) override {
        if (size == 1) {
            if (left_ == 0 || in_line_ == max_line) { return -1; }
            --left_;
            ++in_line_;
        }
        const auto count = read_some(to, size);
        if (count == 1 && *to == '\n') { in_line_ = 0; }
        return count;
    }
    ssize_t write(const char* from, std::size_t size) override {
#ifdef CPPHTTPLIB_OPENSSL_SUPPORT
        if (ssl_ != nullptr) { return ::SSL_write(static_cast<SSL*>(ssl_), from, limited(size)); }
#endif
        ssize_t count = 0;
        do { count = ::send(socket_, from, size, 0); } while (count < 0 && errno == EINTR);
        return count;
    }
    void get_remote_ip_and_port(std::string& /*ip*/, int& /*port*/) const override {}
    void get_local_ip_and_port(std::string& /*ip*/, int& /*port*/) const override {}
    [[nodiscard]] socket_t socket() const override { return socket_; }

private:
    static constexpr std::size_t max_line = 8192;

    // Both wait as long as the socket's own timeout, which the library has set.
    ssize_t read_some(char* to, std::size_t size) {
#ifdef CPPHTTPLIB_OPENSSL_SUPPORT
        if (ssl_ != nullptr) { return ::SSL_read(static_cast<SSL*>(ssl_), to, limited(size)); }
#endif
        ssize_t count = 0;
        do { count = ::recv(socket_, to, size, 0); } while (count < 0 && errno == EINTR);
        return count;
    }
    [[nodiscard]] static int limited(std::size_t size) {
        return static_cast<int>(std::min<std::size_t>(size, 1U << 30U));
    }

    socket_t socket_;
    [[maybe_unused]] void* ssl_;
    std::size_t left_;
    std::size_t in_line_ = 0;
};

/// The library's client with that connection. Only for releases whose streams are as they are above: later ones limit
/// lines by themselves.
template <class Base>
class LimitedClient final : public Base {
public:
    LimitedClient(const std::string& host, int port, std::size_t max_line_bytes)
        : Base{host, port}, max_line_bytes_{max_line_bytes} {}

private:
    using Socket = typename Base::Socket;

    bool process_socket(const Socket& socket, std::function<bool(httplib::Stream&)> callback) override {
        void* ssl = nullptr;
#ifdef CPPHTTPLIB_OPENSSL_SUPPORT
        ssl = socket.ssl;
#endif
        LimitedStream stream{socket.sock, ssl, max_line_bytes_};
        return callback(stream);
    }

    std::size_t max_line_bytes_;
};

template <class Base, class Stream = LimitedStream>
[[nodiscard]] std::unique_ptr<Base> make_client(const http::HttpUrl& url, std::size_t max_line_bytes) {
    if constexpr (std::is_abstract_v<Stream>) {
        return std::make_unique<Base>(url.host, url.port);
    } else {
        return std::make_unique<LimitedClient<Base>>(url.host, url.port, max_line_bytes);
    }
}

[[nodiscard]] inline http::HttpReply no_reply(http::HttpOutcome outcome, std::string error) {
    http::HttpReply reply;
    reply.outcome = outcome;
    reply.error = std::move(error);
    return reply;
}

[[nodiscard]] inline httplib::Request make_request(const http::HttpCall& call, const http::HttpUrl& url) {
    httplib::Request request;
    request.method = call.method;
    request.path = url.target;
    request.body = call.body;
    for (const auto& header : call.headers) { request.headers.emplace(header.name, header.value); }
    request.headers.emplace("Host", url.authority()); // the library leaves out the brackets of an IPv6 address
    if (request.headers.count("User-Agent") == 0) { request.headers.emplace("User-Agent", "daybook"); }
    return request;
}

/// Sends by a client that is set up but for what both kinds have in common.
template <class Client>
[[nodiscard]] http::HttpReply perform(Client& client, const http::HttpCall& call, const http::HttpUrl& url,
                                      std::chrono::nanoseconds connect_timeout) {
    const auto begin = std::chrono::steady_clock::now();
    // The longest that fits into what the library makes of it, with room to add to an instant.
    const auto timeout = std::min<std::chrono::nanoseconds>(call.timeout, std::chrono::hours{24 * 365});
    // A timeout of 0 would be none at all.
    const auto micros = [](std::chrono::nanoseconds time) {
        return std::max(std::chrono::ceil<std::chrono::microseconds>(time), std::chrono::microseconds{1000});
    };
    // Where the call's own timeout comes first, the watch ends the call and says so; the library is to be later.
    const auto later = timeout + std::chrono::seconds{1};
    client.set_connection_timeout(micros(connect_timeout < timeout ? connect_timeout : later));
    client.set_read_timeout(micros(later));
    client.set_write_timeout(micros(later));
    client.set_url_encode(false); // it would encode what is encoded already
    client.set_follow_location(false);
    client.set_keep_alive(false);
    client.set_tcp_nodelay(true);

    const Descriptor watched;
    if (watched.number < 0) {
        return no_reply(http::HttpOutcome::unreachable, "the system gives no descriptor for a request");
    }
    http::HttpReply reply;
    bool is_broken_off = false;
    auto request = make_request(call, url);
    request.response_handler = [&](const httplib::Response& head) {
        reply.status = head.status;
        return true;
    };
    request.content_receiver = [&](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
        const auto room = call.max_response_bytes - reply.body.size();
        reply.body.append(data, std::min(room, size));
        reply.is_cut = size > room;
        return !reply.is_cut;
    };
    std::optional<httplib::Error> error;
    http::HttpOutcome ended_by = http::HttpOutcome::answered;
    {
        const SignalsHeld held;
        Watch watch{watched, begin + std::chrono::duration_cast<std::chrono::steady_clock::duration>(timeout),
                    call.stop};
        client.set_socket_options([&watch](socket_t socket) { watch.watch(socket); });
        httplib::Response response;
        auto failure = httplib::Error::Success;
        const bool is_done = client.send(request, response, failure);
        ended_by = watch.ended_by();
        if (is_done || reply.is_cut) {
            reply.status = response.status;
            for (auto& header : response.headers) { reply.headers.push_back({header.first, header.second}); }
        } else {
            error = failure;
            is_broken_off = reply.status > 0;
        }
    }
    if (!error && (ended_by == http::HttpOutcome::answered || reply.is_cut)) {
        reply.outcome = http::HttpOutcome::answered;
        return reply;
    }
    if (ended_by == http::HttpOutcome::stopped) { return no_reply(ended_by, "the request was stopped"); }
    if (ended_by == http::HttpOutcome::timed_out || error == httplib::Error::Canceled) {
        return no_reply(http::HttpOutcome::timed_out, "no answer from " + url.origin() + " in time");
    }
    return no_reply(http::HttpOutcome::unreachable,
                    (is_broken_off ? "the answer broke off, from " : "no answer from ") + url.origin() + ": " +
                        httplib::to_string(*error));
}

} // namespace httplib_client

/// Makes requests by cpp-httplib's client, one connection for each. See http::HttpSend for what to expect of it: it
/// follows no redirect (http::following_redirects does), reads no more of a body than it is told to, and ends at the
/// timeout whatever the server does, name resolution excepted, which is the system's. https needs a cpp-httplib that
/// was built with OpenSSL; certificates are always checked.
/// @throws std::invalid_argument  `connect_timeout` is not more than 0.
[[nodiscard]] inline http::HttpSend httplib_send(HttplibSendOptions options = {}) {
    if (options.connect_timeout <= options.connect_timeout.zero()) {
        throw std::invalid_argument{"daybook: HttplibSendOptions::connect_timeout must be more than 0"};
    }
    return [options = std::move(options)](const http::HttpCall& call) -> http::HttpReply {
        using httplib_client::no_reply;
        http::HttpUrl url;
        try {
            url = http::parse_http_url(call.url);
        } catch (const std::invalid_argument& error) { return no_reply(http::HttpOutcome::refused, error.what()); }
        if (!http::is_sendable_method(call.method)) {
            return no_reply(http::HttpOutcome::refused, "the method is none that is sent");
        }
        for (const auto& header : call.headers) {
            if (!http::is_sendable_header(header.name, header.value)) {
                return no_reply(http::HttpOutcome::refused, "a header may not be sent");
            }
        }
        if (call.stop.stop_requested()) { return no_reply(http::HttpOutcome::stopped, "the request was stopped"); }
        if (call.timeout <= call.timeout.zero()) {
            return no_reply(http::HttpOutcome::timed_out, "there was no time left for a request");
        }
        constexpr std::size_t head_bytes = 65536;
        constexpr std::size_t most = std::size_t{1} << 40U;
        // A body in chunks of one byte has six bytes of lines for each.
        const auto max_line_bytes = head_bytes + 8 * std::min(call.max_response_bytes, most);
        try {
            if (url.scheme == http::UrlScheme::http) {
                const auto client = httplib_client::make_client<httplib::ClientImpl>(url, max_line_bytes);
                return httplib_client::perform(*client, call, url, options.connect_timeout);
            }
#ifdef CPPHTTPLIB_OPENSSL_SUPPORT
            const auto client = httplib_client::make_client<httplib::SSLClient>(url, max_line_bytes);
            if (!options.ca_certificates.empty()) { client->set_ca_cert_path(options.ca_certificates); }
            return httplib_client::perform(*client, call, url, options.connect_timeout);
#else
            return no_reply(http::HttpOutcome::refused, "this cpp-httplib was built without TLS");
#endif
        } catch (const std::system_error& error) { // the system has no thread left
            return no_reply(http::HttpOutcome::unreachable, error.what());
        }
    };
}

/// Registers the handler `("http", "request")`, whose jobs are requests to other servers; see http::add_http_handler.
///
/// @code
/// daybook::Handlers<> handlers;
/// daybook::add_http_handler<daybook::nlohmann_json>(
///     handlers, {.allow_url = daybook::http::allow_hosts({"api.example.com", "127.0.0.1:8080"})});
/// @endcode
/// @throws std::invalid_argument  The names are taken, or a timeout is not more than 0.
template <http::json_reader Json, class Result>
void add_http_handler(Handlers<Result>& handlers, http::HttpJobOptions options) {
    auto send = httplib_send({.connect_timeout = options.connect_timeout});
    http::add_http_handler<Json>(handlers, std::move(send), std::move(options));
}

} // namespace daybook::inline v0

#endif
