// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_RETRY_PROGRAM_HPP
#define DAYBOOK_DETAIL_RETRY_PROGRAM_HPP

/// @file
/// The program's own part of a retry policy: its conditions, one behind the other, and its own delays.

#include <daybook/detail/ref.hpp>
#include <daybook/policy/failure.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace daybook::inline v0::detail {

/// User code: is asked under no lock, perhaps on several threads at once, and may throw.
class RetryProgram : public RefCounted {
public:
    /// @param backoff  What the policy would wait.
    /// @returns How long to wait; empty for no further attempt.
    [[nodiscard]] virtual std::optional<std::chrono::nanoseconds> ask(const Failure& failure,
                                                                      std::chrono::nanoseconds backoff) const = 0;

protected:
    RetryProgram() = default;
    ~RetryProgram() = default;
};

/// Lets some failures through to whatever was decided before it came.
template <class Predicate>
class RetryCondition final : public RetryProgram {
public:
    template <class From>
    RetryCondition(From&& predicate, Ref<RetryProgram> before)
        : predicate_(std::forward<From>(predicate)), before_{std::move(before)} {}

    [[nodiscard]] std::optional<std::chrono::nanoseconds> ask(const Failure& failure,
                                                              std::chrono::nanoseconds backoff) const override {
        if (!static_cast<bool>(std::invoke(predicate_, failure))) { return std::nullopt; }
        return before_ ? before_->ask(failure, backoff) : backoff;
    }

private:
    void destroy() const noexcept override { delete this; }

    mutable Predicate predicate_;
    Ref<RetryProgram> before_;
};

/// Decides alone.
template <class Decide>
class RetryDecision final : public RetryProgram {
public:
    template <class From>
    explicit RetryDecision(From&& decide) : decide_(std::forward<From>(decide)) {}

    [[nodiscard]] std::optional<std::chrono::nanoseconds> ask(const Failure& failure,
                                                              std::chrono::nanoseconds /*backoff*/) const override {
        std::optional<std::chrono::nanoseconds> wait = std::invoke(decide_, failure);
        if (wait && *wait < wait->zero()) { wait = wait->zero(); }
        return wait;
    }

private:
    void destroy() const noexcept override { delete this; }

    mutable Decide decide_;
};

} // namespace daybook::inline v0::detail

#endif
