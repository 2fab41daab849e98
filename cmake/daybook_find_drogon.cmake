# SPDX-License-Identifier: MIT
#
# Defines daybook::drogon_dependency: Drogon, by its own package file, which wants the development packages of all that Drogon
# was built with.

set(daybook_drogon_dependency daybook::drogon_dependency)

if(NOT TARGET daybook::drogon_dependency)
    if(NOT TARGET Drogon::Drogon)
        find_package(Drogon 1.9 CONFIG QUIET)
    endif()
    if(TARGET Drogon::Drogon)
        add_library(daybook::drogon_dependency INTERFACE IMPORTED GLOBAL)
        target_link_libraries(daybook::drogon_dependency INTERFACE Drogon::Drogon)
    endif()
endif()
