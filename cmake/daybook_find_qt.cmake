# SPDX-License-Identifier: MIT
#
# Defines daybook::qt_dependency: Qt 6's HTTP server, by the library's own package file.

set(daybook_qt_dependency daybook::qt_dependency)

if(NOT TARGET daybook::qt_dependency)
    if(NOT TARGET Qt6::HttpServer)
        find_package(Qt6 6.4 QUIET CONFIG COMPONENTS HttpServer)
    endif()
    if(TARGET Qt6::HttpServer)
        add_library(daybook::qt_dependency INTERFACE IMPORTED GLOBAL)
        target_link_libraries(daybook::qt_dependency INTERFACE Qt6::HttpServer)
    endif()
endif()
