/**
 * Charts as `<svg>` elements: pure functions of their figures. Colours come by classes alone (`styles.ts`); what is told apart by colour is told apart by its line or mark too.
 */
import { escapeMarkup } from './markup';

export type Point = readonly [x: number, y: number];
export type Range = readonly [low: number, high: number];

/** What all charts have. */
export interface ChartFrame {
  /** What is to be seen, in a sentence: the picture's name for who cannot see it. */
  readonly title: string;
}

export interface Axis {
  readonly label: string;
  /** Where it begins and ends; else by the figures, to nice numbers. */
  readonly range?: Range;
  /** There is nothing between whole numbers. */
  readonly isWhole?: boolean;
}

export interface Series {
  readonly name: string;
  /** In drawing order. Where a coordinate is not finite a line is broken. */
  readonly points: readonly Point[];
  /** `stairs` goes up or down before it goes across: a point's value holds from the point before on. */
  readonly line: 'solid' | 'dashed' | 'stairs' | 'none';
  /** A mark at each point. */
  readonly marks?: boolean;
  /** Which of the eight colours, from 1; 0: the faint one of guides. */
  readonly color: number;
}

export interface XyChart extends ChartFrame {
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
  /** Vertical lines with a word beside them. */
  readonly verticals?: readonly { readonly x: number; readonly label: string }[];
}

/** Points drawn of one series at most; a longer one is thinned evenly. */
const mostPoints = 2000;
const fontSize = 12;

/** Lines and points over two axes. */
export function xyChart({ title, x, y, series, verticals = [] }: XyChart): string {
  const isDrawn = (point: Point): boolean => point.every(Number.isFinite);
  const points = series.flatMap((each) => each.points.filter(isDrawn));
  const area = plotArea({ x: axisOf(x, [...points.map((point) => point[0]), ...verticals.map((vertical) => vertical.x)]), y: axisOf(y, points.map((point) => point[1])) }, series.length > 1);
  const parts = [axes(area, x.label, y.label)];
  // over the lines
  const words: string[] = [];
  for (const vertical of verticals) {
    const at = area.toX(vertical.x);
    const isRight = at > (area.left + area.right) / 2;
    parts.push(`<path class="report-stroke-0 report-dashed" d="M${short(at)} ${area.top}V${area.bottom}"/>`);
    words.push(textAt(at + (isRight ? -5 : 5), area.top + fontSize, vertical.label, isRight ? 'end' : 'start', 'report-over-text', 11));
  }
  for (const each of series) {
    const shown = thinned(each.points);
    if (each.line !== 'none') {
      const path = pathOf(shown, area, each.line === 'stairs');
      if (path !== '') parts.push(`<path class="report-line report-stroke-${each.color}${each.line === 'dashed' ? ' report-dashed' : ''}" d="${path}"/>`);
    }
    if (each.marks) parts.push(...shown.filter(isDrawn).map((point) => mark(area.toX(point[0]), area.toY(point[1]), each.color, isCloud(each))));
  }
  parts.push(...words);
  if (series.length > 1) parts.push(legend(series, area));
  return svg(title, area.width, area.height, parts);
}

export interface BarChart extends ChartFrame {
  readonly x: Axis;
  readonly y: Axis;
  /** Each from one x to another, from 0 up to y. */
  readonly bars: readonly { readonly from: number; readonly to: number; readonly y: number; /** Above the bar. */ readonly label: string }[];
  /** A dashed line over the bars. */
  readonly guide?: { readonly name: string; readonly points: readonly Point[] };
}

/** Bars over a numeric axis. */
export function barChart({ title, x, y, bars, guide }: BarChart): string {
  const guides: readonly Series[] = guide ? [{ ...guide, line: 'dashed', color: 0 }] : [];
  const area = plotArea({ x: axisOf(x, bars.flatMap(({ from, to }) => [from, to])), y: axisOf(y, [0, ...bars.map((bar) => bar.y)]) }, guides.length > 0);
  const parts = [axes(area, x.label, y.label)];
  for (const { from, to, y: top } of bars) {
    const left = area.toX(from) + 1;
    const width = Math.max(0, area.toX(to) - 1 - left);
    parts.push(`<rect class="report-fill-1" x="${short(left)}" y="${short(area.toY(top))}" width="${short(width)}" height="${short(area.toY(0) - area.toY(top))}"/>`);
  }
  for (const { points } of guides) parts.push(`<path class="report-line report-stroke-0 report-dashed" d="${pathOf(points, area, false)}"/>`);
  for (const { from, to, y: top, label } of bars) parts.push(textAt((area.toX(from) + area.toX(to)) / 2, area.toY(top) - 5, label, 'middle', 'report-over-text', 11));
  if (guides.length > 0) parts.push(legend(guides, area));
  return svg(title, area.width, area.height, parts);
}

