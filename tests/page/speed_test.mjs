// SPDX-License-Identifier: MIT
// Ten thousand jobs, and a log that is full: how long scripts take until there is something to see, and while it is used.
// The figures are printed and not judged: they are of this machine, and of what else it does.

import assert from 'node:assert/strict';
import {before} from 'node:test';

import {aServer, counts, eventually, refresh, scene, shows} from './support.mjs';

const records = process.env.DAYBOOK_PAGE_FULL ? 1000000 : 100000;
const server = aServer('--jobs', '10000', '--capacity', String(records));

before(() => server.tell(`record ${records + 1000}`, 'fail 50', 'trigger report', 'idle'));

// How long scripts of the page, and what they call, take while `body` is done, in ms, by samples of the stack. (The browser's own
// figure, ScriptDuration, knows nothing of modules and promises.)
async function scriptsDuring(page, body) {
  const session = await page.context().newCDPSession(page);
  await session.send('Profiler.enable');
  await session.send('Profiler.setSamplingInterval', {interval: 500});
  await session.send('Profiler.start');
  await body();
  const {profile: {nodes, samples, timeDeltas}} = await session.send('Profiler.stop');
  await session.detach();
  const parents = new Map(nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node])));
  const isOurs = (node) => node.callFrame.functionName === '(garbage collector)' || node.callFrame.url.includes('/history/');
  const ours = new Set();
  for (const node of nodes) for (let at = node; at; at = parents.get(at.id)) if (isOurs(at)) ours.add(node.id);
  return samples.reduce((sum, id, index) => sum + (ours.has(id) ? timeDeltas[index] / 1000 : 0), 0);
}

const newest = (page) => page.locator('#rows tr').first().evaluate((row) => row.key);

scene('the first view takes little of the processor', server, {path: null}, async (page, t) => {
  const rounds = [];
  for (let round = 0; round < 5; ++round) {
    await page.goto('about:blank');
    rounds.push(await scriptsDuring(page, async () => {
      await page.goto(`${server.url}/history`);
      await page.locator('#connection.on').waitFor();
      await counts(page.locator('#rows tr'), 50);
    }));
  }
  const [least, , median] = [...rounds].sort((left, right) => left - right);
  t.diagnostic(`first view of 50 of ${records} records: ${median.toFixed(0)} ms of scripts (cold ${rounds[0].toFixed(0)}, at best ${least.toFixed(0)}; target: 100)`);
});

scene('an update takes less', server, async (page, t) => {
  const took = await scriptsDuring(page, async () => {
    for (let round = 0; round < 10; ++round) {
      await server.tell('record 20');
      const first = await newest(page);
      await refresh(page);
      await eventually(async () => assert.notEqual(await newest(page), first));
    }
  });
  t.diagnostic(`an update with 20 new records: ${(took / 10).toFixed(1)} ms of scripts`);
});

scene('ten thousand jobs are pages of jobs', server, {path: '/history?view=jobs'}, async (page, t) => {
  const took = await scriptsDuring(page, async () => {
    await counts(page.locator('#job-rows tr'), 50);
    await shows(page.locator('#jobs-position'), /10,010 jobs/);
    await page.locator('#jobs-find').fill('job_0777');
    await counts(page.locator('#job-rows tr'), 10);
  });
  t.diagnostic(`a search in 10,010 jobs: ${took.toFixed(0)} ms of scripts`);
});

scene('the table is deep, and goes on page by page', server, {path: '/history?sort=oldest'}, async (page) => {
  await counts(page.locator('#rows tr'), 50);
  for (let turn = 0; turn < 3; ++turn) {
    const first = await newest(page);
    await page.locator('#older').click();
    await eventually(async () => assert.notEqual(await newest(page), first));
  }
  await page.locator('#status-error').click();
  await counts(page.locator('#rows tr'), 50);
});
