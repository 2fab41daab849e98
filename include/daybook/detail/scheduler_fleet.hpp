// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_SCHEDULER_FLEET_HPP
#define DAYBOOK_DETAIL_SCHEDULER_FLEET_HPP

/// @file
/// A scheduler as one of several: what the others tell it, what they leave behind, and what is left when it is cut off
/// from them.

#include <daybook/detail/scheduler_claims.hpp>
#include <daybook/detail/scheduler_restore.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

/// The scheduler as the fleet's thread sees it.
class SchedulerCore::FleetRound final : public FleetWork {
public:
    explicit FleetRound(SchedulerCore& core) noexcept : core_{core} {}
    [[nodiscard]] bool takes_over() const override { return core_.is_started(); }
    void taken_over(std::vector<TakenOver> left) override {
        for (TakenOver& one : left) { core_.taken_.push_back(std::move(one)); }
    }
    StoreDeadline round(const FleetNews& news, bool is_seated) override { return core_.fleet_round(news, is_seated); }
    void seat_lost(ExecutionId /*first_id*/) override { core_.lose_seat(); }

private:
    SchedulerCore& core_;
};

inline void SchedulerCore::join_fleet() {
    StoreWriter* const writer = log_->store_writer();
    fleet_ = writer == nullptr ? nullptr : writer->fleet();
    if (fleet_ == nullptr) { return; }
    fleet_round_ = std::make_shared<FleetRound>(*this);
    fleet_->attach(fleet_round_.get());
}

inline void SchedulerCore::leave_fleet() noexcept {
    if (fleet_ != nullptr) { fleet_->detach(); }
}

/// @throws std::invalid_argument  The job means something else to each process, or nothing to all of them.
inline void SchedulerCore::check_fleet(const JobOptions& options, const Schedule& schedule, const char* command) const {
    if (fleet_ == nullptr) { return; }
    const auto refuse = [&](const std::string& what) {
        throw std::invalid_argument{std::string{command} + "(\"" + options.id + "\"): in a fleet " + what};
    };
    if (options.on_store_failure == OnStoreFailure::run_anyway) {
        refuse("on_store_failure must be hold: while the store is away nobody knows what others run");
    }
    if (const At* once = schedule.once(); once != nullptr && once->steady()) {
        refuse("an instant of the steady clock means nothing to other processes: use the wall clock");
    }
    const Every* every = schedule.interval();
    if (every == nullptr) { return; }
    if (every->is_after_completion()) {
        refuse("an interval cannot count from a completion: use a fixed rate with Overlap::skip");
    }
    if (schedule.limits().times && !schedule.limits().from) { refuse("times needs from: where counting begins"); }
}

inline bool SchedulerCore::may_start() const noexcept { return fleet_ == nullptr || fleet_->may_start(); }

/// What the fleet's thread does for the scheduler, again and again.
/// @returns When to come again at the latest.
inline StoreDeadline SchedulerCore::fleet_round(const FleetNews& news, bool is_seated) {
    using Clock = std::chrono::steady_clock;
    constexpr std::chrono::milliseconds soon{20};
    constexpr std::chrono::milliseconds later{250};
    if (!is_seated) {
        if (!fleet_->has_lease()) { stop_unleased(); }
        return Clock::now() + later;
    }
    const AtWork at_work{*this}; // schedules are asked in here
    round_end_ = Clock::now() + fleet_->options().lease / 6;
    resume_intake();
    take_over();
    is_to_refresh_ = is_to_refresh_ || news.is_all || !news.jobs.empty();
    if (news.has_claims || news.is_all) { next_look_ = {}; }
    if (!taken_.empty() && is_started()) { return Clock::now(); } // it holds up what comes after
    claim_asked_for();
    claim_due();
    if (!is_started()) { // what waits has the grace of a stop
        if (waits_elsewhere_) { follow_claims(); }
        return Clock::now() + later;
    }
    if (is_to_refresh_ || Clock::now() >= next_refresh_) {
        follow_jobs();
        is_to_refresh_ = false;
        next_refresh_ = Clock::now() + options_.fleet->refresh_interval;
    }
    // Also without news: what two processes do at once may tell neither.
    if (waits_elsewhere_ || Clock::now() >= next_look_) {
        follow_claims();
        next_look_ = Clock::now() + options_.fleet->lease / 3;
    }
    ask_about_stale();
    const Lock lock{mutex_};
    if (!asked_for_.empty()) { return Clock::now(); }
    if (!to_claim_.empty()) { return Clock::now() >= round_end_ ? Clock::now() : Clock::now() + soon; }
    return std::min(next_refresh_, Clock::now() + (waits_elsewhere_ || is_held_back_ ? later : 4 * later));
}

