/** What the training panel's page may say, as `panelChecks.ts` has it for the labelling panel. */
import { hyperparameterSpecs } from '../core/model/hyperparameters';
import { taskKinds } from '../core/model/onnxWriter';
import { presets } from '../core/model/presets';
import type { Hyperparameters } from '../core/protocol/trainer';
import { mostPreviewLabels, trainingTabs, type ComparisonChoice, type DataChoice, type PrepareChoice, type TrainingChoice, type TrainingForm, type TrainingPanelMethods } from '../core/protocol/trainingPanel';
import { bool, fail, integer, list, nothing, object, oneOf, own, plain, share, text, type Check } from './messageChecks';

/** UTF-16 units of a file's id, a column's name, a label, a model's name, something typed. */
const LONGEST_ID = 8000;
const LONGEST_COLUMN = 1000;
const LONGEST_LABEL = 1000;
const LONGEST_MODEL = 8000;
const LONGEST_TYPED = 200;
const MOST_COLUMNS = 1000;
const MOST_MODELS = 200;
const MOST_WORDS = 1_000_000;
const LARGEST_SEED = 4_294_967_295;

/** The parameters of `method`, as new objects that hold nothing but what belongs there. @throws PanelMessageError */
export function checkTrainingParams<M extends keyof TrainingPanelMethods>(method: M, params: unknown): TrainingPanelMethods[M]['params'] {
  return methods[method](params, method);
}

const fileId = text(LONGEST_ID, 1);
const column = text(LONGEST_COLUMN);
const model = text(LONGEST_MODEL, 1);
const typed = text(LONGEST_TYPED);
const kind = oneOf(...taskKinds);
const preset: Check<string> = oneOf(...presets.map(({ name }) => name));

const data: Check<DataChoice> = (value, path) => {
  const choice = object<DataChoice>({ file: fileId, kind, labelColumn: column, textColumns: list(column, MOST_COLUMNS) }, { valueColumn: column })(value, path);
  return choice.textColumns.length > 0 ? choice : fail(`${path}.textColumns`, 'one column or more');
};

const format = oneOf('html', 'markdown');
const between = (low: number, high: number): Check<number> => (value, path) => (typeof value === 'number' && value > low && value < high ? value : fail(path, `a number between ${low} and ${high}`));

const heldOut: Check<TrainingChoice['heldOut']> = (value, path) => (own(plain(value, path), 'file') === undefined ? object<{ readonly share: number }>({ share: between(0, 1) }, {}) : object<{ readonly file: string }>({ file: fileId }, {}))(value, path);

const prepare: Check<PrepareChoice> = (value, path) => {
  const choice = object<PrepareChoice>(
    {
      data,
      labelValues: list(object<PrepareChoice['labelValues'][number]>({ from: text(LONGEST_LABEL), to: text(LONGEST_LABEL) }, {}), mostPreviewLabels),
      dropContradictory: bool,
      dropRepeats: bool,
      shares: object<PrepareChoice['shares']>({ train: share, valid: share, test: share }, {}),
      seed: integer(0, LARGEST_SEED),
    },
    { words: integer(1, MOST_WORDS) },
  )(value, path);
  const { train, valid, test } = choice.shares;
  return train > 0 && Math.abs(train + valid + test - 1) < 1e-6 ? choice : fail(`${path}.shares`, 'shares that make 1 together');
};

/** Only what there is, and of its type; whether a value is in its range is the training's to say, in words. */
const hyperparameters: Check<Partial<Hyperparameters>> = (value, path) => {
  const fields = plain(value, path);
  return Object.fromEntries(
    hyperparameterSpecs.flatMap((spec) => {
      const field = own(fields, spec.name);
      if (field === undefined) return [];
      return [[spec.name, 'choices' in spec ? oneOf<string>(...spec.choices)(field, `${path}.${spec.name}`) : typeof field === 'number' && Number.isFinite(field) ? field : fail(`${path}.${spec.name}`, 'a number')]];
    }),
  );
};

/** What the page's own form never says together is refused, too. */
const training: Check<TrainingChoice> = (value, path) => {
  const choice = object<TrainingChoice>({ data, heldOut, preset, hyperparameters }, { base: model, vectors: fileId, threshold: between(0, 1) })(value, path);
  if ('file' in choice.heldOut && choice.heldOut.file === choice.data.file) fail(`${path}.heldOut`, 'another file than the rows to train on');
  if (choice.base !== undefined && choice.vectors !== undefined) fail(`${path}.vectors`, 'absent where there is a base');
  if (choice.data.kind === 'number' && choice.threshold !== undefined) fail(`${path}.threshold`, 'absent where a number is learned');
  return choice;
};

const form = object<TrainingForm>(
  {
    tab: oneOf(...trainingTabs),
    kind,
    textColumns: list(column, MOST_COLUMNS),
    heldOut: typed,
    preset,
    typed: (value, path) => {
      const fields = plain(value, path);
      return Object.fromEntries(
        hyperparameterSpecs.flatMap(({ name }) => {
          const field = own(fields, name);
          return field === undefined ? [] : [[name, typed(field, `${path}.${name}`)]];
        }),
      );
    },
    compared: list(model, MOST_MODELS),
  },
  { file: fileId, labelColumn: column, valueColumn: column, heldOutIsFile: bool, heldOutFile: fileId, base: model, vectors: fileId, threshold: typed },
);

const comparison: Check<ComparisonChoice> = (value, path) => {
  const choice = object<ComparisonChoice>({ data, models: list(model, MOST_MODELS) }, {})(value, path);
  return new Set(choice.models).size === choice.models.length && choice.models.length >= 2 ? choice : fail(`${path}.models`, 'two models or more, each once');
};

const methods: { readonly [M in keyof TrainingPanelMethods]: Check<TrainingPanelMethods[M]['params']> } = {
  start: nothing,
  events: nothing,
  remember: object<TrainingPanelMethods['remember']['params']>({ form }, {}),
  chooseTable: object<TrainingPanelMethods['chooseTable']['params']>({ from: oneOf('editor', 'dialog') }, {}),
  table: object<TrainingPanelMethods['table']['params']>({ file: fileId }, {}),
  chooseHeldOut: nothing,
  chooseVectors: nothing,
  vectors: object<TrainingPanelMethods['vectors']['params']>({ file: fileId }, {}),
  preview: object<TrainingPanelMethods['preview']['params']>({ data }, {}),
  prepare: object<TrainingPanelMethods['prepare']['params']>({ prepare }, {}),
  train: object<TrainingPanelMethods['train']['params']>({ training }, {}),
  cancelTraining: nothing,
  storeAgain: object<TrainingPanelMethods['storeAgain']['params']>({ again: bool }, {}),
  useModel: nothing,
  saveReport: nothing,
  openReport: object<TrainingPanelMethods['openReport']['params']>({ format }, {}),
  models: nothing,
  compare: object<TrainingPanelMethods['compare']['params']>({ comparison }, {}),
  cancelComparison: nothing,
  reveal: object<TrainingPanelMethods['reveal']['params']>({ file: text(LONGEST_ID, 1), row: integer(1, Number.MAX_SAFE_INTEGER) }, {}),
};
