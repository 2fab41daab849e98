// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_DASHBOARD_TABLE_JS_HPP
#define DAYBOOK_DETAIL_DASHBOARD_TABLE_JS_HPP

/// @file
/// The dashboard's http/page/table.js, in the header that cmake/assets.cmake makes of it.

#include <string_view>

namespace daybook::inline v0::detail {

// clang-format off
inline constexpr std::string_view dashboard_table_js = R"asset(
import{$,h,icon,isPlain,put,reconcile,set}from './dom.js';import{plural}from './format.js';import{change,link,state}from './state.js';export function makeTable(id,rowsId,{columns,keyOf,name}){const heads=columns.map(([kind,label,,sorts])=>h(`th.${kind}`,{role:'columnheader',scope:'col'},sorts
?h('button',{click:()=>change({sort:state.sort===sorts[0]?sorts[1]:sorts[0],cursor:''})},label)
:label));const body=h('tbody',{id:rowsId,role:'rowgroup'});$(id).append(h('thead',{role:'rowgroup'},h('tr',{role:'row'},...heads)),body);function makeRow(){const cells=columns.map(([kind])=>h(`td.${kind}`,{role:'cell'}));const row=h('tr',{role:'row',click(event){if(!isPlain(event)||event.target.closest('button, .strip'))return;event.preventDefault();change({[name]:String(row.key)});}},...cells);row.update=(item)=>{columns.forEach(([,,fill],index)=>fill(cells[index],item));set(row,{'aria-current':String(row.key)===state[name]?'true':null});};return row;}
return{body,show(items){reconcile(body,items,keyOf,makeRow);columns.forEach(([,,,sorts=[]],index)=>set(heads[index],{'aria-sort':[null,'descending','ascending'][sorts.indexOf(state.sort)+ 1]}));},again(){for(const row of body.children)row.update(row.item);},};}
export function fillName(cell,key,below,to){put(cell,`${key}\n${below}`,()=>[h('a.name',key),below&&h('small',below)]);set(cell.firstElementChild,{href:link(to)});}
export function makePager(place,name,ids,unit){let before=[];let next=null;const button=(id,where,...content)=>h('button',{id,disabled:true,click(){first.disabled=less.disabled=more.disabled=true;change({[name]:where()});$(place).closest('section').scrollIntoView();}},...content);const forget=()=>{before=[];return '';};const text=h('span',{id:ids[0]});const first=button(ids[1],forget,'First');const less=button(ids[2],()=>before.pop()??'',icon('left'),'Before');const more=button(ids[3],()=>{before.push(state[name]);return next;},'Next',icon('right'));$(place).append(text,first,less,more);return{forget,show({total,total_is_exact:isExact=true,next_cursor,note}){next=next_cursor;const page=state[name]?`Page ${before.length === 0 ? '…' : before.length + 1} of `:'';put(text,total===0?'':`${page}${isExact ? '' : 'more than '}${plural(total, unit)}${note}`);first.disabled=less.disabled=!state[name];more.disabled=!next;},};}
)asset";
// clang-format on

} // namespace daybook::inline v0::detail

#endif
