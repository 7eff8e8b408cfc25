import * as fc from 'fast-check';
import type { Decision, DecisionValue } from '../../../src/core/labels/decision';
import type { TaskDefinition } from '../../../src/core/labels/task';
import { newLabels } from '../../../src/core/labels/task';
import { exampleId } from '../../../src/core/text/normalize';

/** A task with the labels good, bad and mixed. */
export const task: TaskDefinition = { formatVersion: 1, name: 'reviews', kind: 'single', labels: newLabels(['good', 'bad', 'mixed']), sources: [{ kind: 'table', file: 'reviews.csv', textColumns: ['text'] }] };

/** A decision on the text `text`, `second` seconds after noon. */
export function decision(second: number, text: string, label: DecisionValue | undefined, more: Partial<Decision> = {}): Decision {
  const { status = label === undefined ? 'skipped' : 'labeled' } = more;
  return { at: new Date(Date.UTC(2026, 10, 20, 12, 0, second)).toISOString(), example: exampleId(text), text, ...(label === undefined ? {} : { label }), annotator: 'mei', origin: 'key', ...more, status };
}

/** Texts of all kinds, broken surrogate pairs and what is special in JSON included. */
const anyText = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 80 }), fc.string({ unit: 'binary', maxLength: 40 }), fc.constantFrom('', '\ud800', '"\\\n\u2028', '很好 👍', 'مرحبا'));
const name = fc.oneof(fc.constantFrom('good', 'bad', '很好', '__proto__'), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }));
const value: fc.Arbitrary<DecisionValue> = fc.oneof(name, fc.uniqueArray(name, { maxLength: 4 }), fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0));
const at = fc.date({ min: new Date('1970-01-01T00:00:00.000Z'), max: new Date('2100-01-01T00:00:00.000Z'), noInvalidDate: true }).map((date) => date.toISOString());
const source = fc.record({ file: fc.string({ minLength: 1, maxLength: 30 }), row: fc.integer({ min: 1 }), start: fc.nat(), end: fc.nat() }, { requiredKeys: ['file'], noNullPrototype: true });

/** Every decision that may stand in a journal. */
export const anyDecision: fc.Arbitrary<Decision> = fc
  .record(
    {
      at,
      example: anyText.map(exampleId),
      source,
      text: anyText,
      status: fc.constantFrom('labeled', 'skipped', 'flagged', 'cleared'),
      label: value,
      annotator: name,
      origin: fc.constantFrom('key', 'accept', 'bulk', 'import', 'editor'),
      decidedAt: fc.date({ min: new Date('1970-01-01T00:00:00.000Z'), max: new Date('2020-01-01T00:00:00.000Z'), noInvalidDate: true }).map((date) => date.toISOString()),
      prediction: fc.record({ label: value, score: fc.double({ min: 0, max: 1, noNaN: true }).map((number) => number + 0), model: name }, { noNullPrototype: true }),
      group: name,
      undo: name,
      redo: name,
    },
    { requiredKeys: ['at', 'example', 'text', 'status', 'label', 'annotator', 'origin'], noNullPrototype: true },
  )
  .chain(({ label, decidedAt, ...others }): fc.Arbitrary<Decision> => {
    const rest = { ...others, ...(decidedAt !== undefined && decidedAt <= others.at ? { decidedAt } : {}) };
    const labeled = fc.constant<Decision>({ ...rest, label });
    const bare = fc.constant<Decision>(rest);
    return rest.status === 'labeled' ? labeled : rest.status === 'flagged' ? fc.oneof(labeled, bare) : bare;
  });
