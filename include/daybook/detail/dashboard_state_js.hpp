// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_DASHBOARD_STATE_JS_HPP
#define DAYBOOK_DETAIL_DASHBOARD_STATE_JS_HPP

/// @file
/// The dashboard's http/page/state.js, in the header that cmake/assets.cmake makes of it.

#include <string_view>

namespace daybook::inline v0::detail {

// clang-format off
inline constexpr std::string_view dashboard_state_js = R"asset(
import{address}from './api.js';export const noFilters={job_id:'',handler_id:'',status:'',text:'',range:'',started_from:'',started_to:''};const defaults={view:'history',...noFilters,sort:'newest',cursor:'',id:'',job:'',strips:'',find:'',jobs_state:'',jobs_cursor:'',timeline:'minute',zone:'',};export const state={...defaults};let listener=()=>{};export const onChange=(listen)=>(listener=listen);function tell(before){const changed=new Set(Object.keys(defaults).filter((name)=>state[name]!==before[name]));if(changed.size!==0)listener(changed);}
function read(){const given=new URLSearchParams(location.search);for(const name of Object.keys(defaults))state[name]=given.get(name)??defaults[name];if(!['history','jobs'].includes(state.view))state.view=defaults.view;if(!['minute','hour','day'].includes(state.timeline))state.timeline=defaults.timeline;if(!/^\d{1,6}$/.test(state.range)) state.range = '';
}
export const link=(changes)=>address(location.pathname,Object.fromEntries(Object.entries({...state,...changes}).filter(([name,value])=>value!==defaults[name])));export function change(changes,how='push'){const before={...state};Object.assign(state,changes);if(Object.keys(defaults).every((name)=>state[name]===before[name]))return;history[`${how}State`](history.state,'',link({}));tell(before);}
export const isFiltered=()=>Object.keys(noFilters).some((name)=>state[name]!=='');export function wantedExecutions(){const{job_id,handler_id,status,text,sort,range}=state;let{started_from,started_to}=state;if(range){started_from=new Date(Math.floor(Date.now()/ 60000-Number(range))*60000).toISOString();
started_to='';}
return{job_id,handler_id,status,text,started_from,started_to,sort:sort==='newest'?'':sort};}
addEventListener('popstate',()=>{const before={...state};read();tell(before);});read();)asset";
// clang-format on

} // namespace daybook::inline v0::detail

#endif
