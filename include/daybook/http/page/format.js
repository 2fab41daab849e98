// SPDX-License-Identifier: MIT
// Numbers, durations, instants and words, as people read them.

import {h, icon, put, set} from './dom.js';
import {state} from './state.js';

const whole = new Intl.NumberFormat('en');
const compact = new Intl.NumberFormat('en', {notation: 'compact', maximumSignificantDigits: 3});
export const dash = '–';

export const isGiven = (value) => (value ?? null) !== null;
export const number = (value) => (isGiven(value) ? whole.format(value) : dash);
export const few = (value) => (value < 10000 ? whole.format(value) : compact.format(value));
export const plural = (count, word) => `${number(count)} ${word}${count === 1 ? '' : 's'}`;
export const words = (word) => String(word).replaceAll('_', ' ');

export function duration(ms) {
  if (!isGiven(ms)) return dash;
  if (ms < 0) return `−${duration(-ms)}`;
  if (ms < 0.9995) return `${Math.round(ms * 1000)} µs`;
  if (ms < 999.5) return `${ms < 9.95 ? ms.toFixed(1) : Math.round(ms)} ms`;
  if (ms < 59950) return `${(ms / 1000).toFixed(ms < 9995 ? 2 : 1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${Math.floor(minutes / 1440)} d ${Math.floor(minutes / 60) % 24} h`;
}

// Instants come with microseconds, which Date would drop.
const micros = (iso) => Date.parse(iso) * 1000 + (parseInt(iso.slice(23)) || 0);
export const between = (from, to) => (from && to ? (micros(to) - micros(from)) / 1000 : null);

export const isStill = ({status}) => status === 'queued' || status === 'running';
export const hasFailed = ({status}) => ['error', 'timeout', 'abandoned'].includes(status);

// How long it took, or has been running until now.
export function tookOf(record) {
  if (isGiven(record.duration_ms)) {
    const exact = between(record.started_at, record.completed_at);
    return Math.abs(exact - record.duration_ms) < 2 ? exact : record.duration_ms;
  }
  return record.status === 'running' ? Math.max(0, Date.now() - Date.parse(record.started_at)) : null;
}

export const driftOf = (record) =>
  (record.attempt_number === 1 && record.status !== 'skipped' ? between(record.scheduled_at, record.started_at) : null);

export function throughputOf(record) {
  const count = record.records_processed ?? record.progress?.done;
  const took = tookOf(record);
  return isGiven(count) && took > 0 ? `${compact.format(count * 1000 / took)}/s` : dash;
}

export function progressOf({done, total, failed}) {
  return `${number(done)}${total ? ` of ${number(total)}` : ''}${failed ? `, ${number(failed)} failed` : ''}`;
}

const zones = {};
export const zoneName = () => (state.zone === 'utc' ? 'UTC' : Intl.DateTimeFormat().resolvedOptions().timeZone);
export function dateTime(instant) { // in Sweden they write it as ISO 8601 does
  const zone = zoneName();
  zones[zone] ??= new Intl.DateTimeFormat('sv-SE', {timeZone: zone, dateStyle: 'short', timeStyle: 'medium'});
  return zones[zone].format(new Date(instant));
}

const relatively = new Intl.RelativeTimeFormat('en');
export function relative(iso) {
  const seconds = (Date.parse(iso) - Date.now()) / 1000;
  const size = Math.abs(seconds);
  if (size < 1.5) return 'now';
  const [unit, length] = [['day', 86400], ['hour', 3600], ['minute', 60]].find(([, each]) => size >= 1.5 * each) ?? ['second', 1];
  return relatively.format(Math.round(seconds / length), unit);
}

// A time element: the time alone for what was today. What it says on hover is made when it is asked for.
export function showTime(place, iso) {
  const text = iso ? dateTime(iso) : dash;
  put(place, text.startsWith(dateTime(Date.now()).slice(0, 10)) ? text.slice(11) : text);
  set(place, {datetime: iso});
}
addEventListener('pointerover', ({target}) => {
  const node = target.closest?.('time[datetime]');
  if (!node) return;
  const iso = node.dateTime;
  node.title = `${relative(iso)} · ${dateTime(iso)} ${zoneName()} · ${iso.replace('T', ' ').replace('Z', ' UTC')}`;
});

// In full, and how long ago.
export const stamp = (iso) => iso && h('span.stamp', dateTime(iso), /\.(?!0+Z)\d+/.exec(iso)?.[0], h('small', relative(iso)));

// A sign and a word; `kind` says what it looks like, `sign` which icon it has.
const signed = (shape) => (kind, text = words(kind), sign = kind) => h(`span.${shape}.${kind}`, icon(sign), h('span', text));
export const badge = signed('badge');
export const verdict = signed('verdict');

// Text that is JSON is shown as such.
export function pretty(value) {
  if (typeof value !== 'string') return JSON.stringify(value, null, 2);
  try {
    return /^\s*[[{]/.test(value) ? JSON.stringify(JSON.parse(value), null, 2) : value;
  } catch {
    return value;
  }
}

// What came of it.
export function outcome(record) {
  const {error, reason, skip_count: count, count_is_minimum: isLeast, result} = record;
  if (isGiven(error)) return error;
  if (reason) return words(reason) + (!count ? '' : count === 1 && !isLeast ? ', once' : `, ${plural(count, 'time')}${isLeast ? ' or more' : ''}`);
  return typeof result === 'string' ? result : isGiven(result) ? JSON.stringify(result) : '';
}
export const firstLine = (text) => text.trimStart().split('\n', 1)[0].slice(0, 240);

export const handlerOf = ({job_id, handler_id, method_name}) =>
  [handler_id === job_id ? '' : handler_id, method_name].filter(Boolean).join('.');
