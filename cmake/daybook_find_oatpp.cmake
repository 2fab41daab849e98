# SPDX-License-Identifier: MIT
#
# Defines daybook::oatpp_dependency: Oat++, by its own package file.

set(daybook_oatpp_dependency daybook::oatpp_dependency)

if(NOT TARGET daybook::oatpp_dependency)
    if(NOT TARGET oatpp::oatpp)
        find_package(oatpp CONFIG QUIET)
    endif()
    if(TARGET oatpp::oatpp AND NOT oatpp_VERSION VERSION_LESS 1.3)
        find_package(Threads QUIET)
        add_library(daybook::oatpp_dependency INTERFACE IMPORTED GLOBAL)
        target_link_libraries(daybook::oatpp_dependency INTERFACE oatpp::oatpp Threads::Threads)
    endif()
endif()
