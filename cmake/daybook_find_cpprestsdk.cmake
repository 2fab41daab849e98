# SPDX-License-Identifier: MIT
#
# Defines daybook::cpprestsdk_dependency: the C++ REST SDK, by its own package file, and OpenSSL, which its headers use.

set(daybook_cpprestsdk_dependency daybook::cpprestsdk_dependency)

if(NOT TARGET daybook::cpprestsdk_dependency)
    if(NOT TARGET cpprestsdk::cpprest)
        find_package(OpenSSL QUIET)
        if(OPENSSL_FOUND)
            find_package(cpprestsdk QUIET CONFIG)
        endif()
    endif()
    if(TARGET cpprestsdk::cpprest)
        add_library(daybook::cpprestsdk_dependency INTERFACE IMPORTED GLOBAL)
        target_link_libraries(daybook::cpprestsdk_dependency INTERFACE cpprestsdk::cpprest OpenSSL::SSL OpenSSL::Crypto)
    endif()
endif()
