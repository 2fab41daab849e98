// SPDX-License-Identifier: MIT
#include <daybook/time/time_zone.hpp>

#include "support/catch.hpp"
#include "support/zones.hpp"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using daybook::LocalKind;
using daybook::TimeZone;
using daybook::detail::TzifReader;
using std::chrono::local_days;
using std::chrono::local_seconds;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::sys_seconds;
using support::read_all;

std::string big_endian(std::int64_t value, int size) {
    std::string bytes;
    for (int i = size - 1; i >= 0; --i) { bytes += static_cast<char>(value >> (8 * i) & 0xFF); }
    return bytes;
}

struct Transition {
    std::int64_t at;
    int type;
};

std::string header(char version, std::size_t leaps, std::size_t transitions, std::size_t types, std::size_t letters) {
    std::string bytes = "TZif";
    bytes += version;
    bytes.append(15, '\0');
    for (const std::size_t count : {std::size_t{0}, std::size_t{0}, leaps, transitions, types, letters}) {
        bytes += big_endian(static_cast<std::int64_t>(count), 4);
    }
    return bytes;
}

std::string block(const std::vector<Transition>& transitions, const std::vector<int>& offsets, int time_size) {
    std::string bytes;
    for (const auto& transition : transitions) { bytes += big_endian(transition.at, time_size); }
    for (const auto& transition : transitions) { bytes += static_cast<char>(transition.type); }
    for (const int offset : offsets) { bytes += big_endian(offset, 4) + std::string(2, '\0'); }
    return bytes + std::string("LMT\0", 4);
}

std::string file_of(char version, const std::vector<Transition>& transitions, const std::vector<int>& offsets,
                    std::string_view footer) {
    if (version == '\0') {
        return header(version, 0, transitions.size(), offsets.size(), 4) + block(transitions, offsets, 4);
    }
    return header(version, 0, 0, 1, 4) + block({}, {0}, 4) + header(version, 0, transitions.size(), offsets.size(), 4) +
           block(transitions, offsets, 8) + "\n" + std::string{footer} + "\n";
}

std::string complaint(std::string_view bytes) {
    try {
        (void)TzifReader{bytes, "Test/Zone"}.read();
    } catch (const std::invalid_argument& error) { return error.what(); }
    return "";
}

const std::string berlin_file = "/usr/share/zoneinfo/Europe/Berlin";

sys_seconds utc(std::chrono::year_month_day day, seconds time = 0s) { return sys_seconds{sys_days{day}} + time; }
local_seconds local(std::chrono::year_month_day day, seconds time = 0s) {
    return local_seconds{local_days{day}} + time;
}

/// Sets an environment variable, and puts it back.
class Environment {
public:
    Environment(const char* name, const char* value) : name_{name} {
        if (const char* const before = std::getenv(name); before != nullptr) { before_ = before; }
        change(value);
    }
    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;
    ~Environment() { change(before_ ? before_->c_str() : nullptr); }

private:
    void change(const char* value) {
        if (value != nullptr) {
            ::setenv(name_, value, 1);
        } else {
            ::unsetenv(name_);
        }
    }
    const char* name_;
    std::optional<std::string> before_;
};

std::vector<std::string> all_zone_names() { return support::zone_names("/usr/share/zoneinfo"); }

} // namespace

TEST_CASE("a zone is UTC unless it is told otherwise") {
    constexpr TimeZone zone;
    STATIC_REQUIRE(zone.is_utc());
    CHECK(zone.name() == "UTC");
    CHECK(zone.offset_at(sys_seconds{}) == daybook::OffsetInterval{});
    for (const char* const name : {"", "UTC", "Z", "Etc/UTC", "Zulu", "+00:00", "UTC-0"}) {
        INFO(name);
        CHECK(TimeZone::find(name) == zone);
    }
}

TEST_CASE("a fixed offset counts eastwards, in any of its spellings") {
    for (const char* const name : {"+2", "+02", "+0200", "+02:00", "UTC+2", "UTC+02:00"}) {
        INFO(name);
        CHECK(TimeZone::find(name).offset_at(sys_seconds{}).offset == 2h);
        CHECK(TimeZone::find(name) == TimeZone::find("+02:00"));
    }
    CHECK(TimeZone::find("-0530").offset_at(sys_seconds{}).offset == -(5h + 30min));
    CHECK(TimeZone::find("-0530").name() == "-05:30");
    CHECK(TimeZone::find("+23:59").offset_at(sys_seconds{}).offset == 23h + 59min);
}

