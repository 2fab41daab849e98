// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_POLICY_RETRY_HPP
#define DAYBOOK_POLICY_RETRY_HPP

/// @file
/// What if an attempt fails: how often a job is tried, after which failures, and how long it waits in between.

#include <daybook/detail/empty_callable.hpp>
#include <daybook/detail/ref.hpp>
#include <daybook/detail/retry_program.hpp>
#include <daybook/policy/failure.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace daybook::inline v0 {

/// Delays that grow by a factor from one attempt to the next: with the defaults 1 s, 2 s, then no more.
struct ExponentialBackoff {
    /// Attempts altogether, the first one included; at least 1, which means no retry.
    std::uint32_t max_attempts = 3;
    /// The wait before attempt 2; not negative.
    std::chrono::nanoseconds first_delay = std::chrono::seconds{1};
    /// How many times longer each further wait is; a finite number, at least 1.
    double factor = 2.0;
    /// No wait is longer; at least `first_delay`.
    std::chrono::nanoseconds max_delay = std::chrono::hours{1};
    /// The part of each wait that is left to chance, from 0 to 1: the wait is drawn evenly from
    /// (1 - jitter) * delay to delay. So 1 is what is known as full jitter, and chance never exceeds `max_delay`.
    double jitter = 0.0;

    friend bool operator==(const ExponentialBackoff&, const ExponentialBackoff&) = default;
};

/// The same delay before each further attempt.
struct FixedBackoff {
    /// Attempts altogether, the first one included; at least 1, which means no retry.
    std::uint32_t max_attempts = 3;
    /// The wait before each attempt but the first; not negative.
    std::chrono::nanoseconds delay = std::chrono::seconds{1};
    /// The part of each wait that is left to chance, see ExponentialBackoff::jitter.
    double jitter = 0.0;
};

/// How often a failed occurrence is attempted, after which failures, and when. The default is one attempt and no retry.
///
/// @code
/// exponential_backoff({.max_attempts = 5})                                 // errors and timeouts alike
/// exponential_backoff({.max_attempts = 5}).only_on<std::system_error>()    // only where the body threw one
/// fixed_backoff().only_if([](const Failure& failure) { return failure.status == JobStatus::timeout; })
/// RetryPolicy{[](const Failure& failure) -> std::optional<std::chrono::nanoseconds> {
///     if (failure.attempt_number >= 10) { return std::nullopt; }           // no more
///     return failure.is<TooManyRequests>() ? 60s : 1s;
/// }}
/// @endcode
///
/// Callables are kept once, and shared by all copies of the policy: they may be called on several threads at once, for
/// several jobs. A scheduler calls them under no lock, on the thread that found out about the failure; what they throw
/// counts as no retry.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: safe, every member but assignment; `delay_after` as safe as the program's
/// own callables.
class RetryPolicy {
public:
    /// No retry.
    constexpr RetryPolicy() noexcept = default;

    /// Leaves it all to the program: a callable that takes a `const Failure&` and returns how long to wait before the
    /// next attempt, counted from the end of the failed one (less than 0 counts as 0), or an empty optional for no
    /// further attempt. The number of attempts has no other bound.
    /// @throws std::invalid_argument  There is nothing in it to call: an empty std::function, a null pointer.
    template <class Callable>
    requires(!std::same_as<std::remove_cvref_t<Callable>, RetryPolicy> &&
             std::is_invocable_r_v<std::optional<std::chrono::nanoseconds>, std::decay_t<Callable>&, const Failure&> &&
             std::constructible_from<std::decay_t<Callable>, Callable>)
        RetryPolicy(Callable&& decide) // NOLINT(google-explicit-constructor): a policy may be given as a lambda
        : max_attempts_{0} {
        check_callable(decide, "RetryPolicy");
        program_ = detail::Ref<detail::RetryProgram>{
            detail::Ref{new detail::RetryDecision<std::decay_t<Callable>>{std::forward<Callable>(decide)}}};
    }

