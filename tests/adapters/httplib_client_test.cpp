// SPDX-License-Identifier: MIT
#include "support/catch.hpp"

#include "odd_server.hpp"

#include <daybook/adapters/httplib_client.hpp>
#include <daybook/types.hpp>

#include <httplib.h>

#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using daybook::httplib_send;
using daybook::http::HttpCall;
using daybook::http::HttpOutcome;
using daybook::http::HttpReply;

namespace {

/// A real server of the program's own, on any port.
class ClientsServer {
public:
    explicit ClientsServer(const std::function<void(httplib::Server&)>& configure) {
        configure(server_);
        port_ = server_.bind_to_any_port("127.0.0.1");
        thread_ = std::thread{[this] { server_.listen_after_bind(); }};
        while (!server_.is_running()) { std::this_thread::yield(); }
    }
    ClientsServer(const ClientsServer&) = delete;
    ClientsServer& operator=(const ClientsServer&) = delete;
    ~ClientsServer() {
        server_.stop();
        thread_.join();
    }
    [[nodiscard]] std::string authority() const { return "127.0.0.1:" + std::to_string(port_); }
    [[nodiscard]] std::string url(const std::string& target = "/") const { return "http://" + authority() + target; }

private:
    httplib::Server server_;
    int port_ = -1;
    std::thread thread_;
};

HttpReply ask(HttpCall call) { return httplib_send()(call); }

/// Asks, and makes sure that it did not take as long as the server would have liked.
HttpReply ask_in_time(HttpCall call) {
    const auto begin = std::chrono::steady_clock::now();
    auto reply = ask(std::move(call));
    CHECK(std::chrono::steady_clock::now() - begin < 30s);
    return reply;
}

} // namespace

TEST_CASE("a request arrives as it was written, and its answer comes back") {
    httplib::Request seen;
    std::mutex mutex;
    const ClientsServer server{[&](httplib::Server& own) {
        own.Put(".*", [&](const httplib::Request& request, httplib::Response& response) {
            const std::scoped_lock lock{mutex};
            seen = request;
            response.status = 418;
            response.set_header("X-Answer", "yes");
            response.set_content("short and stout", "text/plain");
        });
    }};
    const auto reply = ask({.method = "PUT",
                            .url = server.url("/a%2Fb/c;d?x=%20+,'&y=1#fragment"),
                            .headers = {{"Content-Type", "application/json"}, {"X-One", "1"}, {"X-One", "2"}},
                            .body = std::string{"{\"a\":\0}", 7}});
    CHECK(reply.outcome == HttpOutcome::answered);
    CHECK(reply.status == 418);
    CHECK(reply.body == "short and stout");
    CHECK(!reply.is_cut);
    CHECK(reply.error.empty());
    REQUIRE(reply.header("x-answer") != nullptr);
    CHECK(*reply.header("x-answer") == "yes");
    const std::scoped_lock lock{mutex};
    CHECK(seen.target == "/a%2Fb/c;d?x=%20+,'&y=1");
    CHECK(seen.body == std::string{"{\"a\":\0}", 7});
    CHECK(seen.get_header_value("Host") == server.authority());
    CHECK(seen.get_header_value("Content-Type") == "application/json");
    CHECK(seen.get_header_value_count("X-One") == 2);
    CHECK(seen.get_header_value("User-Agent") == "daybook");
}

TEST_CASE("every method is sent, with and without a body") {
    const ClientsServer server{[](httplib::Server& own) {
        const auto echo = [](const httplib::Request& request, httplib::Response& response) {
            response.set_content(request.method + " " + request.body, "text/plain");
        };
        own.Get("/", echo).Post("/", echo).Put("/", echo).Patch("/", echo).Delete("/", echo).Options("/", echo);
    }};
    for (const auto* const method : {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}) {
        CHECK(ask({.method = method, .url = server.url()}).body == std::string{method} + " ");
    }
    for (const auto* const method : {"POST", "PUT", "PATCH"}) {
        CHECK(ask({.method = method, .url = server.url(), .body = "text"}).body == std::string{method} + " text");
    }
    const auto head = ask({.method = "HEAD", .url = server.url()});
    CHECK(head.status == 200);
    CHECK(head.body.empty());
    REQUIRE(head.header("Content-Length") != nullptr);
}

