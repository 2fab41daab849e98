// SPDX-License-Identifier: MIT
// The figures, the charts and the strips.

import assert from 'node:assert/strict';
import {before} from 'node:test';

import {aServer, counts, eventually, go, refresh, rowOf, scene, shows} from './support.mjs';

const empty = aServer();
const server = aServer();
const shop = aServer('--past', '30');

before(() => server.tell(...['greet', 'greet', 'greet', 'fail', 'slow', 'flaky'].flatMap((job) => [`trigger ${job}`, 'idle'])));

scene('a server on which nothing has run says so everywhere', empty, async (page) => {
  await shows(page.locator('#empty'), /Nothing has run yet/);
  await shows(page.locator('#card-total'), '0');
  await shows(page.locator('#note-rate'), 'nothing has ended yet');
  await shows(page.locator('#strips-empty'), /first run/);
  assert.match(await page.locator('#timeline-note').textContent(), /^Nothing has ended/);
  await go(page, '/history?view=jobs');
  await counts(page.locator('#job-rows tr'), 10);
});

scene('the cards have the figures of the server', server, async (page) => {
  const stats = await server.ask('api/executions/stats');
  await shows(page.locator('#card-total'), String(stats.total_executions));
  assert.equal(stats.total_executions, 6);
  await shows(page.locator('#card-rate'), `${stats.success_rate.toFixed(2)} %`);
  await shows(page.locator('#note-rate'), '2 failures in all');
  await shows(page.locator('#card-failures'), '2');
  await shows(page.locator('#card-running'), '0');
  assert.ok(stats.p95_ms >= 20 && stats.p95_ms < 900, `${stats.p95_ms} ms`); // of `slow`
  await shows(page.locator('#card-p95'), `${Math.round(stats.p95_ms)} ms`);
  await shows(page.locator('#card-average'), /ms|µs/);
  await shows(page.locator('#card-drift'), '–');
});

scene('every card has a trend once there is something to see', shop, async (page) => {
  for (const name of ['total', 'rate', 'average', 'p95', 'failures']) {
    await eventually(async () => assert.notEqual(await page.locator(`#trend-${name} > *`).count(), 0, name));
  }
  await refresh(page); // these two begin when the page is opened
  for (const name of ['running', 'drift']) {
    await eventually(async () => assert.notEqual(await page.locator(`#trend-${name} > *`).count(), 0, name));
  }
  await shows(page.locator('#card-running'), '2');
  await shows(page.locator('#card-drift'), /ms|µs/);
});

scene('the timeline shows outcomes by minute, hour and day', shop, async (page) => {
  for (const [name, columns] of [['minute', 60], ['day', 30], ['hour', 48]]) {
    await page.locator(`#timeline-${name}`).click();
    await counts(page.locator('#timeline .hit'), columns);
    assert.equal(await page.locator(`#timeline-${name}`).getAttribute('aria-pressed'), 'true');
  }
  const stats = await shop.ask('api/executions/stats?timeline=hour&buckets=48');
  const ended = stats.timeline.reduce((sum, bucket) => sum + bucket.success_count + bucket.error_count + bucket.cancelled_count, 0);
  assert.match(await page.locator('#timeline-note').textContent(), new RegExp(`^${ended.toLocaleString('en')} executions ended`));
  for (const kind of ['success', 'error', 'timeout']) assert.notEqual(await page.locator(`#timeline .${kind}`).count(), 0, kind);
  await counts(page.locator('#percentiles path.line'), 3);
});

scene('the pointer gives the numbers of a column, and a click lists what it counts', shop, async (page) => {
  const column = page.locator('#timeline .hit').nth(40);
  await column.hover();
  await shows(page.locator('#tip'), /success/);
  await page.locator('#card-total').hover();
  await eventually(async () => assert.equal(await page.locator('#tip').isVisible(), false));
  await page.locator('#percentiles .hit').nth(40).hover();
  await shows(page.locator('#tip'), /average/);
  await column.click();
  await eventually(async () => assert.match(page.url(), /started_from=.*started_to=/));
  const {searchParams} = new URL(page.url());
  const hour = await shop.ask(`api/executions?started_from=${searchParams.get('started_from')}&started_to=${searchParams.get('started_to')}`);
  assert.notEqual(hour.total, 0);
  await shows(page.locator('#position'), new RegExp(`(^|\\D)${hour.total} `));
});

scene('the keyboard gives the same numbers', shop, async (page) => {
  const timeline = page.locator('#timeline');
  await page.locator('#timeline-day').focus();
  await page.keyboard.press('Tab');
  await eventually(async () => assert.equal(await timeline.evaluate((chart) => document.activeElement === chart), true));
  await shows(page.locator('#tip'), /success/);
  const last = await timeline.getAttribute('aria-activedescendant');
  await page.keyboard.press('ArrowLeft');
  const before = await timeline.getAttribute('aria-activedescendant');
  assert.notEqual(before, last);
  const label = await page.locator(`#${before}`).getAttribute('aria-label');
  assert.match(label, /success \d+/);
  assert.equal(await page.locator(`#${before}`).getAttribute('role'), 'option');
  await page.keyboard.press('Home');
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('#tip').isVisible(), false);
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'percentiles');
  await shows(page.locator('#tip'), /95 %/);
});

scene('each job has a strip of its latest runs, those in trouble first', shop, async (page) => {
  const {jobs} = await shop.ask('api/executions/jobs?runs=30');
  const shown = page.locator('#strips li');
  await counts(shown, jobs.length);
  const names = await shown.locator('.name, a').first().innerText();
  assert.equal(names, 'poll_mailbox');
  const strip = shown.first().locator('svg.strip');
  await counts(strip.locator('g'), 30);
  const heights = await strip.locator('rect.mark').evaluateAll((marks) => new Set(marks.map((mark) => mark.getAttribute('height'))).size);
  assert.ok(heights > 5, 'marks are as tall as it took');
  assert.ok(await strip.locator('rect.mark.error').count() > 20);
  await strip.locator('g').last().hover();
  await shows(page.locator('#tip'), /error[^]*took/);
  await strip.locator('g').last().click();
  await shows(page.locator('#details-title'), 'poll_mailbox');
});

scene('a strip is one stop of the tab key, and arrows go through it', server, async (page) => {
  const strip = page.locator('#strips svg.strip').first();
  await strip.focus();
  await page.keyboard.press('End');
  const label = await page.locator(`#${await strip.getAttribute('aria-activedescendant')}`).getAttribute('aria-label');
  assert.match(label, /timeout|error/);
  assert.equal(await strip.locator('[tabindex]').count(), 0);
  await page.keyboard.press('Enter');
  await page.locator('#details').waitFor();
});

scene('what runs now is counted, and shown with its progress', server, async (page) => {
  await server.tell('shut', 'trigger gate');
  await refresh(page);
  await shows(page.locator('#card-running'), '1');
  await server.tell('step', 'step', 'step', 'step');
  await eventually(async () => {
    await refresh(page);
    const bar = rowOf(page, 'gate').locator('progress');
    assert.equal(await bar.getAttribute('value', {timeout: 500}), '4');
    assert.equal(await bar.getAttribute('max'), '8');
  });
  await shows(rowOf(page, 'gate').locator('.processed'), /4,000[^]*4 of 8, 1 failed/);
  await server.tell('open', 'idle');
  await refresh(page);
  await shows(page.locator('#card-running'), '0');
});
