// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_SCHEDULER_SIMULATION_HOOKS_HPP
#define DAYBOOK_TESTS_SCHEDULER_SIMULATION_HOOKS_HPP

/// @file
/// What the hooks have told, held against the log, and against what was owed.

#include "simulation_base.hpp"

#include <daybook/log/job_execution_log.hpp>
#include <daybook/scheduler_hooks.hpp>
#include <daybook/types.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>

namespace simulation {

/// Listens to every hook. Each execution that runs is told one start; each that succeeds or fails exactly one end, as
/// its record has it; skips are told with their numbers; a job is stale once until it has recovered.
class Witness {
public:
    using Record = daybook::JobExecutionRecord<>;
    using Instant = std::optional<daybook::sys_time>;

    Witness(Verdict& verdict, std::uint64_t seed) : verdict_{verdict}, random_{seed} {
        throw_percent_ = random_.choose({0, 0, 3});
    }

    /// What must be told before the event is over, each with the last success before it.
    std::map<std::string, Instant> owed_stale{};               ///< by job
    std::map<daybook::ExecutionId, Instant> owed_recoveries{}; ///< by the execution that succeeds
    std::uint64_t policies_threw = 0;                          ///< policies that were asked about a retry

    void connect(const daybook::JobExecutionLog<>& log) { log_.emplace(log); }

    [[nodiscard]] daybook::SchedulerHooks hooks() {
        daybook::SchedulerHooks hooks;
        hooks.on_start = [this](const auto& event) { started(event); };
        hooks.on_success = [this](const auto& event) { ended(event, daybook::JobStatus::success); };
        hooks.on_error = [this](const auto& event) { ended(event, daybook::JobStatus::error); };
        hooks.on_timeout = [this](const auto& event) { ended(event, daybook::JobStatus::timeout); };
        hooks.on_skip = [this](const auto& event) { skipped(event); };
        hooks.on_stale = [this](const auto& event) { became_stale(event); };
        hooks.on_recovered = [this](const auto& event) { recovered(event); };
        hooks.on_diagnostic = [this](std::string_view what) { diagnosed(what); };
        return hooks;
    }

    /// The log has the end of an execution.
    void check_end(const Record& record) {
        const auto found = heard_.find(record.id);
        verdict_.expect((found != heard_.end()) == record.started_at.has_value(),
                        "a start that was told differs from the log", record.job_id);
        if (found == heard_.end()) { return; }
        const bool has_end = record.status != daybook::JobStatus::cancelled;
        verdict_.expect(found->second.has_ended == has_end, "an end that was told differs from the log", record.job_id);
        verdict_.expect(!has_end ||
                            (found->second.status == record.status && found->second.is_final == record.is_final),
                        "an end was told otherwise than the log has it", record.job_id);
        heard_.erase(found); // a second call finds no start
    }

    [[nodiscard]] std::uint64_t skips_of(const std::string& job, daybook::SkipReason reason) const {
        const auto found = skips_.find(job);
        if (found == skips_.end()) { return 0; }
        const auto count = found->second.find(reason);
        return count == found->second.end() ? 0 : count->second;
    }

    /// Between two events.
    void check_dues() {
        verdict_.expect(owed_stale.empty(), "a job is stale, and nobody was told",
                        owed_stale.empty() ? std::string{} : owed_stale.begin()->first);
        verdict_.expect(owed_recoveries.empty(), "a job has recovered, and nobody was told");
        verdict_.expect(throws_told_ == throws_, "what a hook throws is lost");
        verdict_.expect(policies_told_ == policies_threw, "what a retry policy throws is lost");
    }

    /// After all of it.
    void check_all_ended() { verdict_.expect(heard_.empty(), "a start was told, and no end is in the log"); }

private:
    struct Heard {
        bool has_ended = false;
        bool is_final = false;
        daybook::JobStatus status{};
    };

