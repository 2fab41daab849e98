// SPDX-License-Identifier: MIT
// Tables of rows that lead to details, and the buttons from page to page.

import {$, h, icon, isPlain, put, reconcile, set} from './dom.js';
import {plural} from './format.js';
import {change, link, state} from './state.js';

// `columns` are [class of the cells, label, fill(cell, item), two orders: downwards and upwards]. A click on a row puts its key into the address as `name`. The roles keep it a table for screen
// readers where a narrow screen has cards.
export function makeTable(id, rowsId, {columns, keyOf, name}) {
  const heads = columns.map(([kind, label, , sorts]) => h(`th.${kind}`, {role: 'columnheader', scope: 'col'}, sorts
    ? h('button', {click: () => change({sort: state.sort === sorts[0] ? sorts[1] : sorts[0], cursor: ''})}, label)
    : label));
  const body = h('tbody', {id: rowsId, role: 'rowgroup'});
  $(id).append(h('thead', {role: 'rowgroup'}, h('tr', {role: 'row'}, ...heads)), body);

  function makeRow() {
    const cells = columns.map(([kind]) => h(`td.${kind}`, {role: 'cell'}));
    const row = h('tr', {role: 'row', click(event) {
      if (!isPlain(event) || event.target.closest('button, .strip')) return;
      event.preventDefault();
      change({[name]: String(row.key)});
    }}, ...cells);
    row.update = (item) => {
      columns.forEach(([, , fill], index) => fill(cells[index], item));
      set(row, {'aria-current': String(row.key) === state[name] ? 'true' : null});
    };
    return row;
  }
  return {
    body,
    show(items) {
      reconcile(body, items, keyOf, makeRow);
      columns.forEach(([, , , sorts = []], index) => set(heads[index], {
        'aria-sort': [null, 'descending', 'ascending'][sorts.indexOf(state.sort) + 1]}));
    },
    again() {
      for (const row of body.children) row.update(row.item);
    },
  };
}

// A name that leads to the details, with something smaller below it.
export function fillName(cell, key, below, to) {
  put(cell, `${key}\n${below}`, () => [h('a.name', key), below && h('small', below)]);
  set(cell.firstElementChild, {href: link(to)});
}

// Goes from page to page with what the server says comes next; `name` is where the address has the place. Only who came
// here page by page can go back page by page.
export function makePager(place, name, ids, unit) {
  let before = [];
  let next = null;
  const button = (id, where, ...content) => h('button', {id, disabled: true, click() {
    first.disabled = less.disabled = more.disabled = true; // until the page has come
    change({[name]: where()});
    $(place).closest('section').scrollIntoView();
  }}, ...content);
  const forget = () => {
    before = [];
    return '';
  };
  const text = h('span', {id: ids[0]});
  const first = button(ids[1], forget, 'First');
  const less = button(ids[2], () => before.pop() ?? '', icon('left'), 'Before');
  const more = button(ids[3], () => {
    before.push(state[name]);
    return next;
  }, 'Next', icon('right'));
  $(place).append(text, first, less, more);
  return {
    forget,
    show({total, total_is_exact: isExact = true, next_cursor, note}) {
      next = next_cursor;
      const page = state[name] ? `Page ${before.length === 0 ? '…' : before.length + 1} of ` : '';
      put(text, total === 0 ? '' : `${page}${isExact ? '' : 'more than '}${plural(total, unit)}${note}`);
      first.disabled = less.disabled = !state[name];
      more.disabled = !next;
    },
  };
}
