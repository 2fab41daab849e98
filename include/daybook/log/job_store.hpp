// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_LOG_JOB_STORE_HPP
#define DAYBOOK_LOG_JOB_STORE_HPP

/// @file
/// What a scheduler asks of the place where its jobs last.

#include <daybook/log/execution_store.hpp>
#include <daybook/policy/delivery.hpp>
#include <daybook/policy/misfire.hpp>
#include <daybook/policy/overlap.hpp>
#include <daybook/policy/retry.hpp>
#include <daybook/types.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace daybook::inline v0 {

/// One job as a store keeps it: names, times and words, nothing that only a program knows.
struct StoredJob {
    std::string id = {}; ///< the key
    std::string handler_id = {};
    std::string method_name = {};
    std::string schedule = {}; ///< what parse_schedule reads
    std::string parameters = {};
    std::string group = {};

    // The policies; empty: the scheduler's own.
    std::optional<ExponentialBackoff> retry = {}; ///< also of a fixed delay; conditions and callables are not kept
    std::optional<std::chrono::nanoseconds> timeout = {};
    std::optional<Overlap> overlap = {};
    std::optional<Misfire> misfire = {};
    std::optional<Delivery> delivery = {};
    std::optional<std::chrono::nanoseconds> misfire_grace = {};
    std::optional<std::uint32_t> max_catch_up = {};
    std::int32_t priority = 0;
    std::chrono::nanoseconds stale_after{0};

    bool is_from_data = false; ///< made of a handler: it is made again when the program starts
    bool is_paused = false;
    std::optional<std::uint64_t> left = {};    ///< occurrences there may still be, where the schedule counts them
    std::optional<sys_time> accounted_to = {}; ///< see AccountedTime; written by batches, and by `save` if it is set
    sys_time created_at = {};
    sys_time updated_at = {}; ///< of one whose schedule counts: the nominal time up to which `left` counts
};

/// A place where jobs last; see execution_store for errors, deadlines and threads.
///
/// | | |
/// |---|---|
/// | `jobs(deadline)` | all, ordered by id |
/// | `save(job, deadline)` | inserts or replaces the one with this id; an `accounted_to` that is empty, and
/// `created_at`, leave what is there | | `erase(id, deadline)` | forgets it; returns whether it was there. Its
/// executions stay |
template <class Store>
concept job_store = requires(Store& store, const StoredJob& job, std::string_view id, StoreDeadline deadline) {
    { store.jobs(deadline) } -> std::same_as<std::vector<StoredJob>>;
    store.save(job, deadline);
    { store.erase(id, deadline) } -> std::same_as<bool>;
};

} // namespace daybook::inline v0

#endif
