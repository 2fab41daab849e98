// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_WORKER_WORKER_POOL_HPP
#define DAYBOOK_WORKER_WORKER_POOL_HPP

/// @file
/// The library's own threads for running jobs.

#include <daybook/detail/thread.hpp>
#include <daybook/detail/worker_watch.hpp>
#include <daybook/worker/executor.hpp>

#include <algorithm>
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

namespace detail {
class SchedulerCore;
}

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

/// Threads that run tasks in the order of their arrival: as many as the options say, until `grow` adds some and
/// `retire` lets some go. They block all signals but those that report their own faults.
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
    explicit WorkerPool(WorkerPoolOptions options = {}) : WorkerPool{std::move(options), nullptr} {}

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
        Woken woken;
        {
            const Lock lock{mutex_};
            if (stopping_) { return false; }
            queue_.push_back(std::move(task));
            woken = take_idle(1, lock);
        }
        wake(woken);
        return true;
    }

    /// Hands over `count` copies of a task under one lock; as many sleeping threads are woken as have something to do.
    /// @return  Whether they were accepted; false after `stop` or `request_stop`.
    /// @throws std::bad_alloc  Nothing has changed.
    template <class Callable>
    [[nodiscard]] bool post_copies(std::size_t count, const Callable& task) {
        Woken woken;
        {
            const Lock lock{mutex_};
            if (!append(count, task, lock)) { return false; }
            woken = take_idle(count, lock);
        }
        wake(woken);
        return true;
    }

    /// Accepts no more tasks; what is queued still runs. Does not wait.
    void request_stop() noexcept {
        const std::scoped_lock lock{mutex_};
        stopping_ = true;
        for (auto* sleeper : idle_) { sleeper->wake.release(); }
        idle_.clear();
        if (watcher_ != nullptr) { watch_->call(); }
    }

    /// Accepts no more tasks, runs what is queued, and waits until every thread has ended. Called from a task of this
    /// pool it is `request_stop`: the destructor, or a call from elsewhere, waits then. May be called again.
    void stop() noexcept {
        request_stop();
        if (!is_own_thread()) { join(); }
    }

    /// Starts `count` more threads, for instance in the place of some that are stuck in a task. They get the places and
    /// numbers of threads that have left after `retire`, as far as there are any; those are joined here, which is
    /// short, since they have nothing more to do.
    /// @return  Whether they were started: false after `stop` or `request_stop`, or beyond 4096 threads altogether,
    ///          those that have retired but are still in their last task included; false also on a thread that has
    ///          left already and runs the destructors of its thread-local objects.
    /// @throws std::system_error  The system has no thread left; those started before it said so stay.
    bool grow(std::size_t count = 1) {
        if (is_own_thread() && current().worker == nullptr) { return false; } // it would have to join itself
        std::vector<detail::NamedThread> ended; // joined after the lock is gone: the end of a thread may run user code
        const std::scoped_lock lock{mutex_};
        if (stopping_ || count > max_threads - workers_.size() + left_.size()) { return false; }
        ended.reserve(std::min(count, left_.size()));
        for (std::size_t i = 0; i < count; ++i) {
            if (left_.empty()) {
                start_worker(lock);
            } else {
                ended.push_back(restart_worker(lock));
            }
        }
        return true;
    }

    /// Called from a task of this pool: its thread takes no further task, and ends after this one; what is queued is
    /// left to the others. So a thread that was stuck, and replaced by `grow`, can leave when it comes back. Called
    /// again, on the last thread that has not retired, or anywhere else, it does nothing.
    void retire() noexcept {
        if (!is_own_thread()) { return; }
        const std::scoped_lock lock{mutex_};
        Worker* const self = current().worker;
        if (self == nullptr || self->is_retired || workers_.size() - retired_ == 1) { return; }
        self->is_retired = true;
        ++retired_;
    }

    /// Tasks that wait for a thread, those that run not included.
    [[nodiscard]] std::size_t queued() const {
        const std::scoped_lock lock{mutex_};
        return queue_.size();
    }

    /// Threads started so far but those that have retired, whether or not the pool has been stopped.
    [[nodiscard]] std::size_t threads() const {
        const std::scoped_lock lock{mutex_};
        return workers_.size() - retired_;
    }

    /// Whether the calling thread is one of this pool.
    [[nodiscard]] bool is_own_thread() const noexcept { return current().pool == this; }

    /// The number, from 0, of the calling thread in the pool that it belongs to; empty on any other thread. The number
    /// of a thread that has left is given to a later one.
    [[nodiscard]] static std::optional<std::uint32_t> current_worker() noexcept {
        if (current().pool == nullptr) { return std::nullopt; }
        return current().index;
    }