TEST_CASE("a server that is away is unreachable") {
    const int listener = OddServer::listen_anywhere();
    const auto url = "http://127.0.0.1:" + std::to_string(OddServer::port_of(listener)) + "/geheim";
    ::close(listener);
    const auto reply = ask_in_time({.url = url});
    CHECK(reply.outcome == HttpOutcome::unreachable);
    CHECK(reply.status == 0);
    INFO(reply.error);
    CHECK(reply.error.find("127.0.0.1") != std::string::npos);
    CHECK(reply.error.find("geheim") == std::string::npos);
    CHECK(ask_in_time({.url = "http://name.invalid/"}).outcome == HttpOutcome::unreachable);
}

TEST_CASE("a server that does not answer is waited for until the timeout") {
    const OddServer server{[](const OddServer::Peer& peer) { peer.hang(); }};
    const auto reply = ask_in_time({.url = server.url(), .timeout = 100ms});
    CHECK(reply.outcome == HttpOutcome::timed_out);
    CHECK(reply.status == 0);
}

TEST_CASE("a server that sends a byte now and then is waited for until the timeout") {
    const auto drip_after = [](const std::string& begin, std::string_view drop) {
        const OddServer server{[begin, drop](const OddServer::Peer& peer) {
            (void)peer.read_until("\r\n\r\n");
            (void)peer.send(begin);
            while (!peer.is_over() && peer.send(drop)) { std::this_thread::sleep_for(10ms); }
        }};
        const auto reply = ask_in_time({.url = server.url(), .timeout = 300ms});
        CHECK(reply.outcome == HttpOutcome::timed_out);
        CHECK(reply.body.empty());
    };
    drip_after("", "H");
    drip_after("HTTP/1.1 200 OK\r\nX: ", "x");
    drip_after("HTTP/1.1 200 OK\r\n", "A: b\r\n");
    drip_after("HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n", "x");
    drip_after("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n");
    drip_after("HTTP/1.1 200 OK\r\n\r\n", "x"); // until the connection is closed, by the timeout too
    drip_after("", "HTTP/1.1 100 Continue\r\n\r\n");
}

TEST_CASE("a server that does not take connections is waited for until a timeout or a stop") {
    const int listener = OddServer::listen_anywhere(0);
    const auto url = "http://127.0.0.1:" + std::to_string(OddServer::port_of(listener));
    std::vector<int> fillers;
    for (int count = 0; count < 3; ++count) { // what has no room is not answered at all
        fillers.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
        sockaddr_in address{};
        socklen_t size = sizeof address;
        ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
        (void)::connect(fillers.back(), reinterpret_cast<const sockaddr*>(&address), size);
    }
    CHECK(ask_in_time({.url = url, .timeout = 100ms}).outcome == HttpOutcome::timed_out);
    const auto begin = std::chrono::steady_clock::now();
    CHECK(httplib_send({.connect_timeout = 100ms})({.url = url, .timeout = 10min}).outcome == HttpOutcome::unreachable);
    CHECK(std::chrono::steady_clock::now() - begin < 30s);

    std::stop_source stop;
    std::thread stopper{[&] {
        std::this_thread::sleep_for(50ms);
        stop.request_stop();
    }};
    CHECK(httplib_send({.connect_timeout = 10min})({.url = url, .timeout = 10min, .stop = stop.get_token()}).outcome ==
          HttpOutcome::stopped);
    CHECK(std::chrono::steady_clock::now() - begin < 30s);
    stopper.join();
    for (const int filler : fillers) { ::close(filler); }
    ::close(listener);
}

