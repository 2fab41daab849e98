# SPDX-License-Identifier: MIT
#
# Defines daybook::microhttpd_dependency: GNU libmicrohttpd, by its .pc file.

set(daybook_microhttpd_dependency daybook::microhttpd_dependency)

if(NOT TARGET daybook::microhttpd_dependency)
    find_package(PkgConfig QUIET)
    if(PKG_CONFIG_FOUND)
        pkg_check_modules(daybook_libmicrohttpd QUIET IMPORTED_TARGET GLOBAL libmicrohttpd>=0.9.71)
    endif()
    if(TARGET PkgConfig::daybook_libmicrohttpd)
        add_library(daybook::microhttpd_dependency INTERFACE IMPORTED GLOBAL)
        target_link_libraries(daybook::microhttpd_dependency INTERFACE PkgConfig::daybook_libmicrohttpd)
    endif()
endif()