TEST_CASE("what is no zone is refused with its name") {
    for (const std::string name :
         {"Europe/Atlantis", "../../../etc/passwd", "/etc/passwd", "Europe/../Europe/Berlin", "Europe//Berlin",
          "Europe/Berlin/", "Europe", ".", "Europe/.hidden", "+24:00", "+1:30", "+00:60", "+", "UTC+", "UTC+123",
          "Europe/Ber lin", "zone.tab", "tzdata.zi", "posixrules/"}) {
        INFO(name);
        try {
            (void)TimeZone::find(name);
            FAIL_CHECK("it was accepted");
        } catch (const std::invalid_argument& error) {
            CHECK(std::string{error.what()}.find("'" + name + "'") != std::string::npos);
        }
    }
    CHECK_THROWS_AS(TimeZone::find(std::string(300, 'a')), std::invalid_argument);
    CHECK_THROWS_AS(TimeZone::find(std::string_view("UTC\0x", 5)), std::invalid_argument);
}

TEST_CASE("a zone is loaded once, however many threads ask for it") {
    std::vector<TimeZone> found(8);
    std::vector<std::thread> threads;
    for (auto& zone : found) {
        threads.emplace_back([&zone] {
            for (int i = 0; i < 100; ++i) {
                zone = TimeZone::find("Asia/Kathmandu");
                (void)zone.offset_at(sys_seconds{seconds{i * 10'000'000}});
            }
        });
    }
    for (auto& thread : threads) { thread.join(); }
    for (const TimeZone zone : found) { CHECK(zone == found[0]); }
    CHECK(found[0].name() == "Asia/Kathmandu");
    CHECK_FALSE(found[0] == TimeZone::find("Europe/Berlin"));
}

TEST_CASE("an offset comes with the stretch of time in which it holds") {
    const auto zone = TimeZone::find("Europe/Berlin");
    const auto summer = zone.offset_at(utc(2026y / 7 / 1));
    CHECK(summer.offset == 2h);
    CHECK(summer.begin == utc(2026y / 3 / 29, 1h));
    CHECK(summer.end == utc(2026y / 10 / 25, 1h));
    CHECK(zone.offset_at(summer.begin - 1s).offset == 1h);
    CHECK(zone.offset_at(summer.begin) == summer);
    CHECK(zone.offset_at(summer.end - 1s) == summer);
    CHECK(zone.offset_at(summer.end).offset == 1h);
    CHECK(zone.offset_at(summer.end).begin == summer.end);
    CHECK(zone.offset_at(utc(1700y / 1 / 1)).begin == sys_seconds::min());
    CHECK(TimeZone::find("Asia/Tokyo").offset_at(utc(2026y / 1 / 1)).end == sys_seconds::max());
}

TEST_CASE("the rule in the footer holds for all years to come") {
    const auto zone = TimeZone::find("America/New_York");
    for (const int year : {2038, 2100, 2299, 2437, 2438, 2839, 3000, 9999, 30000}) {
        const std::chrono::year y{year};
        INFO(year);
        const auto summer = zone.offset_at(sys_seconds{sys_days{y / 7 / 1}});
        CHECK(summer.offset == -4h);
        CHECK(summer.begin == sys_seconds{sys_days{y / 3 / std::chrono::Sunday[2]}} + 7h);
        CHECK(summer.end == sys_seconds{sys_days{y / 11 / std::chrono::Sunday[1]}} + 6h);
        CHECK(zone.offset_at(summer.end).begin == summer.end);
    }
}

