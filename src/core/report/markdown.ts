import { escapeMarkdown } from '../text/display';
import type { ReportBlock, ReportDocument, TableBlock } from './document';
import { reportStrings, type ReportStrings } from './strings';

/**
 * A report as Markdown. In the place of a picture stand its figures: GitHub shows neither SVG in a document nor pictures within their address.
 */
export function reportMarkdown({ title, subtitle, sections }: ReportDocument, strings: ReportStrings = reportStrings): string {
  const parts = [`# ${plain(title)}`, plain(subtitle)];
  for (const section of sections) parts.push(`## ${plain(section.title)}`, ...section.blocks.flatMap((block) => blockMarkdown(block, strings)));
  return `${[...parts, plain(strings.writtenBy)].join('\n\n')}\n`;
}

function blockMarkdown(block: ReportBlock, strings: ReportStrings): readonly string[] {
  switch (block.kind) {
    case 'text':
      return [plain(block.text)];
    case 'table':
      return [...(block.caption === undefined ? [] : [`**${plain(block.caption)}**`]), table(block)];
    case 'figure':
      return [`**${plain(block.caption)}**`, plain(block.description), ...(block.data === undefined ? [] : [table(block.data)])];
    case 'rows':
      return [
        `**${plain(block.caption)}**`,
        table({ header: [strings.file, strings.row, ...block.header], rows: block.rows.map(({ file, row, cells, text }) => [file, String(row), ...cells, text]), numeric: [1] }),
      ];
  }
}

function table({ header, rows, numeric }: Pick<TableBlock, 'header' | 'rows' | 'numeric'>): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(plain).join(' | ')} |`;
  return [line(header), `|${header.map((_, column) => (numeric.includes(column) ? '---:' : '---')).join('|')}|`, ...rows.map(line)].join('\n');
}

/** Words that Markdown leaves alone anywhere but at the beginning of a line stay readable in the source; all others are escaped. */
function plain(text: string): string {
  return text
    .trim()
    .split(/\s+/u)
    .map((word, at) => (/^[\p{L}\p{N}%±–…“”]+(?:[.,]\p{N}+)*[.,;:]?$/u.test(word) && !(at === 0 && /^\p{N}+\.$/u.test(word)) ? word : escapeMarkdown(word)))
    .join(' ');
}
