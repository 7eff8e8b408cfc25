import { checkHyperparameters, hyperparameterSpecs, type HyperparameterSpec } from '../core/model/hyperparameters';
import { parsePresetFile } from '../core/model/presetFile';
import { findPreset, presets, type Preset } from '../core/model/presets';
import type { Hyperparameters } from '../core/protocol/trainer';
import { UsageError, type Arguments, type FlagSpec } from './arguments';
import type { CliContext } from './context';
import { readSmallFile } from './smallFile';

/** Flags of the hyperparameters: `--learning-rate` for `learningRate`, with the help of their specification. */
export const hyperparameterFlags: Readonly<Record<string, FlagSpec>> = Object.fromEntries(
  hyperparameterSpecs.map((spec) => {
    const choices = 'choices' in spec ? `: ${spec.choices.join(', ')}` : '';
    return [flagOf(spec.name), { value: choices === '' ? 'N' : 'NAME', help: `${spec.help}${choices} (default ${spec.default})` }];
  }),
);

export function flagOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The hyperparameters that flags set, unchecked. */
export function givenHyperparameters(args: Arguments): Readonly<Record<string, string | number>> {
  const valueOf = (spec: HyperparameterSpec): string | number | undefined => ('choices' in spec ? args.text(flagOf(spec.name)) : args.number(flagOf(spec.name)));
  return Object.fromEntries(
    hyperparameterSpecs.flatMap((spec) => {
      const value = valueOf(spec);
      return value === undefined ? [] : [[spec.name, value]];
    }),
  );
}

/** @param defaults where no flag says otherwise */
export function readHyperparameters(args: Arguments, defaults: Partial<Hyperparameters>): Hyperparameters {
  return checkHyperparameters(givenHyperparameters(args), defaults);
}

/** A preset, and what a preset file changes of it. */
export interface ChosenPreset {
  readonly preset: Preset;
  readonly hyperparameters: Partial<Hyperparameters>;
}

/** The preset of that name or in that file, which ends in `.json`. @throws UsageError where there is none */
export async function choosePreset(context: Pick<CliContext, 'openInput'>, nameOrFile: string): Promise<ChosenPreset> {
  const named = findPreset(nameOrFile);
  if (named) return { preset: named, hyperparameters: {} };
  if (!nameOrFile.toLowerCase().endsWith('.json')) throw new UsageError(`There is no preset ${nameOrFile}. Choose one of ${presets.map((each) => each.name).join(', ')}, or a preset file, which ends in .json.`);
  const { preset, hyperparameters } = parsePresetFile(await readSmallFile(context, nameOrFile), nameOrFile);
  return { preset: findPreset(preset)!, hyperparameters };
}
