// SPDX-License-Identifier: MIT
// Puts the parts of the page together: what is asked when, and what follows a change of the address.

import {ask, askServer, may, server} from './api.js';
import {showCards} from './cards.js';
import {details} from './details.js';
import {$, linkTo, onClick, put, set} from './dom.js';
import {followExecutions, listParameters, showExecutions} from './executions.js';
import {showFilters, suggestHandlers} from './filters.js';
import {plural} from './format.js';
import {jobDetails} from './job_details.js';
import {act, followJobs, jobsParameters, onAct, showHealth, showJobs} from './jobs.js';
import {refresh, startLive} from './live.js';
import {change, link, onChange, state} from './state.js';
import {showStrips, wantedStrips} from './strips.js';
import {showZone, startTheme} from './theme.js';
import {lengths, redraw, showTimeline} from './timeline.js';

const views = ['history', 'jobs'];
let retained = 0;

const statsOf = (timeline) => ask('api/executions/stats', {timeline, buckets: lengths[timeline], by_job: 'leave_out'});

async function askHistory() {
  const question = () => JSON.stringify([state.view, listParameters(), wantedStrips(), state.timeline]);
  const asked = question();
  const minutes = statsOf('minute');
  const [page, stats, chart, jobs] = await Promise.all([
    ask('api/executions', listParameters()), minutes, state.timeline === 'minute' ? minutes : statsOf(state.timeline), ask('api/executions/jobs', wantedStrips())]);
  if (asked !== question()) return; // another one is under way
  retained = stats.retained;
  showCards(stats);
  showTimeline(chart);
  showStrips(jobs);
  suggestHandlers(Object.keys(stats.by_handler));
  await showExecutions(page);
}

async function askJobs() {
  if (!server.has.jobs) return;
  const question = () => JSON.stringify([state.view, jobsParameters()]);
  const asked = question();
  const [page, health] = await Promise.all([
    ask('api/v1/jobs', jobsParameters()), server.has.health && ask('api/v1/health/scheduler', {}, {accept: [503]})]);
  if (asked !== question()) return;
  showJobs(page);
  $('health').hidden = !health;
  if (health) showHealth(health);
}

async function askAll() {
  if (!server.isKnown) await askServer();
  showServer();
  await (state.view === 'jobs' ? askJobs() : askHistory());
  await details.refresh();
  if (server.has.jobs) await jobDetails.refresh();
}

// What this visitor may not do is not offered; the sign says why.
function showServer() {
  $('read-only').hidden = ['trigger', 'change', 'clear'].some(may);
  $('read-only').title = server.may.change?.message ?? '';
  $('clear').hidden = !may('clear');
  $('jobs-table').classList.toggle('is-closed', !may('trigger') && !may('change'));
  $('jobs-missing').hidden = server.has.jobs;
  $('jobs-there').hidden = !server.has.jobs;
}

function showView() {
  for (const name of views) {
    $(`view-${name}`).hidden = state.view !== name;
    set($(`to-${name}`), {'aria-current': state.view === name ? 'page' : null, href: link({view: name, id: '', job: ''})});
  }
  document.title = `${state.view === 'jobs' ? 'Jobs' : 'History'} · Daybook`;
  for (const name of Object.keys(lengths)) set($(`timeline-${name}`), {'aria-pressed': String(state.timeline === name)});
  showFilters();
  showZone();
}

onChange((changed) => {
  showView();
  followExecutions(changed);
  followJobs(changed);
  if (changed.has('zone')) redraw();
  if (changed.has('id')) details.follow().catch(refresh); // which says so, if the server is lost
  if (changed.has('job')) jobDetails.follow().catch(refresh);
  if ([...changed].some((name) => name !== 'id' && name !== 'job')) refresh();
});

for (const name of views) linkTo($(`to-${name}`), () => change({view: name}));
for (const name of Object.keys(lengths)) onClick(`timeline-${name}`, () => change({timeline: name}, 'replace'));

onClick('clear', () => {
  put($('clear-count'), plural(retained, 'record'));
  $('clear-dialog').showModal();
});
onClick('clear-no', () => $('clear-dialog').close());
onClick('clear-yes', async ({currentTarget}) => {
  await act(currentTarget, 'api/executions/clear', ({records_cleared: count}) => `${plural(count, 'record')} removed`);
  $('clear-dialog').close();
  change({cursor: ''});
});

addEventListener('keydown', (event) => {
  if (event.key !== '/' || event.target.closest('input, select, dialog')) return;
  event.preventDefault();
  $(state.view === 'jobs' ? 'jobs-find' : 'filter-text').focus();
});

startTheme();
showView();
followJobs(new Set());
onAct(refresh);
startLive(askAll);
await refresh();
if (state.id) details.follow().catch(refresh);
if (state.job) jobDetails.follow().catch(refresh);
