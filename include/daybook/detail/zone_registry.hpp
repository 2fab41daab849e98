// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_ZONE_REGISTRY_HPP
#define DAYBOOK_DETAIL_ZONE_REGISTRY_HPP

/// @file
/// The zones this process has loaded, each once, and where they come from.

#include <daybook/detail/chrono_zone.hpp>
#include <daybook/detail/posix_tz.hpp>
#include <daybook/detail/tzif.hpp>
#include <daybook/detail/zone_data.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#if !defined(_WIN32)
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace daybook::inline v0::detail {

/// The bytes of a regular file of at most 1 MiB; nothing where there is none.
[[nodiscard]] inline std::optional<std::string> read_zone_file(const std::string& path) {
#if !defined(_WIN32)
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) { return std::nullopt; } // a pipe would block
#endif
    struct Closer {
        void operator()(std::FILE* file) const noexcept { std::fclose(file); }
    };
    const std::unique_ptr<std::FILE, Closer> file{std::fopen(path.c_str(), "rb")};
    if (!file) { return std::nullopt; }
    constexpr std::size_t limit = std::size_t{1} << 20U;
    std::string bytes;
    std::array<char, 4096> part{};
    while (bytes.size() <= limit) {
        const std::size_t count = std::fread(part.data(), 1, part.size(), file.get());
        if (count == 0) { break; }
        bytes.append(part.data(), count);
    }
    if (bytes.size() > limit || std::ferror(file.get()) != 0) { return std::nullopt; }
    return bytes;
}

/// Whether a name stays inside the directory of zones: letters, digits, `_ + - .` in parts that do not begin with a
/// dot.
[[nodiscard]] inline bool is_zone_name(std::string_view name) noexcept {
    if (name.empty() || name.size() > 255 || name.back() == '/') { return false; }
    char previous = '/';
    for (const char c : name) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                           c == '+' || c == '-';
        if (!plain && (previous == '/' || (c != '.' && c != '/'))) { return false; }
        previous = c;
    }
    return true;
}

/// Seconds east of UTC for `+2`, `+02`, `+0230`, `+02:30` and the same after `UTC`; nothing for other texts.
[[nodiscard]] constexpr std::optional<std::int32_t> parse_fixed_offset(std::string_view text) noexcept {
    if (text.starts_with("UTC")) { text.remove_prefix(3); }
    if (text.size() < 2 || (text[0] != '+' && text[0] != '-')) { return std::nullopt; }
    const bool west = text[0] == '-';
    text.remove_prefix(1);
    std::array<std::int32_t, 4> digits{};
    std::size_t count = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == ':' && i == 2 && text.size() == 5) { continue; }
        if (text[i] < '0' || text[i] > '9' || count == digits.size()) { return std::nullopt; }
        digits[count++] = text[i] - '0';
    }
    if (count == 3) { return std::nullopt; }
    const std::int32_t hours = count == 1 ? digits[0] : digits[0] * 10 + digits[1];
    const std::int32_t minutes = digits[2] * 10 + digits[3];
    if (hours > 23 || minutes > 59) { return std::nullopt; }
    return (west ? -1 : 1) * (hours * 3600 + minutes * 60);
}

[[nodiscard]] inline std::string fixed_offset_name(std::int32_t offset) {
    const std::int32_t size = (offset < 0 ? -offset : offset) / 60;
    std::string name{offset < 0 ? "-00:00" : "+00:00"};
    const auto digit = [](std::int32_t value) { return static_cast<char>('0' + value % 10); };
    name[1] = digit(size / 600);
    name[2] = digit(size / 60);
    name[4] = digit(size % 60 / 10);
    name[5] = digit(size % 60);
    return name;
}

/// @par Thread safety
/// Shared objects: safe.
class ZoneRegistry {
public:
    /// Lives to the very end of the process, so that a schedule in a static object may still use its zone.
    [[nodiscard]] static ZoneRegistry& instance() {
        static auto* const registry = new ZoneRegistry;
        return *registry;
    }

