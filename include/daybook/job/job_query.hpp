// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_JOB_JOB_QUERY_HPP
#define DAYBOOK_JOB_JOB_QUERY_HPP

/// @file
/// What one may ask a scheduler's list of jobs for, and the page that answers.

#include <daybook/job/job.hpp>
#include <daybook/types.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace daybook::inline v0 {

/// Which jobs to list. All filters given must match; an empty field does not filter.
struct JobQuery {
    std::optional<JobState> state = {};
    std::optional<bool> is_paused = {}; ///< also of those that execute while they are paused
    std::string handler_id = {};
    std::string text = {};   ///< part of the id, the handler_id or the method_name; ASCII letters match in either case
    std::size_t limit = 100; ///< jobs in the page; 0 asks for the total alone
    std::size_t offset = 0;  ///< matches to pass over, counted from the cursor where both are given
    std::string cursor = {}; ///< `next_cursor` of the page before, of the same query; empty: from the first
};

/// The matches of one query, ordered by id. Whoever follows the cursors sees every job that was there all the time
/// exactly once.
struct JobPage {
    std::vector<JobInfo> jobs = {};
    std::size_t total = 0; ///< all matches
    bool has_more = false;
    std::string next_cursor = {}; ///< give it to the next query; empty when there is no more
};

} // namespace daybook::inline v0

#endif
