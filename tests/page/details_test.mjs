// SPDX-License-Identifier: MIT
// One execution in full.

import assert from 'node:assert/strict';
import {before} from 'node:test';

import {aServer, counts, eventually, refresh, rowOf, scene, shows} from './support.mjs';

const server = aServer();

before(() => server.tell('trigger report', 'idle', 'trigger fail', 'idle', 'trigger flaky', 'idle', 'trigger greet', 'idle'));

const idOf = async (job) => (await server.ask(`api/executions?job_id=${job}&limit=1`)).records[0].id;
const block = (page, title) => page.locator('#details-body section').filter({has: page.locator('h3', {hasText: new RegExp(`^${title}$`)})});
const fact = (page, name) => page.locator('#details-body dl.facts > div').filter({has: page.locator('dt', {hasText: new RegExp(`^${name}$`)})}).locator('dd');
const open = async (page, job) => {
  await rowOf(page, job).first().click();
  await page.locator('#details-body .headline').waitFor();
};
const title = (page) => page.locator('#details-title');
const isOpen = (page) => page.locator('#details').evaluate((dialog) => dialog.open);

scene('the dialog has everything that the record has', server, async (page) => {
  const {records: [record]} = await server.ask('api/executions?job_id=report');
  await open(page, 'report');
  await shows(title(page), 'report');
  await shows(page.locator('#details-body .headline .badge'), 'success');
  await shows(block(page, 'Log').locator('pre'), /^first line\nsecond line/);
  await shows(block(page, 'Parameters').locator('pre'), '{\n  "day": "monday"\n}');
  await shows(block(page, 'Metadata'), /region\s+eu/);
  for (const [name, value] of Object.entries({
    Handler: 'reports', Method: 'daily', Trigger: 'manual', Attempt: /^1, the last$/, 'Records processed': '1,234', Progress: '50 of 50, 1 failed',
    Execution: String(record.id), Occurrence: String(record.occurrence_id), Worker: String(record.worker),
    Started: new RegExp(record.started_at.slice(11, 26)), Completed: new RegExp(record.completed_at.slice(11, 26)),
    'Handed over': new RegExp(record.queued_at.slice(11, 26)), Throughput: /K\/s$/,
  })) await shows(fact(page, name), value);
});

