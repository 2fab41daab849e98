// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_LOG_LOG_OPTIONS_HPP
#define DAYBOOK_LOG_LOG_OPTIONS_HPP

/// @file
/// The bounds of a log. Whatever the jobs do, its memory stays within them.

#include <daybook/log/any_store.hpp>
#include <daybook/log/fleet_options.hpp>
#include <daybook/log/storing_options.hpp>
#include <daybook/time/wall_clock.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

namespace daybook::inline v0 {

/// All sizes are counts of records unless said otherwise. The index is made at once, 18 to 37 bytes for each of
/// `capacity` and `max_running`, and so are the statistics overall, 120 KB; all other memory is taken as records
/// arrive, and kept.
struct LogOptions {
    /// Finished records kept, skips included; 1 to 100 million.
    std::size_t capacity = 1000;

    /// Of these, how many places belong to the newest final failures, which successes cannot evict. Less than
    /// `capacity`. Empty: a tenth, rounded down.
    std::optional<std::size_t> error_capacity = {};

    /// Of `capacity`, how many places skips may take at most; at least 1, at most `capacity`. Empty: a tenth, at
    /// least 1.
    std::optional<std::size_t> skip_capacity = {};

    /// How long finished records are kept at most, in seconds of the steady clock since they finished (a skip: since it
    /// was last counted), so that setting the wall clock neither removes nor keeps anything; whether time that the
    /// machine sleeps counts is the steady clock's choice (on Linux it does not). What is older is not shown, at most a
    /// second late, and goes as others finish or when the log is asked; statistics go on counting it. 0: no such limit.
    std::chrono::seconds max_age = std::chrono::seconds::zero();

    /// Executions queued or running at once, on top of `capacity`; beyond it the oldest is recorded as `abandoned`.
    /// 1 to 100 million.
    std::size_t max_running = 1024;

    /// Parts that the log is kept in, so that threads which record at the same moment do not wait for each other; 1 to
    /// 64, at most `capacity`. A thread stays in a part until it finds another one there. It pays where several threads
    /// record a million executions a second: below, one part is quicker in everything, and a scheduler must have one,
    /// since it has a lock of its own. In more than one
    /// - each part keeps its share of `capacity`, `error_capacity` and `skip_capacity`, and evicts by itself; it may
    ///   have `max_running` executions in flight, and its own handlers and jobs counted apart;
    /// - lists follow the wall clock where they go from part to part, ids grow with time but for some 64 of each part;
    /// - skips in a row are one record where one part counted them;
    /// - figures are of moments some microseconds apart; who records may wait for some 50 us while they are read;
    ///   percentiles of minutes, hours and days that are over are those of the part that measured most.
    /// Not with a store.
    std::size_t shards = 1;

    /// Bytes of one result, one error, one log text or the parameters, and a quarter of them of one value of metadata;
    /// what is longer is cut, with a mark that says so. 64 to 4,000,000,000.
    std::size_t max_text_bytes = 4096;

    /// Handlers with counts, a histogram and the hours of a week of their own since the last clear; the rest is counted
    /// together as `other`. Each takes 6 KB from its first execution on, and 100 bytes for each hour in which something
    /// of it ends, so all of the default at most 1 MB. 0: none.
    std::size_t max_tracked_handlers = 32;

    /// The entry of an execution's metadata by whose value it is counted in StatsSnapshot::by_model, of which the first
    /// 255 bytes count; an execution without one counts there as its handler's. Twice as many values as
    /// `max_tracked_handlers` are counted apart. Empty: all count as their handlers'.
    std::string model_key = "model";

    /// Jobs with counts of their own since the last clear, at most 250 bytes each and the name; the rest is counted
    /// together as `other`. 0: none.
    std::size_t max_tracked_jobs = 1024;

    /// Where records last beyond the process. Then lists, single records and statistics are answered from there, with
    /// what earlier processes have left; this log's own bounds hold for what is kept in memory beside it. Opened by the
    /// log's constructor, which throws a StoreError when that fails. None: memory alone.
    AnyStore store = {};
    StoringOptions storing = {}; ///< how it is written to

    /// Shares the store with other processes, all of which give this. The constructor throws a StoreError as well when
    /// this machine's clock is too far from the store's. Needs a store that can be shared (AnyStore::is_shared); then
    /// StoringOptions::node has at most 230 bytes, and gets a number of its own. None: the store is this process's
    /// alone.
    std::optional<FleetOptions> fleet = {};

    /// What instants and durations are read from. Of the system's clocks a hand-over or a start reads the steady one
    /// alone, and knows for a millisecond how far the wall clock is from it: one that comes right after the wall clock
    /// was set may still bear the old time.
    AnyClock clock = {};
};

} // namespace daybook::inline v0

#endif
