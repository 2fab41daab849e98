// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_SCHEDULER_SIMULATION_HPP
#define DAYBOOK_TESTS_SCHEDULER_SIMULATION_HPP

/// @file
/// A world for a scheduler: clocks that pass and are set, bodies that take virtual time, and somebody who watches.

#include "simulation_checks.hpp"

#include <set>
#include <utility>

namespace simulation {

/// One life of one scheduler, all of it decided by one number.
class World final : public Checks {
public:
    explicit World(std::uint64_t seed, bool is_traced = false) : Checks{seed, is_traced} {}

    /// @returns What was wrong; empty when nothing was.
    std::string run(int most_events) {
        const int events = random_.chance(30) ? random_.below(most_events) : most_events;
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
        if (random_.chance(pace_ == Pace::busy ? 1 : 2)) { remove(); }
        if (random_.chance(2)) { pause_or_resume(); }
        if (drive_ != Drive::poll && random_.chance(5)) { poll(); } // as another thread would meanwhile
    }

    // What may happen.

    void happen() {
        const auto what = random_.below(100);
        if (pace_ == Pace::busy && random_.chance(85)) {
            if (what < 15) { trigger(); }
            if (what >= 90) { end_some_body(); }
            pass(some_time());
            poll();
        } else if (what < 30) {
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
        if (pace_ == Pace::busy && random_.chance(97)) { return std::chrono::milliseconds{random_.below(3000)}; }
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
        note("start, " +
             std::string{drive_ == Drive::poll    ? "poll"
                         : drive_ == Drive::shelf ? "shelf"
                                                  : "on the spot"} +
             ", a level of priority is worth " + std::to_string(priority_worth_.count() / 1'000'000) + " ms");
        timeline_ = clock_.now(); // nothing is due by an earlier one
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
                *occurrence->returned + occurrence->wait.most <= now) {
                retries.emplace_back(occurrence, occurrence->attempts);
            }
        }
        std::vector<daybook::ExecutionId> expired;
        for (const auto& body : bodies_) {
            const bool may_expire = body->done || drive_ != Drive::poll;
            if (may_expire && body->timeout.count() != 0 && now - body->started >= body->timeout) {
                expired.push_back(body->execution);
            }
        }
        look();
        if (ledger_.has_stopped) { return; }
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
            if (account.job && depth_ == 0) { check_that_nobody_waits_for_nothing(*account.job); }
        }
    }

    /// The scheduler looks at its clocks, and perhaps at what there is to do.
    void look() {
        if (drive_ == Drive::poll) {
            scheduler_->poll();
            return;
        }
        scheduler_->remove("nobody"); // what the timer's thread would do
        if (drive_ == Drive::on_the_spot) { return; }
        for (int i = random_.chance(50) ? 1000 : random_.below(10); i != 0 && shelf_->run_one(); --i) {}
    }

    void add() {
        const std::string id = "job-" + std::to_string(random_.below(8));
        Account& account = ledger_.accounts[id];
        const bool may_replace = random_.chance(30);
        if (may_replace) { poll(); }
        if (account.job) { notice_if_forgotten(account); }
        const auto plan =
            std::make_shared<const Plan>(some_plan(random_, pace_, asked_, id, clock_.now(), clock_.steady_now()));
        const bool is_present = account.job != nullptr;
        const auto whose = std::make_shared<std::shared_ptr<Job>>();
        const auto create = [&] {
            *whose = jobs_.emplace_back(std::make_shared<Job>());
            (*whose)->id = id;
        };
        if (is_present) {
            *whose = account.job;
        } else {
            create();
        }
        note((may_replace ? "add or replace " : "add ") + describe(*plan));
        const bool may_be_forgotten = is_present && is_forgettable(**whose);
        bool is_accepted = true;
        const bool is_open = random_.chance(70);
        if (may_replace) { settle_all(); }
        const bool was_amid = std::exchange(is_amid_, true);
        const auto run = [&](auto body) {
            if (may_replace) {
                const bool was_present = scheduler_->add_or_replace(plan->options, body);
                verdict_.expect(was_present == is_present || may_be_forgotten,
                                "add_or_replace is wrong about what there was", id);
                if (was_present == is_present) { return; }
                forgotten(account);
                create();
                return;
            }
            try {
                scheduler_->add(plan->options, body);
            } catch (const std::invalid_argument&) { is_accepted = false; }
            verdict_.expect(is_accepted == !is_present, "add is wrong about what there was", id);
        };
        if (is_open) {
            run([this, whose](daybook::JobContext& context, daybook::Completion<std::string> done) {
                begin_open(*whose, context, std::move(done));
            });
        } else {
            run([this, whose](daybook::JobContext& context) { return block(*whose, context); });
        }
        is_amid_ = was_amid;
        if (!is_accepted) { return; }
        ledger_.read(); // what came due before belongs to the old plan
        account.job = *whose;
        put_plan(*account.job, plan);
    }

    void put_plan(Job& job, const std::shared_ptr<const Plan>& plan) {
        const bool was_watched = job.plan && is_watched(job);
        const auto watched_since = job.watched_since;
        job.plan = plan;
        if (plan->options.stale_after.count() == 0) { job.is_stale = false; }
        if (has_started_) { begin(job); }
        if (has_started_ && was_watched) { job.watched_since = watched_since; }
    }

    /// What an update leaves empty stays.
    static void keep_unsaid(daybook::JobOptions& said, const daybook::JobOptions& before) {
        for (const auto part : {&daybook::JobOptions::handler_id, &daybook::JobOptions::method_name,
                                &daybook::JobOptions::parameters, &daybook::JobOptions::group}) {
            if ((said.*part).empty()) { said.*part = before.*part; }
        }
    }

    void change() {
        const auto account = somebody();
        if (account == nullptr) { return; }
        auto plan = std::make_shared<Plan>(
            some_plan(random_, pace_, asked_, account->job->id, clock_.now(), clock_.steady_now()));
        note("update " + describe(*plan));
        settle_all();
        const bool was_amid = std::exchange(is_amid_, true);
        const bool is_done = scheduler_->update(plan->options);
        keep_unsaid(plan->options, account->job->plan->options);
        plan->group = group_of(plan->options);
        is_amid_ = was_amid;
        if (!is_done) { return forgotten(*account); }
        ledger_.read();
        put_plan(*account->job, plan);
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
        ledger_.given = options.parameters.value_or(account->job->plan->options.parameters);
        const auto report = scheduler_->trigger(id, options);
        if (ledger_.has_stopped) {
            --account->let_through;
            return verdict_.expect(report.outcome == daybook::TriggerOutcome::stopped, "a trigger after stop", id);
        }
        if (report.outcome == daybook::TriggerOutcome::unknown_job) {
            --account->let_through;
            return forgotten(*account);
        }
        verdict_.expect(report.outcome != daybook::TriggerOutcome::stopped && report.id != 0,
                        "a trigger came to nothing", id);
        ledger_.read_new();
        ledger_.given.reset();
    }

    void pause_or_resume() {
        if (random_.chance(10)) {
            const bool pauses = random_.chance(40);
            settle_all();
            const bool was_amid = std::exchange(is_amid_, true);
            const std::size_t changed = pauses ? scheduler_->pause_all() : scheduler_->resume_all();
            is_amid_ = was_amid;
            std::size_t expected = 0;
            for (auto& [name, account] : ledger_.accounts) {
                if (account.job) { notice_if_forgotten(account); }
                if (!account.job || account.job->is_paused == pauses) { continue; }
                set_paused(*account.job, pauses);
                ++expected;
            }
            verdict_.expect(changed == expected, "pause_all or resume_all is wrong about how many");
            ledger_.read_new();
            return note(pauses ? "pause all" : "resume all");
        }
        const auto account = somebody();
        if (account == nullptr) { return; }
        const bool pauses = !account->job->is_paused && random_.chance(70);
        note((pauses ? "pause " : "resume ") + account->job->id);
        settle_all();
        const bool was_amid = std::exchange(is_amid_, true);
        const bool is_done = pauses ? scheduler_->pause(account->job->id) : scheduler_->resume(account->job->id);
        is_amid_ = was_amid;
        if (!is_done) { return forgotten(*account); }
        ledger_.read_new();
        set_paused(*account->job, pauses);
    }

    void remove() {
        const auto account = somebody();
        if (account == nullptr) { return; }
        note("remove " + account->job->id);
        settle_all();
        const bool was_amid = std::exchange(is_amid_, true);
        const bool is_done = scheduler_->remove(account->job->id);
        is_amid_ = was_amid;
        if (!is_done) { return forgotten(*account); }
        account->job->is_removed = true;
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
        const bool only_asks = drive_ == Drive::on_the_spot || random_.chance(25); // stop would let that run the rest
        note(only_asks ? "request stop" : "stop");
        settle_all();
        scheduler_->remove("nobody"); // what is due is settled now, so that the rest is the stop's own doing
        settle_all();
        const std::uint64_t shut_down = count_of(SkipReason::shutdown);
        const std::uint64_t owed = ledger_.owed_attempts();
        ledger_.has_stopped = is_amid_ = true;
        if (bodies_.empty()) { gate_.open(); }
        daybook::StopReport report;
        if (only_asks) {
            scheduler_->request_stop();
        } else {
            report = scheduler_->stop(nanoseconds{0});
        }
        ledger_.read();
        if (!only_asks) {
            verdict_.expect(report.skipped == count_of(SkipReason::shutdown) - shut_down,
                            "stop is wrong about what it has skipped");
            verdict_.expect(report.cancelled == owed, "stop is wrong about the retries that will not come");
            check_still_running(report);
        }
        verdict_.expect(ledger_.owed_attempts() == 0, "a retry is owed after stop");
        after_event();
        for (auto calls = random_.below(20); calls != 0 && verdict_.is_good(); --calls) { happen_after_stop(); }
        while (!bodies_.empty() && verdict_.is_good()) {
            pass(some_time());
            if (!bodies_.empty()) { finish(bodies_.back()); }
            after_event();
        }
        if (verdict_.is_good()) {
            report = scheduler_->stop(nanoseconds{0});
            verdict_.expect(report.has_stopped() && report.skipped == 0 && report.cancelled == 0,
                            "stop finds something left of what it had ended");
        }
        check_end();
        leave();
    }

    void check_still_running(const daybook::StopReport& report) {
        std::multiset<std::string> running;
        for (const auto& body : bodies_) { running.insert(body->occurrence->job->id); }
        verdict_.expect(running == std::multiset<std::string>(report.still_running.begin(), report.still_running.end()),
                        "stop is wrong about what still runs");
    }

    /// Nothing begins any more, whatever is called.
    void happen_after_stop() {
        switch (random_.below(8)) {
        case 0: trigger(); break;
        case 1: remove(); break;
        case 2: pause_or_resume(); break;
        case 3: end_some_body(); break;
        case 4:
            if (bodies_.empty()) { break; }
            check_still_running(scheduler_->stop(nanoseconds{0}));
            break;
        case 5:
            try {
                scheduler_->add("too-late", {}, [] {});
                verdict_.expect(false, "a job was added after stop");
            } catch (const std::logic_error&) {} // as it should
            break;
        default: pass(some_time()); poll();
        }
        after_event();
    }

    void leave() {
        if (shelf_) { shelf_->close(); }
        ledger_.has_stopped = is_amid_ = true;
        scheduler_->request_stop(); // nothing begins any more
        gate_.open();
        bodies_.clear();
        retired_.clear();
        scheduler_.reset();
        verdict_.expect(handle_->trigger("job-0").outcome == daybook::TriggerOutcome::stopped,
                        "a handle reaches a scheduler that is gone");
        verdict_.expect(handle_->jobs().empty(), "a handle shows jobs of a scheduler that is gone");
    }
};

} // namespace simulation

#endif
