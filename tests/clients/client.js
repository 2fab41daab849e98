// SPDX-License-Identifier: MIT
// The browser script of the format's documentation, in a page made of nothing. Usage: node client.js URL
'use strict';
const assert = require('node:assert');

const base = process.argv[2];
const browserFetch = globalThis.fetch;
const fetch = (path) => browserFetch(new URL(path, base));
const elements = {};
const document = {getElementById: (id) => (elements[id] ??= {})};
let handlers;
let shown;
const updateHandlerChart = (byHandler) => { handlers = byHandler; };
const updateErrorList = (errors) => { shown = errors; };
const rounds = [];
const setInterval = (round) => { rounds.push(round); };

// Fetch execution stats every 30 seconds
setInterval(async () => {
  const stats = await fetch('/api/executions/stats').then(r => r.json());

  // Update dashboard metrics
  document.getElementById('success-rate').textContent = stats.success_rate.toFixed(2) + '%';
  document.getElementById('total-executions').textContent = stats.total_executions;
  document.getElementById('avg-duration').textContent = stats.average_duration_ms.toFixed(0) + 'ms';

  // Update per-handler charts
  updateHandlerChart(stats.by_handler);
}, 30000);

// Show recent errors in real-time
setInterval(async () => {
  const errors = await fetch('/api/executions/errors?limit=5').then(r => r.json());
  updateErrorList(errors.errors);
}, 10000);

(async () => {
  for (const round of rounds) { await round(); }
  assert.strictEqual(elements['success-rate'].textContent, '95.45%');
  assert.strictEqual(elements['total-executions'].textContent, 66);
  assert.match(elements['avg-duration'].textContent, /^\d+ms$/);
  assert.deepStrictEqual(Object.keys(handlers).sort(), ['dingdong', 'discord_bot', 'my_scheduled_task']);
  assert.strictEqual(shown.length, 3);
})().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
