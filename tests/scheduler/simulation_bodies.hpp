// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_SCHEDULER_SIMULATION_BODIES_HPP
#define DAYBOOK_TESTS_SCHEDULER_SIMULATION_BODIES_HPP

/// @file
/// Bodies that take virtual time, and what they see.

#include "simulation_stage.hpp"

#include <functional>
#include <queue>
#include <stop_token>
#include <utility>

namespace simulation {

/// A body that has begun and not returned.
struct Body {
    std::shared_ptr<Occurrence> occurrence{};
    daybook::ExecutionId execution = 0;
    steady_time started{};
    nanoseconds timeout{0};
    Fate fate{};
    std::optional<daybook::Completion<std::string>> done{}; ///< none: the body blocks the thread that polls
    std::stop_token stop{};
    std::optional<std::stop_callback<std::function<void()>>> when_asked{};
    bool has_returned = false;
};

/// All that runs, and time, in which it ends.
class Bodies : public Stage {
protected:
    using Stage::Stage;
    ~Bodies() = default;

    /// What a body may order while it runs.
    virtual void interfere() = 0;

    /// Time passes; bodies return at their own times.
    void pass(nanoseconds by) {
        const steady_time until = clock_.steady_now() + by;
        const auto advance = [&](steady_time to) {
            if (to <= clock_.steady_now()) { return; }
            ledger_.read();
            mark_ready(); // whatever becomes ready does so at an instant; here it ends
            clock_.advance(to - clock_.steady_now());
        };
        while (!returns_.empty() && returns_.top().at <= until) {
            const auto next = returns_.top();
            returns_.pop();
            advance(next.at);
            if (const auto body = next.body.lock()) { finish(body); }
        }
        advance(until);
    }

    /// Who waits for nothing but a worker and the limit of its group, from now on if not for longer.
    void mark_ready() {
        for (const auto& [name, account] : ledger_.accounts) {
            if (!account.job) { continue; }
            Job& job = *account.job;
            if (job.queued.empty()) { continue; }
            bool is_in_progress = !is_closed(job);
            for (const auto& occurrence : job.queued) {
                if (!occurrence->queued_since) { occurrence->queued_since = clock_.steady_now(); }
                const bool is_admitted = occurrence->attempts > 1 || !occurrence->excludes_others();
                if (is_admitted && !occurrence->ready_since) { occurrence->ready_since = clock_.steady_now(); }
                is_in_progress |= occurrence->ready_since.has_value();
            }
            for (const auto& occurrence : job.queued) {
                if (is_in_progress) { break; }
                occurrence->ready_since = clock_.steady_now();
                is_in_progress = true;
            }
        }
    }

    /// What has waited for so long, each level of priority being worth a certain time.
    [[nodiscard]] steady_time weight_of(const Occurrence& occurrence, steady_time since) const {
        return since - occurrence.plan->options.priority * priority_worth_;
    }

    void check_turn(const Occurrence& taken) {
        std::vector<std::shared_ptr<Occurrence>> before;
        const bool may_have_waited = taken.attempts == 1 && taken.excludes_others(); // nobody knows until when
        const steady_time weight = weight_of(taken, may_have_waited ? *taken.queued_since : *taken.ready_since);
        for (const auto& [name, account] : ledger_.accounts) {
            if (!account.job) { continue; }
            for (const auto& other : account.job->queued) {
                if (other.get() == &taken || !other->ready_since) { continue; }
                const steady_time others = weight_of(*other, *other->ready_since);
                if (others > weight) { continue; }
                const bool is_higher = other->plan->options.priority > taken.plan->options.priority;
                if (others == weight && (!is_higher || may_have_waited)) { continue; }
                const auto limit = group_limits_.find(other->plan->group);
                const bool is_full =
                    limit != group_limits_.end() && group_running_[other->plan->group] >= limit->second;
                if (!is_full) { before.push_back(other); }
            }
        }
        for (const auto& other : before) {
            ledger_.refresh(*other); // it may have been dropped
            if (!other->is_ended) {
                note(other->job->id + " " + std::to_string(other->id) + " should have come first, it waits since " +
                     std::to_string(other->ready_since->time_since_epoch().count() / 1'000'000) + " ms");
            }
            verdict_.expect(other->is_ended, "it was not its turn", taken.job->id);
        }
    }

    // What bodies do.

