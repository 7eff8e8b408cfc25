import * as vscode from 'vscode';
import { hyperparameterSpecs } from '../core/model/hyperparameters';
import { presets } from '../core/model/presets';
import { panelStrings } from '../core/protocol/panelStrings';
import { hyperparameterNames, hyperparameterProblems, trainingPanelStrings } from '../core/protocol/trainingPanelStrings';

/** Every text of the panel's page in the person's language, by its English. */
export function translatedPanelStrings(): Readonly<Record<string, string>> {
  return translatedAll(Object.values(panelStrings));
}

/** The same for the training panel's page, with what is said of presets and hyperparameters, and of values that cannot be. */
export function translatedTrainingPanelStrings(): Readonly<Record<string, string>> {
  return translatedAll([
    ...Object.values(trainingPanelStrings),
    ...Object.values(hyperparameterNames),
    ...hyperparameterSpecs.map(({ help }) => help),
    ...presets.map(({ description }) => description),
    ...hyperparameterProblems,
  ]);
}

function translatedAll(templates: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(templates.map((template) => [template, vscode.l10n.t(template)]));
}
