// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_REF_HPP
#define DAYBOOK_DETAIL_REF_HPP

/// @file
/// Immutable blocks shared by counting: a log hands them out under its lock without copying what is inside.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>

namespace daybook::inline v0::detail {

/// The count, and the way to free whatever is behind it.
class RefCounted {
public:
    RefCounted(const RefCounted&) = delete;
    RefCounted& operator=(const RefCounted&) = delete;

    void acquire() const noexcept { count_.fetch_add(1, std::memory_order_relaxed); }
    void release() const noexcept {
        if (count_.fetch_sub(1, std::memory_order_acq_rel) == 1) { destroy(); }
    }

    /// Memory that goes with the block, itself included.
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

protected:
    /// @param bytes  See bytes(); what exceeds 4 GB counts as that.
    explicit RefCounted(std::size_t bytes = 0) noexcept
        : bytes_{static_cast<std::uint32_t>(bytes < UINT32_MAX ? bytes : UINT32_MAX)} {}
    ~RefCounted() = default;

private:
    virtual void destroy() const noexcept = 0;

    mutable std::atomic<std::uint32_t> count_{1};
    std::uint32_t bytes_;
};

/// Owns one count of a block, or nothing. Constant expressions may have one that owns nothing.
template <class Block>
class Ref {
public:
    constexpr Ref() = default;
    /// Takes over the count that a new block starts with.
    explicit Ref(const Block* block) noexcept : block_{block} {}
    constexpr Ref(const Ref& other) noexcept : block_{other.block_} {
        if (block_ != nullptr) { block_->acquire(); }
    }
    constexpr Ref(Ref&& other) noexcept : block_{std::exchange(other.block_, nullptr)} {}
    template <class Derived>
    Ref(Ref<Derived>&& other) noexcept : block_{other.take()} {} // NOLINT(google-explicit-constructor): up-cast
    constexpr Ref& operator=(Ref other) noexcept {
        std::swap(block_, other.block_);
        return *this;
    }
    constexpr void swap(Ref& other) noexcept { std::swap(block_, other.block_); }
    constexpr ~Ref() {
        if (block_ != nullptr) { block_->release(); }
    }

    [[nodiscard]] constexpr const Block* get() const noexcept { return block_; }
    [[nodiscard]] const Block* take() noexcept { return std::exchange(block_, nullptr); }
    [[nodiscard]] constexpr explicit operator bool() const noexcept { return block_ != nullptr; }
    const Block* operator->() const noexcept { return block_; }
    const Block& operator*() const noexcept { return *block_; }

private:
    const Block* block_ = nullptr;
};

/// Text in one allocation with its count.
class TextBlock final : public RefCounted {
public:
    [[nodiscard]] static Ref<TextBlock> make(std::string_view text) {
        void* memory = ::operator new(sizeof(TextBlock) + text.size());
        auto* block = new (memory) TextBlock{text.size()};
        if (!text.empty()) { // an empty view may point nowhere
            std::memcpy(reinterpret_cast<char*>(memory) + sizeof(TextBlock), text.data(), text.size());
        }
        return Ref<TextBlock>{block};
    }

    [[nodiscard]] std::string_view text() const noexcept {
        return {reinterpret_cast<const char*>(this) + sizeof(TextBlock), bytes() - sizeof(TextBlock)};
    }

private:
    explicit TextBlock(std::size_t size) noexcept : RefCounted{sizeof(TextBlock) + size} {}
    void destroy() const noexcept override { ::operator delete(const_cast<TextBlock*>(this)); }
};

/// Any other value, for instance a job's result.
template <class Value>
class ValueBlock final : public RefCounted {
public:
    /// @param outside  Bytes that the value owns elsewhere.
    // Round brackets: in curly ones a nlohmann::json would become an array of itself.
    explicit ValueBlock(Value&& value, std::size_t outside = 0)
        : RefCounted{sizeof(ValueBlock) + outside}, value_(std::move(value)) {}
    [[nodiscard]] const Value& value() const noexcept { return value_; }

private:
    void destroy() const noexcept override { delete this; }

    Value value_;
};

} // namespace daybook::inline v0::detail

#endif
