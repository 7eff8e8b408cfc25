/**
 * A report as data: what the HTML file, the Markdown file and the panel all show, each in its own way. What is in it was put into words already, in the reader's language.
 */
export interface ReportDocument {
  readonly title: string;
  /** One line: of what, on which rows. */
  readonly subtitle: string;
  readonly sections: readonly ReportSection[];
}

export interface ReportSection {
  /** Unique in the report; stays the same when a live report is renewed, so that a panel changes what has changed. */
  readonly id: string;
  readonly title: string;
  readonly blocks: readonly ReportBlock[];
}

export type ReportBlock = TextBlock | TableBlock | FigureBlock | RowsBlock;

export interface TextBlock {
  readonly kind: 'text';
  readonly text: string;
}

export interface TableBlock {
  readonly kind: 'table';
  readonly caption?: string;
  readonly header: readonly string[];
  /** As many cells as in the header. */
  readonly rows: readonly (readonly string[])[];
  /** Columns, from 0, whose cells are numbers and stand at the right. */
  readonly numeric: readonly number[];
}

export interface FigureBlock {
  readonly kind: 'figure';
  /** An `<svg>` element with a viewBox and no script, style attribute or address in it; colours by classes alone, which `reportStyles` gives and a panel may give in its own theme. */
  readonly svg: string;
  readonly caption: string;
  /** What is to be seen, in a sentence, for who cannot see it. */
  readonly description: string;
  /** The figures themselves, or the most telling of them: what Markdown shows in the place of the picture, and the HTML file below it on request. */
  readonly data?: Pick<TableBlock, 'header' | 'rows' | 'numeric'>;
}

/** Rows of the data that one can go to. */
export interface RowsBlock {
  readonly kind: 'rows';
  readonly caption: string;
  /** Of {@link ReportRow.cells}, then the text. */
  readonly header: readonly string[];
  readonly rows: readonly ReportRow[];
}

export interface ReportRow {
  /** The file as a person knows it. */
  readonly file: string;
  /** 1-based, as everywhere. */
  readonly row: number;
  readonly cells: readonly string[];
  readonly text: string;
}
