// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_SCHEDULE_SCHEDULE_HPP
#define DAYBOOK_SCHEDULE_SCHEDULE_HPP

/// @file
/// When: what makes a schedule, and the form in which a job holds any of them.

#include <daybook/detail/schedule_kinds.hpp>
#include <daybook/fwd.hpp>
#include <daybook/schedule/at.hpp>
#include <daybook/schedule/calendar.hpp>
#include <daybook/schedule/cron.hpp>
#include <daybook/schedule/every.hpp>
#include <daybook/schedule/modifiable.hpp>
#include <daybook/schedule/occurrences.hpp>
#include <daybook/schedule/schedule_limits.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace daybook::inline v0 {

/// Anything that says when a job is due next: strictly later than `after`, or never again. For one job it is called on
/// one thread at a time, outside every lock; jobs that share an object may ask it on several. What it throws ends the
/// job's schedule. A `previous(before)` of the same form is used
/// where there is one.
template <class Type>
concept schedule = requires(const Type& type, sys_time after) {
    { type.next(after) } -> std::convertible_to<std::optional<sys_time>>;
}
&&std::move_constructible<Type>;

/// Any schedule: cron(), every(), at(), a union of them, or a type of the program's own, with what narrows it. The
/// default is never: such a job runs when it is triggered.
///
/// A value; copies are cheap. Which of its occurrences a job has had is known to the scheduler, not in here.
///
/// @par Thread safety
/// Distinct objects: safe, unless they share a schedule or a calendar of the program's own that is not. Shared objects:
/// safe for const members, if those are.
class Schedule : public Modifiable<Schedule> {
public:
    Schedule() = default;
    Schedule(Cron cron) : kind_{cron} {}    // NOLINT(google-explicit-constructor): `.schedule = cron("…")`
    Schedule(Every every) : kind_{every} {} // NOLINT(google-explicit-constructor)
    Schedule(At at) : kind_{at} {}          // NOLINT(google-explicit-constructor)

    template <class Type>
    requires(!std::same_as<Type, Schedule>) &&
        (!std::same_as<Type, Cron>)&&(!std::same_as<Type, At>)&&schedule<Type> Schedule(
            Type type) // NOLINT(google-explicit-constructor)
        : kind_{detail::OwnSchedule{std::make_shared<detail::OwnModel<Type>>(std::move(type))}} {}

    /// The next nominal time, strictly later than `after`; empty when there is none. Empty also for what the steady
    /// clock drives, but for a fixed rate that counts `from` an instant.
    ///
    /// `times` bounds it where `from` says where counting begins: by going from one to the next up to the instant asked
    /// about, once. What is excluded is looked through for 100 years, and at most a million occurrences.
    /// @throws std::logic_error  The program's own schedule returned an instant that is not later than `after`.
    /// @throws std::runtime_error  A million occurrences in a row are excluded.
    /// @throws std::invalid_argument  There are more than a million to count for `times`.
    /// @throws  What the program's own schedule or calendar throws.
    [[nodiscard]] std::optional<sys_time> next(sys_time after) const;

    /// The last nominal time, strictly earlier than `before`; the mirror of `next` in everything. A schedule of the
    /// program's own that has no `previous` is asked for its next times in growing distances back, up to 100 years.
    [[nodiscard]] std::optional<sys_time> previous(sys_time before) const;

    /// The nominal times from `begin` (included) to `end` (not included). Without `from`, `times` counts from `begin`.
    [[nodiscard]] Occurrences<Schedule> occurrences(sys_time begin, sys_time end) const;

    /// When the occurrence of a nominal time is due: then, or later where there is jitter.
    [[nodiscard]] sys_time due(sys_time nominal) const noexcept {
        return limits_ == nullptr
                   ? nominal
                   : detail::saturating_add(nominal, limits().delay_of(nominal.time_since_epoch().count()));
    }

    /// How an instant that `next` returned came about on a day when the clocks changed.
    [[nodiscard]] ClockChange clock_change_of(sys_time fire) const;

