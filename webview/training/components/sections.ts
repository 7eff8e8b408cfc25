import type { FigureBlock, ReportBlock, ReportSection, RowsBlock, TableBlock } from '../../../src/core/report/document';
import { h } from '../../dom';
import { say } from '../strings';
import { figureView } from './figure';

export interface SectionsView {
  readonly element: HTMLElement;
  show(sections: readonly ReportSection[]): void;
}

interface Shown {
  readonly element: HTMLElement;
  readonly blocks: HTMLElement[];
  readonly title: HTMLElement;
  /** Each block as JSON. */
  content: string[];
}

/**
 * A report's sections. A section keeps its element by its id, and a block its element as long as it says the same, so that nothing jumps, and nobody loses the place, when a live report is renewed.
 *
 * @param reveal goes to a row of a file
 */
export function sectionsView(reveal: (file: string, row: number) => void): SectionsView {
  const element = h('div', { class: 'report stack' });
  const shown = new Map<string, Shown>();

  function renew(section: ReportSection): Shown {
    const known = shown.get(section.id) ?? { element: h('section', { class: 'report-section', 'data-section': section.id }), title: h('h3'), blocks: [], content: [] };
    shown.set(section.id, known);
    const content = section.blocks.map((block) => JSON.stringify(block));
    const blocks = section.blocks.map((block, index) => (known.content[index] === content[index] && known.blocks[index] ? known.blocks[index] : renewed(known.blocks[index], block)));
    if (known.title.textContent !== section.title) known.title.textContent = section.title;
    arrange(known.element, [known.title, ...blocks]);
    known.content = content;
    known.blocks.splice(0, Infinity, ...blocks);
    return known;
  }

  /** What was folded out, and what had the focus, stays so. */
  function renewed(before: HTMLElement | undefined, block: ReportBlock): HTMLElement {
    const next = blockView(block, reveal);
    const details = next.querySelector('details');
    if (details && before?.querySelector('details')?.open) details.open = true;
    return next;
  }

  return {
    element,
    show(sections) {
      const elements = sections.map((section) => renew(section).element);
      for (const id of [...shown.keys()]) if (!sections.some((section) => section.id === id)) shown.delete(id);
      arrange(element, elements);
    },
  };
}

/** Gives `parent` these children, in this order; one that is in its place is not touched, so that what has the focus in it keeps it. */
function arrange(parent: HTMLElement, children: readonly HTMLElement[]): void {
  for (const child of [...parent.children]) if (!children.includes(child as HTMLElement)) child.remove();
  for (const [index, child] of children.entries()) if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
}

function blockView(block: ReportBlock, reveal: (file: string, row: number) => void): HTMLElement {
  switch (block.kind) {
    case 'text':
      return h('p', { class: 'report-text' }, block.text);
    case 'table':
      return tableView(block);
    case 'figure': {
      const { data } = block as FigureBlock & { readonly data?: Pick<TableBlock, 'header' | 'rows' | 'numeric'> };
      return h('div', {}, figureView(block), data && h('details', { class: 'chart-table' }, h('summary', {}, say('asTable')), tableView(data)));
    }
    case 'rows':
      return rowsView(block, reveal);
  }
}

function tableView({ caption, header, rows, numeric }: Pick<TableBlock, 'caption' | 'header' | 'rows' | 'numeric'>): HTMLElement {
  const side = (column: number): string => (numeric.includes(column) ? 'number' : 'words');
  return h(
    'div',
    { class: 'table-scroll', tabindex: 0, role: 'group', 'aria-label': caption ?? header.join(', ') },
    h(
      'table',
      { class: 'report-table' },
      caption !== undefined && h('caption', {}, caption),
      h('thead', {}, h('tr', {}, ...header.map((cell, column) => h('th', { scope: 'col', class: side(column) }, cell)))),
      h('tbody', {}, ...rows.map((row) => h('tr', {}, ...row.map((cell, column) => (column === 0 ? h('th', { scope: 'row', class: side(column) }, cell) : h('td', { class: side(column) }, cell)))))),
    ),
  );
}

function rowsView({ caption, header, rows }: RowsBlock, reveal: (file: string, row: number) => void): HTMLElement {
  return h(
    'div',
    { class: 'table-scroll' },
    h(
      'table',
      { class: 'report-table report-rows' },
      h('caption', {}, caption),
      h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, say('row')), ...header.map((cell) => h('th', { scope: 'col' }, cell)))),
      h(
        'tbody',
        {},
        ...rows.map(({ file, row, cells, text }) =>
          h(
            'tr',
            {},
            h('th', { scope: 'row' }, h('button', { type: 'button', class: 'link', title: say('goToRow', String(row), file), 'aria-label': say('goToRow', String(row), file), onclick: () => reveal(file, row) }, String(row))),
            ...cells.map((cell) => h('td', { class: 'words' }, cell)),
            h('td', { class: 'row-text' }, h('bdi', {}, text)),
          ),
        ),
      ),
    ),
  );
}
