// SPDX-License-Identifier: MIT
// What happens while the page is open: new records, a server that goes and comes back, a page that nobody looks at.

import assert from 'node:assert/strict';
import {before} from 'node:test';

import {aServer, counts, eventually, refresh, rowOf, scene, shows} from './support.mjs';

const server = aServer('--changes', 'all');
const restarted = aServer();

before(() => Promise.all([server, restarted].map((each) => each.tell('record 60', 'trigger fail', 'idle'))));

const gone = {allowed: [/Failed to load resource/]};
const isOpen = (page) => page.locator('#details').evaluate((dialog) => dialog.open);
const ids = (page) => page.locator('#rows tr').evaluateAll((rows) => rows.map((row) => row.key));

scene('what is new comes by itself', server, async (page) => {
  await counts(page.locator('#rows tr'), 50);
  await server.tell('trigger report', 'idle');
  await rowOf(page, 'report').first().waitFor();
  await shows(page.locator('#card-total'), '62');
});

const updated = (page) => page.locator('#connection').getAttribute('title'); // when it was

// Time stands still for the page but for what `pass` lets go by, in which it asks `asks` times and is answered.
async function pass(page, ms, asks = 1) {
  const before = await updated(page);
  await page.clock.runFor(ms);
  if (asks !== 0) await eventually(async () => assert.notEqual(await updated(page), before));
}
async function stopTime(page) {
  await page.clock.install();
  await page.goto(`${server.url}/history`);
  await page.locator('#connection.on').waitFor();
  await page.clock.pauseAt(await page.evaluate(() => Date.now() + 100));
  const before = await updated(page);
  while (await updated(page) === before) await page.clock.runFor(50);
}

