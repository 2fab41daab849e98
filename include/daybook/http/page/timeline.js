// SPDX-License-Identifier: MIT
// Two charts over the same time: what ended how, and how long it took.

import {explorable, roundScale} from './chart.js';
import {$, h, put, set} from './dom.js';
import {dateTime, duration, few, number, plural} from './format.js';
import {change, state} from './state.js';

const widths = {minute: 60000, hour: 3600000, day: 86400000}; // ms
export const lengths = {minute: 60, hour: 48, day: 30};

const outcomes = ['success', 'cancelled', 'abandoned', 'timeout', 'error']; // from the foot of a column to its top
const lines = ['p50', 'p95', 'p99'];
const left = 46;
const foot = 146;
const tall = 136;

let buckets = [];
let source = null;

$('timeline-legend').append(...[...outcomes, 'skipped'].map((name) => h('span', h(`i.swatch.${name}`), name)));
$('percentiles-legend').append(...lines.map((name) => h('span', h(`i.swatch.${name}`), `${name.slice(1)} %`)), 'take at most');

// Those in which nothing ended are not in the answer. Of each: when it began, and how many ended how.
export function fill({timeline, timeline_resolution: resolution}) {
  const width = widths[resolution];
  const known = new Map(timeline.map((bucket) => [Date.parse(bucket.timestamp), bucket]));
  const last = Math.max(Math.floor(Date.now() / width) * width, ...known.keys());
  return Array.from({length: lengths[resolution]}, (_, index) => {
    const begin = last - (lengths[resolution] - 1 - index) * width;
    const bucket = known.get(begin) ?? {};
    const counts = outcomes.map((name) => (name === 'error'
      ? bucket.error_count - bucket.timeout_count - bucket.abandoned_count : bucket[`${name}_count`]) || 0);
    return {...bucket, begin, counts, total: counts.reduce((sum, count) => sum + count)};
  });
}

const isMeasured = (bucket) => bucket?.p99_ms > 0;

// A day is one of UTC, whatever zone is shown.
const textOf = (ms) => (state.timeline === 'day' ? new Date(ms).toISOString() : dateTime(ms));
function label({begin}) {
  const text = textOf(begin);
  return state.timeline === 'day' || text.slice(11, 16) === '00:00' ? text.slice(5, 10) : text.slice(11, 16);
}
const title = ({begin}) => (state.timeline === 'day' ? `${textOf(begin).slice(0, 10)} (UTC)`
  : `${textOf(begin).slice(0, 16)} to ${textOf(begin + widths[state.timeline]).slice(11, 16)}`);

// The table then has what began in that time.
function open(index) {
  const [started_from, started_to] = [0, widths[state.timeline]].map((ms) => new Date(buckets[index].begin + ms).toISOString());
  change({range: '', started_from, started_to, cursor: ''});
  $('table-title').scrollIntoView();
}

// Calls draw(add, x, step), where `add` puts something into the chart.
function drawIn(id, ticks, y, text, draw) {
  const chart = $(id);
  const width = chart.clientWidth;
  const step = (width - left - 8) / buckets.length;
  const x = (index) => left + (index + 0.5) * step;
  const add = (...what) => chart.append(h(...what));
  set(chart, {viewBox: `0 0 ${width} 168`});
  chart.replaceChildren();
  for (const tick of ticks) {
    add('line.grid', {x1: left, x2: width - 8, y1: y(tick), y2: y(tick)});
    add('text.axis', {x: left - 8, y: y(tick) + 4, 'text-anchor': 'end'}, text(tick));
  }
  draw(add, x, step);
  const every = Math.ceil(buckets.length * 74 / width);
  for (let index = buckets.length - 1 - every; x(index) > left; index -= every) add('text.axis', {x: x(index), y: 164, 'text-anchor': 'middle'}, label(buckets[index]));
  buckets.forEach((_, index) => add('rect.hit', {x: left + index * step, y: 4, width: step, height: foot - 4}));
}

