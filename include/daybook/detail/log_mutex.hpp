// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_LOG_MUTEX_HPP
#define DAYBOOK_DETAIL_LOG_MUTEX_HPP

/// @file
/// The lock of a log: those who record go before those who ask.

#include <atomic>
#include <chrono>
#include <thread>

namespace daybook::inline v0::detail {

/// A lock for sections of some hundred nanoseconds, as a mutex is used. To sleep in the kernel and to be woken takes a
/// hundred times as long as such a section, and whoever gives a std::mutex back has to do the waking. Here nobody is
/// woken: who finds it taken looks again for a few microseconds, then sleeps for some tens at a time, so that a holder
/// without a processor gets one. Giving it back is one store.
///
/// Who asks (`ReadingTurn`) does not take it while somebody who records waits, and gives it back as soon as somebody
/// does.
class LogMutex {
public:
    LogMutex() = default;
    LogMutex(const LogMutex&) = delete;
    LogMutex& operator=(const LogMutex&) = delete;

    void lock() noexcept {
        if (take()) { return; }
        waiting_.fetch_add(1, std::memory_order_relaxed);
        wait([this] { return take(); });
        waiting_.fetch_sub(1, std::memory_order_relaxed);
    }

    void unlock() noexcept { is_taken_.store(false, std::memory_order_release); }

    [[nodiscard]] bool is_taken() const noexcept { return is_taken_.load(std::memory_order_relaxed); }

    /// Whether somebody who records waits: a hint for who holds it and can go on later.
    [[nodiscard]] bool is_wanted() const noexcept { return waiting_.load(std::memory_order_relaxed) != 0; }

private:
    friend class ReadingTurn;

    static constexpr std::chrono::microseconds patience{5};
    static constexpr std::chrono::microseconds nap{20};
    static constexpr int longest_pause = 32; ///< clock readings, of some 20 ns each

    void lock_for_reading() noexcept {
        const auto take_politely = [this] { return !is_wanted() && take(); };
        if (!take_politely()) { wait(take_politely); }
    }

    [[nodiscard]] bool take() noexcept {
        return !is_taken_.load(std::memory_order_relaxed) && !is_taken_.exchange(true, std::memory_order_acquire);
    }

    /// Less and less often, so that the holder keeps what it works on in its caches. A pause is a reading of the clock,
    /// which is needed anyway and touches nothing that others write to.
    template <class Take>
    void wait(Take&& take_if_due) noexcept {
        auto now = std::chrono::steady_clock::now();
        const auto end = now + patience;
        for (int pause = 1; now < end; pause = pause < longest_pause ? 2 * pause : pause) {
            for (int i = 0; i < pause; ++i) { now = std::chrono::steady_clock::now(); }
            if (take_if_due()) { return; }
        }
        while (!take()) { std::this_thread::sleep_for(nap); } // whoever has waited so long asks nobody any more
    }

    std::atomic<bool> is_taken_{false};
    std::atomic<int> waiting_{0}; // who records, and waits
};

/// Holds the lock for somebody who asks.
class ReadingTurn {
public:
    explicit ReadingTurn(LogMutex& mutex) noexcept : mutex_{mutex} { mutex.lock_for_reading(); }
    ReadingTurn(const ReadingTurn&) = delete;
    ReadingTurn& operator=(const ReadingTurn&) = delete;
    ~ReadingTurn() { mutex_.unlock(); }

private:
    LogMutex& mutex_;
};

} // namespace daybook::inline v0::detail

#endif
