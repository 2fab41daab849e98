// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_INDEXED_HEAP_HPP
#define DAYBOOK_DETAIL_INDEXED_HEAP_HPP

/// @file
/// A priority queue of small integers whose members can be moved and removed: what is due next, among all jobs.

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <vector>

namespace daybook::inline v0::detail {

/// A 4-ary min-heap of (key, item) that knows where each item stands. Equal keys leave in the order in which they were
/// pushed or last updated.
///
/// Items are small dense integers (slot numbers): memory is 12 bytes for each number up to the largest ever pushed and
/// one entry for each item inside. `push`, `update`, `erase` and `pop` are O(log n), a push of a late key is O(1) on
/// average; all else is O(1). What throws (only running out of memory, and a number out of range) changes nothing.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: unsafe.
template <class Key>
requires std::totally_ordered<Key> && std::is_nothrow_copy_constructible_v<Key> &&
    std::is_nothrow_copy_assignable_v<Key> && std::default_initializable<Key>
class IndexedHeap {
public:
    struct Entry {
        Key key{};
        std::uint32_t item = 0;
    };

    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    [[nodiscard]] bool contains(std::uint32_t item) const noexcept {
        return item < positions_.size() && positions_[item] != absent;
    }

    /// The key of an item that is inside.
    [[nodiscard]] const Key& key(std::uint32_t item) const noexcept { return at(positions_[item]).key; }

    /// The entry with the smallest key; the heap is not empty. The reference lives until the next change.
    [[nodiscard]] const Entry& top() const noexcept { return at(root); }

    /// The smallest key of all items that `is_wanted(item)`, if there is one below `bound`. Looks at the unwanted items
    /// that come before it, and at four more for each of them.
    template <class IsWanted>
    [[nodiscard]] std::optional<Key> least_of(std::optional<Key> bound, IsWanted&& is_wanted) const {
        std::optional<Key> least;
        look_for(root, bound, least, is_wanted);
        return least;
    }

    /// Makes room for the items 0 to `items - 1`, so that pushing them cannot fail.
    void reserve(std::uint32_t items) {
        const std::size_t rows = (root + items) / arity + 1;
        if (rows > rows_.capacity()) { rows_.reserve(std::max(rows, 2 * rows_.capacity())); }
        orders_.resize(std::max<std::size_t>(orders_.size(), items));
        positions_.resize(std::max<std::size_t>(positions_.size(), items), absent);
    }

    /// Adds an item; one that is already inside is updated.
    /// @throws std::length_error  `item` is 2^32 - 9 or larger.
    void push(std::uint32_t item, Key key) {
        if (contains(item)) {
            orders_[item] = next_order_++;
            return fill(positions_[item], Entry{key, item});
        }
        if (item >= absent - 2 * arity) { throw std::length_error{"IndexedHeap: the item's number is too large"}; }
        if (item >= orders_.size()) { orders_.resize(std::size_t{item} + 1); }
        if (item >= positions_.size()) { positions_.resize(std::size_t{item} + 1, absent); }
        const std::size_t position = root + size_;
        if (position / arity >= rows_.size()) { rows_.resize(position / arity + 1); }
        orders_[item] = next_order_++;
        ++size_;
        sift_up(position, Entry{key, item});
    }

    /// Gives an item another key, as if it had been erased and pushed; one that is not inside is pushed.
    void update(std::uint32_t item, Key key) { push(item, key); }

    /// Removes an item wherever it stands.
    /// @return  Whether it was inside.
    bool erase(std::uint32_t item) noexcept {
        if (!contains(item)) { return false; }
        const std::size_t hole = positions_[item];
        positions_[item] = absent;
        const Entry last = take_last();
        if (hole < root + size_) { fill(hole, last); }
        return true;
    }

    /// Removes the entry with the smallest key and returns it; the heap is not empty.
    Entry pop() noexcept {
        const Entry first = top();
        positions_[first.item] = absent;
        const Entry last = take_last();
        if (size_ != 0) { sift_up(sink_hole(root), last); }
        return first;
    }

    /// Removes everything and keeps the memory. O(n).
    void clear() noexcept {
        for (std::size_t position = root; position < root + size_; ++position) {
            positions_[at(position).item] = absent;
        }
        size_ = 0;
    }

private:
    static constexpr std::uint32_t absent = std::numeric_limits<std::uint32_t>::max();
    static constexpr std::size_t arity = 4;

