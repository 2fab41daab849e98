// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_ADAPTERS_POSTGRESQL_SCHEMA_HPP
#define DAYBOOK_ADAPTERS_POSTGRESQL_SCHEMA_HPP

/// @file
/// The tables of a store in PostgreSQL, and the statements that write them.

#include <daybook/adapters/postgresql_values.hpp>
#include <daybook/adapters/sql_rows.hpp>
#include <daybook/adapters/sql_statements.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace daybook::inline v0 {

/// The version of the tables that this version of Daybook makes and understands.
///
/// | version | |
/// |---|---|
/// | 1 | job_execution, job, job_statistics, daybook_schema |
/// | 2 | node, job_claim, node_number; the columns next_id and clearings of daybook_schema |
inline constexpr std::int64_t postgresql_schema_version = 2;

/// A name as it stands in SQL, whatever characters it has.
[[nodiscard]] inline std::string postgresql_quoted(std::string_view name) {
    std::string quoted = "\"";
    for (const char character : name) { quoted += character == '"' ? "\"\"" : std::string(1, character); }
    return quoted + '"';
}

/// One row for each claim (see fleet_store) that is not over; the key is `id`. The table has four more columns: `node`
/// (whose it is now), `seq` (claims of a job follow each other in its order), `is_cancelled` (it is to end) and
/// `taken_from` (whose it was, as long as its node may not know yet that it has it).
inline constexpr std::array postgresql_claim_columns{
    sql::Column{"id", sql::ColumnType::integer},
    sql::Column{"job_id", sql::ColumnType::text},
    sql::Column{"handler_id", sql::ColumnType::text},
    sql::Column{"method_name", sql::ColumnType::text},
    sql::Column{"kind", sql::ColumnType::text}, // run or skip
    sql::Column{"scheduled_at", sql::ColumnType::instant, sql::Nulls::allowed},
    sql::Column{"triggered_by", sql::ColumnType::text},
    sql::Column{"dst", sql::ColumnType::text},
    sql::Column{"parameters", sql::ColumnType::text},
    sql::Column{"group_name", sql::ColumnType::text},
    sql::Column{"is_waiting", sql::ColumnType::boolean},
    sql::Column{"reason", sql::ColumnType::text},
    sql::Column{"skip_count", sql::ColumnType::integer},
    sql::Column{"skip_count_is_minimum", sql::ColumnType::boolean},
    sql::Column{"claimed_at", sql::ColumnType::instant}, // by the clock of the process that claimed it
};

/// "unnest($1, $2)": a row for each index of the arrays.
[[nodiscard]] inline std::string postgresql_arrays(std::size_t count) {
    std::string list = "unnest(";
    for (std::size_t number = 1; number <= count; ++number) {
        list.append(number == 1 ? "$" : ", $").append(std::to_string(number));
    }
    return list + ')';
}

/// All SQL of one store but its searches and what is particular to a fleet. Instants are timestamptz, names and texts
/// compare byte by byte.
class PostgresqlSchema {
public:
    PostgresqlSchema() = default;

    /// @param schema  Where the tables are. @param prefix  What their names begin with.
    PostgresqlSchema(std::string_view schema, std::string_view prefix)
        : schema_{postgresql_quoted(schema)},
          prefix_{prefix},
          executions{table("job_execution")},
          jobs{table("job")},
          counters{table("job_statistics")},
          version{table("daybook_schema")},
          nodes{table("node")},
          node_numbers{table("node_number")},
          claims{table("job_claim")} {
        const std::string executions_names = sql::names_of(sql::execution_columns);
        // A row that was there has been locked for its update, and bears that; a new one does not.
        write_executions = "WITH written AS (INSERT INTO " + executions + " AS there (" + executions_names +
                           ") SELECT * FROM " + postgresql_arrays(sql::execution_columns.size()) +
                           " ON CONFLICT (id) DO UPDATE SET " + sql::replacement_of(sql::execution_columns, 1) +
                           " WHERE " + sql::replaceable_condition("there") + " RETURNING xmax = 0 AS is_new) UPDATE " +
                           version + " SET retained = retained + (SELECT count(*) FROM written WHERE is_new)";
        write_counters = "INSERT INTO " + counters + " (" + sql::names_of(sql::counters_columns) + ") SELECT * FROM " +
                         postgresql_arrays(sql::counters_columns.size()) +
                         " ON CONFLICT (node, scope, name, period) DO UPDATE SET " +
                         sql::replacement_of(sql::counters_columns, 4);
        write_accounted = "UPDATE " + jobs +
                          " AS there SET accounted_to = given.until FROM (SELECT id, max(until) AS until FROM " +
                          postgresql_arrays(2) +
                          " AS one (id, until) GROUP BY id) AS given WHERE there.id = given.id AND "
                          "(there.accounted_to IS NULL OR there.accounted_to < given.until)";
        save_job = saving_job(job_replacement());
        erase_job = "DELETE FROM " + jobs + " WHERE id = $1 RETURNING 1::bigint";
        find_execution = "SELECT " + executions_names + " FROM " + executions + " WHERE id = $1";
        find_unfinished = unfinished({});
        find_counters = "SELECT " + sql::names_of(sql::counters_columns) + " FROM " + counters +
                        " ORDER BY node, scope, name, period";
        find_jobs = "SELECT " + sql::names_of(sql::job_columns) + " FROM " + jobs + " ORDER BY id";
        has_fleet = "SELECT EXISTS (SELECT 1 FROM " + nodes + ") OR EXISTS (SELECT 1 FROM " + claims + ")";
        // Members of a fleet count what they write and remove by themselves.
        count_clearing = "UPDATE " + version + " SET clearings = clearings + 1 RETURNING clearings";
        retained = "SELECT retained + coalesce((SELECT sum(retained) FROM " + nodes + "), 0)::bigint FROM " + version;
        // $1: of how many, $2: what lies before this position, $3: what there are too many of.
        const std::string finished{sql::finished_condition};
        remove_executions =
            "WITH oldest AS (SELECT id, position, row_number() OVER (ORDER BY position, id) AS place FROM " +
            executions + " WHERE " + finished + " ORDER BY position, id LIMIT $1), gone AS (DELETE FROM " + executions +
            " AS there USING oldest, " + version +
            " AS now WHERE there.id = oldest.id AND (oldest.position < $2 OR oldest.place <= now.retained - $3) "
            "RETURNING 1), number AS (SELECT count(*) AS gone FROM gone) UPDATE " +
            version + " SET retained = retained - number.gone FROM number RETURNING number.gone";
    }

