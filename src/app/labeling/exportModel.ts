import { HumanError } from '../../core/errors';
import { bundleFileNames } from '../../core/model/bundle';
import { modelCard } from '../../core/model/modelCard';
import type { FileSystem } from '../../storage/fileSystem';
import { joinPath, type OpenedModel } from '../modelStore';
import { writeBundle } from '../taskModels';
import { runModelScript } from './runModelScript';

/** Names of what goes with an exported bundle. */
export const exportedFileNames = { script: 'run_model.py', card: 'README.md' } as const;

/** Files that file managers put into folders which people take for empty. */
const leftByDesktops: ReadonlySet<string> = new Set(['.DS_Store', 'Thumbs.db', 'desktop.ini']);

/**
 * Copies a model into a folder of its own, with a Python file that runs it and a card that describes it. Nothing stays behind if that fails.
 *
 * @param folder absolute path of a folder that is empty or not there yet
 * @returns names of the files
 * @throws HumanError `exportModel.folder` when something lies in the folder, or what the file system says
 */
export async function exportModel(fileSystem: FileSystem, model: Pick<OpenedModel, 'files' | 'manifest'>, folder: string): Promise<readonly string[]> {
  const isFile = (await fileSystem.size(folder)) !== undefined;
  if (isFile || (await fileSystem.list(folder)).some(({ name }) => !leftByDesktops.has(name))) {
    throw new HumanError('exportModel.folder', '{0} is not an empty folder, and a model needs one of its own. Choose an empty folder, or a name that is not taken.', [folder]);
  }
  const encoder = new TextEncoder();
  const names = [...Object.values(bundleFileNames), ...Object.values(exportedFileNames)];
  try {
    await fileSystem.writeFileAtomically(joinPath(folder, exportedFileNames.script), encoder.encode(runModelScript));
    await fileSystem.writeFileAtomically(joinPath(folder, exportedFileNames.card), encoder.encode(modelCard(model.manifest)));
    await writeBundle(fileSystem, folder, model.files);
  } catch (error) {
    // only what we wrote: the folder may have been there before
    for (const name of names) await fileSystem.remove(joinPath(folder, name)).catch(() => undefined);
    throw error;
  }
  return names;
}
