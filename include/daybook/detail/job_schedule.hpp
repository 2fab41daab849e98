// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_JOB_SCHEDULE_HPP
#define DAYBOOK_DETAIL_JOB_SCHEDULE_HPP

/// @file
/// A schedule as the fields of a job: `schedule` is the expression, and beside it stand its zone, its clock rules and
/// what narrows it, so that each can be changed alone.

#include <daybook/detail/json_body.hpp>
#include <daybook/http/message.hpp>
#include <daybook/schedule/schedule.hpp>
#include <daybook/schedule/schedule_text.hpp>
#include <daybook/time/time_zone.hpp>
#include <daybook/types.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace daybook::inline v0::detail {

[[nodiscard]] constexpr std::string_view to_string(Dst dst) noexcept {
    return dst == Dst::skip ? "skip" : dst == Dst::twice ? "twice" : "vixie";
}
[[nodiscard]] constexpr std::string_view to_string(DayMatch days) noexcept {
    return days == DayMatch::both ? "both" : "vixie";
}

/// A schedule, taken apart.
struct ScheduleFields {
    std::string text = {};             ///< the expression, with what it leaves out
    std::optional<TimeZone> zone = {}; ///< these three: of one cron expression
    std::optional<Dst> dst = {};
    std::optional<DayMatch> days = {};
    std::optional<sys_time> from = {};
    std::optional<sys_time> until = {};
    std::optional<std::uint64_t> times = {};
    std::chrono::microseconds jitter{0};

    friend bool operator==(const ScheduleFields&, const ScheduleFields&) = default;

    [[nodiscard]] static ScheduleFields of(const Schedule& schedule) {
        ScheduleFields fields;
        if (const Cron* const cron = schedule.expression()) {
            fields.text = to_string(*cron);
            fields.zone = cron->zone();
            fields.dst = cron->dst();
            fields.days = cron->days();
        } else {
            fields.text = unlimited_text(schedule);
        }
        const ScheduleLimits& limits = schedule.limits();
        if (!limits.except.empty() && !schedule.parts().empty()) { fields.text = "( " + fields.text + " )"; }
        for (const Calendar& calendar : limits.except) { fields.text += " except " + to_string(calendar); }
        fields.from = limits.from;
        fields.until = limits.until;
        fields.times = limits.times;
        fields.jitter = limits.jitter;
        return fields;
    }
};

/// Reads the fields of a schedule from a body.
template <class Json>
class ScheduleReader {
public:
    static constexpr std::array<std::string_view, 8> names{"schedule", "time_zone", "dst",   "day_match",
                                                           "from",     "until",     "times", "jitter_ms"};

    explicit ScheduleReader(const JsonBody<Json>& body) : body_{&body} {}

    [[nodiscard]] bool is_given() const {
        for (const auto name : names) {
            if (body_->has(name)) { return true; }
        }
        return false;
    }

    /// The schedule of a job that is made.
    /// @throws http::Error  400.
    [[nodiscard]] Schedule make() const {
        if (!body_->gives("schedule")) {
            for (const auto name : names) {
                if (body_->gives(name)) { body_->refuse(name, "needs schedule: give both"); }
            }
            return {};
        }
        return build({});
    }

    /// The schedule of a job that has one: what is not given stays as it is.
    /// @throws http::Error  400.
    [[nodiscard]] Schedule change(const Schedule& present) const {
        if (!is_given()) { return present; }
        const auto before = ScheduleFields::of(present);
        if (fields_over(before) == before) { return present; } // also what has no text
        return build(before);
    }

private:
    static constexpr std::size_t max_text_bytes = 1000;

    /// What the body gives, over what there was; the text as it stands there.
    [[nodiscard]] ScheduleFields fields_over(ScheduleFields fields) const {
        if (auto text = body_->text("schedule")) {
            if (text->size() > max_text_bytes) { body_->refuse("schedule", "must have at most 1000 bytes"); }
            if (!is_clean_text(*text)) { body_->refuse("schedule", "must be a text without control characters"); }
            fields.text = std::move(*text);
        }
        if (body_->gives("time_zone")) { fields.zone = zone(); }
        const auto parse_dst = [](std::string_view word) {
            for (const auto dst : {Dst::vixie, Dst::skip, Dst::twice}) {
                if (to_string(dst) == word) { return std::optional{dst}; }
            }
            return std::optional<Dst>{};
        };
        if (const auto dst = body_->choice("dst", parse_dst, "vixie, skip, twice")) { fields.dst = dst; }
        const auto parse_days = [](std::string_view word) {
            for (const auto days : {DayMatch::vixie, DayMatch::both}) {
                if (to_string(days) == word) { return std::optional{days}; }
            }
            return std::optional<DayMatch>{};
        };
        if (const auto days = body_->choice("day_match", parse_days, "vixie, both")) { fields.days = days; }
        if (body_->has("from")) { fields.from = body_->instant("from"); }
        if (body_->has("until")) { fields.until = body_->instant("until"); }
        if (body_->has("times")) {
            const auto times = body_->whole_number("times", 1, std::int64_t{1} << 53U);
            fields.times = times ? std::optional{static_cast<std::uint64_t>(*times)} : std::nullopt;
        }
        if (body_->has("jitter_ms")) {
            const auto jitter = body_->milliseconds("jitter_ms").value_or(std::chrono::nanoseconds::zero());
            fields.jitter = std::chrono::ceil<std::chrono::microseconds>(jitter);
        }
        return fields;
    }

