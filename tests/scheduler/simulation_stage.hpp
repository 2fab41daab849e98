// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_SCHEDULER_SIMULATION_STAGE_HPP
#define DAYBOOK_TESTS_SCHEDULER_SIMULATION_STAGE_HPP

/// @file
/// A scheduler on clocks that are moved by hand, and what it owes at any moment.

#include "simulation_executor.hpp"
#include "simulation_jobs.hpp"
#include "simulation_ledger.hpp"

#include <daybook/scheduler.hpp>
#include <daybook/time/manual_clock.hpp>

#include <utility>

namespace simulation {

/// The scheduler, its clocks, and the model that is settled whenever the scheduler looks.
class Stage {
public:
    Stage(const Stage&) = delete;
    Stage& operator=(const Stage&) = delete;

    [[nodiscard]] const std::vector<std::string>& trace() const { return trace_; }

protected:
    static constexpr std::size_t log_capacity = 12'000;

    explicit Stage(std::uint64_t seed, bool is_traced)
        : random_{seed},
          is_traced_{is_traced},
          pace_{random_.chance(60) ? Pace::busy : Pace::leisurely},
          drive_{random_.choose({Drive::poll, Drive::poll, Drive::on_the_spot, Drive::shelf})},
          clock_{some_start(random_)},
          witness_{verdict_, random_.next()},
          ledger_{verdict_, witness_} {
        daybook::SchedulerOptions options;
        options.workers = 0;
        if (drive_ != Drive::poll) {
            options.workers = 1 + random_.index(4);
            shelf_ = std::make_shared<Shelf>(random_.next());
            if (drive_ == Drive::shelf) { options.executor = shelf_; }
            if (drive_ == Drive::on_the_spot) { options.executor = daybook::InlineExecutor{}; }
            options.on_thread_start = [this] { gate_.pass([&] { return !running_scheduler_->health().is_started; }); };
        }
        options.hooks = witness_.hooks();
        options.priority_worth = random_.choose<nanoseconds>(
            {nanoseconds{0}, std::chrono::milliseconds{250}, std::chrono::seconds{10}, std::chrono::hours{100}});
        priority_worth_ = options.priority_worth;
        options.clock = clock_;
        options.log.capacity = log_capacity;
        options.log.skip_capacity = log_capacity - 1000;
        options.log.error_capacity = 10;
        options.max_queue = 1 + random_.index(30);
        options.group_limits = group_limits();
        options.stop_grace = options.stop_patience = nanoseconds{0};
        options.completed_job_retention = std::chrono::seconds{random_.below(7200)};
        retention_ = options.completed_job_retention;
        ledger_.max_queue = options.max_queue + options.workers; // idle ones may have one each
        scheduler_.emplace(options);
        running_scheduler_ = &*scheduler_;
        witness_.connect(scheduler_->log());
        handle_.emplace(scheduler_->handle());
        ledger_.connect(scheduler_->log());
        group_limits_ = options.group_limits;
    }
    ~Stage() {
        for (const auto& job : jobs_) { // which occurrences refer to
            job->open.clear();
            job->queued.clear();
        }
    }

    void note(const std::string& what) {
        if (!is_traced_) { return; }
        std::string line = "wall ";
        line += std::to_string(clock_.now().time_since_epoch().count() / 1000) + " ms, steady ";
        line += std::to_string(clock_.steady_now().time_since_epoch().count() / 1'000'000) + " ms: " + what;
        trace_.push_back(std::move(line));
    }

    // What the scheduler owes.

    /// @returns Whether a new timeline has begun.
    bool see_timeline() {
        const bool is_new = timeline_ && clock_.now() < *timeline_ - std::chrono::hours{3};
        timeline_ = is_new ? clock_.now() : std::max(timeline_.value_or(clock_.now()), clock_.now());
        return is_new;
    }

