// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_ADAPTERS_POSTGRESQL_ROWS_HPP
#define DAYBOOK_ADAPTERS_POSTGRESQL_ROWS_HPP

/// @file
/// How claims and counters become rows of PostgreSQL, and how those of claims and of jobs' standings come back.

#include <daybook/adapters/postgresql_schema.hpp>
#include <daybook/adapters/postgresql_values.hpp>
#include <daybook/adapters/sql_rows.hpp>
#include <daybook/log/fleet_store.hpp>
#include <daybook/log/stored_counters.hpp>
#include <daybook/types.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <vector>

namespace daybook::inline v0 {

/// Microseconds since the epoch, as a row gives them.
[[nodiscard]] inline std::optional<sys_time> postgresql_sys_time(const std::optional<std::int64_t>& micros) {
    return micros ? std::optional{sys_time{std::chrono::microseconds{*micros}}} : std::nullopt;
}

/// A row of PostgresqlFleetSchema::standings.
[[nodiscard]] inline JobStanding take_postgresql_standing(const PostgresqlRows::Row& row, const std::string& id) {
    JobStanding job;
    job.job_id = id;
    job.accounted_to = postgresql_sys_time(row.integer(1));
    if (const auto left = row.integer(2)) { job.left = static_cast<std::uint64_t>(*left); }
    job.updated_at = postgresql_sys_time(row.integer(3)).value_or(sys_time{});
    job.schedule = std::string{row.text(4).value_or("")};
    job.is_paused = row.integer(5).value_or(0) != 0;
    const auto bounded = [](std::int64_t number) {
        return static_cast<std::uint32_t>(
            std::clamp<std::int64_t>(number, 0, std::numeric_limits<std::uint32_t>::max()));
    };
    job.in_progress = bounded(row.integer(6).value_or(0));
    job.elsewhere = bounded(row.integer(7).value_or(0));
    job.in_group = bounded(row.integer(8).value_or(0));
    const std::string_view own = row.text(9).value_or("");
    for (const char* at = own.data(); at != own.data() + own.size();) {
        std::int64_t number = 0;
        const auto [end, error] = std::from_chars(at, own.data() + own.size(), number);
        if (error != std::errc{}) { break; }
        job.own.push_back(static_cast<ExecutionId>(number));
        at = end == own.data() + own.size() ? end : end + 1;
    }
    return job;
}

/// Gives the values of one row, in the order of `postgresql_claim_columns`.
inline void give_postgresql_claim(PostgresqlColumns& sink, const Claim& claim) {
    sink.integer(sql::stored(claim.id));
    sink.text(claim.job_id);
    sink.text(claim.handler_id);
    sink.text(claim.method_name);
    sink.text(claim.kind == Claim::Kind::skip ? std::string_view{"skip"} : std::string_view{"run"});
    sink.instant(claim.scheduled_at);
    sink.text(to_string(claim.trigger));
    sink.text(to_string(claim.dst));
    sink.text(claim.parameters);
    sink.text(claim.group);
    sink.boolean(claim.is_waiting);
    sink.text(to_string(claim.reason));
    sink.integer(sql::stored(claim.skip_count));
    sink.boolean(claim.skip_count_is_minimum);
    sink.instant(claim.claimed_at);
}

/// Takes such a row.
/// @throws StoreError  A word or a number cannot be what this version has written (`refused`).
[[nodiscard]] inline Claim take_postgresql_claim(const PostgresqlRows::Row& row) {
    sql::RowReader<const PostgresqlRows::Row> reader{row, postgresql_claim_columns};
    Claim claim;
    claim.id = reader.count();
    claim.job_id = reader.text();
    claim.handler_id = reader.text();
    claim.method_name = reader.text();
    claim.kind = reader.view() == "skip" ? Claim::Kind::skip : Claim::Kind::run;
    claim.scheduled_at = reader.maybe_instant();
    claim.trigger = reader.choice<Trigger>();
    claim.dst = reader.choice<ClockChange>();
    claim.parameters = reader.text();
    claim.group = reader.text();
    claim.is_waiting = reader.boolean();
    claim.reason = reader.choice<SkipReason>();
    claim.skip_count = reader.count();
    claim.skip_count_is_minimum = reader.boolean();
    claim.claimed_at = reader.instant();
    return claim;
}

/// Pointers to the rows in the order of their keys, so that whoever else writes them cannot deadlock with us.
template <class Row, class Key>
[[nodiscard]] std::vector<const Row*> postgresql_sorted(std::span<const Row> rows, Key key) {
    std::vector<const Row*> order;
    order.reserve(rows.size());
    for (const Row& row : rows) { order.push_back(&row); }
    const auto is_before = [&](const Row* left, const Row* right) { return key(*left) < key(*right); };
    if (!std::is_sorted(order.begin(), order.end(), is_before)) {
        std::stable_sort(order.begin(), order.end(), is_before);
    }
    return order;
}

/// One statement must not name a row twice: of equal keys the last one counts.
inline void give_postgresql_counters(PostgresqlColumns& sink, std::span<const StoredCounters> rows,
                                     std::string_view node) {
    const auto key = [&](const StoredCounters& row) {
        return std::tuple{row.node.empty() ? node : std::string_view{row.node}, to_string(row.scope),
                          std::string_view{row.name}, row.period};
    };
    const auto order = postgresql_sorted(rows, key);
    for (std::size_t row = 0; row < order.size(); ++row) {
        if (row + 1 < order.size() && key(*order[row]) == key(*order[row + 1])) { continue; }
        sql::give_counters(sink, *order[row], node);
    }
}

} // namespace daybook::inline v0

#endif