scene('the server is asked every two seconds, and every thirty while nobody looks', server, {path: null}, async (page) => {
  await stopTime(page);
  let asked = 0;
  page.on('request', (request) => { if (request.url().includes('/api/executions/jobs?')) ++asked; });
  await pass(page, 2000);
  await pass(page, 1900, 0);
  assert.equal(asked, 1);
  await pass(page, 200);
  assert.equal(asked, 2);
  await page.evaluate(() => Object.defineProperty(document, 'hidden', {value: true, configurable: true}));
  await pass(page, 2000); // this one was on its way
  await pass(page, 29000, 0);
  assert.equal(asked, 3);
  await pass(page, 1500);
  assert.equal(asked, 4);
  await page.evaluate(() => {
    delete document.hidden;
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await eventually(() => assert.equal(asked, 5)); // at once
});

scene('live updates can be paused', server, async (page) => {
  await page.locator('#connection').click();
  await shows(page.locator('#connection-text'), 'Paused');
  const before = await ids(page);
  await server.tell('record 3');
  let asked = 0;
  page.on('request', () => ++asked);
  await page.waitForTimeout(2500); // longer than the page waits otherwise
  assert.equal(asked, 0);
  assert.deepEqual(await ids(page), before);
  await page.locator('#connection').click();
  await shows(page.locator('#connection-text'), 'Live');
  await eventually(async () => assert.notDeepEqual(await ids(page), before));
});

scene('rows stay where they are while somebody reads further down', server, async (page) => {
  await counts(page.locator('#rows tr'), 50);
  const row = page.locator('#rows tr').nth(20);
  await row.evaluate((node) => node.scrollIntoView({block: 'start'}));
  const key = await row.evaluate((node) => node.key);
  const top = () => page.locator('#rows tr').evaluateAll((rows, wanted) => rows.find((node) => node.key === wanted)?.getBoundingClientRect().top, key);
  const before = await top();
  await server.tell('record 5');
  await refresh(page);
  await shows(page.locator('#news'), /5 newer/);
  assert.ok(Math.abs(await top() - before) < 2, `${before} became ${await top()}`);
  await page.locator('#news').click();
  await eventually(async () => assert.equal((await ids(page)).indexOf(key), 25));
  assert.equal(await page.locator('#news').isVisible(), false);
});

scene('a selection stays, and so does what is focused', server, async (page) => {
  const text = await page.locator('#rows tr').nth(3).locator('td.what').evaluate((cell) => {
    getSelection().selectAllChildren(cell);
    return String(getSelection());
  });
  await server.tell('record 4');
  await refresh(page);
  await page.locator('#news').waitFor();
  assert.equal(await page.evaluate(() => String(getSelection())), text);
  await page.evaluate(() => getSelection().removeAllRanges());
  await page.locator('#rows tr a.name').nth(2).focus();
  const focused = () => page.evaluate(() => document.activeElement.closest('tr')?.key);
  const key = await focused();
  await server.tell('record 4');
  await refresh(page);
  await shows(page.locator('#news'), /8 newer/);
  assert.equal(await focused(), key);
});

scene('an open dialog stays open, scrolled and selected as it is', server, {size: 'phone'}, async (page) => {
  await server.tell('trigger report', 'idle');
  await refresh(page);
  await rowOf(page, 'report').first().click();
  const body = page.locator('#details-body');
  await body.locator('.headline').waitFor();
  const place = await body.evaluate((node) => {
    node.scrollTop = 200;
    getSelection().selectAllChildren(node.querySelector('pre'));
    return [node.scrollTop, String(getSelection())];
  });
  await server.tell('record 60');
  await refresh(page);
  await shows(page.locator('#card-total'), /\d+/);
  await refresh(page);
  assert.deepEqual(await body.evaluate((node) => [node.scrollTop, String(getSelection())]), place);
  assert.equal(await isOpen(page), true);
});

scene('a server that goes is said to be gone; what was there stays; it goes on when it is back', restarted, gone, async (page) => {
  await counts(page.locator('#rows tr'), 50);
  await page.mouse.wheel(0, 400);
  await rowOf(page, 'fail').first().click();
  await shows(page.locator('#details-title'), 'fail');
  const scrolled = await page.evaluate(() => scrollY);
  await restarted.stop();
  await refresh(page);
  await page.locator('#lost').waitFor();
  await shows(page.locator('#lost-text'), /has not answered since \d\d:\d\d:\d\d/);
  await shows(page.locator('#connection-text'), 'Lost');
  await counts(page.locator('#rows tr'), 50);
  assert.equal(await isOpen(page), true);
  await restarted.start();
  await eventually(async () => assert.equal(await page.locator('#lost').isVisible(), false)); // by itself
  await shows(page.locator('#connection-text'), 'Live');
  assert.equal(await isOpen(page), true);
  await shows(page.locator('#details-title'), 'fail');
  assert.equal(await page.evaluate(() => scrollY), scrolled);
  await page.keyboard.press('Escape');
  await page.evaluate(() => scrollTo(0, 0));
  await shows(page.locator('#card-total'), '0'); // it is another one, and has no past
});

scene('a server that hangs is said to be lost, too', server, gone, async (page) => {
  await page.evaluate(() => {
    window.patience = AbortSignal.timeout;
    AbortSignal.timeout = () => window.patience.call(AbortSignal, 100); // the page has more
  });
  await page.route('**/api/**', () => {}); // never answers
  await refresh(page);
  await shows(page.locator('#lost-text'), /it takes too long/);
  await page.unroute('**/api/**');
  await page.evaluate(() => { AbortSignal.timeout = window.patience; });
  await page.locator('#lost-retry').click();
  await eventually(async () => assert.equal(await page.locator('#lost').isVisible(), false));
});

scene('a server that answers nonsense is no end of the page', server, gone, async (page) => {
  for (const answer of [{status: 502, body: '<html>Bad gateway</html>', contentType: 'text/html'}, {status: 200, body: 'not JSON'}]) {
    await page.route('**/api/**', (route) => route.fulfill(answer));
    await refresh(page);
    await page.locator('#lost').waitFor();
    await page.unroute('**/api/**');
    await page.locator('#lost-retry').click();
    await eventually(async () => assert.equal(await page.locator('#lost').isVisible(), false));
  }
});

// With DAYBOOK_PAGE_HOUR=1 an hour of them.
const polls = process.env.DAYBOOK_PAGE_HOUR ? 1800 : 25;
scene('the heap does not grow while the page is open', server, {path: null, patience: 3600000}, async (page, t) => {
  const session = await page.context().newCDPSession(page);
  const used = async () => {
    for (let round = 0; round < 3; ++round) await session.send('HeapProfiler.collectGarbage');
    return (await session.send('Runtime.getHeapUsage')).usedSize;
  };
  await stopTime(page);
  const poll = async (count) => {
    for (let round = 0; round < count; ++round) {
      await server.tell('record 1');
      await pass(page, 2000);
    }
  };
  await poll(10); // what is kept at all is kept by then
  const begin = await used();
  await poll(polls);
  const grown = await used() - begin;
  t.diagnostic(`${polls} updates: the heap of ${(begin / 1048576).toFixed(1)} MB grew by ${(grown / 1024).toFixed(0)} KB`);
  assert.ok(grown < 5 * 1048576, `${grown} bytes`);
});
