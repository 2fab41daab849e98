// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_FLEET_JOURNAL_HPP
#define DAYBOOK_TESTS_FLEET_JOURNAL_HPP

/// @file
/// What a worker has really done, whatever the database says: a line for the begin and the end of each body, in a file
/// that knows nothing of the library. A line that was written stays, however the process ends.

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace fleet {

/// Microseconds of a clock that all processes of the machine share and nobody sets.
[[nodiscard]] inline std::int64_t monotonic_us() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

[[nodiscard]] inline std::int64_t wall_us() {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

/// One line.
struct Entry {
    /// `start` and `stop` are of the process, and the others of a body.
    enum class What : char { start = 'S', begin = 'B', end = 'E', stop = 'Q' };

    What what = What::begin;
    std::string job = "-";
    std::uint64_t execution = 0;
    std::uint32_t attempt = 0;
    std::int64_t nominal_us = 0;
    std::int64_t at_us = 0; ///< monotonic
    std::string word = "-"; ///< how it ended: success, error, stopped; of the process: what there is to say
};

class Journal {
public:
    explicit Journal(const std::string& path)
        : file_{::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)} {
        if (file_ < 0) { throw std::runtime_error{"cannot write " + path}; }
    }
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;
    ~Journal() { ::close(file_); }

    /// One write: lines of several threads do not mix, and what is written outlives the process.
    void write(const Entry& entry) const {
        std::ostringstream text;
        text << static_cast<char>(entry.what) << ' ' << entry.job << ' ' << entry.execution << ' ' << entry.attempt
             << ' ' << entry.nominal_us << ' ' << entry.at_us << ' ' << entry.word << '\n';
        const std::string line = text.str();
        if (::write(file_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) { ::_exit(70); }
    }

    /// All lines that are whole.
    [[nodiscard]] static std::vector<Entry> read(const std::string& path) {
        std::ifstream file{path};
        std::vector<Entry> entries;
        for (std::string line; std::getline(file, line) && !file.eof();) {
            std::istringstream words{line};
            Entry entry;
            char what = ' ';
            words >> what >> entry.job >> entry.execution >> entry.attempt >> entry.nominal_us >> entry.at_us >>
                entry.word;
            if (!words) { throw std::runtime_error{path + ": a line is not one of a journal: " + line}; }
            entry.what = static_cast<Entry::What>(what);
            entries.push_back(entry);
        }
        return entries;
    }

private:
    int file_;
};

} // namespace fleet

#endif
