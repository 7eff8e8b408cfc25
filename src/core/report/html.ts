import type { ReportBlock, ReportDocument, TableBlock } from './document';
import { escapeMarkup } from './markup';
import { reportStrings, type ReportStrings } from './strings';
import { reportColors, reportStyles } from './styles';

const pageStyles = `
body { margin: 0 auto; padding: 24px 20px 48px; max-width: 1080px; background: var(--report-surface); color: var(--report-ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Noto Sans CJK SC", sans-serif; }
h1 { font-size: 1.6em; line-height: 1.25; margin: 0; overflow-wrap: anywhere; }
section { margin-top: 40px; padding-top: 16px; border-top: 1px solid var(--report-line); }
h2 { font-size: 1.2em; line-height: 1.3; }
header p, footer { color: var(--report-faint); margin: 4px 0 0; overflow-wrap: anywhere; }
footer { margin-top: 36px; font-size: 0.9em; }
section > * { margin: 0; }
section > * + * { margin-top: 28px; }
section > h2 + * { margin-top: 12px; }
section > p { max-width: 90ch; overflow-wrap: anywhere; }
section > p + p { margin-top: 4px; }
summary { cursor: pointer; color: var(--report-faint); margin-top: 6px; width: fit-content; }
summary:focus-visible { outline: 2px solid var(--report-1); outline-offset: 2px; }
details[open] > summary { margin-bottom: 6px; }
@media print { body { max-width: none; padding: 0; font-size: 11pt; } .report-figure, tr { break-inside: avoid; } h2 { break-after: avoid; } summary { display: none; } }
`;

/**
 * A report as one HTML file that needs nothing else: no script, no address, and a policy that allows none; light or dark as the reader's system is, light on paper.
 * @param language BCP 47 tag of the strings
 */
export function reportHtml({ title, subtitle, sections }: ReportDocument, strings: ReportStrings = reportStrings, language = 'en'): string {
  const body = sections.map((section) => {
    const id = escapeMarkup(`section-${section.id}`);
    return `<section aria-labelledby="${id}">\n<h2 id="${id}">${escapeMarkup(section.title)}</h2>\n${section.blocks.map((block) => blockHtml(block, strings)).join('\n')}\n</section>`;
  });
  return `<!doctype html>
<html lang="${escapeMarkup(language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeMarkup(title)}</title>
<style>${reportColors}${reportStyles}${pageStyles}</style>
</head>
<body>
<header>
<h1>${escapeMarkup(title)}</h1>
<p>${escapeMarkup(subtitle)}</p>
</header>
<main>
${body.join('\n')}
</main>
<footer>${escapeMarkup(strings.writtenBy)}</footer>
</body>
</html>
`;
}

function blockHtml(block: ReportBlock, strings: ReportStrings): string {
  switch (block.kind) {
    case 'text':
      return `<p>${escapeMarkup(block.text)}</p>`;
    case 'table':
      return tableHtml(block);
    case 'figure': {
      const data = block.data === undefined ? '' : `\n<details><summary>${escapeMarkup(strings.figures)}</summary>${tableHtml(block.data)}</details>`;
      return `<figure class="report-figure"><figcaption>${escapeMarkup(block.caption)}</figcaption>${block.svg}${data}</figure>`;
    }
    case 'rows': {
      const header = [strings.file, strings.row, ...block.header].map((cell) => `<th scope="col">${escapeMarkup(cell)}</th>`);
      const rows = block.rows.map(
        ({ file, row, cells, text }) =>
          `<tr><td class="report-place">${escapeMarkup(file)}</td><td class="report-place">${row}</td>${cells.map((cell) => `<td>${escapeMarkup(cell)}</td>`).join('')}<td class="report-text" dir="auto">${escapeMarkup(text)}</td></tr>`,
      );
      return `<table class="report-table"><caption>${escapeMarkup(block.caption)}</caption><thead><tr>${header.join('')}</tr></thead><tbody>\n${rows.join('\n')}\n</tbody></table>`;
    }
  }
}

function tableHtml({ caption, header, rows, numeric }: Pick<TableBlock, 'caption' | 'header' | 'rows' | 'numeric'>): string {
  const className = (column: number): string => (numeric.includes(column) ? ' class="report-number"' : '');
  const head = header.map((cell, column) => `<th scope="col"${className(column)}>${escapeMarkup(cell)}</th>`);
  // the first cell names its row
  const body = rows.map((row) => `<tr>${row.map((cell, column) => (column === 0 ? `<th scope="row"${className(0)}>${escapeMarkup(cell)}</th>` : `<td${className(column)}>${escapeMarkup(cell)}</td>`)).join('')}</tr>`);
  return `<table class="report-table">${caption === undefined ? '' : `<caption>${escapeMarkup(caption)}</caption>`}<thead><tr>${head.join('')}</tr></thead><tbody>\n${body.join('\n')}\n</tbody></table>`;
}