    [[nodiscard]] TimeZone zone() const {
        const auto name = body_->text("time_zone").value_or("");
        try {
            return TimeZone::find(name);
        } catch (const std::invalid_argument&) { // its words name folders of this machine
            body_->refuse("time_zone", "must be a name such as UTC, Europe/Berlin or +02:00; there is no " +
                                           JsonBody<Json>::quoted(name));
        }
    }

    [[nodiscard]] Schedule build(const ScheduleFields& before) const {
        auto wanted = fields_over(before);
        const auto default_zone = wanted.zone.value_or(TimeZone{});
        const auto parsed = parse(wanted.text, default_zone);
        const auto& said = parsed.limits(); // by the text itself
        if (const Cron* const expression = parsed.expression()) {
            const auto other = TimeZone::find(default_zone.is_utc() ? "+01:00" : "UTC");
            const auto elsewhere = parse(wanted.text, other);
            if (elsewhere.expression()->zone() == expression->zone()) {
                merge("time_zone", wanted.zone, expression->zone());
            }
            if (wanted.text.find(" dst ") != std::string::npos) { merge("dst", wanted.dst, expression->dst()); }
            if (expression->days() == DayMatch::both) { merge("day_match", wanted.days, expression->days()); }
        }
        refuse_idle(parsed, wanted.text, default_zone);
        if (said.from) { merge("from", wanted.from, *said.from); }
        if (said.until) { merge("until", wanted.until, *said.until); }
        if (said.times) { merge("times", wanted.times, *said.times); }
        try {
            auto schedule = assemble(parsed, wanted);
            if (wanted.from) { schedule = schedule.from(*wanted.from); }
            if (wanted.until) { schedule = schedule.until(*wanted.until); }
            if (wanted.times) { schedule = schedule.times(*wanted.times); }
            if (said.jitter.count() != 0 && (said.jitter == wanted.jitter || !body_->gives("jitter_ms"))) {
                return said.jitter_seed ? schedule.jitter(said.jitter, *said.jitter_seed)
                                        : schedule.jitter(said.jitter);
            }
            return wanted.jitter.count() != 0 ? schedule.jitter(wanted.jitter) : schedule;
        } catch (const std::invalid_argument& error) {
            throw http::Error{400, "schedule is refused: " + std::string{error.what()}};
        }
    }

    /// A field that is given but changes nothing is a mistake.
    void refuse_idle(const Schedule& parsed, const std::string& text, const TimeZone& zone) const {
        if (parsed.expression() != nullptr) { return; }
        for (const std::string_view name : {"dst", "day_match"}) {
            if (body_->gives(name)) { body_->refuse(name, "is for a single cron expression: leave it out"); }
        }
        if (body_->gives("time_zone") && parse(text, TimeZone::find(zone.is_utc() ? "+01:00" : "UTC")) == parsed) {
            body_->refuse("time_zone", "has no effect on this schedule: leave it out");
        }
    }

    [[nodiscard]] Schedule parse(const std::string& text, TimeZone zone) const {
        try {
            return parse_schedule(text, zone);
        } catch (const std::invalid_argument& error) {
            std::string why = error.what();
            if (const auto path = why.find(": no such file"); path != std::string::npos) { why.resize(path); }
            if (!body_->gives("schedule")) {
                throw http::Error{400,
                                  "this job's schedule is the program's own, and cannot be narrowed: give schedule "
                                  "as well"};
            }
            throw http::Error{400,
                              "schedule must be a cron expression of 5 to 7 fields such as 0 */5 * * * *, or such as "
                              "every 30s or at 2026-01-31T09:00:00Z: " +
                                  why};
        }
    }

    /// What the text says goes before what the job had; what a field says must not differ from it.
    template <class Value>
    void merge(std::string_view name, std::optional<Value>& wanted, const Value& said) const {
        if (body_->gives(name) && wanted != said) {
            body_->refuse(name, "differs from what schedule says: give it in one of them");
        }
        wanted = said;
    }

    /// The expression, and what it leaves out.
    [[nodiscard]] static Schedule assemble(const Schedule& parsed, const ScheduleFields& wanted) {
        Schedule schedule = parsed;
        if (const Cron* const expression = parsed.expression()) {
            schedule =
                daybook::cron(to_string(*expression), wanted.zone.value_or(TimeZone{}),
                              {.days = wanted.days.value_or(DayMatch::vixie), .dst = wanted.dst.value_or(Dst::vixie)});
            for (const Calendar& calendar : parsed.limits().except) { schedule = schedule.except(calendar); }
        }
        return schedule;
    }

    const JsonBody<Json>* body_;
};

} // namespace daybook::inline v0::detail

#endif
