// SPDX-License-Identifier: MIT
// expect: a handler must return nothing, or something that converts to the Result of its Handlers
#include <daybook/job/handlers.hpp>

struct Report {};

int main() {
    daybook::Handlers<> handlers;
    handlers.add("reports", "write", [] { return Report{}; });
}
