// SPDX-License-Identifier: MIT
// The JavaScript lines of the Job History feature's documentation, and what they must print.
// Usage: client_history.js URL
'use strict';
const assert = require('node:assert');

const lines = `
// Get job history
const response = await fetch('http://localhost:4080/v1/jobs/history?limit=50');
const data = await response.json();
console.log(\`Total jobs: \${data.total}\`);

// Get statistics
const stats = await fetch('http://localhost:4080/v1/jobs/stats').then(r => r.json());
console.log(\`Success rate: \${(stats.success_rate * 100).toFixed(1)}%\`);
`;

const printed = [];
const AsyncFunction = (async () => {}).constructor;
const run = new AsyncFunction('console', lines.replaceAll('http://localhost:4080', process.argv[2]));
run({log: (line) => printed.push(line)}).then(() => {
  assert.deepStrictEqual(printed, ['Total jobs: 63', 'Success rate: 96.8%']);
}).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