scene('a result that is JSON is formatted, with all its parts', server, async (page) => {
  await open(page, 'report');
  const text = await block(page, 'Result').locator('pre').textContent();
  assert.deepEqual(JSON.parse(text), {rows: 1234, by_region: {eu: 1000, us: 234}});
  assert.match(text, /\n {2}"by_region": \{\n {4}"eu": 1000/);
});

scene('an error is shown with its lines', server, async (page) => {
  await open(page, 'fail');
  await shows(block(page, 'Error').locator('pre'), 'the disk is full\nnothing was written');
  await shows(block(page, 'Log').locator('pre'), /^looking for room/);
});

scene('all attempts of an occurrence are listed, and lead to each other', server, async (page) => {
  await open(page, 'flaky');
  const attempts = page.locator('#details-body .attempts li');
  await counts(attempts, 3);
  await shows(attempts.nth(0), /Attempt 1[^]*error[^]*connection reset/);
  await shows(attempts.nth(2), /Attempt 3[^]*success[^]*sent on the third try/);
  assert.equal(await attempts.nth(2).getAttribute('aria-current'), 'true');
  await attempts.nth(0).locator('a').click();
  await shows(block(page, 'Error').locator('pre'), 'connection reset');
  assert.equal(await attempts.nth(0).getAttribute('aria-current'), 'true');
});

scene('what is copied is what is shown', server, {permissions: ['clipboard-read', 'clipboard-write']}, async (page) => {
  const copied = () => page.evaluate(() => navigator.clipboard.readText());
  await open(page, 'report');
  await block(page, 'Log').getByRole('button', {name: 'Copy log'}).click();
  await shows(page.locator('#say'), 'Copied');
  assert.equal((await copied()).trim(), 'first line\nsecond line');
  await block(page, 'Result').getByRole('button', {name: 'Copy result'}).click();
  await eventually(async () => assert.equal(JSON.parse(await copied()).rows, 1234));
  await page.locator('#details-copy').click();
  const {records: [record]} = await server.ask('api/executions?job_id=report');
  await eventually(async () => assert.deepEqual(JSON.parse(await copied()), record));
  await page.locator('#details-link').click();
  await eventually(async () => assert.equal(new URL(await copied()).searchParams.get('id'), String(record.id)));
});

scene('copying works where the browser has no clipboard for the page', server, async (page) => {
  await page.evaluate(() => Object.defineProperty(navigator, 'clipboard', {value: undefined}));
  await open(page, 'report');
  const button = block(page, 'Log').getByRole('button', {name: 'Copy log'});
  await button.click();
  await shows(page.locator('#say'), 'Copied');
  await counts(page.locator('textarea'), 0);
});

scene('previous and next go through the rows, by button and by key', server, async (page) => {
  await counts(page.locator('#rows tr'), 6);
  await page.locator('#rows tr').first().click();
  await shows(title(page), 'greet');
  assert.equal(await page.locator('#details-previous').isDisabled(), true);
  await page.locator('#details-next').click();
  await shows(title(page), 'flaky');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await shows(title(page), 'fail');
  await page.keyboard.press('ArrowRight');
  await shows(title(page), 'report');
  assert.equal(await page.locator('#details-next').isDisabled(), true);
  await page.keyboard.press('ArrowLeft');
  await shows(title(page), 'fail');
  assert.equal(new URL(page.url()).searchParams.get('id'), String(await idOf('fail')));
});

scene('the dialog is reached, used and left with the keyboard alone', server, async (page) => {
  await rowOf(page, 'fail').locator('a').focus();
  await page.keyboard.press('Enter');
  await shows(title(page), 'fail');
  for (let stop = 0; stop < 30; ++stop) { // nothing behind the dialog gets the focus
    await page.keyboard.press('Tab');
    assert.ok(await page.evaluate(() => document.activeElement === document.body || !!document.activeElement.closest('#details')));
  }
  await page.keyboard.press('Escape');
  await eventually(async () => assert.equal(await isOpen(page), false));
  await eventually(async () => assert.equal(await page.evaluate(() => document.activeElement.textContent), 'fail'));
  assert.equal(new URL(page.url()).searchParams.has('id'), false);
});

scene('a link to an execution opens it', server, {path: null}, async (page) => {
  await page.goto(`${server.url}/history?job_id=greet&id=${await idOf('fail')}`);
  await shows(title(page), 'fail');
  await page.locator('#details-close').click();
  await counts(page.locator('#rows tr'), 1);
});

scene('an execution that is gone is said to be', server, {path: null, allowed: [/404 \(Not Found\)/]}, async (page) => {
  await page.goto(`${server.url}/history?id=999999999`);
  await shows(page.locator('#details-body'), /999999999|no execution|not/i);
  await page.locator('#details-close').click();
  assert.equal(await isOpen(page), false);
  assert.equal(await page.locator('#lost').isVisible(), false);
});

scene('an address with what is no id opens nothing made up', server, {path: null, allowed: [/404 \(Not Found\)/]}, async (page) => {
  await page.goto(`${server.url}/history?id=errors`);
  await shows(page.locator('#details-body'), /whole number/);
});

scene('going back closes the dialog', server, async (page) => {
  await open(page, 'fail');
  await page.goBack();
  await eventually(async () => assert.equal(await isOpen(page), false));
  await page.goForward();
  await shows(title(page), 'fail');
});

scene('its job is a click away', server, async (page) => {
  await open(page, 'flaky');
  await page.locator('#details-job').click();
  await counts(page.locator('#rows tr'), 3);
  assert.equal(await isOpen(page), false);
});

scene('what runs goes on in the open dialog', server, async (page) => {
  await server.tell('shut', 'trigger gate');
  await refresh(page);
  await open(page, 'gate');
  await shows(page.locator('#details-body .headline .badge'), 'running');
  await server.tell('step', 'step');
  await eventually(async () => {
    await refresh(page);
    assert.match(await block(page, 'Log').locator('pre').textContent({timeout: 300}), /step 2/);
  });
  await server.tell('open', 'idle');
  await eventually(async () => {
    await refresh(page);
    assert.equal(await page.locator('#details-body .headline .badge').innerText(), 'success');
  });
});