    /// @param replacement  What becomes of a job that is there.
    [[nodiscard]] std::string saving_job(const std::string& replacement) const {
        return "INSERT INTO " + jobs + " AS there (" + sql::names_of(sql::job_columns) + ") SELECT * FROM " +
               postgresql_arrays(sql::job_columns.size()) + " ON CONFLICT (id) DO UPDATE SET " + replacement;
    }

    /// What has not ended, and what has ended with a retry to follow that has not begun.
    /// @param condition  Of these, where it holds: empty, or " AND ..." about `there`.
    [[nodiscard]] std::string unfinished(const std::string& condition) const {
        const std::string from =
            "SELECT " + sql::names_of(sql::execution_columns) + " FROM " + executions + " AS there WHERE ";
        return from + std::string{sql::unfinished_condition} + condition + " UNION ALL " + from +
               std::string{sql::retried_condition} + " AND " + std::string{sql::finished_condition} +
               " AND status <> 'skipped'" + condition + " AND NOT EXISTS (SELECT 1 FROM " + executions +
               " AS later WHERE later.occurrence_id = there.occurrence_id AND later.attempt_number > "
               "there.attempt_number) ORDER BY position, id";
    }

    /// Makes the tables, in order, with the version.
    [[nodiscard]] std::vector<std::string> creation() const {
        const auto index = [&](std::string_view name, std::string_view what) {
            return "CREATE INDEX " + postgresql_quoted(prefix_ + "job_execution_" + std::string{name}) + " ON " +
                   executions + " " + std::string{what};
        };
        const std::string newest = "(position, id) WHERE ";
        std::vector<std::string> texts{
            "CREATE TABLE " + version + " (version bigint NOT NULL, retained bigint NOT NULL)",
            // Room for the end of what was written while it ran.
            "CREATE TABLE " + executions + " (" + columns(sql::execution_columns) +
                ", PRIMARY KEY (id)) WITH (fillfactor = 70)",
            index("position", "(position, id)"), index("job", "(job_id, position, id)"),
            index("handler", "(handler_id, position, id)"), index("occurrence", "(occurrence_id)"),
            index("failures", newest + sql::failures_condition()),
            index("unfinished", newest + std::string{sql::unfinished_condition}),
            index("retried", newest + std::string{sql::retried_condition}),
            "CREATE TABLE " + jobs + " (" + columns(sql::job_columns) + ", PRIMARY KEY (id))",
            "CREATE TABLE " + counters + " (" + columns(sql::counters_columns) +
                ", PRIMARY KEY (node, scope, name, period)) WITH (fillfactor = 50)",
            "INSERT INTO " + version + " VALUES (1, 0)"};
        for (auto& text : migration()) { texts.push_back(std::move(text)); }
        return texts;
    }

