// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_DASHBOARD_LIVE_JS_HPP
#define DAYBOOK_DETAIL_DASHBOARD_LIVE_JS_HPP

/// @file
/// The dashboard's http/page/live.js, in the header that cmake/assets.cmake makes of it.

#include <string_view>

namespace daybook::inline v0::detail {

// clang-format off
inline constexpr std::string_view dashboard_live_js = R"asset(
import{Lost,Refusal,askServer}from './api.js';import{$,icon,onClick,put,set}from './dom.js';import{dateTime}from './format.js';const whileVisible=2000;const whileHidden=30000;const longestWait=10000;let ask=async()=>{};let round=0;let timer=0;let isPaused=false;let lostSince=null;let failures=0;function show(kind,text,title){const place=$('connection');place.className=`live ${kind}`;put($('connection-text'),text);set(place,{title,'aria-pressed':String(isPaused)});}
function showLost(error){$('lost').hidden=false;put($('lost-text'),`The server ${error instanceof Refusal ? 'refuses' : 'has not answered'} since ${dateTime(lostSince).slice(11)} (${error.message}). What is shown is from then.`);show('lost','Lost');}
function showLive(){$('lost').hidden=true;if(isPaused)show('paused','Paused');else show('on','Live',`Updated at ${dateTime(Date.now()).slice(11)}`);}
function wait(took){clearTimeout(timer);if(isPaused&&!lostSince)return;const pause=document.hidden?whileHidden:Math.max(whileVisible,took);timer=setTimeout(refresh,lostSince?Math.min(longestWait,whileVisible*failures):pause);}
export async function refresh(){const mine=++round;clearTimeout(timer);const begin=performance.now();try{if(lostSince)await askServer();await ask();if(mine!==round)return;lostSince=null;failures=0;showLive();}catch(error){if(mine!==round)return;if(error instanceof Lost||error instanceof Refusal){++failures;lostSince??=Date.now();showLost(error);}else reportError(error);}
wait(performance.now()- begin);}
export function startLive(questions){ask=questions;document.addEventListener('visibilitychange',()=>{if(!document.hidden&&!isPaused)refresh();});addEventListener('online',refresh);onClick('lost-retry',refresh);onClick('connection',()=>{isPaused=!isPaused;put($('connection-icon'),isPaused,()=>icon(isPaused?'running':'pause'));if(isPaused){clearTimeout(timer);showLive();}else refresh();});}
)asset";
// clang-format on

} // namespace daybook::inline v0::detail

#endif
