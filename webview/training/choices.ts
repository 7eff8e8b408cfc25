/** What the form says, as the host understands it, or what is missing. Pure, so that every part of the page and the tests agree on it. */
import { checkHyperparameters, defaultHyperparameters, hyperparameterSpecs, type HyperparameterSpec } from '../../src/core/model/hyperparameters';
import type { TaskKind } from '../../src/core/model/onnxWriter';
import { findPreset, presets, type Preset } from '../../src/core/model/presets';
import type { Hyperparameters } from '../../src/core/protocol/trainer';
import type { DataChoice, PanelFile, PanelModel, PanelTable, TrainingChoice } from '../../src/core/protocol/trainingPanel';
import { hyperparameterName, messageOf, say } from './strings';
import type { TrainingState } from './store';

/** Something that keeps the training from beginning, and the id of the field where it is mended. */
export interface Missing {
  readonly tab: 'data' | 'model';
  readonly field: string;
  readonly text: string;
}

/** The hyperparameters that most people set, in the order in which they are shown; the others stand under "More". */
export const commonHyperparameters: readonly (keyof Hyperparameters)[] = [
  'epochs', 'batchSize', 'learningRate', 'dropout', 'hiddenUnits', 'embeddingSize', 'layers', 'patience', 'maxTokens', 'minFrequency', 'vocabularySize',
];

/** Id of a hyperparameter's field. */
export function fieldOf(name: keyof Hyperparameters): string {
  return `hyperparameter-${name}`;
}

/** The columns that the form names, as far as the table has them, or undefined if a choice is missing. */
export function dataChoice({ form, table }: Pick<TrainingState, 'form' | 'table'>): DataChoice | undefined {
  if (!table || form.file !== table.id) return undefined;
  const { kind, labelColumn, valueColumn } = form;
  const textColumns = form.textColumns.filter((name) => hasColumn(table, name) && name !== labelColumn);
  if (labelColumn === undefined || !hasColumn(table, labelColumn) || textColumns.length === 0) return undefined;
  const value = kind === 'single' && valueColumn !== undefined && valueColumn !== labelColumn && hasColumn(table, valueColumn) ? valueColumn : undefined;
  return { file: table.id, kind, labelColumn, textColumns, ...(value === undefined ? {} : { valueColumn: value }) };
}

function hasColumn(table: PanelTable, name: string): boolean {
  return table.columns.some((column) => column.name === name);
}

/** The preset that is trained: the base's own where there is a base. */
export function chosenPreset({ form, models }: Pick<TrainingState, 'form' | 'models'>): Preset {
  const base = baseOf({ form, models });
  return findPreset(base?.preset ?? form.preset) ?? presets[0]!;
}

export function baseOf({ form, models }: Pick<TrainingState, 'form' | 'models'>): PanelModel | undefined {
  return form.base === undefined ? undefined : models.find(({ name }) => name === form.base);
}

/** Whether a preset is for this kind of task. */
export function presetFits(preset: Preset, kind: TaskKind): boolean {
  const { kinds } = preset as Preset & { readonly kinds?: readonly TaskKind[] };
  return kinds?.includes(kind) ?? true;
}

/** The preset's defaults for all hyperparameters. */
export function presetDefaults(preset: Preset): Hyperparameters {
  return defaultHyperparameters(preset.defaults);
}

/** What was typed, as the value that is meant: a number where it reads like one. */
function valueOf(spec: HyperparameterSpec, typed: string): unknown {
  const text = typed.trim();
  return 'choices' in spec || text === '' ? text : Number.isNaN(Number(text)) ? text : Number(text);
}

