// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_SCHEDULER_SIMULATION_HPP
#define DAYBOOK_TESTS_SCHEDULER_SIMULATION_HPP

/// @file
/// A world for a scheduler: clocks that pass and are set, bodies that take virtual time, and somebody who watches.

#include "simulation_bodies.hpp"

#include <set>
#include <utility>

namespace simulation {

/// One life of one scheduler, all of it decided by one number.
class World final : public Bodies {
public:
    explicit World(std::uint64_t seed, bool is_traced = false) : Bodies{seed, is_traced} {}
    /// @returns What was wrong; empty when nothing was.
    std::string run(int events) {
        for (auto early = random_.below(4); early != 0; --early) { add(); }
        while (random_.chance(20)) { happen(); }
        start();
        for (int i = 0; i < events && verdict_.is_good() && ledger_.newest() < log_capacity * 3 / 4; ++i) { happen(); }
        end();
        return verdict_.text();
    }

    /// How many of them were looked at one by one.
    [[nodiscard]] std::uint64_t walked() const { return walked_; }

    /// How many occurrences have been executed, and how many skipped.
    [[nodiscard]] std::pair<std::uint64_t, std::uint64_t> occurrences() const {
        std::pair<std::uint64_t, std::uint64_t> counts;
        for (const auto& [name, account] : ledger_.accounts) {
            counts.first += account.executed;
            for (const auto& [reason, skips] : account.skipped) { counts.second += skips; }
        }
        return counts;
    }

private:
    void interfere() override {
        if (random_.chance(4)) { trigger(); }
        if (random_.chance(2)) { remove(); }
        if (random_.chance(2)) { pause_or_resume(); }
    }

    // What may happen.

    void happen() {
        const auto what = random_.below(100);
        if (what < 30) {
            pass(some_time());
        } else if (what < 58) {
            poll();
        } else if (what < 62) {
            step();
        } else if (what < 68) {
            add();
        } else if (what < 77) {
            trigger();
        } else if (what < 80) {
            pause_or_resume();
        } else if (what < 82) {
            remove();
        } else if (what < 84) {
            change();
        } else if (what < 94) {
            pass(some_time());
            poll();
        } else if (what < 99) {
            end_some_body();
        } else {
            clear();
        }
        after_event();
    }

