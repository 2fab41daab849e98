// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_SUPPORT_ZONES_HPP
#define DAYBOOK_TESTS_SUPPORT_ZONES_HPP

/// @file
/// The files of the system's database of time zones.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace support {

inline std::string read_all(const std::filesystem::path& path) {
    std::ifstream stream{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{stream}, std::istreambuf_iterator<char>{}};
}

/// The names of all zones below a folder, ordered; `right` counts leap seconds, `posix` says all of it again.
inline std::vector<std::string> zone_names(const std::filesystem::path& root) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator{root}) {
        const std::string name = entry.path().lexically_relative(root).generic_string();
        if (name.starts_with("right/") || name.starts_with("posix/") || name == "localtime") { continue; }
        if (entry.is_regular_file() && read_all(entry.path()).starts_with("TZif")) { names.push_back(name); }
    }
    std::sort(names.begin(), names.end());
    return names;
}

} // namespace support

#endif
