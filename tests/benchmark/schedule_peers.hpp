// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_BENCHMARK_SCHEDULE_PEERS_HPP
#define DAYBOOK_TESTS_BENCHMARK_SCHEDULE_PEERS_HPP

/// @file
/// Other cron libraries behind one interface, those whose sources CMake was told of; see README.md. None by default.

#include <cstddef>
#include <ctime>
#include <stdexcept>
#include <string>

#ifdef DAYBOOK_PEER_CRONCPP
#include <croncpp.h>
#endif
#ifdef DAYBOOK_PEER_CCRONEXPR
#include <ccronexpr.h>
#endif
#ifdef DAYBOOK_PEER_LIBCRON
#include <chrono>
#include <libcron/CronData.h>
#include <libcron/CronSchedule.h>
#endif

namespace daybook_benchmark {

#ifdef DAYBOOK_PEER_CRONCPP
struct CroncppPeer {
    static constexpr const char* name = "croncpp";
    using Schedule = cron::cronexpr;

    /// It counts in the time of the process.
    CroncppPeer() {
        setenv("TZ", "UTC0", 1);
        tzset();
    }
    static Schedule parse(const std::string& text) { return cron::make_cron(text); }
    static std::time_t next(Schedule& schedule, std::time_t after) { return cron::cron_next(schedule, after); }
};
#endif

#ifdef DAYBOOK_PEER_CCRONEXPR
struct CcronexprPeer {
    static constexpr const char* name = DAYBOOK_PEER_CCRONEXPR; // the folder's: forks share the file names
    using Schedule = cron_expr;

    static Schedule parse(const std::string& text) {
        Schedule schedule;
        const char* error = nullptr;
        cron_parse_expr(text.c_str(), &schedule, &error);
        if (error != nullptr) { throw std::invalid_argument(error); }
        return schedule;
    }
    static std::time_t next(Schedule& schedule, std::time_t after) { return cron_next(&schedule, after); }
};
#endif

#ifdef DAYBOOK_PEER_LIBCRON
struct LibcronPeer {
    static constexpr const char* name = "libcron";
    using Schedule = libcron::CronData;

    /// It keeps what it has parsed, by the text; blanks at the end make each text a new one.
    static Schedule parse(const std::string& text) {
        static std::size_t count = 0;
        std::string fresh = text + ' ';
        for (std::size_t left = ++count; left != 0; left /= 2) { fresh += left % 2 == 0 ? ' ' : '\t'; }
        return Schedule::create(fresh);
    }
    static std::time_t next(Schedule& schedule, std::time_t after) {
        using std::chrono::system_clock;
        const libcron::CronSchedule search{schedule};
        // It takes the start for a match too.
        const auto [found, at] = search.calculate_from(system_clock::from_time_t(after + 1));
        return found ? system_clock::to_time_t(at) : -1;
    }
};
#endif

/// Calls `visit` with a value of each peer.
template <class Visitor>
void for_each_peer([[maybe_unused]] Visitor visit) {
#ifdef DAYBOOK_PEER_CRONCPP
    visit(CroncppPeer{});
#endif
#ifdef DAYBOOK_PEER_CCRONEXPR
    visit(CcronexprPeer{});
#endif
#ifdef DAYBOOK_PEER_LIBCRON
    visit(LibcronPeer{});
#endif
}

} // namespace daybook_benchmark

#endif
