// SPDX-License-Identifier: MIT
#ifndef DAYBOOK_DETAIL_DASHBOARD_PAGE_HPP
#define DAYBOOK_DETAIL_DASHBOARD_PAGE_HPP

/// @file
/// The frame of the dashboard's page; its script fills it.

#include <string_view>

namespace daybook::inline v0::detail {

inline constexpr std::string_view dashboard_page = R"html(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Job history</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="history/daybook.css">
<script src="history/daybook.js" defer></script>
</head>
<body>
<header>
  <h1>Job history</h1>
  <p id="connection" role="status">Loading…</p>
</header>
<main>
  <noscript><p>This page needs JavaScript. The same figures are at <a href="api/executions">api/executions</a>.</p></noscript>
  <dl class="cards" aria-label="Since start, or since the history was cleared">
    <div><dt>Executions</dt><dd id="card-total">–</dd></div>
    <div><dt>Success rate</dt><dd id="card-rate">–</dd></div>
    <div><dt>Average</dt><dd id="card-average">–</dd></div>
    <div><dt>95 % take at most</dt><dd id="card-p95">–</dd></div>
    <div><dt>Running now</dt><dd id="card-running">–</dd></div>
  </dl>
  <search class="filters">
    <label>Job <input id="filter-job" type="search" list="jobs" autocomplete="off" placeholder="all"></label>
    <label>Handler <input id="filter-handler" type="search" list="handlers" autocomplete="off" placeholder="all"></label>
    <label>Status
      <select id="filter-status">
        <option value="">all</option>
        <option>queued</option>
        <option>running</option>
        <option>success</option>
        <option>error</option>
        <option>timeout</option>
        <option>cancelled</option>
        <option>abandoned</option>
        <option>skipped</option>
      </select>
    </label>
    <button id="reset" type="button">Show all</button>
    <datalist id="jobs"></datalist>
    <datalist id="handlers"></datalist>
  </search>
  <div class="scroll" role="region" aria-label="Executions, newest first" tabindex="0">
    <table>
      <thead>
        <tr>
          <th scope="col">Job</th><th scope="col">Handler</th><th scope="col">Status</th><th scope="col">Started</th>
          <th scope="col" class="number">Duration</th><th scope="col" class="number">Attempt</th><th scope="col">Result or error</th>
        </tr>
      </thead>
      <tbody id="rows"></tbody>
    </table>
    <p id="empty" hidden>No execution matches.</p>
  </div>
  <nav aria-label="Pages">
    <button id="newer" type="button" disabled>‹ Newer</button>
    <span id="position"></span>
    <button id="older" type="button" disabled>Older ›</button>
  </nav>
</main>
<dialog id="details" aria-labelledby="details-title">
  <header>
    <h2 id="details-title"></h2>
    <button id="close" type="button">Close</button>
  </header>
  <dl id="facts"></dl>
</dialog>
</body>
</html>
)html";

} // namespace daybook::inline v0::detail

#endif
