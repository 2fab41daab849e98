// SPDX-License-Identifier: MIT
// The figures at the top, each with how it went lately.

import {$, h, put} from './dom.js';
import {duration, few, number, plural} from './format.js';
import {fill} from './timeline.js';

const most = 60; // samples
const names = {total: 'Executions', rate: 'Success rate', average: 'Average duration', p95: '95 % take at most',
  running: 'Running now', failures: 'Failures, last hour', drift: 'Drift, 95 % at most'};
$('cards').append(...Object.entries(names).map(([id, name]) => h('div', h('dt', name), h('dd.value', {id: `card-${id}`}), h('dd.note', {id: `note-${id}`}),
  h('svg', {id: `trend-${id}`, viewBox: '0 0 100 24', preserveAspectRatio: 'none', 'aria-hidden': 'true'}))));

const column = (x, width, size) => h('rect', {x, y: 24 - size, width: width * 0.75, height: size});

function trend(values, hasBars) {
  const known = values.filter((value) => value !== null);
  if (known.length < 2) return [];
  const step = 100 / values.length;
  const top = Math.max(...known);
  if (hasBars) return values.flatMap((value, index) => (value > 0 ? column(index * step, step, value / top * 22) : []));
  const least = Math.min(...known);
  const points = values.flatMap((value, index) => (value === null ? [] : `${(index + 0.5) * step} ${22 - (value - least) / (top - least || 1) * 20}`));
  return h('path', {d: `M${points.join('L')}`});
}

function show(id, value, note, values, hasBars) {
  put($(`card-${id}`), value);
  put($(`note-${id}`), note);
  put($(`trend-${id}`), values.join(), () => trend(values, hasBars));
}

// What was seen since the page was opened: the server keeps no history of these.
const samples = {running: [], drift: []};
const sample = (name, value) => (samples[name] = [...samples[name], value].slice(-most));

// `stats` with a timeline of minutes.
export function showCards(stats) {
  const minutes = fill(stats);
  const of = (name, otherwise = null) => minutes.map((bucket) => bucket[name] ?? otherwise);
  const {rates: {last_minute: minute, last_hour: hour}, drift, total_executions: total} = stats;
  const some = (text, otherwise = '–') => (total === 0 ? otherwise : text);

  show('total', few(total), `${number(minute.executions)} in the last minute`, of('total_executions', 0), true);
  show('rate', some(`${Number(stats.success_rate.toFixed(2))} %`), some(`${plural(stats.error_count, 'failure')} in all`, 'nothing has ended yet'),
    minutes.map(({success_count, total_executions: ended}) => (ended ? success_count / ended : null)));
  show('average', some(duration(stats.average_duration_ms)), some(`median ${duration(stats.p50_ms)}`, ''), of('average_duration_ms'));
  show('p95', some(duration(stats.p95_ms)), some(`longest ${duration(stats.max_ms)}`, ''), of('p95_ms'));
  show('running', number(stats.running), stats.queued ? `${number(stats.queued)} waiting` : '', sample('running', stats.running), true);
  show('failures', number(hour.errors), `of ${plural(hour.executions, 'execution')}`, of('error_count', 0), true);
  $('card-failures').parentElement.className = hour.errors > 0 ? 'error' : '';
  show('drift', drift.count ? duration(drift.p95_ms) : '–', drift.count ? `on average ${duration(drift.average_ms)}` : '',
    sample('drift', drift.count ? drift.average_ms : null));
}
