# SPDX-License-Identifier: MIT
#
# SQLite::SQLite3, by CMake's own module or the package of another manager, made visible to the whole build as other imported
# targets here are.

set(daybook_sqlite_dependency SQLite::SQLite3)

if(NOT TARGET SQLite::SQLite3)
    find_package(SQLite3 3.24 QUIET)
    if(TARGET SQLite::SQLite3)
        set_target_properties(SQLite::SQLite3 PROPERTIES IMPORTED_GLOBAL TRUE)
    endif()
endif()