    /// Never null; the same pointer for the same name. @throws std::invalid_argument  No such zone.
    [[nodiscard]] const ZoneData* find(std::string_view name) {
        const std::scoped_lock lock{mutex_};
        if (const auto known = zones_.find(name); known != zones_.end()) { return known->second.get(); }
        if (!is_zone_name(name)) { throw std::invalid_argument(unknown(name) + ": that is no name of a zone"); }
        return keep(load(name));
    }

    /// Never null. `seconds` east of UTC.
    [[nodiscard]] const ZoneData* fixed(std::int32_t seconds) {
        std::string name = fixed_offset_name(seconds);
        const std::scoped_lock lock{mutex_};
        if (const auto known = zones_.find(name); known != zones_.end()) { return known->second.get(); }
        return keep(std::make_unique<ZoneData>(std::move(name), seconds));
    }

    /// A file of the host's choice, by its path; null where there is none.
    [[nodiscard]] const ZoneData* file(const std::string& path) {
        const std::scoped_lock lock{mutex_};
        if (const auto known = zones_.find(path); known != zones_.end()) { return known->second.get(); }
        const std::optional<std::string> bytes = read_zone_file(path);
        return bytes ? keep(TzifReader{*bytes, path}.read()) : nullptr;
    }

    /// A rule of the TZ variable; null where the text is none.
    [[nodiscard]] const ZoneData* rule(std::string_view text) {
        const std::scoped_lock lock{mutex_};
        if (const auto known = zones_.find(text); known != zones_.end()) { return known->second.get(); }
        const std::optional<PosixTz> parsed = PosixTzParser{text}.parse();
        if (!parsed) { return nullptr; }
        auto zone = std::make_unique<ZoneData>(std::string{text}, parsed->standard);
        parsed->extend(*zone, 1900, std::numeric_limits<std::int64_t>::min());
        zone->build_index();
        return keep(std::move(zone));
    }

private:
    [[nodiscard]] static std::string unknown(std::string_view name) {
        return "unknown time zone '" + std::string{name} + "'";
    }

    [[nodiscard]] static std::unique_ptr<ZoneData> load(std::string_view name) {
        const char* const chosen = std::getenv("TZDIR");
        if (chosen != nullptr && *chosen != '\0') {
            const auto bytes = read_zone_file(std::string{chosen} + "/" + std::string{name});
            if (!bytes) { throw std::invalid_argument(unknown(name) + ": no such file in TZDIR, " + chosen); }
            return TzifReader{*bytes, name}.read();
        }
#if defined(_WIN32)
        if (auto zone = read_chrono_zone(name)) { return zone; }
        throw std::invalid_argument(unknown(name) + ": the standard library has no such zone, and TZDIR is not set");
#else
        for (const char* const directory : {"/usr/share/zoneinfo/", "/usr/lib/zoneinfo/", "/usr/share/lib/zoneinfo/"}) {
            const auto bytes = read_zone_file(directory + std::string{name});
            if (bytes) { return TzifReader{*bytes, name}.read(); }
        }
        throw std::invalid_argument(unknown(name) + ": no such file in /usr/share/zoneinfo (is tzdata installed?)");
#endif
    }

    const ZoneData* keep(std::unique_ptr<const ZoneData> zone) {
        std::string name = zone->name();
        return zones_.emplace(std::move(name), std::move(zone)).first->second.get();
    }

    std::mutex mutex_;
    std::map<std::string, std::unique_ptr<const ZoneData>, std::less<>> zones_; // guarded by mutex_
};

/// What the symbolic link at `path` says; empty where it is none.
[[nodiscard]] inline std::string read_link([[maybe_unused]] const char* path) {
#if !defined(_WIN32)
    std::array<char, 4096> target{};
    const auto size = ::readlink(path, target.data(), target.size());
    if (size > 0) { return {target.data(), static_cast<std::size_t>(size)}; }
#endif
    return {};
}

} // namespace daybook::inline v0::detail

#endif
