// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_CONTRACT_HTTP_RAW_CLIENT_HPP
#define DAYBOOK_TESTS_CONTRACT_HTTP_RAW_CLIENT_HPP

/// @file
/// A client that sends exactly what it is told to, valid or not, and takes apart what comes back, strictly.

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace contract {

struct Answer {
    int status = 0; ///< 0: the connection ended before a status line
    std::vector<std::pair<std::string, std::string>> headers = {};
    std::string body = {};      ///< chunks joined
    std::string head_text = {}; ///< status line and headers as they came
    std::string problem = {};   ///< what is wrong with it as HTTP, or that it did not come in time; empty: nothing
    bool is_cut = false;        ///< the connection ended within it
    bool is_last = false;       ///< it says that the connection ends behind it

    /// How often a header stands there.
    [[nodiscard]] std::size_t count(std::string_view name) const;
    /// The value of the first of that name, or null.
    [[nodiscard]] const std::string* header(std::string_view name) const;
};

[[nodiscard]] bool is_same_name(std::string_view left, std::string_view right);
[[nodiscard]] bool contains(std::string_view text, std::string_view part);
[[nodiscard]] std::string lower(std::string_view text);
/// As a literal in C++, cut after a few hundred bytes: for messages.
[[nodiscard]] std::string shown(std::string_view bytes);

enum class HasBody { as_told, never };

/// One TCP connection to 127.0.0.1. Nothing it does takes longer than its deadline.
class Connection {
public:
    /// @param patience  How long it waits for an answer.
    explicit Connection(int port, std::chrono::milliseconds patience = std::chrono::seconds{5});
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection();

    /// Reads meanwhile, as a server may answer before it has all. Ends early once nothing is taken any more.
    void send(std::string_view bytes);

    /// Says that nothing more will be sent.
    void end_sending();

    /// The next answer that is not interim (1xx).
    /// @param has_body  `never`: it answers a HEAD.
    [[nodiscard]] Answer receive(HasBody has_body = HasBody::as_told);

    /// Waits until an interim answer (100) has come, or any other, but not long.
    void await_interim();

    /// Waits for the end of the connection, not long.
    /// @returns Whether it came.
    [[nodiscard]] bool await_end(std::chrono::milliseconds within);

    /// What came and was not asked for.
    [[nodiscard]] const std::string& rest() const { return received_; }
    [[nodiscard]] bool has_ended() const { return has_ended_; }

private:
    enum class Wait { data, ended, timeout };
    [[nodiscard]] Answer receive_whole(HasBody has_body);
    /// Takes what is there, or waits for it.
    Wait take(std::chrono::steady_clock::time_point until);
    [[nodiscard]] std::string take_line(std::chrono::steady_clock::time_point until, std::string& problem);
    void take_bytes(std::size_t count, std::string& to, std::chrono::steady_clock::time_point until,
                    std::string& problem);
    void take_chunks(Answer& answer, std::chrono::steady_clock::time_point until);

    int socket_ = -1;
    std::chrono::milliseconds patience_;
    bool has_ended_ = false;
    std::string received_;
};

} // namespace contract

#endif
