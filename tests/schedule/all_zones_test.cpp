// SPDX-License-Identifier: MIT
#include "schedule/cron_oracle.hpp"
#include "support/catch.hpp"
#include "support/zones.hpp"

#include <daybook/schedule/cron.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// A change of the clocks takes about a millisecond in an optimised build, and up to a hundred under a sanitizer.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define DAYBOOK_TESTS_SLOW
#endif
#endif
#if !defined(__OPTIMIZE__) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define DAYBOOK_TESTS_SLOW
#endif

namespace {

using namespace std::chrono_literals;
using cron_oracle::Day;
using cron_oracle::Expression;
using cron_oracle::Random;
using daybook::Cron;
using daybook::TimeZone;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::sys_seconds;

constexpr std::int64_t hour = 3600;
constexpr std::int64_t day = 24 * hour;

daybook::sys_time instant(std::int64_t at) { return daybook::sys_time{seconds{at}}; }

std::int64_t count(sys_seconds at) { return at.time_since_epoch().count(); }

/// A change of the clocks, or in UTC any instant.
struct Change {
    TimeZone zone = {};
    std::int64_t at = 0;
};

/// The names of the system's zones, each of several names for the same rules once.
std::vector<std::string> zone_names() {
    const char* const variable = std::getenv("TZDIR"); // NOLINT(concurrency-mt-unsafe): nobody sets it
    const std::filesystem::path root = variable != nullptr ? variable : "/usr/share/zoneinfo";
    std::set<std::string> seen;
    std::vector<std::string> result;
    for (const std::string& name : support::zone_names(root)) {
        if (seen.insert(support::read_all(root / name)).second) { result.push_back(name); }
    }
    return result;
}

/// Every change of the clocks from 1970 to 2100 in every zone.
std::vector<Change> all_changes() {
    std::vector<Change> result;
    for (const std::string& name : zone_names()) {
        const TimeZone zone = TimeZone::find(name);
        for (auto at = zone.offset_at(sys_days{1970y / 1 / 1}).end; at < sys_days{2101y / 1 / 1};
             at = zone.offset_at(at).end) {
            result.push_back({zone, count(at)});
        }
    }
    return result;
}

Day local_day(std::int64_t local) { return Day{std::chrono::floor<std::chrono::days>(sys_seconds{seconds{local}})}; }

/// Whether the expression has to do with the change: with its day, and with an hour of those that vanish or come twice.
bool concerns(const Expression& expression, Change change) {
    const std::int64_t before =
        change.at - 1 + count(sys_seconds{change.zone.offset_at(sys_seconds{seconds{change.at - 1}}).offset});
    const std::int64_t after =
        change.at + count(sys_seconds{change.zone.offset_at(sys_seconds{seconds{change.at}}).offset});
    for (std::int64_t local = std::min(before, after); local <= std::max(before, after); local += hour / 2) {
        const auto hour_of_day = static_cast<std::size_t>((local % day + day) % day / hour);
        if (expression.hour.values[hour_of_day] && expression.matches_day(local_day(local))) { return true; }
    }
    return false;
}

/// Clocks change at full minutes and mostly at full hours, so let many a schedule be due right there.
Expression some_expression(Random& random) {
    cron_oracle::Field zero;
    zero.text = "0";
    zero.values[0] = true;
    Expression result = cron_oracle::random_expression(random);
    if (random() % 2 == 0) {
        result.second = zero;
        if (random() % 2 == 0) { result.minute = zero; }
    }
    return result;
}

/// One expression in four is any; the others are due where the clocks change.
Expression expression_for(Random& random, Change change) {
    Expression result = some_expression(random);
    if (random() % 4 == 0) { return result; }
    for (int i = 0; i < 60 && !concerns(result, change); ++i) { result = some_expression(random); }
    return result;
}

/// How much is looked at.
struct Effort {
    std::size_t expressions = 1;    ///< at every change
    std::size_t changes = SIZE_MAX; ///< at most, drawn at random
    std::int64_t dense = hour / 2;  ///< before and after the change, next is asked of every second
    std::int64_t dense_back = 600;  ///< and previous
    int wide = 4;                   ///< one window in so many reaches over more than two days, the others over hours
};

Effort effort() {
    const char* const wanted = std::getenv("DAYBOOK_LONG_TESTS"); // NOLINT(concurrency-mt-unsafe): nobody sets it
    if (wanted != nullptr && std::string_view{wanted} == "1") {
        return {.expressions = 4, .changes = SIZE_MAX, .dense = 2 * hour, .dense_back = 2 * hour, .wide = 1};
    }
#if defined(DAYBOOK_TESTS_SLOW)
    return {.changes = 300};
#else
    return {};
#endif
}

struct Tally {
    std::size_t windows = 0; ///< changes times expressions
    std::size_t fires = 0;
    std::size_t asked = 0; ///< how often next and previous were asked
};

/// A schedule side by side with what the oracle saw around a change.
class Comparison {
public:
    Comparison(const Expression& expression, Change change, std::int64_t reach)
        : expression_{expression},
          change_{change},
          cron_{daybook::cron(expression.text(), change.zone, expression.options)},
          begin_{change.at - reach},
          end_{change.at + reach} {
        // The oracle wants a day without a change before it starts.
        for (auto last = offsets(begin_ - 1).begin; last > sys_seconds{seconds{begin_ - 1 - day}};
             last = offsets(begin_ - 1).begin) {
            begin_ = count(last) - reach;
        }
        fires_ = cron_oracle::fires(expression, change.zone, begin_, end_);
    }

