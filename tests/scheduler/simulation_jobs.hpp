// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_SCHEDULER_SIMULATION_JOBS_HPP
#define DAYBOOK_TESTS_SCHEDULER_SIMULATION_JOBS_HPP

/// @file
/// Chance: jobs of every kind, and what becomes of their bodies.

#include "simulation_ledger.hpp"

#include <daybook/schedule/describe.hpp>
#include <daybook/schedule/schedule_text.hpp>

#include <initializer_list>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>

namespace simulation {

enum class Ending { success, failure, thrown, dropped };
enum class Asked { ignores, ends_at_once, ends_later };

inline constexpr nanoseconds for_ever = nanoseconds::max();

/// What becomes of a body.
struct Fate {
    nanoseconds lasts{0};
    Ending end = Ending::success;
    Asked when_asked = Asked::ignores;
    nanoseconds needs_to_stop{0};
};

/// What is usual in a world.
enum class Pace {
    leisurely, ///< hours and days: most of what is due is skipped
    busy,      ///< seconds: most of what is due runs
};

inline Fate some_fate(Random& random, Pace pace) {
    using namespace std::chrono_literals;
    Fate fate;
    switch (random.below(12)) {
    case 0:
    case 1: fate.lasts = std::chrono::milliseconds{random.below(300)}; break;
    case 2:
    case 3:
    case 4: fate.lasts = std::chrono::milliseconds{random.below(20'000)}; break;
    case 5: fate.lasts = std::chrono::seconds{random.below(3000)}; break;
    case 6: fate.lasts = random.chance(30) ? for_ever : std::chrono::minutes{random.below(600)}; break;
    default: break;
    }
    if (pace == Pace::busy && fate.lasts > 10s && fate.lasts != for_ever && random.chance(90)) { fate.lasts /= 1000; }
    fate.end = random.chance(65) ? Ending::success : random.choose({Ending::failure, Ending::thrown, Ending::dropped});
    fate.when_asked = random.choose({Asked::ignores, Asked::ends_at_once, Asked::ends_later});
    fate.needs_to_stop = std::chrono::milliseconds{random.below(30'000)};
    return fate;
}

inline std::string describe(const Fate& fate) {
    const char* const end[] = {"success", "failure", "thrown", "dropped"};
    const char* const asked[] = {"ignores", "ends at once", "ends later"};
    return (fate.lasts == for_ever ? "for ever" : std::to_string(fate.lasts.count() / 1'000'000) + " ms") + ", " +
           end[static_cast<int>(fate.end)] + ", when asked " + asked[static_cast<int>(fate.when_asked)];
}

/// Near a change of the clocks in Berlin, or not.
inline sys_time some_start(Random& random) {
    using namespace std::chrono;
    return sys_days{random.choose({year_month_day{2024y / 1 / 1}, year_month_day{2024y / 3 / 30},
                                   year_month_day{2024y / 10 / 26}, year_month_day{2025y / 3 / 29},
                                   year_month_day{2024y / 2 / 28}, year_month_day{2025y / 12 / 31}})} +
           seconds{random.below(200'000)};
}

inline const std::map<std::string, std::size_t>& group_limits() {
    static const std::map<std::string, std::size_t> limits{{"one", 1}, {"two", 2}, {"few", 4}};
    return limits;
}

/// A schedule of the program's own: uneven, in the end over, or broken.
struct Uneven {
    sys_time end{};
    bool throws = false;

    [[nodiscard]] std::optional<sys_time> next(sys_time after) const {
        auto count = std::chrono::floor<std::chrono::seconds>(after).time_since_epoch().count() / 37 + 1;
        while (count % 5 == 2 || count % 7 == 3) { ++count; }
        const sys_time found{std::chrono::seconds{count * 37}};
        if (found <= end) { return found; }
        if (throws) { throw std::runtime_error{"this schedule is broken"}; }
        return std::nullopt;
    }
};

inline daybook::Schedule some_cron(Random& random) {
    const char* const text = random.choose({"* * * * * *", "*/7 * * * * *", "0 * * * * *", "30 */5 * * * *",
                                            "15,45 0-40 * * * *", "0 0 * * * *", "0 30 2 * * *", "0 */30 1-3 * * *",
                                            "0 0 9 * * MON-FRI", "H H * * *", "H * * * *"});
    const daybook::CronOptions options{
        .dst = random.choose({daybook::Dst::vixie, daybook::Dst::skip, daybook::Dst::twice})};
    return daybook::cron(text, random.chance(50) ? "Europe/Berlin" : "UTC", options);
}

inline daybook::Schedule some_narrowing(Random& random, daybook::Schedule schedule, sys_time now) {
    if (random.chance(25)) { schedule = schedule.from(now + std::chrono::seconds{random.below(20'000) - 10'000}); }
    if (random.chance(20)) { schedule = schedule.until(now + std::chrono::seconds{10'000 + random.below(200'000)}); }
    if (random.chance(20)) { schedule = schedule.times(static_cast<std::uint64_t>(1 + random.below(40))); }
    if (random.chance(15)) { schedule = schedule.jitter(std::chrono::milliseconds{random.below(5000)}); }
    if (random.chance(10)) {
        schedule = schedule.except(
            daybook::Calendar{"Europe/Berlin"}.add(std::chrono::weekday{static_cast<unsigned>(random.below(7))}));
    }
    return schedule;
}

inline daybook::Schedule some_schedule(Random& random, Pace pace, sys_time now, steady_time steady) {
    using daybook::every;
    if (pace == Pace::busy && random.chance(70)) {
        const auto period = std::chrono::milliseconds{20 + random.below(2000)};
        switch (random.below(4)) {
        case 0: return every(period).after_completion();
        case 1: return daybook::cron("* * * * * *", "Europe/Berlin");
        default: return every(period);
        }
    }
    switch (random.below(12)) {
    case 0: {
        const auto when = now + std::chrono::seconds{random.below(7200) - 3600};
        daybook::Schedule once = daybook::at(when);
        return random.chance(20) ? once.jitter(std::chrono::seconds{random.below(10)}) : once;
    }
    case 1: return daybook::at(steady + std::chrono::seconds{random.below(7200) - 1800});
    case 2: return {};
    case 3: return every(std::chrono::milliseconds{1 + random.below(3000)});
    case 4:
    case 5: return some_narrowing(random, every(std::chrono::seconds{5 + random.below(2000)}), now);
    case 6:
    case 7: return some_narrowing(random, every(std::chrono::seconds{1 + random.below(300)}).after_completion(), now);
    case 8: return daybook::any_of(some_cron(random), some_cron(random));
    case 9: {
        const Uneven uneven{now + std::chrono::hours{random.below(300)}, random.chance(30)};
        return uneven.throws ? daybook::Schedule{uneven} : some_narrowing(random, uneven, now);
    }
    default: return some_narrowing(random, some_cron(random), now);
    }
}

/// What programs have been asked about failures.
struct Inquiry {
    std::uint64_t times = 0, threw = 0;
    bool is_odd = false; ///< asked about what is no failure

    /// @returns How long to wait; empty for no further attempt.
    std::optional<nanoseconds> reply(std::uint64_t salt, const daybook::Failure& failure) {
        ++times;
        is_odd |= !is_failure(failure.status) || (failure.status == JobStatus::error && failure.error.empty());
        const Answer said = answer(salt, failure.status, failure.attempt_number);
        if (said.throws) {
            ++threw;
            throw std::runtime_error{"no answer"};
        }
        return said.is_yes ? std::optional{said.delay} : std::nullopt;
    }
};

/// A policy that asks, perhaps, and what follows from that.
inline void ask_somebody(Random& random, Plan& plan, const std::shared_ptr<Inquiry>& asked) {
    plan.asks = random.choose({Asks::nobody, Asks::nobody, Asks::condition, Asks::program});
    plan.salt = random.next();
    const auto reply = [asked, salt = plan.salt](const daybook::Failure& failure) {
        return asked->reply(salt, failure);
    };
    if (plan.asks == Asks::program) {
        plan.options.retry = daybook::RetryPolicy{reply};
        plan.max_attempts = std::numeric_limits<std::uint32_t>::max();
    } else if (plan.asks == Asks::condition) {
        plan.options.retry = plan.options.retry->only_if(
            [reply](const daybook::Failure& failure) { return reply(failure).has_value(); });
    }
}

/// With whom it shares a limit.
inline const std::string& group_of(const daybook::JobOptions& options) {
    if (!options.group.empty()) { return options.group; }
    return options.handler_id.empty() ? options.id : options.handler_id;
}

/// Everything about a job that is left to chance.
inline Plan some_plan(Random& random, Pace pace, const std::shared_ptr<Inquiry>& asked, const std::string& id,
                      sys_time now, steady_time steady) {
    using namespace std::chrono_literals;
    Plan plan;
    daybook::JobOptions& options = plan.options;
    options.id = id;
    options.handler_id = random.choose({"", "", "one", "reports"});
    options.method_name = random.choose({"", "daily"});
    options.schedule = some_schedule(random, pace, now, steady);
    options.group = random.choose({"", "", "one", "two", "few", "unbounded"});
    plan.group = group_of(options);
    options.parameters = random.choose({"", "{}"});
    options.priority = random.below(5) - 2;
    options.timeout = random.chance(50) ? 0ns : nanoseconds{std::chrono::milliseconds{1 + random.below(20'000)}};
    options.overlap =
        random.choose({Overlap::skip, Overlap::queue_one, Overlap::queue_all, Overlap::allow, Overlap::cancel_running});
    options.misfire = random.choose({daybook::Misfire::run_once, daybook::Misfire::skip, daybook::Misfire::run_all});
    options.misfire_grace = random.choose<std::chrono::seconds>({0s, 60s, 3600s, 100'000s});
    options.max_catch_up = static_cast<std::uint32_t>(random.below(20));
    if (random.chance(40)) { options.stale_after = std::chrono::milliseconds{1 + random.below(200'000)}; }
    plan.max_attempts = 1;
    options.retry = daybook::RetryPolicy{};
    if (random.chance(60)) {
        plan.max_attempts = static_cast<std::uint32_t>(1 + random.below(4));
        plan.first_delay = std::chrono::milliseconds{random.chance(20) ? 0 : random.below(20'000)};
        plan.jitter = random.choose({0.0, 0.5, 1.0});
        if (random.chance(50)) {
            plan.max_delay = plan.first_delay;
            options.retry = daybook::fixed_backoff(
                {.max_attempts = plan.max_attempts, .delay = plan.first_delay, .jitter = plan.jitter});
        } else {
            plan.factor = random.choose({1.0, 2.0, 3.5});
            plan.max_delay = plan.first_delay + std::chrono::seconds{random.below(60)};
            options.retry = daybook::exponential_backoff({.max_attempts = plan.max_attempts,
                                                          .first_delay = plan.first_delay,
                                                          .factor = plan.factor,
                                                          .max_delay = plan.max_delay,
                                                          .jitter = plan.jitter});
        }
    }
    ask_somebody(random, plan, asked);
    return plan;
}

inline std::string describe(const Plan& plan) {
    const auto& options = plan.options;
    return options.id + " " + to_string(options.schedule) + ", overlap " + std::string{to_string(*options.overlap)} +
           ", misfire " + std::string{to_string(*options.misfire)} + " grace " +
           std::to_string(options.misfire_grace->count() / 1'000'000'000) + " s, catch up " +
           std::to_string(*options.max_catch_up) + ", attempts " + std::to_string(plan.max_attempts) + ", timeout " +
           std::to_string(options.timeout->count() / 1'000'000) + " ms, group " + plan.group + ", priority " +
           std::to_string(options.priority) + ", stale after " +
           std::to_string(options.stale_after.count() / 1'000'000) + " ms" +
           (plan.asks == Asks::program     ? ", asks"
            : plan.asks == Asks::condition ? ", only if"
                                           : "");
}

} // namespace simulation

#endif
