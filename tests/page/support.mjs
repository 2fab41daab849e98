// SPDX-License-Identifier: MIT
// A browser, a server with the page, and a look at everything that the browser has to complain about.

import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdirSync, readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {createInterface} from 'node:readline';
import {after, before, test} from 'node:test';
import {setTimeout as delay} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
const assets = join(root, 'include', 'daybook', 'http', 'page');
const build = process.env.DAYBOOK_PAGE_BUILD ?? join(root, 'build', 'gcc-debug', 'tests', 'page');
const programs = {
  page_server: process.env.DAYBOOK_PAGE_SERVER ?? join(build, 'page_server'),
  cron_daemon: process.env.DAYBOOK_CRON_DAEMON ?? join(build, '..', '..', 'examples', 'cron_daemon'),
};
const modules = createRequire(`${build}/`);
const {chromium} = modules('playwright-core');

export const sizes = {desktop: {width: 1440, height: 900}, phone: {width: 390, height: 844}};
const patience = 60000; // ms: a machine that builds and tests other things beside this is slow

// Calls `check` until it does not throw, and gives what it returns.
export async function eventually(check) {
  for (const end = Date.now() + patience; ;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > end) throw error;
    }
    await delay(20);
  }
}

export const shows = (locator, text) => eventually(async () => {
  const shown = await locator.innerText({timeout: 1000});
  if (text instanceof RegExp) assert.match(shown, text);
  else assert.equal(shown, text);
});

export const counts = (locator, number) => eventually(async () => assert.equal(await locator.count(), number));

// One program, for as long as a file of tests runs; see server/main.cpp for its options and commands.
export class Server {
  constructor(program, options) {
    this.program = programs[program];
    this.options = options;
    this.port = 0;
    this.ready = null;
    this.prefix = options.includes('--prefix') ? options[options.indexOf('--prefix') + 1] : '';
  }

  start() {
    return this.ready = this.begin();
  }

  async begin() {
    const fixed = this.port ? ['--port', String(this.port)] : this.program === programs.cron_daemon ? ['--port', '0'] : [];
    this.child = spawn(this.program, [...this.options, ...fixed], {stdio: ['pipe', 'pipe', 'inherit']});
    this.ended = once(this.child, 'exit');
    this.lines = createInterface({input: this.child.stdout});
    const said = await Promise.race([
      new Promise((resolve) => {
        this.lines.on('line', (line) => {
          const port = /^port (\d+)$|127\.0\.0\.1:(\d+)\//.exec(line);
          if (port) resolve(port[1] ?? port[2]);
        });
      }),
      this.ended.then(([code]) => assert.fail(`the server has ended with ${code}`)),
    ]);
    this.port = Number(said);
  }

  get url() {
    return `http://127.0.0.1:${this.port}${this.prefix}`;
  }

  async tell(...commands) {
    await this.ready;
    for (const command of commands) {
      const answer = once(this.lines, 'line');
      this.child.stdin.write(`${command}\n`);
      assert.deepEqual(await answer, ['done'], command);
    }
  }

  async ask(path) {
    const answer = await fetch(`${this.url}/${path}`);
    assert.equal(answer.status, 200, path);
    return answer.json();
  }

  async stop() {
    const {child, ended} = this;
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.stdin.end();
    if (this.program === programs.cron_daemon) child.kill('SIGTERM');
    const impatient = setTimeout(() => child.kill('SIGKILL'), 10000);
    await ended;
    clearTimeout(impatient);
  }
}

let browser = null;

before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.DAYBOOK_CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', '--js-flags=--expose-gc'],
  });
});
after(() => browser?.close());

// A server for all tests of a file, begun and ended with it.
function forThisFile(program, options) {
  const server = new Server(program, options);
  server.start();
  before(() => server.ready);
  after(() => server.stop());
  return server;
}
export const aServer = (...options) => forThisFile('page_server', options);
export const aDaemon = (...options) => forThisFile('cron_daemon', options);

// With DAYBOOK_PAGE_FILES=1 the page's parts are read from their files, so that a change needs no compiler.
async function serveFiles(context) {
  await context.route(/\/history\/[a-z_]+\.(js|css)(\?.*)?$/, (route) => {
    const name = new URL(route.request().url()).pathname.split('/').pop();
    const type = name.endsWith('.css') ? 'text/css' : 'text/javascript';
    return route.fulfill({body: readFileSync(join(assets, name), 'utf8'), headers: {'Content-Type': `${type}; charset=utf-8`}});
  });
  await context.route(/\/(history)?(\?.*)?$/, async (route) => {
    const answer = await route.fetch();
    return route.fulfill({response: answer, body: readFileSync(join(assets, 'index.html'), 'utf8')});
  });
}