    /// @throws std::invalid_argument  A field is out of its range; says which, and what is allowed.
    constexpr explicit RetryPolicy(const ExponentialBackoff& with)
        : max_attempts_{with.max_attempts},
          first_delay_{with.first_delay},
          max_delay_{with.max_delay},
          factor_{with.factor},
          jitter_{with.jitter} {
        check("ExponentialBackoff", "first_delay");
        if (!(with.factor >= 1.0 && with.factor <= largest_double)) {
            refuse("ExponentialBackoff", "factor", "a finite number of at least 1", std::to_string(with.factor));
        }
        if (with.max_delay < with.first_delay) {
            refuse("ExponentialBackoff", "max_delay", "at least first_delay (" + text(with.first_delay) + ")",
                   text(with.max_delay));
        }
    }

    /// @throws std::invalid_argument  A field is out of its range; says which, and what is allowed.
    constexpr explicit RetryPolicy(const FixedBackoff& with)
        : max_attempts_{with.max_attempts}, first_delay_{with.delay}, max_delay_{with.delay}, jitter_{with.jitter} {
        check("FixedBackoff", "delay");
    }

    /// A copy that retries only the failures for which `predicate` returns true; it takes a `const Failure&`, and is
    /// not asked when the attempts are used up. Conditions add up: all must agree, and the one that was given last is
    /// asked first.
    /// @throws std::invalid_argument  There is nothing in it to call: an empty std::function, a null pointer.
    template <class Predicate>
    [[nodiscard]] RetryPolicy only_if(Predicate&& predicate) const {
        using Held = std::decay_t<Predicate>;
        static_assert(std::is_invocable_r_v<bool, Held&, const Failure&>,
                      "a condition for retries must be callable with a const daybook::Failure&, and return bool");
        check_callable(predicate, "RetryPolicy::only_if");
        RetryPolicy narrower = *this;
        narrower.program_ = detail::Ref<detail::RetryProgram>{
            detail::Ref{new detail::RetryCondition<Held>{std::forward<Predicate>(predicate), program_}}};
        return narrower;
    }

    /// A copy that retries only where the body threw one of these, or something derived from one of them. A timeout is
    /// no exception, so it is not retried: for that, and whatever else is not about types, there is `only_if`.
    template <class... Exceptions>
    [[nodiscard]] RetryPolicy only_on() const {
        static_assert(sizeof...(Exceptions) != 0, "only_on needs the types to retry on: only_on<std::system_error>()");
        return only_if([](const Failure& failure) { return (failure.is<Exceptions>() || ...); });
    }

    /// Attempts altogether, the first one included; 0 when the program's own callable decides.
    [[nodiscard]] constexpr std::uint32_t max_attempts() const noexcept { return max_attempts_; }

    /// The numbers behind it, the conditions left out: a fixed delay is one that grows by a factor of 1. Empty when the
    /// program's own callable decides.
    [[nodiscard]] constexpr std::optional<ExponentialBackoff> backoff() const noexcept {
        if (max_attempts_ == 0) { return std::nullopt; }
        return ExponentialBackoff{max_attempts_, first_delay_, factor_, max_delay_, jitter_};
    }

    /// Whether `delay_after` may call user code.
    [[nodiscard]] constexpr bool asks_program() const noexcept { return program_ && max_attempts_ != 1; }

    /// How long to wait after a failed attempt, counted from its end, before the next one; empty for no further
    /// attempt: they are used up, a condition or the program's callable says so, or `attempt_number` cannot be counted
    /// any further.
    /// @param random  Evenly distributed bits, from which the jitter is taken.
    /// @throws  What the program's callables throw.
    [[nodiscard]] std::optional<std::chrono::nanoseconds> delay_after(const Failure& failure,
                                                                      std::uint64_t random) const {
        if (failure.attempt_number == std::numeric_limits<std::uint32_t>::max()) { return std::nullopt; }
        const std::uint32_t next_attempt = failure.attempt_number + 1;
        if (!asks_program()) { return delay_before(next_attempt, random); }
        if (max_attempts_ == 0) { return program_->ask(failure, std::chrono::nanoseconds::zero()); }
        const auto backoff = delay_before(next_attempt, random);
        return backoff ? program_->ask(failure, *backoff) : std::nullopt;
    }

