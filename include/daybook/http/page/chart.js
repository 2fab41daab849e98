// SPDX-License-Identifier: MIT
// What all charts share: marks that the pointer and the keyboard can reach, the box with their numbers, scales.

import {$, h, set} from './dom.js';

let owner = null; // the chart whose numbers are shown
let charts = 0;

// `rows` are [name, value, class of the swatch].
function showTip(mark, {title, rows}) {
  const tip = $('tip');
  tip.replaceChildren(h('strong', title), ...rows.map(([name, value, kind]) =>
    h('div', kind && h(`i.swatch.${kind}`), name, h('span.figure', value ?? ''))));
  tip.hidden = false;
  const box = mark.getBoundingClientRect();
  const left = Math.min(Math.max(8, box.left + box.width / 2 - tip.offsetWidth / 2), innerWidth - tip.offsetWidth - 8);
  const above = box.top - tip.offsetHeight - 8;
  tip.style.transform = `translate(${Math.round(left)}px, ${Math.round(above < 8 ? box.bottom + 8 : above)}px)`;
}

// Makes a list box of an SVG element: one stop of the tab key, arrows go from mark to mark, Enter does what a click does.
// `marks()` gives the elements of the marks, `describe(i)` their numbers; `open(i)` acts. Call the result after a change.
export function explorable(chart, {marks, describe, open}) {
  const prefix = `chart-${++charts}`;
  let active = -1;

  const leave = () => {
    marks()[active]?.classList.remove('active');
    active = -1;
    set(chart, {'aria-activedescendant': null});
    if (owner === chart) $('tip').hidden = true;
  };
  const show = (index) => {
    const mark = marks()[index];
    if (index !== active) leave();
    if (!mark) return;
    active = index;
    owner = chart;
    mark.classList.add('active');
    set(chart, {'aria-activedescendant': mark.id});
    showTip(mark, describe(index));
  };
  const indexOf = (event) => marks().indexOf(event.target.closest('[role=option]'));

  set(chart, {
    pointermove(event) {
      const index = indexOf(event);
      if (index !== active) show(index);
    },
    pointerleave: leave,
    blur: leave,
    focus: () => chart.matches(':focus-visible') && show(marks().length - 1),
    click(event) {
      const index = indexOf(event);
      if (index >= 0) open(index);
    },
    keydown(event) {
      const last = marks().length - 1;
      const next = {ArrowLeft: active - 1, ArrowRight: active + 1, Home: 0, End: last}[event.key];
      if (next !== undefined) show(Math.min(Math.max(0, next), last));
      else if (event.key === 'Enter' && active >= 0) open(active);
      else if (event.key === 'Escape' && active >= 0) leave();
      else return;
      event.preventDefault();
      event.stopPropagation();
    },
  });

  return () => {
    const all = marks();
    all.forEach((mark, index) => {
      const {title, rows} = describe(index);
      const label = `${title}: ${rows.map(([name, value = '']) => `${name} ${value}`).join(', ')}`;
      set(mark, {id: `${prefix}-${index}`, role: 'option', 'aria-selected': 'false', 'aria-label': label});
    });
    set(chart, all.length === 0 ? {role: 'img', tabindex: null} : {role: 'listbox', tabindex: 0}); // a list box is not empty
    if (active >= 0) show(Math.min(active, all.length - 1));
  };
}

// The top of a scale and its steps, all of them round.
export function roundScale(most) {
  let step = 1;
  for (let index = 0; step * 3 < most; ++index) step *= [2, 2.5, 2][index % 3];
  const count = Math.max(1, Math.ceil(most / step));
  return {top: step * count, ticks: Array.from({length: count + 1}, (_, index) => index * step)};
}
