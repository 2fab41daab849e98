# SPDX-License-Identifier: MIT
#
# Defines daybook::beast_dependency: Boost's headers, 1.74 or later, of which Beast needs nothing compiled, and threads.

set(daybook_beast_dependency daybook::beast_dependency)

if(NOT TARGET daybook::beast_dependency)
    if(NOT TARGET Boost::headers)
        find_package(Boost 1.74 CONFIG QUIET)
    endif()
    if(TARGET Boost::headers)
        find_package(Threads QUIET)
        add_library(daybook::beast_dependency INTERFACE IMPORTED GLOBAL)
        target_link_libraries(daybook::beast_dependency INTERFACE Boost::headers Threads::Threads)
    endif()
endif()
