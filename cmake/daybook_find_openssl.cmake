# SPDX-License-Identifier: MIT
#
# OpenSSL::Crypto and OpenSSL::SSL, by CMake's own module, made visible to the whole build as other imported targets here are.

set(daybook_openssl_dependency OpenSSL::Crypto)

if(NOT TARGET OpenSSL::Crypto)
    find_package(OpenSSL 1.1.1 QUIET)
    foreach(daybook_openssl_target IN ITEMS OpenSSL::Crypto OpenSSL::SSL)
        if(TARGET ${daybook_openssl_target})
            set_target_properties(${daybook_openssl_target} PROPERTIES IMPORTED_GLOBAL TRUE)
        endif()
    endforeach()
    unset(daybook_openssl_target)
endif()
