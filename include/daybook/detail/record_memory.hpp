// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_RECORD_MEMORY_HPP
#define DAYBOOK_DETAIL_RECORD_MEMORY_HPP

/// @file
/// How much memory the results, errors and extras of a log's records take.

#include <daybook/detail/execution_slot.hpp>
#include <daybook/detail/heap_bytes.hpp>

#include <cstddef>

namespace daybook::inline v0::detail {

[[nodiscard]] inline std::size_t heap_bytes(const ExecutionExtras& extras) noexcept {
    std::size_t bytes = heap_bytes(sizeof extras) + heap_bytes(extras.log_text) + heap_bytes(extras.parameters) +
                        heap_bytes(extras.metadata);
    for (const auto& entry : extras.metadata) { bytes += heap_bytes(entry.first) + heap_bytes(entry.second); }
    return bytes;
}

/// A sum that is kept as they come and go. A block that two records share counts for each of them.
class RecordMemory {
public:
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

    void add_blocks(const ExecutionSlot& slot) noexcept { bytes_ += blocks(slot); }
    void add_extras(const ExecutionSlot& slot) noexcept { bytes_ += extras(slot); }
    void subtract_all(const ExecutionSlot& slot) noexcept { bytes_ -= blocks(slot) + extras(slot); }

    /// While it lives, the extras of a slot may change.
    class Change {
    public:
        Change(RecordMemory& memory, const ExecutionSlot& slot) noexcept : memory_{memory}, slot_{slot} {
            memory_.bytes_ -= extras(slot_);
        }
        Change(const Change&) = delete;
        Change& operator=(const Change&) = delete;
        ~Change() { memory_.bytes_ += extras(slot_); }

    private:
        RecordMemory& memory_;
        const ExecutionSlot& slot_;
    };

    /// The most that one record may own. Names and values of metadata are bounded by JobContext.
    [[nodiscard]] static constexpr std::size_t limit_per_record(std::size_t max_text_bytes) noexcept {
        constexpr std::size_t header = 64;    // of a block
        constexpr std::size_t max_names = 32; // of metadata
        constexpr std::size_t name_bytes = 256;
        const std::size_t text = heap_bytes(max_text_bytes + header);
        const std::size_t growing = heap_bytes(2 * max_text_bytes + header);
        return 2 * text + heap_bytes(sizeof(ExecutionExtras)) + growing + text +
               max_names * (2 * sizeof(std::string) + heap_bytes(name_bytes) + heap_bytes(max_text_bytes / 4 + header));
    }

private:
    [[nodiscard]] static std::size_t blocks(const ExecutionSlot& slot) noexcept {
        return (slot.result ? heap_bytes(slot.result->bytes()) : 0) +
               (slot.error ? heap_bytes(slot.error->bytes()) : 0);
    }
    [[nodiscard]] static std::size_t extras(const ExecutionSlot& slot) noexcept {
        return slot.extras ? heap_bytes(*slot.extras) : 0;
    }

    std::size_t bytes_ = 0;
};

} // namespace daybook::inline v0::detail

#endif