/// The lease is there again: what is ready may start.
inline void SchedulerCore::resume_intake() {
    std::size_t ready = 0;
    {
        const Lock lock{mutex_};
        if (!is_held_back_ || !may_start()) { return; }
        is_held_back_ = false;
        ready = ready_.size();
    }
    post(ready);
    alarm_.wake(); // the program's own executor is called by the timer
}

/// The lease is over: others may begin what runs here at any moment. What ends by itself until they do so has ended.
inline void SchedulerCore::stop_unleased() {
    Claimed asked;
    {
        const Lock lock{mutex_};
        for (const OccurrencePtr& occurrence : occurrences_) {
            const bool is_running = occurrence && occurrence->phase == Occurrence::Phase::running;
            if (!is_running || occurrence->is_ended || std::exchange(occurrence->is_unleased, true)) { continue; }
            asked.decisions.push_back(Decision::about(Decision::Kind::ask_to_stop, occurrence));
        }
    }
    carry_out_claimed(asked);
}

/// A claim is over: its record is written first.
inline void SchedulerCore::release(const OccurrencePtr& occurrence, const Lock& /*lock*/) {
    if (occurrence->phase != Occurrence::Phase::dropped || !std::exchange(occurrence->is_claimed, false)) { return; }
    log_->store_writer()->release(occurrence->id);
}

/// What has come due by now is settled; not waited for where the scheduler's own work is under way.
inline void SchedulerCore::await_due() {
    dispatch();
    if (fleet_ == nullptr || AtWork::is_inside(*this)) { return; }
    await_claims();
    dispatch();
}

/// Until what is due has been claimed, or is found to be another process's; at most one call's time.
inline void SchedulerCore::await_claims() {
    const StoreDeadline patience = log_->store_writer()->deadline();
    Lock lock{mutex_};
    if (to_claim_.empty() && claiming_ == 0) { return; }
    fleet_->wake();
    changed_.wait_until(lock, patience, [&] {
        const auto now = std::chrono::steady_clock::now();
        return claiming_ == 0 && std::ranges::none_of(to_claim_, [&](const Due& due) {
                   return !due.claim_at || *due.claim_at <= now; // the others wait for something
               });
    });
}

// Triggers.

