// SPDX-License-Identifier: MIT
#include <daybook/log/job_execution_log.hpp>

#include "allocation_counter.hpp"
#include "log_test_support.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace daybook;
using namespace log_test;

namespace {

struct Blob {
    std::vector<char> bytes;
};

} // namespace

template <>
struct daybook::ResultCodec<Blob> {
    static void write_json(JsonWriter& writer, const Blob& blob) { writer.value(blob.bytes.size()); }
    static Blob limited(Blob blob, std::size_t max_bytes) {
        if (blob.bytes.size() > max_bytes) { blob.bytes.resize(max_bytes); }
        return blob;
    }
    static std::size_t memory_bytes(const Blob& blob) { return blob.bytes.capacity(); }
};

namespace {

/// Different ids to throw at a log: 10 million with DAYBOOK_LONG_TESTS=1 in the environment.
std::size_t distinct_ids() {
    const char* wanted = std::getenv("DAYBOOK_LONG_TESTS"); // NOLINT(concurrency-mt-unsafe): nobody sets it
    return wanted != nullptr && std::string_view{wanted} == "1" ? 10'000'000 : 300'000;
}

/// What a log may say beyond what was counted: the counter of a sanitizer does not see what malloc adds.
constexpr double most = 1.1;

/// What a log says that it takes, against what it took.
struct Measured {
    std::int64_t before = live_bytes();
    std::unique_ptr<JobExecutionLog<>> log;

    explicit Measured(LogOptions options) : log{std::make_unique<JobExecutionLog<>>(options)} {}

    [[nodiscard]] double ratio() const {
        const auto taken = live_bytes() - before - static_cast<std::int64_t>(sizeof *log);
        return static_cast<double>(log->memory_bytes()) / static_cast<double>(taken);
    }
};

/// A name of `size` bytes that nobody else has.
void number_name(std::string& name, std::size_t number, std::size_t size) {
    name.assign(size, 'x');
    for (std::size_t at = 0; number != 0 && at < size; number /= 10, ++at) {
        name[at] = static_cast<char>('0' + number % 10);
    }
}

} // namespace