TEST_CASE("a local time comes once, never or twice") {
    const auto zone = TimeZone::find("Europe/Berlin");
    const auto once = zone.to_sys(local(2026y / 7 / 1, 12h));
    CHECK(once.kind == LocalKind::unique);
    CHECK(once.first == utc(2026y / 7 / 1, 10h));
    CHECK(once.second == once.first);

    const auto gap = zone.to_sys(local(2026y / 3 / 29, 2h + 30min));
    CHECK(gap.kind == LocalKind::gap);
    CHECK(gap.first == utc(2026y / 3 / 29, 1h));
    CHECK(zone.to_sys(local(2026y / 3 / 29, 2h)).kind == LocalKind::gap);
    CHECK(zone.to_sys(local(2026y / 3 / 29, 2h) - 1s).kind == LocalKind::unique);
    CHECK(zone.to_sys(local(2026y / 3 / 29, 3h)).kind == LocalKind::unique);

    const auto twice = zone.to_sys(local(2026y / 10 / 25, 2h + 30min));
    CHECK(twice.kind == LocalKind::twice);
    CHECK(twice.first == utc(2026y / 10 / 25, 30min));
    CHECK(twice.second == utc(2026y / 10 / 25, 1h + 30min));
    CHECK(zone.to_sys(local(2026y / 10 / 25, 3h)).kind == LocalKind::unique);
}

TEST_CASE("a day that a zone left out is a gap") {
    const auto gap = TimeZone::find("Pacific/Apia").to_sys(local(2011y / 12 / 30, 12h));
    CHECK(gap.kind == LocalKind::gap);
    CHECK(gap.first == utc(2011y / 12 / 30, 10h));
}

TEST_CASE("local time keeps the resolution of the instant") {
    const auto zone = TimeZone::find("Asia/Kolkata");
    CHECK(zone.to_local(utc(2026y / 1 / 1)) == local(2026y / 1 / 1, 5h + 30min));
    CHECK(zone.to_local(sys_days{2026y / 1 / 1} + 1ms) == local(2026y / 1 / 1, 5h + 30min) + 1ms);
    CHECK(zone.to_local(sys_days{1960y / 1 / 1} - 1us) == local(1960y / 1 / 1, 5h + 30min) - 1us);
}

TEST_CASE("the ends of time are no trouble, whatever the zone") {
    const auto* const rule = daybook::detail::ZoneRegistry::instance().rule("CET-1CEST,M3.5.0,M10.5.0/3");
    REQUIRE(rule != nullptr);
    const std::int64_t first = sys_seconds::min().time_since_epoch().count();
    const std::int64_t last = sys_seconds::max().time_since_epoch().count();
    CHECK(rule->span_at(last).end == last);
    CHECK(rule->span_near(last).offset == rule->span_at(last - 1).offset);
    CHECK(rule->span_at(first).offset == 3600);
    for (const char* const name : {"UTC", "Europe/Berlin", "Pacific/Kiritimati", "-11:00", "+14:00"}) {
        INFO(name);
        const TimeZone zone = TimeZone::find(name);
        CHECK(zone.offset_at(sys_seconds::min()).begin == sys_seconds::min());
        CHECK(zone.offset_at(sys_seconds::max()).end == sys_seconds::max());
        const seconds late = zone.offset_at(sys_seconds::max()).offset;
        const seconds early = zone.offset_at(sys_seconds::min()).offset;
        const auto shown = [&](sys_seconds at) { return zone.to_local(at).time_since_epoch(); };
        CHECK(shown(sys_seconds::max()) == (late < 0s ? seconds::max() + late : seconds::max()));
        CHECK(shown(sys_seconds::min()) == (early < 0s ? seconds::min() : seconds::min() + early));
        CHECK(zone.to_local(sys_days::max()) == zone.to_local(sys_seconds::max()));
        CHECK(zone.to_local(sys_days::min()) == zone.to_local(sys_seconds::min()));
        using Nanoseconds = std::chrono::sys_time<std::chrono::nanoseconds>;
        CHECK(zone.to_local(Nanoseconds::max()).time_since_epoch() <= std::chrono::nanoseconds::max());
        CHECK(zone.to_local(Nanoseconds::min()) < zone.to_local(Nanoseconds::min() + 48h));
        CHECK(zone.to_sys(local_seconds::max()).kind == LocalKind::unique);
        CHECK(zone.to_sys(local_seconds::min()).kind == LocalKind::unique);
        CHECK(zone.to_sys(local_seconds::max()).first > sys_seconds::max() - 100h);
        CHECK(zone.to_sys(local_seconds::min()).first < sys_seconds::min() + 100h);
        const local_seconds near = local_seconds::max() - 60h;
        CHECK(zone.to_sys(near).first == sys_seconds{near.time_since_epoch() - late});
    }
}

