// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_SCHEDULER_SIMULATION_LEDGER_HPP
#define DAYBOOK_TESTS_SCHEDULER_SIMULATION_LEDGER_HPP

/// @file
/// The books of a simulation: what each job was to have, what the log says it had, and what its bodies saw.

#include "simulation_hooks.hpp"
#include "simulation_model.hpp"

#include <daybook/job/job.hpp>
#include <daybook/log/job_execution_log.hpp>
#include <daybook/stats/stats_snapshot.hpp>

#include <array>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace simulation {

using daybook::JobStatus;
using daybook::Overlap;
using daybook::SkipReason;
using daybook::Trigger;

/// A job from its `add` to its `remove`.
struct Job;

/// Whom a retry policy asks.
enum class Asks { nobody, condition, program };

/// What a program says about a failure when its policy asks: yes and how long, no, or it throws.
struct Answer {
    bool is_yes = false;
    bool throws = false;
    nanoseconds delay{0};
};

inline Answer answer(std::uint64_t salt, JobStatus status, std::uint32_t attempt) {
    const std::uint64_t bits = Random{salt + attempt * std::uint64_t{8} + static_cast<std::uint64_t>(status)}.next();
    const bool throws = bits % 32 == 1;
    return {!throws && bits % 4 != 0 && attempt < 6, throws,
            std::chrono::milliseconds{static_cast<std::int64_t>((bits >> 40U) % 20'000) - 1000}};
}

/// Between which bounds the wait for an attempt must be.
struct Wait {
    nanoseconds least{0}, most{0};
};

/// Options that held for a job for a time.
struct Plan {
    daybook::JobOptions options{};
    std::string group{};
    nanoseconds first_delay{0};
    double factor = 1.0;
    nanoseconds max_delay{0};
    double jitter = 0.0;
    std::uint32_t max_attempts = 1;
    Asks asks = Asks::nobody;
    std::uint64_t salt = 0; ///< of what is answered

    [[nodiscard]] bool is_asked_after(std::uint32_t attempt) const {
        return asks != Asks::nobody && attempt < max_attempts;
    }

    /// Empty: a failed attempt is the last one.
    [[nodiscard]] std::optional<Wait> retry_after(JobStatus status, std::uint32_t attempt) const {
        if (attempt >= max_attempts) { return std::nullopt; }
        if (asks == Asks::nobody) { return Wait{shortest_delay(attempt + 1), longest_delay(attempt + 1)}; }
        const Answer said = answer(salt, status, attempt);
        if (!said.is_yes) { return std::nullopt; }
        if (asks == Asks::condition) { return Wait{shortest_delay(attempt + 1), longest_delay(attempt + 1)}; }
        const nanoseconds delay = std::max(said.delay, nanoseconds{0});
        return Wait{delay, delay};
    }

    /// The longest wait before an attempt; the shortest is less by the jitter.
    [[nodiscard]] nanoseconds longest_delay(std::uint32_t attempt) const {
        double delay = static_cast<double>(first_delay.count());
        for (; attempt > 2; --attempt) { delay *= factor; }
        return nanoseconds{static_cast<std::int64_t>(std::min(delay, static_cast<double>(max_delay.count())))};
    }
    [[nodiscard]] nanoseconds shortest_delay(std::uint32_t attempt) const {
        return nanoseconds{
            static_cast<std::int64_t>(static_cast<double>(longest_delay(attempt).count()) * (1 - jitter)) - 1};
    }
};

struct Occurrence {
    std::shared_ptr<Job> job{};
    std::shared_ptr<const Plan> plan{};
    daybook::OccurrenceId id = 0;
    daybook::ExecutionId last = 0; ///< its newest execution
    std::uint32_t attempts = 0;
    Wait wait{}; ///< before the next attempt, where one is owed
    std::string parameters{};
    std::optional<steady_time> queued_since{}; ///< since when its present attempt waits
    std::optional<steady_time> ready_since{};  ///< since when it waits for nothing but its turn, at the latest
    std::optional<sys_time> nominal{};
    Trigger trigger = Trigger::schedule;
    bool is_running = false; ///< a body of it
    bool is_ended = false;   ///< the newest execution has
    bool is_final = false;
    std::optional<steady_time> returned{}; ///< when its newest body did
    std::uint64_t poll_of_return = 0;

    [[nodiscard]] bool excludes_others() const {
        const bool runs_in_a_row = trigger == Trigger::catch_up && *plan->options.misfire == daybook::Misfire::run_all;
        return runs_in_a_row || *plan->options.overlap != Overlap::allow;
    }
    [[nodiscard]] bool is_over() const { return !is_running && is_ended && is_final; }
    [[nodiscard]] bool is_promised() const { return is_running && is_ended && !is_final; } ///< a retry, when it returns
};

struct Job {
    std::string id{};
    std::shared_ptr<const Plan> plan{};
    Owing owing{};
    bool is_paused = false;
    bool is_removed = false;
    bool is_over = false;
    std::set<sys_time> had{};                          ///< nominal times on this timeline, since the last update
    std::vector<std::shared_ptr<Occurrence>> open{};   ///< with a body, now or again
    std::vector<std::shared_ptr<Occurrence>> queued{}; ///< waiting
    daybook::OccurrenceId last_in_line = 0;
    std::uint32_t running = 0;
    steady_time last_free{}; ///< when the last body returned or the last due time was settled
    sys_time last_free_wall{};
    std::optional<sys_time> last_start{};
    steady_time over_since{};
    bool is_stale = false;
    steady_time watched_since{}; ///< since when it should have succeeded once within `stale_after`
    std::optional<sys_time> last_success{};
};

/// So many were late that the scheduler may have stopped counting.
struct Uncounted {
    std::uint64_t least = 0, most = 0; ///< what the skips must have grown to
};

/// What a name was to have and had, through all jobs that bore it.
struct Account {
    std::shared_ptr<Job> job{};                              ///< the present one
    std::uint64_t misfired = 0, paused = 0, let_through = 0; ///< as the schedules and policies say
    std::uint64_t executed = 0;                              ///< first attempts in the log
    std::map<SkipReason, std::uint64_t> skipped{};           ///< in the log
    std::map<sys_time, Trigger> expected{};                  ///< what the last settling let through
    std::map<SkipReason, Uncounted> uncounted{};             ///< in this event
    daybook::ExecutionId open_skip = 0;
    std::uint64_t open_skip_count = 0;

    [[nodiscard]] std::uint64_t skips_let_through() const {
        std::uint64_t count = 0;
        for (const auto& [reason, skips] : skipped) {
            if (reason != SkipReason::misfire && reason != SkipReason::paused) { count += skips; }
        }
        return count;
    }
};

/// What statistics should say.
struct Recount {
    daybook::OutcomeCounts all{};
    std::map<std::string, daybook::OutcomeCounts> by_handler{};
    std::map<std::string, daybook::OutcomeCounts> by_job{};
    std::map<std::string, std::uint64_t> by_status{};
    std::uint64_t lifetime = 0;
    std::uint64_t durations = 0;
};

inline bool agree(const daybook::OutcomeCounts& a, const daybook::OutcomeCounts& b) {
    return a.total_executions == b.total_executions && a.success_count == b.success_count &&
           a.error_count == b.error_count && a.timeout_count == b.timeout_count &&
           a.cancelled_count == b.cancelled_count && a.skipped_count == b.skipped_count &&
           a.retry_count == b.retry_count && a.abandoned_count == b.abandoned_count;
}

/// Reads the log as it grows, each record when it appears and when it ends.
class Ledger {
public:
    Ledger(Verdict& verdict, Witness& witness) : verdict_{verdict}, witness_{witness} {}

    std::map<std::string, Account> accounts{};
    std::uint64_t poll = 0;  ///< number of the present one
    steady_time poll_time{}; ///< when it looked
    bool has_stopped = false;
    bool has_cleared = false;
    std::size_t max_queue = 0;
    std::optional<std::string> given{}; ///< parameters of the trigger that is under way
    std::uint64_t asked = 0;            ///< how often policies had to ask about a failure

    void connect(const daybook::JobExecutionLog<>& log) { log_.emplace(log); }
    [[nodiscard]] const Recount& recount() const { return recount_; }
    [[nodiscard]] daybook::ExecutionId newest() const { return seen_; }
    [[nodiscard]] const std::vector<std::shared_ptr<Occurrence>>& retrying() const { return retrying_; }
    [[nodiscard]] std::size_t in_flight() const { return in_flight_.size(); }

    /// The occurrence of an execution that has been read.
    [[nodiscard]] std::shared_ptr<Occurrence> occurrence_of(daybook::ExecutionId id) const {
        const auto found = by_execution_.find(id);
        return found == by_execution_.end() ? nullptr : found->second;
    }

    /// Everything there is to know now.
    void read() {
        for (auto& [name, account] : accounts) { grow_skip(name, account); }
        read_new();
        std::size_t queued_first = 0;
        for (std::size_t i = 0; i < in_flight_.size();) {
            const auto record = log_->find(in_flight_[i]);
            verdict_.expect(record.has_value(), "an execution in flight is lost from view");
            if (!record) { return; }
            if (is_finished(record->status)) {
                in_flight_[i] = in_flight_.back();
                in_flight_.pop_back();
                end(*record);
                continue;
            }
            if (record->status == JobStatus::queued && record->attempt_number == 1) { ++queued_first; }
            ++i;
        }
        verdict_.expect(queued_first <= max_queue, "more wait than max_queue allows");
    }

    /// Attempts that would be cancelled if the scheduler stopped now.
    [[nodiscard]] std::size_t owed_attempts() const {
        std::size_t count = 0;
        for (const auto& occurrence : retrying_) { count += occurrence->is_running ? 0U : 1U; }
        for (const auto id : in_flight_) {
            const auto& occurrence = by_execution_.at(id);
            count += occurrence->attempts > 1 && !occurrence->is_running ? 1U : 0U;
        }
        return count;
    }

    /// What has appeared since.
    void read_new() {
        while (true) {
            const auto record = log_->find(seen_ + 1);
            if (!record) { return; }
            ++seen_;
            enter(*record);
        }
    }

    void refresh(const Occurrence& occurrence) {
        const auto place = std::find(in_flight_.begin(), in_flight_.end(), occurrence.last);
        if (place == in_flight_.end()) { return; }
        const auto record = log_->find(occurrence.last);
        if (record && is_finished(record->status)) {
            in_flight_.erase(place);
            end(*record);
        }
    }

    void refresh(const Job& job) {
        std::vector<std::shared_ptr<Occurrence>> all{job.open};
        all.insert(all.end(), job.queued.begin(), job.queued.end());
        for (const auto& occurrence : all) { refresh(*occurrence); }
    }

    /// After a clear of the log.
    void cleared() {
        has_cleared = true;
        const auto lifetime = recount_.lifetime;
        recount_ = {};
        recount_.lifetime = lifetime;
        for (auto& [name, account] : accounts) { account.open_skip = 0; }
    }

private:
    using Record = daybook::JobExecutionRecord<>;

    template <class Change>
    void count(const Record& record, Change change) {
        change(recount_.all);
        change(recount_.by_handler[record.handler_id]);
        change(recount_.by_job[record.job_id]);
    }

    void count_skips(const Record& record, Account& account, std::uint64_t skips) {
        account.skipped[record.reason] += skips;
        count(record, [&](daybook::OutcomeCounts& counts) { counts.skipped_count += skips; });
    }

    void grow_skip(const std::string& name, Account& account) {
        if (account.open_skip == 0) { return; }
        const auto record = log_->find(account.open_skip);
        verdict_.expect(record.has_value(), "a skip is lost from view", name);
        if (!record) { return; }
        count_skips(*record, account, record->skip_count - account.open_skip_count);
        account.open_skip_count = record->skip_count;
    }

    void enter(const Record& record) {
        Account& account = accounts[record.job_id];
        if (record.status == JobStatus::skipped) {
            verdict_.expect(record.attempt_number == 1 && record.is_final && record.skip_count != 0,
                            "a skip looks like none", record.job_id);
            ++recount_.by_status["skipped"];
            grow_skip(record.job_id, account); // the one before may have grown until now
            account.open_skip = record.id;
            account.open_skip_count = record.skip_count;
            check_skip(record, account);
            return count_skips(record, account, record.skip_count);
        }
        std::shared_ptr<Occurrence> occurrence = occurrence_of(record.occurrence_id);
        if (record.attempt_number == 1) {
            verdict_.expect(!occurrence && record.occurrence_id == record.id, "a first attempt of an old occurrence",
                            record.job_id);
            verdict_.expect(account.job != nullptr, "an execution of a job that is not there", record.job_id);
            if (!account.job) { return; }
            occurrence = std::make_shared<Occurrence>();
            occurrence->job = account.job;
            occurrence->plan = account.job->plan;
            occurrence->id = record.id;
            occurrence->nominal = record.scheduled_at;
            occurrence->trigger = record.trigger;
            occurrence->job->queued.push_back(occurrence);
            occurrence->parameters = occurrence->plan->options.parameters;
            if (record.trigger == Trigger::manual && given) {
                occurrence->parameters = *std::exchange(given, std::nullopt);
            }
            ++account.executed;
            check_nominal(record, account);
        } else {
            verdict_.expect(occurrence != nullptr, "a retry without a first attempt", record.job_id);
            if (!occurrence) { return; }
            refresh(*occurrence);
            verdict_.expect(occurrence->is_ended && !occurrence->is_final && !occurrence->is_running,
                            "a retry of what has not ended, or was final", record.job_id);
            std::erase(retrying_, occurrence);
            occurrence->job->queued.push_back(occurrence);
            if (record.status != JobStatus::cancelled) {
                verdict_.expect(occurrence->returned && poll_time >= *occurrence->returned + occurrence->wait.least,
                                "a retry came too early", record.job_id);
            }
        }
        verdict_.expect(record.attempt_number == occurrence->attempts + 1, "attempts are out of order", record.job_id);
        verdict_.expect(record.scheduled_at == occurrence->nominal && record.trigger == occurrence->trigger,
                        "attempts of one occurrence differ", record.job_id);
        occurrence->attempts = record.attempt_number;
        occurrence->last = record.id;
        occurrence->is_ended = false;
        occurrence->queued_since.reset();
        occurrence->ready_since.reset();
        by_execution_[record.id] = occurrence;
        if (is_finished(record.status)) {
            end(record);
        } else {
            in_flight_.push_back(record.id);
        }
    }

    void end(const Record& record) {
        const auto occurrence = by_execution_[record.id];
        Account& account = accounts[record.job_id];
        ++recount_.by_status[std::string{to_string(record.status)}];
        occurrence->is_ended = true;
        occurrence->is_final = record.is_final;
        std::erase(occurrence->job->queued, occurrence);
        witness_.check_end(record);
        verdict_.expect(record.status != JobStatus::abandoned, "an execution was abandoned", record.job_id);
        if (record.status == JobStatus::skipped) {
            verdict_.expect(record.attempt_number == 1 && record.skip_count == 1 && record.is_final,
                            "a queued execution became an odd skip", record.job_id);
            --account.executed;
            return count_skips(record, account, 1);
        }
        const Plan& plan = *occurrence->plan;
        const auto wait =
            is_failure(record.status) ? plan.retry_after(record.status, record.attempt_number) : std::nullopt;
        if (is_failure(record.status) && plan.is_asked_after(record.attempt_number)) { ++asked; }
        if (!record.is_final) {
            verdict_.expect(is_failure(record.status), "a retry follows what is no failure", record.job_id);
            verdict_.expect(wait.has_value(), "a retry that the policy does not allow", record.job_id);
            occurrence->wait = wait.value_or(Wait{});
            retrying_.push_back(occurrence);
        } else if (wait) {
            // The program is asked about a timeout after a newcomer may have taken the place of the occurrence.
            const bool may_be_replaced = record.status == JobStatus::timeout && plan.asks != Asks::nobody &&
                                         *occurrence->job->plan->options.overlap == Overlap::cancel_running;
            verdict_.expect(occurrence->job->is_removed || has_stopped || may_be_replaced, "a failure was not retried",
                            record.job_id);
        }
        count(record, [&](daybook::OutcomeCounts& counts) {
            if (record.attempt_number > 1 && record.started_at) { ++counts.retry_count; }
            if (!record.is_final) { return; }
            if (record.status == JobStatus::cancelled) {
                ++counts.cancelled_count;
                return;
            }
            ++counts.total_executions;
            if (record.status == JobStatus::success) { ++counts.success_count; }
            if (is_failure(record.status)) { ++counts.error_count; }
            if (record.status == JobStatus::timeout) { ++counts.timeout_count; }
        });
        if (record.is_final && record.status != JobStatus::cancelled) { ++recount_.lifetime; }
        if (record.started_at && record.status != JobStatus::cancelled) { ++recount_.durations; }
    }

    /// A nominal time is one that the schedule named, and it comes once.
    void check_nominal(const Record& record, Account& account) {
        if (record.trigger == Trigger::manual) {
            verdict_.expect(!record.scheduled_at, "a trigger has a nominal time", record.job_id);
            return;
        }
        const auto expected =
            record.scheduled_at ? account.expected.find(*record.scheduled_at) : account.expected.end();
        verdict_.expect(expected != account.expected.end(), "a nominal time that nobody owed", record.job_id);
        if (expected == account.expected.end()) { return; }
        verdict_.expect(expected->second == record.trigger, "a nominal time with the wrong trigger", record.job_id);
        account.expected.erase(expected);
        if (account.job->plan->options.schedule.interval() == nullptr) {
            verdict_.expect(account.job->had.insert(*record.scheduled_at).second, "a nominal time came twice",
                            record.job_id);
        }
    }

    void check_skip(const Record& record, const Account& account) {
        const auto& job = account.job;
        if (record.reason == SkipReason::overlap && job) {
            const Overlap overlap = *job->plan->options.overlap;
            verdict_.expect(overlap == Overlap::skip || overlap == Overlap::queue_one,
                            "a skip for overlap under a policy without", record.job_id);
        }
        if (record.reason == SkipReason::shutdown) {
            verdict_.expect(has_stopped, "a shutdown that was none", record.job_id);
        }
    }

    Verdict& verdict_;
    Witness& witness_;
    std::optional<daybook::JobExecutionLog<>> log_;
    daybook::ExecutionId seen_ = 0;
    std::vector<daybook::ExecutionId> in_flight_;
    std::vector<std::shared_ptr<Occurrence>> retrying_;
    std::map<daybook::ExecutionId, std::shared_ptr<Occurrence>> by_execution_;
    Recount recount_;
};

} // namespace simulation

#endif