export interface IntervalChart extends ChartFrame {
  readonly x: Axis;
  /** From top to bottom. */
  readonly rows: readonly { readonly name: string; readonly value: number; readonly low: number; readonly high: number }[];
}

/** A point with its interval for each name. */
export function intervalChart({ title, x, rows }: IntervalChart): string {
  const names = rows.map(({ name }) => clipped(name, 28));
  const left = 16 + Math.max(0, ...names.map(widthOf));
  const [top, step] = [8, 30];
  const scale = axisOf(x, rows.flatMap(({ low, high, value }) => [low, high, value]));
  const area = areaOf({ left, top, right: chartWidth - 20, bottom: top + step * rows.length }, scale, { low: 0, high: 1, ticks: [] });
  const parts = [axes(area, x.label, '')];
  rows.forEach(({ value, low, high }, at) => {
    const y = top + step * (at + 0.5);
    parts.push(
      textAt(left - 8, y + 4, names[at] ?? '', 'end'),
      `<path class="report-line report-stroke-1" d="M${short(area.toX(low))} ${y}H${short(area.toX(high))}M${short(area.toX(low))} ${y - 5}v10M${short(area.toX(high))} ${y - 5}v10"/>`,
      mark(area.toX(value), y, 1, false),
    );
  });
  return svg(title, area.width, area.height, parts);
}

export interface HeatMap extends ChartFrame {
  /** What the rows and the columns are. */
  readonly rowTitle: string;
  readonly columnTitle: string;
  readonly labels: readonly string[];
  /** Counts, as many rows and columns as labels. */
  readonly matrix: readonly (readonly number[])[];
}

/** A square matrix of counts, each cell as dark as its share of its row. Readable up to about fifty labels: the cells of many hold their count alone, those of very many a number only where it is not 0. */
export function heatMap({ title, rowTitle, columnTitle, labels, matrix }: HeatMap): string {
  const size = labels.length;
  // cells as large as there is room for, labels turned where they would not fit into a column
  const cell = size <= 3 ? 96 : size <= 6 ? 72 : size <= 10 ? 52 : size <= 20 ? 34 : 20;
  const numbers = size <= 10 ? 13 : size <= 20 ? 11 : 8;
  const names = size <= 20 ? 12 : 10;
  const shown = labels.map((label) => clipped(label, 22));
  const widest = Math.max(0, ...shown.map(widthOf)) * (names / fontSize);
  const isTurned = widest > cell - 8;
  const left = 30 + widest + 8;
  const top = 28 + (isTurned ? widest : names) + 8;
  const width = Math.max(left + cell * size + 8, left + widthOf(columnTitle));
  const height = Math.max(top + cell * size + 8, top / 2 + widthOf(rowTitle));
  const middle = { x: left + (cell * size) / 2, y: top + (cell * size) / 2 };
  const parts = [textAt(middle.x, 16, columnTitle, 'middle', 'report-faint-text'), textAt(16, middle.y, rowTitle, 'middle', 'report-faint-text', fontSize, -90)];
  shown.forEach((name, at) => {
    const along = cell * (at + 0.5);
    const column = left + along + (isTurned ? names / 3 : 0);
    parts.push(
      textAt(left - 8, top + along + names / 3, name, 'end', undefined, names),
      isTurned ? textAt(column, top - 8, name, 'start', undefined, names, -90) : textAt(column, top - 8, name, 'middle', undefined, names),
    );
  });
  matrix.forEach((counts, row) => {
    const total = counts.reduce((sum, count) => sum + count, 0);
    counts.forEach((count, column) => {
      const share = total === 0 ? 0 : count / total;
      const [x, y] = [left + cell * column, top + cell * row];
      const [centre, line] = [x + cell / 2, y + cell / 2 + numbers / 3];
      parts.push(`<rect class="report-cell" x="${short(x)}" y="${short(y)}" width="${cell}" height="${cell}"/>`);
      if (count > 0) parts.push(`<rect class="report-heat" fill-opacity="${short(0.08 + 0.92 * share)}" x="${short(x)}" y="${short(y)}" width="${cell}" height="${cell}"/>`);
      if (size <= 10) parts.push(textAt(centre, line - 8, String(count), 'middle', undefined, numbers), textAt(centre, line + 9, `${Math.round(share * 100)} %`, 'middle', undefined, 10));
      else if (count > 0 || size <= 20) parts.push(textAt(centre, line, brief(count, size > 20 ? 4 : 5), 'middle', undefined, numbers));
    });
  });
  return svg(title, width, height, parts);
}

