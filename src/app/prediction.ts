import { chosenLabels, leadingLabel, type DecisionRule } from '../core/model/deciding';

/** Which model gave a prediction. */
export interface ModelIdentity {
  /** Unique for the model's content: name, version and hash. */
  readonly key: string;
  readonly name: string;
  readonly version: string;
}

/** What a model said about one text, and what decides for a label. */
export interface Prediction extends DecisionRule {
  readonly model: ModelIdentity;
  /** The model's labels, in the order of {@link scores}. None for `number`. */
  readonly labels: readonly string[];
  /** Probabilities in 0..1, one per label; for `number` the value alone. */
  readonly scores: readonly number[];
  /** The number beside the labels, and what it is called: of a joint model. */
  readonly value?: number;
  readonly valueName?: string;
  /** Tokens of the text that the model read, after truncation. 0: there was nothing to read. */
  readonly tokens: number;
}

export interface LabelScore {
  readonly label: string;
  /** Position among the model's labels; decides the label's colour and shape. */
  readonly index: number;
  /** Probability in 0..1. */
  readonly score: number;
}

/** All labels, the most probable first; equal scores in the model's order. */
export function ranked({ labels, scores }: Prediction): LabelScore[] {
  return labels.map((label, index) => ({ label, index, score: scores[index] ?? 0 })).sort((a, b) => b.score - a.score || a.index - b.index);
}

/** The labels that the model holds to be right, the most probable first, see {@link chosenLabels}. None for `number`. */
export function decided(prediction: Prediction): LabelScore[] {
  const chosen = new Set(chosenLabels(prediction, prediction.scores));
  return ranked(prediction).filter(({ index }) => chosen.has(index));
}

/** Position of the label whose colour stands for the prediction. */
export function styleIndex(prediction: Prediction): number {
  return Math.max(0, leadingLabel(prediction, prediction.scores));
}

/** Whole per cent for a person, 0..99: a model is never certain, so nothing is shown as 100 %. */
export function percent(score: number): number {
  return Math.min(99, Math.round(score * 100));
}