    /// The first difference in words; empty if there is none.
    std::string run(Random& random, const Effort& effort, Tally& tally) {
        check_both(begin_ - 1, tally);
        const std::size_t stride = fires_.size() / 500 + 1;
        for (std::size_t i = random() % stride; i < fires_.size(); i += stride) { check_both(fires_[i], tally); }
        for (std::int64_t at = change_.at - effort.dense; at < change_.at + effort.dense; ++at) {
            check_next(at, tally);
            if (at >= change_.at - effort.dense_back && at < change_.at + effort.dense_back) {
                check_previous(at, tally);
            }
        }
        for (int i = 0; i < 500; ++i) {
            check_both(begin_ + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(end_ - begin_)), tally);
        }
        ++tally.windows;
        tally.fires += fires_.size();
        return difference_;
    }

private:
    [[nodiscard]] daybook::OffsetInterval offsets(std::int64_t at) const {
        return change_.zone.offset_at(sys_seconds{seconds{at}});
    }

    void check_both(std::int64_t at, Tally& tally) {
        check_next(at, tally);
        check_previous(at, tally);
    }

    void check_next(std::int64_t at, Tally& tally) {
        // Mostly one asks for the second, or the fire, after that of the last time.
        if (following_ != fires_.size() && fires_[following_] == at) { ++following_; }
        const bool known = (following_ == 0 || fires_[following_ - 1] <= at) &&
                           (following_ == fires_.size() || fires_[following_] > at);
        if (!known) {
            following_ = static_cast<std::size_t>(std::upper_bound(fires_.begin(), fires_.end(), at) - fires_.begin());
        }
        const auto next = cron_.next(instant(at));
        const bool inside = following_ != fires_.size();
        if (inside ? next != instant(fires_[following_]) : next && *next < instant(end_)) {
            complain("next", at, next, inside ? std::to_string(fires_[following_]) : "none in the window");
        }
        ++tally.asked;
    }

    /// After check_next of the same: the last fire in this second or before is the one before the next second.
    void check_previous(std::int64_t at, Tally& tally) {
        const auto previous = cron_.previous(instant(at + 1));
        const bool behind = following_ != 0;
        if (behind ? previous != instant(fires_[following_ - 1]) : previous && *previous >= instant(begin_)) {
            complain("previous", at + 1, previous,
                     behind ? std::to_string(fires_[following_ - 1]) : "none in the window");
        }
        ++tally.asked;
    }

    void complain(const char* what, std::int64_t at, std::optional<daybook::sys_time> got, const std::string& wanted) {
        if (!difference_.empty()) { return; }
        difference_ = "'" + expression_.text() + "' in " + std::string{change_.zone.name()} + ", days " +
                      std::to_string(static_cast<int>(expression_.options.days)) + ", dst " +
                      std::to_string(static_cast<int>(expression_.options.dst)) + ", around " +
                      std::to_string(change_.at) + ": " + what + " of " + std::to_string(at) + " wanted " + wanted +
                      ", got " + (got ? std::to_string(got->time_since_epoch().count() / 1'000'000) : "nothing");
    }

    const Expression& expression_;
    Change change_;
    Cron cron_;
    std::int64_t begin_ = 0;
    std::int64_t end_ = 0;
    std::vector<std::int64_t> fires_;
    std::size_t following_ = 0; ///< index of the first fire later than the last instant asked
    std::string difference_;
};

void compare(const std::vector<Change>& changes, const Effort& effort, Random& random) {
    Tally tally;
    std::size_t wrong = 0;
    for (const Change& change : changes) {
        for (std::size_t i = 0; i < effort.expressions && wrong < 10; ++i) {
            const Expression expression = expression_for(random, change);
            const std::int64_t reach = cron_oracle::pick(random, 1, effort.wide) == 1 ? 26 * hour : 5 * hour;
            const std::string difference = Comparison{expression, change, reach}.run(random, effort, tally);
            if (difference.empty()) { continue; }
            ++wrong;
            FAIL_CHECK(difference);
        }
    }
    INFO(changes.size() << " changes, " << tally.windows << " expressions, " << tally.fires << " fires, " << tally.asked
                        << " answers");
    CHECK(tally.fires > tally.windows);
}

} // namespace

TEST_CASE("around every change of the clocks in every zone from 1970 to 2100, next and previous find what a look at "
          "every second finds") {
    const std::uint64_t seed = std::random_device{}();
    INFO("seed " << seed);
    Random random{seed};
    std::vector<Change> changes = all_changes();
    REQUIRE(changes.size() > 1'000);
    const Effort wanted = effort();
    if (changes.size() > wanted.changes) {
        std::shuffle(changes.begin(), changes.end(), random);
        changes.resize(wanted.changes);
    }
    compare(changes, wanted, random);
}

TEST_CASE("in UTC, around any instant from 1970 to 2100, next and previous find what a look at every second finds") {
    const std::uint64_t seed = std::random_device{}();
    INFO("seed " << seed);
    Random random{seed};
    const Effort wanted = effort();
    std::vector<Change> changes(wanted.changes < 500 ? 100 : 500 * wanted.expressions);
    for (Change& change : changes) {
        const auto month = static_cast<int>(random() % (131 * 12));
        const auto first = std::chrono::year{1970 + month / 12} / (month % 12 + 1) / 1;
        // Half of them where a month ends, the rest anywhere.
        const auto into = random() % 2 == 0 ? 0 : static_cast<std::int64_t>(random() % (31 * day));
        change.at = count(sys_days{first}) + into;
    }
    compare(changes, wanted, random);
}
