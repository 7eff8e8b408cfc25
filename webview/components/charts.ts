import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { h } from '../dom';
import { number, percent } from '../strings';

/** A chart that follows the width it is given and the theme. */
export interface Chart {
  readonly element: HTMLElement;
  setData(data: uPlot.AlignedData, description: string): void;
}

export interface ChartSeries {
  readonly name: string;
  /** Name of the theme variable of its colour, with another where a theme lacks it. */
  readonly color: readonly [string, string];
  /** `area` draws nothing itself: it bounds a band. */
  readonly look: 'line' | 'dashed' | 'points' | 'area';
  /** Axis; both go from 0 to 1 as far as they are shares. */
  readonly scale?: 'share' | 'loss';
}

export interface ChartOptions {
  readonly x: string;
  readonly xShare?: boolean;
  readonly series: readonly ChartSeries[];
  /** Two series, by index counting from 1, between which the interval is shaded. */
  readonly band?: readonly [number, number];
}

/** In CSS pixels. */
const height = 190;
/** Distances of ticks where there is nothing between whole numbers, such as epochs. */
const wholeSteps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 50_000, 100_000, 1_000_000];

/** A line chart. Its description, and the table that belongs beside it, tell the same to those who do not see it. */
export function chart(options: ChartOptions): Chart {
  const canvas = h('div', { class: 'chart-canvas', role: 'img' });
  const element = h('div', { class: 'chart' }, canvas, legend(options.series));
  let plot: uPlot | undefined;
  let data: uPlot.AlignedData | undefined;

  function draw(): void {
    plot?.destroy();
    plot = undefined;
    const width = canvas.clientWidth;
    if (!data || width === 0) return;
    plot = new uPlot({ ...settings(options), width, height }, data, canvas);
  }

  let drawnWidth = 0;
  new ResizeObserver(() => {
    const width = canvas.clientWidth;
    if (width === drawnWidth) return;
    drawnWidth = width;
    if (plot && width > 0) plot.setSize({ width, height });
    else draw();
  }).observe(canvas);
  onThemeChange(draw);

  return {
    element,
    setData(next, description) {
      canvas.setAttribute('aria-label', description);
      data = next;
      if (plot) plot.setData(next);
      else draw();
    },
  };
}

/** Names of the lines, each with a piece of it. */
function legend(series: readonly ChartSeries[]): HTMLElement {
  const entries = series.filter(({ look }) => look !== 'area').map(({ name, color, look }) => {
    const sample = h('span', { class: `sample ${look}`, 'aria-hidden': 'true' });
    sample.style.setProperty('--series', `var(${color[0]}, ${color[1]})`);
    return h('li', {}, sample, name);
  });
  return h('ul', { class: 'legend' }, ...entries);
}

function settings({ x, xShare, series, band }: ChartOptions): Omit<uPlot.Options, 'width' | 'height'> {
  const ink = themeColor('--vscode-foreground', '#888');
  const faint = themeColor('--vscode-editorWidget-border', '--vscode-widget-border', 'rgba(128, 128, 128, 0.35)');
  const font = `11px ${themeColor('--vscode-font-family', 'sans-serif')}`;
  const axis = (label: string, share: boolean, extra: uPlot.Axis = {}): uPlot.Axis => ({
    ...(label === '' ? {} : { label, labelSize: 18, labelFont: font }),
    font,
    stroke: ink,
    grid: { stroke: faint, width: 1 },
    ticks: { stroke: faint, width: 1, size: 4 },
    values: (_plot, values) => values.map((value) => (share ? percent(value) : number(value, 2))),
    ...extra,
  });
  const share = series.filter(({ scale }) => scale !== 'loss');
  const loss = series.filter(({ scale }) => scale === 'loss');
  return {
    cursor: { show: false },
    select: { show: false, left: 0, top: 0, width: 0, height: 0 },
    legend: { show: false },
    scales: {
      x: { time: false, ...(xShare ? { range: [0, 1] } : {}) },
      share: { range: (_plot, low, high) => shareRange(low, high, xShare === true) },
      loss: { range: (_plot, _low, high) => [0, Math.max(0.1, (high ?? 1) * 1.1)] },
    },
    axes: [
      axis(x, xShare === true, { size: 24, ...(xShare ? {} : { incrs: wholeSteps }) }),
      ...(share.length > 0 ? [axis('', true, { scale: 'share', size: 48 })] : []),
      ...(loss.length > 0 ? [axis('', false, { scale: 'loss', size: 48, ...(share.length > 0 ? { side: 1, grid: { show: false } } : {}) })] : []),
    ],
    series: [
      {},
      ...series.map(({ name, color, look, scale }): uPlot.Series => {
        const stroke = themeColor(...color, '#3794ff');
        if (look === 'area') return { label: name, scale: 'share', stroke: 'transparent', width: 0, points: { show: false } };
        return {
          label: name,
          scale: scale ?? 'share',
          stroke,
          spanGaps: true,
          width: look === 'points' ? 0 : 2,
          ...(look === 'dashed' ? { dash: [5, 4] } : {}),
          points: { show: look !== 'dashed', size: look === 'points' ? 8 : 5, fill: stroke, stroke },
        };
      }),
    ],
    ...(band ? { bands: [{ series: [band[0], band[1]] as [number, number], fill: withAlpha(themeColor(...(series[0]?.color ?? ['--vscode-charts-blue', '#3794ff']), '#3794ff')) }] } : {}),
  };
}

/** Shares from a round tenth below the lowest up to 1; all of 0..1 where both axes are shares. */
function shareRange(low: number | null, high: number | null, whole: boolean): [number, number] {
  if (whole || low === null || high === null) return [0, 1];
  return [Math.max(0, Math.floor(low * 10 - 0.5) / 10), Math.min(1, Math.ceil(high * 10 + 0.5) / 10)];
}

/** The first of the theme's variables that is set, else what is no variable. Canvases know no variables. */
function themeColor(...names: readonly string[]): string {
  const styles = getComputedStyle(document.body);
  for (const name of names) {
    const value = name.startsWith('--') ? styles.getPropertyValue(name).trim() : name;
    if (value !== '') return value;
  }
  return 'gray';
}

function withAlpha(color: string): string {
  return /^#[0-9a-f]{6}$/i.test(color) ? `${color}33` : 'rgba(128, 128, 128, 0.25)';
}

const themeListeners: (() => void)[] = [];
function onThemeChange(listener: () => void): void {
  if (themeListeners.length === 0) {
    // VS Code sets the variables on <html> and names the theme on <body>
    const observer = new MutationObserver(() => themeListeners.forEach((each) => each()));
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ['style', 'class'] });
    observer.observe(document.body, { attributes: true, attributeFilter: ['class', 'data-vscode-theme-id'] });
  }
  themeListeners.push(listener);
}

/** A table with the numbers of a chart, folded away. */
export function chartTable(summary: string, head: readonly string[], rows: readonly (readonly string[])[]): HTMLElement {
  return h(
    'details',
    { class: 'chart-table' },
    h('summary', {}, summary),
    h('table', {}, h('thead', {}, h('tr', {}, ...head.map((each) => h('th', { scope: 'col' }, each)))), h('tbody', {}, ...rows.map((row) => h('tr', {}, ...row.map((each) => h('td', {}, each)))))),
  );
}
