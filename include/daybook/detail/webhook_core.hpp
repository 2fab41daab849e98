// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_WEBHOOK_CORE_HPP
#define DAYBOOK_DETAIL_WEBHOOK_CORE_HPP

/// @file
/// The queue of webhooks, and what its thread does.

#include <daybook/detail/hex.hpp>
#include <daybook/detail/saturate.hpp>
#include <daybook/detail/webhook_words.hpp>
#include <daybook/http/http_send.hpp>
#include <daybook/http/webhook_options.hpp>
#include <daybook/scheduler_hooks.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <mutex>
#include <new>
#include <optional>
#include <random>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace daybook::inline v0::detail {

/// What hooks and the thread share. Lives as long as one of them.
///
/// Everything that waits stands in `queue_` by its number, which grows, and in `due_` by when it is due. Sending, user
/// code and the writing of bodies happen under no lock, on the thread that `run` is called on.
class WebhookCore {
public:
    explicit WebhookCore(http::WebhookOptions options) : options_{std::move(options)} {
        std::random_device entropy;
        for (int digit = 0; digit < 32; ++digit) { prefix_ += hex_digits[entropy() & 0xFU]; }
    }

    [[nodiscard]] const http::WebhookOptions& options() const noexcept { return options_; }

    void set_target(std::string job_id, std::string url) {
        const std::scoped_lock lock{mutex_};
        targets_.insert_or_assign(std::move(job_id), std::move(url));
    }
    [[nodiscard]] bool remove_target(std::string_view job_id) {
        const std::scoped_lock lock{mutex_};
        const auto found = targets_.find(job_id);
        if (found == targets_.end()) { return false; }
        targets_.erase(found);
        return true;
    }
    [[nodiscard]] bool has_target(std::string_view job_id) const {
        const std::scoped_lock lock{mutex_};
        return !options_.url.empty() || targets_.contains(job_id);
    }

    /// Queues it, if anybody wants to know. Logarithmic in what waits.
    void push(http::WebhookEvent event, const JobEvent& job, std::string_view status) noexcept {
        try {
            WebhookDelivery delivery{.event = event, .job = job, .status = status};
            const auto now = options_.clock.read();
            delivery.at = now.wall;
            delivery.begin = now.steady;
            Queue::node_type dropped; // its texts are freed after the lock is gone
            const std::scoped_lock lock{mutex_};
            const auto target = targets_.find(std::string_view{job.job_id});
            delivery.is_job_target = target != targets_.end();
            delivery.url = delivery.is_job_target ? target->second : options_.url;
            if (delivery.url.empty()) { return; }
            if (is_closed_ || (queue_.size() >= options_.capacity && !make_room(dropped))) {
                ++stats_.dropped;
                ++untold_drops_;
            } else {
                const auto due = delivery.begin;
                insert(++last_number_, due, std::move(delivery));
            }
            changed_.notify_all();
        } catch (...) {
            const std::scoped_lock lock{mutex_};
            ++stats_.dropped;
            ++untold_drops_;
        }
    }

    [[nodiscard]] http::WebhookStats stats() const {
        const std::scoped_lock lock{mutex_};
        auto copy = stats_;
        copy.queued = queue_.size() + (is_busy_ ? 1U : 0U);
        return copy;
    }

    /// Sends what is due until `end`.
    void run() noexcept {
        std::unique_lock lock{mutex_};
        thread_ = std::this_thread::get_id();
        while (!is_ending_) {
            if (untold_drops_ != 0) {
                tell_drops(lock);
                continue;
            }
            if (due_.empty()) {
                changed_.wait(lock);
                continue;
            }
            const auto moves = clock_moves_;
            lock.unlock(); // the clock may be the program's
            const auto now = options_.clock.steady_now();
            lock.lock();
            if (is_ending_ || untold_drops_ != 0 || due_.empty() || moves != clock_moves_) { continue; }
            if (due_.begin()->first <= now) {
                step(lock);
            } else {
                wait(lock, now);
            }
        }
        thread_ = {};
    }

    /// Waits until nothing is left to send, in real time. @returns Whether nothing is.
    [[nodiscard]] bool wait_until_idle(std::chrono::nanoseconds patience) {
        using std::chrono::nanoseconds;
        std::unique_lock lock{mutex_};
        const auto has_finished = [&] { return queue_.empty() && !is_busy_ && !is_telling_ && untold_drops_ == 0; };
        if (thread_ != std::this_thread::get_id()) {
            const auto until =
                saturating_add(std::chrono::time_point_cast<nanoseconds>(std::chrono::steady_clock::now()),
                               std::clamp(patience, nanoseconds::zero(), nanoseconds{longest_wait}));
            changed_.wait_until(lock, until, [&] { return has_finished() || is_ending_; });
        }
        return queue_.empty() && !is_busy_;
    }

    /// Takes nothing more.
    void close() noexcept {
        const std::scoped_lock lock{mutex_};
        is_closed_ = true;
    }

    /// Lets the thread end, and what it is sending.
    void end() noexcept {
        {
            const std::scoped_lock lock{mutex_};
            is_closed_ = is_ending_ = true;
        }
        changed_.notify_all();
        stop_.request_stop();
    }

