# SPDX-License-Identifier: MIT
#
# Configures, builds and runs tests/consumer/PROJECT outside the repository, with the package in WORK/prefix. With EXPECTED_ERROR the
# configuration has to fail and say that text. With SOURCE another folder is built, of examples those in PROGRAMS (commas between) and of the
# ADAPTERS, and nothing is run.

if(NOT SOURCE)
    set(SOURCE "${REPOSITORY}/tests/consumer/${PROJECT}")
    set(program "${WORK}/${PROJECT}/consumer")
endif()
set(options "")
if(PROGRAMS)
    string(REPLACE "," "\\;" PROGRAMS "${PROGRAMS}")
    set(options "-DDAYBOOK_EXAMPLE_PROGRAMS=${PROGRAMS}" "-DDAYBOOK_ADAPTER_EXAMPLES=${ADAPTERS}")
endif()
set(build "${WORK}/${PROJECT}")
execute_process(
    COMMAND "${CMAKE_COMMAND}" -G Ninja -S "${SOURCE}" -B "${build}" "-DCMAKE_CXX_COMPILER=${COMPILER}"
            -DCMAKE_BUILD_TYPE=Debug ${options} "-DCMAKE_PREFIX_PATH=${WORK}/prefix" "-DDAYBOOK_REPOSITORY=${REPOSITORY}"
    RESULT_VARIABLE result
    OUTPUT_VARIABLE output
    ERROR_VARIABLE output)
if(EXPECTED_ERROR)
    # CMake breaks lines of messages where it likes.
    string(REGEX REPLACE "[ \n]+" " " output "${output}")
    string(FIND "${output}" "${EXPECTED_ERROR}" place)
    if(result EQUAL 0 OR place EQUAL -1)
        message(FATAL_ERROR "The configuration should fail and say \"${EXPECTED_ERROR}\"; it says:\n${output}")
    endif()
    return()
endif()
if(NOT result EQUAL 0)
    message(FATAL_ERROR "${output}")
endif()
execute_process(COMMAND "${CMAKE_COMMAND}" --build "${build}" COMMAND_ERROR_IS_FATAL ANY)
if(program)
    execute_process(COMMAND "${program}" COMMAND_ERROR_IS_FATAL ANY)
endif()
