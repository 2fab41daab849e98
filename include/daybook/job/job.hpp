// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_JOB_JOB_HPP
#define DAYBOOK_JOB_JOB_HPP

/// @file
/// What a job is: its options when it is added, and what the scheduler says of it afterwards.

#include <daybook/fwd.hpp>
#include <daybook/policy/delivery.hpp>
#include <daybook/policy/misfire.hpp>
#include <daybook/policy/on_store_failure.hpp>
#include <daybook/policy/overlap.hpp>
#include <daybook/policy/retry.hpp>
#include <daybook/schedule/schedule.hpp>
#include <daybook/types.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

namespace daybook::inline v0 {

/// A job as a program adds it. What is left empty follows the scheduler's own options.
struct JobOptions {
    std::string id = {};          ///< unique within the scheduler; 1 to 255 bytes
    std::string handler_id = {};  ///< what statistics are kept by; empty: the id
    std::string method_name = {}; ///< kept in the records, means nothing to the scheduler
    Schedule schedule = {};       ///< never, unless given: the job runs when it is triggered

    std::optional<RetryPolicy> retry = {};
    std::optional<std::chrono::nanoseconds> timeout = {}; ///< of one attempt; 0: none
    std::optional<Overlap> overlap = {};
    std::optional<Misfire> misfire = {};
    std::optional<Delivery> delivery = {};
    std::optional<std::chrono::nanoseconds> misfire_grace = {}; ///< how late `run_once` still makes good
    std::optional<std::uint32_t> max_catch_up = {};             ///< occurrences made good in a row under `run_all`

    /// Whether an attempt begins while the store does not answer. `run_anyway` is refused for a job that is
    /// `at_most_once`. Not kept in the store: a job that is made again from there follows the scheduler.
    std::optional<OnStoreFailure> on_store_failure = {};

    /// Which of those that wait for a worker goes first: the higher one; see SchedulerOptions::priority_worth.
    int priority = 0;
    /// Jobs of one group share a bound on how many of their bodies run at once, see SchedulerOptions::group_limits.
    /// Empty: the handler_id.
    std::string group = {};

    /// A job that has not succeeded for so long, since it was taken up or resumed, is reported once, see
    /// SchedulerHooks::on_stale. 0: never.
    std::chrono::nanoseconds stale_after{0};

    std::string parameters = {}; ///< handed to the job as it is, and kept in its records

    /// Whether nothing of its schedule runs until it is resumed. `add_or_replace` and `update` leave a job that is
    /// there as it is. Where the store knows the job, `add` makes it what it was there, paused or not.
    bool is_paused = false;
};

/// The id of a job that is added is taken.
class JobExists : public std::invalid_argument {
public:
    using std::invalid_argument::invalid_argument;
};

/// What a job was made of.
enum class JobOrigin : std::uint8_t {
    code,    ///< a callable of the program's own
    handler, ///< a handler, by its names: see AnyScheduler::add(JobOptions)
};

/// What came of a command that was to be carried out only if nobody has changed the job meanwhile.
enum class JobChange : std::uint8_t {
    done,
    unknown_job,
    changed_meanwhile, ///< nothing was done: the job has another revision by now
};

/// A job as the scheduler sees it at one moment.
struct JobInfo {
    std::string id = {};
    std::string handler_id = {};
    std::string method_name = {};
    JobState state = JobState::pending;
    sys_time created_at = {};                  ///< when it was added; changing and replacing it leave this as it is
    std::string schedule = {};                 ///< what parse_schedule reads: see to_string(const Schedule&)
    std::string description = {};              ///< the same in English: see describe(const Schedule&)
    std::optional<sys_time> next_run = {};     ///< by the wall clock as of now; empty when there is none
    std::optional<sys_time> last_start = {};   ///< of its latest execution
    std::optional<sys_time> last_success = {}; ///< when an execution of it succeeded last
    std::optional<JobStatus> last_status = {}; ///< of its latest finished attempt
    std::uint32_t running = 0;                 ///< bodies running now
    std::uint32_t queued = 0;                  ///< executions that wait: for a worker, or for the one before
    bool is_paused = false;
    bool is_stale = false; ///< it has not succeeded for its `stale_after`
    RetryPolicy retry = {};
    std::chrono::nanoseconds timeout = {}; ///< 0: none
    Overlap overlap = Overlap::skip;
    Misfire misfire = Misfire::run_once;
    Delivery delivery = Delivery::at_least_once;
    std::string schedule_error = {}; ///< what the program's own schedule threw, which ended it

    std::chrono::nanoseconds misfire_grace = {};
    std::uint32_t max_catch_up = 0;
    OnStoreFailure on_store_failure = OnStoreFailure::run_anyway;
    int priority = 0;
    std::string group = {};                    ///< as it was given; empty: the handler_id
    std::chrono::nanoseconds stale_after = {}; ///< 0: never
    std::string parameters = {};
    Schedule when = {}; ///< the schedule itself, with what the job's id decides
    JobOrigin origin = JobOrigin::code;

    /// Another number whenever the job is added, updated, paused or resumed; none comes twice in one scheduler, so that
    /// a job which was removed and added again is another one.
    std::uint64_t revision = 0;

    /// What makes a job like this one, with every default filled in.
    [[nodiscard]] JobOptions options() const {
        return {.id = id,
                .handler_id = handler_id,
                .method_name = method_name,
                .schedule = when,
                .retry = retry,
                .timeout = timeout,
                .overlap = overlap,
                .misfire = misfire,
                .delivery = delivery,
                .misfire_grace = misfire_grace,
                .max_catch_up = max_catch_up,
                .on_store_failure = on_store_failure,
                .priority = priority,
                .group = group,
                .stale_after = stale_after,
                .parameters = parameters,
                .is_paused = is_paused};
    }
};

} // namespace daybook::inline v0

#endif
