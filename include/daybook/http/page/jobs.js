// SPDX-License-Identifier: MIT
// The jobs view: when each runs, how it went, and what may be done about it.

import {Refusal, may, post} from './api.js';
import {$, h, icon, put, say, set} from './dom.js';
import {badge, duration, number, plural, relative, showTime, verdict, words} from './format.js';
import {change, state} from './state.js';
import {lastEnded, makeStrip} from './strips.js';
import {fillName, makePager, makeTable} from './table.js';

const perPage = 50;
const stripLength = 20;
const patience = 300; // ms after the last letter
let refresh = () => {};

export const onAct = (refreshNow) => (refresh = refreshNow);
export const pathOf = (id) => `api/v1/jobs/${encodeURIComponent(id)}`;
export function jobsParameters() {
  const isPaused = state.jobs_state === 'paused';
  return {limit: perPage, runs: stripLength, cursor: state.jobs_cursor, text: state.find, state: isPaused ? '' : state.jobs_state, active: isPaused ? 'false' : ''};
}

// Everything that changes something goes through here: it says what came of it, and shows it at once.
export async function act(button, path, done) {
  button.disabled = true;
  try {
    say(done(await post(path)));
  } catch (error) {
    say(`${error instanceof Refusal ? 'Refused' : 'No answer'}: ${error.message}`, 'bad');
  }
  button.disabled = false;
  refresh();
}
export const run = (button, {job_id}) => act(button, `${pathOf(job_id)}/run`, () => `${job_id} was handed over to run`);
export const hold = (button, {job_id, active}) =>
  act(button, `${pathOf(job_id)}/${active ? 'pause' : 'resume'}`, () => `${job_id} is ${active ? 'paused' : 'resumed'}`);
export const holdLabel = ({active}) => [icon(active ? 'pause' : 'running'), active ? 'Pause' : 'Resume'];

const signs = {executing: 'running', paused: 'pause', failed: 'error', completed: 'success', pending: 'queued'};
export function stateBadges({active, state: own, running, stale, stale_after_ms: after}) {
  const now = active ? own : 'paused';
  const text = now === 'executing' && running > 1 ? `executing ${running}` : words(now);
  const late = stale && set(badge('stale', 'stale', 'clock'), {title: `No success for ${duration(after)}`});
  return [badge(`state-${now}`, text, signs[now] ?? 'clock'), late];
}
export const scheduleOf = (job) => (job.schedule_error ? 'its schedule fails' : job.description || 'when asked for');

function fillDoes(cell, job) {
  put(cell, 'buttons', () => [
    h('button.small', {click: () => run(cell.firstChild, cell.job)}, icon('running'), 'Run now'),
    h('button.small', {click: () => hold(cell.lastChild, cell.job)})]);
  cell.job = job;
  put(cell.lastChild, job.active, () => holdLabel(job));
  set(cell.firstChild, {hidden: !may('trigger'), 'aria-label': `Run now: ${job.job_id}`});
  set(cell.lastChild, {hidden: !may('change'), 'aria-label': `${job.active ? 'Pause' : 'Resume'}: ${job.job_id}`});
}

const table = makeTable('jobs-table', 'job-rows', {
  name: 'job',
  keyOf: (job) => job.job_id,
  columns: [
    ['job', 'Job', (cell, job) => fillName(cell, job.job_id, job.api_url ?? (job.handler_id === job.job_id ? job.method_name : job.handler_id), {job: job.job_id})],
    ['schedule', 'Schedule', (cell, job) => put(cell, scheduleOf(job) + job.schedule, () => [scheduleOf(job), h('code', job.schedule)])],
    ['state', 'State', (cell, job) => put(cell, [job.active, job.state, job.running, job.stale], () => stateBadges(job))],
    ['due', 'Next run', (cell, job) => {
      put(cell, 'time', () => [h('time'), h('small')]);
      const due = job.active ? job.next_run : null;
      showTime(cell.firstChild, due);
      put(cell.lastChild, due ? relative(due) : '');
    }],
    ['last', 'Last outcome', (cell, job) => {
      const last = lastEnded(job.latest_runs);
      const ago = last ? relative(last.started_at) : '';
      put(cell, `${last?.status} ${ago}`, () => [last ? verdict(last.status) : verdict('queued', 'has not run'), h('small', ago)]);
    }],
    ['runs', 'Latest runs', (cell, job) => {
      put(cell, 'strip', () => makeStrip(stripLength));
      cell.firstChild.show(job.latest_runs, job.job_id);
    }],
    ['does', 'Actions', fillDoes],
  ],
});
const pager = makePager('jobs-pages', 'jobs_cursor', ['jobs-position', 'jobs-first', 'jobs-less', 'jobs-more'], 'job');

export function showJobs(page) {
  const {jobs} = page;
  const isAll = state.find === '' && state.jobs_state === '';
  table.show(jobs);
  $('jobs-table').toggleAttribute('hidden', jobs.length === 0);
  $('jobs-empty').hidden = jobs.length !== 0;
  put($('jobs-empty-title'), isAll ? 'No jobs' : 'No job matches');
  pager.show({...page, note: isAll ? '' : ' that match'});
}

export function showHealth(health) {
  const {store, stuck_workers: stuck, stale_jobs: stale} = health;
  const figures = [
    ['Scheduler', words(health.status), health.status === 'healthy' ? 'success' : 'error'],
    ['Jobs', number(health.jobs)], ['Paused', number(health.paused_jobs)], ['Stale', number(stale), stale && 'timeout'],
    ['Running', `${number(health.running)} on ${plural(health.workers, 'worker')}`], ['Waiting', number(health.queued)],
    ['Stuck workers', number(stuck), stuck && 'error'],
    store && ['Store', store.available ? 'answers' : store.error || 'does not answer', store.available ? 'success' : 'error'],
  ].filter(Boolean);
  put($('health'), JSON.stringify(figures), () => figures.map(([name, value, kind]) => h('div', h('dt', name), h('dd', kind ? verdict(kind, value) : value))));
}

export const rowOf = (id) => [...table.body.children].find(({key}) => key === id);

export function followJobs(changed) {
  if (changed.has('find') || changed.has('jobs_state')) pager.forget();
  if (changed.has('zone') || changed.has('job')) table.again();
  if ($('jobs-find') !== document.activeElement) $('jobs-find').value = state.find;
  $('jobs-state').value = state.jobs_state;
}

let timer = 0;
set($('jobs-find'), {input({target}) {
  clearTimeout(timer);
  timer = setTimeout(() => change({find: target.value, jobs_cursor: ''}, 'replace'), patience);
}});
set($('jobs-state'), {change: ({target}) => change({jobs_state: target.value, jobs_cursor: ''})});
