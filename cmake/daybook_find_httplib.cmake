# SPDX-License-Identifier: MIT
#
# Defines daybook::httplib_dependency: cpp-httplib with the compile flags it was built with. They change the layout of its classes,
# so a compiled library (Debian's) must be used with the flags of its .pc file; a header-only copy needs nothing but threads.

set(daybook_httplib_dependency daybook::httplib_dependency)

if(NOT TARGET daybook::httplib_dependency)
    set(daybook_httplib_target "")
    if(NOT TARGET httplib::httplib)
        find_package(httplib CONFIG QUIET)
    endif()
    if(TARGET httplib::httplib)
        set(daybook_httplib_target httplib::httplib)
    else()
        find_package(PkgConfig QUIET)
        if(PKG_CONFIG_FOUND)
            pkg_check_modules(daybook_cpp_httplib QUIET IMPORTED_TARGET GLOBAL cpp-httplib)
        endif()
        if(TARGET PkgConfig::daybook_cpp_httplib)
            set(daybook_httplib_target PkgConfig::daybook_cpp_httplib)
        else()
            find_path(DAYBOOK_HTTPLIB_INCLUDE_DIR httplib.h)
            mark_as_advanced(DAYBOOK_HTTPLIB_INCLUDE_DIR)
        endif()
    endif()

    if(daybook_httplib_target OR DAYBOOK_HTTPLIB_INCLUDE_DIR)
        find_package(Threads QUIET)
        add_library(daybook::httplib_dependency INTERFACE IMPORTED GLOBAL)
        if(daybook_httplib_target)
            target_link_libraries(daybook::httplib_dependency INTERFACE ${daybook_httplib_target} Threads::Threads)
        else()
            target_include_directories(daybook::httplib_dependency SYSTEM INTERFACE "${DAYBOOK_HTTPLIB_INCLUDE_DIR}")
            target_link_libraries(daybook::httplib_dependency INTERFACE Threads::Threads)
        endif()
    endif()
    unset(daybook_httplib_target)
endif()
