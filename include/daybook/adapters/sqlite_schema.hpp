// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_ADAPTERS_SQLITE_SCHEMA_HPP
#define DAYBOOK_ADAPTERS_SQLITE_SCHEMA_HPP

/// @file
/// The tables of an SQLite store, and the statements that do not depend on what is asked.

#include <daybook/adapters/sql_rows.hpp>
#include <daybook/adapters/sql_statements.hpp>
#include <daybook/adapters/sqlite_connection.hpp>
#include <daybook/log/execution_store.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace daybook::inline v0 {

/// The version of the tables that this version of Daybook makes and understands.
inline constexpr std::int64_t sqlite_schema_version = 1;

/// The names of the tables, and the statements with these names in them.
struct SqliteNames {
    /// @throws std::invalid_argument  What shall stand before each name is not fit for that.
    explicit SqliteNames(const std::string& prefix) {
        constexpr std::string_view digits = "0123456789";
        constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz0123456789";
        const bool is_reserved = prefix.size() >= 7 && sqlite3_strnicmp(prefix.c_str(), "sqlite_", 7) == 0;
        if (prefix.size() > 40 || prefix.find_first_not_of(letters) != std::string::npos || is_reserved ||
            (!prefix.empty() && digits.find(prefix.front()) != std::string_view::npos)) {
            throw std::invalid_argument{"daybook: SqliteOptions::table_prefix must be ASCII letters, digits and _, no "
                                        "digit first, at most 40, and not begin with sqlite_"};
        }
        schema = prefix + "daybook_schema";
        executions = prefix + "job_execution";
        jobs = prefix + "job";
        counters = prefix + "job_statistics";

        execution_columns = sql::names_of(sql::execution_columns);
        put_execution = insert(executions, sql::execution_columns) + " ON CONFLICT (id) DO UPDATE SET " +
                        sql::replacement_of(sql::execution_columns, 1) + " WHERE " +
                        sql::replaceable_condition(executions);
        find = "SELECT " + execution_columns + " FROM " + executions + " WHERE id = ?1";
        unfinished = sql::unfinished_statement(executions, execution_columns);
        retained = "SELECT executions FROM " + schema;
        set_retained = "UPDATE " + schema + " SET executions = ?1";
        add_retained = "UPDATE " + schema + " SET executions = executions + ?1";
        count_all = "SELECT count(*) FROM " + executions;
        clear = "CREATE TEMP TABLE daybook_unfinished AS SELECT * FROM " + executions + " WHERE " +
                std::string{sql::unfinished_condition} + "; DELETE FROM " + executions + "; INSERT INTO " + executions +
                " SELECT * FROM temp.daybook_unfinished; DROP TABLE temp.daybook_unfinished; DELETE FROM " + counters +
                " WHERE scope <> 'lifetime'";
        prune = "DELETE FROM " + executions + " WHERE id IN (SELECT id FROM " + executions + " WHERE +" +
                std::string{sql::finished_condition} + " AND position < ?1 ORDER BY position, id LIMIT ?2)";

        all_counters = "SELECT " + sql::names_of(sql::counters_columns) + " FROM " + counters;
        put_counters = insert(counters, sql::counters_columns) +
                       " ON CONFLICT (node, scope, name, period) DO UPDATE SET " +
                       sql::replacement_of(sql::counters_columns, 4);

        all_jobs = "SELECT " + sql::names_of(sql::job_columns) + " FROM " + jobs + " ORDER BY id";
        save_job = insert(jobs, sql::job_columns) + " ON CONFLICT (id) DO UPDATE SET " + job_replacement();
        erase_job = "DELETE FROM " + jobs + " WHERE id = ?1";
        move_accounted = "UPDATE " + jobs + " SET accounted_to = ?2 WHERE id = ?1 AND " +
                         "(accounted_to IS NULL OR accounted_to < ?2)";
    }

    std::string schema, executions, jobs, counters;
    std::string execution_columns, put_execution, find, unfinished, retained, set_retained, add_retained, count_all;
    std::string clear, prune, all_counters, put_counters, all_jobs, save_job, erase_job, move_accounted;

private:
    [[nodiscard]] static std::string insert(const std::string& table, std::span<const sql::Column> columns) {
        std::string marks;
        for (std::size_t number = 1; number <= columns.size(); ++number) {
            marks += (marks.empty() ? "?" : ", ?") + std::to_string(number);
        }
        return "INSERT INTO " + table + " (" + sql::names_of(columns) + ") VALUES (" + marks + ")";
    }

