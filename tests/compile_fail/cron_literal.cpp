// SPDX-License-Identifier: MIT
// expect: wrong_cron_minute_field
#include <daybook/schedule/cron.hpp>

constexpr auto wrong = daybook::cron("0 61 3 * * *");

int main() { return wrong.needs_binding() ? 1 : 0; }
