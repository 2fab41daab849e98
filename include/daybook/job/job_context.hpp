// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_JOB_JOB_CONTEXT_HPP
#define DAYBOOK_JOB_JOB_CONTEXT_HPP

/// @file
/// What a job may ask, and say, while it runs.

#include <daybook/detail/log_core.hpp>
#include <daybook/fwd.hpp>
#include <daybook/log/execution.hpp>
#include <daybook/types.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

namespace daybook::inline v0 {

/// One attempt as its body sees it. Lives as long as the body runs.
///
/// @par Thread safety
/// Shared objects: safe, every member; a body may give it to threads of its own that it waits for. What is said after
/// the execution was recorded as ended (a timeout, a cancellation) has no effect.
class JobContext {
public:
    /// Everything a body is told; made by the scheduler, or by a test that calls a body directly.
    struct Attempt {
        std::string_view job_id = {};
        std::string_view parameters = {};
        std::uint32_t attempt_number = 1;
        std::optional<sys_time> scheduled_at = {};
        std::optional<steady_time> deadline = {};
        std::stop_token stop = {};
        Execution execution = {};
    };

    /// A context outside any scheduler: what the body says is not kept anywhere.
    explicit JobContext(Attempt attempt) : JobContext{std::move(attempt), nullptr} {}
    JobContext(Attempt attempt, std::shared_ptr<detail::LogCore> log)
        : attempt_{std::move(attempt)}, log_{std::move(log)} {}
    JobContext(const JobContext&) = delete;
    JobContext& operator=(const JobContext&) = delete;

    [[nodiscard]] std::string_view job_id() const noexcept { return attempt_.job_id; }
    [[nodiscard]] std::string_view parameters() const noexcept { return attempt_.parameters; }
    [[nodiscard]] ExecutionId execution_id() const noexcept { return attempt_.execution.id; }
    /// 1 for the first try.
    [[nodiscard]] std::uint32_t attempt_number() const noexcept { return attempt_.attempt_number; }
    /// The nominal time; empty when the job was triggered by hand.
    [[nodiscard]] std::optional<sys_time> scheduled_at() const noexcept { return attempt_.scheduled_at; }
    /// When the attempt will be recorded as a timeout, on the scheduler's steady clock; empty without a timeout.
    [[nodiscard]] std::optional<steady_time> deadline() const noexcept { return attempt_.deadline; }

    /// Set when the attempt has timed out, was cancelled, or the scheduler stops and its grace is over.
    [[nodiscard]] const std::stop_token& stop_token() const noexcept { return attempt_.stop; }
    [[nodiscard]] bool stop_requested() const noexcept { return attempt_.stop.stop_requested(); }

    /// Says how many records the job has processed so far, instead of what it said before.
    void records_processed(std::uint64_t records) {
        change([&](detail::ExecutionSlot& slot) { slot.count = records; });
    }

    /// Says how far the job has come, in whatever unit it counts.
    /// @param total  0: not known.
    void progress(std::uint64_t done, std::uint64_t total = 0, std::uint64_t failed = 0) {
        change_extras([&](detail::ExecutionExtras& extras) {
            extras.progress = Progress{.done = done, .total = total, .failed = failed};
        });
    }

    /// Adds a line to the text that is kept with the record. What exceeds `max_text_bytes` in all is cut, with a mark.
    void log(std::string_view line) {
        change_extras([&](detail::ExecutionExtras& extras) {
            const std::size_t limit = log_->options().max_text_bytes;
            if (extras.log_is_cut) { return; }
            // A line that fills the text to the last byte has no line break; it gets one when another follows.
            if (!extras.log_text.empty() && extras.log_text.back() != '\n') { extras.log_text += '\n'; }
            const std::size_t total = extras.log_text.size() + line.size();
            if (total > limit) {
                extras.log_is_cut = true;
                extras.log_text.append(line.substr(0, limit)); // under the log's lock: no more than may be kept
                extras.log_text = detail::limited_copy(extras.log_text, limit, total);
                return;
            }
            extras.log_text += line;
            if (total < limit) { extras.log_text += '\n'; }
        });
    }

    /// Keeps a value with the record under a name, instead of an earlier one; at most 32 names of at most 255 bytes,
    /// values cut at `max_text_bytes` / 4.
    /// @returns Whether it was kept.
    bool metadata(std::string_view key, std::string_view value) {
        bool kept = false;
        change_extras([&](detail::ExecutionExtras& extras) {
            constexpr std::size_t max_names = 32;
            constexpr std::size_t max_name_bytes = 255;
            if (key.size() > max_name_bytes) { return; }
            std::string text = detail::limited_copy(value, log_->options().max_text_bytes / 4, value.size());
            for (auto& [name, old] : extras.metadata) {
                if (name == key) {
                    old = std::move(text);
                    kept = true;
                    return;
                }
            }
            if (extras.metadata.size() == max_names) { return; }
            extras.metadata.emplace_back(std::string{key}, std::move(text));
            kept = true;
        });
        return kept;
    }

private:
    template <class Change>
    void change(Change&& apply) {
        if (log_) { log_->update(attempt_.execution, std::forward<Change>(apply)); }
    }

    template <class Change>
    void change_extras(Change&& apply) {
        change([&](detail::ExecutionSlot& slot) {
            if (!slot.extras) { slot.extras = std::make_unique<detail::ExecutionExtras>(); }
            apply(*slot.extras);
        });
    }

    Attempt attempt_;
    std::shared_ptr<detail::LogCore> log_;
};

} // namespace daybook::inline v0

#endif
