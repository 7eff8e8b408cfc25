import { fillTemplate } from '../errors';
import { excerpt } from '../text/display';
import type { ReportRow } from './document';

/** A row of the data that was judged on. */
export interface ReportPlace {
  /** The file as a person knows it. */
  readonly file: string;
  /** 1-based. */
  readonly row: number;
  readonly text: string;
}

/** Rows of the data that a list in a report shows at most. */
export const rowsListed = 20;
/** Characters of a text that a report shows. */
const textLength = 300;

export function reportRow({ file, row, text }: ReportPlace, cells: readonly string[]): ReportRow {
  return { file, row, cells, text: excerpt(text, textLength) };
}

/** `91.3 %`. Only what is all is 100, and only nothing is 0. */
export function percent(share: number): string {
  return `${share < 1 && share > 0.9994 ? '99.9' : share > 0 && share < 0.0005 ? '0.1' : (share * 100).toFixed(1)} %`;
}

/** A share, an F1 or a loss to so many digits; a dash where there is no number. */
export function decimal(value: number, digits = 3): string {
  return Number.isFinite(value) ? value.toFixed(digits).replace('-', '−') : '–';
}

/** A number in its own unit, to four significant digits. */
export function measure(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(4))).replace('-', '−') : '–';
}

export { fillTemplate as fill };
