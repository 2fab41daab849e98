// SPDX-License-Identifier: MIT
// What differs from visitor to visitor: theme, time zone, and whether there is a mouse.

import assert from 'node:assert/strict';

import {aServer, eventually, go, rowOf, scene, shows} from './support.mjs';

const shop = aServer('--past', '50');

scene('the system says whether it is light or dark, unless the visitor does', shop, {theme: 'dark'}, async (page) => {
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await ground();
  await page.emulateMedia({colorScheme: 'light'});
  const light = await ground();
  assert.notEqual(light, dark);
  await page.locator('#theme').click(); // light
  await page.locator('#theme').click(); // dark
  assert.equal(await ground(), dark);
  await page.reload();
  assert.equal(await ground(), dark);
});

for (const [zone, hours] of [['America/New_York', null], ['Asia/Kathmandu', 5.75]]) {
  scene(`times are those of the visitor's zone, ${zone}, or of UTC`, shop, {zone}, async (page) => {
    const {records: [record]} = await shop.ask('api/executions?job_id=backup_database&sort=oldest&limit=1');
    const inZone = new Date(record.started_at).toLocaleString('sv-SE', {timeZone: zone});
    if (hours) assert.equal(Date.parse(`${inZone.replace(' ', 'T')}Z`) - Math.floor(Date.parse(record.started_at) / 1000) * 1000, hours * 3600000);
    await go(page, `/history?job_id=backup_database&sort=oldest`);
    const started = rowOf(page, 'backup_database').first().locator('td.started time, td:nth-child(4) time').first();
    await shows(started, inZone);
    await started.hover();
    await eventually(async () => assert.match(await started.getAttribute('title'), /(days?|hours) ago.*UTC$/));
    await page.locator('#zone').click();
    await shows(started, record.started_at.replace('T', ' ').slice(0, 19));
    assert.equal(new URL(page.url()).searchParams.get('zone'), 'utc');
    await page.reload();
    await shows(started, record.started_at.replace('T', ' ').slice(0, 19));
    await page.locator('#zone').click();
    await shows(started, inZone);
  });
}

scene('the page is walked through with the tab key, and shows where one is', shop, async (page) => {
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to content');
  const seen = new Set();
  for (let stop = 0; stop < 45; ++stop) {
    await page.keyboard.press('Tab');
    const {what, isMarked} = await page.evaluate(() => {
      const node = document.activeElement;
      const style = getComputedStyle(node);
      const label = node.closest('label') && getComputedStyle(node.closest('label'));
      const marked = (each) => each && (parseFloat(each.outlineWidth) > 0 && each.outlineStyle !== 'none' || each.boxShadow !== 'none');
      return {what: node.id || node.className.baseVal || node.className || node.tagName, isMarked: !!(marked(style) || marked(label))};
    });
    assert.ok(isMarked, `${what} does not show that it has the focus`);
    seen.add(what);
  }
  for (const what of ['to-jobs', 'connection', 'zone', 'theme', 'timeline', 'percentiles', 'strip', 'filter-job', 'filter-text', 'filter-range']) {
    assert.ok(seen.has(what), `${what} was not reached`);
  }
});