    void begin(Job& job) {
        job.owing.begin(job.plan->options.schedule.bound_to(job.id), clock_.now(), clock_.steady_now());
        job.is_over = !job.owing.is_waiting();
        job.over_since = clock_.steady_now();
        job.had.clear();
        if (!job.is_stale && !job.is_paused) { job.watched_since = clock_.steady_now(); }
    }

    void settle_all() {
        ledger_.read();
        await_completions();
        ++ledger_.poll;
        ledger_.poll_time = clock_.steady_now();
        const bool is_new_timeline = see_timeline();
        if (!has_started_ || ledger_.has_stopped) { return; }
        for (auto& [name, account] : ledger_.accounts) {
            account.expected.clear();
            if (!account.job) { continue; }
            Job& job = *account.job;
            settle_staleness(job);
            if (is_new_timeline) {
                job.had.clear();
                if (job.owing.wall && job.owing.schedule.once() == nullptr) {
                    job.owing.wait_for_first(clock_.now(), clock_.steady_now());
                    if (!job.owing.is_waiting()) { retire(job); }
                    continue; // what that names lies ahead
                }
            }
            settle(job, account);
        }
    }

    /// Whether it can become stale: it was not paused and has something to do.
    [[nodiscard]] static bool is_watched(const Job& job) {
        const bool is_over = job.is_over && !job.owing.schedule.is_never();
        return job.plan->options.stale_after.count() != 0 && !job.is_stale && !job.is_paused && !is_over;
    }

    /// Whoever has not succeeded for so long is stale.
    void settle_staleness(Job& job) {
        if (!is_watched(job)) { return; }
        if (clock_.steady_now() - job.watched_since < job.plan->options.stale_after) { return; }
        job.is_stale = true;
        witness_.owed_stale.emplace(job.id, job.last_success);
        note(job.id + " is stale");
    }

    void set_paused(Job& job, bool is_paused) {
        if (std::exchange(job.is_paused, is_paused) == is_paused || is_paused) { return; }
        if (!job.is_stale) { job.watched_since = clock_.steady_now(); }
    }

    void retire(Job& job) {
        job.is_over = true;
        job.over_since = clock_.steady_now();
    }