    [[nodiscard]] bool is_never() const noexcept { return std::holds_alternative<std::monostate>(kind_); }
    /// The interval, or null for other kinds.
    [[nodiscard]] const Every* interval() const noexcept { return std::get_if<Every>(&kind_); }
    /// The single instant, or null for other kinds.
    [[nodiscard]] const At* once() const noexcept { return std::get_if<At>(&kind_); }
    /// The cron expression, or null for other kinds.
    [[nodiscard]] const Cron* expression() const noexcept { return std::get_if<Cron>(&kind_); }
    /// What it is the union of; empty for other kinds.
    [[nodiscard]] const std::vector<Schedule>& parts() const noexcept;
    /// What narrows it.
    [[nodiscard]] const ScheduleLimits& limits() const noexcept;

    /// The same with everything that a job's id decides: each `H` of a cron expression, and the seed of the jitter.
    [[nodiscard]] Schedule bound_to(std::string_view job_id) const;

    /// Equal means due at the same instants for a reason that can be seen: the same kind with equal values and limits.
    /// Schedules and functions of the program's own are equal to their copies only.
    friend bool operator==(const Schedule& left, const Schedule& right);

private:
    template <class Self>
    friend class Modifiable;
    struct Limits;

    ScheduleLimits& change_limits();
    [[nodiscard]] std::optional<sys_time> unlimited_next(sys_time after) const;
    [[nodiscard]] std::optional<sys_time> unlimited_previous(sys_time before) const;
    [[nodiscard]] std::optional<sys_time> uncounted_next(sys_time after) const;
    [[nodiscard]] sys_time within_times(sys_time found) const;
    [[nodiscard]] std::uint64_t count_until(sys_time instant) const;
    [[nodiscard]] auto last_counted(sys_time instant) const;
    friend struct detail::ScheduleCount;
    void refuse_steady(const char* what) const;
    friend Schedule any_of(std::vector<Schedule> parts);

    using Union = std::shared_ptr<const std::vector<Schedule>>;
    std::variant<std::monostate, Cron, Every, At, detail::OwnSchedule, Union> kind_;
    std::shared_ptr<const Limits> limits_; // null: none
};

/// What is due whenever one of the parts is; an instant that several of them name is one occurrence.
/// @throws std::invalid_argument  There is no part, or one has no place on the wall clock by itself: an interval
///   without `from`, one after completion, an instant of the steady clock, `times` without `from`.
[[nodiscard]] Schedule any_of(std::vector<Schedule> parts);

/// The same for schedules of different types: `any_of(cron("0 9 * * MON-FRI"), cron("0 12 * * SAT"))`.
template <class... Parts>
requires(sizeof...(Parts) > 1) && (std::convertible_to<Parts, Schedule> && ...) [[nodiscard]] Schedule
    any_of(Parts... parts) {
    return any_of(std::vector<Schedule>{Schedule{std::move(parts)}...});
}

/// The limits with what follows from them and costs time to find.
struct Schedule::Limits {
    Limits() = default;
    explicit Limits(const ScheduleLimits& from) : all{from} {}

    ScheduleLimits all = {};
    /// The furthest occurrence that has been counted from `from` on, and the how manieth it is. 0: none yet.
    struct Counted {
        sys_time at = {};
        std::uint64_t number = 0;
    };
    mutable std::mutex mutex = {};
    mutable Counted counted = {}; // guarded by mutex
    /// How far a count came that was too long: what is beyond is refused without counting again.
    mutable Counted refused = {}; // guarded by mutex
};

inline ScheduleLimits& Schedule::change_limits() {
    auto changed = limits_ ? std::make_shared<Limits>(limits_->all) : std::make_shared<Limits>();
    limits_ = changed;
    return changed->all;
}

inline const ScheduleLimits& Schedule::limits() const noexcept {
    static const ScheduleLimits none;
    return limits_ ? limits_->all : none;
}

inline const std::vector<Schedule>& Schedule::parts() const noexcept {
    static const std::vector<Schedule> none;
    const auto* parts = std::get_if<Union>(&kind_);
    return parts != nullptr ? **parts : none;
}

