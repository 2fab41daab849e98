// SPDX-License-Identifier: MIT
// expect: a condition for retries must be callable with a const daybook::Failure&, and return bool
#include <daybook/policy/retry.hpp>

int main() {
    static_cast<void>(daybook::fixed_backoff().only_if([](int attempt) { return attempt < 3; }));
}
