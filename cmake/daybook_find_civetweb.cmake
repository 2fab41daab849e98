# SPDX-License-Identifier: MIT
#
# Defines daybook::civetweb_dependency: civetweb's C library, by the names of its files.

set(daybook_civetweb_dependency daybook::civetweb_dependency)

if(NOT TARGET daybook::civetweb_dependency)
    find_path(DAYBOOK_CIVETWEB_INCLUDE_DIR civetweb.h)
    find_library(DAYBOOK_CIVETWEB_LIBRARY civetweb)
    mark_as_advanced(DAYBOOK_CIVETWEB_INCLUDE_DIR DAYBOOK_CIVETWEB_LIBRARY)
    if(DAYBOOK_CIVETWEB_INCLUDE_DIR AND DAYBOOK_CIVETWEB_LIBRARY)
        find_package(Threads QUIET)
        add_library(daybook::civetweb_dependency INTERFACE IMPORTED GLOBAL)
        target_include_directories(daybook::civetweb_dependency SYSTEM INTERFACE "${DAYBOOK_CIVETWEB_INCLUDE_DIR}")
        target_link_libraries(daybook::civetweb_dependency INTERFACE "${DAYBOOK_CIVETWEB_LIBRARY}" Threads::Threads ${CMAKE_DL_LIBS})
    endif()
endif()
