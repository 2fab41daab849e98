// SPDX-License-Identifier: MIT
// Every view on a phone.

import assert from 'node:assert/strict';

import {counts, scene} from './support.mjs';
import {everyView, shop} from './views.mjs';

everyView('phone');

scene('what a finger has to meet is large enough', shop, {size: 'phone'}, async (page) => {
  await counts(page.locator('#rows tr'), 50);
  const small = await page.locator('button:visible, select:visible, input:visible:not([type=checkbox]), .chip:visible').evaluateAll((all) => all
    .map((node) => [node.id || node.className || node.textContent, node.getBoundingClientRect()])
    .filter(([, box]) => box.width > 0 && (box.height < 24 || box.width < 24)).map(([name, box]) => `${name} ${box.width}x${box.height}`));
  assert.deepEqual(small, []); // WCAG 2.2, 2.5.8
});
