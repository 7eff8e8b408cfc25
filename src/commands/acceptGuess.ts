import { HumanError } from '../core/errors';
import { isSameValue, type DecisionValue } from '../core/labels/decision';
import { documentText } from '../editor/passages';
import type { Passage } from '../editor/selectionResults';
import { decideOn, offerTask, touchedPassages } from './decide';
import type { Workbench } from './workbench';

/** Decides as guessed for the segments or records that are selected: one act, and one undo, whatever the guesses are. */
export async function acceptGuess(workbench: Workbench): Promise<void> {
  const { annotations, session, passages: finder } = workbench;
  if (!annotations.task) return await offerTask();
  const { document, passages } = await touchedPassages(finder);
  const annotationOf = (passage: Passage): ReturnType<typeof annotations.of> => annotations.of(document, documentText(document, passage));
  const missing = passages.filter((passage) => annotationOf(passage).awaits).map(({ text }) => text);
  if (missing.length > 0) await session.predict(missing);
  const values = new Map<Passage, DecisionValue>();
  for (const passage of passages) {
    const value = annotationOf(passage).guess?.value;
    if (value !== undefined) values.set(passage, value);
  }
  const [first, ...others] = values.values();
  if (first === undefined) throw new HumanError('accept.none', 'There is no guess here that answers the question of the task. Choose the label yourself.');
  const isSame = others.every((value) => isSameValue(value, first));
  await decideOn(workbench, document, [...values.keys()], { status: 'labeled', origin: 'accept', ...(isSame ? { value: first } : { values }) });
}
