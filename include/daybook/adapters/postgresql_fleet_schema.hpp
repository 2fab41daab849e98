// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_ADAPTERS_POSTGRESQL_FLEET_SCHEMA_HPP
#define DAYBOOK_ADAPTERS_POSTGRESQL_FLEET_SCHEMA_HPP

/// @file
/// The statements of a store in PostgreSQL that several processes share.

#include <daybook/adapters/postgresql_connection.hpp>
#include <daybook/adapters/postgresql_schema.hpp>
#include <daybook/adapters/sql_rows.hpp>
#include <daybook/adapters/sql_statements.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace daybook::inline v0 {

/// All SQL that only a fleet needs. Rows are locked in the order of their keys: jobs before claims, and the row of a
/// node last, but for its shared lock (the fence), for which nobody waits who has more.
class PostgresqlFleetSchema {
public:
    PostgresqlFleetSchema() = default;
    explicit PostgresqlFleetSchema(const PostgresqlSchema& there) {
        constexpr std::string_view digits = "0123456789abcdef";
        channel = "daybook_";
        for (int shift = 60; shift >= 0; shift -= 4) {
            channel += digits[(static_cast<std::uint64_t>(there.lock_key()) >> static_cast<unsigned>(shift)) & 0xFU];
        }
        claim_channel = channel + "_claim";
        seats(there);
        claims(there);
        take_over(there);
        records(there);
    }

private:
    void seats(const PostgresqlSchema& there) {
        const std::string& nodes = there.nodes;
        // Milliseconds since 2020 and twelve bits for what was given within one; never what anybody has had.
        const std::string next =
            "greatest(next_id, (extract(epoch FROM clock_timestamp() - timestamptz '2020-01-01 "
            "00:00:00+00') * 1000)::bigint << 12, coalesce((SELECT (max(id) >> 12) + 1 << 12 FROM " +
            there.executions + " WHERE id < 1::bigint << 52), 0))";
        take_ids = "UPDATE " + there.version + " SET next_id = " + next + " + $1 RETURNING next_id - $1";
        take_seat = "INSERT INTO " + nodes + " SELECT $1 || '#' || nextval($3::regclass), clock_timestamp() + " +
                    lease("$2") + ", 0 RETURNING node";
        leave = "WITH gone AS (DELETE FROM " + nodes + " WHERE node = $1 AND NOT EXISTS (SELECT 1 FROM " +
                there.claims + " WHERE node = $1) AND NOT EXISTS (SELECT 1 FROM " + there.executions + " WHERE " +
                std::string{sql::unfinished_condition} + " AND node = $1) RETURNING retained) UPDATE " + there.version +
                " SET retained = " + there.version + ".retained + gone.retained FROM gone";
        expire = "UPDATE " + nodes + " SET expires_at = '-infinity' WHERE node = $1";
        beat = "WITH renewed AS (UPDATE " + nodes + " SET expires_at = clock_timestamp() + " + lease("$2") +
               " WHERE node = $1 RETURNING 1) SELECT EXISTS (SELECT 1 FROM renewed), clock_timestamp()";
        // The advisory lock shows whose transaction it is. $2: the key of the tables.
        fence = "SELECT CASE WHEN count(*) = 0 THEN set_config('" + std::string{PostgresqlConnection::unseated_mark} +
                "', $1, true) END, pg_advisory_xact_lock_shared(hashtextextended($1, $2)) FROM (SELECT FROM " + nodes +
                " WHERE node = $1 FOR KEY SHARE) AS seat";
        find_clearings = "SELECT clearings FROM " + there.version;
        share_clearings = "SELECT pg_advisory_xact_lock_shared($1)";
        // $1: how often the history was cleared, as far as this process knows.
        check_clearings = "SELECT CASE WHEN clearings <> $1 THEN set_config('" +
                          std::string{PostgresqlConnection::cleared_mark} + "', '', true) END FROM " + there.version;
        // Of processes that were stopped in the midst of a transaction, so that nobody can take over. $2: as above.
        disconnect = "SELECT pg_terminate_backend(held.pid) FROM " + nodes +
                     " AS there JOIN pg_locks AS held ON held.classid::bigint << 32 | held.objid::bigint = "
                     "hashtextextended(there.node, $2) WHERE there.expires_at <= clock_timestamp() - " +
                     lease("$3") +
                     " AND there.node <> $1 AND held.locktype = 'advisory' AND held.objsubid = 1 AND held.database = "
                     "(SELECT oid FROM "
                     "pg_database WHERE datname = current_database())";
    }

