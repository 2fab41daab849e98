// SPDX-License-Identifier: MIT
// The table of executions: a page of it at a time, kept where the reader is.

import {ask} from './api.js';
import {$, h, isSelectingIn, onClick, put, set} from './dom.js';
import {badge, driftOf, duration, firstLine, handlerOf, hasFailed, isGiven, isStill, number, outcome, progressOf, showTime, throughputOf, tookOf} from './format.js';
import {change, isFiltered, noFilters, state, wantedExecutions} from './state.js';
import {fillName, makePager, makeTable} from './table.js';

const perPage = 50;
const mostAskedAgain = 5;

let wanted = ''; // the question that the page answers
let latest = null; // what the server last said to it
let records = []; // as shown

export const listParameters = () => ({...wantedExecutions(), limit: perPage, cursor: state.cursor});

function fillTime(cell, iso) {
  put(cell, 'time', () => h('time'));
  showTime(cell.firstChild, iso);
}

// What is under way has a bar.
function fillRecords(cell, record) {
  const {progress, records_processed: processed} = record;
  const isOver = !progress || (!isStill(record) && !progress.failed);
  put(cell, isOver ? number(processed ?? progress?.done) : `${processed} ${progressOf(progress)} ${record.status}`, isOver ? null : () => h('div.progress',
    isGiven(processed) ? h('span', number(processed)) : '',
    progress.total && isStill(record) ? h('progress', {'aria-label': 'Progress', max: progress.total, value: Math.min(progress.done, progress.total)}) : '',
    h('small', progressOf(progress))));
}

const table = makeTable('table', 'rows', {
  name: 'id',
  keyOf: (record) => record.id,
  columns: [
    ['job', 'Job', (cell, record) => fillName(cell, record.job_id, handlerOf(record), {id: record.id})],
    ['status', 'Status', (cell, {status}) => put(cell, status, () => badge(status))],
    ['scheduled', 'Scheduled', (cell, record) => fillTime(cell, record.scheduled_at)],
    ['started', 'Started', (cell, record) => fillTime(cell, record.started_at ?? (isStill(record) ? null : record.completed_at)), ['newest', 'oldest']],
    ['took.figure', 'Duration', (cell, record) => put(cell, duration(tookOf(record))), ['longest', 'shortest']],
    ['drift.figure', 'Drift', (cell, record) => {
      put(cell, duration(driftOf(record)));
      cell.classList.toggle('late', driftOf(record) > 1000);
    }, ['most_drift', 'least_drift']],
    ['attempt.figure', 'Attempt', (cell, record) => {
      const isFollowed = !record.is_final && !isStill(record);
      put(cell, `${record.attempt_number}${isFollowed ? ' ↻' : ''}`);
      set(cell, {title: isFollowed ? 'Another attempt followed' : null});
    }],
    ['processed.figure', 'Records', fillRecords],
    ['throughput.figure', 'Per second', (cell, record) => put(cell, throughputOf(record))],
    ['what', 'Result or error', (cell, record) => {
      put(cell, firstLine(outcome(record)));
      cell.classList.toggle('failed', hasFailed(record));
    }],
  ],
});
const rows = table.body;
const pager = makePager('pages', 'cursor', ['position', 'newest', 'newer', 'older'], 'execution');

// New rows would push away what the reader looks at. (In other orders the server keeps a page in its place.)
function isReading() {
  if (state.cursor || state.sort !== 'newest' || records.length === 0) return false;
  return state.id !== '' || rows.contains(document.activeElement) || rows.getBoundingClientRect().top < 0 || isSelectingIn(rows);
}

function showNews(count) {
  $('news').hidden = count === 0;
  put($('news'), `Show ${count < 0 ? `${perPage} or more` : count} newer`);
}

// Changes the rows that are there, and says how many there would be above them.
async function keepRows(fresh) {
  const known = new Map(fresh.map((record) => [record.id, record]));
  const gone = records.filter((record) => !known.has(record.id) && isStill(record)).slice(0, mostAskedAgain);
  for (const record of await Promise.all(gone.map((each) => ask(`api/executions/${each.id}`).catch(() => each)))) known.set(record.id, record);
  showNews(fresh.findIndex(({id}) => id === records[0].id));
  records = records.map((record) => known.get(record.id) ?? record);
}

function takeAll() {
  records = latest.records;
  showNews(0);
}

function draw() {
  table.show(records);
  const isEmpty = records.length === 0;
  const hasStopped = latest.complete === false;
  $('empty').hidden = !isEmpty;
  set($('table'), {hidden: isEmpty});
  put($('empty-title'), isFiltered() ? 'No execution matches' : 'Nothing has run yet');
  put($('empty-text'), hasStopped ? 'So far: “Next” goes on.' : '');
  $('empty-reset').hidden = !isFiltered();
  pager.show({...latest, note: `${isFiltered() ? ' that match' : ''}${hasStopped ? ', so far' : ''}`});
}

export async function showExecutions(answer) {
  const question = JSON.stringify(listParameters());
  latest = answer;
  if (question === wanted && isReading()) await keepRows(answer.records);
  else takeAll();
  wanted = question;
  draw();
}

// The one before or after in the order of the table.
export function neighbour(id, by) {
  const index = records.findIndex((record) => String(record.id) === id);
  return index < 0 ? null : records[index + by];
}

export const rowOf = (id) => [...rows.children].find(({key}) => String(key) === id);

export function followExecutions(changed) {
  if (!state.cursor || [...changed].some((name) => name === 'sort' || name in noFilters)) pager.forget();
  if (changed.has('zone') || changed.has('id')) table.again();
}

onClick('news', () => {
  takeAll();
  draw();
  $('table-title').scrollIntoView();
  $('table-title').focus({preventScroll: true});
});
onClick('empty-reset', () => change({...noFilters, cursor: ''}));
