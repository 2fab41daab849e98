// SPDX-License-Identifier: MIT
// The jobs: what is told of them, and what a visitor may do about them, who may change things, and who may not.

import assert from 'node:assert/strict';
import {before} from 'node:test';

import {aServer, counts, eventually, go, jobOf, rowOf, scene, shows, visit} from './support.mjs';

const server = aServer('--changes', 'all', '--jobs', '120');
const readOnly = aServer();
const onlyLog = aServer('--only-log', '--changes', 'all');
const withPassword = aServer('--changes', 'password');
const withToken = aServer('--changes', 'token');
const prefixed = aServer('--prefix', '/admin/jobs', '--changes', 'all');

before(() => server.tell('trigger fail', 'trigger report', 'trigger neglected', 'idle'));

const jobs = {path: '/history?view=jobs'};
const cell = (page, job, kind) => jobOf(page, job).locator(`td.${kind}`);
const fact = (page, name) => page.locator('#job-body dl.facts > div').filter({has: page.locator('dt', {hasText: new RegExp(`^${name}$`)})}).locator('dd');

scene('a job says when it runs, how it went and how it is', server, jobs, async (page) => {
  await page.locator('#jobs-find').fill('report');
  await shows(cell(page, 'report', 'schedule'), /Monday|MON|weekday/i);
  await shows(cell(page, 'report', 'due'), /09:00|08:00|07:00[^]*in /);
  await shows(cell(page, 'report', 'last'), /success/);
  await shows(cell(page, 'report', 'state'), /scheduled/);
  await counts(jobOf(page, 'report').locator('svg.strip g'), 1);
  await page.locator('#jobs-find').fill('fail');
  await shows(cell(page, 'fail', 'last'), /error/);
  await page.locator('#jobs-find').fill('neglected');
  await shows(cell(page, 'neglected', 'state'), /stale/);
  await page.locator('#jobs-find').fill('nightly');
  await shows(cell(page, 'nightly', 'state'), /paused/);
  await shows(cell(page, 'nightly', 'last'), /has not run/);
});

scene('the scheduler says how it is', server, jobs, async (page) => {
  await shows(page.locator('#health'), /Scheduler[^]*Jobs\s+130[^]*Paused\s+1[^]*Running\s+0 on 4 workers/);
});

scene('jobs are searched, filtered by state, and go by pages', server, jobs, async (page) => {
  await counts(page.locator('#job-rows tr'), 50);
  await shows(page.locator('#jobs-position'), /130 jobs/);
  await page.locator('#jobs-more').click();
  await page.locator('#jobs-more').click();
  await counts(page.locator('#job-rows tr'), 30);
  await page.locator('#jobs-less').click();
  await counts(page.locator('#job-rows tr'), 50);
  await page.locator('#jobs-first').click();
  await page.locator('#jobs-find').fill('job_0011');
  await counts(page.locator('#job-rows tr'), 10);
  await page.locator('#jobs-find').fill('no such job');
  await shows(page.locator('#jobs-empty'), /No job matches/);
  await page.locator('#jobs-find').fill('');
  await page.locator('#jobs-state').selectOption('paused');
  await counts(page.locator('#job-rows tr'), 1);
  const other = await visit(server, {path: page.url().slice(server.url.length)});
  await counts(other.locator('#job-rows tr'), 1);
  await other.context().close();
});

scene('a job in full says why it runs or does not, and when it will', server, jobs, async (page) => {
  await page.locator('#jobs-find').fill('report');
  await jobOf(page, 'report').click();
  await shows(page.locator('#job-title'), 'report');
  const job = await server.ask('api/v1/jobs/report?next=5');
  await shows(page.locator('#job-body .explain'), new RegExp(`^${job.explain.slice(0, 30)}`));
  await counts(page.locator('#job-body ol li'), 5);
  await shows(fact(page, 'Schedule'), '0 9 * * 1-5');
  await shows(fact(page, 'Time zone'), 'Europe/Berlin');
  await shows(fact(page, 'Handler'), 'reports');
  await shows(page.locator('#job-body pre'), '{\n  "day": "monday"\n}');
  await page.locator('#job-history').click();
  await counts(page.locator('#rows tr'), 1);
  await shows(rowOf(page, 'report').locator('.badge'), 'success');
});

scene('a job is run, paused and resumed from its row', server, jobs, async (page) => {
  await page.locator('#jobs-find').fill('greet');
  const {total} = await server.ask('api/executions?job_id=greet');
  await jobOf(page, 'greet').getByRole('button', {name: /Run/}).click();
  await shows(page.locator('#say'), /greet was handed over/);
  await eventually(async () => assert.equal((await server.ask('api/executions?job_id=greet')).total, total + 1));
  await shows(cell(page, 'greet', 'last'), /success/);
  await page.locator('#jobs-find').fill('hourly');
  await jobOf(page, 'hourly').getByRole('button', {name: /Pause/}).click();
  await shows(cell(page, 'hourly', 'state'), /paused/);
  assert.equal((await server.ask('api/v1/jobs/hourly')).active, false);
  await jobOf(page, 'hourly').getByRole('button', {name: /Resume/}).click();
  await eventually(async () => assert.equal((await server.ask('api/v1/jobs/hourly')).active, true));
  await shows(cell(page, 'hourly', 'state'), /scheduled|pending/);
});

