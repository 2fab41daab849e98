// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_FLEET_TCP_PROXY_HPP
#define DAYBOOK_TESTS_FLEET_TCP_PROXY_HPP

/// @file
/// What stands between a client and a server of 127.0.0.1, and can come between them.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace fleet {

/// What becomes of the bytes on a link.
enum class LinkState : std::uint8_t {
    open,
    cut,    ///< connections are reset, those that are there and those that come
    frozen, ///< nothing moves, nobody is told
};

/// Links from ports of its own to ports that may change; one thread for all of them.
///
/// @par Thread safety
/// Safe: any thread may call it.
class TcpProxy {
public:
    TcpProxy() {
        if (::pipe2(wake_.data(), O_CLOEXEC | O_NONBLOCK) != 0) { throw std::runtime_error{"no pipe can be made"}; }
        thread_ = std::thread{[this] { serve(); }};
    }
    TcpProxy(const TcpProxy&) = delete;
    TcpProxy& operator=(const TcpProxy&) = delete;
    ~TcpProxy() {
        {
            const std::scoped_lock lock{mutex_};
            is_over_ = true;
        }
        wake();
        thread_.join();
        for (Connection& connection : connections_) { reset(connection); }
        for (const auto& entry : links_) { ::close(entry.second.listener); }
        for (const int end : wake_) { ::close(end); }
    }

    /// @returns The port to connect to, which is also the name of the link.
    [[nodiscard]] int add_link(int target_port) {
        Link link{.listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), .target = target_port};
        sockaddr_in address = local(0);
        socklen_t length = sizeof address;
        if (::bind(link.listener, reinterpret_cast<const sockaddr*>(&address), length) != 0 ||
            ::listen(link.listener, 64) != 0 ||
            ::getsockname(link.listener, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
            throw std::runtime_error{"no port is free"};
        }
        const int port = ntohs(address.sin_port);
        {
            const std::scoped_lock lock{mutex_};
            links_.emplace(port, link);
        }
        wake();
        return port;
    }

    /// Of connections that come from now on.
    void set_target(int link, int target_port) {
        change(link, [&](Link& there) { there.target = target_port; });
    }
    void set_state(int link, LinkState state) {
        change(link, [&](Link& there) { there.state = state; });
    }
    /// How long each byte takes, in either direction.
    void set_delay(int link, std::chrono::milliseconds delay) {
        change(link, [&](Link& there) { there.delay = delay; });
    }

private:
    using Clock = std::chrono::steady_clock;

    struct Link {
        int listener = -1;
        int target = 0;
        LinkState state = LinkState::open;
        std::chrono::milliseconds delay{0};
    };
    /// One direction.
    struct Stream {
        struct Piece {
            Clock::time_point due = {};
            std::string bytes = {};
        };
        int from = -1;
        int to = -1;
        std::deque<Piece> pieces = {};
        std::size_t size = 0;
        bool has_ended = false; ///< nothing more comes
        bool is_shut = false;   ///< and the other side knows
    };
    struct Connection {
        int link = 0;
        std::array<Stream, 2> streams = {};
    };