TEST_CASE("a log's memory is what it says, whatever is in it") {
    if (!can_count_bytes()) { return; }
    const auto check = [](const Measured& measured) {
        CHECK(measured.ratio() > 0.98);
        CHECK(measured.ratio() < most);
        CHECK(measured.log->memory_bytes() <= measured.log->memory_limit());
    };
    SECTION("nothing") { check(Measured{{.capacity = 1000}}); }
    SECTION("short results and few names") {
        Measured measured{{.capacity = 10'000}};
        auto& log = *measured.log;
        for (int i = 0; i < 30'000; ++i) {
            log.record_success(log.record_start("job", "handler", "run"), std::string(40, 'x'));
        }
        check(measured);
    }
    SECTION("long texts") {
        Measured measured{{.capacity = 500, .max_text_bytes = 10'000}};
        auto& log = *measured.log;
        for (int i = 0; i < 1000; ++i) {
            log.record_success(log.record_start("job"), std::string(9'000, 'x'));
            log.record_error(log.record_start("job"), std::string(20'000, 'x'));
        }
        check(measured);
    }
    SECTION("names of all lengths, parameters, and what is in flight") {
        Measured measured{{.capacity = 2000, .max_running = 500}};
        auto& log = *measured.log;
        std::string name;
        for (std::size_t i = 0; i < 10'000; ++i) {
            number_name(name, i, 5 + i % 300);
            const auto run = log.record_start({.job_id = name, .parameters = std::string(i % 700, 'p')});
            if (i % 3 != 0) { log.record_timeout(run); }
        }
        check(measured);
    }
    SECTION("a log that was cleared") {
        Measured measured{{.capacity = 2000}};
        auto& log = *measured.log;
        for (int i = 0; i < 2000; ++i) {
            log.record_success(log.record_start(std::to_string(i)), std::string(500, 'x'));
        }
        const std::size_t full = log.memory_bytes();
        log.clear();
        CHECK(log.memory_bytes() + 2000 * 500 < full);
        check(measured);
    }
    SECTION("subscribers") {
        Measured measured{{.capacity = 10}};
        const std::size_t before = measured.log->memory_bytes();
        const auto feed = measured.log->subscribe({.capacity = 10'000});
        CHECK(measured.log->memory_bytes() >= before + 80'000);
        CHECK(measured.ratio() > 0.98);
        CHECK(measured.ratio() < most);
    }
}

TEST_CASE("a result of the program's own type counts with what its codec tells") {
    JobExecutionLog<Blob> log{10};
    const std::size_t before = log.memory_bytes();
    log.record_success(log.record_start("job"), Blob{std::vector<char>(3000)});
    const std::size_t after = log.memory_bytes();
    log.clear();
    CHECK(after - log.memory_bytes() >= 3000);
    CHECK(after - before >= 3000);
}

TEST_CASE("what a running job says of itself is counted as it changes, and forgotten with its record") {
    detail::LogCore core{LogOptions{.capacity = 1, .max_text_bytes = 10'000}};
    const auto bytes = [&] { return detail::LogUpkeep{core}.memory_bytes(); };
    const auto start = [&] { return core.start(detail::HashedNames{"job", {}, {}}, {}, JobStatus::running); };
    const auto finish = [&](const Execution& run) {
        core.finish(run, JobStatus::success, {}, {}, Finality::final_attempt);
    };
    const auto first = start();
    const std::size_t before = bytes();
    core.update(first, [](detail::ExecutionSlot& slot) {
        slot.extras = std::make_unique<detail::ExecutionExtras>();
        slot.extras->log_text.assign(5000, 'x');
    });
    CHECK(bytes() > before + 5000);
    core.update(first, [](detail::ExecutionSlot& slot) {
        slot.extras->metadata.emplace_back(std::string(200, 'k'), std::string(1000, 'v'));
    });
    CHECK(bytes() > before + 6200);
    CHECK(bytes() < before + 6700);
    finish(first);
    finish(start());
    CHECK(bytes() == before);
}

TEST_CASE("a retained record with typical names and a result of 40 bytes takes at most 320 bytes") {
    constexpr std::size_t capacity = 100'000;
    JobExecutionLog<> log{LogOptions{.capacity = capacity}};
    const std::size_t empty = JobExecutionLog<>{LogOptions{.capacity = 1}}.memory_bytes();
    for (std::size_t i = 0; i < 2 * capacity; ++i) {
        const std::string job = "dingdong_" + std::to_string(i % 1000);
        log.record_success(log.record_start(job, "dingdong", "ding"), std::string(40, 'x'));
    }
    const std::size_t each = (log.memory_bytes() - empty) / capacity;
    INFO(each << " bytes");
    CHECK(each <= 320);
}

TEST_CASE("the memory of a log is bounded by its options, whatever job ids are thrown at it") {
    std::string name(20, 'x');
    const LogOptions options{.capacity = 5000,
                             .max_running = 100,
                             .max_text_bytes = 64,
                             .max_tracked_handlers = 10,
                             .max_tracked_jobs = 100};
    Measured measured{options};
    auto& log = *measured.log;
    const std::size_t limit = log.memory_limit();
    // Most of that is for metadata and the longest names. Of short names and texts a record takes its slot, an error,
    // and three names with an entry, a text, and cells in tables that are half empty.
    constexpr std::size_t record = 160 + 48 + 16 + 3 * (96 + 48 + 16);
    constexpr std::size_t handler = 20'000; // a histogram and a week of hours
    const std::size_t expected = log.memory_bytes() + (options.capacity + options.max_running + 256) * record +
                                 options.max_tracked_handlers * handler + options.max_tracked_jobs * 512;
    std::size_t largest = 0;
    std::size_t settled = 0;
    const std::size_t count = distinct_ids();
    for (std::size_t i = 0; i < count; ++i) {
        number_name(name, i, 20);
        const auto run = log.record_start(name, name, name);
        if (i % 50 != 0) { log.record_error(run, "why"); }
        if (i % 1000 == 0) { largest = std::max(largest, log.memory_bytes()); }
        if (i == count / 10) { settled = log.memory_bytes(); }
    }
    INFO("largest " << largest << ", settled " << settled << ", expected " << expected << ", limit " << limit);
    CHECK(largest <= expected);
    CHECK(expected <= limit);
    CHECK(largest <= settled + settled / 20);
    if (can_count_bytes()) {
        CHECK(measured.ratio() > 0.98);
        CHECK(measured.ratio() < most);
    }
    CHECK(log.size() == options.capacity);
}

TEST_CASE("the longest names and texts there may be keep within the limit") {
    const std::string text(100'000, 'x');
    std::array<std::string, 3> names;
    for (std::string& name : names) { name.reserve(1000); }
    Measured measured{
        {.capacity = 200, .max_running = 20, .max_text_bytes = 1000, .max_tracked_handlers = 5, .max_tracked_jobs = 5}};
    auto& log = *measured.log;
    for (std::size_t i = 0; i < 2000; ++i) {
        for (std::size_t at = 0; at < names.size(); ++at) { number_name(names[at], 3 * i + at, 1000); }
        const auto run =
            log.record_start({.job_id = names[0], .handler_id = names[1], .method_name = names[2], .parameters = text});
        if (i % 3 == 0) {
            log.record_success(run, text);
        } else if (i % 3 == 1) {
            log.record_error(run, text);
        }
        REQUIRE(log.memory_bytes() <= log.memory_limit());
    }
    if (can_count_bytes()) {
        CHECK(measured.ratio() > 0.98);
        CHECK(measured.ratio() < most);
    }
}

TEST_CASE("a limit that would exceed all memory is the largest number") {
    const JobExecutionLog<> log{LogOptions{.max_text_bytes = 2'000'000'000}};
    CHECK(log.memory_limit() == std::numeric_limits<std::size_t>::max());
}

TEST_CASE("large results of a fixed size are within the limit") {
    struct Large {
        std::array<char, 65'536> bytes;
    };
    JobExecutionLog<Large> log{LogOptions{.capacity = 200, .max_running = 1, .max_text_bytes = 64}};
    for (int i = 0; i < 201; ++i) { log.record_success(log.record_start("job"), Large{}); }
    CHECK(log.memory_bytes() > 200 * sizeof(Large));
    CHECK(log.memory_bytes() <= log.memory_limit());
}
