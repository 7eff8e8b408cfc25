import { bundleFileNames } from '../model/bundle';
import { parseManifest, type ModelManifest } from '../model/manifest';
import type { TaskKind } from '../model/onnxWriter';
import type { TrainRequest, TrainResult } from '../protocol/trainer';
import type { ReportDocument } from './document';
import { evaluationSections, type Evaluation } from './evaluation';
import { reportStrings, type ReportStrings } from './strings';
import { trainingSections, type TrainingCourse } from './training';
import { fill, type ReportPlace } from './wording';

/** A training that is done. */
export interface Trained {
  readonly request: TrainRequest & { readonly kind?: TaskKind };
  readonly result: TrainResult &
    Partial<Pick<TrainingCourse, 'history' | 'stepsPerEpoch'>> & {
      /** [validation rows, scores], as the written model would say. */
      readonly validationScores?: Float32Array;
      /** [validation rows], the number beside the label of a joint model. */
      readonly validationValues?: Float32Array;
    };
  /** Where the rows of `request.validation` stand, in their order. */
  readonly validation: readonly ReportPlace[];
  /** The file of the rows, as a person knows it. */
  readonly file: string;
}

/** The report of a training: how it went, and how good the model is on the held-out rows. */
export function trainedDocument({ request, result, validation, file }: Trained, strings: ReportStrings = reportStrings): ReportDocument {
  const { kind = 'single', identity, preset, rows } = request;
  const { history = [], stepsPerEpoch = 0, epochs, best, validationScores } = result;
  const scores = validationScores && validationScores.length > 0 ? validationScores : undefined;
  const { task } = parseManifest(result.bundle.manifest, bundleFileNames.manifest);
  return {
    title: fill(strings.trainingTitle, [identity.name, identity.version]),
    subtitle: fill(strings.trainingSubtitle, [file, preset, rows.length, validation.length]),
    sections: [
      ...trainingSections({ kind, history, stepsPerEpoch, epochs, best }, strings),
      ...(scores ? evaluationSections(evaluationOf({ request, result, validation }, kind, scores, task), strings) : []),
    ],
  };
}

function evaluationOf(
  { request: { validation, labels }, result: { validationValues }, validation: rows }: Pick<Trained, 'request' | 'result' | 'validation'>,
  kind: TaskKind,
  scores: Float32Array,
  task: ModelManifest['task'] & { readonly threshold?: number; readonly thresholds?: readonly number[] },
): Evaluation {
  const trueValues = (): number[] => validation.map(({ value }) => value ?? NaN);
  const threshold = task.threshold;
  switch (kind) {
    case 'single':
      return {
        kind,
        rows,
        labels,
        truth: validation.map(({ label }) => label),
        scores,
        ...(threshold === undefined ? {} : { threshold }),
        ...(validationValues && validationValues.length > 0 ? { values: { truth: trueValues(), predicted: validationValues } } : {}),
      };
    case 'multi':
      return { kind, rows, labels, truth: validation.map((row) => row.labels ?? []), scores, threshold: task.thresholds ?? threshold ?? 0.5 };
    case 'number':
      return { kind, rows, values: { truth: trueValues(), predicted: scores } };
  }
}
