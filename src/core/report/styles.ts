/**
 * How a report looks, by classes. Every colour is a custom property, so that a panel gives its theme's: `--report-ink`, `-faint` (text beside), `-surface`, `-line` (rules and grids), `-heat` (the darkest cell
 * of a heat map, on which ink must be readable) and `-1` … `-8` (series).
 */
export const reportStyles = `
.report-chart { display: block; max-width: 100%; height: auto; font-family: inherit; }
.report-chart text { fill: var(--report-ink); }
.report-chart .report-faint-text { fill: var(--report-faint); }
.report-chart .report-over-text { fill: var(--report-ink); paint-order: stroke; stroke: var(--report-surface); stroke-width: 3px; stroke-linejoin: round; }
.report-axis { fill: none; stroke: var(--report-faint); }
.report-grid { fill: none; stroke: var(--report-line); }
.report-cell { fill: none; stroke: var(--report-line); }
.report-heat { fill: var(--report-heat); }
.report-line { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
.report-dashed { fill: none; stroke-dasharray: 6 4; }
.report-stroke-0 { stroke: var(--report-faint); }
.report-fill-0 { fill: var(--report-faint); }
${Array.from({ length: 8 }, (_, at) => `.report-stroke-${at + 1} { stroke: var(--report-${at + 1}); }\n.report-fill-${at + 1} { fill: var(--report-${at + 1}); }`).join('\n')}
.report-table { border-collapse: collapse; max-width: 100%; }
.report-table caption { text-align: start; padding: 0 0 6px; color: var(--report-faint); }
.report-table th, .report-table td { padding: 4px 12px 4px 0; text-align: start; vertical-align: top; border-bottom: 1px solid var(--report-line); font-weight: normal; overflow-wrap: break-word; max-width: 24em; }
.report-table thead th { color: var(--report-faint); white-space: normal; vertical-align: bottom; }
.report-table .report-text { overflow-wrap: anywhere; min-width: 16em; max-width: none; }
.report-table .report-number { text-align: end; font-variant-numeric: tabular-nums; white-space: nowrap; }
.report-table .report-place { white-space: nowrap; color: var(--report-faint); }
.report-figure figcaption { margin: 0 0 8px; color: var(--report-faint); }
`;

/** The colours of a report that stands by itself; text has a contrast of at least 4.5, lines of 3. */
export const reportColors = `
:root {
  color-scheme: light dark;
  --report-ink: #1f2328; --report-faint: #59636e; --report-surface: #ffffff; --report-line: #d8dee4; --report-heat: #5aa2ee;
  --report-1: #0969da; --report-2: #bc4c00; --report-3: #1a7f37; --report-4: #8250df; --report-5: #bf3989; --report-6: #9a6700; --report-7: #087ea4; --report-8: #cf222e;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --report-ink: #e6edf3; --report-faint: #9aa4af; --report-surface: #15191f; --report-line: #353c45; --report-heat: #1f6abf;
    --report-1: #58a6ff; --report-2: #f0883e; --report-3: #56d364; --report-4: #bc8cff; --report-5: #f778ba; --report-6: #e3b341; --report-7: #39c5cf; --report-8: #ff7b72;
  }
}
`;
