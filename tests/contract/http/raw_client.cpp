// SPDX-License-Identifier: MIT
#include "contract/http/raw_client.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <stdexcept>

namespace contract {

namespace {

using Clock = std::chrono::steady_clock;

[[nodiscard]] int left_ms(Clock::time_point until) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    return static_cast<int>(std::max<std::int64_t>(0, left.count()));
}

[[nodiscard]] bool is_token(std::string_view name) {
    constexpr std::string_view others = "!#$%&'*+-.^_`|~";
    return !name.empty() && std::all_of(name.begin(), name.end(), [&](char letter) {
        return std::isalnum(static_cast<unsigned char>(letter)) != 0 || others.find(letter) != std::string_view::npos;
    });
}

[[nodiscard]] std::string_view trimmed(std::string_view text) {
    const auto is_blank = [](char letter) { return letter == ' ' || letter == '\t'; };
    while (!text.empty() && is_blank(text.front())) { text.remove_prefix(1); }
    while (!text.empty() && is_blank(text.back())) { text.remove_suffix(1); }
    return text;
}

/// Digits only, all of them.
template <class Number>
[[nodiscard]] bool parse_number(std::string_view text, Number& number, int base = 10) {
    const auto result = std::from_chars(text.data(), text.data() + text.size(), number, base);
    return !text.empty() && result.ec == std::errc{} && result.ptr == text.data() + text.size();
}

} // namespace

bool is_same_name(std::string_view left, std::string_view right) { return lower(left) == lower(right); }

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

std::string lower(std::string_view text) {
    std::string result{text};
    for (auto& letter : result) { letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter))); }
    return result;
}

std::string shown(std::string_view bytes) {
    constexpr std::size_t most = 600;
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const char byte : bytes.substr(0, most)) {
        if (byte == '\r') {
            text += "\\r";
        } else if (byte == '\n') {
            text += "\\n";
        } else if (byte < ' ' || byte == '\x7f') {
            const auto value = static_cast<unsigned char>(byte);
            text += {'\\', 'x', digits[value / 16U], digits[value % 16U]};
        } else {
            text += byte;
        }
    }
    if (bytes.size() > most) { text += "... (" + std::to_string(bytes.size()) + " bytes)"; }
    return text;
}

std::size_t Answer::count(std::string_view name) const {
    return static_cast<std::size_t>(std::count_if(headers.begin(), headers.end(),
                                                  [&](const auto& each) { return is_same_name(each.first, name); }));
}

const std::string* Answer::header(std::string_view name) const {
    const auto found =
        std::find_if(headers.begin(), headers.end(), [&](const auto& each) { return is_same_name(each.first, name); });
    return found == headers.end() ? nullptr : &found->second;
}

Connection::Connection(int port, std::chrono::milliseconds patience)
    : socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)}, patience_{patience} {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        const int error = errno;
        ::close(socket_);
        throw std::runtime_error{"cannot connect to the server: error " + std::to_string(error)};
    }
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::fcntl(socket_, F_SETFL, O_NONBLOCK);
}

Connection::~Connection() { ::close(socket_); }

void Connection::send(std::string_view bytes) {
    const auto until = Clock::now() + patience_;
    while (!bytes.empty() && !has_ended_) {
        const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(sent));
            continue;
        }
        if (errno != EAGAIN) { return; } // the server has closed; what it said before can still be read
        pollfd ready{.fd = socket_, .events = POLLIN | POLLOUT, .revents = 0};
        // Once something was answered, a server that takes nothing for a while will not take the rest.
        const int most = received_.empty() ? left_ms(until) : std::min(left_ms(until), 300);
        if (::poll(&ready, 1, most) <= 0) { return; }
        if ((ready.revents & POLLIN) != 0) { static_cast<void>(take(Clock::now())); }
    }
}

void Connection::end_sending() { ::shutdown(socket_, SHUT_WR); }

Connection::Wait Connection::take(Clock::time_point until) {
    std::array<char, 65536> buffer;
    while (!has_ended_) {
        const auto size = ::recv(socket_, buffer.data(), buffer.size(), 0);
        if (size > 0) {
            received_.append(buffer.data(), static_cast<std::size_t>(size));
            return Wait::data;
        }
        if (size == 0 || errno != EAGAIN) {
            has_ended_ = true;
            break;
        }
        pollfd ready{.fd = socket_, .events = POLLIN, .revents = 0};
        if (::poll(&ready, 1, left_ms(until)) <= 0) { return Wait::timeout; }
    }
    return Wait::ended;
}

std::string Connection::take_line(Clock::time_point until, std::string& problem) {
    for (;;) {
        const auto end = received_.find('\n');
        if (end != std::string::npos) {
            auto line = received_.substr(0, end);
            received_.erase(0, end + 1);
            if (line.ends_with('\r')) {
                line.pop_back();
            } else {
                problem = "a line ends without a carriage return: " + shown(line);
            }
            return line;
        }
        const auto wait = take(until);
        if (wait == Wait::data) { continue; }
        problem = wait == Wait::ended ? "the connection ended within the answer" : "nothing came in time";
        return {};
    }
}

