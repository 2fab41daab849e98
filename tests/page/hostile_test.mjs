// SPDX-License-Identifier: MIT
// Jobs whose names, results, errors, logs, parameters and metadata try to be scripts, in every place that shows them.
// Every scene also sees to it that no dialog, no request to elsewhere and no message on the console comes of it.

import assert from 'node:assert/strict';
import {before} from 'node:test';

import {aServer, counts, eventually, go, refresh, scene, shows} from './support.mjs';

const server = aServer('--hostile', '--changes', 'all');
let ids = [];

before(async () => {
  await server.ready;
  const {jobs} = await server.ask('api/v1/jobs');
  ids = jobs.map(({job_id}) => job_id);
  assert.equal(ids.length, 3);
  const round = [...ids.map((id) => `trigger ${id}`), 'idle'];
  await server.tell(...round, ...round);
});

// Nothing of theirs has become an element, and nothing has run.
async function harmless(page) {
  const found = await page.evaluate(() => ({
    elements: document.querySelectorAll('img, body script, iframe, object, embed, [onerror], [onload], [srcdoc], a[href^="javascript:" i]').length,
    scripts: [...document.scripts].map((script) => script.getAttribute('src')),
    polluted: Object.keys(Object.prototype).length + ('metadata' in {} ? 1 : 0),
  }));
  assert.deepEqual(found, {elements: 0, scripts: ['history/daybook.js'], polluted: 0});
}

scene('the table shows them as text', server, async (page) => {
  await counts(page.locator('#rows tr'), 6);
  const names = await page.locator('#rows a.name').allTextContents();
  assert.deepEqual([...new Set(names)].sort(), [...ids].sort());
  assert.ok((await page.locator('#rows').innerText()).includes('<script>alert('));
  await harmless(page);
});

scene('the strips and their boxes do', server, async (page) => {
  await counts(page.locator('#strips li'), 3);
  await page.locator('#strips svg.strip g').first().hover();
  await page.locator('#tip').waitFor();
  await page.locator('#timeline .hit').last().hover();
  await harmless(page);
});

scene('the details do, whatever part of a record it is', server, async (page) => {
  const {records} = await server.ask('api/executions');
  for (const record of records.filter(({job_id}, index, all) => all.findIndex((other) => other.job_id === job_id) === index)) {
    await go(page, `/history?id=${record.id}`);
    await shows(page.locator('#details-title'), record.job_id);
    const text = await page.locator('#details-body').textContent();
    for (const where of ['log', 'metadata', ...(record.error ? ['error'] : ['result'])]) {
      assert.ok(text.includes(`<script>alert('${where}')</script>`) || text.includes(`<script>alert('${where}')</script>`.replaceAll('"', '\\"')), where);
    }
    if (record.parameters) assert.ok(text.includes(record.parameters));
    assert.ok(text.includes(record.handler_id));
    await harmless(page);
  }
});

scene('filters take such names, and an address may hold them', server, async (page) => {
  for (const id of ids) {
    await page.locator('#filter-job').fill(id);
    await page.keyboard.press('Enter');
    await counts(page.locator('#rows tr'), 2);
    await page.reload();
    await counts(page.locator('#rows tr'), 2);
    assert.equal(await page.locator('#filter-job').inputValue(), id);
  }
  await page.locator('#reset').click();
  await page.locator('#filter-job').pressSequentially('<img');
  await eventually(async () => assert.notEqual(await page.locator('#jobs-known option').count(), 0));
  await page.locator('#filter-job').fill('');
  await page.locator('#filter-text').fill('<script>alert(');
  await counts(page.locator('#rows tr'), 6);
  await harmless(page);
});

scene('the jobs do, and each can be opened, run and paused by its name', server, {path: '/history?view=jobs'}, async (page) => {
  await counts(page.locator('#job-rows tr'), 3);
  for (const [index, id] of [...ids].sort().entries()) {
    const row = page.locator('#job-rows tr').nth(index);
    await shows(row.locator('a.name'), id);
    await row.getByRole('button', {name: /Run/}).click();
    await shows(page.locator('#say'), `${id} was handed over to run`);
    await row.getByRole('button', {name: /Pause/}).click();
    await shows(page.locator('#say'), `${id} is paused`);
    await row.locator('a.name').click();
    await shows(page.locator('#job-title'), id);
    await page.locator('#job-body .explain').waitFor();
    assert.ok((await page.locator('#job-body').textContent()).includes((await server.ask(`api/v1/jobs/${encodeURIComponent(id)}`)).handler_id));
    await page.locator('#job-hold').click();
    await shows(page.locator('#say'), `${id} is resumed`);
    await harmless(page);
    await page.keyboard.press('Escape');
  }
  await page.locator('#jobs-find').fill('<script>');
  await counts(page.locator('#job-rows tr'), 3);
  await harmless(page);
});

const call = "alert('address')";
for (const [what, value] of Object.entries({element: `<img src=x onerror="${call}">`, script: `"><script>${call}</script>`, address: `javascript:${call}`})) {
  scene(`an address that holds a hostile ${what} changes nothing`, server, {path: null}, async (page) => {
    const query = ['job_id', 'handler_id', 'text', 'find', 'zone', 'timeline', 'view', 'jobs_state', 'range'].map((name) => `${name}=${encodeURIComponent(value)}`);
    await page.goto(`${server.url}/history?${query.join('&')}#${encodeURIComponent(value)}`);
    await page.locator('#connection').waitFor();
    await refresh(page);
    await harmless(page);
  });
}

scene('a server that answers with a script in its refusal is quoted', server, {allowed: [/400 \(Bad Request\)/]}, async (page) => {
  const message = '<img src=x onerror=alert("refusal")><script>alert("refusal")</script>';
  await page.route('**/api/executions?*', (route) => route.fulfill({status: 400, json: {error: {code: 400, message}}}));
  await refresh(page);
  await shows(page.locator('#lost-text'), /<script>alert\("refusal"\)<\/script>/);
  await harmless(page);
});
