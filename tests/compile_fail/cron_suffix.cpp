// SPDX-License-Identifier: MIT
// expect: wrong_cron_expression
#include <daybook/schedule/cron.hpp>

using namespace daybook::literals;

int main() { return ("0 3 * *"_cron).needs_binding() ? 1 : 0; }
