import type { DecisionStatus, DecisionValue } from '../../src/core/labels/decision';
import type { Label } from '../../src/core/labels/task';
import type { PanelTask } from '../../src/core/protocol/panel';
import { shapeOf, STYLES } from '../../src/core/labels/shapes';
import { h, type Child } from '../dom';
import { measure, say } from '../strings';

/** Class that gives an element its label's colour, as `--label-color`. */
export function colorClass(label: Pick<Label, 'color'>): string {
  return `color-${label.color % STYLES}`;
}

/** Shape and name of a label, in its colour. */
export function labelMark(label: Label): HTMLElement {
  return h('span', { class: `label-mark ${colorClass(label)}` }, shapeMark(label), h('bdi', {}, label.name));
}

export function shapeMark(label: Pick<Label, 'color'>): HTMLElement {
  return h('span', { class: `shape ${colorClass(label)}`, 'aria-hidden': 'true' }, shapeOf(label.color));
}

/** The label with that id, or the one that it was merged into. Whoever made the file may have merged in a circle. */
export function labelOf(task: PanelTask, id: string): Label | undefined {
  const { labels } = task.definition;
  let label = labels.find((each) => each.id === id);
  for (let hop = 0; label?.mergedInto !== undefined && hop < labels.length; hop++) {
    const { mergedInto } = label;
    label = labels.find((each) => each.id === mergedInto) ?? label;
  }
  return label;
}

export function labelName(task: PanelTask, id: string): string {
  return labelOf(task, id)?.name ?? id;
}

/** Marks of what was decided or guessed. */
export function valueMarks(task: PanelTask, value: DecisionValue): Child[] {
  if (typeof value === 'number') return [measure(value)];
  const ids = typeof value === 'string' ? [value] : value;
  if (ids.length === 0) return [say('noLabel')];
  return ids.map((id) => {
    const label = labelOf(task, id);
    return label ? labelMark(label) : id;
  });
}

/** What was decided or guessed, as text. */
export function valueText(task: PanelTask, value: DecisionValue): string {
  if (typeof value === 'number') return measure(value);
  const ids = typeof value === 'string' ? [value] : value;
  return ids.length === 0 ? say('noLabel') : ids.map((id) => labelName(task, id)).join(' · ');
}

export function statusText(status: DecisionStatus): string {
  switch (status) {
    case 'labeled':
      return say('statusLabeled');
    case 'skipped':
      return say('statusSkipped');
    case 'flagged':
      return say('statusFlagged');
    case 'cleared':
      return say('statusOpen');
  }
}

/** Whether two answers say the same. */
export function sameValue(one: DecisionValue | undefined, other: DecisionValue | undefined): boolean {
  if (Array.isArray(one) && Array.isArray(other)) return one.length === other.length && one.every((id) => other.includes(id));
  return one === other;
}

/** A key as it stands on a keyboard. */
export function keyCap(key: string): HTMLElement {
  return h('kbd', {}, key.length === 1 ? key.toUpperCase() : key);
}