interface Scale {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly { readonly at: number; readonly text: string }[];
}

interface Area {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly width: number;
  readonly height: number;
  readonly x: Scale;
  readonly y: Scale;
  readonly toX: (value: number) => number;
  readonly toY: (value: number) => number;
}

const chartWidth = 640;
const chartHeight = 340;

/**
 * Ticks at 1, 2 or 5 times a power of ten: Heckbert, "Nice numbers for graph labels" (Graphics Gems, 1990).
 * @param count ticks wanted, about
 * @returns rising, from the last nice number at or below `low` to the first at or above `high`
 */
export function niceTicks(low: number, high: number, count = 6): readonly number[] {
  const step = niceStep((high - low) / Math.max(1, count - 1));
  const [first, last] = [Math.floor(low / step + 1e-9), Math.ceil(high / step - 1e-9)];
  // as quotients where the step is below 1, so that 0.3 is 0.3
  return Array.from({ length: last - first + 1 }, (_, at) => (step < 1 ? (first + at) / Math.round(1 / step) : (first + at) * step));
}

function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const share = rough / power;
  return power * (share < 1.5 ? 1 : share < 3 ? 2 : share < 7 ? 5 : 10);
}

function axisOf({ range, isWhole = false }: Axis, values: readonly number[]): Scale {
  let low = range?.[0] ?? Infinity;
  let high = range?.[1] ?? -Infinity;
  if (!range) {
    for (const value of values) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  if (!(high >= low)) [low, high] = [0, 1];
  // a single value stands in the middle, and so do values that floating-point numbers hardly tell apart
  const magnitude = Math.max(Math.abs(low), Math.abs(high));
  if (high - low <= Math.max(magnitude * 1e-12, 1e-200)) {
    const room = magnitude > 1e-200 ? magnitude / 2 : 0.5;
    [low, high] = [low - room, high + room];
  }
  const ticks = niceTicks(low, high, isWhole ? Math.min(6, Math.ceil(high) - Math.floor(low) + 1) : 6);
  const largest = Math.max(...ticks.map(Math.abs));
  const digits = Math.max(0, -Math.floor(Math.log10(Math.max(Number.MIN_VALUE, (ticks[1] ?? 1) - (ticks[0] ?? 0))) + 1e-9));
  const textOf = (value: number): string => (largest >= 1e7 || digits > 6 ? value.toExponential(1) : largest >= 1e5 ? `${Number((value / 1000).toFixed(3))}k` : value.toFixed(digits)).replace('-', '−');
  return { low: ticks[0] ?? 0, high: ticks.at(-1) ?? 1, ticks: ticks.map((at) => ({ at, text: textOf(at) })) };
}

function plotArea({ x, y }: { readonly x: Scale; readonly y: Scale }, hasLegend: boolean): Area {
  const left = 34 + Math.max(...y.ticks.map(({ text }) => widthOf(text)));
  return areaOf({ left, right: chartWidth - 20, top: hasLegend ? 36 : 12, bottom: chartHeight - 48 }, x, y);
}

function areaOf(edges: Pick<Area, 'left' | 'right' | 'top' | 'bottom'>, x: Scale, y: Scale): Area {
  const { left, right, top, bottom } = edges;
  return {
    ...edges,
    x,
    y,
    width: chartWidth,
    height: bottom + 48,
    toX: (value) => left + ((value - x.low) / (x.high - x.low)) * (right - left),
    toY: (value) => bottom - ((value - y.low) / (y.high - y.low)) * (bottom - top),
  };
}

function axes({ left, right, top, bottom, x, y, toX, toY }: Area, xLabel: string, yLabel: string): string {
  return [
    ...y.ticks.map(({ at, text }) => `<path class="report-grid" d="M${short(left)} ${short(toY(at))}H${right}"/>${textAt(left - 6, toY(at) + 4, text, 'end', 'report-faint-text', 11)}`),
    ...x.ticks.map(({ at, text }) => `<path class="report-grid" d="M${short(toX(at))} ${top}V${bottom}"/>${textAt(toX(at), bottom + 16, text, 'middle', 'report-faint-text', 11)}`),
    `<path class="report-axis" d="M${short(left)} ${top}V${bottom}H${right}"/>`,
    textAt((left + right) / 2, bottom + 38, xLabel, 'middle', 'report-faint-text'),
    ...(yLabel === '' ? [] : [textAt(14, (top + bottom) / 2, yLabel, 'middle', 'report-faint-text', fontSize, -90)]),
  ].join('');
}

function legend(series: readonly Series[], { left }: Area): string {
  let x = left;
  return series
    .map((one) => {
      const { name, line, marks, color } = one;
      const start = x;
      x += 34 + widthOf(name) + 18;
      const sample = line === 'none' ? '' : `<path class="report-line report-stroke-${color}${line === 'dashed' ? ' report-dashed' : ''}" d="M${short(start)} 18h26"/>`;
      return sample + (marks ? mark(start + 13, 18, color, isCloud(one)) : '') + textAt(start + 34, 22, name, 'start');
    })
    .join('');
}

/** Many points without a line. */
function isCloud({ line, points }: Series): boolean {
  return line === 'none' && points.length > 20;
}

/** A point; of a cloud a fainter and smaller one, so that many over each other are seen to be many. */
function mark(x: number, y: number, color: number, isFaint: boolean): string {
  return `<circle class="report-fill-${color}"${isFaint ? ' fill-opacity="0.45"' : ''} cx="${short(x)}" cy="${short(y)}" r="${isFaint ? 2.5 : 3.5}"/>`;
}

function pathOf(points: readonly Point[], { toX, toY }: Area, isStairs: boolean): string {
  let path = '';
  let isPenDown = false;
  for (const [x, y] of points) {
    if (!Number.isFinite(x) || !Number.isFinite(y)) {
      isPenDown = false;
      continue;
    }
    path += !isPenDown ? `M${short(toX(x))} ${short(toY(y))}` : isStairs ? `V${short(toY(y))}H${short(toX(x))}` : `L${short(toX(x))} ${short(toY(y))}`;
    isPenDown = true;
  }
  return path;
}

/** Every n-th point and the last. */
function thinned(points: readonly Point[]): readonly Point[] {
  const stride = Math.ceil(points.length / mostPoints);
  return stride <= 1 ? points : points.filter((_, at) => at % stride === 0 || at === points.length - 1);
}

function textAt(x: number, y: number, text: string, anchor: 'start' | 'middle' | 'end', className?: string, size = fontSize, turn = 0): string {
  const turned = turn === 0 ? '' : ` transform="rotate(${turn} ${short(x)} ${short(y)})"`;
  return `<text x="${short(x)}" y="${short(y)}" text-anchor="${anchor}" font-size="${size}"${className === undefined ? '' : ` class="${className}"`}${turned}>${escapeMarkup(text)}</text>`;
}

function svg(title: string, width: number, height: number, parts: readonly string[]): string {
  const name = escapeMarkup(title);
  const [w, h] = [Math.ceil(width), Math.ceil(height)];
  return `<svg xmlns="http://www.w3.org/2000/svg" class="report-chart" viewBox="0 0 ${w} ${h}" width="${w}" height="${h}" role="img" aria-label="${name}"><title>${name}</title>${parts.join('')}</svg>`;
}

/** Units that a text takes at the size of {@link fontSize}, about: there is nothing to measure with here. Chinese characters are as wide as they are high. */
function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += /[\u1100-\u11FF\u2E80-\uD7AF\uF900-\uFAFF\uFE30-\uFE4F\uFF00-\uFFEF]|[^\u0000-\uFFFF]/u.test(character) ? 12 : /[A-Z@%MWmw]/.test(character) ? 9 : 6.6;
  return width;
}

function clipped(text: string, length: number): string {
  const characters = Array.from(text);
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join('')}…`;
}

/** A count in at most so many characters. */
function brief(count: number, characters: number): string {
  const whole = String(count);
  return whole.length <= characters ? whole : count >= 1e6 ? `${Math.round(count / 1e6)}M` : `${Math.round(count / 1000)}k`;
}

/** A coordinate to a tenth of a unit. */
function short(value: number): string {
  return String(Math.round(value * 100) / 100);
}