inline std::optional<sys_time> Schedule::unlimited_next(sys_time after) const {
    if (const auto* cron = std::get_if<Cron>(&kind_)) { return cron->next(after); }
    if (const auto* once = std::get_if<At>(&kind_)) { return once->next(after); }
    if (const auto* own = std::get_if<detail::OwnSchedule>(&kind_)) { return (*own)->next(after); }
    if (const Every* every = interval(); every != nullptr && limits().from) {
        if (!every->is_after_completion()) {
            return detail::AnchoredInterval{*limits().from, every->period()}.next(after);
        }
        return after < *limits().from ? limits().from : std::nullopt; // the rest depends on the job
    }
    std::optional<sys_time> first;
    for (const Schedule& part : parts()) {
        if (const auto found = part.next(after); found && (!first || *found < *first)) { first = found; }
    }
    return first;
}

inline std::optional<sys_time> Schedule::unlimited_previous(sys_time before) const {
    if (const auto* cron = std::get_if<Cron>(&kind_)) { return cron->previous(before); }
    if (const auto* once = std::get_if<At>(&kind_)) {
        return once->wall() && *once->wall() < before ? once->wall() : std::nullopt;
    }
    if (const auto* own = std::get_if<detail::OwnSchedule>(&kind_)) { return (*own)->previous(before); }
    if (const Every* every = interval(); every != nullptr && limits().from) {
        if (!every->is_after_completion()) {
            return detail::AnchoredInterval{*limits().from, every->period()}.previous(before);
        }
        return *limits().from < before ? limits().from : std::nullopt;
    }
    std::optional<sys_time> last;
    for (const Schedule& part : parts()) {
        if (const auto found = part.previous(before); found && (!last || *found > *last)) { last = found; }
    }
    return last;
}

inline std::optional<sys_time> Schedule::uncounted_next(sys_time after) const {
    const ScheduleLimits& narrow = limits();
    const sys_time horizon = detail::saturating_add(after, detail::search_horizon);
    constexpr std::chrono::microseconds tick{1};
    if (narrow.from && *narrow.from > after) { after = detail::saturating_subtract(*narrow.from, tick); }
    for (std::uint32_t refused = 0;; ++refused) {
        const std::optional<sys_time> found = unlimited_next(after);
        if (!found || (narrow.until && *found > *narrow.until)) { return std::nullopt; }
        if (narrow.except.empty() || !narrow.excludes(*found)) { return found; }
        after = detail::saturating_subtract(narrow.rests_until(*found), tick);
        if (after > horizon) { return std::nullopt; }
        detail::refuse_endless_exceptions(refused);
    }
}

/// The last occurrence up to `instant`, or the one with the number `times`, if that is earlier.
inline auto Schedule::last_counted(sys_time instant) const {
    const ScheduleLimits& narrow = limits();
    Limits::Counted last;
    Limits::Counted refused;
    {
        const std::scoped_lock lock{limits_->mutex};
        last = limits_->counted;
        refused = limits_->refused;
    }
    if (last.number == 0 || last.at > instant) { // also where the clock was set back
        last = {.at = detail::saturating_subtract(*narrow.from, std::chrono::microseconds{1})};
    }
    const std::uint64_t most_counted = last.number + detail::TimesTooMany::most;
    if (refused.number > last.number && refused.at < instant) { last = refused; }
    while (last.at < instant && last.number != *narrow.times) {
        const auto next = uncounted_next(last.at);
        if (!next || *next > instant) { break; }
        if (last.number >= most_counted) {
            const std::scoped_lock lock{limits_->mutex};
            if (last.number > limits_->refused.number) { limits_->refused = last; }
            throw detail::TimesTooMany{};
        }
        last = {.at = *next, .number = last.number + 1};
    }
    const std::scoped_lock lock{limits_->mutex};
    if (last.number > limits_->counted.number) { limits_->counted = last; }
    return last;
}

