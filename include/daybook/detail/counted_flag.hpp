// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_COUNTED_FLAG_HPP
#define DAYBOOK_DETAIL_COUNTED_FLAG_HPP

/// @file
/// A truth value that somebody counts.

#include <cstddef>

namespace daybook::inline v0::detail {

/// Whoever asks how many of a million things are so need not look at them.
class CountedFlag {
public:
    CountedFlag() = default;

    operator bool() const noexcept { return is_set_; } // NOLINT(google-explicit-constructor): it is one

    CountedFlag& operator=(bool is_set) noexcept {
        if (counter_ != nullptr && is_set != is_set_) { *counter_ += is_set ? 1 : std::size_t{0} - 1; }
        is_set_ = is_set;
        return *this;
    }

    /// From now on it counts there while it is set.
    void count_in(std::size_t& counter) noexcept {
        counter += is_set_ ? 1 : 0;
        counter_ = &counter;
    }

    /// It keeps its value, but does not count any more.
    void leave() noexcept {
        if (counter_ != nullptr && is_set_) { --*counter_; }
        counter_ = nullptr;
    }

private:
    bool is_set_ = false;
    std::size_t* counter_ = nullptr; ///< null: it does not count
};

} // namespace daybook::inline v0::detail

#endif
