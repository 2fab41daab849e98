// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_STORE_HAND_HPP
#define DAYBOOK_DETAIL_STORE_HAND_HPP

/// @file
/// What the writer of a store has in hand, until it is written.

#include <daybook/log/execution_store.hpp>
#include <daybook/log/job_store.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

/// What has become of a job since it was written last.
struct KeptJob {
    bool is_erased = false; ///< first of all
    std::optional<StoredJob> saved = {};

    /// What nobody has written yet is not forgotten for what comes after it.
    void follow(KeptJob later) {
        if (later.is_erased) { saved.reset(); }
        if (later.saved && saved && !later.saved->accounted_to) { later.saved->accounted_to = saved->accounted_to; }
        is_erased = is_erased || later.is_erased;
        if (later.saved) { saved = std::move(later.saved); }
    }
};

/// By job.
using KeptJobs = std::map<std::string, KeptJob, std::less<>>;
using TimesOfJobs = std::map<std::string, sys_time, std::less<>>;

inline void raise(TimesOfJobs& times, const std::string& job_id, sys_time until) {
    sys_time& known = times.try_emplace(job_id, until).first->second;
    known = std::max(known, until);
}

/// What of a record in the batch is not written yet: it is counted with it.
struct FreshFacts {
    bool is_first = false;         ///< the record itself
    bool is_start = false;         ///< that it has started
    bool is_claimed = false;       ///< who takes the claim over records it
    bool is_settled = false;       ///< it is of a process that is gone, and ends
    std::uint64_t fresh_skips = 0; ///< so many occurrences

    void follow(const FreshFacts& later) noexcept {
        is_first = is_first || later.is_first;
        is_start = is_start || later.is_start;
        fresh_skips += later.fresh_skips;
    }
};

/// Of what a process has left: whether its claim says so. Then it is settled by who has the claim, and by nobody else.
enum class Known { by_record, by_claim };

struct Settled {
    StoredExecution execution = {};
    Known known = Known::by_record;
};

/// What is written at once, until it is.
struct BatchInHand {
    std::vector<StoredExecution> executions = {};
    std::vector<FreshFacts> facts = {}; ///< of each of them
    std::vector<AccountedTime> accounted = {};
    std::vector<ExecutionId> released = {};
    KeptJobs jobs = {};
    std::uint64_t round = 0; ///< that is over once this is written; 0: none
    bool is_refused = false; ///< by the store, for whatever reason

    [[nodiscard]] bool is_empty() const noexcept {
        return executions.empty() && accounted.empty() && released.empty() && jobs.empty() && round == 0;
    }
};

} // namespace daybook::inline v0::detail

#endif
