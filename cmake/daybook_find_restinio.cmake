# SPDX-License-Identifier: MIT
#
# Defines daybook::restinio_dependency: restinio, by its own package file, which needs fmt to be found before.

set(daybook_restinio_dependency daybook::restinio_dependency)

if(NOT TARGET daybook::restinio_dependency)
    if(NOT TARGET restinio::restinio)
        find_package(fmt QUIET CONFIG)
        if(TARGET fmt::fmt)
            find_package(restinio QUIET CONFIG)
        endif()
    endif()
    if(TARGET restinio::restinio)
        add_library(daybook::restinio_dependency INTERFACE IMPORTED GLOBAL)
        target_link_libraries(daybook::restinio_dependency INTERFACE restinio::restinio)
    endif()
endif()
