# SPDX-License-Identifier: MIT
#
# nlohmann_json::nlohmann_json, by the library's own package file, unless the program has it already.

set(daybook_nlohmann_json_dependency nlohmann_json::nlohmann_json)

if(NOT TARGET nlohmann_json::nlohmann_json)
    find_package(nlohmann_json 3.10 CONFIG QUIET)
endif()
