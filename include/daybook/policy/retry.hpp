// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_POLICY_RETRY_HPP
#define DAYBOOK_POLICY_RETRY_HPP

/// @file
/// What if an attempt fails: how often a job is tried, and how long it waits in between.

#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

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

/// How often a failed occurrence is attempted, and when. The default is one attempt and no retry.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: safe, every member but assignment.
class RetryPolicy {
public:
    /// No retry.
    constexpr RetryPolicy() noexcept = default;

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

    /// Attempts altogether, the first one included.
    [[nodiscard]] constexpr std::uint32_t max_attempts() const noexcept { return max_attempts_; }

    /// How long to wait before an attempt, counted from the end of the one before; nothing when the attempts are used
    /// up. Attempt 2 waits `first_delay`, attempt 3 `first_delay * factor`, and so on up to `max_delay`; attempt 1
    /// does not wait. O(log next_attempt).
    /// @param random  Evenly distributed bits, from which the jitter is taken: the same bits, the same wait.
    [[nodiscard]] constexpr std::optional<std::chrono::nanoseconds> delay_before(std::uint32_t next_attempt,
                                                                                 std::uint64_t random) const noexcept {
        using std::chrono::nanoseconds;
        if (next_attempt > max_attempts_) { return std::nullopt; }
        if (next_attempt < 2) { return nanoseconds::zero(); }
        const nanoseconds whole = grown(next_attempt - 2);
        const double share = jitter_ * (static_cast<double>(random >> 11U) * 0x1p-53); // 53 bits: from 0 to below 1
        return whole - nanoseconds{static_cast<std::int64_t>(static_cast<double>(whole.count()) * share)};
    }

    friend constexpr bool operator==(const RetryPolicy&, const RetryPolicy&) = default;

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
