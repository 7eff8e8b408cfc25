import { HumanError } from '../errors';
import type { Hyperparameters } from '../protocol/trainer';
import { checkHyperparameters } from './hyperparameters';
import { JsonObject } from './jsonChecks';
import { findPreset, presets } from './presets';

/** Version of the format that this code writes, and the newest that it reads. */
export const presetFormatVersion = 1;

/** A preset with hyperparameters of somebody's own, such as the best that tuning found. Wherever a preset's name is taken, such a file is too. */
export interface PresetFile {
  readonly name: string;
  /** Name of the preset whose architecture and defaults hold. */
  readonly preset: string;
  /** What differs from the preset's defaults. */
  readonly hyperparameters: Partial<Hyperparameters>;
  readonly description?: string;
}

/** Bytes of the largest file that is read. */
const mostBytes = 100_000;

/**
 * Reads a preset file, which may come from anywhere. Fields that this version does not know are left out.
 *
 * @param where the file's name for messages
 * @throws HumanError `json.…` (see {@link JsonObject}; they name the field), `preset.newer`, `preset.unknown`, `preset.hyperparameter`
 */
export function parsePresetFile(bytes: Uint8Array, where: string): PresetFile {
  const file = JsonObject.parse(bytes, where, mostBytes);
  const version = file.integer('formatVersion', 1, 1_000_000);
  if (version > presetFormatVersion)
    throw new HumanError('preset.newer', '{0} was written by a newer Label Lens: its format is {1}, and this version reads up to {2}. Update Label Lens.', [where, version, presetFormatVersion]);
  const name = file.text('name', 200);
  const preset = findPreset(file.text('preset', 100));
  if (!preset)
    throw new HumanError('preset.unknown', '{0} builds on the preset {1}, which there is not. Put one of these there, or update Label Lens: {2}.', [
      where,
      file.text('preset', 100),
      presets.map((known) => known.name).join(', '),
    ]);
  const given = file.facts('hyperparameters', 100, 100);
  const description = file.optionalText('description', 20_000);
  return { name, preset: preset.name, hyperparameters: checked(given, preset.defaults, where), ...(description === undefined ? {} : { description }) };
}

/** The file's bytes, laid out for a reader. */
export function formatPresetFile({ name, preset, hyperparameters, description }: PresetFile): Uint8Array {
  const content = { formatVersion: presetFormatVersion, name, preset, hyperparameters, ...(description === undefined ? {} : { description }) };
  return new TextEncoder().encode(`${JSON.stringify(content, null, 2)}\n`);
}

/** Those of the hyperparameters that the file sets. */
function checked(given: Readonly<Record<string, string | number>>, defaults: Partial<Hyperparameters>, where: string): Partial<Hyperparameters> {
  try {
    const all = checkHyperparameters(given, defaults);
    return Object.fromEntries(Object.entries(all).filter(([name]) => Object.hasOwn(given, name)));
  } catch (error) {
    if (!(error instanceof HumanError)) throw error;
    throw new HumanError('preset.hyperparameter', '{0}: {1}', [where, error.message], { cause: error });
  }
}
