import type { TaskKind } from '../core/model/onnxWriter';

/** Decisions that each label needs before the model's word counts. */
const neededOfLabel = 5;
/** A label that is still short of them after so many decisions a label is rare: it holds up the others no longer. */
const patience = 10;
/** Decisions that a task of numbers needs. */
const neededNumbers = 10;
/** How far a head has to get beyond chance. */
const neededSkill = 0.1;

/**
 * Whether a head has enough decisions for its word to count: 5 of each label. A rare label would hold that up for ever (1 text in 60 needs 300 random decisions), so after 10 decisions a label, two labels with
 * 5 are enough (one for `multi`, where every answer is also a no to other labels).
 *
 * @param counts [labels] decisions for each
 * @param decisions in all
 */
export function isTrusted(kind: TaskKind, counts: Int32Array, decisions: number): boolean {
  if (kind === 'number') return decisions >= neededNumbers;
  const enough = counts.reduce((sum, count) => sum + (count >= neededOfLabel ? 1 : 0), 0);
  if (enough === counts.length) return decisions >= neededOfLabel;
  return decisions >= patience * counts.length && enough >= (kind === 'multi' ? 1 : 2);
}

/** Whether a head does clearly better than chance on decisions that it did not see. @param skill see `BlendChoice`; undefined where it was not measured, which speaks neither for nor against it */
export function hasSkill(skill: number | undefined): boolean {
  return skill === undefined || skill >= neededSkill;
}
