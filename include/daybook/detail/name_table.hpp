// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_NAME_TABLE_HPP
#define DAYBOOK_DETAIL_NAME_TABLE_HPP

/// @file
/// Names as small integers: each text is kept once, counted, and forgotten with its last user.

#include <daybook/detail/hash_chains.hpp>
#include <daybook/detail/heap_bytes.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace daybook::inline v0::detail {

/// Sixteen bytes at a time, each half multiplied in by itself; good enough for names, which are short, and a table that
/// strangers do not choose the hashes of.
[[nodiscard]] inline std::uint32_t hash_name(std::string_view name) noexcept {
    constexpr std::uint64_t odd = 0x9E3779B97F4A7C15U;
    constexpr std::uint64_t other_odd = 0xC2B2AE3D27D4EB4FU;
    const auto load = [&]<class Word>(Word word, std::size_t at) -> std::uint64_t {
        std::memcpy(&word, name.data() + at, sizeof word);
        return word;
    };
    std::uint64_t hash = name.size();
    const auto mix = [&](std::uint64_t one, std::uint64_t other) {
        hash = (hash ^ one) * odd + (other ^ other_odd) * other_odd;
        hash ^= hash >> 32;
    };
    // What is left at the end is read again with some of what comes before it: no loop over single bytes.
    if (const std::size_t size = name.size(); size >= 8) {
        for (std::size_t at = 0; at + 16 < size; at += 16) {
            mix(load(std::uint64_t{}, at), load(std::uint64_t{}, at + 8));
        }
        mix(load(std::uint64_t{}, size < 16 ? 0 : size - 16), load(std::uint64_t{}, size - 8));
    } else if (size >= 4) {
        mix(load(std::uint32_t{}, 0), load(std::uint32_t{}, size - 4));
    } else if (size > 0) {
        mix(load(std::uint8_t{}, 0) | load(std::uint8_t{}, size / 2) << 8, load(std::uint8_t{}, size - 1));
    }
    return static_cast<std::uint32_t>(hash * odd >> 32);
}

/// Whether two names are the same, by words as above: no call for what is a few bytes long.
[[nodiscard]] [[gnu::always_inline]] inline bool is_same_name(std::string_view one, std::string_view other) noexcept {
    if (one.size() != other.size()) { return false; }
    const auto differ = [&]<class Word>(Word word, std::size_t at) -> std::uint64_t {
        Word beside = 0;
        std::memcpy(&word, one.data() + at, sizeof word);
        std::memcpy(&beside, other.data() + at, sizeof beside);
        return word ^ beside;
    };
    if (const std::size_t size = one.size(); size >= 8) {
        std::uint64_t differences = differ(std::uint64_t{}, size - 8);
        for (std::size_t at = 0; at + 8 < size; at += 8) { differences |= differ(std::uint64_t{}, at); }
        return differences == 0;
    } else if (size >= 4) {
        return (differ(std::uint32_t{}, 0) | differ(std::uint32_t{}, size - 4)) == 0;
    } else {
        return size == 0 ||
               (differ(std::uint8_t{}, 0) | differ(std::uint8_t{}, size / 2) | differ(std::uint8_t{}, size - 1)) == 0;
    }
}

/// Interned names with a payload each. Indices stay valid while the count is above 0, then are given out again.
///
/// Find, acquire and release are O(1), however the table grows. Not thread safe: it lives under its owner's lock.
template <class Payload>
class NameTable {
public:
    static constexpr std::uint32_t nothing = HashChains::nothing;

    NameTable() noexcept { recent_.fill(nothing); }

    /// The index of `name`, counted once more; a new name starts with a fresh payload.
    /// @throws std::bad_alloc  and leaves the table as it was.
    [[gnu::always_inline]] std::uint32_t acquire(std::string_view name, std::uint32_t hash) {
        if (const std::uint32_t recent = recent_[hash % recent_.size()]; recent != nothing) {
            if (Entry& entry = entry_at(recent); entry.hash == hash && is_same_name(entry.name, name)) {
                ++entry.users;
                return recent;
            }
        }
        return find_or_add(name, hash);
    }

    void add_user(std::uint32_t index) noexcept { ++entry_at(index).users; }

    /// Gives one count back; the name is forgotten when it was the last.
    void release(std::uint32_t index) noexcept {
        if (--entry_at(index).users == 0) { forget(index); }
    }

    [[nodiscard]] std::uint32_t find(std::string_view name, std::uint32_t hash) const noexcept {
        std::uint32_t at = chains_.first(hash);
        while (at != nothing && !(entry_at(at).hash == hash && is_same_name(entry_at(at).name, name))) {
            at = entry_at(at).next;
        }
        return at;
    }

