# SPDX-License-Identifier: MIT
#
# Installs the headers, one export file for each component, the package files and daybook.pc. Everything installed is found
# relative to where it stands, so that the prefix can be moved.

include(CMakePackageConfigHelpers)

set(daybook_cmake_dir "${CMAKE_INSTALL_DATADIR}/cmake/daybook")

install(TARGETS daybook EXPORT daybook_core FILE_SET HEADERS FILE_SET details)
install(
    EXPORT daybook_core
    NAMESPACE daybook::
    FILE daybook_core.cmake
    DESTINATION "${daybook_cmake_dir}")

foreach(component IN LISTS DAYBOOK_ADAPTERS)
    install(TARGETS daybook_${component} EXPORT daybook_${component} FILE_SET ${component}_headers)
    install(
        EXPORT daybook_${component}
        NAMESPACE daybook::
        FILE daybook_${component}.cmake
        DESTINATION "${daybook_cmake_dir}")
    install(FILES "${PROJECT_SOURCE_DIR}/cmake/daybook_find_${component}.cmake" DESTINATION "${daybook_cmake_dir}")
endforeach()

configure_package_config_file(cmake/daybook-config.cmake.in "${PROJECT_BINARY_DIR}/daybook-config.cmake"
                              INSTALL_DESTINATION "${daybook_cmake_dir}" NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
# Before 1.0 a new minor version may break, so 0.1 does not satisfy a wish for 0.2, nor the other way round.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/daybook-config-version.cmake" COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES "${PROJECT_BINARY_DIR}/daybook-config.cmake" "${PROJECT_BINARY_DIR}/daybook-config-version.cmake"
        DESTINATION "${daybook_cmake_dir}")

# pkg-config offers the folder of the .pc file as ${pcfiledir}; from there the prefix is as many steps up as the folder is deep.
set(daybook_pc_dir "${CMAKE_INSTALL_DATADIR}/pkgconfig")
file(RELATIVE_PATH daybook_pc_to_prefix "/prefix/${daybook_pc_dir}" "/prefix")
string(REGEX REPLACE "/$" "" daybook_pc_to_prefix "${daybook_pc_to_prefix}")
configure_file(cmake/daybook.pc.in "${PROJECT_BINARY_DIR}/daybook.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/daybook.pc" DESTINATION "${daybook_pc_dir}")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DATADIR}/licenses/daybook")
