export type Child = Node | string | undefined | false;

interface Properties {
  readonly class?: string;
  /** Attributes; `true` sets an empty one, `false` and undefined none. */
  readonly [attribute: string]: string | number | boolean | undefined | ((event: never) => void);
}

/** An element with attributes (`class`, `role`, `aria-label` …), listeners (`onclick` …) and children. Strings become text, never markup. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, properties: Properties = {}, ...children: readonly Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value as (event: Event) => void);
    else setAttribute(element, name, value);
  }
  fill(element, ...children);
  return element;
}

/** Sets, changes or removes an attribute; leaves the DOM alone where nothing changes. */
export function setAttribute(element: Element, name: string, value: string | number | boolean | undefined): void {
  const text = value === true ? '' : value === undefined || value === false ? undefined : String(value);
  if (text === undefined) element.removeAttribute(name);
  else if (element.getAttribute(name) !== text) element.setAttribute(name, text);
}

/** Replaces what is in `element`. */
export function fill(element: Element, ...children: readonly Child[]): void {
  element.replaceChildren(...children.filter((child): child is Node | string => child !== undefined && child !== false && child !== ''));
}

/** Changes an element's text; leaves the DOM alone where it is the same. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function show(element: HTMLElement, visible: boolean): void {
  if (element.hidden === visible) element.hidden = !visible;
}

/** A share in 0..1 for the stylesheet, as `--share`. A strict content security policy allows it where a style attribute in markup would be refused. */
export function setShare(element: HTMLElement, share: number): void {
  element.style.setProperty('--share', String(Math.min(1, Math.max(0, share))));
}

let offered: HTMLElement | undefined;
window.addEventListener('focus', () => {
  offered?.focus({ preventScroll: true });
  offered = undefined;
});

/**
 * Moves the focus to an element because of what has happened, not because of a key or click here. While something else of VS Code has the keyboard,
 * an editor or the palette, focus() would take it away from whoever types there; so the element waits until the page is used again.
 */
export function offerFocus(element: HTMLElement): void {
  if (document.hasFocus()) element.focus({ preventScroll: true });
  else offered = element;
}

let ids = 0;
/** An id that no other element has. */
export function uniqueId(prefix: string): string {
  return `${prefix}-${++ids}`;
}
