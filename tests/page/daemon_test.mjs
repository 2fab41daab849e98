// SPDX-License-Identifier: MIT
// The page of the cron daemon, as people run it.

import assert from 'node:assert/strict';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

import {aDaemon, counts, eventually, jobOf, refresh, rowOf, scene, shows} from './support.mjs';

const crontab = join(dirname(fileURLToPath(import.meta.url)), 'crontab');
const daemon = aDaemon('--crontab', crontab, '--allow-changes', '--workers', '8');
const readOnly = aDaemon('--crontab', crontab, '--workers', '8');

scene('its jobs come in by themselves, as they end', readOnly, async (page) => {
  for (const [job, word] of [['hello', 'success'], ['breaks', 'error'], ['hangs', 'timeout'], ['long', 'running']]) {
    await rowOf(page, job).first().locator('.badge', {hasText: word}).waitFor();
  }
  await eventually(async () => assert.ok(Number(await page.locator('#card-total').innerText()) > 5));
  await page.locator('#read-only').waitFor();
});

scene('output, exit status and attempts are in the details', readOnly, {path: '/history?job_id=breaks&sort=oldest'}, async (page) => {
  await rowOf(page, 'breaks').first().click();
  await shows(page.locator('#details-body'), /3[^]*to standard error <b>/);
  await page.keyboard.press('Escape');
  await page.locator('#filter-job').fill('tries');
  await page.keyboard.press('Enter');
  await eventually(async () => assert.ok(await rowOf(page, 'tries').count() >= 3));
  await rowOf(page, 'tries').nth(0).click();
  await counts(page.locator('#details-body .attempts li'), 3);
});

scene('what did not run is found, with the reason', readOnly, {path: '/history?status=skipped'}, async (page) => {
  await shows(rowOf(page, 'long').first(), /skipped[^]*overlap/);
});

scene('a job is held and let go again', daemon, {path: '/history?view=jobs'}, async (page) => {
  const row = jobOf(page, 'hello');
  await shows(row, /every second/i);
  await shows(jobOf(page, 'weekly'), /Sunday/);
  await row.getByRole('button', {name: /Pause/}).click();
  await shows(row.locator('td.state'), /paused/);
  const before = (await daemon.ask('api/executions?job_id=hello')).total;
  await row.getByRole('button', {name: /Run/}).click();
  await eventually(async () => assert.equal((await daemon.ask('api/executions?job_id=hello')).total, before + 1));
  await row.getByRole('button', {name: /Resume/}).click();
  await eventually(async () => assert.ok((await daemon.ask('api/executions?job_id=hello')).total > before + 1));
});

scene('it is stopped and started again while the page is open', daemon, {allowed: [/Failed to load resource/]}, async (page) => {
  await rowOf(page, 'breaks').last().click();
  await page.locator('#details-body .headline').waitFor();
  await daemon.stop();
  await refresh(page);
  await page.locator('#lost').waitFor();
  await daemon.start();
  await eventually(async () => assert.equal(await page.locator('#lost').isVisible(), false));
  await shows(page.locator('#details-title'), 'breaks');
});
