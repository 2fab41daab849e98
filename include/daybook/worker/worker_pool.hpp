// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_WORKER_WORKER_POOL_HPP
#define DAYBOOK_WORKER_WORKER_POOL_HPP

/// @file
/// The library's own threads for running jobs.

#include <daybook/detail/thread.hpp>
#include <daybook/worker/executor.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace daybook::inline v0 {

/// How a `WorkerPool` is set up.
struct WorkerPoolOptions {
    /// Threads started at once, 1 to 4096.
    std::size_t threads = 4;
    /// Each thread is called this, a dash and its number from 0; cut so that the whole has at most 15 bytes.
    std::string name = "daybook";
    /// Called first on every thread of the pool; empty: nothing. What it throws is dropped.
    std::function<void()> on_thread_start = {};
    /// Called on the worker with what a task threw; empty: it is dropped. What the hook itself throws is dropped.
    std::function<void(std::exception_ptr)> on_exception = {};
};

/// A fixed number of threads that run tasks in the order of their arrival. The threads block all signals but those that
/// report their own faults.
///
/// A post costs one lock, and one wake-up if a thread sleeps; the thread that went to sleep last is woken first.
/// The queue has no limit of its own: whoever posts bounds it.
///
/// @par Thread safety
/// Shared objects: safe, every member but the destructor. No task and no hook runs under a lock.
class WorkerPool {
public:
    /// The most threads of one pool.
    static constexpr std::size_t max_threads = 4096;

    /// @throws std::invalid_argument  `options.threads` is out of range.
    /// @throws std::system_error  The system has not that many threads; those that had been started have ended.
    explicit WorkerPool(WorkerPoolOptions options = {}) : options_{std::move(options)} {
        if (options_.threads < 1 || options_.threads > max_threads) {
            throw std::invalid_argument{"WorkerPoolOptions::threads must be from 1 to " + std::to_string(max_threads) +
                                        ", is " + std::to_string(options_.threads)};
        }
        try {
            const std::scoped_lock lock{mutex_};
            for (std::size_t i = 0; i < options_.threads; ++i) { start_worker(lock); }
        } catch (...) {
            stop();
            throw;
        }
    }

    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    /// Stops: runs what is queued, waits for every thread. Must not run on a thread of this pool, which cannot wait for
    /// itself: that ends the process (std::terminate).
    ~WorkerPool() {
        request_stop();
        join();
    }

    /// Hands a task over.
    /// @return  Whether it was accepted; false after `stop` or `request_stop`, and the task is destroyed without being
    ///          called.
    /// @throws std::bad_alloc  The task is destroyed, nothing else changes.
    [[nodiscard]] bool post(Task task) {
        Worker* sleeper = nullptr;
        {
            const std::scoped_lock lock{mutex_};
            if (stopping_) { return false; }
            queue_.push_back(std::move(task));
            if (!idle_.empty()) {
                sleeper = idle_.back();
                idle_.pop_back();
            }
        }
        if (sleeper != nullptr) { sleeper->wake.release(); }
        return true;
    }

    /// Accepts no more tasks; what is queued still runs. Does not wait.
    void request_stop() noexcept {
        const std::scoped_lock lock{mutex_};
        stopping_ = true;
        for (auto* sleeper : idle_) { sleeper->wake.release(); }
        idle_.clear();
    }

    /// Accepts no more tasks, runs what is queued, and waits until every thread has ended. Called from a task of this
    /// pool it is `request_stop`: the destructor, or a call from elsewhere, waits then. May be called again.
    void stop() noexcept {
        request_stop();
        if (!is_own_thread()) { join(); }
    }

    /// Starts `count` more threads, for instance in the place of some that are stuck in a task.
    /// @return  Whether they were started: false after `stop` or `request_stop`, or beyond 4096 threads altogether.
    /// @throws std::system_error  The system has no thread left; those started before it said so stay.
    bool grow(std::size_t count = 1) {
        const std::scoped_lock lock{mutex_};
        if (stopping_ || count > max_threads - workers_.size()) { return false; }
        for (std::size_t i = 0; i < count; ++i) { start_worker(lock); }
        return true;
    }

    /// Tasks that wait for a thread, those that run not included.
    [[nodiscard]] std::size_t queued() const {
        const std::scoped_lock lock{mutex_};
        return queue_.size();
    }

    /// Threads started so far, whether or not they have been stopped.
    [[nodiscard]] std::size_t threads() const {
        const std::scoped_lock lock{mutex_};
        return workers_.size();
    }

    /// Whether the calling thread is one of this pool.
    [[nodiscard]] bool is_own_thread() const noexcept { return current().pool == this; }

    /// The number, from 0, of the calling thread in the pool that it belongs to; empty on any other thread.
    [[nodiscard]] static std::optional<std::uint32_t> current_worker() noexcept {
        if (current().pool == nullptr) { return std::nullopt; }
        return current().index;
    }

private:
    struct Worker {
        std::binary_semaphore wake{0}; // released by whoever takes the worker from idle_, so at most once at a time
        detail::NamedThread thread;
    };

    struct Current {
        const WorkerPool* pool = nullptr;
        std::uint32_t index = 0;
    };

    static Current& current() noexcept {
        static thread_local Current mine;
        return mine;
    }

    void start_worker(const std::scoped_lock<std::mutex>& /* the caller holds mutex_ */) {
        const auto index = static_cast<std::uint32_t>(workers_.size());
        const auto number = "-" + std::to_string(index);
        const auto name = options_.name.substr(0, 15 - number.size()) + number;
        idle_.reserve(workers_.size() + 1); // so that going to sleep cannot fail
        workers_.push_back(std::make_unique<Worker>());
        auto& worker = *workers_.back();
        try {
            worker.thread = detail::NamedThread{name,
                                                [this, index] {
                                                    current() = {this, index};
                                                    if (options_.on_thread_start) { options_.on_thread_start(); }
                                                },
                                                [this, &worker] { work(worker); }};
        } catch (...) {
            workers_.pop_back();
            throw;
        }
    }

    void work(Worker& self) noexcept {
        std::unique_lock lock{mutex_};
        for (;;) {
            if (!queue_.empty()) {
                Task task = std::move(queue_.front());
                queue_.pop_front();
                lock.unlock();
                run(std::move(task));
                lock.lock();
            } else if (stopping_) {
                return;
            } else {
                idle_.push_back(&self);
                lock.unlock();
                self.wake.acquire();
                lock.lock();
            }
        }
    }

    void run(Task task) const noexcept {
        try {
            task();
        } catch (...) {
            if (!options_.on_exception) { return; }
            try {
                options_.on_exception(std::current_exception());
            } catch (...) { // NOLINT(bugprone-empty-catch): there is nobody left to tell
            }
        }
    }

    // Once stopping_ is set workers_ does not change any more, so only the handles need a lock here: two threads may
    // stop at a time, and must not join one thread twice.
    void join() noexcept {
        const std::scoped_lock lock{join_mutex_};
        for (auto& worker : workers_) { worker->thread.join(); }
    }

    const WorkerPoolOptions options_;
    mutable std::mutex mutex_;
    bool stopping_ = false;                        // guarded by mutex_
    std::deque<Task> queue_;                       // guarded by mutex_
    std::vector<Worker*> idle_;                    // guarded by mutex_
    std::vector<std::unique_ptr<Worker>> workers_; // guarded by mutex_, and constant once stopping_ is set
    std::mutex join_mutex_;
};

} // namespace daybook::inline v0

#endif