    void claims(const PostgresqlSchema& there) {
        const std::string& table = there.claims;
        lock_groups = "SELECT set_config('daybook.groups', coalesce(jsonb_agg(name)::text, '[]'), true) FROM (SELECT "
                      "name FROM (SELECT DISTINCT name FROM " +
                      postgresql_arrays(1) +
                      " AS given (name) ORDER BY name) AS sorted WHERE pg_try_advisory_xact_lock(hashtextextended("
                      "name, $2))) AS got";
        wait_for_groups = "SELECT set_config('daybook.groups', coalesce(jsonb_agg(name)::text, '[]'), true) FROM "
                          "(SELECT name, pg_advisory_xact_lock(hashtextextended(name, $2)) FROM (SELECT DISTINCT name "
                          "FROM " +
                          postgresql_arrays(1) + " AS given (name) ORDER BY name) AS sorted) AS got";
        const std::string given = postgresql_arrays(2) + " WITH ORDINALITY AS given (id, group_name, place)";
        lock_jobs = "SELECT set_config('daybook.locked', coalesce(jsonb_agg(id)::text, '[]'), true) FROM (SELECT "
                    "there.id FROM " +
                    there.jobs + " AS there JOIN " + given +
                    " ON there.id = given.id WHERE given.group_name = '' OR given.group_name IN (" + listed("groups") +
                    ") ORDER BY there.id FOR UPDATE OF there";
        wait_for_jobs = lock_jobs + ") AS locked";
        lock_jobs += " SKIP LOCKED) AS locked";
        // Another statement, so that it sees what those have written who held the locks before.
        standings =
            "SELECT given.place, there.accounted_to, there.occurrences_left, there.updated_at, there.schedule, "
            "there.is_paused, (SELECT count(*) FROM " +
            table + " AS run WHERE run.job_id = there.id AND run.kind = 'run'), (SELECT count(*) FROM " + table +
            " AS run WHERE run.job_id = there.id AND run.kind = 'run' AND run.node <> $3), coalesce(others.number, 0), "
            "(SELECT string_agg(own.id::text, ' ' ORDER BY own.seq) FROM " +
            table + " AS own WHERE own.job_id = there.id AND own.node = $3) FROM (" + listed("locked") +
            ") AS locked (id) JOIN " + there.jobs + " AS there ON there.id = locked.id JOIN " + given +
            " ON given.id = there.id LEFT JOIN (SELECT group_name, count(*) AS number FROM " + table +
            " WHERE group_name <> '' AND kind = 'run' AND group_name IN (SELECT unnest($2)) GROUP BY "
            "group_name) AS others ON others.group_name = given.group_name ORDER BY there.id";
        unknown = "SELECT given.place FROM " + postgresql_arrays(1) +
                  " WITH ORDINALITY AS given (id, place) WHERE NOT EXISTS (SELECT 1 FROM " + there.jobs +
                  " AS there WHERE there.id = given.id) ORDER BY given.id";
        write_standings = "UPDATE " + there.jobs +
                          " AS there SET accounted_to = given.until, occurrences_left = given.remaining, updated_at = "
                          "given.updated_at FROM " +
                          postgresql_arrays(4) +
                          " AS given (id, until, remaining, updated_at) WHERE there.id = given.id";
        cancel_claims = "WITH found AS (SELECT id FROM " + table +
                        " WHERE job_id IN (SELECT unnest($1)) AND kind = 'run' AND NOT is_cancelled ORDER BY id FOR "
                        "UPDATE), done AS (UPDATE " +
                        table +
                        " AS there SET is_cancelled = true FROM found WHERE there.id = found.id RETURNING 1) "
                        "SELECT pg_notify($2, '') WHERE EXISTS (SELECT 1 FROM done)";
        const auto count = postgresql_claim_columns.size();
        const std::string names = sql::names_of(postgresql_claim_columns);
        write_claims = "INSERT INTO " + table + " (" + names + ", node) SELECT " + names + ", $" +
                       std::to_string(count + 1) + " FROM " + postgresql_arrays(count) + " WITH ORDINALITY AS given (" +
                       names + ", place) ORDER BY place";
        // Others are told when one of them waits for what is over.
        release = "WITH found AS (SELECT id FROM " + table +
                  " WHERE id IN (SELECT unnest($1)) AND node = $2 ORDER BY id FOR UPDATE), gone AS (DELETE FROM " +
                  table +
                  " AS there USING found WHERE there.id = found.id RETURNING there.id, there.job_id) SELECT "
                  "pg_notify($3, '') WHERE EXISTS (SELECT 1 FROM " +
                  table +
                  " AS waits JOIN gone USING (job_id) WHERE waits.is_waiting AND waits.id NOT IN (SELECT id "
                  "FROM gone))";
        look = "SELECT id, true FROM " + table +
               " WHERE node = $1 AND is_cancelled AND kind = 'run' UNION ALL (SELECT id, false FROM " + table +
               " AS there WHERE node = $1 AND is_waiting AND NOT EXISTS (SELECT 1 FROM " + table +
               " AS before WHERE before.job_id = there.job_id AND before.seq < there.seq AND before.kind = 'run') "
               "ORDER BY seq)";
    }