// A visitor: options are `size`, `theme`, `zone`, `allowed` (patterns of console messages that have to come: a browser
// reports every request that fails) and whatever a browser's context takes.
export async function visit(server, {size = 'desktop', theme = 'light', zone = 'UTC', path = '/history', allowed = [], ...others} = {}) {
  const context = await browser.newContext({
    viewport: sizes[size], colorScheme: theme, timezoneId: zone, locale: 'en-GB', isMobile: size === 'phone', hasTouch: size === 'phone',
    reducedMotion: 'reduce', ...others,
  });
  context.setDefaultTimeout(patience);
  const complaints = [];
  const complain = (text) => {
    if (!allowed.some((pattern) => pattern.test(text))) complaints.push(text);
  };
  context.on('console', (message) => complain(`console ${message.type()}: ${message.text()} (${message.location().url})`));
  context.on('weberror', (error) => complain(`error: ${error.error().stack}`));
  context.on('dialog', (dialog) => {
    complain(`dialog: ${dialog.message()}`);
    dialog.dismiss().catch(() => {});
  });
  context.on('request', (request) => {
    const url = new URL(request.url());
    if (!['data:', 'blob:'].includes(url.protocol) && url.host !== `127.0.0.1:${server.port}`) complain(`request: ${url}`);
  });
  if (process.env.DAYBOOK_PAGE_FILES) await serveFiles(context);
  const page = await context.newPage();
  page.on('crash', () => complain('the page has crashed'));
  page.complaints = complaints;
  page.server = server;
  if (path !== null) {
    await go(page, path).catch(async (error) => {
      console.error(`${server.url}${path}: ${await page.locator('#lost-text').textContent({timeout: 1000}).catch(String)}`, complaints);
      throw error;
    });
  }
  return page;
}

export async function go(page, path) {
  await page.goto(page.server.url + path);
  await page.locator('#connection.on').waitFor();
}

// Asks for what is new now, and not in two seconds: what a browser does when its connection is back.
export async function refresh(page) {
  await page.evaluate(() => dispatchEvent(new Event('online')));
}

// A test with one visitor, who must have nothing to complain about in the end.
export function scene(name, server, options, body) {
  if (typeof options === 'function') return scene(name, server, {}, options);
  test(name, {timeout: options.patience ?? 180000}, async (t) => {
    const page = await visit(server, options);
    try {
      await body(page, t);
      assert.deepEqual(page.complaints, []);
    } catch (error) {
      const folder = join(build, 'failed');
      mkdirSync(folder, {recursive: true});
      const file = join(folder, `${name.replaceAll(/[^A-Za-z0-9]+/g, '_').slice(0, 80)}.png`);
      await page.screenshot({path: file}).then(() => t.diagnostic(`what it looked like: ${file}`), () => {});
      if (page.complaints.length !== 0) t.diagnostic(page.complaints.join('\n'));
      throw error;
    } finally {
      await page.context().close();
    }
  });
}

// What axe-core finds, by all its rules or by some, in a few words each.
const axe = readFileSync(modules.resolve('axe-core/axe.min.js'), 'utf8');
export async function violations(page, rules = null) {
  if (!await page.evaluate(() => 'axe' in window)) {
    // The page's policy lets no script in, and it should not: the debugger's way does not ask.
    const session = await page.context().newCDPSession(page);
    await session.send('Runtime.evaluate', {expression: axe});
    await session.detach();
  }
  const found = await page.evaluate((only) => axe.run(document.querySelector('dialog[open]') ?? document, { // behind a dialog nothing can be reached
    ...(only ? {runOnly: {type: 'rule', values: only}} : {}), resultTypes: ['violations'], preload: false, elementRef: false}), rules);
  return found.violations.map(({id, help, nodes}) => `${id}: ${help}: ${nodes.map(({target}) => target.join(' ')).slice(0, 4).join('; ')} (${nodes.length})`);
}

export const rowOf = (page, name) => page.locator('#rows tr').filter({has: page.locator('a.name', {hasText: new RegExp(`^${name}$`)})});
export const jobOf = (page, name) => page.locator('#job-rows tr').filter({has: page.locator('a.name', {hasText: new RegExp(`^${name}$`)})});
