// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_TIMESTAMP_MEMO_HPP
#define DAYBOOK_DETAIL_TIMESTAMP_MEMO_HPP

/// @file
/// Instants as text, of which most are in the second of the one before: a list of records has two to four of a record.

#include <daybook/text/timestamp.hpp>
#include <daybook/types.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace daybook::inline v0::detail {

/// As write_timestamp, in less than half of its time when the date and the time of day need not be written anew.
class TimestampMemo {
public:
    char* write(char* to, sys_time instant) noexcept {
        // Unsigned: there are instants that are further apart than a duration can say.
        const auto micro = static_cast<std::uint64_t>(instant.time_since_epoch().count()) - second_;
        if (micro >= 1'000'000) { return write_anew(to, instant); }
        std::memcpy(to, text_.data(), text_.size());
        return write_micros(to + text_.size(), static_cast<std::uint32_t>(micro));
    }

private:
    char* write_anew(char* to, sys_time instant) noexcept {
        char* const end = write_timestamp(to, instant);
        if (instant >= min_timestamp && instant <= max_timestamp) {
            const auto second = std::chrono::floor<std::chrono::seconds>(instant);
            second_ = static_cast<std::uint64_t>(sys_time{second}.time_since_epoch().count());
            std::memcpy(text_.data(), to, text_.size());
        }
        return end;
    }

    static constexpr std::size_t length = timestamp_length - std::size_t{7}; // six digits and the zone

    std::uint64_t second_ = 0; ///< microseconds since the epoch, of which `text_` is the text with the point
    std::array<char, length> text_{'1', '9', '7', '0', '-', '0', '1', '-', '0', '1',
                                   'T', '0', '0', ':', '0', '0', ':', '0', '0', '.'};
};

} // namespace daybook::inline v0::detail

#endif
