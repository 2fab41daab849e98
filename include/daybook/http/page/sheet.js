// SPDX-License-Identifier: MIT
// A dialog with all there is to one thing, and what such dialogs are made of.

import {Refusal} from './api.js';
import {$, copy, h, icon, isSelectingIn, onClick, put, set} from './dom.js';
import {dash, pretty} from './format.js';
import {change, state} from './state.js';

export const section = (title, ...content) => h('section.block', h('header', h('h3', title)), ...content);

// Text that may be long, with a button that copies it.
export function textBlock(title, value, kind = 'plain') {
  const text = pretty(value);
  const button = h('button.quiet', {'aria-label': `Copy ${title.toLowerCase()}`, click: () => copy(text, button)}, icon('copy'), 'Copy');
  return h(`section.block.${kind}`, h('header', h('h3', title), button),
    h('pre', {tabindex: 0, role: 'region', 'aria-label': title}, text));
}

// Those that there are.
export const facts = (entries) => h('dl.facts', ...entries.filter(([, value]) => ![null, undefined, '', dash].includes(value))
  .map(([name, value]) => h('div', h('dt', name), h('dd', value))));

// `name` is where the address has what is open; `load(key)` asks for it, `draw(data)` gives the content, `rowOf(key)` the
// row that gets the focus back. The dialog has elements `ID-title`, `ID-body`, `ID-close`.
export function makeSheet(id, name, {load, draw, rowOf}) {
  const dialog = $(id);
  const body = $(`${id}-body`);
  let round = 0; // only the newest question may answer
  let shown = '';
  let shownKey = '';

  function show(title, signature, make) {
    put($(`${id}-title`), title);
    const isSame = shownKey === state[name];
    if (isSame && (signature === shown || isSelectingIn(body))) return;
    const reachable = () => [...body.querySelectorAll('a, button, [tabindex]')];
    const top = isSame ? body.scrollTop : 0;
    const focused = isSame ? reachable().indexOf(document.activeElement) : -1;
    shown = signature;
    shownKey = state[name];
    body.replaceChildren(...make().filter(Boolean));
    body.scrollTop = top;
    reachable()[focused]?.focus({preventScroll: true});
  }

  async function refresh() {
    const key = state[name];
    if (!key) return;
    const mine = ++round;
    try {
      const data = await load(key);
      if (mine === round && state[name] === key) show(data.job_id, JSON.stringify([data, state.zone]), () => draw(data));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error; // the server is lost, and that is said elsewhere
      if (mine === round && shownKey !== key) show(key, error.message, () => [h('p.hint', error.message)]);
    }
  }

  // The address first: whoever reloads or shares it at once means the page without the dialog.
  function leave() {
    const key = state[name];
    if (!key) return;
    change({[name]: ''}, 'replace');
    rowOf(key)?.querySelector('a').focus({preventScroll: true});
  }
  onClick(`${id}-close`, leave);
  set(dialog, {close: leave, click: (event) => event.target === dialog && leave()}); // a click beside it

  return {
    refresh,
    async follow() {
      if (!state[name]) return dialog.close();
      if (shownKey !== state[name]) show('…', '', () => []);
      if (!dialog.open) dialog.showModal();
      shownKey = ''; // what it says may be old
      await refresh();
    },
  };
}