void Connection::take_bytes(std::size_t count, std::string& to, Clock::time_point until, std::string& problem) {
    while (received_.size() < count) {
        const auto wait = take(until);
        if (wait == Wait::data) { continue; }
        problem = std::string{wait == Wait::ended ? "the connection ended" : "nothing came in time"} + " after " +
                  std::to_string(received_.size()) + " of " + std::to_string(count) + " bytes";
        return;
    }
    to.append(received_, 0, count);
    received_.erase(0, count);
}

void Connection::take_chunks(Answer& answer, Clock::time_point until) {
    for (;;) {
        const auto line = take_line(until, answer.problem);
        std::size_t size = 0;
        if (answer.problem.empty() && !parse_number(trimmed(line.substr(0, line.find(';'))), size, 16)) {
            answer.problem = "this is no size of a chunk: " + shown(line);
        }
        if (!answer.problem.empty()) { return; }
        if (size == 0) { break; }
        take_bytes(size, answer.body, until, answer.problem);
        if (answer.problem.empty() && !take_line(until, answer.problem).empty()) {
            answer.problem = "a chunk is longer than it says";
        }
        if (!answer.problem.empty()) { return; }
    }
    while (answer.problem.empty() && !take_line(until, answer.problem).empty()) {}
}

Answer Connection::receive(HasBody has_body) {
    auto answer = receive_whole(has_body);
    answer.is_cut = has_ended_ && !answer.problem.empty();
    return answer;
}

Answer Connection::receive_whole(HasBody has_body) {
    const auto until = Clock::now() + patience_;
    Answer answer;
    for (;;) {
        answer = {};
        while (received_.empty()) {
            const auto wait = take(until);
            if (wait == Wait::ended) { return answer; }
            if (wait == Wait::timeout) {
                answer.problem = "nothing came in time";
                return answer;
            }
        }
        const auto status_line = take_line(until, answer.problem);
        if (!answer.problem.empty()) { return answer; }
        answer.head_text = status_line + "\n";
        const std::string_view line{status_line};
        const bool is_line = (line.starts_with("HTTP/1.1 ") || line.starts_with("HTTP/1.0 ")) && line.size() >= 12 &&
                             parse_number(line.substr(9, 3), answer.status) && (line.size() == 12 || line[12] == ' ');
        if (!is_line) {
            answer.problem = "this is no status line: " + shown(line);
            return answer;
        }
        answer.is_last = line.starts_with("HTTP/1.0");
        for (;;) {
            const auto header = take_line(until, answer.problem);
            if (!answer.problem.empty()) { return answer; }
            if (header.empty()) { break; }
            answer.head_text += header + "\n";
            const auto colon = header.find(':');
            if (colon == std::string::npos || !is_token(std::string_view{header}.substr(0, colon))) {
                answer.problem = "this is no header: " + shown(header);
                return answer;
            }
            answer.headers.emplace_back(header.substr(0, colon),
                                        std::string{trimmed(std::string_view{header}.substr(colon + 1))});
        }
        if (answer.status / 100 != 1) { break; }
    }

    for (const auto* name : {"Content-Length", "Transfer-Encoding", "Content-Type"}) {
        if (answer.count(name) > 1) { answer.problem = std::string{name} + " stands there more than once"; }
    }
    if (const auto* const connection = answer.header("Connection")) {
        answer.is_last =
            contains(lower(*connection), "close") || (answer.is_last && !contains(lower(*connection), "keep-alive"));
    }
    const auto* const length = answer.header("Content-Length");
    const auto* const encoding = answer.header("Transfer-Encoding");
    std::size_t size = 0;
    if (length != nullptr && encoding != nullptr) { answer.problem = "both a length and Transfer-Encoding are told"; }
    if (length != nullptr && !parse_number(*length, size)) { answer.problem = "this is no length: " + *length; }
    if (encoding != nullptr && !is_same_name(*encoding, "chunked")) {
        answer.problem = "the encoding is unknown: " + *encoding;
    }
    if (answer.status == 204 && (encoding != nullptr || size != 0)) { answer.problem = "204 announces a body"; }
    if (!answer.problem.empty() || has_body == HasBody::never || answer.status == 204 || answer.status == 304) {
        return answer;
    }
    if (encoding != nullptr) {
        take_chunks(answer, until);
    } else if (length != nullptr) {
        take_bytes(size, answer.body, until, answer.problem);
    } else {
        // Neither: the body ends with the connection (RFC 9112, 6.3).
        Wait wait = Wait::data;
        while (wait == Wait::data) { wait = take(until); }
        if (wait == Wait::timeout) { answer.problem = "neither a length nor the end of the connection came"; }
        answer.is_last = true;
        answer.body = std::exchange(received_, {});
    }
    return answer;
}

void Connection::await_interim() {
    const auto until = Clock::now() + std::chrono::milliseconds{250};
    while (received_.find("\r\n\r\n") == std::string::npos && take(until) == Wait::data) {}
}

bool Connection::await_end(std::chrono::milliseconds within) {
    const auto until = Clock::now() + within;
    while (take(until) == Wait::data) {}
    return has_ended_;
}

} // namespace contract