TEST_CASE("every zone of the system agrees with the C library, around every transition and at random") {
    const auto names = all_zone_names();
    const std::uint64_t seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937_64 random{seed};
    std::string differences;
    for (const auto& name : names) {
        const Environment variable{"TZ", name.c_str()};
        ::tzset();
        const auto zone = TimeZone::find(name);
        const auto check = [&](sys_seconds at) {
            const auto time = static_cast<std::time_t>(at.time_since_epoch().count());
            std::tm parts{};
            ::localtime_r(&time, &parts);
            if (zone.offset_at(at).offset != seconds{parts.tm_gmtoff}) {
                differences += name + " at " + std::to_string(time) + "\n";
            }
        };
        for (auto at = utc(1800y / 1 / 1); at < utc(2110y / 1 / 1);) {
            const auto stretch = zone.offset_at(at);
            check(at);
            if (stretch.end == sys_seconds::max()) { break; }
            check(stretch.end - 1s);
            at = stretch.end;
        }
        for (int i = 0; i < 20; ++i) {
            check(sys_seconds{seconds{static_cast<std::int64_t>(random() % 4'000'000'000U)}});
        }
    }
    ::tzset();
    CHECK(differences == "");
    CHECK(names.size() > 100);
}

TEST_CASE("going to local time and back finds the instant again, in every stretch of every zone") {
    for (const auto& name : all_zone_names()) {
        const auto zone = TimeZone::find(name);
        for (auto at = utc(1970y / 1 / 1); at < utc(2045y / 1 / 1);) {
            for (const auto instant : {at - 1s, at, at + 1h}) {
                const auto info = zone.to_sys(zone.to_local(instant));
                const bool found = info.kind != LocalKind::gap && (info.first == instant || info.second == instant);
                if (!found) { FAIL_CHECK(name << " at " << instant.time_since_epoch().count()); }
            }
            const auto end = zone.offset_at(at).end;
            if (end == sys_seconds::max()) { break; }
            at = end;
        }
    }
    SUCCEED();
}

TEST_CASE("files of version 1 have no footer, and go on as they ended") {
    const auto zone = TzifReader{file_of('\0', {{1000, 1}, {2000, 0}, {3000, 1}}, {0, 3600}, ""), "Old"}.read();
    CHECK(zone->span_at(999).offset == 0);
    CHECK(zone->span_at(1000).offset == 3600);
    CHECK(zone->span_at(2000).offset == 0);
    CHECK(zone->span_at(std::int64_t{1} << 50U).offset == 3600);
}

TEST_CASE("footers may count hours from -167 to 167, and quote names") {
    // As tzdata has had it for Greenland and for Gaza.
    const auto greenland = TzifReader{file_of('3', {{0, 0}}, {-7200}, "<-02>2<-01>,M3.5.0/-1,M10.5.0/0"), "G"}.read();
    CHECK(greenland->span_at(utc(2026y / 3 / 29, 1h).time_since_epoch().count() - 1).offset == -7200);
    CHECK(greenland->span_at(utc(2026y / 3 / 29, 1h).time_since_epoch().count()).offset == -3600);
    const auto gaza = TzifReader{file_of('3', {{0, 0}}, {7200}, "EET-2EEST,M3.4.4/50,M10.4.4/50"), "H"}.read();
    CHECK(gaza->span_at(utc(2026y / 3 / 28).time_since_epoch().count() - 1).offset == 7200);
    CHECK(gaza->span_at(utc(2026y / 3 / 28).time_since_epoch().count()).offset == 10800);
}

TEST_CASE("daylight saving time without end is one stretch") {
    const auto zone = TzifReader{file_of('3', {{0, 1}}, {-18000, -14400}, "XXX3EDT4,0/0,J365/23"), "P"}.read();
    const auto span = zone->span_at(utc(2026y / 1 / 1).time_since_epoch().count());
    CHECK(span.offset == -14400);
    CHECK(span.begin == 0);
    CHECK(span.end > utc(2300y / 1 / 1).time_since_epoch().count());
}

TEST_CASE("days of the year in a footer count 29 February or not, as they are written") {
    const auto zone = TzifReader{file_of('2', {{0, 0}}, {0}, "AAA0BBB,J60,300"), "D"}.read();
    const auto summer = zone->span_at(utc(2024y / 6 / 1).time_since_epoch().count());
    CHECK(summer.begin == utc(2024y / 3 / 1, 2h).time_since_epoch().count());
    CHECK(summer.end == utc(2024y / 10 / 27, 1h).time_since_epoch().count());
    const auto next = zone->span_at(utc(2025y / 6 / 1).time_since_epoch().count());
    CHECK(next.begin == utc(2025y / 3 / 1, 2h).time_since_epoch().count());
    CHECK(next.end == utc(2025y / 10 / 28, 1h).time_since_epoch().count());
}

TEST_CASE("a damaged file is refused with the zone and the reason") {
    const std::vector<Transition> one{{1000, 0}};
    CHECK(complaint("") == "time zone 'Test/Zone' cannot be read: the file is cut short");
    CHECK(complaint(std::string(100, 'x')).find("not a TZif file") != std::string::npos);
    CHECK(complaint(file_of('1', one, {0}, "")).find("version") != std::string::npos);
    CHECK(complaint(file_of('2', {{1000, 1}}, {0}, "")).find("does not exist") != std::string::npos);
    CHECK(complaint(file_of('2', {{1000, 0}, {1000, 0}}, {0}, "")).find("out of order") != std::string::npos);
    CHECK(complaint(file_of('2', {{std::int64_t{1} << 61U, 0}}, {0}, "")).find("beyond all time") != std::string::npos);
    CHECK(complaint(file_of('2', one, {200'000}, "")).find("beyond -25 to 26 hours") != std::string::npos);
    CHECK(complaint(file_of('2', one, {}, "")).find("no local time type") != std::string::npos);
    CHECK(complaint(file_of('2', one, {0}, "nonsense")).find("no POSIX rule") != std::string::npos);
    CHECK(complaint(header('2', 1, 0, 1, 4) + block({}, {0}, 4) + std::string(8, '\0') + header('2', 1, 0, 1, 4) +
                    block({}, {0}, 8) + std::string(12, '\0') + "\n\n")
              .find("leap seconds") != std::string::npos);
    CHECK(complaint(header('2', 0, 0x7FFFFFFF, 1, 4)).find("exceeds the file") != std::string::npos);
    CHECK(complaint(header('2', 0, 0x80000000U, 1, 4)).find("exceeds the file") != std::string::npos);
}

TEST_CASE("a file is refused wherever it is cut") {
    const std::string bytes = read_all(berlin_file);
    REQUIRE(bytes.size() > 500);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        if (complaint(std::string_view{bytes}.substr(0, size)).empty()) { FAIL_CHECK("accepted " << size << " bytes"); }
    }
    CHECK(complaint(bytes) == "");
}

TEST_CASE("a file with bytes changed at random is refused or read, and is harmless either way") {
    const std::string good = read_all(berlin_file);
    const std::uint64_t seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937_64 random{seed};
    int accepted = 0;
    for (int i = 0; i < 2000; ++i) {
        std::string bytes = good;
        for (auto count = random() % 4 + 1; count != 0; --count) {
            bytes[random() % bytes.size()] = static_cast<char>(random());
        }
        try {
            const auto zone = TzifReader{bytes, "Broken"}.read();
            ++accepted;
            for (std::int64_t at = -9'000'000'000'000; at < 9'000'000'000'000; at += 400'000'000'000) {
                const auto span = zone->span_near(at);
                if (span.begin > at || span.end <= at) { FAIL_CHECK("a stretch that misses its instant"); }
            }
        } catch (const std::invalid_argument&) {}
    }
    CHECK(accepted > 0);
}

TEST_CASE("rules of the TZ variable are read in full or not at all") {
    using daybook::detail::PosixTzParser;
    for (const char* const good :
         {"UTC0", "EST5", "EST5EDT", "CET-1CEST,M3.5.0,M10.5.0/3", "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
          "IST-1GMT0,M10.5.0,M3.5.0/1", "AAA-24:59:59", "AAA0BBB,J1,J365/-167"}) {
        INFO(good);
        CHECK(PosixTzParser{good}.parse().has_value());
    }
    for (const char* const bad : {"",
                                  "EST",
                                  "E5",
                                  "EST5E",
                                  "EST25",
                                  "EST5EDT,",
                                  "EST5EDT,M3.5.0",
                                  "EST5EDT,M13.1.0,M1.1.0",
                                  "EST5EDT,M3.6.0,M1.1.0",
                                  "EST5EDT,M3.0.0,M1.1.0",
                                  "EST5EDT,M3.1.7,M1.1.0",
                                  "EST5EDT,J0,J1",
                                  "EST5EDT,J366,J1",
                                  "EST5EDT,366,1",
                                  "EST5EDT,1,2x",
                                  "<EST5",
                                  "<+1>5",
                                  "EST5:60",
                                  "EST5EDT,1/168,2",
                                  "EST5EDT,1,2,3",
                                  "EST0000005"}) {
        INFO(bad);
        CHECK_FALSE(PosixTzParser{bad}.parse().has_value());
    }
}

TEST_CASE("the machine's zone is what TZ says") {
    {
        const Environment variable{"TZ", "Asia/Tokyo"};
        CHECK(daybook::local_zone() == TimeZone::find("Asia/Tokyo"));
        CHECK(TimeZone::find("local") == TimeZone::find("Asia/Tokyo"));
    }
    {
        const Environment variable{"TZ", ":Asia/Tokyo"};
        CHECK(daybook::local_zone() == TimeZone::find("Asia/Tokyo"));
    }
    {
        const Environment variable{"TZ", ":/usr/share/zoneinfo/Asia/Tokyo"};
        CHECK(daybook::local_zone().offset_at(sys_seconds{}).offset == 9h);
    }
    {
        const Environment variable{"TZ", ""};
        CHECK(daybook::local_zone().is_utc());
    }
    {
        const Environment variable{"TZ", "AAA-3BBB,M3.5.0,M10.5.0"};
        CHECK(daybook::local_zone().offset_at(utc(2026y / 1 / 1)).offset == 3h);
        CHECK(daybook::local_zone().offset_at(utc(2026y / 7 / 1)).offset == 4h);
    }
    {
        const Environment variable{"TZ", "No/Such/Zone"};
        CHECK_THROWS_AS(daybook::local_zone(), std::invalid_argument);
    }
    {
        const Environment variable{"TZ", "/no/such/file"};
        CHECK_THROWS_AS(daybook::local_zone(), std::invalid_argument);
    }
    {
        const Environment variable{"TZ", nullptr};
        CHECK_NOTHROW(daybook::local_zone());
    }
}

TEST_CASE("TZDIR names another directory of zones, and only that one") {
    const auto directory =
        std::filesystem::temp_directory_path() / ("daybook_zones_" + std::to_string(std::random_device{}()));
    std::filesystem::create_directories(directory / "Test");
    const auto put = [&](const char* name, const std::string& bytes) {
        std::ofstream{directory / "Test" / name, std::ios::binary} << bytes;
    };
    put("Moon", file_of('2', {}, {1234}, "<MOON>-0:20:34"));
    put("Torn", file_of('2', {}, {1234}, "<MOON>-0:20:34").substr(0, 90));
    put("Empty", "");
    {
        const Environment variable{"TZDIR", directory.c_str()};
        CHECK(TimeZone::find("Test/Moon").offset_at(sys_seconds{}).offset == 1234s);
        CHECK_THROWS_AS(TimeZone::find("Test/Torn"), std::invalid_argument);
        CHECK_THROWS_AS(TimeZone::find("Test/Empty"), std::invalid_argument);
        CHECK_THROWS_AS(TimeZone::find("Test"), std::invalid_argument);
        CHECK_THROWS_AS(TimeZone::find("Test/Sun"), std::invalid_argument);
    }
    std::filesystem::remove_all(directory);
    CHECK(TimeZone::find("Test/Moon").name() == "Test/Moon"); // loaded once
}