namespace {

/// While it lives, the process may open no more than so many descriptors beyond those it has.
class FewDescriptors {
public:
    explicit FewDescriptors(int more) {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        const int next = ::dup(0);
        ::close(next);
        auto few = before_;
        few.rlim_cur = static_cast<rlim_t>(next + more);
        ::setrlimit(RLIMIT_NOFILE, &few);
    }
    FewDescriptors(const FewDescriptors&) = delete;
    FewDescriptors& operator=(const FewDescriptors&) = delete;
    ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

private:
    rlimit before_{};
};

} // namespace

TEST_CASE("where descriptors run out, a request fails or ends when it should, but never waits for ever") {
    const int listener = OddServer::listen_anywhere(5); // the system takes connections, and nobody answers
    const auto url = "http://127.0.0.1:" + std::to_string(OddServer::port_of(listener));
    CHECK(ask({.url = url, .timeout = 10ms}).outcome == HttpOutcome::timed_out); // reads what is read once
    for (const int more : {0, 1, 2}) {
        INFO("descriptors: " << more);
        std::stop_source stop;
        std::thread stopper{[&] {
            std::this_thread::sleep_for(50ms);
            stop.request_stop();
        }};
        const auto begin = std::chrono::steady_clock::now();
        HttpReply reply;
        {
            const FewDescriptors few{more};
            reply = ask({.url = url, .timeout = 20s, .stop = stop.get_token()});
        }
        CHECK(std::chrono::steady_clock::now() - begin < 10s);
        CHECK(reply.outcome == (more < 2 ? HttpOutcome::unreachable : HttpOutcome::stopped));
        CHECK_FALSE(reply.error.empty());
        stopper.join();
    }
    ::close(listener);
}

TEST_CASE("a stop ends a request, before it and while it waits") {
    std::stop_source stop;
    const OddServer server{[&](const OddServer::Peer& peer) {
        (void)peer.read_until("\r\n\r\n");
        stop.request_stop();
        peer.hang();
    }};
    CHECK(ask_in_time({.url = server.url(), .timeout = 10min, .stop = stop.get_token()}).outcome ==
          HttpOutcome::stopped);
    CHECK(server.connections() == 1);
    CHECK(ask({.url = server.url(), .stop = stop.get_token()}).outcome == HttpOutcome::stopped);
    CHECK(server.connections() == 1);
}

