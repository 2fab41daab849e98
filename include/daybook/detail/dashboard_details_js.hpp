// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_DASHBOARD_DETAILS_JS_HPP
#define DAYBOOK_DETAIL_DASHBOARD_DETAILS_JS_HPP

/// @file
/// The dashboard's http/page/details.js, in the header that cmake/assets.cmake makes of it.

#include <string_view>

namespace daybook::inline v0::detail {

// clang-format off
inline constexpr std::string_view dashboard_details_js = R"asset(
import{ask}from './api.js';import{$,copy,h,linkTo,onClick}from './dom.js';import{neighbour,rowOf}from './executions.js';import{badge,between,dash,dateTime,driftOf,duration,firstLine,isGiven,isStill,number,outcome,plural,progressOf,stamp,throughputOf,tookOf,words}from './format.js';import{facts,makeSheet,section,textBlock}from './sheet.js';import{change,link,state}from './state.js';let record=null;async function load(id){if(record&&String(record.id)===id&&!isStill(record))return record;const known=neighbour(id,0);const own=known&&!isStill(known)?known:await ask(`api/executions/${+id}`);const{occurrence_id,job_id,attempt_number,is_final}=own;const isOnly=attempt_number===1&&(is_final||isStill(own));const attempts=isOnly?[own]:(await ask('api/executions',{occurrence_id,job_id,limit:100})).records;record={...own,attempts:attempts.toSorted((left,right)=>left.attempt_number-right.attempt_number)};return record;}
const attemptRow=(each)=>h('li',{'aria-current':each.id===record.id?'true':null},linkTo(h('a',{href:link({id:each.id})},`Attempt ${each.attempt_number}`),()=>change({id:String(each.id)},'replace')),badge(each.status),h('span',each.started_at?dateTime(each.started_at):dash),h('span',duration(tookOf(each))),h('span.outcome',firstLine(outcome(each))));function draw({attempts,progress,metadata,...own}){const text=(title,value,kind)=>isGiven(value)&&value!==''&&textBlock(title,value,kind);$('details-previous').disabled=!neighbour(state.id,-1);$('details-next').disabled=!neighbour(state.id,1);$('details-job').href=link({id:'',job_id:own.job_id,cursor:''});return[
h('div.headline',badge(own.status),h('span.big',duration(tookOf(own))),own.reason&&h('span',outcome(own)),h('span.muted',own.is_final||isStill(own)?'':'Another attempt followed')),text('Error',own.error,'failed'),text('Result',own.result),text('Log',own.log_text),attempts.length>1&&section(plural(attempts.length,'attempt'),h('ol.attempts',...attempts.map(attemptRow))),facts([
['Scheduled',stamp(own.scheduled_at)],['Handed over',stamp(own.queued_at)],['Started',stamp(own.started_at)],['Completed',stamp(own.completed_at)],['Drift',duration(driftOf(own))],['Waited',duration(between(own.queued_at,own.started_at))],['Records processed',number(own.records_processed)],['Progress',progress&&progressOf(progress)],['Throughput',throughputOf({...own,progress})],['Attempt',`${own.attempt_number}${own.is_final ? ', the last' : ''}`],['Trigger',words(own.trigger)],['Handler',own.handler_id],['Method',own.method_name],['Worker',own.worker],['Node',own.node],['Clock change',own.dst&&words(own.dst)],['Execution',own.id],['Occurrence',own.occurrence_id],]),text('Parameters',own.parameters),metadata&&section('Metadata',facts(Object.entries(metadata).map(([name,value])=>[name,String(value)]))),];}
export const details=makeSheet('details','id',{load,draw,rowOf});function go(by){const next=neighbour(state.id,by);if(next)change({id:String(next.id)},'replace');}
onClick('details-previous',()=>go(-1));onClick('details-next',()=>go(1));addEventListener('keydown',(event)=>{if(!$('details').open||event.target.closest('pre')||event.altKey||event.ctrlKey||event.metaKey)return;if(event.key==='ArrowLeft')go(-1);if(event.key==='ArrowRight')go(1);});onClick('details-copy',({currentTarget})=>copy(JSON.stringify({...record,attempts:undefined},null,2),currentTarget));onClick('details-link',({currentTarget})=>copy(location.href,currentTarget));linkTo($('details-job'),()=>change({id:'',job_id:record.job_id,cursor:''}));)asset";
// clang-format on

} // namespace daybook::inline v0::detail

#endif
