// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_RECORD_FACTS_HPP
#define DAYBOOK_DETAIL_RECORD_FACTS_HPP

/// @file
/// The facts of a record, made of what the log stores.

#include <daybook/detail/execution_slot.hpp>
#include <daybook/log/job_execution_record.hpp>
#include <daybook/types.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace daybook::inline v0::detail {

/// The names that a slot has numbers for.
struct RecordNames {
    std::string_view job = {};
    std::string_view handler = {};
    std::string_view method = {};
};

[[nodiscard]] inline std::optional<sys_time> instant_of(std::int64_t microseconds) noexcept {
    if (microseconds == ExecutionSlot::no_instant) { return std::nullopt; }
    return sys_time{std::chrono::microseconds{microseconds}};
}

/// Says everything anew: the facts may be those of another record.
/// @tparam Slot  An ExecutionSlot, or a copy of its parts.
template <class Slot>
void copy_facts(const Slot& slot, const RecordNames& names, ExecutionFacts& facts) {
    const bool is_skip = slot.status == JobStatus::skipped;
    const auto started_at = instant_of(slot.started_at);
    facts.id = slot.id;
    facts.occurrence_id = slot.occurrence_id;
    facts.job_id = names.job;
    facts.handler_id = names.handler;
    facts.method_name = names.method;
    facts.scheduled_at = instant_of(slot.scheduled_at);
    facts.queued_at = instant_of(slot.queued_at);
    facts.started_at.reset();
    facts.completed_at.reset();
    facts.duration.reset();
    facts.status = slot.status;
    facts.attempt_number = slot.attempt_number;
    facts.is_final = slot.is_final;
    facts.trigger = slot.trigger;
    facts.records_processed.reset();
    facts.worker.reset();
    facts.reason = slot.reason;
    facts.skip_count = is_skip ? slot.count : 0;
    facts.skip_count_is_minimum = is_skip && slot.count_is_minimum;
    facts.dst = slot.dst;
    if (slot.worker != no_slot) { facts.worker = slot.worker; }
    if (is_skip) {
        facts.completed_at = started_at;
    } else {
        facts.started_at = started_at;
        if (slot.count != ExecutionSlot::not_counted) { facts.records_processed = slot.count; }
    }
    if (slot.ran && is_finished(slot.status)) {
        facts.duration = std::chrono::nanoseconds{slot.steady};
        facts.completed_at = *facts.started_at + std::chrono::floor<std::chrono::microseconds>(*facts.duration);
    }
    if (slot.extras) {
        facts.progress = slot.extras->progress;
        facts.log_text = slot.extras->log_text;
        facts.parameters = slot.extras->parameters;
        facts.metadata = slot.extras->metadata;
    } else {
        facts.progress.reset();
        facts.log_text.clear();
        facts.parameters.clear();
        facts.metadata.clear();
    }
}

} // namespace daybook::inline v0::detail

#endif
