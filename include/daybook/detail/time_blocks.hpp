// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_TIME_BLOCKS_HPP
#define DAYBOOK_DETAIL_TIME_BLOCKS_HPP

/// @file
/// When the records in a stretch of the log began, so that a range of time finds its place without a walk.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>

namespace daybook::inline v0::detail {

/// Instants in microseconds, from `from` up to but without `to`.
struct TimeRange {
    std::int64_t from = std::numeric_limits<std::int64_t>::min();
    std::int64_t to = std::numeric_limits<std::int64_t>::max();

    [[nodiscard]] bool is_everything() const noexcept {
        return from == std::numeric_limits<std::int64_t>::min() && to == std::numeric_limits<std::int64_t>::max();
    }
    [[nodiscard]] bool contains(std::int64_t instant) const noexcept { return instant >= from && instant < to; }
};

/// The earliest and the latest instant in each block of 64 positions of a ring, in each 64 of those, and so on. Nothing
/// is said about the order within: a wall clock that is set back makes a block wider and the way to a range a little
/// longer, but never wrong. A block goes on counting what was removed from it, until the ring comes round.
class TimeBlocks {
public:
    /// @param ring_size  A power of two, 64 or more.
    explicit TimeBlocks(std::size_t ring_size) {
        std::size_t spans = 0;
        for (std::size_t at_level = ring_size / 64; at_level != 0; at_level /= 64) {
            offsets_[levels_] = spans;
            masks_[levels_++] = at_level - 1;
            spans += at_level;
        }
        spans_ = std::make_unique<Span[]>(spans);
        memory_bytes_ = spans * sizeof(Span);
    }

    [[nodiscard]] std::size_t memory_bytes() const noexcept { return memory_bytes_; }

    /// The next instants belong to this position, which follows the one before. O(1).
    void open(std::uint64_t position) noexcept {
        if (position / 64 != open_) { open_block(position / 64); }
    }

    /// Something at the open position began at this instant. O(1).
    void add(std::int64_t instant) noexcept { span_of(0, open_).take({instant, instant}); }

    /// Whether anything that the ring has come round to may lie in the range.
    [[nodiscard]] bool may_have_overtaken(const TimeRange& range) const noexcept { return overtaken_.meets(range); }

    /// The largest position that is at most `position`, not below `first`, and in a block that may lie in the range.
    [[nodiscard]] std::optional<std::uint64_t> last_up_to(std::uint64_t position, std::uint64_t first,
                                                          const TimeRange& range) const noexcept {
        while (position >= first) {
            if (may_meet(0, position >> 6, range)) { return position; }
            const unsigned shift = widest(position, range);
            const std::uint64_t start = position >> shift << shift;
            if (start == 0) { break; }
            position = start - 1;
        }
        return std::nullopt;
    }

    /// The smallest position that is at least `position`, below `end`, and in a block that may lie in the range.
    [[nodiscard]] std::optional<std::uint64_t> first_from(std::uint64_t position, std::uint64_t end,
                                                          const TimeRange& range) const noexcept {
        while (position < end) {
            if (may_meet(0, position >> 6, range)) { return position; }
            const unsigned shift = widest(position, range);
            position = ((position >> shift) + 1) << shift;
        }
        return std::nullopt;
    }

    /// Whether everything in the block of this position lies in the range. Not known of the block that is being filled.
    [[nodiscard]] bool is_inside(std::uint64_t position, const TimeRange& range) const noexcept {
        const Span& span = span_of(0, position / 64);
        return ((position / 64 ^ open_) & masks_[0]) != 0 && span.earliest >= range.from && span.latest < range.to;
    }

private:
    struct Span {
        std::int64_t earliest = std::numeric_limits<std::int64_t>::max();
        std::int64_t latest = std::numeric_limits<std::int64_t>::min();

        void take(const Span& other) noexcept {
            earliest = std::min(earliest, other.earliest);
            latest = std::max(latest, other.latest);
        }
        [[nodiscard]] bool meets(const TimeRange& range) const noexcept {
            return latest >= range.from && earliest < range.to;
        }
    };

    [[nodiscard]] Span& span_of(std::size_t level, std::uint64_t block) const noexcept {
        return spans_[offsets_[level] + (block & masks_[level])];
    }

    /// The block that is being filled holds the end of the round before as well, which has a span of its own. What is
    /// above it may hold anything.
    [[nodiscard]] bool may_meet(std::size_t level, std::uint64_t block, const TimeRange& range) const noexcept {
        const bool is_shared = ((block ^ (open_ >> (6 * level))) & masks_[level]) == 0;
        if (!is_shared) { return span_of(level, block).meets(range); }
        return level != 0 || (block == open_ ? span_of(0, open_) : before_).meets(range);
    }

    /// The size, as a shift, of the widest block around `position` that lies outside; its own does.
    [[nodiscard]] unsigned widest(std::uint64_t position, const TimeRange& range) const noexcept {
        std::size_t level = 0;
        while (level + 1 < levels_ && !may_meet(level + 1, position >> (6 * (level + 2)), range)) { ++level; }
        return static_cast<unsigned>(6 * (level + 1));
    }

    void open_block(std::uint64_t block) noexcept {
        std::uint64_t full = open_;
        std::uint64_t fresh = block;
        for (std::size_t level = 0; level < levels_ && full != fresh; ++level) {
            if (level + 1 < levels_) { span_of(level + 1, full / 64).take(span_of(level, full)); }
            if (level == 0) { overtaken_.take(before_ = span_of(0, fresh)); }
            span_of(level, fresh) = {};
            full /= 64;
            fresh /= 64;
        }
        open_ = block;
    }

    std::unique_ptr<Span[]> spans_;
    std::array<std::size_t, 5> offsets_{};
    std::array<std::uint64_t, 5> masks_{};
    std::size_t levels_ = 0;
    std::size_t memory_bytes_ = 0;
    std::uint64_t open_ = 0;
    Span before_; ///< of the round before in the place of the open block
    Span overtaken_;
};

} // namespace daybook::inline v0::detail

#endif