    /// What a job that is saved again brings along; see job_store.
    [[nodiscard]] std::string job_replacement() const {
        std::string list;
        for (const sql::Column& column : sql::job_columns) {
            if (column.name == "id" || column.name == "created_at") { continue; }
            const std::string name{column.name};
            if (!list.empty()) { list += ", "; }
            list += name;
            list += name == "accounted_to" ? " = coalesce(excluded.accounted_to, " + jobs + ".accounted_to)"
                                           : " = excluded." + name;
        }
        return list;
    }
};

/// Makes the tables, unless they are there. Within a transaction.
/// @throws StoreError  They are of a later version of Daybook, or there are others of the same names (`refused`).
inline void make_sqlite_tables(SqliteConnection& connection, const SqliteNames& names, const std::string& path) {
    connection.run("CREATE TABLE IF NOT EXISTS " + names.schema +
                   " (version INTEGER NOT NULL, executions INTEGER NOT NULL)");
    std::optional<std::int64_t> version;
    {
        SqliteConnection::Use use{connection, "SELECT version FROM " + names.schema};
        if (use.step()) { version = use.row().integer(0).value_or(0); }
    }
    if (version == sqlite_schema_version) { return; }
    if (version) {
        throw StoreError{StoreFailure::refused, path + " has tables of version " + std::to_string(*version) +
                                                    "; this version of Daybook knows version " +
                                                    std::to_string(sqlite_schema_version)};
    }

    const auto columns_of = [](std::span<const sql::Column> columns) {
        std::string list;
        for (const sql::Column& column : columns) {
            if (!list.empty()) { list += ", "; }
            const bool is_text = column.type == sql::ColumnType::text || column.type == sql::ColumnType::json;
            const bool is_real = column.type == sql::ColumnType::real;
            list.append(column.name).append(is_text ? " TEXT" : is_real ? " REAL" : " INTEGER");
            // SQLite keeps a number that is none as null.
            if (column.nulls == sql::Nulls::refused && !is_real) { list += " NOT NULL"; }
        }
        return list;
    };
    const std::string& table = names.executions;
    // The row's own number is the id, and stands last in every index.
    const auto index = [&](const std::string& by, const std::string& columns, const std::string& where = {}) {
        connection.run("CREATE INDEX " + table + "_by_" + by + " ON " + table + " (" + columns + ")" +
                       (where.empty() ? where : " WHERE " + where));
    };
    connection.run("CREATE TABLE " + table + " (" + columns_of(sql::execution_columns) + ", PRIMARY KEY (id))");
    index("position", "position");
    index("job", "job_id, position");
    index("handler", "handler_id, position");
    index("occurrence", "occurrence_id, position");
    index("failure", "position", sql::failures_condition());
    index("unfinished", "position", std::string{sql::unfinished_condition});
    index("retried", "position", std::string{sql::retried_condition});
    connection.run("CREATE TABLE " + names.jobs + " (" + columns_of(sql::job_columns) +
                   ", PRIMARY KEY (id)) WITHOUT ROWID");
    connection.run("CREATE TABLE " + names.counters + " (" + columns_of(sql::counters_columns) +
                   ", PRIMARY KEY (node, scope, name, period)) WITHOUT ROWID");

    std::string readable;
    for (const sql::Column& column : sql::execution_columns) {
        const std::string name{column.name};
        if (!readable.empty()) { readable += ", "; }
        if (column.type == sql::ColumnType::instant) {
            const std::string part = "((" + name + " % 1000000) + 1000000) % 1000000";
            readable.append("strftime('%Y-%m-%dT%H:%M:%S', (").append(name).append(" - ").append(part);
            readable.append(") / 1000000, 'unixepoch') || printf('.%06dZ', ").append(part).append(") AS ");
        }
        readable += name;
    }
    connection.run("CREATE VIEW " + table + "_readable AS SELECT " + readable + " FROM " + table);
    connection.run("INSERT INTO " + names.schema + " VALUES (" + std::to_string(sqlite_schema_version) + ", 0)");
}

} // namespace daybook::inline v0

#endif
