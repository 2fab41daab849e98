// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_DASHBOARD_THEME_JS_HPP
#define DAYBOOK_DETAIL_DASHBOARD_THEME_JS_HPP

/// @file
/// The dashboard's http/page/theme.js, in the header that cmake/assets.cmake makes of it.

#include <string_view>

namespace daybook::inline v0::detail {

// clang-format off
inline constexpr std::string_view dashboard_theme_js = R"asset(
import{$,onClick,put,set}from './dom.js';import{words,zoneName}from './format.js';import{change,state}from './state.js';const themes=['auto','light','dark'];function remember(name,value){try{localStorage[`daybook-${name}`]=value;}catch{}
}
function recall(name){try{return localStorage[`daybook-${name}`];}catch{}
}
function showTheme(theme){document.documentElement.dataset.theme=theme;set($('theme'),{title:`Theme: ${theme}`});}
export function showZone(){const isUtc=state.zone==='utc';put($('zone-text'),words(zoneName().split('/').pop()));set($('zone'),{title:`Times in ${zoneName()}`,'aria-pressed':String(isUtc)});}
export function startTheme(){let index=Math.max(0,themes.indexOf(recall('theme')));showTheme(themes[index]);onClick('theme',()=>{index=(index+1)% themes.length;remember('theme',themes[index]);showTheme(themes[index]);});if(!state.zone&&recall('zone')==='utc')change({zone:'utc'},'replace');onClick('zone',()=>{const zone=state.zone==='utc'?'':'utc';remember('zone',zone);change({zone},'replace');});showZone();}
)asset";
// clang-format on

} // namespace daybook::inline v0::detail

#endif
