// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_TAIL_BUFFER_HPP
#define DAYBOOK_DETAIL_TAIL_BUFFER_HPP

/// @file
/// The end of a stream of text, in bounded memory.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace daybook::inline v0::detail {

/// The last `max_bytes` of `text`, with "[cut: N bytes in all] … " in front where something is missing; the mark counts
/// within `max_bytes`, and is left out where it would not fit. Never begins inside a UTF-8 sequence.
/// @param total  The length of the text that `text` is the end of.
inline std::string last_bytes(std::string_view text, std::size_t max_bytes, std::uint64_t total) {
    if (total <= max_bytes && text.size() == total) { return std::string{text}; }
    auto mark = "[cut: " + std::to_string(total) + " bytes in all] … ";
    if (mark.size() >= max_bytes) { mark.clear(); }
    const auto keep = max_bytes - mark.size();
    if (text.size() > keep) { text.remove_prefix(text.size() - keep); }
    for (int skipped = 0; skipped < 3 && !text.empty() && (static_cast<unsigned char>(text.front()) & 0xC0U) == 0x80U;
         ++skipped) {
        text.remove_prefix(1);
    }
    return mark.append(text);
}

/// Keeps the last bytes of what is appended, in at most twice that much memory and one chunk; appending costs O(1) for
/// a byte, amortised.
class TailBuffer {
public:
    explicit TailBuffer(std::size_t max_bytes) : max_bytes_{max_bytes} {}

    void append(std::string_view chunk) {
        total_ += chunk.size();
        if (chunk.size() >= max_bytes_) {
            kept_.assign(chunk.substr(chunk.size() - max_bytes_));
            return;
        }
        kept_.append(chunk);
        if (kept_.size() > max_bytes_ && kept_.size() - max_bytes_ > max_bytes_) {
            kept_.erase(0, kept_.size() - max_bytes_);
        }
    }

    /// How many bytes were appended, kept or not.
    [[nodiscard]] std::uint64_t total() const noexcept { return total_; }

    /// What last_bytes() says of it.
    [[nodiscard]] std::string text() const { return last_bytes(kept_, max_bytes_, total_); }

private:
    std::size_t max_bytes_;
    std::uint64_t total_ = 0;
    std::string kept_ = {};
};

} // namespace daybook::inline v0::detail

#endif
