// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_WORKER_WATCH_HPP
#define DAYBOOK_DETAIL_WORKER_WATCH_HPP

/// @file
/// What a worker may do in place of sleeping.

namespace daybook::inline v0::detail {

/// Kept by one worker of a pool that has nothing else to do, while the others sleep.
class WorkerWatch {
public:
    WorkerWatch() = default;
    WorkerWatch(const WorkerWatch&) = delete;
    WorkerWatch& operator=(const WorkerWatch&) = delete;

    /// Called on the worker, under no lock: returns after `call`, of which one before the watch counts, or when it has
    /// seen to something, for which it may have posted tasks; the worker takes one of them itself.
    virtual void keep() noexcept = 0;

    /// Ends the present watch, or the next one. Called from any thread, perhaps under the pool's lock.
    virtual void call() noexcept = 0;

protected:
    ~WorkerWatch() = default;
};

} // namespace daybook::inline v0::detail

#endif
