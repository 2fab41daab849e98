// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_DASHBOARD_SCRIPT_HPP
#define DAYBOOK_DETAIL_DASHBOARD_SCRIPT_HPP

/// @file
/// What the dashboard does: asks the executions API every other second, and shows the answer as text.

#include <string_view>

namespace daybook::inline v0::detail {

inline constexpr std::string_view dashboard_script = R"js('use strict';

const perPage = 50;
const refreshVisible = 2000; // ms
const refreshHidden = 30000;
const $ = (id) => document.getElementById(id);
const filters = {job_id: $('filter-job'), handler_id: $('filter-handler'), status: $('filter-status')};

let records = []; // of the page that is shown
let cursors = ['']; // of this page and of the newer ones before it
let nextCursor = null;
let shown = ''; // what the table was made from
let openId = null;
let lostSince = null;
let round = 0; // only the newest round of questions may answer
let timer = 0;

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined && text !== null) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function duration(ms) {
  if (ms === null || ms === undefined) return '';
  if (ms === 0) return '< 1 ms'; // the list has whole ones
  if (ms < 1000) return `${Number.isInteger(ms) || ms >= 100 ? Math.round(ms) : ms.toPrecision(2)} ms`;
  if (ms < 60000) return `${(ms / 1000).toFixed(ms < 10000 ? 2 : 1)} s`;
  const minutes = Math.floor(ms / 60000);
  if (minutes < 60) return `${minutes} min ${Math.floor(ms / 1000) % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function instant(iso) {
  const made = element('time', iso ? new Date(iso).toLocaleString() : '–');
  if (iso) made.dateTime = made.title = iso;
  return made;
}

const asText = (value) => (typeof value === 'string' ? value : JSON.stringify(value, null, 2));

function outcome(record) {
  if (record.error !== null) return record.error;
  if (record.reason) {
    const count = record.skip_count.toLocaleString() + (record.count_is_minimum ? ' or more' : '');
    return `${record.reason}, ${count === '1' ? 'once' : `${count} times`}`;
  }
  if (record.result === null || record.result === undefined) return '';
  return typeof record.result === 'string' ? record.result : JSON.stringify(record.result);
}

const firstLine = (text) => text.trimStart().split('\n', 1)[0].slice(0, 300);

function row(record) {
  const made = element('tr');
  const open = element('button', record.job_id);
  open.type = 'button';
  open.dataset.id = record.id;
  const cells = [
    open,
    element('span', record.handler_id === record.job_id ? '' : record.handler_id),
    element('span', record.status, `badge ${record.status}`),
    instant(record.started_at || record.queued_at),
    element('span', duration(record.duration_ms)),
    element('span', record.attempt_number),
    element('span', firstLine(outcome(record))),
  ];
  cells.forEach((content, index) => {
    const cell = element('td', null, index === 4 || index === 5 ? 'number' : '');
    cell.append(content);
    made.append(cell);
  });
  made.addEventListener('click', () => {
    if (getSelection().isCollapsed) showDetails(record); // selecting text is no click
  });
  return made;
}

function showRows(page) {
  const text = JSON.stringify(page.records);
  if (text !== shown) {
    shown = text;
    const focused = document.activeElement?.dataset.id;
    $('rows').replaceChildren(...page.records.map(row));
    if (focused) [...$('rows').querySelectorAll('button')].find((each) => each.dataset.id === focused)?.focus();
  }
  records = page.records;
  nextCursor = page.next_cursor;
  $('empty').hidden = records.length !== 0;
  $('newer').disabled = cursors.length === 1;
  $('older').disabled = nextCursor === null;
  const total = page.total.toLocaleString() + (page.total_is_exact ? '' : ' or more');
  $('position').textContent = `Page ${cursors.length} · ${total} in all`;
  const open = records.find((each) => each.id === openId);
  if (open) showDetails(open);
}

function showStats(stats) {
  $('card-total').textContent = stats.total_executions.toLocaleString();
  $('card-rate').textContent = `${stats.success_rate} %`;
  $('card-average').textContent = duration(stats.average_duration_ms);
  $('card-p95').textContent = duration(stats.p95_ms);
  $('card-running').textContent = stats.running + (stats.queued ? ` + ${stats.queued} queued` : '');
  for (const [list, names] of [['jobs', stats.by_job], ['handlers', stats.by_handler]]) {
    const wanted = Object.keys(names);
    if (wanted.length === $(list).children.length) continue;
    $(list).replaceChildren(...wanted.map((name) => Object.assign(element('option'), {value: name})));
  }
}

function showDetails(record) {
  openId = record.id;
  $('details-title').textContent = record.job_id;
  const facts = [];
  const add = (name, content, className) => {
    if (content === null || content === undefined || content === '') return;
    const value = element('dd', null, className);
    value.append(content);
    facts.push(element('dt', name), value);
  };
  const time = (iso) => iso?.replace('T', ' ').replace('Z', ' UTC'); // in full, to tell them apart
  add('Status', element('span', record.status, `badge ${record.status}`));
  if (record.reason) add('Reason', outcome(record));
  add('Error', record.error, 'text');
  if (record.result !== null && record.result !== undefined) add('Result', asText(record.result), 'text');
  add('Log', record.log_text, 'text');
  add('Handler', record.handler_id);
  add('Method', record.method_name);
  add('Scheduled', time(record.scheduled_at));
  add('Queued', time(record.queued_at));
  add('Started', time(record.started_at));
  add('Completed', time(record.completed_at));
  add('Duration', duration(record.duration_ms));
  add('Attempt', `${record.attempt_number}${record.is_final ? ', final' : ''}`);
  add('Trigger', record.trigger);
  add('Records processed', record.records_processed?.toLocaleString());
  if (record.progress) {
    const {done, total, failed} = record.progress;
    add('Progress', `${done}${total ? ` of ${total}` : ''}${failed ? `, ${failed} failed` : ''}`);
  }
  add('Clock change', record.dst?.replaceAll('_', ' '));
  add('Parameters', record.parameters, 'text');
  if (record.metadata) add('Metadata', asText(record.metadata), 'text');
  add('Worker', record.worker?.toString());
  add('Execution', `${record.id}${record.occurrence_id === record.id ? '' : `, of occurrence ${record.occurrence_id}`}`);
  $('facts').replaceChildren(...facts);
  if (!$('details').open) $('details').showModal();
}

async function ask(path, parameters = {}) {
  const given = Object.entries(parameters).filter(([, value]) => value !== '');
  const query = new URLSearchParams(given).toString();
  const answer = await fetch(query ? `${path}?${query}` : path, {signal: AbortSignal.timeout(10000)});
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error?.message ?? `it answers ${answer.status}`);
  return body;
}

const wanted = () => Object.fromEntries(Object.entries(filters).map(([name, input]) => [name, input.value]));

async function refresh() {
  const mine = ++round;
  clearTimeout(timer);
  try {
    const [page, stats] = await Promise.all([
      ask('api/executions', {...wanted(), limit: perPage, cursor: cursors.at(-1)}),
      ask('api/executions/stats'),
    ]);
    if (mine !== round) return;
    showRows(page);
    showStats(stats);
    lostSince = null;
    $('connection').textContent = 'Up to date';
  } catch (error) {
    if (mine !== round) return;
    lostSince ??= new Date().toLocaleTimeString();
    const reason = error instanceof TypeError || error.name === 'TimeoutError' ? 'no answer' : error.message;
    $('connection').textContent = `Lost the server at ${lostSince} (${reason}); what is shown is from then. Trying again.`;
  }
  $('connection').classList.toggle('lost', lostSince !== null);
  timer = setTimeout(refresh, document.hidden ? refreshHidden : refreshVisible);
}

function applyFilters() {
  cursors = [''];
  const query = new URLSearchParams(Object.entries(wanted()).filter(([, value]) => value !== '')).toString();
  history.replaceState(null, '', query ? `?${query}` : location.pathname);
  refresh();
}

for (const [name, value] of new URLSearchParams(location.search)) if (name in filters) filters[name].value = value;
for (const input of Object.values(filters)) {
  input.addEventListener('change', applyFilters);
  input.addEventListener('input', () => { // a name chosen from the list, or emptied: no need to leave the field
    const options = [...(input.list?.options ?? [])];
    if (input.value === '' || options.some((option) => option.value === input.value)) applyFilters();
  });
}
$('reset').addEventListener('click', () => {
  for (const input of Object.values(filters)) input.value = '';
  applyFilters();
});
$('older').addEventListener('click', () => {
  if (nextCursor !== null) cursors.push(nextCursor);
  refresh();
});
$('newer').addEventListener('click', () => {
  if (cursors.length > 1) cursors.pop();
  refresh();
});
$('close').addEventListener('click', () => $('details').close());
$('details').addEventListener('close', () => {
  openId = null;
});
$('details').addEventListener('click', (event) => {
  if (event.target === $('details')) $('details').close(); // the backdrop
});
document.addEventListener('visibilitychange', refresh);
refresh();
)js";

} // namespace daybook::inline v0::detail

#endif
