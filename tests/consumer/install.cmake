# SPDX-License-Identifier: MIT
#
# Installs BUILD and moves the result to WORK/prefix: what is found there later does not know where it was installed.

file(REMOVE_RECURSE "${WORK}/first_prefix" "${WORK}/prefix")
execute_process(COMMAND "${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${WORK}/first_prefix" COMMAND_ERROR_IS_FATAL ANY OUTPUT_QUIET)
file(RENAME "${WORK}/first_prefix" "${WORK}/prefix")
