// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_PROCESS_GROUP_HPP
#define DAYBOOK_DETAIL_PROCESS_GROUP_HPP

/// @file
/// Whether a process group has members that can still do something (POSIX).

#if !defined(_WIN32)

#include <daybook/detail/unique_fd.hpp>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <dirent.h>
#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

namespace daybook::inline v0::detail {

/// Whether a line of /proc/PID/stat is that of a process in `group` that has not ended. The name, in parentheses, may
/// contain anything; state, parent and group follow it.
inline bool is_living_member(std::string_view stat, pid_t group) {
    const auto name_end = stat.rfind(')');
    if (name_end == std::string_view::npos || stat.size() < name_end + 5) { return false; }
    const char state = stat[name_end + 2];
    if (state == 'Z' || state == 'X') { return false; }
    const auto parent_end = stat.find(' ', name_end + 4);
    if (parent_end == std::string_view::npos) { return false; }
    pid_t found = 0;
    std::from_chars(stat.data() + parent_end + 1, stat.data() + stat.size(), found);
    return found == group;
}

/// Whether no process of the group is left, zombies aside: in a container whose first process does not reap, or reaps
/// seldom, they stay, and kill() counts them. O(processes of the machine), but only while there is something to count.
inline bool group_has_ended(pid_t group) {
    if (::kill(-group, 0) != 0) { return errno == ESRCH; }
#if defined(__linux__)
    const std::unique_ptr<DIR, int (*)(DIR*)> processes{::opendir("/proc"), &::closedir};
    if (!processes) { return false; }
    bool saw_any = false;
    while (const auto* entry = ::readdir(processes.get())) {
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9') { continue; }
        const UniqueFd file{::open(("/proc/" + std::string{entry->d_name} + "/stat").c_str(), O_RDONLY | O_CLOEXEC)};
        if (!file) { continue; }
        std::array<char, 256> text = {};
        const auto length = ::read(file.get(), text.data(), text.size());
        if (length <= 0) { continue; }
        saw_any = true;
        if (is_living_member({text.data(), static_cast<std::size_t>(length)}, group)) { return false; }
    }
    return saw_any;
#else
    return false;
#endif
}

} // namespace daybook::inline v0::detail

#endif

#endif
