# SPDX-License-Identifier: MIT
#
# Defines daybook::evhttp_dependency: libevent, by its .pc files.

set(daybook_evhttp_dependency daybook::evhttp_dependency)

if(NOT TARGET daybook::evhttp_dependency)
    find_package(PkgConfig QUIET)
    if(PKG_CONFIG_FOUND)
        pkg_check_modules(daybook_libevhttp QUIET IMPORTED_TARGET GLOBAL libevent>=2.1 libevent_pthreads>=2.1)
    endif()
    if(TARGET PkgConfig::daybook_libevhttp)
        find_package(Threads QUIET)
        add_library(daybook::evhttp_dependency INTERFACE IMPORTED GLOBAL)
        target_link_libraries(daybook::evhttp_dependency INTERFACE PkgConfig::daybook_libevhttp Threads::Threads)
    endif()
endif()