    /// Brings the tables of version 1 to the present one, in order, with the version.
    [[nodiscard]] std::vector<std::string> migration() const {
        const auto index = [&](std::string_view name, std::string_view what) {
            return "CREATE INDEX " + postgresql_quoted(prefix_ + "job_claim_" + std::string{name}) + " ON " + claims +
                   " " + std::string{what};
        };
        return {// From there on no process of a fleet has ids.
                "ALTER TABLE " + version +
                    " ADD COLUMN next_id bigint NOT NULL DEFAULT 0, ADD COLUMN clearings bigint NOT NULL DEFAULT 0",
                "CREATE SEQUENCE " + node_numbers,
                // One row for each process of a fleet: until when the others leave it alone, and what it adds to the
                // number of records kept.
                "CREATE TABLE " + nodes +
                    " (node text COLLATE \"C\" PRIMARY KEY, expires_at timestamptz NOT NULL, retained bigint NOT NULL"
                    ") WITH (fillfactor = 50)",
                "CREATE TABLE " + claims + " (" + columns(postgresql_claim_columns) +
                    ", node text COLLATE \"C\" NOT NULL, seq bigint GENERATED BY DEFAULT AS IDENTITY, is_cancelled "
                    "boolean NOT NULL DEFAULT false, taken_from text COLLATE \"C\", PRIMARY KEY (id))",
                index("job", "(job_id, seq)"), index("node", "(node)"),
                index("group", "(group_name) WHERE group_name <> ''"),
                "UPDATE " + version + " SET version = " + std::to_string(postgresql_schema_version)};
    }

    /// What a fleet has left becomes what one process alone understands: claims without an execution become one that
    /// was abandoned, or skipped; counts become one. In order.
    [[nodiscard]] std::vector<std::string> adoption() const {
        return {"WITH written AS (INSERT INTO " + executions +
                    " (id, occurrence_id, job_id, handler_id, method_name, scheduled_at, queued_at, completed_at, "
                    "status, attempt_number, is_final, triggered_by, node, reason, skip_count, skip_count_is_minimum, "
                    "dst, log_text, parameters, metadata, position) SELECT id, id, job_id, handler_id, method_name, "
                    "scheduled_at, CASE WHEN kind = 'run' THEN claimed_at END, clock_timestamp(), CASE WHEN kind = "
                    "'run' THEN 'abandoned' ELSE 'skipped' END, 1, kind <> 'run', triggered_by, node, reason, "
                    "skip_count, skip_count_is_minimum, dst, '', parameters, '[]', (extract(epoch FROM claimed_at) * "
                    "1000000)::bigint FROM " +
                    claims + " ORDER BY id ON CONFLICT (id) DO NOTHING RETURNING 1) UPDATE " + version +
                    " SET retained = retained + (SELECT count(*) FROM written) + coalesce((SELECT sum(retained) FROM " +
                    nodes + "), 0)::bigint",
                "DELETE FROM " + claims, "DELETE FROM " + nodes};
    }

    /// Names the right to write these tables: the same for all who write them.
    [[nodiscard]] std::int64_t lock_key() const noexcept {
        std::uint64_t hash = 14'695'981'039'346'656'037U; // FNV-1a
        for (const char character : "daybook " + version) {
            hash = (hash ^ static_cast<unsigned char>(character)) * 1'099'511'628'211U;
        }
        return static_cast<std::int64_t>(hash);
    }

private:
    [[nodiscard]] std::string table(std::string_view name) const {
        return schema_ + '.' + postgresql_quoted(prefix_ + std::string{name});
    }

    [[nodiscard]] static std::string job_replacement() {
        std::string list = "accounted_to = coalesce(excluded.accounted_to, there.accounted_to)";
        for (const auto& column : std::span{sql::job_columns}.subspan(1)) {
            if (column.name == "accounted_to" || column.name == "created_at") { continue; }
            list.append(", ").append(column.name).append(" = excluded.").append(column.name);
        }
        return list;
    }

    [[nodiscard]] static std::string columns(std::span<const sql::Column> columns) {
        std::string list;
        for (const auto& column : columns) {
            if (!list.empty()) { list += ", "; }
            list.append(column.name);
            switch (postgresql_type(column.type)) {
            case PostgresqlType::bigint: list += " bigint"; break;
            case PostgresqlType::double_precision: list += " double precision"; break;
            case PostgresqlType::boolean: list += " boolean"; break;
            case PostgresqlType::text: list += " text COLLATE \"C\""; break;
            case PostgresqlType::timestamptz: list += " timestamptz"; break;
            case PostgresqlType::jsonb: list += " jsonb"; break;
            }
            if (column.nulls == sql::Nulls::refused) { list += " NOT NULL"; }
        }
        return list;
    }

    std::string schema_;
    std::string prefix_;

public:
    // The tables.
    std::string executions;
    std::string jobs;
    std::string counters;
    std::string version;
    std::string nodes;
    std::string node_numbers;
    std::string claims;

    // The statements.
    std::string write_executions;
    std::string write_counters;
    std::string write_accounted;
    std::string save_job;
    std::string erase_job;
    std::string find_execution;
    std::string find_unfinished;
    std::string find_counters;
    std::string find_jobs;
    std::string has_fleet; // or had one
    std::string retained;
    std::string count_clearing;
    std::string remove_executions;
};

} // namespace daybook::inline v0

#endif