scene('the same from its dialog, with the keyboard', server, {path: '/history?view=jobs&job=hourly'}, async (page) => {
  await page.locator('#job-hold').focus();
  await page.keyboard.press('Enter');
  await shows(page.locator('#say'), /hourly is paused/);
  await shows(page.locator('#job-body .explain'), /^Paused/);
  await shows(page.locator('#job-hold'), 'Resume');
  await page.locator('#job-hold').focus();
  await page.keyboard.press('Enter');
  await shows(page.locator('#say'), /hourly is resumed/);
  await page.keyboard.press('Escape');
  await eventually(async () => assert.equal(await page.locator('#job').evaluate((dialog) => dialog.open), false));
});

scene('a run that a policy refuses is said, with the reason', server, {...jobs, allowed: [/409 \(Conflict\)/]}, async (page) => {
  await server.tell('shut', 'trigger gate');
  await page.locator('#jobs-find').fill('gate');
  await jobOf(page, 'gate').getByRole('button', {name: /Run/}).click();
  await shows(page.locator('#say'), /overlap|running/);
  await server.tell('open', 'idle');
});

scene('the history is cleared when that is confirmed, and not before', server, async (page) => {
  const left = async () => (await server.ask('api/executions')).total;
  const before = await left();
  assert.notEqual(before, 0);
  await page.locator('#clear').click();
  await shows(page.locator('#clear-count'), /^\d+ records?$/);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'clear-no');
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('#clear-dialog').evaluate((dialog) => dialog.open), false);
  await page.locator('#clear').click();
  await page.locator('#clear-no').click();
  assert.equal(await left(), before);
  await page.locator('#clear').click();
  await page.locator('#clear-yes').click();
  await shows(page.locator('#say'), /removed/);
  await shows(page.locator('#empty'), /Nothing has run yet/);
  assert.equal(await left(), 0);
});

scene('a server that lets nobody change anything offers nothing, and says so', readOnly, async (page) => {
  await page.locator('#read-only').waitFor();
  assert.match(await page.locator('#read-only').getAttribute('title'), /closed/);
  assert.equal(await page.locator('#clear').isVisible(), false);
  await go(page, '/history?view=jobs');
  await jobOf(page, 'hourly').waitFor();
  assert.equal(await page.getByRole('button', {name: /^(Run|Pause|Resume)/}).count(), 0);
  await jobOf(page, 'hourly').click();
  await page.locator('#job-body .explain').waitFor();
  assert.equal(await page.locator('#job-run').isVisible(), false);
  assert.equal(await page.locator('#job-hold').isVisible(), false);
});

scene('a server without the jobs API says what it would need', onlyLog, {path: '/history?view=jobs'}, async (page) => {
  await shows(page.locator('#jobs-missing'), /jobs API/);
  assert.equal(await page.locator('#jobs-there').isVisible(), false);
  await page.locator('#to-history').click();
  await shows(page.locator('#empty'), /Nothing has run yet/);
  assert.equal(await page.locator('#clear').isVisible(), true);
});

const password = {httpCredentials: {username: 'ali', password: 'open sesame'}};
scene('a visitor who knows the password may change things', withPassword, {...jobs, ...password}, async (page) => {
  await jobOf(page, 'greet').getByRole('button', {name: /Run/}).click();
  await shows(page.locator('#say'), /handed over/);
  await eventually(async () => assert.equal((await withPassword.ask('api/executions?job_id=greet')).total, 1));
});

const wrong = {httpCredentials: {username: 'ali', password: 'sesame'}};
scene('one who does not is told so', withPassword, {...jobs, ...wrong, allowed: [/401 \(Unauthorized\)/]}, async (page) => {
  await jobOf(page, 'greet').getByRole('button', {name: /Run/}).click();
  await shows(page.locator('#say'), /credentials/);
});

scene('a server that wants a token says so', withToken, {...jobs, allowed: [/401 \(Unauthorized\)/]}, async (page) => {
  await jobOf(page, 'hourly').getByRole('button', {name: /Pause/}).click();
  await shows(page.locator('#say'), /token/);
  assert.equal((await withToken.ask('api/v1/jobs/hourly')).active, true);
});

for (const path of ['/', '/history']) {
  scene(`under a prefix everything works the same, from ${path}`, prefixed, {path}, async (page) => {
    await page.locator('#to-jobs').click();
    await jobOf(page, 'greet').getByRole('button', {name: /Run/}).click();
    await shows(page.locator('#say'), /handed over/);
    await jobOf(page, 'greet').click();
    await page.locator('#job-history').click();
    await rowOf(page, 'greet').first().click();
    await shows(page.locator('#details-body .headline .badge'), 'success');
    await page.locator('#details-close').click();
    await page.reload();
    await rowOf(page, 'greet').first().waitFor();
    assert.ok(new URL(page.url()).pathname.startsWith('/admin/jobs'));
    await page.locator('#clear').click();
    await page.locator('#clear-yes').click();
    await shows(page.locator('#empty'), /No execution matches/); // of this job
  });
}
