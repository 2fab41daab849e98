// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_PINNED_NAMES_HPP
#define DAYBOOK_DETAIL_PINNED_NAMES_HPP

/// @file
/// Names that stay interned in a log while somebody records under them.

#include <daybook/detail/log_core.hpp>
#include <daybook/detail/log_entries.hpp>

#include <memory>
#include <utility>

namespace daybook::inline v0::detail {

/// Three names interned for as long as this object lives: what records often keeps one.
class PinnedNames {
public:
    PinnedNames(std::shared_ptr<LogCore> core, const HashedNames& names)
        : core_{std::move(core)}, refs_{core_->acquire(names)} {}
    PinnedNames(const PinnedNames&) = delete;
    PinnedNames& operator=(const PinnedNames&) = delete;
    ~PinnedNames() { core_->release(refs_); }

    [[nodiscard]] const NameRefs& refs() const noexcept { return refs_; }

private:
    std::shared_ptr<LogCore> core_;
    NameRefs refs_;
};

} // namespace daybook::inline v0::detail

#endif
