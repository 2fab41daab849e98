// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_OUTCOME_TALLY_HPP
#define DAYBOOK_DETAIL_OUTCOME_TALLY_HPP

/// @file
/// Outcomes as they are counted: without a branch, for whatever ends.

#include <daybook/stats/outcome_counts.hpp>
#include <daybook/types.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace daybook::inline v0::detail {

/// `one + other`, or the largest number there is; without a branch.
[[nodiscard]] constexpr std::uint64_t saturating_sum(std::uint64_t one, std::uint64_t other) noexcept {
    const std::uint64_t sum = one + other;
    return sum | (std::uint64_t{0} - static_cast<std::uint64_t>(sum < one));
}

/// What an execution with this status worked through, from what it reported: nothing makes it one request, and a total
/// that it did not know is what it has done so far.
[[nodiscard]] constexpr RequestCounts requests_of(RequestCounts reported, JobStatus status) noexcept {
    if (reported == RequestCounts{}) {
        return {.total = 1,
                .completed = status == JobStatus::success ? std::uint64_t{1} : std::uint64_t{0},
                .failed = is_failure(status) ? std::uint64_t{1} : std::uint64_t{0}};
    }
    if (reported.total == 0) { reported.total = saturating_sum(reported.completed, reported.failed); }
    return reported;
}

constexpr void add_requests(RequestCounts& sum, const RequestCounts& more) noexcept {
    sum.total = saturating_sum(sum.total, more.total);
    sum.completed = saturating_sum(sum.completed, more.completed);
    sum.failed = saturating_sum(sum.failed, more.failed);
}

constexpr void count_up(std::uint64_t& count) noexcept {
    count += count != std::numeric_limits<std::uint64_t>::max() ? std::uint64_t{1} : std::uint64_t{0};
}

struct OutcomeTally {
    std::array<std::uint64_t, 8> finals{}; ///< final executions by status; of skips, occurrences
    std::uint64_t retries = 0;             ///< attempts after the first that ran, final or not
    RequestCounts requests{};              ///< of final executions

    void count(JobStatus status, bool is_final, bool is_retry) noexcept {
        finals[static_cast<std::size_t>(status)] += is_final ? 1 : 0;
        retries += is_retry ? 1 : 0;
    }

    /// A final execution that did not say what it worked through: one request.
    [[gnu::always_inline]] void count_request(JobStatus status) noexcept {
        count_up(requests.total);
        if (status == JobStatus::success) {
            count_up(requests.completed);
        } else if (is_failure(status)) {
            count_up(requests.failed);
        }
    }

    void count_skips(std::uint64_t occurrences) noexcept { of(JobStatus::skipped) += occurrences; }

    [[nodiscard]] std::uint64_t& of(JobStatus status) noexcept { return finals[static_cast<std::size_t>(status)]; }
    [[nodiscard]] std::uint64_t of(JobStatus status) const noexcept { return finals[static_cast<std::size_t>(status)]; }

    [[nodiscard]] std::uint64_t errors() const noexcept {
        return of(JobStatus::error) + of(JobStatus::timeout) + of(JobStatus::abandoned);
    }

    [[nodiscard]] bool is_used() const noexcept { return *this != OutcomeTally{}; }
    [[nodiscard]] bool operator==(const OutcomeTally&) const noexcept = default;

    OutcomeTally& operator+=(const OutcomeTally& other) noexcept {
        for (std::size_t i = 0; i < finals.size(); ++i) { finals[i] += other.finals[i]; }
        retries += other.retries;
        add_requests(requests, other.requests);
        return *this;
    }

    /// What has come since `earlier`.
    [[nodiscard]] OutcomeTally operator-(const OutcomeTally& earlier) const noexcept {
        OutcomeTally since = *this;
        for (std::size_t i = 0; i < finals.size(); ++i) { since.finals[i] -= earlier.finals[i]; }
        since.retries -= earlier.retries;
        since.requests.total -= earlier.requests.total;
        since.requests.completed -= earlier.requests.completed;
        since.requests.failed -= earlier.requests.failed;
        return since;
    }

    [[nodiscard]] OutcomeCounts counts() const noexcept {
        OutcomeCounts counts;
        counts.success_count = of(JobStatus::success);
        counts.error_count = errors();
        counts.total_executions = counts.success_count + counts.error_count;
        counts.timeout_count = of(JobStatus::timeout);
        counts.abandoned_count = of(JobStatus::abandoned);
        counts.cancelled_count = of(JobStatus::cancelled);
        counts.skipped_count = of(JobStatus::skipped);
        counts.retry_count = retries;
        counts.requests = requests;
        if (counts.total_executions != 0) {
            const double percent =
                100.0 * static_cast<double>(counts.success_count) / static_cast<double>(counts.total_executions);
            counts.success_rate = std::round(percent * 100.0) / 100.0;
        }
        return counts;
    }
};

} // namespace daybook::inline v0::detail

#endif
