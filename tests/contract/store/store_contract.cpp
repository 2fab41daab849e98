// SPDX-License-Identifier: MIT
#include "contract/store/store_contract.hpp"
#include "contract/store/fleet_contract.hpp"

#include <daybook/policy/delivery.hpp>
#include <daybook/policy/misfire.hpp>
#include <daybook/policy/overlap.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <type_traits>

using namespace daybook;

namespace store_contract {

namespace {

/// Texts as they are, where one can see where they end.
class Words {
public:
    template <class Value>
    Words& operator()(const char* name, const Value& value) {
        text_ += std::string{" "} + name + '=' + word(value);
        return *this;
    }
    [[nodiscard]] std::string take() { return std::move(text_); }

private:
    template <class Value>
    static std::string word(const std::optional<Value>& value) {
        return value ? word(*value) : "-";
    }
    static std::string word(const std::string& text) {
        if (text.size() < 200) { return '[' + text + ']'; }
        return '[' + std::to_string(text.size()) + " bytes, " + std::to_string(std::hash<std::string>{}(text)) + ']';
    }
    static std::string word(double number) {
        std::array<char, 40> digits{};
        std::snprintf(digits.data(), digits.size(), "%.17g", number);
        return digits.data();
    }
    template <class Rep, class Period>
    static std::string word(std::chrono::duration<Rep, Period> time) {
        return std::to_string(time.count());
    }
    static std::string word(sys_time time) { return std::to_string(time.time_since_epoch().count()); }
    static std::string word(const Progress& progress) {
        return word(progress.done) + '/' + word(progress.total) + '/' + word(progress.failed);
    }
    static std::string word(const ExponentialBackoff& retry) {
        return word(retry.max_attempts) + '/' + word(retry.first_delay) + '/' + word(retry.factor) + '/' +
               word(retry.max_delay) + '/' + word(retry.jitter);
    }
    static std::string word(const StoredDistribution& some) {
        return word(some.count) + '/' + word(some.sum) + '/' + word(some.min) + '/' + word(some.max) + '/' +
               word(some.buckets);
    }
    template <class Number>
    requires(std::is_integral_v<Number> || std::is_enum_v<Number>) static std::string word(Number number) {
        if constexpr (std::is_enum_v<Number>) {
            return std::to_string(static_cast<int>(number));
        } else {
            return std::to_string(number);
        }
    }

