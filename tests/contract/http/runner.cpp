// SPDX-License-Identifier: MIT
#include "contract/http/runner.hpp"

#include "contract/http/app.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <thread>
#include <utility>

namespace contract {

namespace {

using namespace std::chrono_literals;

[[nodiscard]] std::string in_mode(std::string bytes, Mode mode) {
    const std::string_view line = mode == Mode::close ? "Connection: close\r\n" : "";
    for (auto at = bytes.find(connection_mark); at != std::string::npos; at = bytes.find(connection_mark, at)) {
        bytes.replace(at, connection_mark.size(), line);
        at += line.size();
    }
    return bytes;
}

/// Words that tell of a program's inside.
[[nodiscard]] std::string find_leak(const Answer& answer) {
    auto text = lower(answer.head_text);
    if (answer.status >= 400) { text += lower(answer.body); }
    for (const auto* word : {"std::", "exception", "what()", "terminate", "stack", "/usr/", "/home/", "/srv/", ".cpp",
                             ".hpp", "0x7f", "bad_alloc", "password"}) {
        if (contains(text, word)) { return "the answer tells of the inside: " + std::string{word}; }
    }
    if (contains(answer.body, secret)) { return "the answer tells the secret"; }
    return {};
}

void add_line(std::string& problems, std::string_view line) {
    if (!line.empty()) { problems.append(problems.empty() ? "" : "\n").append(line); }
}

[[nodiscard]] bool is_in(const std::vector<int>& statuses, int status) {
    return std::find(statuses.begin(), statuses.end(), status) != statuses.end();
}

void send(std::string_view bytes, std::size_t piece, Connection& connection) {
    if (piece == 0) { return connection.send(bytes); }
    for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
        connection.send(bytes.substr(0, piece));
        std::this_thread::sleep_for(4ms);
    }
}

[[nodiscard]] std::string list(const std::vector<int>& statuses) {
    std::string text;
    for (const int status : statuses) {
        text += (text.empty() ? "" : ", ") + (status == closed ? "closed" : std::to_string(status));
    }
    return text;
}

} // namespace

const KnownLimit* find_limit(std::span<const KnownLimit> limits, std::string_view name) {
    const auto found = std::find_if(limits.begin(), limits.end(), [&](const KnownLimit& limit) {
        return limit.name.ends_with('*') ? name.starts_with(limit.name.substr(0, limit.name.size() - 1))
                                         : name == limit.name;
    });
    return found == limits.end() ? nullptr : &*found;
}

void Runner::judge(const Expected& expected, const Answer& answer, std::string& problems) const {
    // Where the connection may end without an answer, it may end within one.
    if (answer.is_cut && is_in(expected.statuses, closed)) { return; }
    add_line(problems, answer.problem);
    if (!is_in(expected.statuses, answer.status)) {
        add_line(problems, "expected " + list(expected.statuses) + ", got " + list({answer.status}));
    } else if (answer.status == expected.statuses.front()) {
        for (const auto& check : expected.checks) { add_line(problems, check(answer)); }
    }
    if (answer.status == closed) { return; }
    add_line(problems, find_leak(answer));
    const auto* const type = answer.header("Content-Type");
    if (type != nullptr && type->starts_with("application/json") && expected.has_body == HasBody::as_told &&
        answer.status != 204 && answer.status != 206 && answer.status != 304 &&
        (!is_json(answer.body) || !is_utf8(answer.body))) {
        add_line(problems, "the body is not JSON");
    }
    if (!problems.empty()) { add_line(problems, shown(answer.head_text + "\n" + answer.body)); }
}

bool Runner::attempt(const Case& what, Connection& connection, std::string& problems) {
    for (const auto& step : what.steps) {
        switch (step.kind) {
        case Step::Kind::send: send(in_mode(step.bytes, mode_), step.piece, connection); break;
        case Step::Kind::half_close: connection.end_sending(); break;
        case Step::Kind::pause: std::this_thread::sleep_for(step.time); break;
        case Step::Kind::await_interim: connection.await_interim(); break;
        }
    }
    bool is_first = true;
    bool is_last = false;
    can_go_on_ = what.use == Use::shared;
    for (const auto& expected : what.expected) {
        const auto answer = connection.receive(expected.has_body);
        if (std::exchange(is_first, false) && answer.status == closed && answer.problem.empty() &&
            !is_in(expected.statuses, closed)) {
            return true;
        }
        judge(expected, answer, problems);
        is_last = answer.is_last;
        was_announced_ = answer.is_last || answer.status == closed || !is_in({200}, answer.status);
        if (answer.is_last || answer.status == closed || !answer.problem.empty()) {
            can_go_on_ = false;
            break;
        }
    }
    if (mode_ == Mode::close || !can_go_on_) {
        // Whatever else comes was asked for by nobody.
        can_go_on_ = false;
        connection.end_sending();
        static_cast<void>(connection.await_end(is_last ? 500ms : 100ms));
    }
    if (!connection.rest().empty()) {
        add_line(problems, "more came than was asked for: " + shown(connection.rest()));
        can_go_on_ = false;
    }
    return false;
}

std::string Runner::run(const Case& what, std::chrono::milliseconds patience) {
    std::string problems;
    try {
        const bool is_reused = kept_ != nullptr && can_go_on_ && what.use == Use::shared;
        const bool was_announced = was_announced_;
        if (!is_reused) { kept_ = std::make_unique<Connection>(port_, patience); }
        bool has_ended = attempt(what, *kept_, problems);
        if (has_ended && is_reused) {
            // A server may end a connection between two requests, but a good one says so before.
            if (!was_announced) { add_line(problems, "the connection ended behind the last case, unannounced"); }
            kept_ = std::make_unique<Connection>(port_, patience);
            has_ended = attempt(what, *kept_, problems);
        } else if (is_reused) {
            ++reuses_;
        }
        if (has_ended) {
            add_line(problems, "expected " + list(what.expected.front().statuses) + ", got closed");
            can_go_on_ = false;
        }
        if (!can_go_on_) { kept_.reset(); }
    } catch (const std::exception& thrown) {
        kept_.reset();
        add_line(problems, thrown.what());
    }

    try {
        Connection after{port_};
        after.send("GET " + ping_ + " HTTP/1.1\r\nHost: contract.test\r\nConnection: close\r\n\r\n");
        const auto answer = after.receive();
        if (answer.status != 200 || answer.body != "pong" || !answer.problem.empty()) {
            add_line(problems, "afterwards, a plain GET is answered with " + std::to_string(answer.status) + " " +
                                   answer.problem);
        }
    } catch (const std::exception& thrown) { add_line(problems, std::string{"afterwards, "} + thrown.what()); }
    return problems;
}

} // namespace contract
