import * as vscode from 'vscode';
import { hyperparameterSpecs } from '../core/model/hyperparameters';
import { presets } from '../core/model/presets';
import { panelStrings } from '../core/protocol/panelStrings';
import { hyperparameterNames, hyperparameterProblems, trainingPanelStrings } from '../core/protocol/trainingPanelStrings';
import { reportStrings, type ReportStrings } from '../core/report/strings';

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

/** Every text of a report in the person's language. */
export function translatedReportStrings(): ReportStrings {
  return Object.fromEntries(Object.entries<string>(reportStrings).map(([key, template]) => [key, vscode.l10n.t(template)])) as Record<keyof ReportStrings, string>;
}
