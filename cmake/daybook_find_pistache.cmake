# SPDX-License-Identifier: MIT
#
# Defines daybook::pistache_dependency: Pistache, by its .pc file.

set(daybook_pistache_dependency daybook::pistache_dependency)

if(NOT TARGET daybook::pistache_dependency)
    find_package(PkgConfig QUIET)
    if(PKG_CONFIG_FOUND)
        pkg_check_modules(daybook_libpistache QUIET IMPORTED_TARGET GLOBAL libpistache)
    endif()
    if(TARGET PkgConfig::daybook_libpistache)
        find_package(Threads QUIET)
        add_library(daybook::pistache_dependency INTERFACE IMPORTED GLOBAL)
        target_link_libraries(daybook::pistache_dependency INTERFACE PkgConfig::daybook_libpistache Threads::Threads)
    endif()
endif()