/// The occurrence with the number `times`, if it is earlier than `found`, itself an occurrence; else `found`.
inline sys_time Schedule::within_times(sys_time found) const {
    const ScheduleLimits& narrow = limits();
    const std::uint64_t most = *narrow.times;
    if (const Every* every = interval(); every != nullptr && narrow.except.empty() && !every->is_after_completion()) {
        const detail::AnchoredInterval anchored{*narrow.from, every->period()};
        return anchored.count_until(found) <= most ? found : anchored.nth(most - 1).value_or(found);
    }
    {
        const std::scoped_lock lock{limits_->mutex};
        if (limits_->counted.number != 0 && found <= limits_->counted.at) { return found; }
    }
    const Limits::Counted last = last_counted(found);
    return last.number == most ? std::min(found, last.at) : found;
}

/// How many occurrences there are from `from` up to `instant`, itself included, but at most `times`: it has both.
inline std::uint64_t Schedule::count_until(sys_time instant) const {
    const ScheduleLimits& narrow = limits();
    if (const Every* every = interval(); every != nullptr && narrow.except.empty()) {
        return std::min(*narrow.times, detail::AnchoredInterval{*narrow.from, every->period()}.count_until(instant));
    }
    return last_counted(instant).number;
}

inline std::optional<sys_time> Schedule::next(sys_time after) const {
    if (!limits_) { return unlimited_next(after); }
    const std::optional<sys_time> found = uncounted_next(after);
    if (!found || !limits().times || !limits().from) { return found; }
    return within_times(*found) == *found ? found : std::nullopt;
}

inline std::optional<sys_time> Schedule::previous(sys_time before) const {
    if (!limits_) { return unlimited_previous(before); }
    const ScheduleLimits& narrow = limits();
    const sys_time horizon = detail::saturating_subtract(before, detail::search_horizon);
    constexpr std::chrono::microseconds tick{1};
    if (narrow.until && *narrow.until < before) { before = *narrow.until + tick; }
    for (std::uint32_t refused = 0;; ++refused) {
        const std::optional<sys_time> found = unlimited_previous(before);
        if (!found || (narrow.from && *found < *narrow.from)) { return std::nullopt; }
        if (narrow.except.empty() || !narrow.excludes(*found)) {
            return narrow.times && narrow.from ? within_times(*found) : *found;
        }
        before = narrow.rests_since(*found);
        if (before < horizon) { return std::nullopt; }
        detail::refuse_endless_exceptions(refused);
    }
}

inline Occurrences<Schedule> Schedule::occurrences(sys_time begin, sys_time end) const {
    Schedule counted = *this;
    if (limits().times && !limits().from && interval() == nullptr) { counted.change_limits().from = begin; }
    return {std::move(counted), begin, end};
}

inline ClockChange Schedule::clock_change_of(sys_time fire) const {
    if (const Cron* cron = expression()) { return cron->clock_change_of(fire); }
    // Only cron knows of clocks that change; nothing of the program's own is asked.
    for (const Schedule& part : parts()) {
        const Cron* cron = part.expression();
        if (cron != nullptr && !cron->matches(fire)) { continue; }
        if (const ClockChange change = part.clock_change_of(fire); change != ClockChange::none) { return change; }
    }
    return ClockChange::none;
}

inline Schedule Schedule::bound_to(std::string_view job_id) const {
    Schedule bound = *this;
    if (limits_) { bound.change_limits(); } // what was counted for other values of H is not true of these
    if (const Cron* cron = expression()) { bound.kind_ = cron->bound_to(job_id); }
    if (!parts().empty()) {
        std::vector<Schedule> all;
        for (const Schedule& part : parts()) { all.push_back(part.bound_to(job_id)); }
        bound.kind_ = std::make_shared<const std::vector<Schedule>>(std::move(all));
    }
    if (limits().jitter.count() != 0 && !limits().jitter_seed) {
        bound.change_limits().jitter_seed = detail::hash_of_name(job_id);
    }
    return bound;
}

inline bool operator==(const Schedule& left, const Schedule& right) {
    if (left.kind_.index() != right.kind_.index() || left.limits() != right.limits()) { return false; }
    return left.parts().empty() ? left.kind_ == right.kind_ : left.parts() == right.parts();
}

