import { HumanError } from '../core/errors';
import type { DecisionValue } from '../core/labels/decision';
import { documentText } from '../editor/passages';
import type { Passage } from '../editor/selectionResults';
import { decideOn, offerTask, touchedPassages } from './decide';
import type { Workbench } from './workbench';

/** Decides as guessed for the segments or records that are selected: one decision, and one undo, for each answer among them. */
export async function acceptGuess(workbench: Workbench): Promise<void> {
  const { annotations, session, passages: finder } = workbench;
  if (!annotations.task) return await offerTask();
  const { document, passages } = await touchedPassages(finder);
  const annotationOf = (passage: Passage): ReturnType<typeof annotations.of> => annotations.of(document, documentText(document, passage));
  const missing = passages.filter((passage) => annotationOf(passage).awaits).map(({ text }) => text);
  if (missing.length > 0) await session.predict(missing);
  const byAnswer = new Map<string, { readonly value: DecisionValue; readonly passages: Passage[] }>();
  for (const passage of passages) {
    const value = annotationOf(passage).guess?.value;
    if (value === undefined) continue;
    const key = JSON.stringify(value);
    const group = byAnswer.get(key) ?? { value, passages: [] };
    group.passages.push(passage);
    byAnswer.set(key, group);
  }
  if (byAnswer.size === 0) throw new HumanError('accept.none', 'There is no guess here that answers the question of the task. Choose the label yourself.');
  for (const group of byAnswer.values()) await decideOn(workbench, document, group.passages, { status: 'labeled', value: group.value, origin: 'accept' });
}
