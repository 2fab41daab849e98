// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_SCHEDULER_SIMULATION_CHECKS_HPP
#define DAYBOOK_TESTS_SCHEDULER_SIMULATION_CHECKS_HPP

/// @file
/// What must hold between two events: the accounts, what is said of each job, statistics against a recount.

#include "simulation_bodies.hpp"

#include <utility>

namespace simulation {

class Checks : public Bodies {
protected:
    using Bodies::Bodies;
    ~Checks() = default;

    void check_that_nobody_waits_for_nothing(Job& job) {
        if (!has_started_ || job.queued.empty() || !is_closed(job)) { return; }
        if (drive_ == Drive::shelf && !shelf_->is_even()) { return; } // for its task to be taken
        bool group_is_full = false;
        for (const auto& occurrence : job.queued) {
            const auto limit = group_limits_.find(occurrence->plan->group);
            group_is_full |= limit != group_limits_.end() && group_running_[occurrence->plan->group] == limit->second;
        }
        if (!group_is_full && is_traced_) { note(job.id + ": " + scheduler_->explain(job.id)); }
        verdict_.expect(group_is_full, "it waits, and nobody knows what for", job.id);
    }

    void after_event() {
        retired_.clear();
        ledger_.read();
        for (const auto& [execution, status] : std::exchange(endings_, {})) {
            const auto record = scheduler_->log().find(execution);
            verdict_.expect(!record || record->status == status, "an attempt ended otherwise than it should",
                            record ? record->job_id : std::string{});
        }
        for (auto& [name, account] : ledger_.accounts) {
            if (is_traced_) { note_skips(name, account); }
            for (const auto& [reason, range] : account.uncounted) {
                const std::uint64_t skips = account.skipped[reason];
                verdict_.expect(skips >= range.least && skips <= range.most,
                                "an odd number of skips that nobody counted", name);
                (reason == SkipReason::paused ? account.paused : account.misfired) = skips;
            }
            account.uncounted.clear();
            verdict_.expect(account.misfired == account.skipped[SkipReason::misfire], "misfires are not what was owed",
                            name);
            verdict_.expect(account.paused == account.skipped[SkipReason::paused],
                            "skips of a paused job are not what was owed", name);
            verdict_.expect(account.let_through == account.executed + account.skips_let_through(),
                            "executed and skipped are not what was owed", name);
            for (const auto& [reason, skips] : account.skipped) {
                verdict_.expect(witness_.skips_of(name, reason) == skips, "skips that were told differ from the log",
                                name);
            }
        }
        await_completions();
        witness_.policies_threw = asked_->threw;
        witness_.check_dues();
        verdict_.expect(!asked_->is_odd, "a policy was asked about what is no failure");
        if (random_.chance(pace_ == Pace::busy ? 5 : 25)) { check_jobs(); }
        if (random_.chance(pace_ == Pace::busy ? 1 : 3)) { check_statistics(); }
    }

    void note_skips(const std::string& name, Account& account) {
        const std::uint64_t misfired = account.skipped[SkipReason::misfire];
        const std::uint64_t paused = account.skipped[SkipReason::paused];
        if (misfired != account.misfired || paused != account.paused) {
            note(name + " has " + std::to_string(misfired) + " misfires, not " + std::to_string(account.misfired) +
                 "; " + std::to_string(paused) + " paused, not " + std::to_string(account.paused));
        }
    }

