// SPDX-License-Identifier: MIT
// Every view, light and dark, on a phone and on a desk: axe-core has nothing to say, and nothing is wider than the screen.
// With DAYBOOK_SCREENSHOTS=FOLDER there is a picture of each.

import assert from 'node:assert/strict';
import {mkdirSync} from 'node:fs';
import {join} from 'node:path';

import {aServer, counts, go, refresh, scene, shows, visit, violations} from './support.mjs';

export const shop = aServer('--past', '50', '--changes', 'all');
const empty = aServer();
const other = aServer('--only-log');
const pictures = process.env.DAYBOOK_SCREENSHOTS;
if (pictures) mkdirSync(pictures, {recursive: true});

const first = async (query) => (await shop.ask(`api/executions?limit=1&${query}`)).records[0].id;
const details = async (page, query) => {
  await go(page, `/history?id=${await first(query)}`);
  await page.locator('#details-body .headline').waitFor();
};

const views = {
  async history(page) {
    await go(page, '/history');
    await counts(page.locator('#rows tr'), 50);
    await page.locator('#strips svg.strip').first().waitFor();
  },
  async history_filtered(page) {
    await go(page, '/history?status=error,timeout&range=1440&timeline=minute');
    await page.locator('#rows tr').first().waitFor();
  },
  async history_between(page) {
    await go(page, '/history?started_from=2020-01-01T00:00:00.000Z&started_to=2020-01-02T00:00:00.000Z&zone=utc');
    await shows(page.locator('#empty'), /No execution matches/);
  },
  async details_success(page) {
    await details(page, 'job_id=daily_report');
  },
  async details_failure(page) {
    await details(page, 'job_id=poll_mailbox&status=error&final=true');
    await counts(page.locator('#details-body .attempts li'), 2);
  },
  async details_running(page) {
    await details(page, 'status=running');
  },
  async jobs(page) {
    await go(page, '/history?view=jobs');
    await page.locator('#job-rows svg.strip:has(g)').first().waitFor({state: 'attached'});
  },
  async jobs_none(page) {
    await go(page, '/history?view=jobs&find=no+such+job');
    await shows(page.locator('#jobs-empty'), /No job matches/);
  },
  async job(page) {
    await go(page, '/history?view=jobs&job=poll_mailbox');
    await page.locator('#job-body .explain').waitFor();
  },
  async clear(page) {
    await go(page, '/history');
    await page.locator('#clear').click();
    await page.locator('#clear-yes').waitFor();
  },
  async tip(page) {
    await go(page, '/history');
    await page.locator('#timeline .hit').nth(36).hover();
    await page.locator('#tip').waitFor();
  },
  async lost(page) {
    await go(page, '/history');
    await page.route('**/api/**', (route) => route.fulfill({status: 200, body: 'no JSON'}));
    await refresh(page);
    await page.locator('#lost').waitFor();
    await page.unroute('**/api/**');
  },
};
const otherViews = {
  empty: [empty, '/history', '#empty'],
  no_jobs: [other, '/history?view=jobs', '#jobs-missing'],
};

async function judge(page, name) {
  await page.evaluate(() => document.getAnimations().forEach((animation) => animation.finish()));
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  const faults = wide > 0 ? [`${wide} pixels wider than the screen`] : [];
  for (const theme of ['light', 'dark']) {
    await page.emulateMedia({colorScheme: theme});
    if (pictures) {
      await page.screenshot({path: join(pictures, `${name}_${theme}.png`)});
      const isLong = await page.evaluate(() => !document.querySelector('dialog[open]') && document.documentElement.scrollHeight > innerHeight + 10);
      if (isLong) await page.screenshot({path: join(pictures, `${name}_${theme}_whole.png`), fullPage: true});
    }
    // All else is the same in the dark.
    faults.push(...await violations(page, theme === 'dark' ? ['color-contrast', 'link-in-text-block'] : null));
  }
  return faults.map((fault) => `${name}: ${fault}`);
}

export function everyView(size) {
  scene(`every view, light and dark, ${size}`, shop, {size, path: null, patience: 280000}, async (page) => {
    const faults = [];
    for (const [view, show] of Object.entries(views)) {
      await show(page);
      faults.push(...await judge(page, `${view}_${size}`));
    }
    for (const [view, [server, path, sign]] of Object.entries(otherViews)) {
      const stranger = await visit(server, {size, path});
      await stranger.locator(sign).waitFor();
      faults.push(...await judge(stranger, `${view}_${size}`));
      assert.deepEqual(stranger.complaints, []);
      await stranger.context().close();
    }
    assert.deepEqual(faults, []);
  });
}