    [[nodiscard]] const std::string& name(std::uint32_t index) const noexcept { return entry_at(index).name; }
    [[nodiscard]] Payload& operator[](std::uint32_t index) noexcept { return entry_at(index).payload; }
    [[nodiscard]] const Payload& operator[](std::uint32_t index) const noexcept { return entry_at(index).payload; }
    [[nodiscard]] std::size_t size() const noexcept { return chains_.size(); }

    /// Entries, chains and texts, free ones included. O(1).
    [[nodiscard]] std::size_t memory_bytes() const noexcept {
        return text_bytes_ + chunks_.size() * heap_bytes(chunk_size * sizeof(Entry)) + heap_bytes(chunks_) +
               chains_.memory_bytes();
    }

    /// What `memory_bytes` comes to at most while `names` names of at most `name_bytes` are in use at once.
    [[nodiscard]] static constexpr std::size_t memory_limit(std::size_t names, std::size_t name_bytes) noexcept {
        const std::size_t chunks = names / chunk_size + 1;
        return names * heap_bytes(std::max(name_bytes, 2 * kept_text_) + 1) +
               chunks * (heap_bytes(chunk_size * sizeof(Entry)) + 2 * sizeof(void*)) + 32 +
               HashChains::memory_limit(names);
    }

private:
    struct Entry {
        std::string name;
        std::uint32_t hash = 0;
        std::uint32_t users = 0;
        std::uint32_t next = nothing; ///< in its chain, or among the free ones
        Payload payload{};
    };

    /// Text up to here stays allocated with a free entry, so that names that come and go do not allocate each time.
    static constexpr std::size_t kept_text_ = 64;

    /// A power of two, so that an entry is found by a shift and a mask: the path that records goes through here ten
    /// times.
    static constexpr std::size_t chunk_size = 32;

    [[nodiscard]] Entry& entry_at(std::uint32_t index) noexcept {
        return chunks_[index / chunk_size][index % chunk_size];
    }
    [[nodiscard]] const Entry& entry_at(std::uint32_t index) const noexcept {
        return chunks_[index / chunk_size][index % chunk_size];
    }

    [[nodiscard]] auto hash_of() const noexcept {
        return [this](std::uint32_t index) { return entry_at(index).hash; };
    }
    [[nodiscard]] auto next_of() noexcept {
        return [this](std::uint32_t index) -> std::uint32_t& { return entry_at(index).next; };
    }

    [[gnu::noinline]] std::uint32_t find_or_add(std::string_view name, std::uint32_t hash) {
        std::uint32_t& recent = recent_[hash % recent_.size()];
        if (const std::uint32_t known = find(name, hash); known != nothing) {
            ++entry_at(known).users;
            return recent = known;
        }
        return recent = add(name, hash);
    }

    std::uint32_t add(std::string_view name, std::uint32_t hash) {
        chains_.reserve_one();
        std::uint32_t index = free_;
        if (index == nothing) {
            index = static_cast<std::uint32_t>(size_);
            if (size_ == chunks_.size() * chunk_size) { chunks_.push_back(std::make_unique<Entry[]>(chunk_size)); }
            keep_text(entry_at(index).name, name);
            ++size_;
        } else {
            keep_text(entry_at(index).name, name);
            free_ = entry_at(index).next;
        }
        Entry& entry = entry_at(index);
        entry.hash = hash;
        entry.users = 1;
        entry.payload = Payload{};
        chains_.insert(index, next_of(), hash_of());
        return index;
    }

    [[gnu::noinline]] void forget(std::uint32_t index) noexcept {
        Entry& entry = entry_at(index);
        if (std::uint32_t& recent = recent_[entry.hash % recent_.size()]; recent == index) { recent = nothing; }
        chains_.erase(index, next_of(), hash_of());
        if (entry.name.capacity() > kept_text_) {
            text_bytes_ -= heap_bytes(entry.name);
            std::string{}.swap(entry.name);
        }
        entry.next = free_;
        free_ = index;
    }

    void keep_text(std::string& place, std::string_view name) {
        const std::size_t before = heap_bytes(place);
        place.assign(name);
        text_bytes_ += heap_bytes(place) - before;
    }

    std::vector<std::unique_ptr<Entry[]>> chunks_;
    std::size_t size_ = 0;                 // entries that have ever been in use
    std::array<std::uint32_t, 32> recent_; ///< by hash: where a name was found last, for who comes with it again
    HashChains chains_;
    std::uint32_t free_ = nothing;
    std::size_t text_bytes_ = 0;
};

} // namespace daybook::inline v0::detail

#endif
