// SPDX-License-Identifier: MIT
// What is shown, as the address bar has it: a link shows the same view to whoever follows it.

import {address} from './api.js';

export const noFilters = {job_id: '', handler_id: '', status: '', text: '', range: '', started_from: '', started_to: ''};
const defaults = {
  view: 'history', // or jobs
  ...noFilters,
  sort: 'newest', cursor: '',
  id: '', // the execution whose details are open
  job: '', // the job whose details are open
  strips: '', // how many jobs come before those whose strips are shown
  find: '', jobs_state: '', jobs_cursor: '', // of the jobs view
  timeline: 'minute', zone: '',
};

export const state = {...defaults};

let listener = () => {};
export const onChange = (listen) => (listener = listen);

function tell(before) {
  const changed = new Set(Object.keys(defaults).filter((name) => state[name] !== before[name]));
  if (changed.size !== 0) listener(changed);
}

function read() {
  const given = new URLSearchParams(location.search);
  for (const name of Object.keys(defaults)) state[name] = given.get(name) ?? defaults[name];
  if (!['history', 'jobs'].includes(state.view)) state.view = defaults.view;
  if (!['minute', 'hour', 'day'].includes(state.timeline)) state.timeline = defaults.timeline;
  if (!/^\d{1,6}$/.test(state.range)) state.range = '';
}

// The address with these changes.
export const link = (changes) => address(location.pathname,
  Object.fromEntries(Object.entries({...state, ...changes}).filter(([name, value]) => value !== defaults[name])));

// `how` is 'push' for a step that the reader may want to take back, 'replace' for typing and the like.
export function change(changes, how = 'push') {
  const before = {...state};
  Object.assign(state, changes);
  if (Object.keys(defaults).every((name) => state[name] === before[name])) return;
  history[`${how}State`](history.state, '', link({}));
  tell(before);
}

export const isFiltered = () => Object.keys(noFilters).some((name) => state[name] !== '');

// For the executions API.
export function wantedExecutions() {
  const {job_id, handler_id, status, text, sort, range} = state;
  let {started_from, started_to} = state;
  if (range) { // to the minute, so that the answer is the same for as long
    started_from = new Date(Math.floor(Date.now() / 60000 - Number(range)) * 60000).toISOString();
    started_to = '';
  }
  return {job_id, handler_id, status, text, started_from, started_to, sort: sort === 'newest' ? '' : sort};
}

addEventListener('popstate', () => {
  const before = {...state};
  read();
  tell(before);
});
read();
