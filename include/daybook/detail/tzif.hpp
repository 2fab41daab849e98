// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_TZIF_HPP
#define DAYBOOK_DETAIL_TZIF_HPP

/// @file
/// Reads the time zone information format, TZif versions 1 to 4 (RFC 8536, RFC 9636), from bytes that nobody vouches
/// for.

#include <daybook/detail/calendar.hpp>
#include <daybook/detail/posix_tz.hpp>
#include <daybook/detail/zone_data.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace daybook::inline v0::detail {

class TzifReader {
public:
    TzifReader(std::string_view bytes, std::string_view name) : bytes_{bytes}, name_{name} {}

    /// @throws std::invalid_argument  The bytes are no TZif data; the message names the zone and says why.
    [[nodiscard]] std::unique_ptr<ZoneData> read() {
        Header header = read_header();
        if (header.version == '\0') {
            auto zone = read_block(header, 4);
            zone->build_index();
            return zone;
        }
        if (header.version < '2') { fail("its version is unknown"); }
        skip(block_size(header, 4));
        header = read_header();
        auto zone = read_block(header, 8);
        apply_footer(*zone, header);
        return zone;
    }

private:
    struct Header {
        char version = '\0';
        std::size_t ut_flags = 0;
        std::size_t standard_flags = 0;
        std::size_t leap_seconds = 0;
        std::size_t transitions = 0;
        std::size_t types = 0;
        std::size_t letters = 0;
    };

    [[noreturn]] void fail(std::string_view why) const {
        throw std::invalid_argument("time zone '" + std::string{name_} + "' cannot be read: " + std::string{why});
    }

    void need(std::size_t count) const {
        if (bytes_.size() - at_ < count) { fail("the file is cut short"); }
    }

    void skip(std::size_t count) {
        need(count);
        at_ += count;
    }

    [[nodiscard]] unsigned char byte(std::size_t at) const noexcept { return static_cast<unsigned char>(bytes_[at]); }

    /// A big-endian number in two's complement; the caller has asked for the bytes.
    [[nodiscard]] std::int64_t number(std::size_t at, std::size_t size) const noexcept {
        std::uint64_t value = byte(at) >= 0x80U ? ~std::uint64_t{0} : 0;
        for (std::size_t i = 0; i < size; ++i) { value = value << 8U | byte(at + i); }
        return static_cast<std::int64_t>(value);
    }

    [[nodiscard]] Header read_header() {
        need(44);
        if (bytes_.substr(at_, 4) != "TZif") { fail("it is not a TZif file"); }
        Header header;
        header.version = bytes_[at_ + 4];
        std::size_t* const counts[] = {&header.ut_flags,    &header.standard_flags, &header.leap_seconds,
                                       &header.transitions, &header.types,          &header.letters};
        std::size_t at = at_ + 20;
        for (std::size_t* const count : counts) {
            // Nothing can be more numerous than the bytes; this bounds every product and sum below.
            const std::int64_t value = number(at, 4);
            if (value < 0 || static_cast<std::uint64_t>(value) > bytes_.size()) { fail("a count exceeds the file"); }
            *count = static_cast<std::size_t>(value);
            at += 4;
        }
        at_ = at;
        return header;
    }

    [[nodiscard]] static std::size_t block_size(const Header& header, std::size_t time_size) noexcept {
        return header.transitions * (time_size + 1) + header.types * 6 + header.letters +
               header.leap_seconds * (time_size + 4) + header.standard_flags + header.ut_flags;
    }

    [[nodiscard]] std::int32_t type_offset(std::size_t types, std::size_t index) const {
        const std::int64_t offset = number(types + index * 6, 4);
        if (offset <= -25 * 3600 || offset >= 26 * 3600) { fail("an offset is beyond -25 to 26 hours"); }
        return static_cast<std::int32_t>(offset);
    }

    [[nodiscard]] std::unique_ptr<ZoneData> read_block(const Header& header, std::size_t time_size) {
        const std::size_t size = block_size(header, time_size);
        need(size);
        if (header.types == 0) { fail("it has no local time type"); }
        if (header.leap_seconds != 0) { fail("it counts leap seconds, which system time does not"); }
        const std::size_t times = at_;
        const std::size_t indices = times + header.transitions * time_size;
        const std::size_t types = indices + header.transitions;
        auto zone = std::make_unique<ZoneData>(std::string{name_}, type_offset(types, 0));
        for (std::size_t i = 0; i < header.transitions; ++i) {
            const std::int64_t at = number(times + i * time_size, time_size);
            if (at < -furthest || at > furthest) { fail("a transition lies beyond all time"); }
            if (i != 0 && at <= last_) { fail("its transitions are out of order"); }
            last_ = at;
            const std::size_t type = byte(indices + i);
            if (type >= header.types) { fail("a transition names a type that does not exist"); }
            zone->add_transition(at, type_offset(types, type));
        }
        at_ += size;
        return zone;
    }

    void apply_footer(ZoneData& zone, const Header& header) {
        if (at_ == bytes_.size() || bytes_[at_] != '\n') { fail("the footer is missing"); }
        const std::size_t end = bytes_.find('\n', at_ + 1);
        if (end == std::string_view::npos) { fail("the footer is cut short"); }
        const std::string_view text = bytes_.substr(at_ + 1, end - at_ - 1);
        if (text.empty()) {
            zone.build_index();
            return;
        }
        const std::optional<PosixTz> rule = PosixTzParser{text}.parse();
        if (!rule) { fail("its footer is no POSIX rule"); }
        if (header.transitions == 0) {
            zone.add_transition(-furthest, rule->standard);
            rule->extend(zone, first_rule_year, -furthest);
        } else if (last_ < latest_rule) {
            const std::int64_t from = std::max(last_, -latest_rule);
            rule->extend(zone, civil_from_days(floor_divide(from, seconds_per_day)).year, last_);
        }
        zone.build_index();
    }

    /// zic writes the Big Bang as -2^59; beyond this, instants could not be moved by an offset or a cycle.
    static constexpr std::int64_t furthest = std::int64_t{1} << 60U;
    static constexpr std::int64_t latest_rule = std::int64_t{1} << 40U;
    static constexpr std::int64_t first_rule_year = 1900;

    std::string_view bytes_;
    std::string_view name_;
    std::size_t at_ = 0;
    std::int64_t last_ = std::numeric_limits<std::int64_t>::min();
};

} // namespace daybook::inline v0::detail

#endif
