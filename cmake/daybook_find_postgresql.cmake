# SPDX-License-Identifier: MIT
#
# PostgreSQL::PostgreSQL, which is libpq, by CMake's own module, made visible to the whole build as other imported targets here
# are. Before version 14 libpq cannot send several statements at once.

set(daybook_postgresql_dependency PostgreSQL::PostgreSQL)

if(NOT TARGET PostgreSQL::PostgreSQL)
    find_package(PostgreSQL 14 QUIET)
    if(TARGET PostgreSQL::PostgreSQL)
        set_target_properties(PostgreSQL::PostgreSQL PROPERTIES IMPORTED_GLOBAL TRUE)
    endif()
endif()
