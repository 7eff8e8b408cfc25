import { bundleFileNames } from '../model/bundle';
import { parseManifest, type ModelManifest } from '../model/manifest';
import { ruleOf } from '../model/deciding';
import type { TaskKind } from '../model/onnxWriter';
import type { TrainRequest, TrainResult } from '../protocol/trainer';
import type { ReportDocument } from './document';
import { evaluationSections, type Evaluation } from './evaluation';
import { reportStrings, type ReportStrings } from './strings';
import { trainingSections } from './training';
import { fill, type ReportPlace } from './wording';

/** A training that is done. */
export interface Trained {
  readonly request: TrainRequest;
  readonly result: TrainResult;
  /** Where the rows of `request.validation` stand, in their order. */
  readonly validation: readonly ReportPlace[];
  /** The file of the rows, as a person knows it. */
  readonly file: string;
}

/** The report of a training: how it went, and how good the model is on the held-out rows. */
export function trainedDocument({ request, result, validation, file }: Trained, strings: ReportStrings = reportStrings): ReportDocument {
  const { kind = 'single', identity, preset, rows } = request;
  const { history, stepsPerEpoch, epochs, best, validationScores: scores } = result;
  const { task } = parseManifest(result.bundle.manifest, bundleFileNames.manifest);
  return {
    title: fill(strings.trainingTitle, [identity.name, identity.version]),
    subtitle: fill(strings.trainingSubtitle, [file, preset, rows.length, validation.length]),
    sections: [
      ...trainingSections({ kind, history, stepsPerEpoch, epochs, best }, strings),
      ...(scores.length > 0 ? evaluationSections(evaluationOf({ request, result, validation }, kind, scores, task), strings) : []),
    ],
  };
}

function evaluationOf(
  { request: { validation, labels }, result: { validationValues }, validation: rows }: Pick<Trained, 'request' | 'result' | 'validation'>,
  kind: TaskKind,
  scores: Float32Array,
  task: ModelManifest['task'],
): Evaluation {
  const trueValues = (): number[] => validation.map(({ value }) => value ?? NaN);
  const rule = ruleOf(task);
  switch (kind) {
    case 'single':
      return {
        kind,
        rows,
        labels,
        truth: validation.map(({ label }) => label),
        scores,
        rule,
        ...(validationValues && validationValues.length > 0 ? { values: { truth: trueValues(), predicted: validationValues } } : {}),
      };
    case 'multi':
      return { kind, rows, labels, truth: validation.map((row) => row.labels ?? []), scores, rule };
    case 'number':
      return { kind, rows, values: { truth: trueValues(), predicted: scores } };
  }
}