    [[nodiscard]] static sockaddr_in local(int port) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(static_cast<std::uint16_t>(port));
        return address;
    }

    template <class Change>
    void change(int link, const Change& apply) {
        {
            const std::scoped_lock lock{mutex_};
            apply(links_.at(link));
        }
        wake();
    }

    void wake() const {
        const char byte = 0;
        (void)!::write(wake_[1], &byte, 1); // a full pipe wakes as well
    }

    /// Both sides see that it broke.
    static void reset(Connection& connection) {
        for (const int end : {connection.streams[0].from, connection.streams[0].to}) {
            const linger now{.l_onoff = 1, .l_linger = 0};
            ::setsockopt(end, SOL_SOCKET, SO_LINGER, &now, sizeof now);
            ::close(end);
        }
    }

    void serve() {
        std::unique_lock lock{mutex_};
        while (!is_over_) {
            drop_cut_ones();
            std::vector<pollfd> waits{{wake_[0], POLLIN, 0}};
            for (const auto& [port, link] : links_) {
                waits.push_back({link.state == LinkState::frozen ? -1 : link.listener, POLLIN, 0});
            }
            const auto now = Clock::now();
            auto until = now + std::chrono::seconds{1};
            for (const Connection& connection : connections_) {
                const bool is_frozen = links_.at(connection.link).state == LinkState::frozen;
                for (const Stream& stream : connection.streams) {
                    const bool may_read = !is_frozen && !stream.has_ended && stream.size < most_buffered;
                    const bool has_bytes = !is_frozen && !stream.pieces.empty();
                    const bool may_write = has_bytes && stream.pieces.front().due <= now;
                    if (has_bytes && !may_write) { until = std::min(until, stream.pieces.front().due); }
                    waits.push_back({may_read ? stream.from : -1, POLLIN, 0});
                    waits.push_back({may_write ? stream.to : -1, POLLOUT, 0});
                }
            }
            const auto wait = std::chrono::ceil<std::chrono::milliseconds>(until - now);
            lock.unlock();
            ::poll(waits.data(), waits.size(), static_cast<int>(wait.count()));
            lock.lock();
            act(waits);
        }
    }

    void drop_cut_ones() {
        std::erase_if(connections_, [&](Connection& connection) {
            if (links_.at(connection.link).state != LinkState::cut) { return false; }
            reset(connection);
            return true;
        });
    }

    /// Links may have been added meanwhile, but only this thread adds and removes connections.
    void act(const std::vector<pollfd>& waits) {
        std::array<char, 256> ignored{};
        while (::read(wake_[0], ignored.data(), ignored.size()) > 0) {}
        std::map<int, short> events;
        for (const pollfd& wait : waits) {
            if (wait.fd >= 0) { events[wait.fd] = static_cast<short>(events[wait.fd] | wait.revents); }
        }
        const auto has_come = [&](int descriptor) {
            const auto found = events.find(descriptor);
            return found != events.end() && found->second != 0;
        };
        std::erase_if(connections_, [&](Connection& connection) {
            const Link& link = links_.at(connection.link);
            if (link.state == LinkState::frozen) { return false; }
            bool is_whole = true;
            for (Stream& stream : connection.streams) {
                if (has_come(stream.from)) { is_whole = is_whole && take(stream, link.delay); }
                is_whole = is_whole && give(stream);
            }
            if (is_whole && !(connection.streams[0].is_shut && connection.streams[1].is_shut)) { return false; }
            reset(connection);
            return true;
        });
        for (const auto& [port, link] : links_) {
            if (has_come(link.listener)) { accept(port, link); }
        }
    }

    void accept(int port, const Link& link) {
        while (true) {
            const int client = ::accept4(link.listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
            if (client < 0) { return; }
            const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            const sockaddr_in address = local(link.target);
            Connection connection{.link = port};
            connection.streams[0].from = connection.streams[1].to = client;
            connection.streams[0].to = connection.streams[1].from = server;
            const int on = 1;
            ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            ::setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            if (link.state == LinkState::cut ||
                ::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
                ::fcntl(server, F_SETFL, O_NONBLOCK) != 0) {
                reset(connection);
                continue;
            }
            connections_.push_back(std::move(connection));
        }
    }

    /// @returns Whether the connection is whole.
    [[nodiscard]] static bool take(Stream& stream, std::chrono::milliseconds delay) {
        if (stream.has_ended || stream.size >= most_buffered) { return true; }
        std::string bytes(64 * 1024, '\0');
        const ssize_t got = ::recv(stream.from, bytes.data(), bytes.size(), 0);
        if (got < 0) { return errno == EAGAIN || errno == EINTR; }
        if (got == 0) {
            stream.has_ended = true;
            return true;
        }
        bytes.resize(static_cast<std::size_t>(got));
        stream.size += bytes.size();
        stream.pieces.push_back({Clock::now() + delay, std::move(bytes)});
        return true;
    }

    [[nodiscard]] static bool give(Stream& stream) {
        while (!stream.pieces.empty() && stream.pieces.front().due <= Clock::now()) {
            std::string& bytes = stream.pieces.front().bytes;
            const ssize_t sent = ::send(stream.to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent < 0) { return errno == EAGAIN || errno == EINTR; }
            stream.size -= static_cast<std::size_t>(sent);
            bytes.erase(0, static_cast<std::size_t>(sent));
            if (!bytes.empty()) { return true; }
            stream.pieces.pop_front();
        }
        if (stream.has_ended && stream.pieces.empty() && !stream.is_shut) {
            stream.is_shut = true;
            ::shutdown(stream.to, SHUT_WR);
        }
        return true;
    }

    static constexpr std::size_t most_buffered = 1 << 20;

    std::mutex mutex_;
    std::map<int, Link> links_; // guarded by mutex_
    bool is_over_ = false;      // guarded by mutex_
    std::list<Connection> connections_;
    std::array<int, 2> wake_{-1, -1};
    std::thread thread_;
};

} // namespace fleet

#endif