/** What is wrong with what was typed for a hyperparameter, in the person's language. */
export function hyperparameterProblem(spec: HyperparameterSpec, typed: string): string | undefined {
  if (typed.trim() === '') return undefined;
  try {
    checkHyperparameters({ [spec.name]: valueOf(spec, typed) });
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** Those that were set to something else than the default of the preset, right or wrong; without the embedding's size where word vectors decide it. */
export function changedHyperparameters(state: Pick<TrainingState, 'form' | 'models' | 'vectors'>): readonly HyperparameterSpec[] {
  const defaults = presetDefaults(chosenPreset(state));
  return hyperparameterSpecs.filter((spec) => {
    if (spec.name === 'embeddingSize' && chosenVectors(state)) return false;
    const typed = state.form.typed[spec.name]?.trim() ?? '';
    return typed !== '' && valueOf(spec, typed) !== defaults[spec.name];
  });
}

/** The share that is held out, 0..1; undefined if what was typed is none. */
export function heldOutShare(typed: string): number | undefined {
  const percent = Number(typed.trim().replace(/\s*%$/, ''));
  return typed.trim() !== '' && percent >= 1 && percent <= 90 ? percent / 100 : undefined;
}

/** What keeps the rows of the other file from being checked with, in the person's language. */
export function heldOutFileProblem(state: Pick<TrainingState, 'form' | 'table' | 'heldOutTable'>): string | undefined {
  const { heldOutTable } = state;
  const data = dataChoice(state);
  if (!heldOutTable || !data) return undefined;
  if (heldOutTable.id === data.file) return say('heldOutSame', heldOutTable.name);
  // the host does not mind letter case and blanks
  const folded = new Set(heldOutTable.columns.map(({ name }) => name.trim().toLowerCase()));
  const lacking = [...data.textColumns, data.labelColumn, ...(data.valueColumn === undefined ? [] : [data.valueColumn])].filter((name) => !folded.has(name.trim().toLowerCase()));
  return lacking.length > 0 ? say('heldOutColumns', heldOutTable.name, lacking.join(', ')) : undefined;
}

/** The word vectors that are taken: none where there is a base, which brings its own. */
export function chosenVectors(state: Pick<TrainingState, 'form' | 'models' | 'vectors'>): PanelFile | undefined {
  return baseOf(state) ? undefined : state.vectors;
}

/** What the decision threshold means for this task, or why it has none, in the person's language. */
export function thresholdMeaning(state: Pick<TrainingState, 'form' | 'models' | 'preview'>): { readonly applies: boolean; readonly text: string } {
  const { form, preview } = state;
  if (form.kind === 'number') return { applies: false, text: say('thresholdOfNumber') };
  if (form.kind === 'multi') return { applies: true, text: say('thresholdOfEach') };
  // until the labels are counted, there may be two
  if (!preview) return { applies: true, text: say('thresholdOfSecond') };
  if (preview.labelCount > 2) return { applies: false, text: say('thresholdOfMany', preview.labelCount) };
  const names = preview.labels.map(({ label }) => label).sort();
  // a base of the same labels keeps their order; whether they are the same cannot be told where its card calls them by other names
  const own = baseOf(state)?.labels ?? [];
  const [first, second] = own.length !== 2 ? names : names.every((name) => own.includes(name)) ? own : [];
  return { applies: true, text: first === undefined || second === undefined ? say('thresholdOfSecond') : say('thresholdOfTwo', second, first) };
}

/** The threshold that was typed, if it is one. */
export function thresholdOf(typed: string): number | undefined {
  const threshold = Number(typed.trim());
  return typed.trim() !== '' && threshold >= 0 && threshold <= 1 ? threshold : undefined;
}

/** What is wrong with what was typed for the threshold, in the person's language. */
export function thresholdProblem(state: Pick<TrainingState, 'form' | 'models' | 'preview'>): string | undefined {
  const typed = state.form.threshold?.trim() ?? '';
  return typed !== '' && thresholdOf(typed) === undefined && thresholdMeaning(state).applies ? say('thresholdProblem') : undefined;
}

/** What the host is asked to train, or all that keeps it from that. */
export function trainingChoice(state: TrainingState): { readonly training: TrainingChoice } | { readonly missing: readonly Missing[] } {
  const { form, table } = state;
  const missing: Missing[] = [];
  if (!table) missing.push({ tab: 'data', field: 'choose-file', text: say('missingFile') });
  else {
    if (form.labelColumn === undefined || !hasColumn(table, form.labelColumn)) missing.push({ tab: 'data', field: 'label-column', text: say(form.kind === 'number' ? 'missingNumberColumn' : 'missingLabelColumn') });
    if (!form.textColumns.some((name) => hasColumn(table, name) && name !== form.labelColumn)) missing.push({ tab: 'data', field: 'add-text-column', text: say('missingTextColumn') });
  }
  const heldOut = heldOutOf(state);
  if ('problem' in heldOut) missing.push({ tab: 'data', field: form.heldOutIsFile === true ? 'choose-held-out' : 'held-out', text: heldOut.problem });
  const preset = chosenPreset(state);
  if (!presetFits(preset, form.kind)) missing.push({ tab: 'model', field: `preset-${preset.name}`, text: say('presetMisfit', preset.name) });
  const changed = changedHyperparameters(state);
  for (const spec of changed) if (hyperparameterProblem(spec, form.typed[spec.name] ?? '') !== undefined) missing.push({ tab: 'model', field: fieldOf(spec.name), text: say('checkField', hyperparameterName(spec.name)) });
  const wrongThreshold = thresholdProblem(state);
  if (wrongThreshold !== undefined) missing.push({ tab: 'model', field: 'threshold', text: wrongThreshold });
  const data = dataChoice(state);
  if (missing.length > 0 || !data || 'problem' in heldOut) return { missing };
  const hyperparameters = Object.fromEntries(changed.map((spec) => [spec.name, valueOf(spec, form.typed[spec.name] ?? '')])) as Partial<Hyperparameters>;
  const vectors = chosenVectors(state);
  const threshold = thresholdMeaning(state).applies ? thresholdOf(form.threshold ?? '') : undefined;
  return {
    training: {
      data,
      heldOut,
      preset: preset.name,
      ...(baseOf(state) ? { base: form.base! } : {}),
      ...(vectors ? { vectors: vectors.id } : {}),
      ...(threshold === undefined ? {} : { threshold }),
      hyperparameters,
    },
  };
}

function heldOutOf(state: TrainingState): TrainingChoice['heldOut'] | { readonly problem: string } {
  const { form, heldOutTable } = state;
  if (form.heldOutIsFile === true) {
    const problem = heldOutTable ? heldOutFileProblem(state) : say('missingHeldOut');
    return problem === undefined ? { file: heldOutTable!.id } : { problem };
  }
  const share = heldOutShare(form.heldOut);
  return share === undefined ? { problem: say('heldOutProblem') } : { share };
}