    void settle(Job& job, Account& account) {
        if (!job.owing.is_waiting()) { return; }
        const sys_time wall = clock_.now();
        const Settled settled = job.owing.settle(wall, clock_.steady_now(), std::chrono::seconds{1});
        if (!job.owing.is_waiting()) {
            if (job.owing.is_after_completion() && (settled.count() != 0 || !is_idle(job))) {
                job.last_free = clock_.steady_now();
                job.last_free_wall = wall;
            } else {
                retire(job);
            }
        }
        if (settled.count() == 0) { return; }
        walked_ += std::min<std::uint64_t>(settled.count(),
                                           job.owing.schedule.interval() != nullptr ? 2300 : Owing::most_walked);
        note(job.id + " owes " + std::to_string(settled.late) + " late, " + std::to_string(settled.on_time.size()) +
             " on time" + (settled.is_uncountable ? ", or so" : ""));
        const auto uncounted = [&](SkipReason reason, std::uint64_t skips, std::uint64_t base, std::uint64_t run) {
            auto found = account.uncounted.find(reason); // there already: for the second time in one event
            if (found == account.uncounted.end()) {
                if (!settled.is_uncountable) { return; }
                found = account.uncounted.emplace(reason, Uncounted{base, base}).first;
            }
            found->second.least += (settled.is_uncountable ? 10'000 : skips) - run;
            found->second.most += skips - run;
        };
        if (job.is_paused) {
            uncounted(SkipReason::paused, settled.count(), account.paused, 0);
            account.paused += settled.count();
            return;
        }
        const auto& options = job.plan->options;
        std::uint64_t run = 0;
        if (*options.misfire == daybook::Misfire::run_all) {
            run = std::min<std::uint64_t>(settled.first_late.size(), *options.max_catch_up);
            for (std::uint64_t i = 0; i < run; ++i) { account.expected[settled.first_late[i]] = Trigger::catch_up; }
        } else if (*options.misfire == daybook::Misfire::run_once && settled.on_time.empty() && settled.late != 0 &&
                   settled.latest_due >= wall - std::chrono::floor<microseconds>(*options.misfire_grace)) {
            account.expected[*settled.latest] = Trigger::catch_up;
            run = 1;
        }
        uncounted(SkipReason::misfire, settled.late, account.misfired, run);
        account.misfired += settled.late - run;
        for (const sys_time nominal : settled.on_time) { account.expected[nominal] = Trigger::schedule; }
        account.let_through += run + settled.on_time.size();
    }

    /// An interval after completion goes on when its job is free.
    void await_completions() {
        for (auto& [name, account] : ledger_.accounts) {
            if (!account.job || !has_started_ || ledger_.has_stopped) { continue; }
            Job& job = *account.job;
            Owing& owing = job.owing;
            if (!owing.is_after_completion() || owing.is_waiting() || job.is_over || !is_idle(job)) { continue; }
            const steady_time next = job.last_free + owing.schedule.interval()->period();
            const auto& until = owing.schedule.limits().until;
            if (owing.left == 0 || (until && Owing::on_wall(next, job.last_free_wall, job.last_free) > *until)) {
                job.is_over = true;
                job.over_since = job.last_free;
            } else {
                owing.steady = next;
            }
        }
    }

    [[nodiscard]] bool is_closed(Job& job) {
        std::erase_if(job.open, [](const auto& other) { return other->is_over(); });
        return job.open.empty();
    }
    [[nodiscard]] bool is_idle(Job& job) { return is_closed(job) && job.queued.empty(); }

    // Who is there.

    Account* somebody() {
        std::vector<Account*> alive;
        for (auto& [name, account] : ledger_.accounts) {
            if (account.job) { alive.push_back(&account); }
        }
        return alive.empty() ? nullptr : alive[random_.index(alive.size())];
    }

    void notice_if_forgotten(Account& account) {
        if (!scheduler_->job(account.job->id)) { forgotten(account); }
    }

    [[nodiscard]] bool is_forgettable(Job& job) {
        return job.is_over && is_idle(job) && !job.owing.schedule.is_never() &&
               clock_.steady_now() - job.over_since >= retention_;
    }

    /// The scheduler says that there is no such job: then it must have been over for long.
    void forgotten(Account& account) {
        Job& job = *account.job;
        verdict_.expect(is_forgettable(job), "a job was forgotten", job.id);
        job.is_removed = true;
        account.job = nullptr;
    }

    [[nodiscard]] std::uint64_t count_of(SkipReason reason) {
        std::uint64_t count = 0;
        for (auto& [name, account] : ledger_.accounts) { count += account.skipped[reason]; }
        return count;
    }

    Random random_;
    bool is_traced_;
    Pace pace_;
    Drive drive_;
    std::vector<std::string> trace_;
    daybook::ManualClock clock_;
    Verdict verdict_;
    Witness witness_;
    Ledger ledger_;
    Gate gate_;
    std::shared_ptr<Shelf> shelf_;
    std::shared_ptr<Inquiry> asked_ = std::make_shared<Inquiry>();
    daybook::AnyScheduler* running_scheduler_ = nullptr; // the same one, for the timer thread
    std::optional<daybook::Scheduler<>> scheduler_;
    std::optional<daybook::SchedulerHandle> handle_;
    std::vector<std::shared_ptr<Job>> jobs_; // all there ever were
    std::optional<sys_time> timeline_;       // the latest wall time that the scheduler has seen
    nanoseconds retention_{0}, priority_worth_{0};
    bool has_started_ = false;
    std::map<std::string, std::size_t> group_limits_;
    std::uint64_t walked_ = 0; ///< occurrences that the model has looked at
};

} // namespace simulation

#endif
