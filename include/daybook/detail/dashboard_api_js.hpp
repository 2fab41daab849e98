// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_DASHBOARD_API_JS_HPP
#define DAYBOOK_DETAIL_DASHBOARD_API_JS_HPP

/// @file
/// The dashboard's http/page/api.js, in the header that cmake/assets.cmake makes of it.

#include <string_view>

namespace daybook::inline v0::detail {

// clang-format off
inline constexpr std::string_view dashboard_api_js = R"asset(
export class Refusal extends Error{}
export class Lost extends Error{}
const patience=20000;const kept=new Map();const mostKept=24;export function address(path,parameters={}){const given=Object.entries(parameters).filter(([,value])=>(value??'')!=='');const query=new URLSearchParams(given).toString();return query?`${path}?${query}`:path;}
async function refusalOf(answer){const body=await answer.json().catch(()=>null);return new Refusal(body?.error?.message??`the server answers ${answer.status}`);}
const request=(url,options)=>fetch(url,{...options,signal:AbortSignal.timeout(patience)}).catch(({name})=>{throw new Lost(name==='TimeoutError'?'it takes too long':'no connection');});const bodyOf=(answer)=>answer.json().catch(()=>{throw new Lost('no JSON');});export async function ask(path,parameters,{accept=[]}={}){const url=address(path,parameters);const answer=await request(url,{cache:'no-cache'});if(!answer.ok&&!accept.includes(answer.status))throw await refusalOf(answer);const tag=answer.headers.get('ETag');const before=kept.get(url);const body=tag&&before?.tag===tag?before.body:await bodyOf(answer);kept.delete(url);if(tag)kept.set(url,{tag,body});if(kept.size>mostKept)kept.delete(kept.keys().next().value);return body;}
export async function post(path){const answer=await request(path,{method:'POST'});if(!answer.ok)throw await refusalOf(answer);return answer.status===204?null:bodyOf(answer);}
export const server={has:{},may:{},isKnown:false};export async function askServer(){Object.assign(server,await ask('history/server'),{isKnown:true});}
export const may=(what)=>server.may[what]?.allowed===true;)asset";
// clang-format on

} // namespace daybook::inline v0::detail

#endif
