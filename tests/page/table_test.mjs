// SPDX-License-Identifier: MIT
// The table of executions: its columns, filters, order, pages and files.

import assert from 'node:assert/strict';
import {readFile} from 'node:fs/promises';
import {before} from 'node:test';

import {aServer, counts, eventually, go, refresh, rowOf, scene, shows, visit} from './support.mjs';

const server = aServer();
const long = aServer(); // three pages of one job

before(async () => {
  await server.tell('trigger report', 'idle', 'trigger greet', 'idle', 'trigger greet', 'trigger fail', 'trigger slow', 'trigger flaky', 'idle',
    'shut', 'trigger gate', 'trigger gate', 'open', 'idle');
  await long.tell('record 120');
});

const names = (page) => page.locator('#rows a.name').allInnerTexts();
const cellsOf = (row) => row.locator('td').allInnerTexts();
const parameter = (page, name) => new URL(page.url()).searchParams.get(name);

scene('a row has what the record has', server, async (page) => {
  const {records: [report]} = await server.ask('api/executions?job_id=report');
  const [job, status, scheduled, started, took, drift, attempt, processed, throughput, what] = await cellsOf(rowOf(page, 'report'));
  assert.match(job, /^report\s+reports\.daily$/);
  assert.equal(status, 'success');
  assert.equal(scheduled, '–');
  assert.ok(report.started_at.includes(started), started);
  assert.match(took, /^\d+ ms$/);
  assert.ok(Math.abs(parseInt(took) - report.duration_ms) <= 1, took);
  assert.equal(drift, '–');
  assert.equal(attempt, '1');
  assert.match(processed, /^1,234/);
  assert.match(throughput, /K\/s$/);
  assert.match(what, /"rows":1234/);
  assert.match((await cellsOf(rowOf(page, 'fail'))).at(-1), /^the disk is full$/);
});

scene('every status has a word and a sign of its own', server, async (page) => {
  const signs = new Set();
  for (const [name, word] of [['greet', 'success'], ['fail', 'error'], ['slow', 'timeout']]) {
    const badge = rowOf(page, name).first().locator('.badge');
    await shows(badge, word);
    signs.add(await badge.locator('svg').innerHTML());
  }
  assert.equal(signs.size, 3);
});

scene('attempts that a retry followed are told from final ones', server, async (page) => {
  await counts(rowOf(page, 'flaky'), 3);
  const attempts = await rowOf(page, 'flaky').locator('td.attempt').allInnerTexts();
  assert.deepEqual(attempts, ['3', '2 ↻', '1 ↻']);
});

scene('filters leave what matches, and stand in the address', server, async (page) => {
  await page.locator('#filter-job').fill('flaky');
  await page.keyboard.press('Enter');
  await counts(page.locator('#rows tr'), 3);
  assert.deepEqual(new Set(await names(page)), new Set(['flaky']));
  assert.equal(parameter(page, 'job_id'), 'flaky');
  await page.locator('#reset').click();
  await page.locator('#filter-handler').fill('net');
  await page.keyboard.press('Enter');
  await counts(page.locator('#rows tr'), 4);
  await page.locator('#reset').click();
  await page.locator('#filter-text').pressSequentially('disk is');
  await counts(page.locator('#rows tr'), 1);
  assert.equal(parameter(page, 'text'), 'disk is');
});

scene('several statuses may be asked for, skipped ones too', server, async (page) => {
  await page.locator('#status-error').click();
  await counts(page.locator('#rows tr'), 3);
  await page.locator('#status-timeout').click();
  await counts(page.locator('#rows tr'), 4);
  assert.equal(parameter(page, 'status'), 'error,timeout');
  await page.locator('#reset').click();
  await page.locator('#status-skipped').click();
  await counts(page.locator('#rows tr'), 1);
  await shows(rowOf(page, 'gate').locator('td.what'), /overlap, once/);
});

scene('a range of dates is in the zone that is shown', server, {zone: 'Asia/Kolkata'}, async (page) => {
  await page.locator('#filter-range').selectOption('60');
  await eventually(async () => assert.equal(parameter(page, 'range'), '60'));
  await rowOf(page, 'report').waitFor();
  await page.locator('#filter-range').selectOption('custom');
  await page.locator('#filter-from').waitFor();
  await page.locator('#filter-from').fill('2021-03-04T05:30:00');
  await page.locator('#filter-to').fill('2021-03-04T07:00:00');
  await page.keyboard.press('Tab');
  await eventually(async () => {
    assert.equal(parameter(page, 'started_from'), '2021-03-04T00:00:00.000Z');
    assert.equal(parameter(page, 'started_to'), '2021-03-04T01:30:00.000Z');
  });
  await shows(page.locator('#empty'), /No execution matches/);
  await page.locator('#empty-reset').click();
  await rowOf(page, 'report').waitFor();
});

scene('columns sort, and say in which order', server, async (page) => {
  const header = (name) => page.locator('#table th', {hasText: name});
  await header('Duration').locator('button').click();
  await eventually(async () => assert.equal(await header('Duration').getAttribute('aria-sort'), 'descending'));
  assert.equal(parameter(page, 'sort'), 'longest');
  const longest = (await server.ask('api/executions?sort=longest&limit=1')).records[0].job_id;
  await eventually(async () => assert.equal((await names(page))[0], longest));
  await header('Duration').locator('button').click();
  await eventually(async () => assert.equal(await header('Duration').getAttribute('aria-sort'), 'ascending'));
  await header('Started').locator('button').click();
  await header('Started').locator('button').click();
  await eventually(async () => assert.equal((await names(page))[0], 'report'));
});

