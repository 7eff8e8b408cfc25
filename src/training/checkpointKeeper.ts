import { HumanError } from '../core/errors';
import type { StartOverReason } from '../core/protocol/trainer';

/** The place where one training's checkpoint lies. */
export interface CheckpointStore {
  /** Names it in messages. */
  readonly where: string;
  /** The last one that was saved, if there is one. */
  load(): Promise<Uint8Array | undefined>;
  /** Puts this one in its place: afterwards there is the old one or the new one, whole, whenever the process is killed. */
  save(checkpoint: Uint8Array): Promise<void>;
  clear(): Promise<void>;
}

export interface KeeperOptions {
  readonly onSaved: () => void;
  readonly onProblem: (problem: HumanError) => void;
}

/** Saves the checkpoints of one run one after the other, without anybody waiting; what cannot be read or written is a problem to be told, never one for the training. */
export class CheckpointKeeper {
  private waiting: Uint8Array | undefined;
  private saving: Promise<void> | undefined;
  private told = false;
  private stored = false;

  constructor(
    private readonly store: CheckpointStore,
    private readonly options: KeeperOptions,
  ) {}

  /** Whether the store holds a checkpoint that continues this run. */
  get isStored(): boolean {
    return this.stored;
  }

  /** A copy of its own of what an earlier run left, so that it can be moved to a worker. */
  async load(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      const found = await this.store.load();
      return found && new Uint8Array(found);
    } catch (error) {
      this.options.onProblem(
        new HumanError(
          'training.checkpointUnread',
          'The checkpoint {0} cannot be read ({1}), so training starts from the beginning. Check the permissions of the file and of its folder.',
          [this.store.where, reasonOf(error)],
          { cause: error },
        ),
      );
      return undefined;
    }
  }

  /** What {@link load} gave is continued. */
  continued(): void {
    this.stored = true;
  }

  /** What {@link load} gave is of no use. */
  startedOver(why: StartOverReason): void {
    this.options.onProblem(startOver(why, this.store.where));
  }

  /** Saves it as soon as the one before it is saved; of those that wait for that, only the latest counts. */
  put(checkpoint: Uint8Array): void {
    this.waiting = checkpoint;
    this.saving ??= this.saveAll();
  }

  /** Resolves when nothing is being saved any more. @param drop forgets what waits */
  async settle(drop: boolean): Promise<void> {
    if (drop) this.waiting = undefined;
    await this.saving;
  }

  /** Removes what was stored. */
  async clear(): Promise<void> {
    await this.settle(true);
    try {
      await this.store.clear();
      this.stored = false;
    } catch (error) {
      this.tell(error);
    }
  }

  private async saveAll(): Promise<void> {
    while (this.waiting) {
      const checkpoint = this.waiting;
      this.waiting = undefined;
      try {
        await this.store.save(checkpoint);
        this.stored = true;
        this.options.onSaved();
      } catch (error) {
        this.tell(error);
      }
    }
    this.saving = undefined;
  }

  /** Once: a full disk stays full for a while, and every checkpoint would say so again. */
  private tell(error: unknown): void {
    if (this.told) return;
    this.told = true;
    this.options.onProblem(notSaved(error, this.store.where));
  }
}

function startOver(why: StartOverReason, where: string): HumanError {
  switch (why) {
    case 'damaged':
      return new HumanError('training.checkpointDamaged', 'The checkpoint {0} is damaged or is none, so training starts from the beginning and replaces it.', [where]);
    case 'newer':
      return new HumanError('training.checkpointNewer', 'A newer version of Label Lens wrote the checkpoint {0}, so training starts from the beginning and replaces it.', [where]);
    case 'different':
      return new HumanError(
        'training.checkpointDifferent',
        'The checkpoint {0} is of a training with other rows or other settings, so training starts from the beginning and replaces it.',
        [where],
      );
  }
}

function notSaved(error: unknown, where: string): HumanError {
  const code = error instanceof HumanError ? error.code : undefined;
  if (code === 'file.full')
    return new HumanError(
      'training.checkpointFull',
      'The checkpoint {0} cannot be saved because the disk is full. Training goes on in memory and tries again: free some space, so that it can be continued if it is stopped.',
      [where],
      { cause: error },
    );
  if (code === 'file.denied' || code === 'file.readOnly')
    return new HumanError(
      'training.checkpointDenied',
      'The checkpoint {0} may not be written. Training goes on in memory and tries again: make its folder writable, so that it can be continued if it is stopped.',
      [where],
      { cause: error },
    );
  return new HumanError(
    'training.checkpointFailed',
    'The checkpoint {0} cannot be saved ({1}). Training goes on in memory and tries again: check the path and the disk, so that it can be continued if it is stopped.',
    [where, reasonOf(error)],
    { cause: error },
  );
}

/** The operating system's word for it, or the message. */
function reasonOf(error: unknown): string {
  const { cause } = error as { cause?: unknown };
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (typeof code === 'string') return code;
  return error instanceof Error ? error.message : String(error);
}