    [[nodiscard]] std::optional<Record> record_of(const daybook::JobEvent& event) {
        auto record = log_->find(event.execution_id);
        verdict_.expect(record.has_value(), "a hook is called for what has no record", event.job_id);
        if (!record) { return record; }
        const bool is_skip = event.skip_count != 0; // its record has the names of the first that was skipped
        verdict_.expect(record->job_id == event.job_id && (is_skip || (record->handler_id == event.handler_id &&
                                                                       record->method_name == event.method_name)),
                        "a hook names another job than the log", event.job_id);
        return record;
    }

    void check_attempt(const Record& record, const daybook::JobEvent& event) {
        verdict_.expect(record.attempt_number == event.attempt_number && record.scheduled_at == event.scheduled_at,
                        "a hook is told another attempt than the log", event.job_id);
    }

    void started(const daybook::JobEvent& event) {
        const auto record = record_of(event);
        if (!record) { return; }
        verdict_.expect(record->status == daybook::JobStatus::running, "a start is told of what does not run",
                        event.job_id);
        verdict_.expect(heard_.emplace(event.execution_id, Heard{}).second, "a start is told twice", event.job_id);
        check_attempt(*record, event);
        may_throw();
    }

    void ended(const daybook::JobEvent& event, daybook::JobStatus status) {
        const auto record = record_of(event);
        if (!record) { return; }
        const auto found = heard_.find(event.execution_id);
        verdict_.expect(found != heard_.end() && !found->second.has_ended, "an end is told twice, or without a start",
                        event.job_id);
        if (found != heard_.end()) { found->second = {true, event.is_final, status}; }
        verdict_.expect(record->status == status, "an end is told that is not in the log", event.job_id);
        verdict_.expect(record->error.value_or("") == event.error, "a hook is told another error than the log",
                        event.job_id);
        check_attempt(*record, event);
        may_throw();
    }

    void skipped(const daybook::JobEvent& event) {
        const auto record = record_of(event);
        if (!record) { return; }
        verdict_.expect(record->status == daybook::JobStatus::skipped && record->reason == event.reason &&
                            event.skip_count != 0 && event.skip_count <= record->skip_count,
                        "a skip is told that is not in the log", event.job_id);
        skips_[event.job_id][event.reason] += event.skip_count;
        may_throw();
    }

    void became_stale(const daybook::JobEvent& event) {
        const auto found = owed_stale.find(event.job_id);
        verdict_.expect(found != owed_stale.end(), "a job is told to be stale that is not", event.job_id);
        if (found == owed_stale.end()) { return; }
        verdict_.expect(found->second == event.last_success, "a stale job had its last success at another time",
                        event.job_id);
        owed_stale.erase(found);
        may_throw();
    }

    void recovered(const daybook::JobEvent& event) {
        const auto found = owed_recoveries.find(event.execution_id);
        verdict_.expect(found != owed_recoveries.end(), "a job is told to have recovered that was not stale",
                        event.job_id);
        if (found == owed_recoveries.end()) { return; }
        verdict_.expect(found->second == event.last_success, "a job that recovered had its last success otherwise",
                        event.job_id);
        owed_recoveries.erase(found);
        may_throw();
    }

    void diagnosed(std::string_view what) {
        if (what == "a hook threw: as hooks may") { ++throws_told_; }
        if (what.starts_with("a retry policy threw")) { ++policies_told_; }
    }

    void may_throw() {
        if (!random_.chance(throw_percent_)) { return; }
        ++throws_;
        throw std::runtime_error{"as hooks may"};
    }

    Verdict& verdict_;
    Random random_;
    int throw_percent_ = 0;
    std::optional<daybook::JobExecutionLog<>> log_;
    std::unordered_map<daybook::ExecutionId, Heard> heard_; // those whose end nobody has read in the log
    std::map<std::string, std::map<daybook::SkipReason, std::uint64_t>> skips_;
    std::uint64_t throws_ = 0, throws_told_ = 0, policies_told_ = 0;
};

} // namespace simulation

#endif
