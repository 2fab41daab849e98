// SPDX-License-Identifier: MIT
// Questions to the server. An answer that has not changed since is the same object again, so that nobody draws it twice.

export class Refusal extends Error {}

// No answer, or none of this server.
export class Lost extends Error {}

const patience = 20000; // ms
const kept = new Map(); // the latest answers, by address
const mostKept = 24;

export function address(path, parameters = {}) {
  const given = Object.entries(parameters).filter(([, value]) => (value ?? '') !== '');
  const query = new URLSearchParams(given).toString();
  return query ? `${path}?${query}` : path;
}

async function refusalOf(answer) {
  const body = await answer.json().catch(() => null); // not from this server, but from a proxy before it
  return new Refusal(body?.error?.message ?? `the server answers ${answer.status}`);
}

const request = (url, options) => fetch(url, {...options, signal: AbortSignal.timeout(patience)}).catch(({name}) => {
  throw new Lost(name === 'TimeoutError' ? 'it takes too long' : 'no connection');
});

const bodyOf = (answer) => answer.json().catch(() => {
  throw new Lost('no JSON');
});

// Throws a Refusal for what the server said no to, and Lost for no answer at all.
export async function ask(path, parameters, {accept = []} = {}) {
  const url = address(path, parameters);
  const answer = await request(url, {cache: 'no-cache'});
  if (!answer.ok && !accept.includes(answer.status)) throw await refusalOf(answer);
  const tag = answer.headers.get('ETag');
  const before = kept.get(url);
  const body = tag && before?.tag === tag ? before.body : await bodyOf(answer);
  kept.delete(url);
  if (tag) kept.set(url, {tag, body});
  if (kept.size > mostKept) kept.delete(kept.keys().next().value);
  return body;
}

export async function post(path) {
  const answer = await request(path, {method: 'POST'});
  if (!answer.ok) throw await refusalOf(answer);
  return answer.status === 204 ? null : bodyOf(answer);
}

// What the server has besides the page, and what this visitor may do; asked again after it was lost.
export const server = {has: {}, may: {}, isKnown: false};

export async function askServer() {
  Object.assign(server, await ask('history/server'), {isKnown: true});
}

export const may = (what) => server.may[what]?.allowed === true;
