// SPDX-License-Identifier: MIT
// Every view on a desk.

import {everyView} from './views.mjs';

everyView('desktop');