private:
    friend class detail::SchedulerCore;

    /// @param watch  Null: every worker that has nothing to do sleeps. Else one of them keeps the watch.
    WorkerPool(WorkerPoolOptions options, detail::WorkerWatch* watch) : options_{std::move(options)}, watch_{watch} {
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

    struct Worker {
        std::binary_semaphore wake{0}; // released by whoever takes the worker from idle_, so at most once at a time
        detail::NamedThread thread;
        Worker* next = nullptr;  // of those that are being woken together
        std::uint32_t index = 0; // in workers_
        bool is_retired = false; // set by the thread itself, under mutex_
    };

    struct Current {
        const WorkerPool* pool = nullptr;
        std::uint32_t index = 0;
        Worker* worker = nullptr; // none once the thread has left its place to others
    };

    static Current& current() noexcept {
        static thread_local Current mine;
        return mine;
    }

    using Lock = std::scoped_lock<std::mutex>; // a parameter of this type: the caller holds mutex_

    template <class Callable>
    [[nodiscard]] bool append(std::size_t count, const Callable& task, const Lock& /*lock*/) {
        if (stopping_) { return false; }
        const std::size_t before = queue_.size();
        try {
            for (std::size_t i = 0; i < count; ++i) { queue_.emplace_back(task); }
        } catch (...) {
            while (queue_.size() != before) { queue_.pop_back(); }
            throw;
        }
        return true;
    }

    /// Wakes nobody: the caller is the worker that keeps the watch, which takes them, and calls for help in time.
    /// @returns How many tasks wait now.
    /// @throws std::bad_alloc  Nothing has changed.
    template <class Callable>
    std::size_t post_quietly(std::size_t count, const Callable& task) {
        const Lock lock{mutex_};
        [[maybe_unused]] const bool is_accepted = append(count, task, lock);
        return queue_.size();
    }

    /// Wakes as many as have something to do.
    /// @param taken  So many tasks the caller is about to take itself.
    void call_help(std::size_t taken) noexcept {
        Woken woken;
        {
            const Lock lock{mutex_};
            woken = take_idle(queue_.size() - std::min(queue_.size(), taken), lock);
        }
        wake(woken);
    }

    /// Who is woken for new tasks.
    struct Woken {
        Worker* sleepers = nullptr;
        bool is_watch_called = false;
    };

    /// Sleepers first: they are cheaper to wake.
    [[nodiscard]] Woken take_idle(std::size_t count, const Lock& /*lock*/) noexcept {
        Woken taken;
        for (; count != 0 && !idle_.empty(); --count) {
            Worker* const sleeper = idle_.back();
            sleeper->next = std::exchange(taken.sleepers, sleeper);
            idle_.pop_back();
        }
        taken.is_watch_called = count != 0 && watcher_ != nullptr && watcher_ != current().worker;
        return taken;
    }

    void wake(Woken woken) noexcept {
        Worker* sleeper = woken.sleepers;
        while (sleeper != nullptr) { std::exchange(sleeper, sleeper->next)->wake.release(); }
        if (woken.is_watch_called) { watch_->call(); }
    }

    void start_worker(const Lock& lock) {
        idle_.reserve(workers_.size() + 1); // so that going to sleep cannot fail, nor leaving
        left_.reserve(workers_.size() + 1);
        workers_.push_back(std::make_unique<Worker>());
        Worker& worker = *workers_.back();
        worker.index = static_cast<std::uint32_t>(workers_.size() - 1);
        try {
            worker.thread = start_thread(worker, lock);
        } catch (...) {
            workers_.pop_back();
            throw;
        }
    }

    /// Fills a place whose thread has left.
    /// @return  That thread: it may not be over yet, but needs no lock any more.
    [[nodiscard]] detail::NamedThread restart_worker(const Lock& lock) {
        Worker& worker = *left_.back();
        auto thread = start_thread(worker, lock);
        left_.pop_back();
        worker.is_retired = false;
        --retired_;
        return std::exchange(worker.thread, std::move(thread));
    }

    [[nodiscard]] detail::NamedThread start_thread(Worker& worker, const Lock& /*lock*/) {
        const auto number = "-" + std::to_string(worker.index);
        const auto name = options_.name.substr(0, 15 - number.size()) + number;
        return {name,
                [this, &worker] {
                    current() = {this, worker.index, &worker};
                    if (options_.on_thread_start) { options_.on_thread_start(); }
                },
                [this, &worker] { work(worker); }};
    }

    void work(Worker& self) noexcept {
        std::unique_lock lock{mutex_};
        for (;;) {
            if (self.is_retired) {
                // Nobody waits for this thread: whoever posted a task woke a sleeping thread, if there was one, and
                // this one was not asleep.
                current().worker = nullptr;
                left_.push_back(&self);
                return;
            }
            if (!queue_.empty()) {
                Task task = std::move(queue_.front());
                queue_.pop_front();
                lock.unlock();
                run(std::move(task));
                lock.lock();
            } else if (stopping_) {
                return;
            } else if (watch_ != nullptr && watcher_ == nullptr) {
                watcher_ = &self;
                lock.unlock();
                watch_->keep();
                lock.lock();
                watcher_ = nullptr;
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
    detail::WorkerWatch* const watch_;
    mutable std::mutex mutex_;
    bool stopping_ = false;                        // guarded by mutex_
    std::deque<Task> queue_;                       // guarded by mutex_
    std::vector<Worker*> idle_;                    // guarded by mutex_
    Worker* watcher_ = nullptr;                    // guarded by mutex_; at most one, until it is back
    std::vector<std::unique_ptr<Worker>> workers_; // guarded by mutex_, and constant once stopping_ is set
    std::size_t retired_ = 0;                      // guarded by mutex_; of workers_, those with is_retired
    std::vector<Worker*> left_;                    // guarded by mutex_; of these, those that run no more tasks
    std::mutex join_mutex_;
};

} // namespace daybook::inline v0

#endif
