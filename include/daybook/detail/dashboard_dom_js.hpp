// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_DASHBOARD_DOM_JS_HPP
#define DAYBOOK_DETAIL_DASHBOARD_DOM_JS_HPP

/// @file
/// The dashboard's http/page/dom.js, in the header that cmake/assets.cmake makes of it.

#include <string_view>

namespace daybook::inline v0::detail {

// clang-format off
inline constexpr std::string_view dashboard_dom_js = R"asset(
export const $=(id)=>document.getElementById(id);export const onClick=(id,act)=>$(id).addEventListener('click',act);const drawn=/^(svg|g|rect|path|circle|line|text)$/;
export function set(node,attributes){for(const[name,value]of Object.entries(attributes)){if(typeof value==='function')node.addEventListener(name,value);else if((value??false)===false)node.removeAttribute(name);else if(node.getAttribute(name)!==String(value))node.setAttribute(name,value===true?'':value);}
return node;}
export function h(what,...content){const[name,...classes]=what.split('.');const made=drawn.test(name)?document.createElementNS('http://www.w3.org/2000/svg',name):document.createElement(name);if(classes.length)set(made,{class:classes.join(' ')});for(const part of content){if(part?.constructor===Object)set(made,part);else if(part||part===0)made.append(part);}
return made;}
const signs={success:'M3.5 8.5l3 3 6-7',error:'M4 4l8 8m0-8l-8 8',running:'M5.5 4l6 4-6 4z',queued:'M3.6 8h.01M8 8h.01M12.4 8h.01',skipped:'M3 11c1-6 8-7 10-1m0-4v4H9',timeout:'M4 3h8L4 13h8z',cancelled:'M2.5 8a5.5 5.5 0 1 0 11 0 5.5 5.5 0 1 0-11 0M4 4l8 8',abandoned:'M6 5a2 2 0 1 1 2 3v1m0 3h.01',clock:'M2.5 8a5.5 5.5 0 1 0 11 0 5.5 5.5 0 1 0-11 0M8 5v3.2l2 1.3',pause:'M5.5 4v8m5-8v8',left:'M10 3.5L5.5 8l4.5 4.5',right:'M6 3.5L10.5 8 6 12.5',down:'M8 3v7M5 7l3 3 3-3M3 13h10',copy:'M5.5 5.5H13V13H5.5zM3 10V3h7',theme:'M2.5 8a5.5 5.5 0 1 0 11 0 5.5 5.5 0 1 0-11 0M8 3v10m3-9v8',};export const icon=(name)=>h('svg.icon',{'aria-hidden':'true',viewBox:'0 0 16 16'},h('path',{d:signs[name]}));for(const place of document.querySelectorAll('[data-icon]'))place.prepend(icon(place.dataset.icon));export function put(place,key,make){const text=String(key??'');if(place.content===text)return;place.content=text;place.replaceChildren(...(make?[make()].flat().filter(Boolean):[text]));}
export function reconcile(parent,items,keyOf,make){const old=new Map([...parent.children].map((child)=>[child.key,child]));let place=parent.firstElementChild;for(const item of items){const key=keyOf(item);const node=old.get(key)??make();old.delete(key);node.key=key;node.item=item;node.update(item);if(node===place)place=place.nextElementSibling;else parent.insertBefore(node,place);}
for(const gone of old.values())gone.remove();}
export const isSelectingIn=(place)=>!getSelection().isCollapsed&&place.contains(getSelection().anchorNode);export const isPlain=(event)=>!event.metaKey&&!event.ctrlKey&&!event.shiftKey&&getSelection().isCollapsed;export function linkTo(node,go){return set(node,{click(event){if(!isPlain(event))return;event.preventDefault();event.stopPropagation();go();}});}
let timer=0;export function say(text,kind=''){const place=$('say');(document.querySelector('dialog[open]')??document.body).append(place);place.className=`say shown ${kind}`;put(place,text);clearTimeout(timer);timer=setTimeout(()=>{place.className='say';put(place,'');},kind?8000:3000);}
export async function copy(text,button){let isCopied=true;try{await navigator.clipboard.writeText(text);}catch{const field=h('textarea.unseen');field.value=text;button.after(field);field.select();isCopied=document.execCommand('copy');field.remove();button.focus();}
say(isCopied?'Copied':'Not copied');}
)asset";
// clang-format on

} // namespace daybook::inline v0::detail

#endif