    void check_jobs() {
        for (auto& [name, account] : ledger_.accounts) {
            const auto info = scheduler_->job(name);
            if (!account.job) {
                verdict_.expect(!info, "a job that was removed is there", name);
                continue;
            }
            if (!info) {
                forgotten(account);
                continue;
            }
            Job& job = *account.job;
            const bool is_running = has_started_ && !ledger_.has_stopped;
            std::optional<sys_time> next;
            if (is_running && job.owing.wall) {
                const bool has_jitter = job.owing.schedule.interval() == nullptr; // else it comes when `from` has come
                next = has_jitter ? job.owing.schedule.due(*job.owing.wall) : *job.owing.wall;
            }
            if (is_running && job.owing.steady) {
                next = clock_.now() +
                       std::chrono::ceil<microseconds>(job.owing.due_of(*job.owing.steady) - clock_.steady_now());
            }
            if (info->next_run != next) {
                const auto text = [](std::optional<sys_time> at) {
                    return at ? std::to_string(at->time_since_epoch().count()) : "none";
                };
                note(name + " is due " + text(info->next_run) + ", not " + text(next));
            }
            verdict_.expect(info->next_run == next, "next_run is not what comes next", name);
            verdict_.expect(info->running == job.running, "the job is wrong about what runs", name);
            verdict_.expect(info->queued == job.queued.size(), "the job is wrong about what waits", name);
            verdict_.expect(info->is_paused == job.is_paused, "the job is wrong about being paused", name);
            verdict_.expect(info->last_success == job.last_success, "the job is wrong about its last success", name);
            verdict_.expect(info->is_stale == job.is_stale, "the job is wrong about being stale", name);
            verdict_.expect(info->last_start == job.last_start, "the job is wrong about its last start", name);
            verdict_.expect(info->schedule_error.empty() == !job.owing.has_thrown,
                            "the job is wrong about its schedule", name);
            check_state(*info, job);
        }
        check_health();
    }

    void check_health() {
        std::size_t paused = 0, stale = 0, stuck = 0;
        for (const auto& [name, account] : ledger_.accounts) {
            paused += account.job && account.job->is_paused ? 1U : 0U;
            stale += account.job && account.job->is_stale ? 1U : 0U;
        }
        for (const auto& body : bodies_) { stuck += body->occurrence->is_ended ? 1U : 0U; }
        const auto health = scheduler_->health();
        verdict_.expect(health.paused == paused && health.stale == stale, "health is wrong about jobs");
        verdict_.expect(health.running == bodies_.size() && health.stuck == stuck, "health is wrong about bodies");
        verdict_.expect(health.queued + (health.running - health.stuck) == ledger_.in_flight(),
                        "health is wrong about what goes on");
    }

    void check_state(const daybook::JobInfo& info, Job& job) {
        using daybook::JobState;
        JobState state = JobState::scheduled;
        if (job.running != 0) {
            state = JobState::executing;
        } else if (job.is_paused) {
            state = JobState::paused;
        } else if (!has_started_ || !job.queued.empty()) {
            state = JobState::pending;
        } else if (job.is_over && !job.owing.schedule.is_never() && is_idle(job)) {
            const bool has_ended = info.state == JobState::completed || info.state == JobState::failed;
            verdict_.expect(has_ended || ledger_.has_stopped, "a job that is over goes on", job.id);
            return;
        }
        verdict_.expect(info.state == state || ledger_.has_stopped, "the job is in another state", job.id);
    }

    void check_statistics() {
        ledger_.read();
        const auto stats = scheduler_->log().stats();
        const Recount& recount = ledger_.recount();
        verdict_.expect(agree(stats, recount.all), "statistics differ from a recount");
        verdict_.expect(stats.lifetime_executions == recount.lifetime, "lifetime statistics differ from a recount");
        verdict_.expect(stats.running + stats.queued == ledger_.in_flight(), "statistics are wrong about what goes on");
        verdict_.expect(stats.duration.count == recount.durations, "durations differ from a recount");
        for (const auto& [name, counts] : recount.by_handler) {
            const auto found = stats.by_handler.find(name);
            verdict_.expect(found != stats.by_handler.end() && agree(found->second, counts),
                            "statistics of a handler differ from a recount", name);
        }
        for (const auto& [name, counts] : recount.by_job) {
            const auto found = stats.by_job.find(name);
            verdict_.expect(found != stats.by_job.end() && agree(found->second, counts),
                            "statistics of a job differ from a recount", name);
        }
        for (const auto& [status, count] : recount.by_status) {
            const auto found = stats.by_status.find(status);
            verdict_.expect(found != stats.by_status.end() && found->second == count,
                            "statistics by status differ from a recount", status);
        }
    }

    void check_end() {
        ledger_.read();
        check_statistics();
        verdict_.expect(ledger_.in_flight() == 0, "something is queued or running after the end");
        verdict_.expect(ledger_.retrying().empty(), "an occurrence has no final attempt");
        verdict_.expect(ledger_.asked == asked_->times, "a policy was not asked once about each failure");
        witness_.check_all_ended();
    }
};

} // namespace simulation

#endif