    std::shared_ptr<Body> begin_body(const std::shared_ptr<Job>& job, daybook::JobContext& context) {
        ledger_.read_new();
        auto body = std::make_shared<Body>();
        body->occurrence = ledger_.occurrence_of(context.execution_id());
        verdict_.expect(body->occurrence != nullptr, "a body runs without a record", job->id);
        if (!body->occurrence) {
            body->occurrence = std::make_shared<Occurrence>();
            body->occurrence->job = job;
            body->occurrence->plan = job->plan;
        }
        Occurrence& occurrence = *body->occurrence;
        body->execution = context.execution_id();
        body->started = clock_.steady_now();
        body->timeout = *occurrence.plan->options.timeout;
        body->fate = some_fate(random_, pace_);
        body->stop = context.stop_token();
        note(job->id + " begins attempt " + std::to_string(context.attempt_number()) + " of " +
             std::to_string(occurrence.id) + ", " + describe(body->fate));
        ledger_.refresh(*job);
        mark_ready();
        check_begin(*job, body->occurrence, context);
        std::erase(job->queued, body->occurrence);
        occurrence.is_running = true;
        job->last_start = clock_.now();
        ++job->running;
        ++group_running_[occurrence.plan->group];
        bodies_.push_back(body);
        return body;
    }

    void check_begin(Job& job, const std::shared_ptr<Occurrence>& occurrence, daybook::JobContext& context) {
        const Plan& plan = *occurrence->plan;
        verdict_.expect(occurrence->job.get() == &job, "a body of another job", job.id);
        verdict_.expect(!job.is_removed, "a body of a job that was removed", job.id);
        verdict_.expect(!ledger_.has_stopped, "a body begins after stop", job.id);
        verdict_.expect(!occurrence->is_running, "two bodies of one occurrence", job.id);
        verdict_.expect(context.attempt_number() == occurrence->attempts &&
                            context.scheduled_at() == occurrence->nominal,
                        "a body is told another attempt than the log", job.id);
        verdict_.expect(context.job_id() == job.id, "a body is told another job", job.id);
        verdict_.expect(context.parameters() == occurrence->parameters, "a body got the wrong parameters", job.id);
        if (!occurrence->queued_since) { occurrence->queued_since = clock_.steady_now(); }
        if (!occurrence->ready_since) { occurrence->ready_since = clock_.steady_now(); } // released at this instant
        check_turn(*occurrence);
        const bool has_deadline = context.deadline().has_value();
        verdict_.expect(has_deadline == (plan.options.timeout->count() != 0) &&
                            (!has_deadline || *context.deadline() == clock_.steady_now() + *plan.options.timeout),
                        "a wrong deadline", job.id);
        verdict_.expect(!context.stop_requested(), "a body begins that was asked to stop", job.id);
        std::erase_if(job.open, [](const auto& other) { return other->is_over(); });
        if (occurrence->excludes_others()) {
            for (const auto& other : job.open) {
                verdict_.expect(other == occurrence || !other->excludes_others(), "two at once that exclude each other",
                                job.id);
            }
            verdict_.expect(occurrence->attempts > 1 || occurrence->id > job.last_in_line,
                            "those that wait run out of order", job.id);
            job.last_in_line = std::max(job.last_in_line, occurrence->id);
        }
        if (std::find(job.open.begin(), job.open.end(), occurrence) == job.open.end()) {
            job.open.push_back(occurrence);
        }
        const auto limit = group_limits_.find(plan.group);
        verdict_.expect(limit == group_limits_.end() || group_running_[plan.group] < limit->second,
                        "more of a group at once than its limit", job.id);
    }

    void begin_open(const std::shared_ptr<Job>& job, daybook::JobContext& context,
                    daybook::Completion<std::string> done) {
        const auto body = begin_body(job, context);
        body->done.emplace(std::move(done));
        if (body->fate.lasts.count() == 0) {
            if (body->fate.end == Ending::thrown) {
                returned(*body, JobStatus::error);
                throw std::runtime_error{"thrown"};
            }
            return finish(body);
        }
        if (body->fate.lasts != for_ever) { returns_.push({clock_.steady_now() + body->fate.lasts, ++serial_, body}); }
        if (body->fate.when_asked != Asked::ignores) {
            body->when_asked.emplace(context.stop_token(), [this, weak = std::weak_ptr<Body>{body}] {
                const auto asked = weak.lock();
                if (!asked || asked->has_returned) { return; }
                note(asked->occurrence->job->id + " is asked to stop");
                if (asked->fate.when_asked == Asked::ends_at_once) { return finish(asked); }
                returns_.push({clock_.steady_now() + asked->fate.needs_to_stop, ++serial_, asked});
            });
        }
    }