    [[nodiscard]] bool is_own_thread() const noexcept {
        const std::scoped_lock lock{mutex_};
        return thread_ == std::this_thread::get_id();
    }

    /// Empties the queue.
    [[nodiscard]] http::WebhookStopReport take_undelivered() {
        Queue left;
        {
            const std::scoped_lock lock{mutex_};
            left.swap(queue_);
            due_.clear();
            stats_.dropped += left.size();
        }
        http::WebhookStopReport report;
        report.undelivered.reserve(left.size());
        for (auto& [number, entry] : left) {
            auto& from = entry.delivery;
            report.undelivered.push_back({.delivery_id = id_of(number),
                                          .event = from.event,
                                          .job_id = std::move(from.job.job_id),
                                          .url = std::move(from.url),
                                          .attempts = from.attempts,
                                          .last_error = std::move(from.last_error)});
        }
        return report;
    }

    /// Another thread moved the clock.
    void on_clock_change() noexcept {
        const std::scoped_lock lock{mutex_};
        ++clock_moves_; // else one between the thread's look and its sleep would be missed
        changed_.notify_all();
    }

private:
    struct Entry {
        steady_time due = {};
        WebhookDelivery delivery = {};
    };
    using Queue = std::map<std::uint64_t, Entry>;
    using Lock = std::unique_lock<std::mutex>;
    static constexpr std::chrono::hours longest_wait{24 * 365};

    [[nodiscard]] std::string id_of(std::uint64_t number) const { return prefix_ + "-" + std::to_string(number); }

    /// Needs the lock. @returns Whether there is room now.
    [[nodiscard]] bool make_room(Queue::node_type& dropped) noexcept {
        if (options_.overflow == http::WebhookOverflow::drop_newest) { return false; }
        dropped = queue_.extract(queue_.begin());
        due_.erase({dropped.mapped().due, dropped.key()});
        ++stats_.dropped;
        ++untold_drops_;
        return true;
    }

    /// Needs the lock. @throws std::bad_alloc  Nothing has changed but that the delivery is gone.
    void insert(std::uint64_t number, steady_time due, WebhookDelivery delivery) {
        const auto place = due_.emplace(due, number).first;
        try {
            queue_.emplace_hint(queue_.end(), number, Entry{due, std::move(delivery)});
        } catch (...) {
            due_.erase(place);
            throw;
        }
    }

    /// For what is due first.
    void wait(Lock& lock, steady_time now) {
        if (options_.clock.is_driven()) { // moving that clock wakes this
            changed_.wait(lock);
            return;
        }
        const auto left = saturating_difference(due_.begin()->first, now);
        changed_.wait_for(lock, std::min(left, std::chrono::nanoseconds{longest_wait}));
    }

    /// Attempts the delivery that is due first.
    void step(Lock& lock) noexcept {
        const auto number = due_.begin()->second;
        due_.erase(due_.begin());
        auto node = queue_.extract(number);
        is_busy_ = true;
        if (node.mapped().delivery.attempts != 0) { ++stats_.retried; }
        lock.unlock();
        steady_time due{};
        std::string said;
        Attempt end = Attempt::failed;
        try {
            end = attempt(number, node.mapped().delivery, due);
            if (end == Attempt::failed) { said = describe_end(number, node.mapped().delivery); }
        } catch (...) { // no memory: as if it had been given up
        }
        lock.lock();
        bool is_kept = end == Attempt::interrupted || end == Attempt::again;
        if (is_kept) {
            try {
                node.mapped().due = due;
                due_.emplace(due, number);
                queue_.insert(std::move(node));
            } catch (const std::bad_alloc&) { is_kept = false; }
        }
        if (!is_kept) { ++(end == Attempt::delivered ? stats_.sent : stats_.failed); }
        is_busy_ = false;
        if (!said.empty()) { tell(lock, said); }
        changed_.notify_all();
    }

    enum class Attempt : std::uint8_t { delivered, failed, again, interrupted };

    /// Under no lock.
    /// @param due  When there is to be another attempt.
    [[nodiscard]] Attempt attempt(std::uint64_t number, WebhookDelivery& delivery, steady_time& due) {
        const auto until = saturating_add(delivery.begin, options_.delivery_timeout);
        const auto left = until - options_.clock.steady_now();
        if (left <= left.zero()) {
            if (delivery.last_error.empty()) { delivery.last_error = "too much time has passed since the event"; }
            return Attempt::failed;
        }
        http::HttpReply reply;
        try {
            if (delivery.is_job_target && !may_ask(delivery.url)) {
                delivery.last_error = "the address is not allowed any more";
                return Attempt::failed;
            }
            reply = options_.send(call_for(number, delivery, left));
        } catch (const std::exception& error) { reply.error = error.what(); } catch (...) {
            reply.error = "something was thrown that is no std::exception";
        }
        if (reply.outcome == http::HttpOutcome::stopped && stop_.stop_requested()) { return Attempt::interrupted; }
        ++delivery.attempts;
        if (reply.outcome == http::HttpOutcome::answered && reply.status >= 200 && reply.status < 300) {
            return Attempt::delivered;
        }
        delivery.last_error = describe_failure(reply);
        if (!is_worth_retrying(reply)) { return Attempt::failed; }
        const auto end = options_.clock.steady_now();
        const auto delay = delay_after(delivery, reply);
        if (!delay) { return Attempt::failed; }
        due = saturating_add(end, *delay);
        return due < until ? Attempt::again : Attempt::failed;
    }

