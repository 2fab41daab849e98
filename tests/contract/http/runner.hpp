// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_CONTRACT_HTTP_RUNNER_HPP
#define DAYBOOK_TESTS_CONTRACT_HTTP_RUNNER_HPP

/// @file
/// Runs cases against a server, and judges each by what it expects and by what holds for all of them.

#include "contract/http/contract_case.hpp"
#include "contract/http/server.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace contract {

/// The limit of this server that a case falls under, or null.
[[nodiscard]] const KnownLimit* find_limit(std::span<const KnownLimit> limits, std::string_view name);

class Runner {
public:
    /// @param ping  A target that answers "pong", asked on a new connection after every case.
    Runner(int port, Mode mode, std::string ping) : port_{port}, mode_{mode}, ping_{std::move(ping)} {}

    /// Whatever is wrong, a line for each; empty: nothing.
    /// @param patience  How long an answer is waited for.
    [[nodiscard]] std::string run(const Case& what, std::chrono::milliseconds patience = std::chrono::seconds{5});

    /// Cases that were answered on a connection that an earlier one had used.
    [[nodiscard]] std::size_t reuses() const { return reuses_; }

private:
    /// @returns Whether the connection ended before anything was answered, as it may between two requests.
    bool attempt(const Case& what, Connection& connection, std::string& problems);
    void judge(const Expected& expected, const Answer& answer, std::string& problems) const;

    int port_;
    Mode mode_;
    std::string ping_;
    std::unique_ptr<Connection> kept_;
    bool can_go_on_ = false; ///< kept_ may be used once more
    bool was_announced_ = true;
    std::size_t reuses_ = 0;
};

} // namespace contract

#endif