    /// How long the backoff waits before an attempt, counted from the end of the one before; empty when the attempts
    /// are used up, and where the program's own callable decides. Conditions are not asked. Attempt 2 waits
    /// `first_delay`, attempt 3 `first_delay * factor`, and so on up to `max_delay`; attempt 1 does not wait.
    /// O(log next_attempt).
    /// @param random  Evenly distributed bits, from which the jitter is taken: the same bits, the same wait.
    [[nodiscard]] constexpr std::optional<std::chrono::nanoseconds> delay_before(std::uint32_t next_attempt,
                                                                                 std::uint64_t random) const noexcept {
        using std::chrono::nanoseconds;
        if (next_attempt < 2) { return nanoseconds::zero(); }
        if (next_attempt > max_attempts_) { return std::nullopt; }
        const nanoseconds whole = grown(next_attempt - 2);
        const double share = jitter_ * (static_cast<double>(random >> 11U) * 0x1p-53); // 53 bits: from 0 to below 1
        return whole - nanoseconds{static_cast<std::int64_t>(static_cast<double>(whole.count()) * share)};
    }

    /// Whether both do the same as far as that can be told: callables are compared by identity, so a copy is equal to
    /// its original, and not to a policy that was made anew of the same callable.
    friend constexpr bool operator==(const RetryPolicy& left, const RetryPolicy& right) noexcept {
        return left.max_attempts_ == right.max_attempts_ && left.first_delay_ == right.first_delay_ &&
               left.max_delay_ == right.max_delay_ && left.factor_ == right.factor_ && left.jitter_ == right.jitter_ &&
               left.program_.get() == right.program_.get();
    }

private:
    static constexpr double largest_double = 1.7976931348623157e308;

    // first_delay * factor ^ steps, by repeated squaring. Clamped far beyond any duration and far below what overflows.
    [[nodiscard]] constexpr std::chrono::nanoseconds grown(std::uint32_t steps) const noexcept {
        constexpr double ample = 1e30;
        double product = static_cast<double>(first_delay_.count());
        double power = factor_ < ample ? factor_ : ample;
        for (; steps != 0 && product < ample; steps >>= 1U) {
            if ((steps & 1U) != 0) { product *= power; }
            power = power * power < ample ? power * power : ample;
        }
        if (product >= static_cast<double>(max_delay_.count())) { return max_delay_; }
        return std::chrono::nanoseconds{static_cast<std::int64_t>(product)};
    }

    constexpr void check(const char* options, const char* delay_field) const {
        if (max_attempts_ < 1) { refuse(options, "max_attempts", "at least 1", "0"); }
        if (first_delay_ < first_delay_.zero()) { refuse(options, delay_field, "0 or longer", text(first_delay_)); }
        if (!(jitter_ >= 0.0 && jitter_ <= 1.0)) { refuse(options, "jitter", "from 0 to 1", std::to_string(jitter_)); }
    }

    template <class Callable>
    static void check_callable(const Callable& callable, const char* where) {
        if (detail::is_empty_callable<std::decay_t<Callable>>(callable)) {
            throw std::invalid_argument{std::string{where} + " must be given something to call, is empty"};
        }
    }

    [[noreturn]] static void refuse(const char* options, const char* field, const std::string& allowed,
                                    const std::string& given) {
        throw std::invalid_argument{std::string{options} + "::" + field + " must be " + allowed + ", is " + given};
    }

    static std::string text(std::chrono::nanoseconds delay) { return std::to_string(delay.count()) + " ns"; }

    std::uint32_t max_attempts_ = 1;
    std::chrono::nanoseconds first_delay_{0};
    std::chrono::nanoseconds max_delay_{0};
    double factor_ = 1.0;
    double jitter_ = 0.0;
    detail::Ref<detail::RetryProgram> program_;
};

/// Retries with growing delays; see ExponentialBackoff.
/// @throws std::invalid_argument  A field is out of its range; says which, and what is allowed.
[[nodiscard]] constexpr RetryPolicy exponential_backoff(const ExponentialBackoff& options = {}) {
    return RetryPolicy{options};
}

/// Retries with one delay; see FixedBackoff.
/// @throws std::invalid_argument  A field is out of its range; says which, and what is allowed.
[[nodiscard]] constexpr RetryPolicy fixed_backoff(const FixedBackoff& options = {}) { return RetryPolicy{options}; }

} // namespace daybook::inline v0

#endif