inline Schedule any_of(std::vector<Schedule> parts) {
    if (parts.empty()) { throw std::invalid_argument{"any_of: there is no schedule"}; }
    for (const Schedule& part : parts) {
        const auto refuse = [](const char* what) { throw std::invalid_argument{std::string{"any_of: "} + what}; };
        if (const Every* every = part.interval()) {
            if (every->is_after_completion()) { refuse("an interval after completion cannot be a part"); }
            if (!part.limits().from) { refuse("an interval needs from(t), to have a place on the wall clock"); }
        }
        if (const At* once = part.once(); once != nullptr && once->steady()) {
            refuse("an instant of the steady clock cannot be a part");
        }
        if (part.limits().times && !part.limits().from) { refuse("times(n) of a part needs from(t), to count from"); }
        if (part.limits().jitter.count() != 0) { refuse("jitter belongs to the whole, not to a part"); }
    }
    if (parts.size() == 1) { return std::move(parts.front()); }
    std::vector<Schedule> flat; // a union of unions is one
    for (Schedule& part : parts) {
        if (part.limits_ == nullptr && !part.parts().empty()) {
            flat.insert(flat.end(), part.parts().begin(), part.parts().end());
        } else {
            flat.push_back(std::move(part));
        }
    }
    Schedule all;
    all.kind_ = std::make_shared<const std::vector<Schedule>>(std::move(flat));
    return all;
}

inline void Schedule::refuse_steady(const char* what) const {
    if (const At* single = once(); single != nullptr && single->steady()) {
        throw std::invalid_argument{std::string{what} +
                                    ": an instant of the steady clock has no place on the wall clock"};
    }
}

template <class Self>
template <class Duration>
Schedule Modifiable<Self>::from(std::chrono::sys_time<Duration> first) const {
    Schedule narrowed{static_cast<const Self&>(*this)};
    narrowed.refuse_steady("from");
    const sys_time instant{detail::saturating_ceil<sys_time::duration>(first.time_since_epoch())};
    if (narrowed.limits().until && instant > *narrowed.limits().until) {
        throw std::invalid_argument{"from: it is later than until"};
    }
    narrowed.change_limits().from = instant;
    return narrowed;
}

template <class Self>
template <class Duration>
Schedule Modifiable<Self>::until(std::chrono::sys_time<Duration> last) const {
    Schedule narrowed{static_cast<const Self&>(*this)};
    narrowed.refuse_steady("until");
    const sys_time instant{detail::saturating_floor<sys_time::duration>(last.time_since_epoch())};
    if (narrowed.limits().from && instant < *narrowed.limits().from) {
        throw std::invalid_argument{"until: it is earlier than from"};
    }
    narrowed.change_limits().until = instant;
    return narrowed;
}

template <class Self>
Schedule Modifiable<Self>::times(std::uint64_t count) const {
    if (count == 0) { throw std::invalid_argument{"times: the count must be at least 1"}; }
    Schedule narrowed{static_cast<const Self&>(*this)};
    narrowed.change_limits().times = count;
    return narrowed;
}

template <class Self>
Schedule Modifiable<Self>::jitter(std::chrono::nanoseconds at_most) const {
    if (at_most < at_most.zero()) { throw std::invalid_argument{"jitter: it must not be negative"}; }
    Schedule narrowed{static_cast<const Self&>(*this)};
    ScheduleLimits& limits = narrowed.change_limits();
    limits.jitter = std::min(std::chrono::ceil<std::chrono::microseconds>(at_most),
                             std::chrono::floor<std::chrono::microseconds>(std::chrono::nanoseconds::max()));
    limits.jitter_seed.reset();
    return narrowed;
}

template <class Self>
Schedule Modifiable<Self>::jitter(std::chrono::nanoseconds at_most, std::uint64_t seed) const {
    Schedule narrowed = jitter(at_most);
    narrowed.change_limits().jitter_seed = seed;
    return narrowed;
}

template <class Self>
Schedule Modifiable<Self>::except(Calendar calendar) const {
    Schedule narrowed{static_cast<const Self&>(*this)};
    narrowed.refuse_steady("except");
    narrowed.change_limits().except.push_back(std::move(calendar));
    return narrowed;
}

} // namespace daybook::inline v0

#endif