    nanoseconds some_time() {
        switch (random_.below(30)) {
        case 0:
            return random_.chance(40) ? std::chrono::hours{random_.below(80)} : std::chrono::minutes{random_.below(60)};
        case 1: return std::chrono::minutes{random_.below(180)};
        case 3: return std::chrono::milliseconds{random_.below(100)};
        case 4:
        case 5:
        case 6: return std::chrono::milliseconds{random_.below(100'000)};
        default: return std::chrono::milliseconds{random_.below(4000)};
        }
    }

    void step() {
        nanoseconds by{0};
        switch (random_.below(6)) {
        case 0: by = -std::chrono::hours{3 + random_.below(30)}; break;
        case 1: by = std::chrono::hours{3 + random_.below(30)}; break;
        case 2: by = std::chrono::hours{(random_.chance(50) ? -1 : 1) * 24 * random_.below(1500)}; break;
        case 3: by = -std::chrono::milliseconds{random_.below(9'000'000)}; break;
        default: by = std::chrono::milliseconds{random_.below(200'000) - 100'000}; break;
        }
        if (clock_.now() + std::chrono::floor<microseconds>(by) <
            sys_time{std::chrono::sys_days{std::chrono::January / 1 / 1990}}) {
            return;
        }
        if (clock_.now() + std::chrono::floor<microseconds>(by) >
            sys_time{std::chrono::sys_days{std::chrono::January / 1 / 2060}}) {
            return;
        }
        clock_.step(by);
        note("the wall clock is set by " + std::to_string(by.count() / 1'000'000) + " ms");
    }

    void start() {
        note("start");
        see_timeline();
        has_started_ = true;
        scheduler_->start();
        for (auto& [name, account] : ledger_.accounts) {
            if (account.job) { begin(*account.job); }
        }
        after_event();
    }

    void poll() {
        note("poll");
        const steady_time now = clock_.steady_now();
        settle_all();
        std::vector<std::pair<std::shared_ptr<Occurrence>, std::uint32_t>> retries;
        for (const auto& occurrence : ledger_.retrying()) {
            if (!occurrence->is_running && occurrence->returned &&
                *occurrence->returned + occurrence->plan->longest_delay(occurrence->attempts + 1) <= now) {
                retries.emplace_back(occurrence, occurrence->attempts);
            }
        }
        std::vector<daybook::ExecutionId> expired;
        for (const auto& body : bodies_) {
            if (body->done && body->timeout.count() != 0 && now - body->started >= body->timeout) {
                expired.push_back(body->execution);
            }
        }
        scheduler_->poll();
        ledger_.read();
        for (const auto& [occurrence, attempts] : retries) {
            verdict_.expect(occurrence->attempts > attempts, "a retry did not come when it was due",
                            occurrence->job->id);
        }
        for (const auto id : expired) {
            const auto record = scheduler_->log().find(id);
            verdict_.expect(!record || is_finished(record->status), "a deadline passed without a timeout");
        }
        for (const auto& [name, account] : ledger_.accounts) {
            if (account.job) { check_that_nobody_waits_for_nothing(*account.job); }
        }
    }

    void add() {
        const std::string id = "job-" + std::to_string(random_.below(8));
        Account& account = ledger_.accounts[id];
        const bool may_replace = random_.chance(30);
        if (may_replace) { poll(); }
        if (account.job) { notice_if_forgotten(account); }
        const auto plan = std::make_shared<const Plan>(some_plan(random_, id, clock_.now(), clock_.steady_now()));
        const bool is_present = account.job != nullptr;
        const auto job = is_present ? account.job : jobs_.emplace_back(std::make_shared<Job>());
        job->id = id;
        note((may_replace ? "add or replace " : "add ") + describe(*plan));
        const bool may_be_forgotten = is_present && is_forgettable(*job);
        bool is_accepted = true;
        const bool is_open = random_.chance(70);
        if (may_replace) { settle_all(); }
        const auto run = [&](auto body) {
            if (may_replace) {
                const bool was_present = scheduler_->add_or_replace(plan->options, body);
                verdict_.expect(was_present == is_present || may_be_forgotten,
                                "add_or_replace is wrong about what there was", id);
                if (was_present == is_present) { return; }
                is_accepted = false; // it had been forgotten
                scheduler_->remove(id);
                forgotten(account);
                return;
            }
            try {
                scheduler_->add(plan->options, body);
            } catch (const std::invalid_argument&) { is_accepted = false; }
            verdict_.expect(is_accepted == !is_present, "add is wrong about what there was", id);
        };
        if (is_open) {
            run([this, job](daybook::JobContext& context, daybook::Completion<std::string> done) {
                begin_open(job, context, std::move(done));
            });
        } else {
            run([this, job](daybook::JobContext& context) { return block(job, context); });
        }
        if (!is_accepted) { return; }
        ledger_.read(); // what came due before belongs to the old plan
        account.job = job;
        job->plan = plan;
        if (has_started_) { begin(*job); }
    }

    void change() {
        const auto account = somebody();
        if (account == nullptr) { return; }
        const auto plan =
            std::make_shared<const Plan>(some_plan(random_, account->job->id, clock_.now(), clock_.steady_now()));
        note("update " + describe(*plan));
        settle_all();
        const bool is_done = scheduler_->update(plan->options);
        if (!is_done) { return forgotten(*account); }
        ledger_.read();
        account->job->plan = plan;
        if (has_started_) { begin(*account->job); }
    }

    void trigger() {
        const auto account = somebody();
        if (account == nullptr) { return; }
        const std::string id = account->job->id;
        daybook::TriggerOptions options;
        if (random_.chance(50)) { options.parameters = std::to_string(random_.below(1000)); }
        note("trigger " + id);
        ledger_.read();
        await_completions();
        ++account->let_through;
        const auto report = scheduler_->trigger(id, options);
        if (report.outcome == daybook::TriggerOutcome::unknown_job) {
            --account->let_through;
            return forgotten(*account);
        }
        verdict_.expect(report.outcome != daybook::TriggerOutcome::stopped && report.id != 0,
                        "a trigger came to nothing", id);
        if (report && options.parameters) { parameters_[report.id] = *options.parameters; }
        ledger_.read_new();
    }

    void pause_or_resume() {
        if (random_.chance(10)) {
            const bool pauses = random_.chance(40);
            std::size_t changed = 0;
            for (auto& [name, account] : ledger_.accounts) {
                if (account.job) { notice_if_forgotten(account); }
                if (account.job && std::exchange(account.job->is_paused, pauses) != pauses) { ++changed; }
            }
            verdict_.expect((pauses ? scheduler_->pause_all() : scheduler_->resume_all()) == changed,
                            "pause_all or resume_all is wrong about how many");
            return note(pauses ? "pause all" : "resume all");
        }
        const auto account = somebody();
        if (account == nullptr) { return; }
        const bool pauses = !account->job->is_paused && random_.chance(70);
        note((pauses ? "pause " : "resume ") + account->job->id);
        const bool is_done = pauses ? scheduler_->pause(account->job->id) : scheduler_->resume(account->job->id);
        if (!is_done) { return forgotten(*account); }
        account->job->is_paused = pauses;
    }

    void remove() {
        const auto account = somebody();
        if (account == nullptr) { return; }
        note("remove " + account->job->id);
        settle_all();
        account->job->is_removed = true;
        if (!scheduler_->remove(account->job->id)) { return forgotten(*account); }
        ledger_.read_new();
        account->job = nullptr;
    }

    void clear() {
        note("clear the log");
        ledger_.read();
        scheduler_->log().clear();
        ledger_.cleared();
    }

    void end_some_body() {
        if (bodies_.empty()) { return; }
        const auto body = bodies_[random_.index(bodies_.size())];
        if (body->done) { finish(body); }
    }

    void end() {
        if (!verdict_.is_good()) { return leave(); }
        note("stop");
        settle_all();
        ledger_.read();
        std::uint64_t shut_down = count_of(SkipReason::shutdown);
        ledger_.has_stopped = true;
        const auto report = scheduler_->stop(nanoseconds{0});
        ledger_.read();
        shut_down = count_of(SkipReason::shutdown) - shut_down;
        verdict_.expect(report.skipped == shut_down, "stop is wrong about what it has skipped");
        std::multiset<std::string> running;
        for (const auto& body : bodies_) {
            if (!body->has_returned) { running.insert(body->occurrence->job->id); }
        }
        verdict_.expect(running == std::multiset<std::string>(report.still_running.begin(), report.still_running.end()),
                        "stop is wrong about what still runs");
        after_event();
        while (!bodies_.empty() && verdict_.is_good()) {
            pass(some_time());
            if (!bodies_.empty()) { finish(bodies_.back()); }
            after_event();
        }
        check_end();
        leave();
    }

    void leave() {
        bodies_.clear();
        retired_.clear();
        scheduler_.reset();
        verdict_.expect(handle_->trigger("job-0").outcome == daybook::TriggerOutcome::stopped,
                        "a handle reaches a scheduler that is gone");
        verdict_.expect(handle_->jobs().empty(), "a handle shows jobs of a scheduler that is gone");
    }

    // What must hold.

    void check_that_nobody_waits_for_nothing(Job& job) {
        if (job.queued.empty() || !is_closed(job)) { return; }
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
        }
        await_completions();
        if (random_.chance(25)) { check_jobs(); }
        if (random_.chance(3)) { check_statistics(); }
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
            verdict_.expect(info->last_start == job.last_start, "the job is wrong about its last start", name);
            verdict_.expect(info->schedule_error.empty() == !job.owing.has_thrown,
                            "the job is wrong about its schedule", name);
            check_state(*info, job);
        }
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
    }
};

} // namespace simulation

#endif