function drawOutcomes() {
  const scale = roundScale(Math.max(...buckets.map(({total}) => total)));
  const heightOf = (value) => value / scale.top * tall;
  drawIn('timeline', scale.ticks, (value) => foot - heightOf(value), few, (add, x, step) => buckets.forEach((bucket, index) => {
    const width = Math.min(28, step * 0.72);
    let at = foot;
    bucket.counts.forEach((count, part) => {
      if (count === 0) return;
      const height = Math.max(part === 0 ? 1 : 3, heightOf(count)); // failures are never too few to be seen
      const place = {x: x(index) - width / 2, y: at -= height, width, height};
      add(`rect.bar.${outcomes[part]}`, place);
      if (part > 0) add('rect', {...place, fill: `url(#hatch-${outcomes[part]})`});
    });
    if (bucket.skipped_count > 0) add('circle.skip.skipped', {cx: x(index), cy: foot + 5, r: 1.8});
  }));
}

// For powers of ten.
const short = (ms) => (ms < 1 ? `${Math.round(ms * 1000)} µs` : ms < 1000 ? `${ms} ms` : `${few(ms / 1000)} s`);

// On a scale of powers of ten: durations go from microseconds to days.
function drawPercentiles() {
  const measured = buckets.filter(isMeasured);
  const power = (round, ms) => round(Math.log10(Math.max(0.01, ms)));
  const low = power(Math.floor, Math.min(1e9, ...measured.map((bucket) => bucket.p50_ms)));
  const high = Math.max(low + 1, power(Math.ceil, Math.max(...measured.map((bucket) => bucket.p99_ms))));
  const y = (ms) => foot - (Math.log10(Math.max(ms, 10 ** low)) - low) / (high - low) * tall;
  const every = Math.ceil((high - low) / 5);
  const ticks = measured.length === 0 ? [] : Array.from({length: Math.floor((high - low) / every) + 1}, (_, index) => 10 ** (low + index * every));
  drawIn('percentiles', ticks, y, short, (add, x) => {
    for (const name of lines) {
      let path = '';
      buckets.forEach((bucket, index) => {
        if (!isMeasured(bucket)) return;
        const [cx, cy] = [x(index), y(bucket[`${name}_ms`])];
        const follows = isMeasured(buckets[index - 1]);
        path += `${follows ? 'L' : 'M'}${cx} ${cy}`;
        if (!follows && !isMeasured(buckets[index + 1])) add(`circle.dot.${name}`, {cx, cy, r: 2});
      });
      add(`path.line.${name}`, {d: path});
    }
  });
}

const make = (id, describe) => explorable($(id), {
  open,
  marks: () => [...$(id).querySelectorAll('.hit')],
  describe: (index) => ({title: title(buckets[index]), rows: describe(buckets[index])}),
});
const changed = [
  make('timeline', ({counts, skipped_count: skipped, retry_count: retries}) => {
    const rows = outcomes.flatMap((name, part) => (counts[part] ? [[name, number(counts[part]), name]] : [])).reverse();
    if (skipped) rows.push(['skipped', number(skipped), 'skipped']);
    if (retries) rows.push(['retries', number(retries)]);
    return rows.length === 0 ? [['nothing ended']] : rows;
  }),
  make('percentiles', (bucket) => (isMeasured(bucket) ? [['longest', duration(bucket.max_ms)],
    ...lines.toReversed().map((name) => [`${name.slice(1)} % take at most`, duration(bucket[`${name}_ms`]), name]),
    ['average', duration(bucket.average_duration_ms)]] : [['nothing measured']])),
];

export function redraw() {
  if (!source || $('timeline').clientWidth === 0) return;
  drawOutcomes();
  drawPercentiles();
  for (const each of changed) each();
}

// `stats` with a timeline of the resolution that is chosen.
export function showTimeline(stats) {
  const filled = fill(stats);
  if (source === stats && buckets[0].begin === filled[0].begin) return;
  source = stats;
  buckets = filled;
  redraw();
  const span = `the last ${plural(buckets.length, state.timeline)}`;
  const sum = (value) => buckets.reduce((all, bucket) => all + (value(bucket) ?? 0), 0);
  const ended = sum(({total}) => total);
  put($('timeline-note'), ended === 0 ? `Nothing has ended in ${span}` : `${plural(ended, 'execution')} ended in ${span}, ${number(sum((bucket) => bucket.error_count))} failed`);
  set($('timeline'), {'aria-label': `Outcomes in ${span}; Enter lists a column`});
  set($('percentiles'), {'aria-label': `Durations in ${span}`});
}

new ResizeObserver(redraw).observe($('timeline'));