    void take_over(const PostgresqlSchema& there) {
        const std::string& nodes = there.nodes;
        const std::string& claims = there.claims;
        remove_seats =
            "WITH expired AS (SELECT node, retained FROM " + nodes +
            " WHERE expires_at <= clock_timestamp() AND node <> $1 ORDER BY node FOR UPDATE SKIP LOCKED), gone AS "
            "(DELETE FROM " +
            nodes +
            " AS there USING expired WHERE there.node = expired.node RETURNING there.node, there.retained), "
            "mine AS (UPDATE " +
            nodes +
            " SET retained = retained + (SELECT sum(retained) FROM gone)::bigint WHERE node = $1 AND EXISTS "
            "(SELECT 1 FROM gone)) SELECT count(*), (SELECT count(*) FROM " +
            nodes + " WHERE node <> $1 AND expires_at <= clock_timestamp() - " + lease("$2") +
            " AND node NOT IN (SELECT node FROM gone)), set_config('daybook.gone', coalesce(jsonb_agg(node)::text, "
            "'[]'), true) FROM gone";
        end_executions = "WITH found AS (SELECT id FROM " + there.executions + " WHERE " +
                         std::string{sql::unfinished_condition} + " AND node IN (" + listed("gone") +
                         ") ORDER BY id FOR UPDATE), ended AS (UPDATE " + there.executions +
                         " AS there SET status = 'abandoned', is_final = false, completed_at = "
                         "greatest(clock_timestamp(), started_at), "
                         "duration_ns = NULL FROM found WHERE there.id = found.id RETURNING there.id) SELECT "
                         "set_config('daybook.ended', coalesce(jsonb_agg(id)::text, '[]'), true) FROM ended";
        forget_taken = "UPDATE " + claims + " SET taken_from = NULL WHERE node = $2 AND id IN (SELECT unnest($1))";
        take_claims = "WITH found AS (SELECT id FROM " + claims + " WHERE node IN (" + listed("gone") +
                      ") ORDER BY id FOR UPDATE) UPDATE " + claims +
                      " AS there SET node = $1, taken_from = there.node FROM found WHERE there.id = found.id";
        const std::string taken = "(SELECT id FROM " + claims + " WHERE node = $1 AND taken_from IS NOT NULL)";
        taken_claims = "SELECT " + sql::names_of(postgresql_claim_columns) + ", taken_from FROM " + claims +
                       " WHERE node = $1 AND taken_from IS NOT NULL ORDER BY seq";
        const std::string names = sql::names_of(sql::execution_columns);
        taken_attempts = "SELECT DISTINCT ON (occurrence_id) " + names + " FROM " + there.executions +
                         " WHERE occurrence_id IN " + taken + " ORDER BY occurrence_id, attempt_number DESC, id DESC";
        ended = "SELECT one::bigint FROM (" + listed("ended") + ") AS ended (one)";
        ended_executions = "SELECT " + names + " FROM " + there.executions + " AS there WHERE id IN (" + ended +
                           ") AND NOT EXISTS (SELECT 1 FROM " + claims +
                           " AS claim WHERE claim.id = there.occurrence_id) ORDER BY position, id";
    }

