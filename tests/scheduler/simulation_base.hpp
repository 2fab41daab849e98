// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_SCHEDULER_SIMULATION_BASE_HPP
#define DAYBOOK_TESTS_SCHEDULER_SIMULATION_BASE_HPP

/// @file
/// Chance and verdict: what every part of a simulation has at hand.

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>

namespace simulation {

/// The same numbers on every machine (SplitMix64; Steele, Lea and Flood, 2014).
class Random {
public:
    explicit Random(std::uint64_t seed) : state_{seed} {}

    std::uint64_t next() {
        std::uint64_t bits = state_ += 0x9E3779B97F4A7C15U;
        bits = (bits ^ (bits >> 30U)) * 0xBF58476D1CE4E5B9U;
        bits = (bits ^ (bits >> 27U)) * 0x94D049BB133111EBU;
        return bits ^ (bits >> 31U);
    }
    int below(int limit) { return static_cast<int>(next() % static_cast<std::uint64_t>(limit)); }
    std::size_t index(std::size_t size) { return static_cast<std::size_t>(next() % size); }
    bool chance(int percent) { return below(100) < percent; }
    template <class Choice>
    Choice choose(std::initializer_list<Choice> choices) {
        return choices.begin()[index(choices.size())];
    }

private:
    std::uint64_t state_;
};

/// The first thing that was wrong. Nothing is thrown: it may be found inside a body.
class Verdict {
public:
    void expect(bool holds, const char* what) {
        if (!holds && text_.empty()) { text_ = what; }
    }
    void expect(bool holds, const char* what, const std::string& whose) {
        if (!holds && text_.empty()) { text_ = whose.empty() ? what : whose + ": " + what; }
    }
    [[nodiscard]] bool is_good() const { return text_.empty(); }
    [[nodiscard]] const std::string& text() const { return text_; }

private:
    std::string text_;
};

/// Where the bodies of a world run.
enum class Drive {
    poll,        ///< on the thread that polls, which runs all that is ready
    on_the_spot, ///< on the thread that finds something to do
    shelf,       ///< when chance takes the task that stands for them
};

} // namespace simulation

#endif
