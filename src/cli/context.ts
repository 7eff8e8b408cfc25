import type { BundleFiles } from '../core/protocol/predictor';
import type { AbortSignalLike } from '../core/protocol/rpc';
import type { TaskFolder, TaskFolderOptions } from '../app/labeling/taskFolder';
import type { ModelStore } from '../app/modelStore';
import type { LineFile } from '../app/tune';
import type { Predictor } from '../inference/predictor';
import type { CheckpointStore } from '../training/checkpointKeeper';
import type { Trainer } from '../training/trainerClient';
import type { Terminal } from './terminal';

/** What a command works with; the door (`cli.ts`) builds it for Node, a test in memory. */
export interface CliContext {
  readonly terminal: Terminal;
  /** Raised by Ctrl+C. */
  readonly signal: AbortSignalLike;
  /** `open` also takes a path relative to the current folder. */
  readonly models: Pick<ModelStore, 'list' | 'open'>;
  readonly predictor: Predictor;
  readonly trainer: Trainer;
  /** Processor cores of the machine. */
  readonly cores: number;
  /** Resolves after what has come in was handled. */
  readonly pause: () => Promise<void>;
  /** Reads the task in a folder `.label-lens/TASK`, by a path relative to the current folder. */
  readTask(folder: string, options: Omit<TaskFolderOptions, 'fileSystem' | 'openInput'>): Promise<TaskFolder>;
  /** Opens a file, or standard input for `-`; unpacks .gz. */
  openInput(file: string): Promise<Input>;
  /** Opens a file that appears whole or not at all, or standard output for `-`. */
  openOutput(file: string): Promise<Output>;
  /** Makes a folder, with those that it lies in; it may be there already. */
  createFolder(folder: string): Promise<void>;
  /** A file that only grows, by a path relative to the current folder. */
  lines(file: string): LineFile;
  /** Writes the three files of a bundle; `model.json`, without which a folder is no model, last. */
  writeBundle(folder: string, bundle: BundleFiles): Promise<void>;
  /** The checkpoint of the training whose bundle will be written to that folder. */
  checkpoints(folder: string): CheckpointStore;
}

export interface Input {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Share of the input that was read so far, 0..1, or undefined where the size is not known. */
  fraction(): number | undefined;
}

export interface Output {
  readonly write: (bytes: Uint8Array) => Promise<void>;
  /** All was written: the file takes its name. */
  readonly commit: () => Promise<void>;
  /** The file is removed. Does nothing after {@link commit}. */
  readonly discard: () => Promise<void>;
}