    void records(const PostgresqlSchema& there) {
        const std::string& nodes = there.nodes;
        const auto count = sql::execution_columns.size();
        const std::string names = sql::names_of(sql::execution_columns);
        const std::string me = "$" + std::to_string(count + 1);
        write_executions = "WITH written AS (INSERT INTO " + there.executions + " AS there (" + names +
                           ") SELECT * FROM " + postgresql_arrays(count) + " ON CONFLICT (id) DO UPDATE SET " +
                           sql::replacement_of(sql::execution_columns, 1) + " WHERE there.node = excluded.node AND (" +
                           sql::replaceable_condition("there") +
                           ") RETURNING xmax = 0 AS is_new), number AS (SELECT count(*) AS added FROM written WHERE "
                           "is_new) UPDATE " +
                           nodes +
                           " AS seat SET retained = seat.retained + number.added FROM number WHERE seat.node = " + me +
                           " AND number.added > 0";
        save_job = there.saving_job(job_replacement());
        tell_job = "SELECT pg_notify($1, CASE WHEN octet_length($2) < 8000 THEN $2 ELSE '' END)";
        const std::string seatless = " AND NOT EXISTS (SELECT 1 FROM " + nodes +
                                     " AS seat WHERE seat.node = there.node)"
                                     " AND NOT EXISTS (SELECT 1 FROM " +
                                     there.claims + " AS claim WHERE claim.id = there.occurrence_id)";
        find_unfinished = there.unfinished(seatless);
        // $1: of how many, $2: what lies before this position, $3: what there are too many of, $4: who counts.
        const std::string finished{sql::finished_condition};
        const auto removal = [&](const std::string& limit) {
            return "WITH total AS (" + there.retained +
                   "), oldest AS (SELECT id, position, row_number() OVER (ORDER BY "
                   "position, id) AS place FROM " +
                   there.executions + " WHERE " + finished + " ORDER BY position, id LIMIT " + limit +
                   "), gone AS (DELETE FROM " + there.executions +
                   " AS there USING oldest, total AS now (retained) WHERE there.id = oldest.id AND (oldest.position < "
                   "$2 OR "
                   "oldest.place <= now.retained - $3) RETURNING 1), number AS (SELECT count(*) AS gone FROM gone) "
                   "UPDATE " +
                   nodes +
                   " AS seat SET retained = seat.retained - number.gone FROM number WHERE seat.node = $4 RETURNING "
                   "number.gone";
        };
        clear_executions = removal("$1");
        // One process at a time.
        prune_executions = removal("CASE WHEN pg_try_advisory_xact_lock($5) THEN $1 ELSE 0 END");
        const std::string tidied = " WHERE node = $1 OR node NOT IN (SELECT node FROM " + nodes + ")";
        find_tidied = "SELECT " + sql::names_of(sql::counters_columns) + " FROM " + there.counters + tidied +
                      " ORDER BY node, scope, name, period";
        remove_tidied = "DELETE FROM " + there.counters + " WHERE node IN (SELECT unnest($1))";
    }

    /// Microseconds as an interval.
    [[nodiscard]] static std::string lease(const std::string& micros) { return micros + " * interval '1 microsecond'"; }
    [[nodiscard]] static std::string listed(const std::string& setting) {
        return "SELECT jsonb_array_elements_text(current_setting('daybook." + setting + "')::jsonb)";
    }
    /// What a job that is saved again brings along: where its schedule is the same, how far it has got stays.
    [[nodiscard]] static std::string job_replacement() {
        std::string list;
        for (const auto& column : std::span{sql::job_columns}.subspan(1)) {
            const std::string name{column.name};
            if (name == "created_at") { continue; }
            if (!list.empty()) { list += ", "; }
            list += name;
            const std::string change = " = CASE WHEN there.schedule = excluded.schedule THEN ";
            if (name == "accounted_to") {
                list += change + "coalesce(there.accounted_to, excluded.accounted_to) ELSE coalesce("
                                 "excluded.accounted_to, there.accounted_to) END";
            } else if (name == "occurrences_left" || name == "updated_at") {
                list.append(change).append("there.").append(name).append(" ELSE excluded.").append(name).append(" END");
            } else {
                list += " = excluded." + name;
            }
        }
        return list;
    }

public:
    std::string channel;       ///< where changed jobs are told, by their ids
    std::string claim_channel; ///< where it is told that claims are over, or are to end

    // The statements.
    std::string take_ids, take_seat, leave, expire, beat, fence, disconnect;
    std::string find_clearings, share_clearings, check_clearings;
    std::string lock_groups, wait_for_groups, lock_jobs, wait_for_jobs, standings, unknown;
    std::string write_standings, cancel_claims, write_claims, release, look;
    std::string remove_seats, end_executions, forget_taken, take_claims, taken_claims, taken_attempts, ended,
        ended_executions;
    std::string write_executions, save_job, tell_job, find_unfinished, clear_executions, prune_executions;
    std::string find_tidied, remove_tidied;
};

} // namespace daybook::inline v0

#endif
