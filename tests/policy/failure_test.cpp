// SPDX-License-Identifier: MIT
#include "support/catch.hpp"

#include <daybook/policy/failure.hpp>

#include <exception>
#include <stdexcept>
#include <string>
#include <system_error>

using daybook::Failure;
using daybook::JobStatus;

namespace {

template <class Thrown>
Failure failure_by(const Thrown& thrown) {
    return {.exception = std::make_exception_ptr(thrown)};
}

} // namespace

TEST_CASE("a failure knows the type that was thrown") {
    CHECK(failure_by(std::runtime_error{"no"}).is<std::runtime_error>());
    CHECK_FALSE(failure_by(std::runtime_error{"no"}).is<std::logic_error>());
}

TEST_CASE("a failure knows the bases of the type that was thrown") {
    const auto failure = failure_by(std::system_error{std::make_error_code(std::errc::timed_out)});
    CHECK(failure.is<std::runtime_error>());
    CHECK(failure.is<std::exception>());
}

TEST_CASE("a failure may have been thrown as anything") {
    CHECK(failure_by(42).is<int>());
    CHECK_FALSE(failure_by(42).is<std::exception>());
    CHECK(failure_by(std::string{"text"}).is<std::string>());
}

TEST_CASE("a failure without an exception is of no type") {
    CHECK_FALSE(Failure{.status = JobStatus::timeout}.is<std::exception>());
    CHECK_FALSE(Failure{.error = "reported"}.is<std::exception>());
}

TEST_CASE("asking for the type leaves the exception as it was") {
    const auto failure = failure_by(std::runtime_error{"kept"});
    CHECK(failure.is<std::runtime_error>());
    CHECK(failure.is<std::exception>());
    std::string text;
    try {
        std::rethrow_exception(failure.exception);
    } catch (const std::runtime_error& error) { text = error.what(); }
    CHECK(text == "kept");
}
