// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_ID_SUPPLY_HPP
#define DAYBOOK_DETAIL_ID_SUPPLY_HPP

/// @file
/// The ids that a log has left.

#include <daybook/log/fleet_store.hpp>
#include <daybook/types.hpp>

#include <atomic>
#include <cstdint>
#include <limits>
#include <new>

namespace daybook::inline v0::detail {

/// One id after the other; in a fleet from a block that is this process's alone, and then from the next; in a log of
/// several parts from small blocks that all of them take from one source.
///
/// @par Thread safety
/// Distinct objects: safe. Shared objects: unsafe.
class IdSupply {
public:
    /// All from this one on.
    void begin_at(ExecutionId first) noexcept {
        *this = {};
        next_ = first;
    }

    /// These alone. What is left of others is forgotten.
    void begin_with(const IdBlock& block) noexcept {
        next_ = block.first_id;
        end_ = block.first_id + block.id_count;
        spare_ = {};
        low_at_ = block.id_count / 4;
    }

    /// Blocks from `source`, the first id that nobody has taken. It must outlive this object.
    void begin_from(std::atomic<ExecutionId>& source) noexcept {
        begin_with({});
        source_ = &source;
    }

    /// These as well, after the others.
    void add(const IdBlock& block) noexcept { spare_ = block; }

    /// Whether three quarters are used, and no others wait.
    [[nodiscard]] bool is_low() const noexcept { return spare_.id_count == 0 && end_ - next_ <= low_at_; }

    /// Makes sure that there is one. @throws std::bad_alloc  All are used.
    void ready() {
        if (next_ != end_) { return; }
        if (source_ != nullptr) { spare_ = {source_->fetch_add(block_size, std::memory_order_relaxed), block_size}; }
        if (spare_.id_count == 0) { throw std::bad_alloc{}; }
        begin_with(IdBlock{spare_});
    }
    /// The one that `take` takes. @pre It is ready.
    [[nodiscard]] ExecutionId next() const noexcept { return next_; }
    [[nodiscard]] ExecutionId take() noexcept { return next_++; }

private:
    static constexpr std::uint64_t block_size = 64; ///< from a source: ids stay near the order of time

    ExecutionId next_ = 1;
    ExecutionId end_ = std::numeric_limits<ExecutionId>::max();
    std::uint64_t low_at_ = 0;
    IdBlock spare_ = {};
    std::atomic<ExecutionId>* source_ = nullptr;
};

} // namespace daybook::inline v0::detail

#endif
