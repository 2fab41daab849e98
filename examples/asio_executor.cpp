// SPDX-License-Identifier: MIT
//
// A program that lives on Boost.Asio: its jobs run on Asio's threads, and those that wait for a timer or for a socket
// occupy no thread meanwhile. They are over when a callback or a coroutine says so.
#include <daybook/daybook.hpp>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <boost/asio.hpp>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

using Completion = daybook::Completion<std::string>;

/// All that the scheduler asks of it: something with `post`, which hands a task over and does not wait.
struct AsioExecutor {
    asio::thread_pool::executor_type threads;

    void post(daybook::Task task) const { asio::post(threads, std::move(task)); }
};

/// With callbacks: over when `time` has passed, or when the job is asked to stop. That may happen on any thread, and a
/// timer is for one at a time, so this one has a strand of its own.
void wait(asio::thread_pool& pool, std::chrono::milliseconds time, Completion done) {
    const auto timer = std::make_shared<asio::steady_timer>(asio::make_strand(pool), time);
    asio::post(timer->get_executor(), [timer, done] {
        const auto cancel = [timer] { asio::post(timer->get_executor(), [timer] { timer->cancel(); }); };
        using OnStop = std::stop_callback<std::function<void()>>;
        const auto on_stop = std::make_shared<OnStop>(done.context().stop_token(), cancel);
        timer->async_wait([timer, on_stop, done](boost::system::error_code error) mutable {
            error ? done.error("interrupted") : done.success("waited");
        });
    });
}

#if defined(BOOST_ASIO_HAS_CO_AWAIT)
using asio::ip::tcp;

/// Something to ask: greets whoever connects.
asio::awaitable<void> serve(tcp::acceptor acceptor) {
    for (;;) {
        tcp::socket socket = co_await acceptor.async_accept(asio::use_awaitable);
        co_await asio::async_write(socket, asio::buffer(std::string_view{"hello\n"}), asio::use_awaitable);
    }
}

/// As a coroutine: what it returns or throws is the end of the job.
asio::awaitable<std::string> fetch(tcp::endpoint server) {
    tcp::socket socket{co_await asio::this_coro::executor};
    co_await socket.async_connect(server, asio::use_awaitable);
    std::string line;
    const std::size_t length =
        co_await asio::async_read_until(socket, asio::dynamic_buffer(line), '\n', asio::use_awaitable);
    co_return line.substr(0, length - 1);
}
#endif

} // namespace

int main() {
    asio::thread_pool pool{2}; // before the scheduler, so that it outlives what the scheduler waits for at its end
    daybook::Scheduler scheduler{{.workers = 2, .executor = AsioExecutor{pool.get_executor()}}};

    scheduler.add("body", daybook::every(500ms), [&] {
        return pool.get_executor().running_in_this_thread() ? "on a thread of the pool" : "elsewhere";
    });
    scheduler.add("wait", daybook::every(500ms),
                  [&](daybook::JobContext&, Completion done) { wait(pool, 100ms, std::move(done)); });
    scheduler.add("long_wait", daybook::at(std::chrono::steady_clock::now()),
                  [&](daybook::JobContext&, Completion done) { wait(pool, 1h, std::move(done)); });
#if defined(BOOST_ASIO_HAS_CO_AWAIT)
    const auto strand = asio::make_strand(pool);
    tcp::acceptor acceptor{strand, tcp::endpoint{asio::ip::address_v4::loopback(), 0}};
    const auto server = acceptor.local_endpoint();
    asio::co_spawn(strand, serve(std::move(acceptor)), asio::detached);
    scheduler.add("fetch", daybook::every(500ms), [&pool, server](daybook::JobContext&, Completion done) {
        auto finish = [done](std::exception_ptr error, std::string line) mutable {
            error ? done.error(error) : done.success(std::move(line));
        };
        asio::co_spawn(asio::make_strand(pool), fetch(server), std::move(finish));
    });
#endif
    scheduler.start();
    std::this_thread::sleep_for(1800ms);
    scheduler.stop(200ms);

    for (const auto& record : scheduler.log().query({.limit = 30}).records) {
        const std::string status{to_string(record.status)};
        std::printf("%-9s %-9s %s\n", record.job_id.c_str(), status.c_str(), record.result.value_or("").c_str());
    }
}
