# SPDX-License-Identifier: MIT
#
# One adapter is one header, with the parts of it that are headers of their own, one INTERFACE target, one export file and one
# find_package component. How the third-party library behind a component is found is written once, in
# daybook_find_<component>.cmake, for this build and for the installed package.

set(DAYBOOK_ADAPTERS "")

# daybook_add_adapter(<component> [<part>...]): the target daybook::<component>, for include/daybook/adapters/<component>.hpp, and
# <part>.hpp there.
#
# The target can be installed whether the dependency is here or not, because a consumer looks for it anew; the alias
# daybook::<component> exists only where it was found, so that `if(TARGET daybook::<component>)` says whether it can be used.
function(daybook_add_adapter component)
    set(headers "${component}.hpp")
    foreach(part IN LISTS ARGN)
        list(APPEND headers "${part}.hpp")
    endforeach()
    list(TRANSFORM headers PREPEND "${PROJECT_SOURCE_DIR}/include/daybook/adapters/")
    include("${PROJECT_SOURCE_DIR}/cmake/daybook_find_${component}.cmake")
    set(dependency ${daybook_${component}_dependency})

    set(target "daybook_${component}")
    add_library(${target} INTERFACE)
    set_target_properties(${target} PROPERTIES EXPORT_NAME ${component})
    target_link_libraries(${target} INTERFACE daybook ${dependency})
    target_sources(
        ${target}
        INTERFACE FILE_SET
                  ${component}_headers
                  TYPE
                  HEADERS
                  BASE_DIRS
                  "${PROJECT_SOURCE_DIR}/include"
                  FILES
                  ${headers})
    if(TARGET ${dependency})
        add_library(daybook::${component} ALIAS ${target})
    else()
        set_target_properties(${target} PROPERTIES VERIFY_INTERFACE_HEADER_SETS OFF)
        message(STATUS "daybook: the library behind daybook::${component} was not found, so the target is not offered")
    endif()
    set(DAYBOOK_ADAPTERS ${DAYBOOK_ADAPTERS} ${component} PARENT_SCOPE)
endfunction()
