// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_DASHBOARD_THEME_CSS_HPP
#define DAYBOOK_DETAIL_DASHBOARD_THEME_CSS_HPP

/// @file
/// The dashboard's http/page/theme.css, in the header that cmake/assets.cmake makes of it.

#include <string_view>

namespace daybook::inline v0::detail {

// clang-format off
inline constexpr std::string_view dashboard_theme_css = R"asset(
:root{color-scheme:light dark;--paper:light-dark(#f6f5f2,#131416);--sheet:light-dark(#fff,#1b1d20);--raised:light-dark(#fff,#24272b);--sunk:light-dark(#f3f1ed,#16181a);--line:light-dark(#e5e2db,#2d3035);--edge:light-dark(#c9c5bc,#464a52);--ink:light-dark(#1d1e20,#e9eaec);--soft:light-dark(#5d5f63,#a3a8b0);--accent:light-dark(#2f4f86,#9db8ea);--strong:light-dark(#2f4f86,#40639f);--green:light-dark(#1b734c,#5cc392);--red:light-dark(#bd2c1c,#ff8a78);--amber:light-dark(#8f540a,#eab04f);--high:0 10px 40px light-dark(#0004,#000c)}:root[data-theme=light]{color-scheme:light}:root[data-theme=dark]{color-scheme:dark}.success,.state-completed{--tone:var(--green);--fill:light-dark(#79b398,#42826a)}.error,.state-failed{--tone:var(--red);--fill:#d64530}.timeout,.stale,.state-paused{--tone:var(--amber);--fill:#cb7f16}.abandoned{--tone:light-dark(#7b3fa0,#cb9bea);--fill:#9a5fc0}.running,.state-executing{--tone:light-dark(#1f66b5,#74b3f5)}.cancelled{--fill:#858a91}*{box-sizing:border-box;margin:0;padding:0}html{scroll-padding-top:70px}body{background:var(--paper);color:var(--ink);font:14px/1.45 system-ui,sans-serif;font-variant-numeric:tabular-nums}h2{font-size:15px}h3{font-size:13px}h2,h3{font-weight:650}small,.legend,dt,label>span,legend{font-size:12px}small,.legend,dt,label>span,legend,.muted,.hint,.pages>span{color:var(--soft)}ul,ol{list-style:none}a{color:var(--accent)}code,pre{font:12.5px/1.5 ui-monospace,monospace}[hidden]{display:none !important}:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:4px}[tabindex="-1"]:focus{outline:none}.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}.icon{width:16px;height:16px;flex:none;fill:none;stroke:currentColor;stroke-width:1.7;stroke-linecap:round;stroke-linejoin:round}button,.button,input,select{min-height:32px;font:inherit;color:inherit;background:var(--raised);border:1px solid var(--edge);border-radius:7px}button,.button{display:inline-flex;align-items:center;justify-content:center;gap:6px;padding:4px 11px;font-weight:550;text-decoration:none;white-space:nowrap;cursor:pointer}button:hover:not(:disabled),.button:hover{border-color:var(--accent)}button:disabled{opacity:.45;cursor:default}.round{width:32px;padding:0}.quiet{border-color:transparent;background:none;min-height:26px;padding:2px 8px;color:var(--soft)}.small{min-height:28px;padding:2px 9px;font-size:13px}.danger{color:var(--red)}.primary{background:var(--strong);border-color:transparent;color:#fff}.danger.primary,.say.bad{background:#b3291a;color:#fff}input,select{padding:4px 9px;width:100%}input::placeholder{color:var(--soft);opacity:1}.badge,.verdict{display:inline-flex;align-items:center;gap:5px;color:var(--tone,var(--soft));white-space:nowrap}.badge{padding:0 9px 0 6px;border-radius:99px;font-size:12.5px;font-weight:600;line-height:22px;background:color-mix(in srgb,var(--tone,var(--soft)) 12%,var(--sheet))}.badge .icon,.verdict .icon,.chip .icon{width:14px;height:14px;stroke-width:2})asset";
// clang-format on

} // namespace daybook::inline v0::detail

#endif
