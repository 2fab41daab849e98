// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_LOG_REFERENCE_LOG_HPP
#define DAYBOOK_TESTS_LOG_REFERENCE_LOG_HPP

/// @file
/// The log as one would write it without a thought for speed: vectors, scans and sorts. What the real one is held to.

#include <daybook/log/execution.hpp>
#include <daybook/log/execution_query.hpp>
#include <daybook/log/job_execution_record.hpp>
#include <daybook/log/log_options.hpp>
#include <daybook/stats/stats_snapshot.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace log_test {

struct ReferenceRecord : daybook::ExecutionFacts {
    std::string result = {};
    std::uint64_t place = 0; ///< larger is newer
    std::chrono::nanoseconds since{};
};

struct ReferenceCounts : daybook::OutcomeCounts {
    std::vector<std::int64_t> durations = {};
};

class ReferenceLog {
public:
    using Facts = daybook::ExecutionFacts;
    using Status = daybook::JobStatus;

    explicit ReferenceLog(const daybook::LogOptions& options) : options_{options} {}

    daybook::ExecutionId start(const std::string& job, const std::string& handler, Status status, std::uint32_t attempt,
                               daybook::sys_time wall, std::chrono::nanoseconds steady, const std::string& method = "m",
                               std::optional<daybook::sys_time> scheduled_at = {}) {
        if (in_flight.size() >= options_.max_running) {
            finish(in_flight.front().id, Status::abandoned, daybook::Finality::final_attempt, steady);
        }
        ReferenceRecord record;
        record.id = record.occurrence_id = next_id_++;
        record.job_id = job;
        record.handler_id = handler;
        record.method_name = method;
        record.scheduled_at = scheduled_at;
        record.status = status;
        record.attempt_number = attempt;
        record.since = steady;
        record.place = ++places_;
        (status == Status::queued ? record.queued_at : record.started_at) = wall;
        track(record);
        open_skip_.erase(job);
        in_flight.push_back(record);
        return record.id;
    }

    bool begin(daybook::ExecutionId id, daybook::sys_time wall, std::chrono::nanoseconds steady) {
        const auto record = find_in(in_flight, id);
        if (record == in_flight.end() || record->status != Status::queued) { return false; }
        record->status = Status::running;
        record->started_at = wall;
        record->since = steady;
        record->place = ++places_;
        track(*record);
        open_skip_.erase(record->job_id);
        return true;
    }

    void describe(daybook::ExecutionId id, const std::string& key, const std::string& value) {
        const auto record = find_in(in_flight, id);
        if (record != in_flight.end()) { record->metadata = {{key, value}}; }
    }

    /// @param said  The error of a failure, the result of a success.
    daybook::Finish finish(daybook::ExecutionId id, Status status, daybook::Finality finality,
                           std::chrono::nanoseconds steady, const std::string& said = {}) {
        const auto found = find_in(in_flight, id);
        if (found == in_flight.end()) { return ended(id); }
        ReferenceRecord record = *found;
        in_flight.erase(found);
        record.status = status;
        if (status == Status::success) {
            record.result = said;
        } else if (!said.empty()) {
            record.error = said;
        }
        record.is_final = finality == daybook::Finality::final_attempt;
        if (record.started_at) {
            record.duration = steady - record.since;
            record.completed_at = *record.started_at + std::chrono::floor<std::chrono::microseconds>(*record.duration);
        }
        track(record);
        for (ReferenceCounts* counts : counted(record)) { count(*counts, record); }
        if (record.is_final && status != Status::cancelled) { ++lifetime; }
        retain(record);
        return daybook::Finish::recorded;
    }

    daybook::Finish skip_queued(daybook::ExecutionId id, daybook::SkipReason reason, daybook::sys_time wall) {
        const auto found = find_in(in_flight, id);
        if (found == in_flight.end()) { return ended(id); }
        if (found->status != Status::queued) { return daybook::Finish::too_late; }
        ReferenceRecord record = *found;
        in_flight.erase(found);
        open_skip_.erase(record.job_id);
        become_skip(record, reason, 1, wall);
        return daybook::Finish::recorded;
    }

