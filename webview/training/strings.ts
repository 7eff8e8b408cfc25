import { HumanError } from '../../src/core/errors';
import { hyperparameterNames, trainingPanelStrings, type TrainingStringKey } from '../../src/core/protocol/trainingPanelStrings';
import type { Hyperparameters } from '../../src/core/protocol/trainer';
import { hyperparameterSpecs } from '../../src/core/model/hyperparameters';
import { number, translate } from '../strings';

/** A text of the training panel in the person's language, filled in. */
export function say(key: TrainingStringKey, ...args: readonly (string | number)[]): string {
  return translate(trainingPanelStrings[key], args);
}

/** What the field calls a hyperparameter. */
export function hyperparameterName(name: keyof Hyperparameters): string {
  return translate(hyperparameterNames[name] ?? name);
}

/** What went wrong, in the person's language: the host has translated its own errors, those of checks made here are translated with the one-line help that they quote. */
export function messageOf(error: unknown): string {
  if (error instanceof HumanError) return translate(error.template, error.args.map((arg) => (typeof arg === 'string' ? wordOf(arg) : precise(arg))));
  return error instanceof Error ? error.message : String(error);
}

function wordOf(arg: string): string {
  const spec = hyperparameterSpecs.find(({ name, help }) => name === arg || help === arg);
  return spec === undefined ? arg : arg === spec.name ? hyperparameterName(spec.name) : translate(spec.help);
}

/** A number with all the digits that count, such as a learning rate. */
export function precise(value: number): string {
  return Math.abs(value) < 0.001 && value !== 0 ? String(value) : number(value, 6);
}
