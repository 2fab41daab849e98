// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_VERSION_HPP
#define DAYBOOK_VERSION_HPP

/// @file
/// The version of the headers, for the preprocessor. Every other copy is checked against this one by the tests.

#define DAYBOOK_VERSION_MAJOR 0
#define DAYBOOK_VERSION_MINOR 1
#define DAYBOOK_VERSION_PATCH 0
#define DAYBOOK_VERSION_STRING "0.1.0"

#endif
