# SPDX-License-Identifier: MIT
#
# Defines daybook::httplib_client_dependency: cpp-httplib, and OpenSSL where it is here, which the client calls if cpp-httplib was
# built with it.

include("${CMAKE_CURRENT_LIST_DIR}/daybook_find_httplib.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/daybook_find_openssl.cmake")
set(daybook_httplib_client_dependency daybook::httplib_client_dependency)

if(TARGET daybook::httplib_dependency AND NOT TARGET daybook::httplib_client_dependency)
    add_library(daybook::httplib_client_dependency INTERFACE IMPORTED GLOBAL)
    target_link_libraries(daybook::httplib_client_dependency INTERFACE daybook::httplib_dependency)
    if(TARGET OpenSSL::SSL)
        target_link_libraries(daybook::httplib_client_dependency INTERFACE OpenSSL::SSL OpenSSL::Crypto)
    endif()
endif()
