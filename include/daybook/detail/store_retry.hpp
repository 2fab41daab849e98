// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_STORE_RETRY_HPP
#define DAYBOOK_DETAIL_STORE_RETRY_HPP

/// @file
/// How long to wait for a store that has failed.

#include <daybook/detail/cron_fields.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace daybook::inline v0::detail {

/// Waits that double with each failure, of which a random half is taken off.
class StoreRetry {
public:
    StoreRetry(std::chrono::nanoseconds first, std::chrono::nanoseconds longest) noexcept
        : first_{std::min(first, longest)},
          longest_{longest},
          random_{static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count())} {}

    void failed() noexcept { ++failures_; }
    void succeeded() noexcept { failures_ = 0; }
    [[nodiscard]] std::uint32_t failures() const noexcept { return failures_; }

    /// Between half of it and all of it.
    [[nodiscard]] std::chrono::nanoseconds delay() noexcept {
        auto delay = first_;
        for (std::uint32_t i = 1; i < failures_ && delay < longest_; ++i) { delay *= 2; }
        delay = std::min(delay, longest_);
        random_ = mix_bits(random_ + 0x9E3779B97F4A7C15U);
        return delay - delay / 2 * static_cast<std::int64_t>(random_ % 1024) / 1024;
    }

private:
    std::chrono::nanoseconds first_;
    std::chrono::nanoseconds longest_;
    std::uint32_t failures_ = 0; // in a row
    std::uint64_t random_;
};

} // namespace daybook::inline v0::detail

#endif
