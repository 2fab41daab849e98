// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_DASHBOARD_STYLE_HPP
#define DAYBOOK_DETAIL_DASHBOARD_STYLE_HPP

/// @file
/// How the dashboard looks, in the light and in the dark.

#include <string_view>

namespace daybook::inline v0::detail {

inline constexpr std::string_view dashboard_style = R"css(:root {
  color-scheme: light dark;
  --back: #f6f7f9; --panel: #ffffff; --line: #d9dde3; --text: #1b2129; --quiet: #59636f; --accent: #0b5fc1;
  --good: #17693a; --good-back: #dcf3e4; --bad: #a3191f; --bad-back: #fce1e1; --busy: #0b4f9e; --busy-back: #dfecfb;
  --wait: #7a4b00; --wait-back: #fdeccd; --still: #4b5560; --still-back: #e6e9ed;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #14181d; --panel: #1c2228; --line: #343c46; --text: #e4e8ed; --quiet: #9ba6b2; --accent: #74b3ff;
    --good: #7fdca4; --good-back: #17382a; --bad: #ff9d9d; --bad-back: #471f22; --busy: #92c4ff; --busy-back: #1a3354;
    --wait: #f4c97a; --wait-back: #42310f; --still: #b4bec8; --still-back: #2c343c;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 84rem; padding: 1rem 1.25rem 2rem; background: var(--back); color: var(--text);
  font: 0.9375rem/1.45 system-ui, sans-serif; }
body > header { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: space-between; gap: 0 1rem; }
h1 { font-size: 1.375rem; margin: 0.25rem 0; }
h2 { font-size: 1.125rem; margin: 0; overflow-wrap: anywhere; }
#connection { margin: 0.25rem 0; color: var(--quiet); }
#connection.lost { color: var(--bad); background: var(--bad-back); border-radius: 0.375rem; padding: 0.125rem 0.5rem; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }

.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: 0.75rem; margin: 0.75rem 0 1rem; }
.cards div, .scroll, dialog { background: var(--panel); border: 1px solid var(--line); border-radius: 0.5rem; }
.cards div { padding: 0.625rem 0.875rem; }
.cards dt { color: var(--quiet); font-size: 0.8125rem; }
.cards dd { margin: 0; font-size: 1.5rem; font-variant-numeric: tabular-nums; }

.filters { display: flex; flex-wrap: wrap; align-items: end; gap: 0.75rem; margin-bottom: 0.75rem; }
.filters label { display: grid; gap: 0.125rem; color: var(--quiet); font-size: 0.8125rem; }
input, select, button { font: inherit; color: var(--text); background: var(--panel); border: 1px solid var(--line);
  border-radius: 0.375rem; padding: 0.3125rem 0.625rem; min-height: 2.125rem; }
button { cursor: pointer; }
button:hover:not(:disabled) { border-color: var(--accent); }
button:disabled { color: var(--quiet); cursor: default; opacity: 0.6; }

.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: 0.375rem 0.75rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
tbody tr:last-child td { border-bottom: 0; }
th { color: var(--quiet); font-size: 0.8125rem; font-weight: 600; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
td:last-child { width: 45%; max-width: 20rem; overflow: hidden; text-overflow: ellipsis; }
tbody tr { cursor: pointer; }
tbody tr:hover { background: var(--back); }
td button { all: unset; cursor: pointer; color: var(--accent); }
td button:hover { text-decoration: underline; }
td button:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 0.125rem; }
#empty { margin: 0; padding: 1.5rem; text-align: center; color: var(--quiet); }

.badge { display: inline-block; padding: 0 0.5rem; border-radius: 1rem; font-size: 0.8125rem; background: var(--still-back);
  color: var(--still); }
.badge.success { background: var(--good-back); color: var(--good); }
.badge.error, .badge.timeout, .badge.abandoned { background: var(--bad-back); color: var(--bad); }
.badge.running { background: var(--busy-back); color: var(--busy); }
.badge.queued { background: var(--wait-back); color: var(--wait); }

nav { display: flex; align-items: center; justify-content: center; gap: 1rem; margin-top: 0.75rem; color: var(--quiet); }
dialog { color: var(--text); width: min(48rem, calc(100vw - 2rem)); max-height: calc(100vh - 4rem); padding: 1rem 1.25rem; }
dialog::backdrop { background: rgb(0 0 0 / 45%); }
dialog header { display: flex; justify-content: space-between; align-items: start; gap: 1rem; }
#facts { display: grid; grid-template-columns: max-content 1fr; gap: 0.25rem 1rem; margin: 0.75rem 0 0; }
#facts dt { color: var(--quiet); }
#facts dd { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
#facts dd.text { font-family: ui-monospace, monospace; font-size: 0.875rem; background: var(--back); border-radius: 0.375rem;
  padding: 0.375rem 0.5rem; }
)css";

} // namespace daybook::inline v0::detail

#endif