scene('pages go by cursor, and stay right while records arrive', long, async (page) => {
  const {records} = await long.ask('api/executions?limit=1000');
  const ids = async () => page.locator('#rows tr').evaluateAll((rows) => rows.map((row) => row.key));
  const wanted = records.map(({id}) => id);
  await counts(page.locator('#rows tr'), 50);
  assert.deepEqual(await ids(), wanted.slice(0, 50));
  await long.tell('record 7');
  await page.locator('#older').click();
  await eventually(async () => assert.deepEqual(await ids(), wanted.slice(50, 100)));
  await long.tell('record 7');
  await refresh(page);
  assert.deepEqual(await ids(), wanted.slice(50, 100));
  const link = page.url();
  await page.locator('#older').click();
  await eventually(async () => assert.deepEqual(await ids(), wanted.slice(100, 120)));
  assert.equal(await page.locator('#older').isDisabled(), true);
  await page.locator('#newer').click();
  await eventually(async () => assert.deepEqual(await ids(), wanted.slice(50, 100)));
  const other = await visit(long, {path: link.slice(long.url.length)});
  assert.deepEqual(await other.locator('#rows tr').evaluateAll((rows) => rows.map((row) => row.key)), wanted.slice(50, 100));
  await other.context().close();
  await page.locator('#newest').click();
  await eventually(async () => assert.notEqual((await ids())[0], wanted[0]));
});

scene('a link shows the same view to somebody else', server, async (page) => {
  await page.locator('#filter-handler').fill('net');
  await page.keyboard.press('Enter');
  await page.locator('#status-error').click();
  await counts(page.locator('#rows tr'), 2);
  await page.locator('#table th', {hasText: 'Duration'}).locator('button').click();
  await page.locator('#timeline-minute').click();
  await eventually(async () => assert.equal(parameter(page, 'sort'), 'longest'));
  await counts(page.locator('#rows tr'), 2);
  const shown = await names(page);
  const other = await visit(server, {path: page.url().slice(server.url.length)});
  await eventually(async () => assert.deepEqual(await names(other), shown));
  assert.equal(await other.locator('#filter-handler').inputValue(), 'net');
  assert.equal(await other.locator('#status-error').isChecked(), true);
  assert.equal(await other.locator('#timeline-minute').getAttribute('aria-pressed'), 'true');
  assert.equal(await other.locator('#table th', {hasText: 'Duration'}).getAttribute('aria-sort'), 'descending');
  assert.deepEqual(other.complaints, []);
  await other.context().close();
});

scene('the browser goes back to the view before', server, async (page) => {
  await page.locator('#status-timeout').click();
  await counts(page.locator('#rows tr'), 1);
  await page.goBack();
  await eventually(async () => assert.ok(await page.locator('#rows tr').count() > 5));
  assert.equal(await page.locator('#status-timeout').isChecked(), false);
});

scene('an address that makes no sense shows what there is', server, {path: '/history?view=x&timeline=y&zone=z&sort=newest&range=&constructor=1'}, async (page) => {
  await rowOf(page, 'report').waitFor();
});

async function download(page, what) {
  const [file] = await Promise.all([page.waitForEvent('download'), page.locator(what).click()]);
  return {name: file.suggestedFilename(), text: await readFile(await file.path(), 'utf8')};
}

scene('files have what the filter lets through', server, async (page) => {
  await page.locator('#filter-job').fill('flaky');
  await page.keyboard.press('Enter');
  await counts(page.locator('#rows tr'), 3);
  const {records} = await server.ask('api/executions?job_id=flaky');
  const json = await download(page, '#export-json');
  assert.match(json.name, /\.jsonl?$|\.json$|\.ndjson$/);
  assert.deepEqual(json.text.trim().split('\n').map((line) => JSON.parse(line).id), records.map(({id}) => id));
  const csv = await download(page, '#export-csv');
  assert.match(csv.name, /\.csv$/);
  const [head, ...lines] = csv.text.trim().split('\r\n');
  assert.match(head, /job_id/);
  assert.equal(lines.length, 3);
  assert.ok(lines.every((line) => line.includes('flaky')));
});

scene('a name that is typed is completed from what there is', server, async (page) => {
  await page.locator('#filter-job').pressSequentially('fl');
  await eventually(async () => assert.deepEqual(await page.locator('#jobs-known option').evaluateAll((all) => all.map(({value}) => value)), ['flaky']));
  assert.equal(parameter(page, 'job_id'), null);
});

scene('one key leads to the search', server, async (page) => {
  await page.locator('body').press('/');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'filter-text');
  assert.equal(await page.locator('#filter-text').inputValue(), '');
});

scene('a refusal of the server is said in its words', server, {path: null, allowed: [/400 \(Bad Request\)/]}, async (page) => {
  await page.goto(`${server.url}/history?started_from=yesterday`);
  await shows(page.locator('#lost'), /started_from/);
  await page.locator('#reset').click();
  await rowOf(page, 'report').waitFor();
  assert.equal(await page.locator('#lost').isVisible(), false);
});

scene('a page under a prefix works as any other', server, async (page) => {
  await go(page, '/');
  await rowOf(page, 'report').waitFor();
});
