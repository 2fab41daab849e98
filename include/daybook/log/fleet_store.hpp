// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_LOG_FLEET_STORE_HPP
#define DAYBOOK_LOG_FLEET_STORE_HPP

/// @file
/// What several processes ask of a store that they share: a seat, and claims on what is to run.

#include <daybook/log/execution_store.hpp>
#include <daybook/log/job_store.hpp>
#include <daybook/log/stored_counters.hpp>
#include <daybook/types.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace daybook::inline v0 {

/// Who wants to take part.
struct FleetOpening {
    std::string name = {};                     ///< what the seat's own name begins with; not empty, at most 230 bytes
    std::chrono::milliseconds lease{10'000};   ///< how long the seat is kept without being renewed; more than 0
    std::chrono::milliseconds max_idle{5'000}; ///< how long `lock` may hold on to jobs before they are free again
};

/// A place among the processes that share a store. It is there until its process leaves or another one takes over what
/// it had, which nobody does before its lease has ended.
struct FleetSeat {
    std::string node = {}; ///< `name`, '#' and a number that no seat had before: the node of its records and counters
    ExecutionId first_id = 0;   ///< ids from here on are this seat's alone
    std::uint64_t id_count = 0; ///< so many
};

/// What renewing the lease has shown.
struct FleetBeat {
    bool is_seated =
        false;         ///< false: somebody has taken over; what was claimed is theirs, and nothing is written any more
    sys_time now = {}; ///< by the store's clock, while it answered
};

/// An occurrence that one process has taken on itself, until it is final and its record is written. Its id is that of
/// the first execution, and so of the occurrence.
struct Claim {
    /// A skip is claimed as well: so that it is not lost before its record is written.
    enum class Kind : std::uint8_t { run, skip };

    ExecutionId id = 0;
    Kind kind = Kind::run;
    std::string job_id = {};
    std::string handler_id = {};
    std::string method_name = {};
    std::optional<sys_time> scheduled_at = {};
    Trigger trigger = Trigger::schedule;
    ClockChange dst = ClockChange::none;
    std::string parameters = {};
    std::string group = {};               ///< of those that a fleet-wide limit bounds; empty: none
    bool is_waiting = false;              ///< for the claims of the job that came before
    SkipReason reason = SkipReason::none; ///< of a skip, as what follows
    std::uint64_t skip_count = 0;
    bool skip_count_is_minimum = false;
    sys_time claimed_at = {}; ///< by the process that claimed it
};

/// How far the schedule of a job is, for all processes.
struct JobStanding {
    std::string job_id = {};
    std::optional<sys_time> accounted_to = {}; ///< as StoredJob
    std::optional<std::uint64_t> left = {};    ///< the same
    sys_time updated_at = {};                  ///< the same
    std::string schedule = {};                 ///< the same
    bool is_paused = false;                    ///< the same
    std::uint32_t in_progress = 0;             ///< claims of kind `run` of the job, of all processes
    std::uint32_t elsewhere = 0;               ///< of these, those of other seats
    std::uint32_t in_group = 0;                ///< the same of the group that was asked about
    std::vector<ExecutionId> own = {};         ///< claims of this seat of the job, of either kind
};

/// A job to be locked.
struct JobLock {
    std::string job_id = {};
    std::string group = {}; ///< locked as well; empty: none
};

/// Whether to wait for those that another process has locked.
enum class LockWait : std::uint8_t { no, yes };

/// What was locked.
struct LockedJobs {
    std::vector<JobStanding> jobs = {};    ///< ordered by id; what another process has locked is left out
    std::vector<std::string> unknown = {}; ///< ids of which the store has no job
};

/// What is written of locked jobs: all or nothing.
struct ClaimBatch {
    std::span<const Claim> claims = {};
    std::span<const JobStanding> standings = {}; ///< of `accounted_to`, `left` and `updated_at`
    std::span<const std::string> cancelled = {}; ///< jobs whose claims from before are to end
};

/// What has become of the claims of this process.
struct ClaimNews {
    std::vector<ExecutionId> cancelled = {}; ///< of kind `run`, and somebody wants them to end
    std::vector<ExecutionId> free = {};      ///< they wait, and no run of their job was claimed before them any more
};

/// What a process that is gone has left.
struct TakenOver {
    std::string node = {};                    ///< whose it was
    std::optional<Claim> claim = {};          ///< this process's now; empty: an execution that nobody has claimed
    std::optional<StoredExecution> last = {}; ///< its last attempt, ended by now; empty: none is written
    bool was_open = false; ///< `last` was queued or running, and this very call has ended it: nobody has counted that
};

/// Ids that are a process's alone.
struct IdBlock {
    ExecutionId first_id = 0;
    std::uint64_t id_count = 0;
};

/// Makes of counters what is to stand in their place. Empty: they stay as they are.
using CounterFold = std::function<std::optional<std::vector<StoredCounters>>(std::vector<StoredCounters>)>;

/// What other processes have told, since it was asked last.
struct FleetNews {
    std::vector<std::string> jobs = {}; ///< ids of jobs that were saved or erased
    bool is_all = false;     ///< perhaps more than is named, as at first and after a lost connection: look at all
    bool has_claims = false; ///< claims have ended, or are to end
};

/// A store that several processes share. `join` is called in place of `open`, and again after the seat was lost;
/// `close` gives the seat up, so that others take over at once what it still had. Who opens it alone afterwards finds
/// what was claimed and never begun as executions that were abandoned, not final, or as skips.
///
/// While it is joined, `write` throws StoreFailure::unseated when the seat is gone, and has written nothing. It throws
/// StoreFailure::cleared, once, when it is to write counters and another process has called `clear` since, and has
/// written nothing: what was counted before must not come back. `save`
/// keeps what is there of `accounted_to`, `left` and `updated_at` unless the schedule has another text; `save` and
/// `erase` tell the others; `fold_counters` is not called (`tidy_counters` is); `unfinished` is of nodes that have no
/// seat, and of occurrences that nobody has claimed; `prune` does nothing while another process does so. An execution
/// that is there is only replaced by one of the same StoredExecution::node.
///
/// These calls come from one thread at a time, beside the calls of execution_store and job_store; `wake` from any, and
/// `tidy_counters` as the calls of execution_store, one at a time with them. Each is back by its deadline and may throw
/// StoreError, as those; a `commit` that throws `unavailable` may have been done.
///
/// - `join(opening, deadline)`: connects, makes or migrates the tables, takes a seat. `busy`: a process has the store
///   for itself.
/// - `beat(deadline)`: renews the lease.
/// - `lock(jobs, wait, deadline)`: locks jobs until `commit` or `unlock`, at most for `max_idle`. Another `lock`
/// unlocks
///   them too, as does any other of these calls but `wake` and `tidy_counters`.
/// - `commit(batch, deadline)`: writes the batch, and unlocks. `unseated`: the seat is gone; `busy`: what was locked is
///   locked no more. Then nothing is written.
/// - `unlock()`: writes nothing; does not throw.
/// - `look(deadline)`: what has become of this seat's claims.
/// - `take_over(deadline)`: removes the others' seats whose lease has ended. Their claims become this seat's, and their
///   retained counts; their executions that are queued or running end as `abandoned`, not final, `completed_at` now.
///   `unseated`: this seat is gone itself; nothing is done.
/// - `reserve_ids(deadline)`: another block, of larger ids than all that were handed out before.
/// - `tidy_counters(fold, deadline)`: reads the counters of nodes that have no seat and of its own, calls `fold`, and
///   puts what it returns in their place: all within one transaction, and nothing while another process does so.
/// - `await(until)`: waits for news, but not beyond `until` or a `wake`.
/// - `wake()`: ends an `await`, the present or the next one; does not throw.
template <class Store>
concept fleet_store = execution_store<Store> && job_store<Store> &&
    requires(Store& store, const FleetOpening& opening, std::span<const JobLock> jobs, const ClaimBatch& batch,
             const CounterFold& fold, StoreDeadline deadline) {
    { store.join(opening, deadline) } -> std::same_as<FleetSeat>;
    { store.beat(deadline) } -> std::same_as<FleetBeat>;
    { store.lock(jobs, LockWait::no, deadline) } -> std::same_as<LockedJobs>;
    store.commit(batch, deadline);
    { store.unlock() }
    noexcept;
    { store.look(deadline) } -> std::same_as<ClaimNews>;
    { store.take_over(deadline) } -> std::same_as<std::vector<TakenOver>>;
    { store.reserve_ids(deadline) } -> std::same_as<IdBlock>;
    store.tidy_counters(fold, deadline);
    { store.await(deadline) } -> std::same_as<FleetNews>;
    { store.wake() }
    noexcept;
};

} // namespace daybook::inline v0

#endif