    /// A body that blocks the thread that polls, and may give orders meanwhile.
    std::string block(const std::shared_ptr<Job>& job, daybook::JobContext& context) {
        const auto body = begin_body(job, context);
        if (!is_amid_ && depth_ < 3) {
            ++depth_;
            if (body->fate.lasts != for_ever && random_.chance(30)) { pass(body->fate.lasts); }
            interfere();
            --depth_;
        }
        const bool fails = body->fate.end != Ending::success;
        returned(*body, fails ? JobStatus::error : JobStatus::success);
        if (fails) { throw std::runtime_error{"failed"}; }
        return "done";
    }

    /// Ends an open body as its fate says.
    void finish(const std::shared_ptr<Body> body) { // a copy: it leaves the list
        if (body->has_returned) { return; }
        const Ending end = body->fate.end;
        returned(*body, end == Ending::success ? JobStatus::success : JobStatus::error);
        auto done = std::exchange(body->done, std::nullopt);
        if (end == Ending::success) { done->success("done"); }
        if (end == Ending::failure) { done->error("failed"); }
        if (end == Ending::thrown) { done->error(std::make_exception_ptr(std::runtime_error{"failed"})); }
        done.reset(); // dropped, unless it has ended
    }

    /// A body is about to return: what its record will say.
    void returned(Body& body, JobStatus status) {
        Occurrence& occurrence = *body.occurrence;
        Job& job = *occurrence.job;
        const auto record = scheduler_->log().find(body.execution);
        verdict_.expect(record.has_value() || ledger_.has_cleared, "a running body has no record", job.id);
        const steady_time now = clock_.steady_now();
        if (record && is_finished(record->status)) {
            status = record->status;
            verdict_.expect(status == JobStatus::timeout || status == JobStatus::cancelled, "ended before its end",
                            job.id);
            verdict_.expect(status != JobStatus::timeout || ledger_.poll_time - body.started >= body.timeout,
                            "a timeout before its time", job.id);
            verdict_.expect(body.stop.stop_requested(), "ended before its end, and not asked to stop", job.id);
        } else if (body.timeout.count() != 0 && now - body.started >= body.timeout) {
            status = JobStatus::timeout;
        } else if (status == JobStatus::error && body.stop.stop_requested()) {
            status = JobStatus::cancelled;
        }
        if (record) { endings_.emplace_back(body.execution, status); }
        if (status == JobStatus::success && record) { // a cleared log has kept it if it went on
            if (std::exchange(job.is_stale, false)) {
                witness_.owed_recoveries.emplace(body.execution, job.last_success);
            }
            job.last_success = clock_.now();
            job.watched_since = now;
        }
        note(job.id + " returns from attempt " + std::to_string(occurrence.attempts) + " of " +
             std::to_string(occurrence.id) + ", " + std::string{to_string(status)});
        occurrence.is_running = false;
        occurrence.returned = now;
        job.last_free = now;
        job.last_free_wall = clock_.now();
        --job.running;
        --group_running_[occurrence.plan->group];
        body.has_returned = true;
        for (auto place = bodies_.begin(); place != bodies_.end(); ++place) {
            if (place->get() == &body) {
                retired_.push_back(std::move(*place)); // its callback may be what brought it here
                bodies_.erase(place);
                break;
            }
        }
        if (ledger_.has_stopped && bodies_.empty()) { gate_.open(); } // the scheduler may wait for its thread
    }

    /// When a body returns.
    struct Return {
        steady_time at{};
        std::uint64_t serial = 0;
        std::weak_ptr<Body> body{};
        friend bool operator>(const Return& a, const Return& b) {
            return std::pair{a.at, a.serial} > std::pair{b.at, b.serial};
        }
    };

    std::priority_queue<Return, std::vector<Return>, std::greater<>> returns_;
    std::uint64_t serial_ = 0;
    std::vector<std::shared_ptr<Body>> bodies_, retired_;
    std::vector<std::pair<daybook::ExecutionId, JobStatus>> endings_;
    bool is_amid_ = false; ///< a command is under way that its books are kept for afterwards: bodies stand still
    int depth_ = 0;        ///< bodies that run inside each other
    std::map<std::string, std::size_t> group_running_;
};

} // namespace simulation

#endif