TEST_CASE("an answer that is too large is cut, and read no further") {
    std::atomic<std::size_t> taken{0};
    const auto send_endlessly = [&](const std::string& head, const std::string& piece) {
        return [&taken, head, piece](const OddServer::Peer& peer) {
            (void)peer.read_until("\r\n\r\n");
            (void)peer.send(head);
            taken = 0;
            while (peer.send(piece)) { taken += piece.size(); }
        };
    };
    const std::string piece(65536, 'x');
    SECTION("with a length") {
        const OddServer server{send_endlessly("HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n", piece)};
        const auto reply = ask_in_time({.url = server.url(), .max_response_bytes = 1000});
        CHECK(reply.outcome == HttpOutcome::answered);
        CHECK(reply.status == 200);
        CHECK(reply.is_cut);
        CHECK(reply.body == std::string(1000, 'x'));
        CHECK(reply.header("Content-Length") != nullptr);
    }
    SECTION("in chunks") {
        const OddServer server{
            send_endlessly("HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n", "10000\r\n" + piece + "\r\n")};
        const auto reply = ask_in_time({.url = server.url(), .max_response_bytes = 100'000});
        CHECK(reply.status == 500);
        CHECK(reply.is_cut);
        CHECK(reply.body.size() == 100'000);
    }
    SECTION("until it closes") {
        const OddServer server{send_endlessly("HTTP/1.0 200 OK\r\n\r\n", piece)};
        const auto reply = ask_in_time({.url = server.url(), .max_response_bytes = 0});
        CHECK(reply.is_cut);
        CHECK(reply.body.empty());
    }
    CHECK(taken < 100'000'000); // what the sockets' buffers hold, and not the rest
}

TEST_CASE("an answer of exactly the limit is not cut") {
    const OddServer server{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + [] {
        std::string body;
        for (int count = 0; count < 50'000; ++count) { body += "1\r\nx\r\n"; } // six bytes of lines for each of it
        return body;
    }() + "0\r\n\r\n"};
    const auto reply = ask_in_time({.url = server.url(), .max_response_bytes = 50'000});
    CHECK(reply.outcome == HttpOutcome::answered);
    CHECK(reply.body.size() == 50'000);
    CHECK(!reply.is_cut);
}

TEST_CASE("10 MB are kept where they may be") {
    const std::string large(10'000'000, 'x');
    const ClientsServer server{[&](httplib::Server& own) {
        own.Get("/", [&](const httplib::Request&, httplib::Response& response) {
            response.set_content(large, "text/plain");
        });
    }};
    const auto reply = ask({.method = "GET", .url = server.url(), .max_response_bytes = 20'000'000});
    CHECK(reply.body == large);
    CHECK(!reply.is_cut);
    CHECK(ask({.method = "GET", .url = server.url(), .max_response_bytes = 10}).body == "xxxxxxxxxx");
}

TEST_CASE("a connection that breaks is no answer") {
    const auto outcome_of = [](const std::string& answer) {
        const OddServer server{answer};
        const auto reply = ask_in_time({.url = server.url()});
        CHECK(reply.status == 0);
        CHECK(!reply.error.empty());
        return reply.outcome;
    };
    for (const auto* const answer : {"", "HTTP/1.1", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nA: b",
                                     "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
                                     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
                                     "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 abc OK\r\n\r\n",
                                     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "\r\n\r\n"}) {
        INFO(answer);
        CHECK(outcome_of(answer) == HttpOutcome::unreachable);
    }
}

TEST_CASE("lines without end do no harm") {
    const std::string megabyte(1'000'000, 'A');
    for (const auto& answer :
         {"HTTP/1.1 200 " + megabyte + "\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 200 OK\r\n" + megabyte, megabyte,
          "HTTP/1.1 200 OK\r\n" +
              [] {
                  std::string flood;
                  for (int count = 0; count < 100'000; ++count) { flood += "A: b\r\n"; }
                  return flood;
              }() +
              "\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1" + megabyte}) {
        const OddServer server{answer};
        CHECK(ask_in_time({.url = server.url()}).outcome == HttpOutcome::unreachable);
    }
}

TEST_CASE("a server that closes while it is being written to does not end the process") {
    const auto before = std::signal(SIGPIPE, SIG_DFL); // httplib's server ignores it, for the whole process
    sigset_t mask_before;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &mask_before); // other libraries that are linked in block it at their start
    const OddServer server{[](const OddServer::Peer& peer) {
        const linger at_once{1, 0};
        ::setsockopt(peer.descriptor(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }};
    for (int count = 0; count < 5; ++count) {
        CHECK(ask_in_time({.url = server.url(), .body = std::string(5'000'000, 'x')}).outcome ==
              HttpOutcome::unreachable);
    }
    const OddServer deaf{[](const OddServer::Peer& peer) {
        while (!peer.is_over()) { std::this_thread::sleep_for(1ms); }
    }};
    // The socket is shut down while it is being written to.
    CHECK(ask_in_time({.url = deaf.url(), .body = std::string(50'000'000, 'x'), .timeout = 100ms}).outcome ==
          HttpOutcome::timed_out);
    sigset_t mask;
    sigset_t pending;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    ::sigpending(&pending);
    CHECK(::sigismember(&mask, SIGPIPE) == ::sigismember(&mask_before, SIGPIPE));
    CHECK(::sigismember(&pending, SIGPIPE) == 0);
    std::signal(SIGPIPE, before);
}

TEST_CASE("a redirect is an answer") {
    const OddServer server{"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"};
    const auto reply = ask({.url = server.url()});
    CHECK(reply.status == 302);
    REQUIRE(reply.header("Location") != nullptr);
    CHECK(*reply.header("Location") == "http://127.0.0.1:1/");
}

TEST_CASE("a redirect is followed to what is allowed, and to nothing else") {
    std::atomic<int> asked{0};
    const ClientsServer inside{[&](httplib::Server& own) {
        own.Get("/secret", [&](const httplib::Request&, httplib::Response& response) {
            ++asked;
            response.set_content("secret", "text/plain");
        });
    }};
    const ClientsServer outside{[&](httplib::Server& own) {
        own.Get("/", [](const httplib::Request&, httplib::Response& response) { response.set_redirect("/here"); });
        own.Get("/here", [](const httplib::Request&, httplib::Response& response) {
            response.set_content("here", "text/plain");
        });
        own.Get("/inside", [&](const httplib::Request&, httplib::Response& response) {
            response.set_redirect(inside.url("/secret"));
        });
        own.Get("/loop", [](const httplib::Request&, httplib::Response& response) { response.set_redirect("/loop"); });
    }};
    const auto send = daybook::http::following_redirects(
        httplib_send(), {.max_redirects = 5, .allow_url = daybook::http::allow_hosts({outside.authority()})});
    CHECK(send({.method = "GET", .url = outside.url()}).body == "here");
    const auto reply = send({.method = "GET", .url = outside.url("/inside")});
    CHECK(reply.outcome == HttpOutcome::refused);
    CHECK(asked == 0);
    CHECK(send({.method = "GET", .url = outside.url("/loop")}).status == 302);
}

TEST_CASE("what must not be sent is refused before a connection is made") {
    const OddServer server{"HTTP/1.1 200 OK\r\n\r\n"};
    const auto url = server.url();
    CHECK(ask({.url = "ftp://127.0.0.1/"}).outcome == HttpOutcome::refused);
    CHECK(ask({.url = url + "/ HTTP/1.1\r\nX: y"}).outcome == HttpOutcome::refused);
    CHECK(ask({.method = "CONNECT", .url = url}).outcome == HttpOutcome::refused);
    CHECK(ask({.method = "GET / HTTP/1.1\r\n", .url = url}).outcome == HttpOutcome::refused);
    CHECK(ask({.url = url, .headers = {{"X", "a\r\nY: b"}}}).outcome == HttpOutcome::refused);
    CHECK(ask({.url = url, .headers = {{"X: y\r\nZ", "a"}}}).outcome == HttpOutcome::refused);
    CHECK(ask({.url = url, .headers = {{"Content-Length", "5"}}}).outcome == HttpOutcome::refused);
    CHECK(ask({.url = url, .timeout = 0s}).outcome == HttpOutcome::timed_out);
    CHECK(ask({.url = url, .timeout = -1s}).outcome == HttpOutcome::timed_out);
    CHECK(server.connections() == 0);
    CHECK(ask({.url = url, .timeout = std::chrono::nanoseconds::max()}).status == 200);
    CHECK_THROWS_AS(httplib_send({.connect_timeout = 0s}), std::invalid_argument);
}

TEST_CASE("one transport serves several threads at once") {
    const ClientsServer server{[](httplib::Server& own) {
        own.Post("/", [](const httplib::Request& request, httplib::Response& response) {
            response.set_content(request.body, "text/plain");
        });
    }};
    const auto send = httplib_send();
    std::atomic<int> right{0};
    std::vector<std::thread> threads;
    for (int number = 0; number < 4; ++number) {
        threads.emplace_back([&, number] {
            for (int round = 0; round < 20; ++round) {
                const auto body = std::to_string(number) + "/" + std::to_string(round);
                if (send({.url = server.url(), .body = body}).body == body) { ++right; }
            }
        });
    }
    for (auto& thread : threads) { thread.join(); }
    CHECK(right == 80);
}
