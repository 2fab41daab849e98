// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_PAGE_JOBS_HPP
#define DAYBOOK_TESTS_PAGE_JOBS_HPP

/// @file
/// Jobs that each do one thing, when they are asked to: none of them runs by itself.

#include <daybook/adapters/nlohmann_json.hpp>
#include <daybook/daybook.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace jobs {

using namespace std::chrono_literals;
using Scheduler = daybook::Scheduler<nlohmann::json>;

/// What `gate` and `queue_up` wait for: a number of steps, which they show as progress.
struct Gate {
    static constexpr std::size_t steps = 8;
    std::atomic<std::size_t> done = 0;
};

inline void pass_gate(daybook::JobContext& job, const Gate& gate) {
    std::size_t told = Gate::steps + 1;
    while (!job.stop_requested() && gate.done < Gate::steps) {
        if (const auto done = gate.done.load(); told != done) {
            told = done;
            job.progress(done, Gate::steps, done / 4);
            job.records_processed(done * 1000);
            job.log("step " + std::to_string(done));
        }
        std::this_thread::sleep_for(1ms);
    }
}

/// Text that would run as a script in one context or another, were it anything but text there.
inline std::string hostile(std::string_view where) {
    const std::string call = "alert('" + std::string{where} + "')";
    return "<img src=x onerror=\"" + call + "\">\"'><script>" + call + "</script><svg onload=" + call +
           ">javascript:" + call + "//${" + call + "}{{" + call + "}}</textarea></title>&lt;b&gt;";
}

inline void add_hostile(Scheduler& scheduler) {
    // Names have 255 bytes at most.
    const std::string name = "<img src=x onerror=alert('id')>\"'><script>alert('id')</script>";
    const auto tell = [](daybook::JobContext& job) {
        job.log(hostile("log"));
        job.metadata("<img src=x onerror=alert('key')>", hostile("metadata"));
        job.metadata("__proto__", "metadata");
    };
    scheduler.add({.id = name + "/..?a=b&c#d %41",
                   .handler_id = "handler " + name,
                   .method_name = "method " + name,
                   .schedule = daybook::cron("0 0 3 * * *"),
                   .group = "group " + name,
                   .parameters = hostile("parameters")},
                  [tell](daybook::JobContext& job) -> nlohmann::json {
                      tell(job);
                      return {{hostile("key"), hostile("result")}, {"__proto__", {hostile("list")}}};
                  });
    scheduler.add({.id = "fails " + name, .handler_id = "constructor", .method_name = "__proto__"},
                  [tell](daybook::JobContext& job) {
                      tell(job);
                      throw std::runtime_error{hostile("error")};
                  });
    scheduler.add({.id = "text " + name, .handler_id = "toString"}, [tell](daybook::JobContext& job) -> nlohmann::json {
        tell(job);
        return hostile("result");
    });
}

inline void add(Scheduler& scheduler, const std::shared_ptr<Gate>& gate) {
    scheduler.add({.id = "greet", .handler_id = "greeter", .method_name = "hello"},
                  [](daybook::JobContext&) -> nlohmann::json { return "Hello"; });
    scheduler.add({.id = "report",
                   .handler_id = "reports",
                   .method_name = "daily",
                   .schedule = daybook::cron("0 0 9 * * MON-FRI", "Europe/Berlin"),
                   .parameters = R"({"day":"monday"})"},
                  [](daybook::JobContext& job) -> nlohmann::json {
                      job.log("first line\nsecond line");
                      job.progress(50, 50, 1);
                      job.records_processed(1234);
                      job.metadata("region", "eu");
                      std::this_thread::sleep_for(20ms);
                      return {{"rows", 1234}, {"by_region", {{"eu", 1000}, {"us", 234}}}};
                  });
    scheduler.add({.id = "fail", .handler_id = "disk"}, [](daybook::JobContext& job) {
        job.log("looking for room");
        throw std::runtime_error{"the disk is full\nnothing was written"};
    });
    scheduler.add({.id = "flaky",
                   .handler_id = "net",
                   .retry = daybook::exponential_backoff({.max_attempts = 3, .first_delay = 1ms, .max_delay = 1ms})},
                  [](daybook::JobContext& job) -> nlohmann::json {
                      if (job.attempt_number() < 3) { throw std::runtime_error{"connection reset"}; }
                      return "sent on the third try";
                  });
    scheduler.add({.id = "slow", .handler_id = "net", .timeout = 30ms}, [](daybook::JobContext& job) {
        while (!job.stop_requested()) { std::this_thread::sleep_for(1ms); }
    });
    scheduler.add({.id = "gate", .handler_id = "long", .overlap = daybook::Overlap::skip},
                  [gate](daybook::JobContext& job) { pass_gate(job, *gate); });
    scheduler.add({.id = "queue_up", .handler_id = "long", .overlap = daybook::Overlap::queue_all},
                  [gate](daybook::JobContext& job) { pass_gate(job, *gate); });
    scheduler.add(
        {.id = "nightly", .handler_id = "reports", .schedule = daybook::cron("0 0 3 * * *"), .is_paused = true},
        [](daybook::JobContext&) {});
    scheduler.add({.id = "hourly", .handler_id = "reports", .schedule = daybook::every(1h)},
                  [](daybook::JobContext&) {});
    scheduler.add({.id = "neglected", .handler_id = "disk", .stale_after = 1ms},
                  [](daybook::JobContext&) { throw std::runtime_error{"never works"}; });
}

/// Further jobs that do nothing, `job_00001` and so on.
inline void add_many(Scheduler& scheduler, std::size_t count) {
    for (std::size_t index = 1; index <= count; ++index) {
        auto digits = std::to_string(index);
        digits.insert(0, 5 - std::min<std::size_t>(5, digits.size()), '0');
        scheduler.add({.id = "job_" + digits, .handler_id = "many", .schedule = daybook::cron("0 0 4 1 * *")},
                      [](daybook::JobContext&) {});
    }
}

} // namespace jobs

#endif
