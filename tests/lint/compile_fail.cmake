# SPDX-License-Identifier: MIT
#
# Compiles SOURCE and wants an error. Every line of it that reads "// expect: TEXT" names a part of what the compiler says.
# Called with -DCOMPILER, -DSOURCE, -DINCLUDE and -DFLAGS (a list).

execute_process(
    COMMAND ${COMPILER} -std=c++20 -fsyntax-only -I${INCLUDE} ${FLAGS} ${SOURCE}
    RESULT_VARIABLE result
    OUTPUT_VARIABLE output
    ERROR_VARIABLE output)
if(result EQUAL 0)
    message(FATAL_ERROR "${SOURCE} compiles, but should not")
endif()
file(STRINGS "${SOURCE}" lines REGEX "// expect: ")
if(NOT lines)
    message(FATAL_ERROR "${SOURCE} has no line \"// expect: TEXT\"")
endif()
foreach(line IN LISTS lines)
    string(REGEX REPLACE ".*// expect: *" "" text "${line}")
    string(STRIP "${text}" text)
    string(FIND "${output}" "${text}" place)
    if(place EQUAL -1)
        message(FATAL_ERROR "${SOURCE} does not compile, but the compiler does not say \"${text}\". It says:\n${output}")
    endif()
endforeach()