    // Positions count from 3, so that the four children of one parent make one row, which is one cache line for a key
    // of 8 bytes: the children of p stand at 4p - 8 to 4p - 5, its parent at p / 4 + 2.
    static constexpr std::size_t root = 3;
    static constexpr std::size_t cache_line = 64;

    static constexpr std::size_t row_alignment = sizeof(Entry) * arity == cache_line ? cache_line : alignof(Entry);
    struct alignas(row_alignment) Row {
        Entry entries[arity];
    };

    Entry& at(std::size_t position) noexcept { return rows_[position / arity].entries[position % arity]; }
    const Entry& at(std::size_t position) const noexcept { return rows_[position / arity].entries[position % arity]; }

    bool before(const Entry& a, const Entry& b) const noexcept {
        if (a.key == b.key) { return orders_[a.item] < orders_[b.item]; }
        return a.key < b.key;
    }

    template <class IsWanted>
    void look_for(std::size_t position, std::optional<Key>& bound, std::optional<Key>& least,
                  IsWanted& is_wanted) const {
        if (position >= root + size_) { return; }
        const Entry& entry = at(position);
        if (bound && !(entry.key < *bound)) { return; } // nor is any below it
        if (is_wanted(entry.item)) {
            bound = least = entry.key;
            return;
        }
        for (std::size_t i = 0; i < arity; ++i) { look_for(position * arity - 8 + i, bound, least, is_wanted); }
    }

    void place(std::size_t position, const Entry& entry) noexcept {
        at(position) = entry;
        positions_[entry.item] = static_cast<std::uint32_t>(position);
    }

    Entry take_last() noexcept {
        --size_;
        return at(root + size_);
    }

    void sift_up(std::size_t hole, const Entry entry) noexcept {
        while (hole > root) {
            const std::size_t parent = hole / arity + 2;
            if (!before(entry, at(parent))) { break; }
            place(hole, at(parent));
            hole = parent;
        }
        place(hole, entry);
    }

    // Moves the hole down along the smallest children to a leaf. What fills the hole afterwards comes from the bottom
    // and mostly belongs there, so comparing it on the way down would be wasted (Wegener's bottom-up heapsort). Which
    // child is the smallest is unpredictable, so it is computed instead of branched on.
    std::size_t sink_hole(std::size_t hole) noexcept {
        const std::size_t end = root + size_;
        for (;;) {
            const std::size_t child = hole * arity - 8;
            std::size_t least = child;
            if (child + arity <= end) {
#if defined(__GNUC__)
                // Asks for the children of all four before it is known which one wins: halves a pop at a million items.
                // Not in a function of its own, which g++ would take for one without an effect.
                if (child + 1 < rows_.size()) {
                    const Row* const next = rows_.data() + child;
                    __builtin_prefetch(next - 2);
                    __builtin_prefetch(next - 1);
                    __builtin_prefetch(next);
                    __builtin_prefetch(next + 1);
                }
#endif
                const Entry* const row = rows_[child / arity].entries;
                const std::size_t left = static_cast<std::size_t>(before(row[1], row[0]));
                const std::size_t right = 2 + static_cast<std::size_t>(before(row[3], row[2]));
                const std::size_t right_wins = static_cast<std::size_t>(before(row[right], row[left]));
                least += left + (right - left) * right_wins;
            } else {
                if (child >= end) { return hole; }
                for (std::size_t next = child + 1; next < end; ++next) {
                    if (before(at(next), at(least))) { least = next; }
                }
            }
            place(hole, at(least));
            hole = least;
        }
    }

    // Puts an entry into a hole in the middle.
    void fill(std::size_t hole, const Entry entry) noexcept {
        const bool rises = hole > root && before(entry, at(hole / arity + 2));
        sift_up(rises ? hole : sink_hole(hole), entry);
    }

    std::vector<Row> rows_;
    std::vector<std::uint32_t> positions_; // by item: where it stands, or absent
    std::vector<std::uint64_t> orders_;    // by item: larger means pushed or updated later
    std::size_t size_ = 0;
    std::uint64_t next_order_ = 0;
};

} // namespace daybook::inline v0::detail

#endif
