// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_JOB_COMPLETION_HPP
#define DAYBOOK_JOB_COMPLETION_HPP

/// @file
/// For jobs that finish later: the end of an execution as an object, to be kept until the work is done.

#include <daybook/detail/ref.hpp>
#include <daybook/detail/result_block.hpp>
#include <daybook/fwd.hpp>
#include <daybook/job/job_context.hpp>
#include <daybook/log/scoped_execution.hpp>
#include <daybook/types.hpp>

#include <atomic>
#include <cstddef>
#include <exception>
#include <memory>
#include <string>
#include <utility>

namespace daybook::inline v0 {

namespace detail {

/// An attempt whose body may return before its work is done. Ends the attempt once: as it is told, or as an error when
/// the last reference goes.
class OpenAttempt {
public:
    OpenAttempt(JobContext::Attempt attempt, std::shared_ptr<LogCore> log)
        : max_bytes_{log ? log->options().max_text_bytes : 4096}, context_{std::move(attempt), std::move(log)} {}
    OpenAttempt(const OpenAttempt&) = delete;
    OpenAttempt& operator=(const OpenAttempt&) = delete;
    virtual ~OpenAttempt() = default;

    [[nodiscard]] JobContext& context() noexcept { return context_; }
    [[nodiscard]] std::size_t max_bytes() const noexcept { return max_bytes_; }
    [[nodiscard]] bool is_ended() const noexcept { return is_ended_.load(std::memory_order_acquire); }

    /// @returns Whether this was the first end.
    bool end(JobStatus status, Ref<RefCounted> result, const std::string& error, const std::exception_ptr& exception) {
        if (is_ended_.exchange(true, std::memory_order_acq_rel)) { return false; }
        conclude(status, std::move(result), error, exception);
        return true;
    }

private:
    virtual void conclude(JobStatus status, Ref<RefCounted> result, const std::string& error,
                          const std::exception_ptr& exception) = 0;

    std::atomic<bool> is_ended_{false};
    std::size_t max_bytes_;
    JobContext context_;
};

} // namespace detail

/// What a job that takes `(JobContext&, Completion<Result>)` ends its execution with, at any later time and on any
/// thread. Until then the execution is running: overlap, limits, timeout and `stop` treat it as any other, but it
/// occupies no worker once the body has returned.
///
/// @code
/// scheduler.add("fetch", every(1min), [&](daybook::JobContext& job, daybook::Completion<std::string> done) {
///     client.async_get(url, [done](std::string body) mutable { done.success(std::move(body)); });
/// });
/// @endcode
///
/// Copies end the same execution; the first end counts. When the last copy is destroyed without one, the execution is
/// an error that says so. The scheduler's destructor waits for it: whatever keeps a completion must not outlive the
/// scheduler for ever.
///
/// The body itself is to return soon: the worker of one that does not is never replaced, whatever its timeout. One that
/// was moved from ends nothing; `context` needs one that was not.
///
/// @par Thread safety
/// Distinct objects: safe, copies included. Shared objects: safe, every member but assignment.
template <class Result>
class Completion {
public:
    explicit Completion(std::shared_ptr<detail::OpenAttempt> attempt) noexcept : attempt_{std::move(attempt)} {}

    /// The execution succeeded. @returns Whether it had not ended before.
    bool success() { return attempt_ && attempt_->end(JobStatus::success, {}, {}, nullptr); }

    /// @copydoc success
    /// @throws  What moving the result throws, and std::bad_alloc; the execution goes on then.
    bool success(Result result) {
        if (!attempt_) { return false; }
        return attempt_->end(JobStatus::success,
                             detail::make_result_block<Result>(std::move(result), attempt_->max_bytes()), {}, nullptr);
    }

    /// The execution failed; it is retried if the job's policy says so. @returns Whether it had not ended before.
    bool error(const std::string& why) { return attempt_ && attempt_->end(JobStatus::error, {}, why, nullptr); }

    /// The same with an exception, whose text is recorded.
    bool error(const std::exception_ptr& exception) {
        return attempt_ && attempt_->end(JobStatus::error, {}, describe_exception(exception), exception);
    }

    /// What the body was given; valid as long as a copy of the completion is.
    [[nodiscard]] JobContext& context() const noexcept { return attempt_->context(); }

    /// Whether the execution has been ended by a copy of this.
    [[nodiscard]] bool has_ended() const noexcept { return attempt_ && attempt_->is_ended(); }

private:
    std::shared_ptr<detail::OpenAttempt> attempt_;
};

} // namespace daybook::inline v0

#endif