    daybook::ExecutionId skip(const std::string& job, const std::string& handler, daybook::SkipReason reason,
                              std::uint64_t occurrences, daybook::sys_time wall) {
        if (const auto open = open_skip_.find(job); open != open_skip_.end()) {
            const auto known = find_in(finished, open->second);
            if (known != finished.end() && known->reason == reason && known->handler_id == handler) {
                known->skip_count += occurrences;
                known->completed_at = wall;
                track(*known);
                for (ReferenceCounts* counts : counted(*known)) { counts->skipped_count += occurrences; }
                return known->id;
            }
        }
        ReferenceRecord record;
        record.id = record.occurrence_id = next_id_++;
        record.job_id = job;
        record.handler_id = handler;
        become_skip(record, reason, occurrences, wall);
        open_skip_[job] = record.id;
        return record.id;
    }

    std::size_t clear() {
        const std::size_t removed = finished.size();
        finished.clear();
        open_skip_.clear();
        overall = {};
        by_job.clear();
        by_handler.clear();
        return removed;
    }

    /// Every match, in the order that is asked for.
    [[nodiscard]] std::vector<ReferenceRecord> list(const daybook::ExecutionQuery& query) const {
        std::vector<ReferenceRecord> found;
        for (const auto* records : {&in_flight, &finished}) {
            for (const ReferenceRecord& record : *records) {
                if (matches(record, query)) { found.push_back(record); }
            }
        }
        std::sort(found.begin(), found.end(), [&](const auto& a, const auto& b) {
            const auto by_value = [&](auto larger, auto smaller) {
                return larger != smaller ? larger > smaller : a.place > b.place;
            };
            switch (query.sort) {
            case daybook::SortBy::oldest: return a.place < b.place;
            case daybook::SortBy::longest: return by_value(a.duration, b.duration);
            case daybook::SortBy::shortest:
                return a.duration != b.duration ? a.duration < b.duration : a.place > b.place;
            case daybook::SortBy::most_drift: return by_value(a.drift(), b.drift());
            case daybook::SortBy::least_drift:
                return a.drift() != b.drift() ? a.drift() < b.drift() : a.place > b.place;
            case daybook::SortBy::newest: break;
            }
            return a.place > b.place;
        });
        return found;
    }

    /// What a range of time goes by.
    [[nodiscard]] static daybook::sys_time began_at(const ReferenceRecord& record) {
        if (record.status == Status::skipped) { return record.completed_at.value(); }
        return record.started_at ? *record.started_at : record.queued_at.value();
    }

    [[nodiscard]] static bool matches(const ReferenceRecord& record, const daybook::ExecutionQuery& query) {
        const auto is_other = [](const std::string& wanted, const std::string& has) {
            return !wanted.empty() && wanted != has;
        };
        if (is_other(query.job_id, record.job_id) || is_other(query.handler_id, record.handler_id) ||
            is_other(query.method_name, record.method_name)) {
            return false;
        }
        const bool is_skip = record.status == Status::skipped;
        if (query.status.empty() ? is_skip && query.skips == daybook::Skips::leave_out
                                 : !query.status.contains(record.status)) {
            return false;
        }
        if (query.started_from && began_at(record) < *query.started_from) { return false; }
        if (query.started_to && began_at(record) >= *query.started_to) { return false; }
        if (query.attempt_number && record.attempt_number != *query.attempt_number) { return false; }
        if (query.finality) {
            const bool wants_final = *query.finality == daybook::Finality::final_attempt;
            if (!daybook::is_finished(record.status) || record.is_final != wants_final) { return false; }
        }
        if (query.min_duration && (!record.duration || *record.duration < *query.min_duration)) { return false; }
        if (query.max_duration && (!record.duration || *record.duration > *query.max_duration)) { return false; }
        if (!query.metadata_key.empty()) {
            const auto is_it = [&](const auto& entry) {
                return entry.first == query.metadata_key &&
                       (!query.metadata_value || entry.second == *query.metadata_value);
            };
            if (std::none_of(record.metadata.begin(), record.metadata.end(), is_it)) { return false; }
        }
        if (!query.text.empty()) {
            const auto lower = [](std::string text) {
                for (char& letter : text) {
                    if (letter >= 'A' && letter <= 'Z') { letter = static_cast<char>(letter + ('a' - 'A')); }
                }
                return text;
            };
            const auto has = [&](const std::string& text) {
                return lower(text).find(lower(query.text)) != std::string::npos;
            };
            if (!has(record.error.value_or("")) && !has(record.result)) { return false; }
        }
        switch (query.sort) {
        case daybook::SortBy::longest:
        case daybook::SortBy::shortest: return record.duration.has_value();
        case daybook::SortBy::most_drift:
        case daybook::SortBy::least_drift: return !is_skip && record.drift().has_value();
        case daybook::SortBy::newest:
        case daybook::SortBy::oldest: break;
        }
        return true;
    }

