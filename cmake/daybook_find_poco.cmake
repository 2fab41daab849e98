# SPDX-License-Identifier: MIT
#
# Defines daybook::poco_dependency: POCO's Net, by the library's own package file.

set(daybook_poco_dependency daybook::poco_dependency)

if(NOT TARGET daybook::poco_dependency)
    if(NOT TARGET Poco::Net)
        find_package(Poco 1.10 QUIET CONFIG COMPONENTS Net)
    endif()
    if(TARGET Poco::Net)
        add_library(daybook::poco_dependency INTERFACE IMPORTED GLOBAL)
        target_link_libraries(daybook::poco_dependency INTERFACE Poco::Net)
    endif()
endif()
