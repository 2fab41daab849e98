// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_TESTS_SUPPORT_CATCH_HPP
#define DAYBOOK_TESTS_SUPPORT_CATCH_HPP

/// @file
/// Catch2, whichever of the two a machine has: Debian 12 ships 2.13 (one header), Debian 13 ships 3 (many).

#if __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/catch_approx.hpp>
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/catch_tostring.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#else
#include <catch2/catch.hpp>
#endif

#endif
