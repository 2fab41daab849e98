// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_TEXT_SEARCH_HPP
#define DAYBOOK_DETAIL_TEXT_SEARCH_HPP

/// @file
/// Whether what a job said or returned has some text in it. Runs a codec, so never under a lock.

#include <daybook/detail/ref.hpp>
#include <daybook/log/result_codec.hpp>
#include <daybook/text/json_writer.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

namespace daybook::inline v0::detail {

[[nodiscard]] constexpr char lower_ascii(char letter) noexcept {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

/// A text to look for; ASCII letters match in either case.
class TextSearch {
public:
    explicit TextSearch(std::string_view wanted) : wanted_{wanted} {
        for (char& letter : wanted_) { letter = lower_ascii(letter); }
    }

    [[nodiscard]] bool is_empty() const noexcept { return wanted_.empty(); }

    [[nodiscard]] bool is_in(std::string_view text) const noexcept {
        const std::size_t size = wanted_.size();
        for (std::size_t at = 0; at + size <= text.size(); ++at) {
            std::size_t same = 0;
            while (same < size && lower_ascii(text[at + same]) == wanted_[same]) { ++same; }
            if (same == size) { return true; }
        }
        return false;
    }

private:
    std::string wanted_;
};

/// Says whether a block that holds a result has the text in it.
/// @param scratch  For the writing of results that are not text.
using ResultSearch = bool (*)(const RefCounted& result, const TextSearch& search, std::string& scratch);

/// Null where there is nothing to search: a job that returns nothing, or a type without a codec.
template <class Result>
[[nodiscard]] constexpr ResultSearch result_search() noexcept {
    if constexpr (std::is_same_v<Result, std::string>) {
        return [](const RefCounted& result, const TextSearch& search, std::string&) {
            return search.is_in(static_cast<const TextBlock&>(result).text());
        };
    } else if constexpr (!std::is_same_v<Result, std::monostate> && requires { sizeof(ResultCodec<Result>); }) {
        return [](const RefCounted& result, const TextSearch& search, std::string& scratch) {
            scratch.clear();
            {
                JsonWriter writer{scratch};
                ResultCodec<Result>::write_json(writer, static_cast<const ValueBlock<Result>&>(result).value());
            }
            return search.is_in(scratch);
        };
    } else {
        return nullptr;
    }
}

} // namespace daybook::inline v0::detail

#endif