/// The store is asked by the fleet's thread, and this one waits.
inline TriggerReport SchedulerCore::trigger_in_fleet(std::string_view id, TriggerOptions options) {
    const auto asked = std::make_shared<AskedFor>();
    const bool may_wait = !AtWork::is_inside(*this);
    const StoreDeadline patience = log_->store_writer()->deadline();
    Decisions decisions;
    OccurrencePtr occurrence;
    {
        Lock lock{mutex_};
        if (state_ == State::stopping) { return {.outcome = TriggerOutcome::stopped}; }
        asked->job = find(id, lock);
        if (!asked->job) { return {.outcome = TriggerOutcome::unknown_job}; }
        if (options.revision && asked->job->revision != *options.revision) {
            return {.outcome = TriggerOutcome::changed_meanwhile};
        }
        asked->parameters = std::move(options.parameters);
        asked->is_given_up = !may_wait;
        asked_for_.push_back(asked);
        fleet_->wake();
        if (!may_wait) { return {.outcome = TriggerOutcome::queued}; }
        changed_.wait_until(lock, patience, [&] { return asked->is_answered; });
        if (!asked->is_answered && std::erase(asked_for_, asked) == 0) { // it is being asked about right now
            changed_.wait(lock, [&] { return asked->is_answered; });
        }
        if (!asked->is_answered || asked->is_refused) {
            skip({asked->job, asked->job->plan, std::nullopt, Trigger::manual, Overlap::allow},
                 SkipReason::store_unavailable, asked->decisions);
        }
        decisions.splice(decisions.end(), asked->decisions);
        if (!asked->is_refused) { occurrence = asked->occurrence; }
        ++busy_;
    }
    const ExecutionId given = carry_out(decisions);
    flush_posts();
    return {.outcome = occurrence ? TriggerOutcome::queued : TriggerOutcome::skipped,
            .id = occurrence && given == 0 ? occurrence->id : given};
}

/// The trigger's thread goes on with nothing.
inline void SchedulerCore::answer(const std::shared_ptr<AskedFor>& asked, bool is_refused) {
    Claimed alone{.job = asked->job};
    {
        const Lock lock{mutex_};
        asked->is_refused = is_refused;
        asked->is_answered = true;
        changed_.notify_all();
        if (!asked->is_given_up || !is_refused) { return; }
        skip({asked->job, asked->job->plan, std::nullopt, Trigger::manual, Overlap::allow},
             SkipReason::store_unavailable, alone.decisions);
    }
    carry_out_claimed(alone);
}

inline void SchedulerCore::claim_asked_for() {
    while (true) {
        std::shared_ptr<AskedFor> asked;
        JobLock wanted;
        PlanPtr plan;
        {
            const Lock lock{mutex_};
            if (asked_for_.empty() || std::chrono::steady_clock::now() >= round_end_) { return; }
            asked = asked_for_.front();
            asked_for_.pop_front();
            plan = asked->job->plan;
            wanted = {asked->job->id, plan->fleet_group};
            ++claiming_;
        }
        const auto is_done = [&] {
            const Lock lock{mutex_};
            --claiming_;
            changed_.notify_all();
        };
        try {
            StoreWriter& writer = *log_->store_writer();
            LockedJobs locked = fleet_->store().lock({&wanted, 1}, LockWait::yes, fleet_->deadline());
            if (locked.jobs.empty() && !locked.unknown.empty()) { // not written yet
                keep(asked->job);
                writer.flush(fleet_->deadline());
                locked = fleet_->store().lock({&wanted, 1}, LockWait::yes, fleet_->deadline());
            }
            if (locked.jobs.empty()) {
                fleet_->store().unlock();
                answer(asked, true);
                is_done();
                continue;
            }
            const JobStanding& standing = locked.jobs.front();
            settle_doubt(standing);
            ClaimRound round;
            Claimed claimed{.job = asked->job, .asked = asked};
            {
                const Lock lock{mutex_};
                asked->job->elsewhere = standing.elsewhere;
                const Admission from{asked->job, plan, std::nullopt, Trigger::manual, plan->policies.overlap};
                if (asked->job->is_removed || state_ == State::stopping) {
                    skip(from, asked->job->is_removed ? SkipReason::removed : SkipReason::shutdown, claimed.decisions);
                } else if (plan->fleet_limit != 0 && standing.in_group >= plan->fleet_limit) {
                    skip(from, SkipReason::queue_full, claimed.decisions);
                } else {
                    asked->occurrence = admit(from, claimed.decisions, lock);
                    if (asked->occurrence) { asked->occurrence->own_parameters = std::move(asked->parameters); }
                }
                if (asked->occurrence && plan->policies.overlap == Overlap::cancel_running && standing.elsewhere != 0) {
                    round.cancelled.push_back(asked->job->id);
                }
            }
            add_claims(claimed, round);
            round.claimed.push_back(std::move(claimed));
            commit(round);
        } catch (const std::exception&) {
            const bool is_in_doubt =
                std::ranges::any_of(doubtful_, [&](const Claimed& claimed) { return claimed.asked == asked; });
            bool is_answered = false;
            {
                const Lock lock{mutex_};
                is_answered = asked->is_answered;
                if (is_in_doubt) { // it runs if the store has it after all
                    asked->is_given_up = asked->is_answered = true;
                    changed_.notify_all();
                }
            }
            if (!is_in_doubt && !is_answered) { answer(asked, true); }
            is_done();
            throw;
        }
        is_done();
    }
}

