# SPDX-License-Identifier: MIT
#
# Makes a header of each file in include/daybook/http/page: page/NAME.css becomes detail/dashboard_NAME_css.hpp with the constant
# dashboard_NAME_css. The headers are checked in, so that who uses the library needs none of this.
#
#   cmake -P cmake/assets.cmake                 writes those that have changed, and removes those without a file
#   cmake -D CHECK=ON -P cmake/assets.cmake     fails where that would change anything
cmake_minimum_required(VERSION 3.23)

set(include_dir "${CMAKE_CURRENT_LIST_DIR}/../include")
set(most_bytes 65000) # clang refuses string literals of more than 65536 under -Wpedantic

file(GLOB assets LIST_DIRECTORIES OFF "${include_dir}/daybook/http/page/*")
file(GLOB headers "${include_dir}/daybook/detail/dashboard_*_html.hpp" "${include_dir}/daybook/detail/dashboard_*_css.hpp"
     "${include_dir}/daybook/detail/dashboard_*_js.hpp")
set(problems "")

# Takes blanks, ends of lines and comments out of a script where they mean nothing. Nothing else is touched: no word, and
# nothing that may be within a string or a regular expression, for it looks only at the part of a line that is made of
# names, signs, and strings and templates that are closed on it (a / between blanks after a name or a number divides); there
# a blank beside a sign only parts what the sign parts, and a line that ends in ; , ( or { goes on in the next one.
set(template "`([^\\\\`$\n]|\\\\.|[$]{[^{}`\n]*})*`")
string(REPLACE "{[^{}`\n]*}" "{([^{}`\n]|${template})*}" template "${template}")
set(plain "\n([^'\"`/\n]|[])A-Za-z0-9_] / |'([^\\\\'\n]|\\\\.)*'|${template})*")
set(sign "[][,;{}()=:?<>&|*!]")
function(squeeze_script variable)
    set(text "${${variable}}")
    string(REGEX REPLACE "(^|\n)([^`\n]*`[^`\n]*`)*[^`\n]*`[^`\n]*\n" "<odd>" odd "${text}")
    if(odd MATCHES "<odd>" OR text MATCHES "\t")
        message(FATAL_ERROR "${asset}: a template that goes over several lines, or a tab")
    endif()
    string(REGEX REPLACE " // [^'\"`\n]*\n" "\n" text "${text}")
    set(before "")
    while(NOT text STREQUAL before)
        set(before "${text}")
        string(REGEX REPLACE "(${plain}${sign}) " "\\1" text "${text}")
        string(REGEX REPLACE "(${plain}) (${sign})" "\\1\\7" text "${text}")
        string(REGEX REPLACE "(${plain}[])A-Za-z0-9_]) ([-+]) ([A-Za-z0-9_(])" "\\1\\7\\8" text "${text}")
        string(REGEX REPLACE "(${plain}[;,({])\n" "\\1\t\n" text "${text}")
    endwhile()
    string(REPLACE "\t\n" "" text "${text}")
    set(${variable} "${text}" PARENT_SCOPE)
endfunction()

foreach(asset IN LISTS assets)
    get_filename_component(file "${asset}" NAME)
    if(NOT file MATCHES "^[a-z][a-z0-9_]*\\.(html|css|js)$")
        message(FATAL_ERROR "${asset}: expected a name in snake_case and one of the endings html, css and js")
    endif()
    file(SIZE "${asset}" size)
    file(READ "${asset}" text)
    # Who gets the page needs neither its comments nor its indentation.
    string(REGEX REPLACE "\n[ \t]+" "\n" text "${text}")
    string(REGEX REPLACE "(^|\n)(//|/\\*|<!--)[^\n]*" "" text "${text}")
    string(REGEX REPLACE "\n\n+" "\n" text "${text}")
    if(file MATCHES "css$")
        string(REGEX REPLACE " *([{};,]) *" "\\1" text "${text}")
        string(REGEX REPLACE "([{};,])\n" "\\1" text "${text}")
        string(REPLACE ";}" "}" text "${text}")
        string(REPLACE ": " ":" text "${text}")
        string(REPLACE " > " ">" text "${text}")
    elseif(file MATCHES "js$")
        squeeze_script(text)
    else()
        string(REPLACE ">\n<" "><" text "${text}") # a blank that shows stands within a line
        string(REGEX REPLACE "=\"([a-z0-9_-]+)\"([ >])" "=\\1\\2" text "${text}") # what HTML lets do without quotes
    endif()
    if(size GREATER most_bytes)
        message(FATAL_ERROR "${asset}: ${size} bytes, and compilers take at most ${most_bytes}: make two files of it")
    endif()
    string(FIND "${text}" ")asset\"" end)
    if(NOT end EQUAL -1)
        message(FATAL_ERROR "${asset}: )asset\" ends the literal that the file is in")
    endif()
    string(REPLACE "." "_" name "dashboard_${file}")
    string(TOUPPER "DAYBOOK_DETAIL_${name}_HPP" guard)
    set(wanted "// SPDX-License-Identifier: MIT
#ifndef ${guard}
#define ${guard}

/// @file
/// The dashboard's http/page/${file}, in the header that cmake/assets.cmake makes of it.

#include <string_view>

namespace daybook::inline v0::detail {

// clang-format off
inline constexpr std::string_view ${name} = R\"asset(${text})asset\";
// clang-format on

} // namespace daybook::inline v0::detail

#endif
")
    set(header "${include_dir}/daybook/detail/${name}.hpp")
    list(REMOVE_ITEM headers "${header}")
    set(present "")
    if(EXISTS "${header}")
        file(READ "${header}" present)
    endif()
    if(NOT present STREQUAL wanted)
        list(APPEND problems "${name}.hpp is not what ${file} makes it")
        if(NOT CHECK)
            file(WRITE "${header}" "${wanted}")
        endif()
    endif()
endforeach()

foreach(header IN LISTS headers)
    list(APPEND problems "${header} has no file in include/daybook/http/page")
    if(NOT CHECK)
        file(REMOVE "${header}")
    endif()
endforeach()

if(CHECK AND problems)
    list(JOIN problems "\n" problems)
    message(FATAL_ERROR "${problems}\nRun: cmake -P cmake/assets.cmake")
endif()