    /// Finished records in the order in which they finished.
    std::vector<ReferenceRecord> finished;
    /// In the order in which they were handed over.
    std::vector<ReferenceRecord> in_flight;
    ReferenceCounts overall;
    std::map<std::string, ReferenceCounts> by_job; ///< "" is the rest
    std::map<std::string, ReferenceCounts> by_handler;
    std::uint64_t lifetime = 0;

private:
    using Records = std::vector<ReferenceRecord>;

    static Records::iterator find_in(Records& records, daybook::ExecutionId id) {
        return std::find_if(records.begin(), records.end(), [&](const auto& record) { return record.id == id; });
    }

    [[nodiscard]] daybook::Finish ended(daybook::ExecutionId id) {
        return find_in(finished, id) == finished.end() ? daybook::Finish::unknown : daybook::Finish::too_late;
    }

    void track(const ReferenceRecord& record) {
        add_name(by_job, record.job_id, options_.max_tracked_jobs);
        add_name(by_handler, record.handler_id, options_.max_tracked_handlers);
    }
    static void add_name(std::map<std::string, ReferenceCounts>& counts, const std::string& name, std::size_t most) {
        if (counts.size() - counts.count("") < most) { counts.try_emplace(name); }
    }
    std::vector<ReferenceCounts*> counted(const ReferenceRecord& record) {
        const auto of = [](auto& counts, const std::string& name) {
            return &counts[counts.contains(name) ? name : std::string{}];
        };
        return {&overall, of(by_job, record.job_id), of(by_handler, record.handler_id)};
    }

    static void count(ReferenceCounts& counts, const ReferenceRecord& record) {
        if (record.duration && record.status != Status::cancelled) {
            counts.durations.push_back(record.duration->count());
        }
        if (record.attempt_number > 1 && record.started_at) { ++counts.retry_count; } // those that ran
        if (!record.is_final) { return; }
        if (record.status == Status::cancelled) {
            ++counts.cancelled_count;
            return;
        }
        ++counts.total_executions;
        ++(record.status == Status::success ? counts.success_count : counts.error_count);
        if (record.status == Status::timeout) { ++counts.timeout_count; }
        if (record.status == Status::abandoned) { ++counts.abandoned_count; }
    }

    void become_skip(ReferenceRecord& record, daybook::SkipReason reason, std::uint64_t occurrences,
                     daybook::sys_time wall) {
        record.status = Status::skipped;
        record.reason = reason;
        record.skip_count = occurrences;
        record.completed_at = wall;
        record.is_final = true;
        record.place = ++places_;
        track(record);
        for (ReferenceCounts* counts : counted(record)) { counts->skipped_count += occurrences; }
        retain(record);
    }

    void retain(const ReferenceRecord& record) {
        finished.push_back(record);
        const auto is_skip = [](const auto& one) { return one.status == Status::skipped; };
        const auto is_failure = [](const auto& one) { return one.is_final && daybook::is_failure(one.status); };
        const std::size_t most_skips =
            options_.skip_capacity.value_or(std::max<std::size_t>(1, options_.capacity / 10));
        if (static_cast<std::size_t>(std::count_if(finished.begin(), finished.end(), is_skip)) > most_skips) {
            finished.erase(std::find_if(finished.begin(), finished.end(), is_skip));
        }
        if (finished.size() <= options_.capacity) { return; }
        // The newest failures are protected; of all others the one that finished first goes.
        auto failures = static_cast<std::size_t>(std::count_if(finished.begin(), finished.end(), is_failure));
        const std::size_t spared = options_.error_capacity.value_or(options_.capacity / 10);
        for (auto one = finished.begin(); one != finished.end(); ++one) {
            const bool is_protected = is_failure(*one) && failures-- <= spared;
            if (!is_protected) {
                finished.erase(one);
                return;
            }
        }
    }

    daybook::LogOptions options_;
    daybook::ExecutionId next_id_ = 1;
    std::uint64_t places_ = 0;
    std::map<std::string, daybook::ExecutionId> open_skip_;
};

} // namespace log_test

#endif
