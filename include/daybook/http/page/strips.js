// SPDX-License-Identifier: MIT
// The latest runs of a job as a strip: one mark for each, as tall as it took; what failed stands on a column of its own.

import {explorable} from './chart.js';
import {$, h, linkTo, onClick, put, reconcile, set} from './dom.js';
import {dateTime, duration, hasFailed, isGiven, isStill, number, plural, verdict, words} from './format.js';
import {change, link, state} from './state.js';

const height = 30;
const step = 8;
const column = 6;
export const stripLength = 30;

function makeMark(run, x, longest) {
  const {status} = run;
  const base = height - 2;
  const rect = (kind, y, tall, inset = 0) => h(`rect.${kind}`, {x: x + inset, y, width: column - 2 * inset, height: tall});
  const marks = [h('rect.hit', {x: x - 1, y: 0, width: step, height})];
  const tall = Math.max(3, Math.sqrt((run.duration_ms ?? 0) / longest) * (height - 8));
  if (status === 'skipped') marks.push(rect('mark.skipped', base - 4.5, 4, 0.75));
  else if (isStill(run)) marks.push(rect(`mark.${status}`, base - 12.5, 12, 0.75));
  else marks.push(hasFailed(run) && rect(`back.${status}`, 0, base), rect(`mark.${status}`, base - tall, tall));
  return h('g', ...marks);
}

// The result has show(runs, name), with the runs newest first, as the server gives them.
export function makeStrip(length = stripLength) {
  const width = length * step;
  const chart = h('svg.strip', {viewBox: `0 0 ${width} ${height}`, width, height, preserveAspectRatio: 'xMinYMid'});
  let runs = [];
  const changed = explorable(chart, {
    marks: () => [...chart.children],
    open: (index) => change({id: String(runs[index].id)}),
    describe(index) {
      const {status, reason, started_at, duration_ms, drift_ms, attempt_number} = runs[index];
      return {title: started_at ? dateTime(started_at) : 'waiting', rows: [
        [words(status), '', status], reason && ['reason', words(reason)],
        isGiven(duration_ms) && ['took', duration(duration_ms)], isGiven(drift_ms) && ['drift', duration(drift_ms)],
        attempt_number > 1 && ['attempt', attempt_number],
      ].filter(Boolean)};
    },
  });
  let shown = '';
  chart.show = (latest, name) => {
    const text = JSON.stringify([latest, state.zone]);
    if (text === shown) return;
    shown = text;
    runs = latest.slice(0, length).reverse();
    const longest = Math.max(1e-6, ...runs.map((run) => run.duration_ms ?? 0));
    chart.replaceChildren(...runs.map((run, index) => makeMark(run, width - (runs.length - index) * step + 1, longest)));
    changed();
    set(chart, {'aria-label': `${name}: the latest ${plural(runs.length, 'run')}, ${number(runs.filter(hasFailed).length)} failed`});
  };
  return chart;
}

// How the newest run ended that has ended.
export const lastEnded = (runs) => runs.find((run) => !isStill(run) && run.status !== 'skipped');

function makeRow() {
  const name = h('a.name');
  const place = h('span');
  const strip = makeStrip();
  const row = h('li', name, strip, place);
  linkTo(name, () => change({job_id: row.key, cursor: ''}));
  row.update = ({job_id, latest_runs}) => {
    put(name, job_id);
    set(name, {href: link({job_id, cursor: ''})});
    strip.show(latest_runs, job_id);
    const last = lastEnded(latest_runs);
    const failed = latest_runs.filter(hasFailed).length;
    const sign = last?.status ?? 'queued';
    const hasRecovered = last && !hasFailed(last) && failed > 0;
    const text = !last ? 'not ended yet' : hasFailed(last) ? words(sign) : failed ? `${failed} of ${latest_runs.length} failed` : 'fine';
    put(place, sign + text, () => verdict(hasRecovered ? 'stale' : sign, text, sign));
  };
  return row;
}

const perPage = () => (innerWidth < 900 ? 6 : 12);
export const wantedStrips = () => ({limit: perPage(), runs: stripLength, offset: state.strips});

export function showStrips({jobs, total, offset, has_more}) {
  if (jobs.length === 0 && offset > 0) return change({strips: ''}, 'replace');
  reconcile($('strips'), jobs, (job) => job.job_id, makeRow);
  $('strips-empty').hidden = total !== 0;
  $('strips-pages').hidden = jobs.length === total;
  put($('strips-position'), `${number(offset + 1)} to ${number(offset + jobs.length)} of ${number(total)}`);
  $('strips-less').disabled = offset === 0;
  $('strips-more').disabled = !has_more;
}

const go = (by) => change({strips: String(Math.max(0, Number(state.strips) + by * perPage()) || '')}, 'replace');
onClick('strips-less', () => go(-1));
onClick('strips-more', () => go(1));