    [[nodiscard]] std::optional<std::chrono::nanoseconds> delay_after(const WebhookDelivery& delivery,
                                                                      const http::HttpReply& reply) {
        const Failure failure{.status = JobStatus::error,
                              .error = delivery.last_error,
                              .exception = {},
                              .attempt_number = delivery.attempts};
        std::optional<std::chrono::nanoseconds> delay;
        try {
            delay = options_.retry.delay_after(failure, random_());
        } catch (...) { return std::nullopt; }
        if (delay) {
            delay =
                std::max({*delay, std::chrono::nanoseconds::zero(),
                          retry_after(reply.header("Retry-After"), options_.clock.now(), options_.max_retry_after)});
        }
        return delay;
    }

    [[nodiscard]] http::HttpCall call_for(std::uint64_t number, WebhookDelivery& delivery,
                                          std::chrono::nanoseconds left) {
        if (delivery.body.empty()) {
            delivery.id = id_of(number);
            delivery.body = webhook_body(delivery, shown_error(delivery.job));
        }
        const auto now = options_.clock.now();
        const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
        http::HttpCall call{.method = "POST",
                            .url = delivery.url,
                            .headers = options_.headers,
                            .body = delivery.body,
                            .timeout = std::min(options_.request_timeout, left),
                            .max_response_bytes = 4096,
                            .stop = stop_.get_token()};
        call.headers.push_back({"Content-Type", "application/json"});
        call.headers.push_back({"Daybook-Event", std::string{to_string(delivery.event)}});
        call.headers.push_back({"Daybook-Delivery", delivery.id});
        call.headers.push_back({"Daybook-Timestamp", std::to_string(seconds)});
        if (options_.sign) {
            call.headers.push_back(
                {"Daybook-Signature", http::signature_header(seconds, options_.sign, delivery.body)});
        }
        return call;
    }

    [[nodiscard]] bool may_ask(const std::string& url) const {
        return options_.allow_url && options_.allow_url(http::parse_http_url(url));
    }

    [[nodiscard]] std::optional<std::string> shown_error(const JobEvent& job) const {
        if (job.error.empty()) { return std::nullopt; }
        if (!options_.redact) { return job.error; }
        try {
            return options_.redact({http::RedactedField::error, job.job_id, job.handler_id, {}, job.error});
        } catch (...) { return std::nullopt; }
    }

    [[nodiscard]] std::string describe_end(std::uint64_t number, const WebhookDelivery& delivery) const {
        return "the webhook " + id_of(number) + " (" + std::string{to_string(delivery.event)} + " of the job " +
               delivery.job.job_id + ") was given up after " + std::to_string(delivery.attempts) + " attempts at " +
               http::parse_http_url(delivery.url).origin() + ": " + delivery.last_error;
    }

    void tell_drops(Lock& lock) noexcept {
        const auto drops = std::exchange(untold_drops_, 0);
        std::string text;
        try {
            text = std::to_string(drops) + " webhooks were dropped: the queue of " + std::to_string(options_.capacity) +
                   " is full, or memory is";
        } catch (...) { return; }
        tell(lock, text);
        changed_.notify_all();
    }

    void tell(Lock& lock, const std::string& text) noexcept {
        if (!options_.on_diagnostic) { return; }
        is_telling_ = true;
        lock.unlock();
        try {
            options_.on_diagnostic(text);
        } catch (...) { // NOLINT(bugprone-empty-catch): there is nobody left to tell
        }
        lock.lock();
        is_telling_ = false;
    }

    const http::WebhookOptions options_;
    std::string prefix_; ///< of delivery ids: 128 random bits
    std::mt19937_64 random_{std::random_device{}()};
    std::stop_source stop_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, std::string, std::less<>> targets_; // guarded by mutex_; URLs by job
    Queue queue_;                                             // guarded by mutex_
    std::set<std::pair<steady_time, std::uint64_t>> due_;     // guarded by mutex_; everything in queue_
    std::uint64_t last_number_ = 0;                           // guarded by mutex_
    std::uint64_t untold_drops_ = 0;                          // guarded by mutex_
    std::uint64_t clock_moves_ = 0;                           // guarded by mutex_; of a driven clock
    http::WebhookStats stats_;                                // guarded by mutex_; queued is not kept
    std::thread::id thread_;                                  // guarded by mutex_; that runs `run`
    bool is_busy_ = false;                                    // guarded by mutex_; one is under way
    bool is_telling_ = false;                                 // guarded by mutex_; the diagnostic callback runs
    bool is_closed_ = false;                                  // guarded by mutex_
    bool is_ending_ = false;                                  // guarded by mutex_
};

} // namespace daybook::inline v0::detail

#endif
