// SPDX-License-Identifier: MIT
#include <daybook/log/job_execution_log.hpp>

#include "log/log_test_support.hpp"
#include "support/catch.hpp"

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

using namespace daybook;
using namespace log_test;

namespace {

struct Titled {
    std::string title;
    std::vector<int> rows;
};

/// Asks the log again whenever it is copied or destroyed: a log that did either under its lock would never return.
struct Curious {
    explicit Curious(JobExecutionLog<Curious>* of) : log{of} {}
    Curious(const Curious& other) : log{other.log} { ask(); }
    Curious(Curious&& other) noexcept : log{std::exchange(other.log, nullptr)} {}
    Curious& operator=(const Curious&) = default;
    Curious& operator=(Curious&&) = default;
    ~Curious() { ask(); }

    void ask() const {
        if (log != nullptr) { asked += static_cast<int>(log->size() + log->stats().by_status.size()); }
    }

    JobExecutionLog<Curious>* log;
    inline static int asked = 0;
};

struct Unlimited {
    std::string text;
};

} // namespace

template <>
struct daybook::ResultCodec<Titled> {
    static void write_json(JsonWriter& json, const Titled& report) { json.value(report.title); }
    static Titled limited(Titled report, std::size_t max_bytes) {
        if (report.rows.size() * sizeof(int) > max_bytes) { report.rows.resize(max_bytes / sizeof(int)); }
        return report;
    }
};

template <>
struct daybook::ResultCodec<Curious> {
    static void write_json(JsonWriter& json, const Curious&) { json.null(); }
    static Curious limited(Curious result, std::size_t) {
        result.ask();
        return result;
    }
};

template <>
struct daybook::ResultCodec<Unlimited> {
    static void write_json(JsonWriter& json, const Unlimited&) { json.null(); }
    static Unlimited limited(Unlimited, std::size_t) { throw std::runtime_error{"cannot be cut"}; }
};

TEST_CASE("an empty result is a result, and none is none") {
    JobExecutionLog<> log{10};
    const auto with = log.record_start("a");
    log.record_success(with, "");
    const auto without = log.record_start("a");
    log.record_success(without);
    CHECK(log.find(with.id)->result == std::string{});
    CHECK_FALSE(log.find(without.id)->result);
}

TEST_CASE("results and errors beyond max_text_bytes are cut, with a mark, between two characters") {
    JobExecutionLog<> log{LogOptions{.capacity = 10, .max_text_bytes = 64}};
    std::string text;
    for (int i = 0; i < 100; ++i) { text += "\xE4\xB8\x96"; }
    const auto success = log.record_start("a");
    log.record_success(success, text);
    const auto error = log.record_start("a");
    log.record_error(error, text);
    for (const std::string& kept : {log.find(success.id)->result.value(), log.find(error.id)->error.value()}) {
        CHECK(kept.size() <= 64);
        CHECK(kept.ends_with("\xE2\x80\xA6 [cut: 300 bytes in all]"));
        const std::size_t characters = kept.find("\xE2\x80\xA6");
        CHECK(characters % 3 == 0);
        CHECK(text.starts_with(kept.substr(0, characters)));
    }
}

TEST_CASE("parameters are bounded like any text") {
    JobExecutionLog<> log{LogOptions{.capacity = 10, .max_text_bytes = 64}};
    const std::string parameters(1000, 'p');
    CHECK(log.find(log.record_start({.job_id = "a", .parameters = parameters}).id)->parameters.size() == 64);
}

TEST_CASE("text of exactly the limit is kept whole") {
    JobExecutionLog<> log{LogOptions{.capacity = 10, .max_text_bytes = 64}};
    const auto run = log.record_start("a");
    log.record_success(run, std::string(64, 'x'));
    CHECK(log.find(run.id)->result == std::string(64, 'x'));
}

TEST_CASE("a result may be a number") {
    JobExecutionLog<int> log{10};
    const auto run = log.record_start("a");
    log.record_success(run, 42);
    CHECK(log.find(run.id)->result == 42);
    CHECK(log.query().records.at(0).result == 42);
}

TEST_CASE("a job that returns nothing has no result") {
    JobExecutionLog<std::monostate> log{10};
    const auto run = log.record_start("a");
    CHECK(log.record_success(run, std::monostate{}) == Finish::recorded);
    CHECK_FALSE(log.find(run.id)->result);
}

TEST_CASE("a program's own type is kept and cut by its codec") {
    JobExecutionLog<Titled> log{LogOptions{.capacity = 10, .max_text_bytes = 64}};
    const auto run = log.record_start("a");
    log.record_success(run, {"monthly", std::vector<int>(1000, 7)});
    const auto result = log.find(run.id)->result.value();
    CHECK(result.title == "monthly");
    CHECK(result.rows == std::vector<int>(64 / sizeof(int), 7));
}

TEST_CASE("a result is shared until the last reader has gone, and a reader's copy outlives its eviction") {
    JobExecutionLog<> log{1};
    const auto run = log.record_start("a");
    log.record_success(run, "kept");
    const auto page = log.query();
    succeed(log, "a");
    CHECK_FALSE(log.find(run.id));
    CHECK(page.records.at(0).result == "kept");
}

TEST_CASE("copying and destroying results may call the log: none of it happens under its lock") {
    JobExecutionLog<Curious> log{LogOptions{.capacity = 3, .max_running = 2}};
    Curious::asked = 0;
    Execution last;
    for (int i = 0; i < 10; ++i) { // evicts
        last = log.record_start("a");
        log.record_success(last, Curious{&log});
    }
    const int before = Curious::asked;
    CHECK(before > 0);
    log.record_success(last, Curious{&log}); // too late: destroyed at once
    log.record_success(Execution{}, Curious{&log});
    CHECK(log.query().records.size() == 3);
    CHECK(log.find(last.id)->result);
    CHECK(log.errors().records.empty());
    CHECK(log.clear() == 3);
    CHECK(Curious::asked > before);
}

TEST_CASE("a result that cannot be kept leaves the execution running") {
    JobExecutionLog<Unlimited> log{10};
    const auto run = log.record_start("a");
    CHECK_THROWS_AS(log.record_success(run, Unlimited{"x"}), std::runtime_error);
    CHECK(log.find(run.id)->status == JobStatus::running);
    CHECK(log.record_error(run, "cannot be kept") == Finish::recorded);
}

TEST_CASE("a scope whose result cannot be kept ends as an error that says so") {
    JobExecutionLog<Unlimited> log{10};
    ExecutionId id = 0;
    CHECK_THROWS_AS(
        [&] {
            auto run = log.start("a");
            id = run.execution().id;
            return run.run([] { return Unlimited{"x"}; });
        }(),
        std::runtime_error);
    CHECK(log.find(id)->status == JobStatus::error);
    CHECK(log.find(id)->error == "cannot be cut");
}
