// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_SCHEDULER_RETRY_HPP
#define DAYBOOK_DETAIL_SCHEDULER_RETRY_HPP

/// @file
/// Deadlines, and whether a failed attempt is followed by another.

#include <daybook/detail/scheduler_hand_over.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <random>
#include <string>
#include <utility>

namespace daybook::inline v0::detail {

/// What the record of a timeout says, since the body has had no say yet.
inline Ref<TextBlock> timeout_text(const JobPlan& plan) {
    const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(plan.policies.timeout);
    return TextBlock::make("no end within " + std::to_string(limit.count()) + " ms");
}

/// The deadline of a running attempt has passed.
inline void SchedulerCore::expire(const OccurrencePtr& occurrence, Decisions& decisions, const Lock& lock) {
    if (occurrence->phase != Occurrence::Phase::running || occurrence->is_ended) { return; }
    decisions.push_back(Decision::about(Decision::Kind::time_out, occurrence));
    const RetryPolicy& retry = occurrence->plan->policies.retry;
    occurrence->is_ended = true;
    occurrence->job->last_status = JobStatus::timeout;
    decisions.back().attempt = occurrence->attempt;
    occurrence->is_deciding = true; // until its record has ended: the body's return leaves the rest to that
    if (!retry.asks_program()) {
        set_retry(*occurrence, ask_retry(retry, {.status = JobStatus::timeout, .attempt_number = occurrence->attempt}),
                  lock);
        if (occurrence->is_retried) { decisions.back().finality = Finality::retry_follows; }
    }
    const bool has_worker = open_pool_ != nullptr && occurrence->plan->function.begin == nullptr;
    if (has_worker && replaced_ < options_.max_replacement_workers) {
        decisions.back().replaces_worker = true;
        ++replaced_;
    }
}

/// The deadline has passed: another attempt may be owed, and the body is asked to stop.
inline void SchedulerCore::time_out(const Decision& decision) {
    const OccurrencePtr& occurrence = decision.occurrence;
    Finality finality = decision.finality;
    bool has_returned = false;
    if (occurrence->plan->policies.retry.asks_program()) {
        const auto delay = ask_retry(occurrence->plan->policies.retry,
                                     {.status = JobStatus::timeout, .attempt_number = decision.attempt});
        const Lock lock{mutex_};
        set_retry(*occurrence, delay, lock);
        if (occurrence->is_retried) { finality = Finality::retry_follows; }
    }
    Ref<TextBlock> text;
    try {
        text = timeout_text(*occurrence->plan);
    } catch (const std::bad_alloc&) { text = {}; } // the end counts for more
    if (log_->finish(decision.execution, JobStatus::timeout, {}, text, finality) != Finish::recorded) {
        finality = was_abandoned(*occurrence, finality);
    }
    if (options_.hooks.on_timeout) {
        tell(options_.hooks.on_timeout, [&] {
            JobEvent event = event_of(*occurrence->plan, occurrence.get(), decision.execution);
            if (text) { event.error = std::string{text->text()}; }
            event.is_final = finality == Finality::final_attempt;
            return event;
        });
    }
    stop_attempt(decision);
    if (decision.replaces_worker) { replace_worker(occurrence); }
    {
        const Lock lock{mutex_};
        occurrence->is_deciding = false;
        has_returned = std::exchange(occurrence->has_returned, false);
    }
    if (has_returned) { settle_return(occurrence, Returning::before); }
}

/// Another thread in place of the one whose body goes on after its timeout.
inline void SchedulerCore::replace_worker(const OccurrencePtr& occurrence) {
    bool has_grown = false;
    try {
        if (WorkerPool* const pool = open_pool_) { has_grown = pool->grow(); }
    } catch (const std::exception&) { has_grown = false; } // the system has no thread to give
    bool is_surplus = false;
    {
        const Lock lock{mutex_};
        is_surplus = has_grown && occurrence->has_returned; // the body came back first, and its thread stays
        occurrence->is_replaced = has_grown && !is_surplus;
        if (!occurrence->is_replaced) { --replaced_; }
    }
    if (!is_surplus) { return; }
    WorkerPool* const pool = open_pool_;
    try {
        [[maybe_unused]] const bool is_accepted = pool->post([pool] { pool->retire(); });
    } catch (const std::bad_alloc&) { return; } // it stays
}

/// How long to wait before the next attempt; empty when there will be none. Calls the program where the policy does.
inline std::optional<std::chrono::nanoseconds> SchedulerCore::ask_retry(const RetryPolicy& policy,
                                                                        const Failure& failure) const {
    try {
        return policy.delay_after(failure, random());
    } catch (...) {
        diagnose("a retry policy threw: no further attempt");
        return std::nullopt;
    }
}

/// An attempt was abandoned while it waited: whether there is another, at once.
inline std::optional<std::chrono::nanoseconds> SchedulerCore::redelivery(const Occurrence& occurrence) {
    constexpr std::uint32_t most_in_a_row = 3;
    const bool is_owed =
        occurrence.plan->policies.delivery == Delivery::at_least_once && occurrence.abandoned + 1 < most_in_a_row;
    return is_owed ? std::optional{std::chrono::nanoseconds::zero()} : std::nullopt;
}

/// The log has given the record up before its end could be written: it stays abandoned.
/// @returns Whether another attempt follows.
inline Finality SchedulerCore::was_abandoned(Occurrence& occurrence, Finality finality) {
    const Lock lock{mutex_};
    occurrence.job->last_status = JobStatus::abandoned;
    if (occurrence.plan->policies.delivery == Delivery::at_least_once) { return finality; }
    occurrence.is_retried = false;
    return Finality::final_attempt;
}

/// Whether another attempt of the occurrence may come at all.
inline bool SchedulerCore::may_retry(const Occurrence& occurrence, const Lock& /*lock*/) const {
    return !occurrence.is_cancelled && !occurrence.job->is_removed && state_ != State::stopping;
}

inline void SchedulerCore::set_retry(Occurrence& occurrence, std::optional<std::chrono::nanoseconds> delay,
                                     const Lock& lock) const {
    occurrence.is_retried = delay && may_retry(occurrence, lock);
    occurrence.retry_delay = delay.value_or(std::chrono::nanoseconds::zero());
}

/// Differs between processes, which would try again together otherwise; by a clock of the program's own it follows that
/// clock, so that a test comes out the same each time.
inline std::uint64_t SchedulerCore::seed_of(const AnyClock& clock) noexcept {
    const auto now = static_cast<std::uint64_t>(clock.now().time_since_epoch().count());
    if (!clock.is_system()) { return mix_bits(now); }
    try {
        std::random_device device;
        return mix_bits(now ^ (std::uint64_t{device()} << 32U) ^ device());
    } catch (const std::exception&) { return mix_bits(now); } // a system without one
}

/// SplitMix64 (Steele, Lea and Flood, 2014): for jitter, not for secrets.
inline std::uint64_t SchedulerCore::random() const noexcept {
    return mix_bits(random_state_.fetch_add(0x9E3779B97F4A7C15U, std::memory_order_relaxed));
}

} // namespace daybook::inline v0::detail

#endif