// What the others tell.

/// Claims that others want to end, and those that need not wait for others any more.
inline void SchedulerCore::follow_claims() {
    const ClaimNews news = fleet_->store().look(fleet_->deadline());
    const auto is_among = [](const std::vector<ExecutionId>& ids, ExecutionId id) {
        return std::ranges::find(ids, id) != ids.end();
    };
    Claimed ended;
    std::size_t posts = 0;
    {
        const Lock lock{mutex_};
        waits_elsewhere_ = false;
        for (std::size_t i = 0; i < occurrences_.size(); ++i) {
            const OccurrencePtr occurrence = occurrences_[i];
            if (!occurrence || !occurrence->is_claimed) { continue; }
            if (is_among(news.cancelled, occurrence->id) && !std::exchange(occurrence->is_cancelled, true)) {
                if (occurrence->phase != Occurrence::Phase::running) {
                    decide_end(occurrence, SkipReason::cancelled_while_queued, ended.decisions);
                    drop(occurrence, SkipReason::cancelled_while_queued, lock);
                    if (release_next(occurrence->job, lock)) { ++posts; }
                } else if (!std::exchange(occurrence->is_ended, true)) {
                    ended.decisions.push_back(Decision::about(Decision::Kind::cancel, occurrence));
                    occurrence->job->last_status = JobStatus::cancelled;
                }
            } else if (occurrence->is_barred && is_among(news.free, occurrence->id)) {
                occurrence->is_barred = false;
                if (release_next(occurrence->job, lock)) { ++posts; }
            }
            waits_elsewhere_ = waits_elsewhere_ || occurrence->is_barred;
        }
    }
    post(posts);
    carry_out_claimed(ended);
    alarm_.wake(); // the program's own executor is called by the timer
}

/// Jobs as the store has them: what others have made, changed, paused, removed.
inline void SchedulerCore::follow_jobs() {
    StoreWriter& writer = *log_->store_writer();
    std::map<std::string, std::uint64_t, std::less<>> revisions;
    {
        const std::scoped_lock in_order{keep_mutex_}; // what is about to be told is not in the store yet
        const Lock lock{mutex_};
        for (const auto& [id, job] : jobs_) {
            if (!job->is_to_keep) { revisions.emplace(id, job->revision); }
        }
    }
    if (!writer.flush(fleet_->deadline())) { return; } // what this process has changed comes first
    const std::vector<StoredJob> stored = writer.store().jobs(fleet_->deadline());
    for (const StoredJob& job : stored) {
        try {
            follow_job(job, revisions);
        } catch (const std::bad_alloc&) { throw; } catch (const std::exception& error) {
            diagnose("the job '" + job.id +
                     "' was changed by another process, and stays as it was here: " + error.what());
        }
        revisions.erase(job.id);
    }
    for (const auto& [id, revision] : revisions) { // removed by another process
        const JobChange gone = remove_if(id, revision, Removed::elsewhere);
        if (gone == JobChange::done) { diagnose("the job '" + id + "' was removed by another process"); }
    }
}

