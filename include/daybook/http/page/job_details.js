// SPDX-License-Identifier: MIT
// One job in full: why it runs or does not, when it will, how it is set up.

import {ask, may} from './api.js';
import {$, h, onClick, put} from './dom.js';
import {duration, isGiven, stamp, words} from './format.js';
import {hold, holdLabel, pathOf, rowOf, run, scheduleOf, stateBadges} from './jobs.js';
import {facts, makeSheet, section, textBlock} from './sheet.js';
import {change, state} from './state.js';
import {makeStrip, stripLength} from './strips.js';

const strip = makeStrip();
let job = null;

async function load(id) {
  const [own, {records}] = await Promise.all([ask(pathOf(id), {next: 5}), ask('api/executions', {job_id: id, skips: 'include', limit: stripLength})]);
  job = own;
  strip.show(records, id);
  $('job-run').hidden = !may('trigger');
  $('job-hold').hidden = !may('change');
  put($('job-hold'), own.active, () => holdLabel(own));
  return own;
}

// What has a place of its own.
const apart = new Set(['job_id', 'description', 'explain', 'next_runs', 'next_run', 'active', 'state', 'stale', 'parameters', 'body', 'retry', 'revision']);

// Everything else that the server tells, in its own words.
function fact([name, value]) {
  const label = words(name).replace(/ (id|ms)$/, '');
  const text = String(value);
  const shown = name.endsWith('_ms') ? duration(value) : /^\d{4}-\S+T\S+Z$/.test(text) ? stamp(text) : Array.isArray(value) ? value.join(', ') : text;
  return [label[0].toUpperCase() + label.slice(1), shown];
}

function draw(own) {
  return [
    h('div.headline', ...stateBadges(own), h('span.schedule', scheduleOf(own))),
    section('Why it runs or not', h('p.explain', own.explain)),
    section('Latest runs', h('div.wide', strip)),
    own.next_runs.length > 0 && section('Next runs', h('ol.next', ...own.next_runs.map((iso) => h('li', stamp(iso))))),
    facts([...Object.entries(own).filter(([name, value]) => !apart.has(name) && isGiven(value)), ...Object.entries(own.retry ?? {})].map(fact)),
    own.parameters && textBlock('Parameters', own.parameters),
    own.body && textBlock('Body', own.body),
  ];
}

export const jobDetails = makeSheet('job', 'job', {load, draw, rowOf});

// Not of the job that was shown before, while the next one is on its way.
const act = (what) => ({currentTarget}) => job?.job_id === state.job && what(currentTarget, job);
onClick('job-run', act(run));
onClick('job-hold', act(hold));
onClick('job-history', () => change({view: 'history', job_id: state.job, job: '', cursor: ''}));