    std::string text_;
};

} // namespace

std::string text_of(const StoredExecution& one) {
    Words words;
    words("id", one.id)("occurrence", one.occurrence_id)("job", one.job_id)("handler", one.handler_id);
    words("method", one.method_name)("scheduled", one.scheduled_at)("queued", one.queued_at);
    words("started", one.started_at)("completed", one.completed_at)("duration", one.duration);
    words("status", one.status)("error", one.error)("result", one.result)("attempt", one.attempt_number);
    words("final", one.is_final)("trigger", one.trigger)("records", one.records_processed);
    words("progress", one.progress)("worker", one.worker)("node", one.node)("reason", one.reason);
    words("skips", one.skip_count)("minimum", one.skip_count_is_minimum)("dst", one.dst)("log", one.log_text);
    words("parameters", one.parameters)("position", one.position);
    for (const auto& [key, value] : one.metadata) { words("key", key)("value", value); }
    return words.take();
}

std::string text_of(const std::vector<StoredExecution>& executions) {
    std::string all;
    for (const StoredExecution& one : executions) { all += text_of(one) + '\n'; }
    return all;
}

std::string text_of(const StoredJob& job) {
    Words words;
    words("id", job.id)("handler", job.handler_id)("method", job.method_name)("schedule", job.schedule);
    words("parameters", job.parameters)("group", job.group)("retry", job.retry)("timeout", job.timeout);
    words("overlap", job.overlap)("misfire", job.misfire)("delivery", job.delivery)("grace", job.misfire_grace);
    words("catch_up", job.max_catch_up)("priority", job.priority)("stale", job.stale_after);
    words("data", job.is_from_data)("paused", job.is_paused)("left", job.left)("accounted", job.accounted_to);
    words("created", job.created_at)("updated", job.updated_at);
    return words.take();
}

std::string text_of(const StoredCounters& row) {
    Words words;
    words("node", row.node)("scope", row.scope)("name", row.name)("period", row.period)("success", row.success);
    words("error", row.error)("timeout", row.timeout)("abandoned", row.abandoned)("cancelled", row.cancelled);
    words("skipped", row.skipped)("retries", row.retries)("total", row.requests_total);
    words("completed", row.requests_completed)("failed", row.requests_failed)("duration", row.duration);
    words("drift", row.drift)("queue", row.queue_delay);
    return words.take();
}

std::string text_of(const Claim& claim) {
    Words words;
    words("id", claim.id)("kind", claim.kind)("job", claim.job_id)("handler", claim.handler_id);
    words("method", claim.method_name)("scheduled", claim.scheduled_at)("trigger", claim.trigger)("dst", claim.dst);
    words("parameters", claim.parameters)("group", claim.group)("waiting", claim.is_waiting);
    words("reason", claim.reason)("skips", claim.skip_count)("minimum", claim.skip_count_is_minimum);
    words("claimed", claim.claimed_at);
    return words.take();
}

std::vector<std::string> ids_of(const LockedJobs& locked) {
    std::vector<std::string> ids;
    for (const JobStanding& standing : locked.jobs) { ids.push_back(standing.job_id); }
    return ids;
}

std::vector<std::string> texts_of(std::vector<StoredCounters> rows) {
    std::vector<std::string> texts;
    for (const StoredCounters& row : rows) { texts.push_back(text_of(row)); }
    std::sort(texts.begin(), texts.end());
    return texts;
}

sys_time at(std::int64_t microseconds) { return sys_time{std::chrono::microseconds{microseconds}}; }

StoredExecution execution(ExecutionId id, std::int64_t position, JobStatus status) {
    StoredExecution one;
    one.id = one.occurrence_id = id;
    one.job_id = one.handler_id = "job";
    one.status = status;
    one.position = position;
    if (status == JobStatus::queued) {
        one.queued_at = at(position);
    } else if (status != JobStatus::skipped) {
        one.started_at = at(position);
    }
    if (is_finished(status)) {
        one.completed_at = at(position + 7);
        one.is_final = true;
        if (one.started_at) { one.duration = std::chrono::nanoseconds{7'123}; }
    }
    if (status == JobStatus::skipped) {
        one.reason = SkipReason::overlap;
        one.skip_count = 1;
    }
    return one;
}

StoredExecution any_execution(std::mt19937& random, ExecutionId id, std::int64_t position) {
    const auto below = [&](std::uint32_t bound) { return static_cast<std::uint32_t>(random() % bound); };
    StoredExecution one = execution(id, position, static_cast<JobStatus>(below(8)));
    one.occurrence_id = id - below(3);
    one.job_id = "job " + std::to_string(below(3));
    one.handler_id = below(2) == 0 ? one.job_id : "handler " + std::to_string(below(2));
    one.method_name = below(3) == 0 ? "" : "m" + std::to_string(below(2));
    one.attempt_number = 1 + below(3);
    if (is_failure(one.status)) { one.is_final = below(2) == 0; }
    if (below(3) != 0) { one.scheduled_at = at(position - 2 + below(5)); }
    if (one.duration) { one.duration = std::chrono::nanoseconds{below(6) * 1000}; }
    constexpr const char* words[] = {"", "100% out_of Rows", "C:\\temp", "\xC3\x84rger", "it's", "Timed OUT"};
    if (is_failure(one.status) && below(4) != 0) { one.error = words[below(6)]; }
    constexpr const char* results[] = {R"("100% rows")", R"("a \"quoted\" word")", "42", "null",
                                       R"(["Rows"])",    R"("line\nbreak out")"};
    if (one.status == JobStatus::success && below(4) != 0) { one.result = results[below(6)]; }
    constexpr const char* keys[] = {"model", "batch", ""};
    for (std::uint32_t i = below(4); i > 0; --i) {
        one.metadata.emplace_back(keys[below(3)], below(3) == 0 ? "" : "job " + std::to_string(below(3)));
    }
    return one;
}

StatusSet every_status() {
    return {JobStatus::queued,  JobStatus::running,   JobStatus::success,   JobStatus::error,
            JobStatus::timeout, JobStatus::cancelled, JobStatus::abandoned, JobStatus::skipped};
}

} // namespace store_contract
