import type { FigureBlock } from '../../../src/core/report/document';
import { h } from '../../dom';
import { say } from '../strings';

const namespace = 'http://www.w3.org/2000/svg';
/** What a drawing is made of; nothing among it runs, loads or leads anywhere. */
const elements: ReadonlySet<string> = new Set(['svg', 'g', 'defs', 'clipPath', 'title', 'desc', 'path', 'rect', 'circle', 'ellipse', 'line', 'polyline', 'polygon', 'text', 'tspan']);
/** Attributes that run or load something, or whose colours would not follow the theme. */
const refused = /^(on.*|style|href|xlink:.*|src|xmlns:.*|xml:base)$/i;
/** Attributes whose values are words, which may hold anything. */
const words = /^(aria-.*|class|id|role)$/;
/** Another value that leads outside of the drawing, or may do so in disguise: only its own parts may be named. */
const foreign = /url\s*\(\s*["']?(?!["'#])|\\|\/\*/i;

/** An SVG text as an element, if it draws and does nothing else. It is parsed as XML, which runs nothing, looked through as a whole, and only then taken over. */
export function drawingOf(svg: string): SVGSVGElement | undefined {
  const parsed = new DOMParser().parseFromString(svg, 'image/svg+xml');
  const root = parsed.documentElement;
  if (root.namespaceURI !== namespace || root.localName !== 'svg' || !root.hasAttribute('viewBox')) return undefined;
  if (![root, ...root.querySelectorAll('*')].every(isHarmless)) return undefined;
  return document.importNode(root, true) as Element as SVGSVGElement;
}

function isHarmless(element: Element): boolean {
  if (element.namespaceURI !== namespace || !elements.has(element.localName)) return false;
  return [...element.attributes].every(({ name, value }) => name === 'xmlns' ? value === namespace : !refused.test(name) && (words.test(name) || !foreign.test(value)));
}

/** A picture with its caption, and its sentence for who cannot see it. */
export function figureView(block: FigureBlock): HTMLElement {
  const drawing = drawingOf(block.svg);
  if (drawing) {
    drawing.setAttribute('role', 'img');
    drawing.setAttribute('aria-label', block.description);
  }
  return h('figure', { class: 'report-figure' }, drawing ? h('div', { class: 'drawing' }, drawing) : h('p', { class: 'faint' }, say('figureRefused', block.description)), h('figcaption', {}, block.caption));
}