/// @param revisions  Of the jobs that are here, as they were before the store was asked.
inline void SchedulerCore::follow_job(const StoredJob& stored,
                                      const std::map<std::string, std::uint64_t, std::less<>>& revisions) {
    const auto known = revisions.find(stored.id);
    PlanPtr plan;
    bool is_paused = false;
    {
        const Lock lock{mutex_};
        const JobPtr job = find(stored.id, lock);
        if (!job && stored.is_from_data) {
            stored_.insert_or_assign(stored.id, std::make_shared<const StoredJob>(stored));
        }
        if (job) {
            if (known == revisions.end() || known->second != job->revision) { return; } // changed here meanwhile
            plan = job->plan;
            is_paused = job->is_paused;
        }
    }
    if (!plan && !stored.is_from_data) { return; } // code that this program does not have
    if (!plan) {
        JobFunction function = handlers_.at(stored.handler_id, stored.method_name);
        std::string told;
        insert(options_of(stored), std::move(function), IfPresent::refuse, JobOrigin::handler, told);
        if (!told.empty()) { diagnose(told); }
        const Lock lock{mutex_};
        if (const JobPtr job = find(stored.id, lock)) { job->is_to_keep = false; } // the store has it
        return;
    }
    if (is_same_plan(stored, *plan->kept)) {
        if (stored.is_paused == is_paused) { return; }
        const Lock lock{mutex_};
        const JobPtr job = find(stored.id, lock);
        if (job && job->revision == known->second) {
            change_pause(job, stored.is_paused, lock);
            job->is_to_keep = false;
        }
        return;
    }
    JobOptions options =
        stored.schedule == plan->kept->schedule ? options_of(stored, plan->given()) : options_of(stored);
    if (stored.retry == plan->kept->retry) { options.retry = plan->policies.retry; } // with what is no data
    if (change_if(std::move(options), known->second) != JobChange::done) { return; }
    const Lock lock{mutex_};
    if (const JobPtr job = find(stored.id, lock)) { job->is_to_keep = false; }
}

/// A job has not succeeded here for its time: perhaps it has elsewhere.
inline void SchedulerCore::ask_about_stale() {
    std::vector<JobPtr> jobs;
    {
        const Lock lock{mutex_};
        jobs.swap(stale_to_ask_);
    }
    StoreWriter& writer = *log_->store_writer();
    while (!jobs.empty()) {
        if (std::chrono::steady_clock::now() >= round_end_) {
            const Lock lock{mutex_};
            stale_to_ask_.insert(stale_to_ask_.end(), jobs.begin(), jobs.end());
            return;
        }
        const JobPtr& job = jobs.back();
        StoreQuery query{.status = JobStatus::success, .limit = 1};
        query.filter.job_id = job->id;
        try {
            const StoredPage page = writer.store().read(query, fleet_->deadline());
            const sys_time wall = options_.clock.now();
            const Lock lock{mutex_};
            const auto after = std::chrono::floor<std::chrono::microseconds>(job->plan->policies.stale_after);
            std::optional<sys_time> last;
            if (!page.executions.empty()) { last = page.executions.front().completed_at; }
            if (last && *last > job->last_success.value_or(sys_time::min())) { job->last_success = last; }
            if (job->is_removed || job->is_over || state_ != State::started) {
            } else if (last && *last > saturating_subtract(wall, after)) {
                const std::chrono::nanoseconds left = saturating_difference(saturating_add(*last, after), wall);
                push_due(stale_due_, job->index, saturating_add(options_.clock.steady_now(), left), lock);
            } else {
                stale_for_sure_.push_back(job);
                alarm_.wake();
            }
        } catch (...) {
            const Lock lock{mutex_};
            stale_to_ask_.insert(stale_to_ask_.end(), jobs.begin(), jobs.end());
            throw;
        }
        jobs.pop_back();
    }
}

} // namespace daybook::inline v0::detail

#endif
