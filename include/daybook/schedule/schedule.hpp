// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_SCHEDULE_SCHEDULE_HPP
#define DAYBOOK_SCHEDULE_SCHEDULE_HPP

/// @file
/// When: what makes a schedule, and the form in which a job holds any of them.

#include <daybook/fwd.hpp>
#include <daybook/schedule/at.hpp>
#include <daybook/schedule/cron.hpp>
#include <daybook/schedule/every.hpp>
#include <daybook/text/timestamp.hpp>
#include <daybook/types.hpp>

#include <chrono>
#include <concepts>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace daybook::inline v0 {

/// Anything that says when a job is due next: strictly later than `after`, or never again. It is called on one thread
/// at a time, outside every lock; what it throws ends the job's schedule.
template <class Type>
concept schedule = std::move_constructible<Type> && requires(const Type& type, sys_time after) {
    { type.next(after) } -> std::convertible_to<std::optional<sys_time>>;
};

/// Any schedule: cron(), every(), at(), or a type of the program's own. The default is never: such a job runs when it
/// is triggered.
///
/// @par Thread safety
/// Distinct objects: safe, unless they share a schedule of the program's own that is not. Shared objects: unsafe.
class Schedule {
public:
    Schedule() = default;
    Schedule(Cron cron) : kind_{cron} {}    // NOLINT(google-explicit-constructor): `.schedule = cron("…")`
    Schedule(Every every) : kind_{every} {} // NOLINT(google-explicit-constructor)
    Schedule(At at) : kind_{at} {}          // NOLINT(google-explicit-constructor)

    template <class Type>
    requires(!std::same_as<Type, Schedule>) &&
        (!std::same_as<Type, Cron>)&&(!std::same_as<Type, At>)&&schedule<Type> Schedule(
            Type type) // NOLINT(google-explicit-constructor)
        : kind_{std::shared_ptr<const Interface>{std::make_shared<Model<Type>>(std::move(type))}} {}

    /// The next nominal time later than `after`; empty when there is none, and for what the steady clock drives.
    /// @throws  What the program's own schedule throws.
    [[nodiscard]] std::optional<sys_time> next(sys_time after) const {
        if (const auto* cron = std::get_if<Cron>(&kind_)) { return cron->next(after); }
        if (const auto* once = std::get_if<At>(&kind_)) { return once->next(after); }
        if (const auto* own = std::get_if<std::shared_ptr<const Interface>>(&kind_)) { return (*own)->next(after); }
        return std::nullopt;
    }

    /// How an instant that `next` returned came about on a day when the clocks changed.
    [[nodiscard]] ClockChange clock_change_of(sys_time fire) const {
        const auto* cron = std::get_if<Cron>(&kind_);
        return cron != nullptr ? cron->clock_change_of(fire) : ClockChange::none;
    }

    [[nodiscard]] bool is_never() const noexcept { return std::holds_alternative<std::monostate>(kind_); }
    /// The interval, or null for other kinds.
    [[nodiscard]] const Every* interval() const noexcept { return std::get_if<Every>(&kind_); }
    /// The single instant, or null for other kinds.
    [[nodiscard]] const At* once() const noexcept { return std::get_if<At>(&kind_); }

    /// The same schedule with every `H` of a cron expression fixed by the job's id.
    [[nodiscard]] Schedule bound_to(std::string_view job_id) const {
        const auto* cron = std::get_if<Cron>(&kind_);
        return cron != nullptr && cron->needs_binding() ? Schedule{cron->bound_to(job_id)} : *this;
    }

    /// "0 0 9 * * 1-5 Europe/Berlin", "every 300s", "at 2026-01-31T09:00:00.000000Z", "own schedule", "never".
    friend std::string to_string(const Schedule& schedule) {
        if (const auto* cron = std::get_if<Cron>(&schedule.kind_)) {
            const std::string zone{cron->zone().name()};
            return zone == "UTC" ? to_string(*cron) : to_string(*cron) + ' ' + zone;
        }
        if (const auto* every = schedule.interval()) {
            return "every " + seconds_text(every->period()) + (every->is_after_completion() ? " after completion" : "");
        }
        if (const auto* once = schedule.once()) {
            return once->wall() ? "at " + format_timestamp(*once->wall()) : "at an instant of the steady clock";
        }
        return schedule.is_never() ? "never" : "own schedule";
    }

private:
    struct Interface {
        virtual ~Interface() = default;
        [[nodiscard]] virtual std::optional<sys_time> next(sys_time after) const = 0;
    };
    template <class Type>
    struct Model final : Interface {
        explicit Model(Type from) : own{std::move(from)} {}
        [[nodiscard]] std::optional<sys_time> next(sys_time after) const override { return own.next(after); }
        Type own;
    };

    static std::string seconds_text(std::chrono::nanoseconds period) {
        const auto whole = std::chrono::floor<std::chrono::seconds>(period);
        std::string text = std::to_string(whole.count());
        if (const auto rest = (period - whole).count(); rest != 0) {
            std::string digits = std::to_string(rest);
            digits.insert(0, 9 - digits.size(), '0');
            digits.erase(digits.find_last_not_of('0') + 1);
            text += '.' + digits;
        }
        return text + 's';
    }

    std::variant<std::monostate, Cron, Every, At, std::shared_ptr<const Interface>> kind_;
};

} // namespace daybook::inline v0

#endif
