// SPDX-License-Identifier: MIT
//
// A program that computes on oneTBB and lets its jobs run there as well: bodies and parallel algorithms share the
// threads of one arena, so that together they are never more than the machine has cores for.
#include <daybook/daybook.hpp>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/parallel_reduce.h>
#include <oneapi/tbb/task_arena.h>

using namespace std::chrono_literals;

namespace {

/// All that the scheduler asks of it: something with `post`, which hands a task over and does not wait.
class ArenaExecutor {
public:
    explicit ArenaExecutor(tbb::task_arena& arena) : arena_{&arena} {}

    void post(daybook::Task task) const {
        // An arena calls what it is given as const, and a task is used up by its call: so it is held by a pointer. In
        // isolation, or else a body that waits for its parallel parts might run another body meanwhile.
        arena_->enqueue([held = std::make_shared<daybook::Task>(std::move(task))] {
            tbb::this_task_arena::isolate([&] { (*held)(); });
        });
    }

private:
    tbb::task_arena* arena_;
};

/// How many primes are below `bound`; on every thread of the arena that is free.
std::size_t count_primes(std::size_t bound) {
    const auto count = [](const tbb::blocked_range<std::size_t>& range, std::size_t found) {
        for (std::size_t number = range.begin(); number != range.end(); ++number) {
            bool is_prime = true;
            for (std::size_t i = 2; i * i <= number && is_prime; ++i) { is_prime = number % i != 0; }
            if (is_prime) { ++found; }
        }
        return found;
    };
    return tbb::parallel_reduce(tbb::blocked_range<std::size_t>{2, bound}, std::size_t{0}, count, std::plus<>{});
}

} // namespace

int main() {
    tbb::task_arena arena; // before the scheduler, so that it outlives what the scheduler waits for at its end
    const int places = arena.max_concurrency();

    // The arena decides how many bodies run at once; `workers` says to the bound of the queue how many that may be.
    daybook::Scheduler<std::size_t> scheduler{
        {.workers = static_cast<std::size_t>(places), .executor = ArenaExecutor{arena}}};
    scheduler.add("primes", daybook::every(300ms), [](daybook::JobContext& job) {
        const std::size_t bound = 200'000;
        job.records_processed(bound);
        return count_primes(bound);
    });
    scheduler.add("place", daybook::every(200ms),
                  [] { return static_cast<std::size_t>(tbb::this_task_arena::current_thread_index()); });
    scheduler.start();
    std::printf("jobs share an arena of %d places\n", places);
    std::this_thread::sleep_for(1500ms);
    const auto report = scheduler.stop(5s);

    for (const auto& record : scheduler.log().query({.limit = 20}).records) {
        const std::string status{to_string(record.status)};
        std::printf("%-6s %-9s %zu\n", record.job_id.c_str(), status.c_str(), record.result.value_or(0));
    }
    std::printf("%zu still running\n", report.still_running.size());
}
