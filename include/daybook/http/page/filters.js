// SPDX-License-Identifier: MIT
// The filters above the table, and the files of what they let through.

import {address, ask} from './api.js';
import {$, h, icon, onClick, put, set} from './dom.js';
import {change, isFiltered, noFilters, state, wantedExecutions} from './state.js';

const texts = {job_id: $('filter-job'), handler_id: $('filter-handler'), text: $('filter-text')};
const dates = {started_from: $('filter-from'), started_to: $('filter-to')};
const range = $('filter-range');
const patience = 300; // ms after the last letter

const isoOf = (time) => (isNaN(new Date(time)) ? '' : new Date(time).toISOString());

// Between what a date field has, which knows no zone, and an instant.
function toField(iso) {
  const date = new Date(iso);
  const shift = state.zone === 'utc' ? 0 : date.getTimezoneOffset() * 60000;
  return isoOf(date - shift).slice(0, 19);
}
const fromField = (text) => isoOf(state.zone === 'utc' ? `${text}Z` : text);

const boxes = ['queued', 'running', 'success', 'error', 'timeout', 'cancelled', 'abandoned', 'skipped'].map((status) => h('input', {type: 'checkbox', value: status, id: `status-${status}`, change() {
  change({status: boxes.filter(({checked}) => checked).map(({value}) => value).join(','), cursor: ''});
}}));
$('filter-status').append(...boxes.map((box) => h(`label.chip.${box.value}`, box, icon(box.value), h('span', box.value))));

export function showFilters() {
  for (const [name, field] of Object.entries(texts)) if (field !== document.activeElement || state[name] === '') field.value = state[name];
  for (const [name, field] of Object.entries(dates)) if (field !== document.activeElement) field.value = toField(state[name]);
  range.value = state.started_from || state.started_to ? 'custom' : state.range;
  $('filter-dates').hidden = range.value !== 'custom';
  for (const box of boxes) box.checked = state.status.split(',').includes(box.value);
  $('reset').hidden = !isFiltered();
  for (const format of ['csv', 'json']) $(`export-${format}`).href = address('api/executions/export', {...wantedExecutions(), format, limit: 100000});
}

// Those that have what was typed in them; few, however many there are.
const suggest = (id, names) => put($(id), names, () => names.map((value) => h('option', {value})));
export const suggestHandlers = (names) => suggest('handlers-known', names);
async function suggestJobs() {
  const text = texts.job_id.value;
  const {jobs} = await ask('api/executions/jobs', {limit: 20, runs: 0, sort: 'name', text}).catch(() => ({jobs: []}));
  if (text === texts.job_id.value) suggest('jobs-known', jobs.map(({job_id}) => job_id));
}

let timer = 0;
function apply() {
  clearTimeout(timer);
  change({...Object.fromEntries(Object.entries(texts).map(([name, field]) => [name, field.value])), cursor: ''}, 'replace');
}
for (const [name, field] of Object.entries(texts)) {
  set(field, {change: apply, input() {
    clearTimeout(timer);
    const isChosen = field.value === '' || [...(field.list?.options ?? [])].some(({value}) => value === field.value);
    if (name === 'text' || isChosen) timer = setTimeout(apply, isChosen ? 0 : patience); // a part of a name is no name
    if (name === 'job_id') suggestJobs();
  }});
}
set(texts.job_id, {focus: suggestJobs});
set(range, {change() {
  const isCustom = range.value === 'custom';
  const hourAgo = isoOf(Date.now() - 3600000);
  change({range: isCustom ? '' : range.value, started_from: isCustom ? hourAgo : '', started_to: '', cursor: ''});
}});
for (const [name, field] of Object.entries(dates)) set(field, {change: () => change({[name]: fromField(field.value), range: '', cursor: ''})});
onClick('reset', () => {
  change({...noFilters, cursor: ''});
  texts.job_id.focus();
});
for (const form of document.forms) set(form, {submit: (event) => event.preventDefault()});
