// SPDX-License-Identifier: MIT
#include "contract/http/contract_case.hpp"

#include <utility>

namespace contract {

namespace {

/// A parameter with values that it may have, and some that it may not, as they stand in the query.
struct Parameter {
    std::string_view name;
    std::vector<std::string_view> good;
    std::vector<std::string_view> bad;
};

[[nodiscard]] std::vector<Parameter> filters() {
    return {
        {"limit",
         {"0", "1", "1000", "5000", "99999999999999999999999"},
         {"", "-1", "x", "1.5", "1e3", "0x10", "+1", "%201"}},
        {"offset", {"0", "10", "99999999999999999999999"}, {"", "-1", "x"}},
        {"job_id", {"backup", "t%C3%A4glich/1", "%3Cb%3E%26%22x%22%3C/b%3E", "%FF", "nobody"}, {""}},
        {"handler_id", {"night", "nobody"}, {""}},
        {"method_name", {"run", "nobody"}, {""}},
        {"started_from",
         {"2024-01-15", "2024-01-15T10:00:00Z", "2024-01-15T10:00:00.123456%2B02:00", "1970-01-01"},
         {"", "yesterday", "2024-13-01", "2024-02-30", "2024-01-15T10:00:00", "1705312800", "2024-1-5"}},
        {"started_to", {"2024-01-15", "2030-01-01T00:00:00Z"}, {"", "now", "2024-01-15T25:00:00Z"}},
        {"text", {"done", "%22quoted%22", "%01", "nothing%20like%20it"}, {""}},
        {"attempt_number", {"1", "2", "0", "99999999999999999999"}, {"", "-1", "one"}},
        {"final", {"true", "false"}, {"", "yes", "TRUE", "1"}},
        {"min_duration_ms", {"0", "2.5", "99999999999999999999"}, {"", "-1", ".5", "5.", "1e3", "x"}},
        {"max_duration_ms", {"0", "1500", "0.25"}, {"", "-0.5", "five"}},
        {"metadata_key", {"region"}, {""}},
        {"sort", {"newest", "oldest", "longest", "shortest", "most_drift", "least_drift"}, {"", "random", "NEWEST"}},
        {"cursor", {}, {"", "x", "..", "1.2.3.4", "-", "%FF", "99999999999999999999.1"}},
    };
}

} // namespace

/// Every parameter of the executions API, with values that it may have and some that it may not; pages; files.
std::vector<Case> execution_cases() {
    std::vector<Case> cases{
        get("executions: a page", "/api/executions",
            {{200},
             {header("Content-Type", "application/json"), has(R"({"count":100,"limit":100,"records":[)"),
              has(R"("total":251)"), has(R"("has_more":true)"), header("X-Content-Type-Options", "nosniff")}}),
        get("executions: two of them", "/api/executions?limit=2", {{200}, {has(R"({"count":2,"limit":2,)")}}),
        get("executions: none of them", "/api/executions?limit=0", {{200}, {has(R"({"count":0,"limit":0,)")}}),
        get("executions: more than there may be on a page", "/api/executions?limit=100000",
            {{200}, {has(R"({"count":251,"limit":1000,)"), has(R"("has_more":false)")}}),
        get("executions: the next page by its offset", "/api/executions?limit=100&offset=200",
            {{200}, {has(R"({"count":51,)"), has(R"("offset":200)"), has(R"("next_cursor":null)")}}),
        get("executions: beyond the end", "/api/executions?offset=100000", {{200}, {has(R"({"count":0,)")}}),
        get("executions: the next page by its cursor", "/api/executions?limit=1&cursor=200.200",
            {{200}, {has(R"({"count":1,)"), has(R"("records":[{)")}}),
        get("executions: a cursor and an offset", "/api/executions?cursor=200.200&offset=1",
            {{400}, {error(400, "offset and cursor")}}),
        get("executions: the same parameter twice", "/api/executions?limit=1&limit=2",
            {{400}, {error(400, "limit is given more than once")}}),
        get("executions: the same parameter twice, alike", "/api/executions?limit=1&limit=1",
            {{400}, {error(400, "limit is given more than once")}}),
        get("executions: a range that ends before it begins",
            "/api/executions?started_from=2024-02-01&started_to=2024-01-01",
            {{400}, {error(400, "started_to must not be before")}}),
        get("executions: durations the wrong way round", "/api/executions?min_duration_ms=2&max_duration_ms=1",
            {{400}, {error(400, "max_duration_ms must not be less")}}),
        get("executions: a value of metadata without its key", "/api/executions?metadata_value=x",
            {{400}, {error(400, "metadata_value needs metadata_key")}}),
        get("executions: a name in upper case is another one", "/api/executions?LIMIT=x", {{200}}),
        get("executions: one status", "/api/executions?status=error", {{200}, {has(R"("total":50)")}}),
        get("executions: several statuses", "/api/executions?status=error,timeout", {{200}, {has(R"("total":100)")}}),
        get("executions: several statuses, the comma encoded", "/api/executions?status=error%2Ctimeout",
            {{200}, {has(R"("total":100)")}}),
        get("executions: an unknown status", "/api/executions?status=done",
            {{400}, {error(400, "status must be one of")}}),
        get("executions: an empty status", "/api/executions?status=", {{400}, {error(400, "status must be one of")}}),
        get("executions: a comma too many", "/api/executions?status=error,", {{400}, {error(400, "status must be")}}),
        get("executions: statuses without end", "/api/executions?status=" + repeated("error,", 1000) + "error",
            {{200}, {has(R"("total":50)")}}),
        get("executions: with skips", "/api/executions?skips=include", {{200}}),
        get("executions: skips of an unknown kind", "/api/executions?skips=some",
            {{400}, {error(400, "skips must be")}}),
        get("executions: everything at once",
            "/api/executions?limit=5&status=success,error&job_id=backup&handler_id=night&method_name=run&started_from="
            "2024-01-01&started_to=2025-01-01&min_duration_ms=0&max_duration_ms=100&sort=oldest&text=n&final=true",
            {{200}, {has(R"("limit":5)")}}),
        get("executions: SQL is a text like any other", "/api/executions?job_id=%27%20OR%201=1;--",
            {{200}, {has(R"("total":0)")}}),
        get("executions: markup in a value is told as text", "/api/executions?status=%3Cscript%3Ealert(1)%3C/script%3E",
            {{400}, {header("Content-Type", "application/json"), header("X-Content-Type-Options", "nosniff")}}),
        get("executions: one of them", "/api/executions/4", {{200}, {has("done, number 3")}}),
        get("executions: one whose texts are not UTF-8", "/api/executions/1", {{200}, {has("the disk is full")}}),
        get("executions: one that is not there", "/api/executions/999999",
            {{404}, {error(404, "no execution with this id")}}),
        get("executions: an id that is no number", "/api/executions/abc", {{404}, {error(404, "a whole number")}}),
        get("executions: an id below 0", "/api/executions/-1", {{404}, {error(404, "a whole number")}}),
        get("executions: an id that is too large", "/api/executions/99999999999999999999", {{404}, {error(404, "")}}),
        get("executions: an id with letters behind it", "/api/executions/4x", {{404}, {error(404, "")}}),
        get("executions: an id with a space", "/api/executions/4%20", {{404}, {error(404, "")}}),
        get("executions: an id that holds a slash", "/api/executions/4%2F5", {{404}, {error(404, "")}}),

        get("stats: all", "/api/executions/stats", {{200}, {has("\"total_executions\""), has("\"by_handler\"")}}),
        get("stats: no timeline", "/api/executions/stats?timeline=none", {{200}}),
        get("stats: a timeline of minutes", "/api/executions/stats?timeline=minute&buckets=5", {{200}}),
        get("stats: a timeline of days", "/api/executions/stats?timeline=day&buckets=99999999999999999999", {{200}}),
        get("stats: an unknown timeline", "/api/executions/stats?timeline=week",
            {{400}, {error(400, "timeline must be")}}),
        get("stats: buckets that are no number", "/api/executions/stats?buckets=few",
            {{400}, {error(400, "buckets must be")}}),
        get("stats: a range", "/api/executions/stats?from=2024-01-15T10:00:00Z&to=2024-01-15T11:00:00Z",
            {{200}, {has("\"is_complete\"")}}),
        get("stats: a range without an end", "/api/executions/stats?from=2024-01-15", {{200}}),
        get("stats: a range that ends before it begins", "/api/executions/stats?from=2024-02-01&to=2024-01-01",
            {{400}, {error(400, "to must not be before from")}}),
        get("stats: no instant", "/api/executions/stats?from=monday", {{400}, {error(400, "from must be an instant")}}),
        get("stats: far away", "/api/executions/stats?from=0001-01-01&to=9999-12-31", {{200, 400}}),

        get("errors: a page", "/api/executions/errors", {{200}, {has("\"errors\":["), has(R"("limit":50)")}}),
        get("errors: more than there may be on a page", "/api/executions/errors?limit=1000",
            {{200}, {has(R"("limit":500)")}}),
        get("errors: a limit that is no number", "/api/executions/errors?limit=all",
            {{400}, {error(400, "limit must be")}}),
        get("errors: of one job", "/api/executions/errors?job_id=backup&limit=1", {{200}, {has(R"("count":1)")}}),
        get("errors: a bad cursor", "/api/executions/errors?cursor=x", {{400}, {error(400, "cursor must be")}}),

        get("export: as CSV", "/api/executions/export?format=csv",
            {{200},
             {header_has("Content-Type", "text/csv"), header("Daybook-Count", "251"),
              header("Daybook-Complete", "true"),
              header("Content-Disposition", "attachment; filename=\"executions.csv\""),
              no_header("Daybook-Next-Cursor")}}),
        get("export: as JSON Lines", "/api/executions/export?format=json&limit=3",
            {{200},
             {header("Daybook-Count", "3"), header("Daybook-Limit", "3"), header_has("Daybook-Next-Cursor", ".")}}),
        get("export: only what matches", "/api/executions/export?format=csv&status=timeout",
            {{200}, {header("Daybook-Count", "50")}}),
        get("export: no format", "/api/executions/export", {{400}, {error(400, "format must be csv or json")}}),
        get("export: an unknown format", "/api/executions/export?format=xml", {{400}, {error(400, "format must be")}}),
        get("export: a format twice", "/api/executions/export?format=csv&format=json",
            {{400}, {error(400, "format is given")}}),
        get("export: a bad limit", "/api/executions/export?format=csv&limit=-5",
            {{400}, {error(400, "limit must be")}}),
        head("export: how much there would be", "/api/executions/export?format=csv",
             {{200}, {header("Daybook-Count", "251")}}),

        get("jobs: a page", "/api/v1/jobs", {{200}, {has("\"nightly\""), has("\"total\":")}}),
        get("jobs: one", "/api/v1/jobs/nightly", {{200}, {has(R"("job_id":"nightly")")}}),
        get("jobs: one with other letters in its id", "/api/v1/jobs/t%C3%A4glich%2F1%20a+b",
            {{200}, {has("täglich/1 a+b")}}),
        get("jobs: an unknown one", "/api/v1/jobs/nobody", {{404}, {error(404, "no job with this id")}}),
        get("jobs: an id that is not UTF-8", "/api/v1/jobs/%FF%FE", {{404}, {error(404, "no job with this id")}}),
        get("jobs: a bad limit", "/api/v1/jobs?limit=few", {{400}, {error(400, "limit must be")}}),
        get("jobs: executions of one that never ran", "/api/v1/executions/nobody", {{200}, {has(R"("count":0)")}}),
        get("jobs: executions of an id that is not UTF-8", "/api/v1/executions/%FF", {{200}, {has(R"("count":0)")}}),
        get("jobs: the latest of one that never ran", "/api/v1/executions/nobody/latest", {{404}, {error(404, "")}}),
        get("jobs: figures of one that never ran", "/api/v1/executions/nobody/stats", {{200}}),
        get("dashboard: its page", "/history", {{200}, {header_has("Content-Type", "text/html"), has("<html")}}),
        get("dashboard: its script", "/history/daybook.js", {{200}, {header_has("Content-Type", "text/javascript")}}),
        get("dashboard: its style", "/history/theme.css", {{200}, {header_has("Content-Type", "text/css")}}),
        get("dashboard: a slash too many leads back", "/history/", {{308}, {header("Location", "../history")}}),
    };
    for (const auto& parameter : filters()) {
        const std::string name{parameter.name};
        for (const auto value : parameter.good) {
            const auto given = name + "=" + std::string{value};
            cases.push_back(
                get("executions: good: " + given, "/api/executions?" + given, {{200}, {has("\"records\":[")}}));
        }
        for (const auto value : parameter.bad) {
            const auto given = name + "=" + std::string{value};
            cases.push_back(
                get("executions: bad: " + given, "/api/executions?" + given, {{400}, {error(400, name + " must")}}));
        }
    }
    return cases;
}

} // namespace contract
